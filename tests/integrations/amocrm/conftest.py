"""What the tests of amoCRM stand on: settings of an invented account, and deliveries as it sends them."""

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import urlencode

from domain.events import CrmChanged, DeliveryUnread
from domain.webhooks import Delivery
from integrations.amocrm.settings import Settings

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
CLIENT = "0f0e0d0c-0b0a-4908-8706-050403020100"
SECRET = "fake-client-secret"
ACCOUNT = "31234567"
SETTINGS = Settings(
    base_url="https://acme.amocrm.ru",
    domain="acme.amocrm.ru",
    access_token="fake-token",
    client_id=CLIENT,
    client_secret=SECRET,
    account_id=ACCOUNT,
)


def hook(body: bytes | dict[str, str], *, path: str = "/hooks/amocrm/secret", **headers: str) -> Delivery:
    raw = body if isinstance(body, bytes) else urlencode(body).encode()
    return Delivery(method="POST", path=path, query="", headers=headers, body=raw, received_at=AT)


def signature(uuid: str = CLIENT, account: str = ACCOUNT, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), f"{uuid}|{account}".encode(), hashlib.sha256).hexdigest()


def signed(uuid: str = CLIENT, account: str = ACCOUNT, given: str | None = None) -> dict[str, str]:
    return {
        "x-client-uuid": uuid,
        "x-signature": signature(uuid, account) if given is None else given,
        "x-account-id": account,
    }


def changed(events: tuple[object, ...]) -> CrmChanged:
    return next(event for event in events if isinstance(event, CrmChanged))


def unread(events: tuple[object, ...]) -> DeliveryUnread | None:
    return next((event for event in events if isinstance(event, DeliveryUnread)), None)
