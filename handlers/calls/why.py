"""The journal of one call as people read it: every step with its time and price, and what is waited for. Pure functions."""

from collections.abc import Iterator

from domain.duration import show_duration
from domain.messages import Button, Line, Message, Section, Span, Style, plain
from handlers.calls.screens import ANSWER, action, reason_of, what_kind, who_talked
from handlers.wording import Reader
from storage.queries.call import CallDetail
from storage.queries.journal import ChargeLine, Journal, StepLine, WorkLine

MOST_STEPS = 30
_PAID_STEPS = {"transcribe": "stt", "summarise": "llm"}


def why_screen(
    reader: Reader, journal: Journal, *, call: CallDetail | None, call_id: str, min_duration_s: int, may_repeat: bool
) -> Message:
    """What happened to a call. ``call`` is None while the telephony has not listed it yet."""
    latest = journal.latest
    sections = [_header(reader, call, call_id, min_duration_s)]
    if latest is None:
        sections.append(Section(lines=(plain(reader.say("why.no_work")),)))
    else:
        sections.append(Section(lines=tuple(_where_it_stands(reader, latest, may_repeat=may_repeat))))
        sections.append(_steps(reader, latest, journal.charges))
    sections.append(Section(lines=tuple(_sums(reader, journal))))
    sections.append(Section(lines=(Line(spans=(Span(reader.say("why.event_id")), Span(call_id, Style.CODE))),)))
    return Message(
        key=ANSWER, sections=tuple(s for s in sections if s.lines or s.title), buttons=_buttons(reader, latest, may_repeat)
    )


def _header(reader: Reader, call: CallDetail | None, call_id: str, min_duration_s: int) -> Section:
    if call is None:
        return Section(title=_bold(reader.say("why.title_unlisted", call_id=call_id)))
    lines = [
        Line(spans=(reader.moment_span(call.started_at), Span(f" · {what_kind(reader, call)}"))),
        plain(who_talked(reader, call)),
        plain(reader.say("why.outcome", reason=_outcome(reader, call, min_duration_s))),
    ]
    return Section(title=_bold(reader.say("why.title", id=call.id)), lines=tuple(lines))


def _outcome(reader: Reader, call: CallDetail, min_duration_s: int) -> str:
    if call.state == "short":
        return reader.say("why.short", duration=show_duration(call.duration_s), limit=min_duration_s)
    return reason_of(reader, call.state)


def _where_it_stands(reader: Reader, work: WorkLine, *, may_repeat: bool) -> Iterator[Line]:
    """What is waited for, until when; or that it was given up."""
    yield plain(reader.say(f"why.source.{work.source}", when=reader.moment(work.created_at)))
    if work.state == "running":
        yield plain(reader.say("why.running"))
    elif work.state == "dead":
        yield plain(reader.say("why.dead" if may_repeat else "why.dead_manager", error=work.error or work.error_code))
    elif work.state == "ready":
        yield plain(_ready(reader, work))


def _ready(reader: Reader, work: WorkLine) -> str:
    when = reader.moment(work.due_at)
    if work.attempts:
        return reader.say("why.failed", error=work.error or work.error_code, count=work.attempts, when=when)
    if work.due_at <= reader.now:
        return reader.say("why.waits_now")
    return reader.say("why.waits", what=waited_for(reader, work.waiting_for), when=when)


def waited_for(reader: Reader, what: str) -> str:
    """``work.waiting_for`` in words."""
    name, _, vendor = what.partition(":")
    return reader.one_of("why.waiting", name.replace(" ", "_"), vendor=reader.vendor(vendor), what=what)


def _steps(reader: Reader, work: WorkLine, charges: tuple[ChargeLine, ...]) -> Section:
    title = reader.say("why.steps") if work.generation == 1 else reader.say("why.steps_again", generation=work.generation)
    lines = [plain(_step(reader, step, charges)) for step in work.steps[-MOST_STEPS:]]
    if work.generation > 1:
        lines.append(plain(reader.say("why.earlier", count=work.generation - 1)))
    return Section(title=_bold(title) if lines else None, lines=tuple(lines), weight=5)


def _step(reader: Reader, step: StepLine, charges: tuple[ChargeLine, ...]) -> str:
    known = f"why.step.{step.name.partition(':')[0]}"
    title = reader.say(known) if known in reader.texts.entries else step.name
    time = reader.clock(step.started_at)
    if step.state != "done" or step.took_ms is None:
        return reader.say("why.step_failed" if step.state == "failed" else "why.step_begun", time=time, title=title)
    price = sum(
        charge.micro_usd
        for charge in charges
        if charge.kind == _PAID_STEPS.get(step.name) and step.finished_at is not None and _same_run(charge, step)
    )
    if price:
        return reader.say(
            "why.step_price", time=time, title=title, took=reader.took(step.took_ms), price=reader.dollars(price)
        )
    return reader.say("why.step_line", time=time, title=title, took=reader.took(step.took_ms))


def _same_run(charge: ChargeLine, step: StepLine) -> bool:
    """The step of this generation paid it: charges are dated inside the step's own transaction."""
    return step.finished_at is not None and step.started_at <= charge.at <= step.finished_at


def _sums(reader: Reader, journal: Journal) -> Iterator[Line]:
    if journal.works:
        yield plain(_price(reader, journal))
    if repeats := journal.possible_repeats:
        yield plain(reader.say("why.repeats", count=reader.count(repeats, "repeat")))


def _price(reader: Reader, journal: Journal) -> str:
    if not journal.charges:
        return reader.say("why.price_free")
    estimated = any(charge.estimated for charge in journal.charges)
    return reader.say("why.price_estimated" if estimated else "why.price", price=reader.dollars(journal.micro_usd))


def _buttons(reader: Reader, work: WorkLine | None, may_repeat: bool) -> tuple[tuple[Button, ...], ...]:
    if work is None or not may_repeat or work.state in {"ready", "running"}:
        return ()
    return ((action(reader.say("call.button.again"), f"again:{work.id}"),),)


def _bold(text: str) -> Line:
    return Line(spans=(Span(text, Style.BOLD),))
