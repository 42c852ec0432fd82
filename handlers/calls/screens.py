"""What people see when they ask about calls: lists, one call, its transcript, its buttons. Pure functions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from domain.calls import CallFacts, Parties, Segment, Speaker, Transcript
from domain.duration import show_duration
from domain.events import CallOutcome, Direction
from domain.messages import Button, ButtonKind, File, Line, Message, Quote, Section, Span, Style, plain
from handlers.calls.ask import Asked
from handlers.calls.messages import QUOTE_LIMIT, CardView, Stage, call_card, clock
from handlers.wording import Reader, shortened
from storage.queries.call import CallDetail
from storage.queries.calls import CallLine, CallPage

PER_PAGE = 5
GIST_LIMIT = 110
QUOTE_UNITS = 3500  # UTF-16 units of a transcript that fit a message beside its title
ANSWER = "answer"
IN_WORK = frozenset({"heard", "waiting"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Where a list stands. ``name`` of the kept question, ``older`` of the one that goes on where the search stopped."""

    name: str
    offset: int
    older: str = ""


def action(text: str, target: str) -> Button:
    return Button(text=text, kind=ButtonKind.ACTION, target=target)


def say(text: str, *rows: tuple[Button, ...]) -> Message:
    """A message of one paragraph."""
    return Message(key=ANSWER, sections=(Section(lines=(plain(text),)),), buttons=rows)


def question(text: str, yes: tuple[str, str], no: tuple[str, str]) -> Message:
    """A question with two buttons, each (text, action)."""
    return say(text, (action(*yes), action(*no)))


def list_screen(reader: Reader, asked: Asked, page: CallPage, paging: Paging) -> Message:
    """A page of calls, newest first, with a button for each."""
    head = [Span(reader.say("calls.title"), Style.BOLD)]
    head += [Span(f" · {part}") for part in asked_for(reader, asked)]
    sections = [Section(title=Line(spans=tuple(head)), lines=tuple(_summary_lines(reader, asked, page)))]
    numbered = list(enumerate(page.rows, paging.offset + 1))
    sections += [_list_item(reader, number, row) for number, row in numbered]
    open_row = tuple(action(str(number), f"call:{row.id}") for number, row in numbered)
    rows = (open_row, _pager(reader, page, paging), _search_older(reader, page, paging))
    return Message(key=ANSWER, sections=tuple(sections), buttons=tuple(row for row in rows if row))


def asked_for(reader: Reader, asked: Asked) -> Iterator[str]:
    """The question read back, part by part: what was understood."""
    query = asked.query
    if asked.period is not None:
        yield reader.period(asked.period.first, asked.period.last)
    yield from (reader.say(f"calls.slice.{part}") for part in query.slices)
    if query.kind:
        yield reader.say(f"calls.kinds.{query.kind}")
    if query.phone:
        yield reader.say("calls.asked.phone", phone=reader.phone(query.phone))
    elif query.phone_tail:
        yield reader.say("calls.asked.phone_tail", digits=query.phone_tail)
    yield from (reader.say("calls.asked.word", word=word) for word in asked.shown)


def _summary_lines(reader: Reader, asked: Asked, page: CallPage) -> Iterator[Line]:
    if page.total:
        yield plain(reader.say("calls.found", count=reader.count(page.total, "call")))
    elif asked.everything:
        yield plain(reader.say("calls.empty"))
    else:
        yield plain(reader.say("calls.nothing"))
        yield plain(reader.say("calls.nothing_hint"))
    if page.searched_from is not None:
        yield plain(reader.say("calls.searched_from", day=reader.day(page.searched_from)))


def _list_item(reader: Reader, number: int, row: CallLine) -> Section:
    title = Line(
        spans=(Span(f"{number}. ", Style.BOLD), reader.moment_span(row.started_at), Span(f" · {what_kind(reader, row)}"))
    )
    lines = [who_talked(reader, row), outcome_of(reader, row)]
    return Section(title=title, lines=tuple(plain(line) for line in lines if line))


def what_kind(reader: Reader, row: CallLine | CallDetail) -> str:
    """«входящий · 1м 14с», «пропущенный»."""
    if row.outcome == CallOutcome.ANSWERED:
        return f"{reader.say(f'calls.direction.{row.direction}')} · {show_duration(row.duration_s)}"
    if row.outcome == CallOutcome.MISSED and Direction(row.direction).from_client:
        return reader.say("calls.outcome.client_missed")
    return reader.say(f"calls.outcome.{row.outcome}")


def who_talked(reader: Reader, row: CallLine | CallDetail) -> str:
    """From whom to whom: names as the CRM knows them, the client's number always."""
    phone = reader.phone(row.client_phone, row.client_phone_raw)
    client = f"{row.client_name}, {phone}" if row.client_name else phone
    if not row.employee_name:
        return client
    sides = (client, row.employee_name) if Direction(row.direction).from_client else (row.employee_name, client)
    return " → ".join(sides)


def outcome_of(reader: Reader, row: CallLine) -> str:
    """What came of it in a line: the summary, or the reason there is none."""
    marks = [reader.say("calls.rehearsal")] if row.rehearsal else []
    if row.gist:
        marks += [reader.say(f"calls.kind.{row.kind}")] if row.kind and row.kind != "other" else []
        return f"{', '.join(marks)}: {shortened(row.gist, GIST_LIMIT)}" if marks else shortened(row.gist, GIST_LIMIT)
    if row.state != "missed":  # the line above says it
        marks.append(reason_of(reader, row.state))
    return ", ".join(marks)


def inline_item(own: Reader, shared: Reader, row: CallLine) -> tuple[str, str, Message]:
    """One found call for inline mode: title and description for the asker, the message for the chat it goes to."""
    title = f"{own.moment(row.started_at)} · {what_kind(own, row)}"
    description = f"{who_talked(own, row)}\n{outcome_of(own, row)}".rstrip()
    head = Line(spans=(shared.moment_span(row.started_at), Span(f" · {what_kind(shared, row)}")))
    lines = (who_talked(shared, row), outcome_of(shared, row))
    section = Section(title=head, lines=tuple(plain(line) for line in lines if line))
    return title, description, Message(key=ANSWER, sections=(section,))


def reason_of(reader: Reader, state: str) -> str:
    """Why a call is as it is, in a few words."""
    return reader.one_of("calls.state", state, state=state)


def _pager(reader: Reader, page: CallPage, paging: Paging) -> tuple[Button, ...]:
    if page.total <= PER_PAGE:
        return ()
    pages = -(-page.total // PER_PAGE)
    here = paging.offset // PER_PAGE + 1
    newer = action(reader.say("calls.button.newer"), f"list:{paging.name}:{max(paging.offset - PER_PAGE, 0)}")
    older = action(reader.say("calls.button.older"), f"list:{paging.name}:{paging.offset + PER_PAGE}")
    middle = action(reader.say("calls.button.page", page=here, pages=pages), f"list:{paging.name}:{paging.offset}")
    return (*((newer,) if here > 1 else ()), middle, *((older,) if here < pages else ()))


def _search_older(reader: Reader, page: CallPage, paging: Paging) -> tuple[Button, ...]:
    if page.searched_from is None or not paging.older:
        return ()
    return (action(reader.say("calls.button.search_older"), f"list:{paging.older}:0"),)


def call_screen(reader: Reader, call: CallDetail, set_tasks: Mapping[str, str] | None = None) -> Message:
    """One call as its card in the chat shows it; where there is no summary the reason is said.

    A transcript that would stand in a file below the card is left to its button. ``set_tasks`` as of CardView.
    """
    card = call_card(replace(_view(reader, call), set_tasks=set_tasks), reader.texts, key=ANSWER)
    sections, buttons = card.sections, card.buttons
    if call.transcript is not None and not _quoted(call.transcript):
        (*row, more), *rest = buttons
        buttons = ((*row, action(reader.say("card.button.transcript"), f"text:{call.id}"), more), *rest)
    if call.summary is None:
        reason = plain(reader.say("call.note", reason=reason_of(reader, call.state)))
        sections = (*sections, Section(lines=(reason,)))
    return replace(card, sections=sections, buttons=buttons)


def card_again(reader: Reader, call: CallDetail, *, key: str, set_tasks: Mapping[str, str]) -> Message | None:
    """The finished card as its chats have it, with what has become of its promises; None while it is not finished."""
    if call.summary is None or call.state != "carded":
        return None
    facts = replace(_view(reader, call).facts, client_phone=call.client_phone_raw)
    view = replace(_view(reader, call), facts=facts, transcript=call.transcript, set_tasks=set_tasks)
    return call_card(view, reader.texts, key=key)


def _quoted(transcript: Transcript) -> bool:
    return len(transcript.text) <= QUOTE_LIMIT


def _view(reader: Reader, call: CallDetail) -> CardView:
    facts = CallFacts(
        call_id=call.call_id,
        vendor_row_id="",
        direction=Direction(call.direction),
        outcome=CallOutcome(call.outcome),
        failed_code=call.failed_code,
        client_phone=reader.phone(call.client_phone, call.client_phone_raw),
        line=call.line,
        employee_id="",
        started_at=call.started_at,
        duration_s=call.duration_s,
    )
    return CardView(
        row_id=call.id,
        stage=Stage.FULL if call.summary is not None and call.state == "carded" else Stage.MISSED,
        facts=facts,
        parties=Parties(employee_name=call.employee_name, client_name=call.client_name, crm_url=call.crm_url),
        timezone=reader.zone,
        shown_at=call.carded_at or reader.now,
        heard_at=call.heard_at,
        has_recording=bool(call.recording_path),
        transcript=call.transcript if call.transcript is not None and _quoted(call.transcript) else None,
        summary=call.summary,
        paid_twice=call.possible_repeats > 0,
        rehearsal=call.rehearsal,
    )


def more_row(reader: Reader, call: CallDetail, *, work_id: int | None) -> tuple[tuple[Button, ...], ...]:
    """What «Ещё» unfolds below the card. ``work_id`` is given to those who may repeat."""
    first = [action(reader.say("call.button.why"), f"why:{call.id}")]
    if work_id is not None:
        first.append(action(reader.say("call.button.again"), f"again:{work_id}"))
    second = []
    if call.client_phone and reader.private:  # a card in a group is changed for all who read it
        second.append(
            Button(text=reader.say("call.button.copy_phone"), kind=ButtonKind.COPY, target=f"+{call.client_phone}")
        )
    if call.crm_url.startswith(("https://", "http://")):
        second.append(Button(text=reader.say("call.button.crm"), kind=ButtonKind.URL, target=call.crm_url))
    return tuple(tuple(row) for row in (first, second) if row)


def no_recording(reader: Reader, call: CallDetail) -> str:
    """Why no recording can be sent."""
    if call.recording_sha256:
        return reader.say("call.recording_deleted")
    if call.state in IN_WORK:
        return reader.say("call.recording_none_yet")
    return reader.say("call.recording_never", reason=reason_of(reader, call.state))


def no_transcript(reader: Reader, call: CallDetail) -> str:
    """Why no transcript can be sent."""
    if call.summary is not None or call.kind:
        return reader.say("call.transcript_deleted")
    if call.state in IN_WORK:
        return reader.say("call.transcript_none_yet")
    return reader.say("call.transcript_never", reason=reason_of(reader, call.state))


def recording_message(reader: Reader, call: CallDetail, *, key: str, reply_to: str) -> Message:
    """The recording itself, as a reply to the card."""
    name = call.recording_name or f"{call.id}.mp3"
    caption = f"{reader.say('call.recording_name', when=reader.moment(call.started_at))} · {what_kind(reader, call)}"
    file = File(path=call.recording_path, name=name, kind="audio", caption=caption)
    return Message(key=key, sections=(), files=(file,), reply_to=reply_to)


def transcript_message(
    reader: Reader, call: CallDetail, transcript: Transcript, *, key: str, reply_to: str, path: str
) -> Message:
    """The transcript as a folded quote; where it does not fit, as the text file at ``path`` (relative to DATA_DIR)."""
    when = reader.moment(call.started_at)
    turns = transcript_lines(reader, transcript)
    if units("\n".join(turns)) <= QUOTE_UNITS:
        title = Line(spans=(Span(reader.say("call.transcript_title", when=when), Style.BOLD),))
        quote = Quote(lines=tuple(plain(turn) for turn in turns), expandable=True)
        return Message(key=key, sections=(Section(title=title, lines=(quote,)),), reply_to=reply_to)
    name = reader.say("call.transcript_file", when=f"{call.started_at.astimezone(reader.zone):%d.%m %H-%M}")
    file = File(path=path, name=name, caption=reader.say("call.transcript_file_note", when=when))
    return Message(key=key, sections=(), files=(file,), reply_to=reply_to)


def transcript_lines(reader: Reader, transcript: Transcript) -> list[str]:
    """A line a turn: its time, who speaks, what is said."""
    return [_turn(reader, segment, timed=transcript.timed) for segment in transcript.segments if segment.text.strip()]


def _turn(reader: Reader, segment: Segment, *, timed: bool) -> str:
    time = f"{clock(segment.start)} " if timed else ""
    known = segment.speaker is not Speaker.UNKNOWN
    speaker = reader.say(f"card.speaker.{segment.speaker}") if known else segment.label
    return f"{time}{speaker}: {segment.text}" if speaker else f"{time}{segment.text}"


def units(text: str) -> int:
    """Length as Telegram counts it: UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2
