"""Whether a delivery was proven to be its vendor's: what nobody vouches for must leave nothing for people to see."""

from collections.abc import Awaitable, Callable

from sqlalchemy import select

from bot.entrance import Entrance
from domain.webhooks import replayed
from storage.models import inbox
from storage.vault import UnknownKeyError

HOOKS = "/hooks/"  # what follows names the connection, and was a secret

Proven = Callable[[str | None], Awaitable[bool]]


def build_proven(entrance: Entrance) -> Proven:
    """Asks by the id of a delivery; None, which a poll has, is no delivery."""

    async def proven(delivery_id: str | None) -> bool:
        if delivery_id is None:
            return False
        statement = select(inbox.c.vendor, inbox.c.request, inbox.c.received_at).where(inbox.c.id == delivery_id)
        async with entrance.database.read() as connection:
            row = (await connection.execute(statement)).one_or_none()
        if row is None:
            return False
        endpoint = entrance.hooks.default(row.vendor)
        if endpoint is not None and endpoint.authenticated:
            return True  # its token was looked at before it was stored
        if row.request is None:
            return False
        try:
            request = entrance.vault.decrypt(row.request)
        except UnknownKeyError:
            return False
        return replayed(request, row.received_at).path.startswith(HOOKS)

    return proven
