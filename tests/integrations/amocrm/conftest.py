"""What the tests of amoCRM stand on: settings of an invented account, and deliveries as it sends them."""

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from domain.events import CrmChanged, DeliveryUnread
from domain.ports import StoredPair, TokenPair
from domain.webhooks import Delivery
from integrations.amocrm.access import Pairs
from integrations.amocrm.fake import Fake
from integrations.amocrm.oauth import exchange
from integrations.amocrm.settings import Settings
from tests.conftest import Serve
from tests.ground import HandClock

DAY = timedelta(days=1)
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


class Shelf:
    """A TokenStore in memory, shared by several processes of a test."""

    def __init__(self) -> None:
        self.stored: StoredPair | None = None
        self.claimed: datetime | None = None
        self.saved: list[str] = []

    async def read(self) -> StoredPair | None:
        await asyncio.sleep(0)
        return self.stored

    async def claim(self, version: int, *, now: datetime, until: datetime) -> bool:
        await asyncio.sleep(0)
        assert self.stored is not None
        if self.stored.version != version or (self.claimed is not None and self.claimed > now):
            return False
        self.claimed = until
        return True

    async def release(self, version: int) -> None:
        self.claimed = None

    async def revoke(self, version: int) -> None:
        assert self.stored is not None
        self.stored, self.claimed = replace(self.stored, revoked=True), None

    async def save(self, pair: TokenPair, *, now: datetime, after: int | None) -> None:
        self.saved.append(pair.access)
        self.stored, self.claimed = StoredPair(pair=pair, version=(after or 0) + 1, renewed_at=now), None


@dataclass
class House:
    fake: Fake
    settings: Settings
    clock: HandClock
    shelf: Shelf

    def process(self, renew: Callable[[str], object] | None = None) -> Pairs:
        """One more process over the same store."""

        async def ask(refresh_token: str) -> TokenPair:
            return await exchange(self.settings, self.clock, self.settings.base_url, refresh_token=refresh_token)

        return Pairs(self.shelf, renew or ask, self.clock, sleep=self.clock.sleep)  # type: ignore[arg-type]

    def put(self, life: timedelta = DAY, refresh: str = "refresh-0") -> None:
        now = self.clock.now()
        self.fake.tokens, self.fake.refresh_tokens = {"access-0"}, {refresh}
        pair = TokenPair(access="access-0", refresh=refresh, expires_at=now + life)
        self.shelf.stored = StoredPair(pair=pair, version=1, renewed_at=now)


@pytest.fixture
async def house(serve: Serve) -> House:
    fake = Fake()
    settings = Settings(
        base_url=await serve(fake.build_app()),
        domain="acme.amocrm.ru",
        client_id=fake.client_id,
        client_secret=fake.client_secret,
        redirect_uri="https://svodka.example/api/auth/amo/callback",
    )
    return House(fake, settings, HandClock(), Shelf())
