"""From what a person asks about calls to the screen that answers: the reads behind them, without a messenger."""

import asyncio
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from domain.files import kept_file
from domain.messages import Message
from domain.roles import Person
from handlers.calls.ask import Asked, understand
from handlers.calls.screens import PER_PAGE, Paging, list_screen, transcript_lines
from handlers.calls.why import why_screen
from handlers.desk import Desk
from handlers.wording import Reader
from storage.queries.call import CallDetail, find_call, find_call_of, post_key_of
from storage.queries.calls import CallPage, CallQuery, find_calls
from storage.queries.health import last_events
from storage.queries.journal import read_journal
from storage.queries.questions import Question, keep_question

CARD = "call:"  # how the key of a call's card begins


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A list of calls, and how the question behind it was understood."""

    asked: Asked
    total: int
    screen: Message


async def ask_calls(desk: Desk, person: Person, text: str, *, private: bool) -> Listed:
    """The first page for a question in plain words."""
    question = Question(account_id=person.account_id, text=text.strip(), asked_at=desk.clock.now())
    return await list_calls(desk, question, private=private)


async def list_calls(desk: Desk, question: Question, *, offset: int = 0, private: bool) -> Listed:
    """A page of a question that may have been asked weeks ago: its "today" stays the day it was asked."""
    reader = desk.reader(question.account_id, private=private)
    asked = understand(question.text, now=question.asked_at, zone=reader.zone)
    page = await find_calls(
        desk.database, question.account_id, _bounded(asked.query, question), limit=PER_PAGE, offset=offset
    )
    paging = await _paging(desk, question, page, offset)
    return Listed(asked=asked, total=page.total, screen=list_screen(reader, asked, page, paging))


def _bounded(query: CallQuery, question: Question) -> CallQuery:
    if question.until is None:
        return query
    return replace(query, until=min(question.until, query.until) if query.until else question.until)


async def _paging(desk: Desk, question: Question, page: CallPage, offset: int) -> Paging:
    """Only a list with further pages needs its question kept."""
    name = await keep_question(desk.database, question) if page.total > PER_PAGE else ""
    older = ""
    if page.searched_from is not None:
        older = await keep_question(desk.database, replace(question, until=page.searched_from))
    return Paging(name=name, offset=offset, older=older)


def card_key(call: CallDetail) -> str:
    """The key of the call's card in the chats."""
    return f"{CARD}{call.object}"


async def why(desk: Desk, person: Person, call: CallDetail | None, object_: str, *, private: bool) -> Message | None:
    """The journal of a call, or of the work on one that is not listed yet; None when there is neither."""
    journal = await read_journal(desk.database, person.account_id, object_)
    if call is None and journal.latest is None:
        return None
    return why_screen(
        desk.reader(person.account_id, private=private),
        journal,
        call=call,
        call_id=object_.partition(":")[2],
        min_duration_s=await desk.min_duration_s(person.account_id),
        may_repeat=person.role.runs_the_bot,
    )


async def why_by_name(desk: Desk, person: Person, name: str, *, private: bool) -> Message | None:
    """By our number ("123", "№ 123") or by the telephony's id."""
    name = name.strip().removeprefix("№").strip()
    ours = await find_call(desk.database, person.account_id, int(name)) if _is_number(name) else None
    if ours is not None:
        return await why(desk, person, ours, ours.object, private=private)
    for event in await last_events(desk.database, person.account_id):
        object_ = f"{event.vendor}:{name}"
        call = await find_call_of(desk.database, person.account_id, object_)
        if screen := await why(desk, person, call, object_, private=private):
            return screen
    return None


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) <= 15


async def call_of_message(desk: Desk, person: Person, chat_id: int, message_id: int) -> tuple[CallDetail | None, str] | None:
    """The call and the object of the card (or of a file below it) in a chat; None when that message is about no call."""
    key = await post_key_of(desk.database, person.account_id, chat_id, message_id)
    if key is None or not key.startswith(CARD):
        return None
    whole = key.removeprefix(CARD).partition("#")[0]
    for object_ in (whole, whole.rpartition("@")[0]):  # a second topic of a chat is named behind an "@"
        call = await find_call_of(desk.database, person.account_id, object_)
        if call is not None:
            return call, call.object
    return None, whole


async def recording_exists(desk: Desk, call: CallDetail) -> bool:
    """The recording is on our disk still."""
    path = kept_file(desk.data_dir, call.recording_path)
    return path is not None and await asyncio.to_thread(path.is_file)


async def write_transcript(desk: Desk, reader: Reader, call: CallDetail) -> str:
    """The transcript as a text file; its path relative to DATA_DIR. Written again it is the same file."""
    if call.transcript is None:
        return ""
    text = "\n".join(transcript_lines(reader, call.transcript)) + "\n"
    name = hashlib.sha256(f"{call.id}:{text}".encode()).hexdigest()[:24]
    relative = Path("transcripts") / f"{call.heard_at:%Y-%m-%d}" / f"{name}.txt"

    def write() -> None:
        path = desk.data_dir / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    await asyncio.to_thread(write)
    return relative.as_posix()
