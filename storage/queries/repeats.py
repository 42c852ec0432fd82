"""How often something may have been paid or sent twice, added up: what a card and /why show one by one."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text

from storage.engine import Database
from storage.models import charges, posts

_REPEATED = text("posts.possible_repeats > 0")  # as the partial index spells it


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """Payments whose first try may have been paid too, with that money in micro-dollars; messages that may stand twice."""

    payments: int
    micro_usd: int
    messages: int

    @property
    def any(self) -> int:
        return self.payments + self.messages


async def possible_repeats(database: Database, account_id: int, since: datetime) -> Repeats:
    """Of what was paid, and of messages first wanted, since then. Comments are looked for before they are added again."""
    paid = select(func.count(), func.coalesce(func.sum(charges.c.micro_usd), 0)).where(
        charges.c.account_id == account_id, charges.c.at >= since, charges.c.possible_repeat
    )
    sent = select(func.count()).where(_REPEATED, posts.c.account_id == account_id, posts.c.created_at >= since)
    async with database.read() as connection:
        payments, micro_usd = (await connection.execute(paid)).one()
        messages = await connection.scalar(sent)
    return Repeats(payments=int(payments), micro_usd=int(micro_usd), messages=int(messages or 0))
