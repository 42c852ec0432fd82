"""Is everything all right, and if not, what to press: /status and /errors as screens. Pure functions."""

import calendar
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.duration import show_roughly
from domain.messages import Button, Line, Message, Section, Span, Style, bullet, plain
from handlers.admin.reckoning import reckoning_lines, redo_rows
from handlers.admin.screens import bold
from handlers.calls.screens import ANSWER, action
from handlers.desk import MoneyLimits, PartHealth, PartState
from handlers.wording import Reader, shortened
from storage.queries.crm_reckoning import CrmReckoning
from storage.queries.failures import FailureKind
from storage.queries.health import DeadDestination, LastEvent, Queue, UnknownKind
from storage.queries.reckoning import Reckoning
from storage.queries.repeats import Repeats
from storage.queries.webinar_reckoning import WebinarReckoning

MOST_KINDS = 6
MOST_BUTTONS = 3
ERROR_LIMIT = 160
_MARKS = {PartState.OK: "✅", PartState.DOWN: "⚠️", PartState.REFUSED: "❌", PartState.OFF: "▫️", PartState.UNKNOWN: "▫️"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """How Telegram says our updates come. ``webhook`` empty: by polling. ``pending`` updates wait at Telegram."""

    webhook: str = ""
    pending: int = 0
    error: str = ""
    error_at: datetime | None = None
    inline: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Spent in micro-dollars."""

    today: int
    month: int
    limits: MoneyLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Everything /status shows. ``reception`` is None when Telegram did not answer the question.

    ``rhythms``: how often each vendor usually speaks. ``rejected``: requests refused in seven days by the name of the
    reason. ``held``: messages put aside by a restore. ``repeats``: of thirty days. ``digests``: what comes
    next and what cannot, in words; ``company``: the same of its houses and people.
    """

    parts: Sequence[PartHealth]
    events: Sequence[LastEvent]
    rhythms: Mapping[str, timedelta]
    queue: Queue
    reckonings: Sequence[Reckoning]
    webinars: Sequence[WebinarReckoning]
    crms: Sequence[CrmReckoning]
    money: Money
    reception: Reception | None
    dead: Sequence[DeadDestination]
    unknown: Sequence[UnknownKind]
    rejected: Mapping[str, int]
    held: int
    repeats_today: Repeats
    repeats: Repeats
    version: str
    digests: Sequence[str] = ()
    company: Sequence[str] = ()


def status_screen(reader: Reader, standing: Standing) -> Message:
    """Trouble first in words, then part by part."""
    sections = (
        Section(title=bold(reader.say("status.title")), lines=tuple(_parts(reader, standing))),
        Section(title=bold(reader.say("status.events")), lines=tuple(_events(reader, standing)), weight=2),
        Section(title=bold(reader.say("status.queue")), lines=tuple(_queue(reader, standing.queue, standing.held))),
        _titled(reader, "status.reckoning", _reckoned(reader, standing)),
        _titled(reader, "digest.title", [bullet(line) for line in standing.digests]),
        _titled(reader, "directory.status_title", [bullet(line) for line in standing.company]),
        Section(title=bold(reader.say("status.money")), lines=tuple(_money(reader, standing.money))),
        Section(lines=tuple(_repeats(reader, standing)), weight=2),
        Section(title=bold(reader.say("status.telegram")), lines=tuple(_reception(reader, standing.reception))),
        _titled(reader, "status.dead", [_dead(reader, place) for place in standing.dead]),
        _titled(reader, "status.unknown", [_unknown(reader, kind) for kind in standing.unknown[:MOST_KINDS]]),
        _titled(reader, "status.rejected_title", [_rejected(reader, *one) for one in standing.rejected.items()]),
        Section(lines=(Line(spans=(Span(reader.say("status.version", version=standing.version), Style.ITALIC),)),)),
    )
    told = tuple(section for section in sections if section.lines)
    rows = (*_held_rows(reader, standing.held), *redo_rows(reader, standing.webinars))
    if len(rows) < MOST_BUTTONS:
        rows += ((action(reader.say("checks.button"), "check:"),),)
    return Message(key=ANSWER, sections=told, buttons=rows)


def _held_rows(reader: Reader, held: int) -> Iterator[tuple[Button, ...]]:
    """What may be done about messages put aside: each asks once more."""
    if held:
        yield (action(reader.say("status.held_send", count=held), "held:send"),)
        yield (action(reader.say("status.held_drop", count=held), "held:drop"),)


def _titled(reader: Reader, title: str, lines: Sequence[Line]) -> Section:
    return Section(title=bold(reader.say(title)), lines=tuple(lines), weight=3)


def _parts(reader: Reader, standing: Standing) -> Iterator[Line]:
    bad = [part for part in standing.parts if part.state in {PartState.DOWN, PartState.REFUSED}]
    unread = any(one.failed for one in standing.webinars)
    troubles = len(bad) + len(standing.dead) + bool(standing.queue.dead) + bool(standing.held) + unread
    yield plain(reader.say("status.trouble", count=troubles) if troubles else reader.say("status.all_good"))
    for part in standing.parts:
        yield plain(f"{_MARKS[part.state]} {_part(reader, part)}")
        if part.hint:
            yield plain(reader.say("errors.vendor_press", hint=part.hint))
        elif part.detail:
            yield plain(part.detail)


def _part(reader: Reader, part: PartHealth) -> str:
    state = reader.say(f"status.state.{part.state}")
    if part.since is None or part.state in {PartState.OK, PartState.OFF}:
        return reader.say("status.part", title=part.title, state=state)
    return reader.say("status.part_since", title=part.title, state=state, ago=reader.moment(part.since))


def _events(reader: Reader, standing: Standing) -> Iterator[Line]:
    if not standing.events:
        yield plain(reader.say("status.no_events"))
    for event in standing.events:
        heard, polled = reader.ago(event.heard_at), reader.ago(event.polled_at)
        if (usual := standing.rhythms.get(event.vendor)) is not None:
            heard = reader.say("status.event_usual", heard=heard, usual=show_roughly(usual))
        yield bullet(reader.say("status.event", vendor=reader.vendor(event.vendor), heard=heard, polled=polled))


def _queue(reader: Reader, queue: Queue, held: int) -> Iterator[Line]:
    yield bullet(reader.say("status.queue_line", waiting=queue.waiting, ready=queue.ready, running=queue.running))
    if queue.next_due is not None:
        yield bullet(reader.say("status.queue_next", when=reader.moment(queue.next_due)))
    if queue.late:
        yield bullet(reader.say("status.queue_late", count=queue.late))
    if queue.posts:
        yield bullet(reader.say("status.queue_posts", count=reader.count(queue.posts, "message")))
    if queue.dead:
        yield bullet(reader.say("status.queue_dead", count=queue.dead))
    if held:
        yield bullet(reader.say("status.held", count=reader.count(held, "message")))


def _reckoned(reader: Reader, standing: Standing) -> list[Line]:
    return [bullet(line) for line in reckoning_lines(reader, standing.reckonings, standing.webinars, standing.crms)]


def _money(reader: Reader, money: Money) -> Iterator[Line]:
    limits = money.limits
    today = {"spent": reader.dollars(money.today)}
    if limits.day is None:
        yield bullet(reader.say("status.money_today", **today))
    else:
        yield bullet(reader.say("status.money_today_limit", limit=reader.dollars(limits.day), **today))
    month = {"spent": reader.dollars(money.month), "forecast": reader.dollars(month_forecast(reader, money.month))}
    if limits.month is None:
        yield bullet(reader.say("status.money_month", **month))
    else:
        yield bullet(reader.say("status.money_month_limit", limit=reader.dollars(limits.month), **month))


def _repeats(reader: Reader, standing: Standing) -> Iterator[Line]:
    """What may have been paid or sent twice; nothing is said where there is none."""
    repeats = standing.repeats
    if not repeats.any:
        return
    payments, messages = reader.count(repeats.payments, "payment"), reader.count(repeats.messages, "message")
    figures = {"today": standing.repeats_today.any, "payments": payments, "messages": messages}
    yield plain(reader.say("status.repeats", spent=reader.dollars(repeats.micro_usd), **figures))


def month_forecast(reader: Reader, spent: int) -> int:
    """This month's sum if it goes on as it went: by the part of the month that has passed, a day at least."""
    local = reader.now.astimezone(reader.zone)
    days = calendar.monthrange(local.year, local.month)[1]
    passed = max(local.day - 1 + (local.hour * 60 + local.minute) / 1440, 1.0)
    return round(spent / passed * days)


def _reception(reader: Reader, reception: Reception | None) -> Iterator[Line]:
    if reception is None:
        yield bullet(reader.say("status.telegram_unknown"))
        return
    yield bullet(reader.say("status.telegram_webhook" if reception.webhook else "status.telegram_polling"))
    if reception.pending:
        yield bullet(reader.say("status.telegram_pending", count=reader.count(reception.pending, "update")))
    if reception.error:
        ago = reader.ago(reception.error_at)
        yield bullet(reader.say("status.telegram_error", ago=ago, error=shortened(reception.error, ERROR_LIMIT)))
    if not reception.inline:
        yield bullet(reader.say("status.inline_off"))


def _dead(reader: Reader, place: DeadDestination) -> Line:
    title = place.title or reader.say("status.unnamed_chat", chat=place.chat_id)
    return bullet(reader.say("status.dead_line", title=title, error=shortened(place.error, ERROR_LIMIT)))


def _unknown(reader: Reader, kind: UnknownKind) -> Line:
    return bullet(
        reader.say(
            "status.unknown_line",
            vendor=reader.vendor(kind.vendor),
            kind=kind.kind,
            count=kind.count,
            ago=reader.ago(kind.last_at),
        )
    )


def _rejected(reader: Reader, reason: str, count: int) -> Line:
    why = reader.one_of("status.rejected", reason, reason=reason)
    return bullet(reader.say("status.rejected_line", reason=why, count=count))


def errors_screen(reader: Reader, kinds: Sequence[FailureKind], parts: Sequence[PartHealth], *, days: int) -> Message:
    """Failures by kind: what happened, whose it is, what to press. ``days`` is 1 or 7."""
    title = Section(title=bold(reader.say("errors.title_day" if days == 1 else "errors.title_week")))
    if not kinds:
        title = Section(title=title.title, lines=(plain(reader.say("errors.none")),))
    shown = kinds[:MOST_KINDS]
    rows = [row for number, kind in enumerate(shown, 1) if (row := _repeat_row(reader, kind, number, days, len(shown)))]
    switch = action(reader.say("errors.other_day" if days == 1 else "errors.other_week"), f"errors:{7 if days == 1 else 1}")
    sections = [_failure(reader, kind, parts, number, len(shown)) for number, kind in enumerate(shown, 1)]
    return Message(key=ANSWER, sections=(title, *sections), buttons=(*rows, (switch,)))


def _failure(reader: Reader, kind: FailureKind, parts: Sequence[PartHealth], number: int, of: int) -> Section:
    what = reader.one_of("errors.what", kind.code, code=kind.code)
    lead = f"{number}. " if of > 1 else ""
    hint = hint_for(kind, parts)
    press = (
        reader.say("errors.vendor_press", hint=hint)
        if hint
        else reader.say("errors.press_line", press=reader.one_of("errors.press", kind.code))
    )
    lines = (
        plain(reader.say("errors.counts", dead=kind.dead, trying=kind.trying, ago=reader.ago(kind.last_at))),
        plain(reader.say("errors.last", error=shortened(kind.error or kind.code, ERROR_LIMIT))),
        plain(reader.say("errors.whose_line", whose=reader.one_of("errors.whose", kind.code))),
        plain(press),
    )
    title = reader.say("errors.kind", title=what, count=reader.count(kind.count, "failure"))
    return Section(title=bold(lead + title), lines=lines)


def hint_for(kind: FailureKind, parts: Sequence[PartHealth]) -> str:
    """The cure the vendor's part knows for this very refusal."""
    return next((part.hint for part in parts if part.hint and part.detail == kind.code), "")


def _repeat_row(reader: Reader, kind: FailureKind, number: int, days: int, of: int) -> tuple[Button, ...]:
    if not kind.dead:
        return ()
    lead = f"{number}. " if of > 1 else ""
    one = action(lead + reader.say("errors.one"), f"one:{code_name(kind.code)}:{days}")
    if kind.dead == 1:
        return (one,)
    return (one, action(lead + reader.say("errors.all", count=kind.dead), f"all:{code_name(kind.code)}:{days}"))


def code_name(code: str) -> str:
    """A short name of an error code for a button, which holds 60 bytes."""
    return hashlib.sha256(code.encode()).hexdigest()[:12]
