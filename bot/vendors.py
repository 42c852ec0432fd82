"""The vendors there are: a new one is its folder and one line here."""

from typing import Any

from integrations import amocrm, bitrix24, bizon365, openai, tilda, whisper
from integrations.kit.vendor import Vendor

VENDORS: tuple[Vendor[Any], ...] = (
    bitrix24.VENDOR,
    bizon365.VENDOR,
    amocrm.VENDOR,
    tilda.VENDOR,
    openai.VENDOR,
    whisper.VENDOR,
)
