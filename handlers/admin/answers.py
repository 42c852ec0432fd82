"""The reads behind /status, /errors, /queue and /metrics, and what their buttons do, without a messenger."""

from datetime import UTC, datetime, time, timedelta

from domain.messages import Message
from domain.roles import Person
from handlers.admin.status import Money, Reception, Standing, code_name, errors_screen, status_screen
from handlers.admin.workings import Workings, queue_screen, workings_screen
from handlers.desk import Desk
from handlers.digests.desk import places_for
from handlers.digests.words import digest_lines
from handlers.directory.answers import status as company_status
from storage.held import count_held, drop, let_go
from storage.queries.crm_reckoning import last_crm_reckonings
from storage.queries.failures import FailureKind, failed_works, failure_kinds
from storage.queries.health import counted, dead_destinations, last_events, read_queue, spent, unknown_kinds
from storage.queries.reckoning import last_reckonings
from storage.queries.repeats import possible_repeats
from storage.queries.rhythm import usual_gaps
from storage.queries.webinar_reckoning import last_webinar_reckonings
from storage.queries.workings import accepted_kinds, finished_kinds, unfinished_kinds
from storage.schedules import ScheduleStore

MOST_AT_ONCE = 200
UNKNOWN_DAYS = 7
REPEATS_DAYS = 30
REJECTED = "rejected:"  # how counters of refused requests are named


async def status(desk: Desk, person: Person, reception: Reception | None) -> Message:
    """Everything at one look. ``reception``: what Telegram said about our updates, None if it did not answer."""
    account_id, database = person.account_id, desk.database
    reader = desk.reader(account_id, private=True)
    today = datetime.combine(reader.today, time.min, tzinfo=reader.zone).astimezone(UTC)
    month = datetime.combine(reader.today.replace(day=1), time.min, tzinfo=reader.zone).astimezone(UTC)
    standing = Standing(
        parts=await desk.health(),
        events=await last_events(database, account_id),
        rhythms=await usual_gaps(database, account_id, reader.now),
        queue=await read_queue(database, account_id, reader.now),
        reckonings=await last_reckonings(database, account_id),
        webinars=await last_webinar_reckonings(database, account_id),
        crms=await last_crm_reckonings(database, account_id),
        money=Money(
            today=await spent(database, account_id, today),
            month=await spent(database, account_id, month),
            limits=desk.limits,
        ),
        reception=reception,
        dead=await dead_destinations(database, account_id),
        unknown=await unknown_kinds(database, account_id, reader.now - timedelta(days=UNKNOWN_DAYS)),
        rejected=await _rejected(desk, reader.now),
        held=await count_held(database, account_id),
        repeats_today=await possible_repeats(database, account_id, today),
        repeats=await possible_repeats(database, account_id, reader.now - timedelta(days=REPEATS_DAYS)),
        version=desk.version,
        digests=digest_lines(reader, await ScheduleStore(database).all(account_id), await places_for(desk, person, None)),
        company=await company_status(desk, reader, person),
    )
    return status_screen(reader, standing)


async def _rejected(desk: Desk, now: datetime) -> dict[str, int]:
    first = (now - timedelta(days=UNKNOWN_DAYS - 1)).date().isoformat()
    return {name.removeprefix(REJECTED): n for name, n in (await counted(desk.database, REJECTED, first)).items()}


async def queue(desk: Desk, person: Person) -> Message:
    """What is not done yet, by kind."""
    reader = desk.reader(person.account_id, private=True)
    whole = await read_queue(desk.database, person.account_id, reader.now)
    return queue_screen(reader, whole, await unfinished_kinds(desk.database, person.account_id))


async def workings(desk: Desk, person: Person, *, days: int) -> Message:
    """How much came and how fast it was done, today (``days`` 1) or in the last seven days."""
    account_id, first = person.account_id, since(desk, person, days)
    reader = desk.reader(account_id, private=True)
    shown = Workings(
        days=days,
        up=None if desk.started_at is None else reader.now - desk.started_at,
        accepted=await accepted_kinds(desk.database, account_id, first),
        finished=await finished_kinds(desk.database, account_id, first),
        failures=sum(kind.count for kind in await failure_kinds(desk.database, account_id, first)),
    )
    return workings_screen(reader, shown)


async def settle_held(desk: Desk, person: Person, *, send: bool) -> int:
    """Send what a restore put aside, or drop it; how many messages that were."""
    settle = let_go if send else drop
    count = await settle(desk.database, person.account_id, by=person.user_id, now=desk.clock.now())
    if send and count:
        desk.wake()
    return count


async def errors(desk: Desk, person: Person, *, days: int) -> Message:
    """Failures of today (``days`` 1) or of the last seven days."""
    kinds = await failure_kinds(desk.database, person.account_id, since(desk, person, days))
    return errors_screen(desk.reader(person.account_id, private=True), kinds, await desk.health(), days=days)


def since(desk: Desk, person: Person, days: int) -> datetime:
    """The local midnight that begins the last ``days`` days, today being one of them. Aware UTC."""
    reader = desk.reader(person.account_id, private=True)
    return datetime.combine(reader.today - timedelta(days=days - 1), time.min, tzinfo=reader.zone).astimezone(UTC)


async def kind_named(desk: Desk, person: Person, name: str, *, days: int) -> FailureKind | None:
    """The kind of failure behind a button, None when nothing of it is left."""
    kinds = await failure_kinds(desk.database, person.account_id, since(desk, person, days))
    return next((kind for kind in kinds if code_name(kind.code) == name and kind.dead), None)


async def repeat(desk: Desk, person: Person, kind: FailureKind, *, days: int, limit: int) -> int:
    """Let the oldest ``limit`` works of a kind go on from where they failed; how many did."""
    works = await failed_works(desk.database, person.account_id, kind.code, since(desk, person, days), limit=limit)
    started = [await desk.replay(work.id) for work in works]
    return sum(work_id is not None for work_id in started)
