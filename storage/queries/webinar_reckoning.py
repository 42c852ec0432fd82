"""The proof that no webinar is lost: the reports a platform made in a day against what became of each of them here."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.webinars import WebinarReport
from storage.codec import dumps, loads
from storage.engine import Database
from storage.models import notices, webinars, work, work_steps
from storage.upsert import upsert

HOOK, POLL, WAITING, SKIPPED, UNREAD = "hook", "poll", "waiting", "skipped", "unread"
MOST_NAMED = 20  # reports that could not be read
_KIND, _COMPLETE, _SORT = "webinar", "complete", "sort"  # the step that says whether there is a card
_CHUNK = 500  # ids in one statement


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadReport:
    """A report that is there and could not be read; ``work_id`` is the work that can be done again."""

    title: str
    started_at: datetime | None
    work_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WebinarReckoning:
    """``listed`` = ``hook`` + ``poll`` + ``waiting`` + ``skipped`` + ``failed``. ``at`` aware UTC.

    ``hook``: read, and an event told us of them; ``poll``: read, found by asking; ``skipped``: stored without a card, too
    old. ``unread`` names those that ``failed`` counts, the first of them. ``found`` had no work until this very reckoning.
    """

    vendor: str
    at: datetime
    listed: int = 0
    hook: int = 0
    poll: int = 0
    waiting: int = 0
    skipped: int = 0
    failed: int = 0
    found: int = 0
    unread: tuple[UnreadReport, ...] = ()


async def reckon_webinars(
    database: Database, account_id: int, vendor: str, reports: Sequence[WebinarReport], *, now: datetime, found: int
) -> WebinarReckoning:
    """What became of these reports; one that has no work yet is waiting."""
    counts: Counter[str] = Counter()
    unread: list[UnreadReport] = []
    for start in range(0, len(reports), _CHUNK):
        some = reports[start : start + _CHUNK]
        async with database.read() as connection:
            works = await _works(connection, account_id, vendor, [one.external_id for one in some])
            read = await _read(connection, account_id, vendor, [one.external_id for one in some])
            quiet = await _quiet(connection, [row.id for rows in works.values() for row in rows])
        for one in some:
            rows = works.get(one.external_id, [])
            fate = _fate(rows, read=one.external_id in read, quiet=quiet)
            counts[fate] += 1
            if fate == UNREAD:
                title = one.title or one.external_id
                unread.append(UnreadReport(title=title, started_at=one.started_at, work_id=rows[-1].id))
    return WebinarReckoning(
        vendor=vendor,
        at=now,
        listed=len(reports),
        hook=counts[HOOK],
        poll=counts[POLL],
        waiting=counts[WAITING],
        skipped=counts[SKIPPED],
        failed=counts[UNREAD],
        found=found,
        unread=tuple(unread[:MOST_NAMED]),
    )


def _fate(rows: Sequence[Any], *, read: bool, quiet: Mapping[int, bool]) -> str:
    """By its works, the oldest first: the first says who told of it, the newest how it ended."""
    if not rows or rows[-1].state in {"ready", "running"}:
        return WAITING
    if rows[-1].state == "dead" or not read:
        return UNREAD
    sorts = [quiet[row.id] for row in rows if row.id in quiet]
    if sorts and all(sorts):
        return SKIPPED
    return POLL if rows[0].source == POLL else HOOK


async def _works(connection: AsyncConnection, account_id: int, vendor: str, ids: Iterable[str]) -> dict[str, list[Any]]:
    objects = [f"{vendor}:{one}" for one in ids]
    mine = (work.c.account_id == account_id) & (work.c.kind == _KIND) & work.c.object.in_(objects)
    statement = select(work.c.object, work.c.id, work.c.state, work.c.source).where(mine).order_by(work.c.generation)
    found: dict[str, list[Any]] = {}
    for row in await connection.execute(statement):
        found.setdefault(row.object.removeprefix(f"{vendor}:"), []).append(row)
    return found


async def _read(connection: AsyncConnection, account_id: int, vendor: str, ids: Sequence[str]) -> set[str]:
    mine = (webinars.c.account_id == account_id) & (webinars.c.vendor == vendor) & webinars.c.external_id.in_(ids)
    return set(await connection.scalars(select(webinars.c.external_id).where(mine, webinars.c.state == _COMPLETE)))


async def _quiet(connection: AsyncConnection, work_ids: Sequence[int]) -> dict[int, bool]:
    """Which of these works were to show no card; those that have not come so far are left out."""
    found: dict[int, bool] = {}
    for start in range(0, len(work_ids), _CHUNK):
        some = work_steps.c.work_id.in_(work_ids[start : start + _CHUNK])
        steps = select(work_steps.c.work_id, work_steps.c.result).where(some, work_steps.c.name == _SORT)
        found |= {row.work_id: row.result == "true" for row in await connection.execute(steps)}
    return found


async def keep_webinar_reckoning(database: Database, account_id: int, reckoning: WebinarReckoning) -> None:
    """The newest one of a platform is kept."""
    values = {"active": True, "since": reckoning.at, "detail": dumps(WebinarReckoning, reckoning)}
    row = upsert(database, notices).values(key=_key(account_id, reckoning.vendor), **values)

    async def job(connection: AsyncConnection) -> None:
        await connection.execute(row.on_conflict_do_update(index_elements=["key"], set_=values))

    await database.write(job)


async def last_webinar_reckonings(database: Database, account_id: int) -> tuple[WebinarReckoning, ...]:
    """The newest of each platform, by its name. A handful of rows."""
    statement = select(notices.c.detail).where(notices.c.key.startswith(_key(account_id, ""))).order_by(notices.c.key)
    async with database.read() as connection:
        return tuple(loads(WebinarReckoning, detail) for detail in await connection.scalars(statement))


def _key(account_id: int, vendor: str) -> str:
    return f"webinars:{account_id}:{vendor}"
