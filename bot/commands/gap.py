"""The time between a backup and its restore: what a vendor lists from it was worked on then, and is written down as done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.commands.ground import bare_workshop
from bot.http.ingress import seed_of
from bot.settings import Settings
from bot.vendors import VENDORS
from domain.calls import CallFacts
from domain.errors import ConfigError, VendorError
from domain.events import CallEnded
from domain.people import phone_key
from domain.ports import CallJournal, Tx
from integrations.kit.vendor import Ports, Vendor
from storage.arrivals import WorkSeed
from storage.bulk import insert_work, new_work
from storage.calls import CallKey, CallStore
from storage.engine import Database
from storage.models import connections, work
from storage.models.core import RESTORED

LOOK_BACK = timedelta(hours=72)  # further than the daily reconciliation will ever look


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """``known``: how many events of the vendor were new to the restored data; None: the vendor did not answer."""

    title: str
    known: int | None


async def close_gaps(settings: Settings, database: Database, now: datetime) -> tuple[Gap, ...]:
    """Ask each configured vendor that keeps a list. Nothing is worked on; nothing is written but in our database."""
    gaps = []
    for vendor in VENDORS:
        ports = _ports(settings, vendor)
        if ports is None:
            continue
        try:
            if ports.journal is not None:
                gaps.append(await _close(database, vendor, ports.journal, now))
        finally:
            await ports.close()
    return tuple(gaps)


async def _close(database: Database, vendor: Vendor[Any], journal: CallJournal, now: datetime) -> Gap:
    try:
        # in this order: a call that ends between the two is found by the reconciliation, late but not lost
        events = await journal.calls_between(now - LOOK_BACK, now + timedelta(hours=1))
        cursor = await journal.newest_cursor()
    except VendorError:
        return Gap(title=vendor.title, known=None)
    return Gap(title=vendor.title, known=await _write_down(database, vendor.name, events, cursor, now))


async def _write_down(database: Database, name: str, events: Sequence[CallEnded], cursor: str, now: datetime) -> int:
    """Events without work get one that is done, and their calls a row; the poll goes on after them. How many there were."""
    bulk, store = insert_work(database), CallStore(database)

    async def job(connection: AsyncConnection) -> int:
        added = 0
        for row in (await connection.execute(select(connections).where(connections.c.vendor == name))).all():
            for event in events:
                if await bulk.run(connection, [_work(database, row.account_id, seed_of(event), now)]):
                    await _register(store, connection, row.account_id, event, now)
                    added += 1
            mine = connections.c.id == row.id
            await connection.execute(update(connections).where(mine).values(cursor=cursor, polled_at=now))
        fresh = (work.c.source == RESTORED) & (work.c.state == "ready")
        await connection.execute(update(work).where(fresh).values(state="done", error_code=RESTORED, finished_at=now))
        return added

    return await database.write(job)


async def _register(store: CallStore, connection: AsyncConnection, account_id: int, event: CallEnded, now: datetime) -> None:
    """The call as the list has it, with no card: it shows in /calls and can be repeated from /why."""
    facts = CallFacts(
        call_id=event.external_id,
        vendor_row_id="",
        direction=event.direction,
        outcome=event.outcome,
        failed_code=event.failed_code,
        client_phone=event.client_phone,
        line=event.line,
        employee_id=event.employee_id,
        started_at=event.occurred_at or now,
        duration_s=event.duration_s,
        activity_id=event.activity_id,
    )
    await store.register(
        cast("Tx", connection),
        CallKey(account_id=account_id, vendor=event.vendor, call_id=event.external_id),
        facts,
        phone_key=phone_key(event.client_phone) or "",
        state="old",
        heard_at=now,
        delivery_id=None,
        rehearsal=False,
    )


def _work(database: Database, account_id: int, seed: WorkSeed, now: datetime) -> dict[str, object]:
    return new_work(
        database,
        account_id=account_id,
        kind=seed.kind,
        object_=seed.object,
        payload=seed.payload,
        source=RESTORED,
        delivery_id=None,
        now=now,
    )


def _ports(settings: Settings, vendor: Vendor[Any]) -> Ports | None:
    """None for a vendor that is off or wrongly set: a restore must not fail because of it."""
    try:
        own = vendor.read_settings(settings.env)
    except ConfigError:
        return None
    if own is None or vendor.build_ports is None:
        return None
    return vendor.build_ports(own, bare_workshop(settings))
