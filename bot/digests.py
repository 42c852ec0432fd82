"""Digests joined to the process: what they are told with, and the tick that makes work of the slots that are due."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.http.ingress import seed_of
from bot.settings import Settings
from bot.vendors import VENDORS
from domain.digests import DigestKind, DigestPart
from domain.events import DigestDue
from domain.messages import Destination, Message, Texts
from domain.ports import Clock, Steps, Tx
from domain.schedules import LATE_AFTER, SENDER, Due, Schedule, settle
from domain.work import WorkItem
from handlers.digests.content import DigestFacts, DigestSources, digest_card, digest_picture, gather
from handlers.digests.pipeline import send_digest
from handlers.digests.services import DigestServices, Drawn, Gather, Told
from handlers.wording import Reader
from storage.engine import Database
from storage.people import People
from storage.posts import StoredChat
from storage.schedules import ScheduleStore
from storage.work import add_work

ALIVE_EVERY = timedelta(minutes=1)

Run = Callable[[WorkItem[Any], Steps], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """A digest's facts with the ways to show them."""

    facts: DigestFacts

    def card(self, reader: Reader, *, full: bool, late_since: datetime | None, key: str) -> Message:
        return digest_card(self.facts, reader, full=full, late_since=late_since, key=key)

    def picture(self, reader: Reader) -> Drawn | None:
        return digest_picture(self.facts, reader)


def build_gather(sources: DigestSources, zone: ZoneInfo) -> Gather:
    """``zone``: the account's, by whose days every other figure is counted too, whatever clocks a schedule goes by."""

    async def gather_all(
        account_id: int, *, kind: DigestKind, parts: frozenset[DigestPart], now: datetime, webinar_id: int = 0,
        so_far: bool = False,
    ) -> Told:  # fmt: skip
        facts = await gather(
            sources, account_id, kind=kind, parts=parts, now=now, zone=zone, webinar_id=webinar_id, so_far=so_far
        )
        return _Told(facts=facts)

    return gather_all


def build_digest_services(
    settings: Settings, database: Database, chat: StoredChat, clock: Clock, *, texts: Texts,
    quiet_before: datetime | None, run_cpu: Callable[[Callable[[], object]], Awaitable[object]],
    posted: Callable[[], None],
) -> DigestServices:  # fmt: skip
    people = People(database, clock)

    async def admins(account_id: int) -> Sequence[Destination]:
        return [Destination(chat_id=person.telegram_id) for person in await people.admins(account_id)]

    sources = DigestSources(
        database=database,
        default_short_s=settings.call_min_duration_s,
        short_fixed=settings.min_duration_fixed,
    )
    return DigestServices(
        schedules=ScheduleStore(database),
        gather=build_gather(sources, settings.timezone),
        chat=chat,
        clock=clock,
        texts=texts,
        timezone=settings.timezone,
        data_dir=settings.data_dir,
        catchup_max_age=max(settings.catchup_max_age, LATE_AFTER),  # shorter than the clock is looked at, none would come
        quiet_before=quiet_before,
        admins=admins,
        run_cpu=run_cpu,
        posted=posted,
        vendors={vendor.name: vendor.title for vendor in VENDORS},
    )


def digest_runs(services: DigestServices) -> Mapping[str, Run]:
    async def digest(item: WorkItem[Any], steps: Steps) -> None:
        await send_digest(item, steps, services)

    return {"digest": digest}


def webinar_digests(database: Database, clock: Clock) -> Callable[[Tx, int, int], Awaitable[int]]:
    """Makes work of every schedule that waits for a webinar's report, once for each webinar; how many."""

    async def plan(tx: Tx, account_id: int, webinar_id: int) -> int:
        connection, now, begun = cast("AsyncConnection", tx), clock.now(), 0
        for schedule in await ScheduleStore(database).of_webinars(tx, account_id):
            event = DigestDue(
                vendor=SENDER, external_id=f"{schedule.id}:webinar:{webinar_id}", occurred_at=now, schedule_id=schedule.id,
                webinar_id=webinar_id,
            )  # fmt: skip
            begun += await add_digest(connection, account_id, event, now)
        return begun

    return plan


async def begin_due(database: Database, account_id: int, services: DigestServices) -> int:
    """Make work of every slot that is due, once for each; how many. Slots past CATCHUP_MAX_AGE are counted and not sent."""
    store, now = ScheduleStore(database), services.clock.now()
    found, alive = await store.watched(account_id)
    watched = [one for one in found if one.by_the_clock and one.active]
    dues = [(one, due) for one in watched if (due := _due(one, services, now)) is not None]
    unseen = alive is None or not timedelta() <= now - alive < ALIVE_EVERY
    if not dues and not (watched and unseen):
        return 0

    async def job(connection: AsyncConnection) -> int:
        await store.watching(cast("Tx", connection), now)
        return sum([await _begin(connection, store, one, due, now=now, alive=alive) for one, due in dues])

    return await database.write(job)


def _due(schedule: Schedule, services: DigestServices, now: datetime) -> Due | None:
    quiet = services.quiet_before
    since = schedule.handled_at if quiet is None else max(schedule.handled_at, quiet)
    oldest = now - services.catchup_max_age
    return settle(schedule.timetable(services.timezone), handled_at=since, now=now, oldest=oldest)


async def _begin(
    connection: AsyncConnection, store: ScheduleStore, schedule: Schedule, due: Due, *, now: datetime, alive: datetime | None
) -> bool:
    """The slot is settled and its work is there in one commit; False where there is none, or it is known already."""
    if not await store.settle(cast("Tx", connection), schedule, due) or due.slot is None:
        return False
    slot = due.slot
    late = now - slot.moment > LATE_AFTER and alive is not None and alive < slot.moment
    event = DigestDue(
        vendor=SENDER,
        external_id=f"{schedule.id}:{slot.key}",
        occurred_at=slot.moment,
        schedule_id=schedule.id,
        late_since=alive if late else None,
    )
    return await add_digest(connection, schedule.account_id, event, now)


async def add_digest(connection: AsyncConnection, account_id: int, event: DigestDue, now: datetime) -> bool:
    """False when this very digest is, or was, at work."""
    seed = seed_of(event)
    return await add_work(
        connection, account_id=account_id, kind=seed.kind, object_=seed.object, payload=seed.payload, source="tick", now=now
    )
