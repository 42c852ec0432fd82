"""/metrics and /queue as screens: how much comes, how fast it is done, what waits. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from domain.messages import Line, Message, Section, bullet, plain
from handlers.admin.screens import bold
from handlers.calls.screens import ANSWER, action
from handlers.wording import Reader
from storage.queries.health import Queue
from storage.queries.workings import Accepted, Finished, Unfinished

MOST_LINES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Workings:
    """Everything /metrics shows, of the last ``days``. ``up``: since the process began, None where another one works."""

    days: int
    up: timedelta | None
    accepted: Sequence[Accepted]
    finished: Sequence[Finished]
    failures: int


def workings_screen(reader: Reader, workings: Workings) -> Message:
    lead = [] if workings.up is None else [plain(reader.say("metrics.up", time=_length(reader, workings.up)))]
    failures = reader.count(workings.failures, "failure") if workings.failures else reader.say("metrics.no_failures")
    title = reader.say("metrics.title_day" if workings.days == 1 else "metrics.title_week")
    accepted = [_accepted(reader, one) for one in workings.accepted[:MOST_LINES]]
    finished = [_finished(reader, one) for one in workings.finished[:MOST_LINES]]
    nothing = [plain(reader.say("metrics.nothing"))]
    sections = (
        Section(title=bold(title), lines=tuple(lead)),
        Section(title=bold(reader.say("metrics.accepted")), lines=tuple(accepted or nothing)),
        Section(title=bold(reader.say("metrics.finished")), lines=tuple(finished or nothing)),
        Section(title=bold(reader.say("metrics.failures")), lines=(plain(failures),)),
    )
    switch = action(
        reader.say("errors.other_day" if workings.days == 1 else "errors.other_week"),
        f"metrics:{7 if workings.days == 1 else 1}",
    )
    return Message(key=ANSWER, sections=sections, buttons=((switch,), (action(reader.say("metrics.errors"), "errors:1"),)))


def queue_screen(reader: Reader, queue: Queue, kinds: Sequence[Unfinished]) -> Message:
    lines = [_unfinished(reader, one) for one in kinds[:MOST_LINES]]
    whole = [plain(reader.say("status.queue_line", waiting=queue.waiting, ready=queue.ready, running=queue.running))]
    if queue.late:
        whole.append(plain(reader.say("status.queue_late", count=queue.late)))
    if queue.posts:
        whole.append(plain(reader.say("status.queue_posts", count=queue.posts)))
    sections = (
        Section(title=bold(reader.say("queue.title")), lines=tuple(whole)),
        Section(lines=tuple(lines or [plain(reader.say("queue.empty"))])),
    )
    rows = [(action(reader.say("queue.again"), "queue:"),)]
    if queue.dead:
        rows.append((action(reader.say("metrics.errors"), "errors:7"),))
    return Message(key=ANSWER, sections=sections, buttons=tuple(rows))


def _accepted(reader: Reader, one: Accepted) -> Line:
    return bullet(reader.say("metrics.accepted_line", vendor=reader.vendor(one.vendor), kind=one.kind, count=one.count))


def _finished(reader: Reader, one: Finished) -> Line:
    usual, slow = (reader.took(seconds * 1000) for seconds in (one.usual_s, one.slow_s))
    kind = reader.one_of("work", one.kind, kind=one.kind)
    return bullet(reader.say("metrics.finished_line", kind=kind, count=one.count, usual=usual, slow=slow))


def _unfinished(reader: Reader, one: Unfinished) -> Line:
    parts = [
        reader.say(f"queue.{name}", count=count)
        for name, count in (("ready", one.ready), ("running", one.running), ("dead", one.dead))
        if count
    ]
    if one.due_at is not None and one.due_at > reader.now:
        parts.append(reader.say("queue.due", when=reader.moment(one.due_at)))
    return bullet(f"{reader.one_of('work', one.kind, kind=one.kind)}: {', '.join(parts)}")


def _length(reader: Reader, span: timedelta) -> str:
    """«3 часа 12 минут»: the two largest that there are."""
    minutes = int(span.total_seconds()) // 60
    sizes = ((minutes // 1440, "day"), (minutes // 60 % 24, "hour"), (minutes % 60, "minute"))
    told = [reader.count(number, noun) for number, noun in sizes if number]
    return " ".join(told[:2]) or reader.count(0, "minute")
