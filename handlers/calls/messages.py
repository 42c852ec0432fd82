"""The card of a call and the comment of a call: pure functions from facts and summary to what is shown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.calls import (
    Amount,
    CallFacts,
    Evidence,
    Parties,
    Point,
    Segment,
    Speaker,
    Summary,
    SummarySource,
    Task,
    Transcript,
    promise_keys,
)
from domain.duration import show_duration
from domain.events import CallOutcome
from domain.messages import Button, ButtonKind, File, Line, Message, Quote, Section, Span, Style, Texts, bullet, plain
from domain.people import phone_key, show_phone

QUOTE_LIMIT = 1500  # characters of a transcript that still read well folded inside a card
NO_BREAK = "\u00a0"
TASKS_ACTION = "ctasks"
TRANSCRIPT_WEIGHT = 9  # shortened before anything else


class Stage(StrEnum):
    """How far the work is; every stage is a card that stands by itself."""

    FACTS = "facts"
    WAITING = "waiting"
    NO_ROOM = "no_room"
    NO_RECORDING = "no_recording"
    NO_SPEECH = "no_speech"
    MISSED = "missed"
    HEARING_LATER = "hearing_later"
    HEARING_REFUSED = "hearing_refused"
    UNHEARABLE = "unhearable"
    HEARING_OFF = "hearing_off"
    LIMIT = "limit"
    DRAFT_LATER = "draft_later"
    DRAFT_LIMIT = "draft_limit"
    DRAFT_REFUSED = "draft_refused"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardView:
    """What a card is made of. Times are aware; ``until`` is when the last look for a recording will be.

    ``set_tasks``: addresses of promises that are tasks of the CRM by now, by their keys; None where it has no tasks.
    """

    row_id: int
    stage: Stage
    facts: CallFacts
    parties: Parties
    timezone: ZoneInfo
    shown_at: datetime
    heard_at: datetime
    has_recording: bool = False
    transcript: Transcript | None = None
    summary: Summary | None = None
    until: datetime | None = None
    paid_twice: bool = False
    rehearsal: bool = False
    set_tasks: Mapping[str, str] | None = None


def call_card(
    view: CardView, texts: Texts, *, key: str, not_before: datetime | None = None, file: str | None = None
) -> Message:
    """The card. ``file``: where the transcript was written when it is too long to be quoted."""
    sections = (_header(view, texts), _information(view, texts), *_findings(view, texts), *_foot(view, texts))
    name = texts.get("card.transcript_file", when=_local(view.facts.started_at, view.timezone).strftime("%d.%m %H-%M"))
    return Message(
        key=key,
        sections=sections,
        buttons=_buttons(view, texts),
        files=(File(path=file, name=name),) if file else (),
        kind="missed" if view.stage is Stage.MISSED else "call",
        not_before=not_before,
    )


def call_comment(facts: CallFacts, summary: Summary, texts: Texts, *, timezone: ZoneInfo, marker: str) -> str:
    """Plain text for the CRM's timeline; ``marker`` in its last line is how it is found again."""
    return call_note(facts.started_at, summary, texts, timezone=timezone, marker=marker)


def call_note(started_at: datetime, summary: Summary, texts: Texts, *, timezone: ZoneInfo, marker: str) -> str:
    """The same of a call that is long in our rows."""
    sections = list(_summary_sections(summary, texts, {}))
    lines = [texts.get("comment.title", when=_local(started_at, timezone).strftime("%d.%m.%Y %H:%M"))]
    lines += [_comment_line(line) for section in sections for line in _lines(section)]
    lines.append(texts.get("comment.foot", marker=marker))
    return "\n".join(lines)


def transcript_file(view: CardView, texts: Texts) -> str | None:
    """The transcript as a text file when it is too long for the card, else None."""
    if view.transcript is None or len(view.transcript.text) <= QUOTE_LIMIT:
        return None
    return "\n".join(_turn(segment, view.transcript.timed, texts) for segment in view.transcript.segments) + "\n"


def clock(seconds: float) -> str:
    """A place in a recording: 0:05, 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _header(view: CardView, texts: Texts) -> Section:
    outcome = view.facts.outcome
    if outcome is CallOutcome.ANSWERED:
        title = texts.get(f"card.direction.{view.facts.direction}")
    elif view.facts.direction.from_client and outcome is CallOutcome.MISSED:
        title = texts.get("card.missed")
    else:
        title = texts.get(f"card.outcome.{outcome}")
    spans = [Span(title, Style.BOLD)]
    if view.rehearsal:
        spans.insert(0, Span(texts.get("card.rehearsal") + " ", Style.BOLD))
    return Section(title=Line(spans=tuple(spans)))


def _information(view: CardView, texts: Texts) -> Section:
    facts = view.facts
    client = _who(show_client(facts.client_phone, texts), view.parties.client_name)
    ours = _who(facts.line, view.parties.employee_name)
    sender, receiver = (client, ours) if facts.direction.from_client else (ours, client)
    rows = [("from", sender), ("to", receiver)]
    if facts.outcome is CallOutcome.ANSWERED:
        rows.append(("duration", show_duration(facts.duration_s)))
    elif facts.failed_code:
        rows.append(("reason", _reason(facts, texts)))
    lines = [bullet(texts.get(f"card.{name}") + " ", Span(value)) for name, value in rows if value]
    started = _local(facts.started_at, view.timezone)
    when = Span(started.strftime("%d.%m %H:%M"), Style.TIME, facts.started_at.isoformat())
    lines.append(bullet(texts.get("card.when") + " ", when))
    if view.parties.crm_url:
        lines.append(bullet(Span(texts.get("card.crm"), Style.LINK, view.parties.crm_url)))
    return Section(title=_title(texts, "card.information"), lines=tuple(lines))


def _who(number: str, name: str) -> str:
    return f"{name}, {number}" if name and number else name or number


def show_client(raw: str, texts: Texts) -> str:
    """A client's number as people read it; what is no number stays as it came, a hidden one is said to be hidden."""
    key = phone_key(raw)
    if key:
        return show_phone(key)
    return raw if raw and raw != "hidden" else texts.get("card.hidden_number")


def _reason(facts: CallFacts, texts: Texts) -> str:
    known = texts.entries.get(f"card.code.{facts.failed_code}")
    return known or texts.get("card.code_other", code=facts.failed_code)


def _findings(view: CardView, texts: Texts) -> Iterator[Section]:
    if view.summary is not None:
        yield from _summary_sections(view.summary, texts, view.set_tasks or {})
    if view.transcript is not None and len(view.transcript.text) <= QUOTE_LIMIT:
        turns = tuple(plain(_turn(s, view.transcript.timed, texts)) for s in view.transcript.segments)
        yield Section(
            title=_title(texts, "card.transcript"), lines=(Quote(lines=turns, expandable=True),), weight=TRANSCRIPT_WEIGHT
        )


def _summary_sections(summary: Summary, texts: Texts, set_tasks: Mapping[str, str]) -> Iterator[Section]:
    title = "card.draft_summary" if summary.source is SummarySource.DRAFT else "card.summary"
    yield Section(title=_title(texts, title), lines=(plain(summary.text or texts.get("card.nothing_said")),))
    if not summary.meaningful:
        yield Section(lines=(plain(texts.get(f"card.kind.{summary.kind}")),))
        return
    if summary.points:
        yield Section(title=_title(texts, "card.points"), lines=tuple(_point(p, texts) for p in summary.points), weight=3)
    keyed = zip(promise_keys(summary.tasks), summary.tasks, strict=True)
    tasks = tuple(_task(task, texts, set_tasks.get(key, "")) for key, task in keyed) or (plain(texts.get("card.no_tasks")),)
    yield Section(title=_title(texts, "card.tasks"), lines=tasks)
    request = summary.client_request
    wanted = _point(request, texts) if request else plain(texts.get("card.no_request"))
    yield Section(title=_title(texts, "card.request"), lines=(wanted,))
    if summary.questions:
        yield Section(
            title=_title(texts, "card.questions"), lines=tuple(_point(q, texts) for q in summary.questions), weight=4
        )
    yield from _details(summary, texts)
    if summary.next_steps:
        yield Section(title=_title(texts, "card.next"), lines=(plain(summary.next_steps),), weight=2)
    tone = texts.get(f"card.tone.{summary.tone}") + (f": {summary.tone_reason}" if summary.tone_reason else "")
    yield Section(title=Line(spans=(Span(texts.get("card.tone_title") + " ", Style.BOLD), Span(tone))))


def _details(summary: Summary, texts: Texts) -> Iterator[Section]:
    rows: list[Line] = []
    if summary.address is not None:
        rows.append(_point(summary.address, texts, name="card.address"))
    rows += [_point(Point(text=_amount(amount), evidence=amount.evidence), texts) for amount in summary.amounts]
    rows += [_point(point, texts) for point in summary.dates]
    if rows:
        yield Section(title=_title(texts, "card.details"), lines=tuple(rows), weight=5)
    if summary.unconfirmed_numbers:
        numbers = ", ".join(summary.unconfirmed_numbers)
        yield Section(lines=(plain(texts.get("card.unconfirmed_numbers", numbers=numbers)),))


def _amount(amount: Amount) -> str:
    """«18 000 ₽ — уборка офиса»: models say what a sum is for, and the figure is what people look for."""
    digits = "".join(sign for sign in amount.text if sign.isdigit())
    if digits and digits == str(amount.value_rub):
        return amount.text
    sum_ = f"{amount.value_rub:,} ₽".replace(",", NO_BREAK).replace(" ", NO_BREAK)
    return f"{sum_} — {amount.text}" if amount.text else sum_


def _point(point: Point, texts: Texts, *, name: str = "") -> Line:
    lead = (texts.get(name) + " ",) if name else ()
    return bullet(*lead, point.text, *_evidence(point.evidence, texts))


def _task(task: Task, texts: Texts, url: str) -> Line:
    """``url``: of the task that it has become in the CRM, "" where it has not."""
    details = [task.who] if task.who else []
    details.append(_deadline(task, texts))
    there = (Span(" "), Span(texts.get("card.task_set"), Style.LINK, url)) if url else ()
    return bullet(task.what, Span(f" — {', '.join(details)}", Style.ITALIC), *_evidence(task.evidence, texts), *there)


def _deadline(task: Task, texts: Texts) -> str:
    if task.due_date is None:
        return task.when_text or texts.get("card.no_deadline")
    due = f"{task.due_date:%d.%m}" + (f" {task.due_time}" if task.due_time else "")
    return f"{task.when_text} ({due})" if task.when_text else due


def _evidence(evidence: Evidence | None, texts: Texts) -> tuple[Span, ...]:
    if evidence is None:
        return ()
    where = (Span(" "), Span(f"▶\N{NO-BREAK SPACE}{clock(evidence.at)}", Style.CODE)) if evidence.at is not None else ()
    return where if evidence.confirmed else (*where, Span(" " + texts.get("card.unconfirmed"), Style.ITALIC))


def _foot(view: CardView, texts: Texts) -> Iterator[Section]:
    lines = [plain(line) for line in _notes(view, texts)]
    if view.stage is Stage.FULL:
        ended = view.facts.started_at + timedelta(seconds=view.facts.duration_s)
        delay = view.shown_at - max(ended, view.heard_at - timedelta(hours=1))
        lines.append(Line(spans=(Span(texts.get("card.delay", delay=show_duration(delay.total_seconds())), Style.ITALIC),)))
    if view.paid_twice:
        lines.append(plain(texts.get("card.paid_twice")))
    if lines:
        yield Section(lines=tuple(lines))


def _notes(view: CardView, texts: Texts) -> Iterator[str]:
    if view.stage is Stage.WAITING and view.until is not None:
        yield texts.get("card.stage.waiting", until=_local(view.until, view.timezone).strftime("%H:%M"))
    elif view.stage not in {Stage.FULL, Stage.MISSED}:
        yield texts.get(f"card.stage.{view.stage}")
    if view.transcript is not None:
        if view.transcript.quality.doubtful:
            yield texts.get("card.doubtful")
        if len(view.transcript.text) > QUOTE_LIMIT:
            yield texts.get("card.transcript_in_file")


def _buttons(view: CardView, texts: Texts) -> tuple[tuple[Button, ...], ...]:
    row: list[Button] = []
    if view.has_recording:
        row.append(Button(text=texts.get("card.button.recording"), kind=ButtonKind.ACTION, target=f"rec:{view.row_id}"))
    if view.transcript is not None:
        row.append(Button(text=texts.get("card.button.transcript"), kind=ButtonKind.ACTION, target=f"text:{view.row_id}"))
    row.append(Button(text=texts.get("card.button.more"), kind=ButtonKind.ACTION, target=f"more:{view.row_id}"))
    count = len(view.summary.tasks) if view.summary is not None and view.summary.meaningful else 0
    if view.set_tasks is None or not count:
        return (tuple(row),)
    name = texts.get("card.button.tasks", count=count)
    return (tuple(row), (Button(text=name, kind=ButtonKind.ACTION, target=f"{TASKS_ACTION}:{view.row_id}"),))


def _turn(segment: Segment, timed: bool, texts: Texts) -> str:
    speaker = texts.get(f"card.speaker.{segment.speaker}") if segment.speaker is not Speaker.UNKNOWN else segment.label
    time = f"{clock(segment.start)} " if timed else ""
    return f"{time}{speaker}: {segment.text}" if speaker else f"{time}{segment.text}"


def _title(texts: Texts, name: str) -> Line:
    return Line(spans=(Span(texts.get(name), Style.BOLD),))


def _lines(section: Section) -> Iterator[Line]:
    if section.title is not None:
        yield section.title
    for item in section.lines:
        yield from item.lines if isinstance(item, Quote) else (item,)


def _comment_line(line: Line) -> str:
    return ("• " if line.bullet else "") + "".join(span.text for span in line.spans)


def _local(moment: datetime, timezone: ZoneInfo) -> datetime:
    return moment.astimezone(timezone)
