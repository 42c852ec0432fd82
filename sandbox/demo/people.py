"""Who is interested in the demo's company: invented people, each with a phone that every system writes its own way."""

from collections.abc import Iterator
from dataclasses import dataclass

from integrations.bitrix24.fake import Fake as Portal
from integrations.bitrix24.fake_company import DISPATCH, SALES


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """The phone as they write it in a form, as a manager writes it in the CRM, and as they enter a webinar with it."""

    name: str
    phone: str
    phone_in_crm: str
    phone_in_room: str = ""
    email: str
    utm: tuple[str, str, str]


HEROINE = Lead(
    name="Ирина Павлова", phone="+7 (900) 555-01-72", phone_in_crm="8 900 555 01 72", phone_in_room="9005550172",
    email="irina@example.com", utm=("vk", "cpc", "ofisy_osen"),
)  # fmt: skip
OTHERS = (
    Lead(
        name="Михаил Орлов", phone="8 (900) 555-03-11", phone_in_crm="+79005550311", email="orlov@example.com",
        utm=("yandex", "cpc", "brand"),
    ),
    Lead(
        name="Дарья Климова", phone="+7 900 555 03 22", phone_in_crm="9005550322", email="klimova@example.com",
        utm=("google", "cpc", "uborka"),
    ),
    Lead(
        name="Роман Сафин", phone="79005550333", phone_in_crm="8-900-555-03-33", email="safin@example.com",
        utm=("vk", "retarget", "ofisy_osen"),
    ),
)  # fmt: skip


def answering(portal: Portal) -> Iterator[str]:
    """Those of the portal's company who answer the phone, as the bot calls them."""
    for (kind, _), row in portal.portal.people.items():
        departments = row.get("UF_DEPARTMENT")
        if (
            kind == "user"
            and isinstance(departments, list)
            and {SALES, DISPATCH} & set(departments)
            and row.get("ACTIVE", True)
        ):
            yield f"{row['NAME']} {row['LAST_NAME']}"
