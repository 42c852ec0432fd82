"""What the team wants to happen when somebody registers: kept per page, carried out once for each registration."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.ports import Tx
from domain.roles import Person
from domain.webinars import ALL_PAGES, PageId, Reaction, Rule
from storage.engine import Database
from storage.models import audit, leads, registration_rules, registrations
from storage.upsert import upsert

STATUSES_LOOKED_AT = 50_000  # leads: the newest of them know the words that are in use


class RuleStore:
    """Rules of all accounts. A page's own rule takes the place of the one for all pages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, account_id: int) -> list[Rule]:
        """The one for all pages first."""
        mine = select(registration_rules).where(registration_rules.c.account_id == account_id)
        async with self._database.read() as connection:
            rows = await connection.execute(mine.order_by(registration_rules.c.page_id))
            return [_rule(row) for row in rows]

    async def find(self, account_id: int, page_id: PageId) -> Rule:
        """This very page's, an empty one where it has none."""
        async with self._database.read() as connection:
            return await _of_page(connection, account_id, page_id) or Rule(page_id=page_id)

    async def keep(self, by: Person, rule: Rule, now: datetime) -> None:
        values = {"message": rule.message, "status": rule.status, "changed_by": by.telegram_id, "changed_at": now}
        key = {"account_id": by.account_id, "page_id": rule.page_id}
        row = upsert(self._database, registration_rules).values(**key, **values)

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(row.on_conflict_do_update(index_elements=list(key), set_=values))
            await _note(connection, by, f"{rule.page_id or '*'}: status={rule.status!r} message={bool(rule.message)}", now)

        await self._database.write(job)

    async def drop(self, by: Person, page_id: PageId, now: datetime) -> None:
        """The page follows the rule for all pages again."""
        mine = (registration_rules.c.account_id == by.account_id) & (registration_rules.c.page_id == page_id)

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(delete(registration_rules).where(mine))
            await _note(connection, by, f"{page_id or '*'}: dropped", now)

        await self._database.write(job)

    async def statuses(self, account_id: int, *, limit: int) -> list[str]:
        """What leads are said to be, the most frequent first, of the newest leads."""
        newest = select(leads.c.status).where(leads.c.account_id == account_id, leads.c.deleted_at.is_(None))
        some = newest.order_by(leads.c.created_at.desc()).limit(STATUSES_LOOKED_AT).subquery()
        counted = select(some.c.status).where(some.c.status != "").group_by(some.c.status)
        async with self._database.read() as connection:
            found = await connection.scalars(counted.order_by(func.count().desc(), some.c.status).limit(limit))
            return list(found)

    async def carry_out(self, tx: Tx, account_id: int, registration_id: int, *, now: datetime) -> Reaction:
        """Whoever is first for this registration gets what is to happen; their lead has its new status in the same write.

        The lead's own time of change stays: what its source tells next still counts.
        """
        connection = cast("AsyncConnection", tx)
        mine = (registrations.c.account_id == account_id) & (registrations.c.id == registration_id)
        first = update(registrations).where(mine, registrations.c.reacted_at.is_(None)).values(reacted_at=now)
        one = first.returning(registrations.c.sublist_id, registrations.c.lead_id)
        claimed = (await connection.execute(one)).one_or_none()
        if claimed is None:
            return Reaction()
        rule = await _of_page(connection, account_id, claimed.sublist_id) or await _of_page(
            connection, account_id, ALL_PAGES
        )
        if rule is None:
            return Reaction()
        lead = await _move(connection, account_id, claimed.lead_id, rule.status, now) if rule.status else None
        if lead is None:
            return Reaction(message=rule.message)
        return Reaction(message=rule.message, status=rule.status, source=lead.source, lead=lead.external_id)


async def _move(connection: AsyncConnection, account_id: int, lead_id: int | None, status: str, now: datetime) -> Any:
    """The lead where it was moved, None where it is there already or there is none.

    In which stage that is, its CRM will tell.
    """
    mine = (leads.c.account_id == account_id) & (leads.c.id == lead_id) & leads.c.deleted_at.is_(None)
    moved = update(leads).where(mine, leads.c.status != status).values(status=status, status_id="")
    row = (await connection.execute(moved.returning(leads.c.source, leads.c.external_id))).one_or_none()
    if row is not None:
        note = {"account_id": account_id, "at": now, "action": "lead_status", "detail": f"lead {lead_id}: {status}"}
        await connection.execute(insert(audit).values(**note))
    return row


async def _of_page(connection: AsyncConnection, account_id: int, page_id: str) -> Rule | None:
    mine = (registration_rules.c.account_id == account_id) & (registration_rules.c.page_id == page_id)
    row = (await connection.execute(select(registration_rules).where(mine))).one_or_none()
    return _rule(row) if row is not None else None


async def _note(connection: AsyncConnection, by: Person, detail: str, now: datetime) -> None:
    note = {"account_id": by.account_id, "at": now, "actor": by.telegram_id, "action": "registration_rule", "detail": detail}
    await connection.execute(insert(audit).values(**note))


def _rule(row: Any) -> Rule:
    return Rule(page_id=PageId(row.page_id), message=row.message, status=row.status)
