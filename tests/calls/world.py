"""An in-memory world for the call pipeline: every port's twin, counting what was seen and paid outside."""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from domain.calls import (
    CallContext,
    CallFacts,
    CallKind,
    Cost,
    Evidence,
    Parties,
    Point,
    Quality,
    Recording,
    Segment,
    Speaker,
    Summary,
    SummarySource,
    Task,
    Tone,
    Transcript,
    VoiceCheck,
    VoiceVerdict,
)
from domain.errors import NotReady, VendorRefused, VendorUnavailable
from domain.events import CallEnded, CallOutcome, Direction
from domain.messages import Message, as_text
from domain.ports import Attempt, Tx
from domain.work import WorkItem
from handlers.calls.services import CallPolicy, CallServices
from handlers.texts import load_texts
from storage.calls import CallKey, StoredCall
from storage.codec import dumps, loads
from tests.ground import HandClock

T = TypeVar("T")
R = TypeVar("R")

AGES: dict[str, Any] = {"catchup_max_age": timedelta(hours=24), "first_message_after": timedelta(seconds=45)}

FACTS = CallFacts(
    call_id="A1.1",
    vendor_row_id="7",
    direction=Direction.INCOMING,
    outcome=CallOutcome.ANSWERED,
    failed_code="200",
    client_phone="+79001234567",
    line="+79009876543",
    employee_id="12",
    started_at=datetime(2026, 11, 20, 11, 57, 30, tzinfo=UTC),
    duration_s=135,
    recording_ref="501",
    activity_id="7953",
)
TRANSCRIPT = Transcript(
    segments=(
        Segment(start=0.4, end=4.8, text="Компания Ясный Двор, слушаю.", speaker=Speaker.OPERATOR),
        Segment(start=5.1, end=9.0, text="Никто не моет <b>полы</b>.", speaker=Speaker.CLIENT),
        Segment(start=9.5, end=14.0, text="Бригадир перезвонит в пятницу до двенадцати.", speaker=Speaker.OPERATOR),
    ),
    language="ru",
    model="whisper-1",
    timed=True,
    duration_s=135.0,
    quality=Quality(speech_share=0.9, words_per_minute=120, language="ru"),
    costs=(Cost(model="whisper-1", micro_usd=13_500, units=135, unit="s"),),
)
SUMMARY = Summary(
    source=SummarySource.MODEL,
    meaningful=True,
    kind=CallKind.COMPLAINT,
    text="Клиент жалуется на уборку подъезда.",
    points=(Point(text="Полы не моют", evidence=Evidence(quote="Никто не моет", at=5.1, confirmed=True)),),
    client_request=Point(text="Убрать подъезд"),
    tasks=(
        Task(
            what="Перезвонить клиенту",
            who="бригадир",
            when_text="в пятницу до двенадцати",
            due_date=date(2026, 11, 27),
            due_time="12:00",
            evidence=Evidence(quote="Бригадир перезвонит", at=9.5, confirmed=True),
        ),
    ),
    next_steps="Провести проверку",
    tone=Tone.NEGATIVE,
    model="gpt-x",
    prompt_version="1",
    costs=(Cost(model="gpt-x", micro_usd=900, units=1200, unit="tok"),),
)


DOWN = VendorUnavailable("openai", "ask", "time-out")


class Crash(BaseException):
    """The process dies here."""


class MemorySteps:
    """Steps in memory with the database's codec. ``die_after``: the process dies once so many results are kept."""

    def __init__(self, *, die_after: int | None = None) -> None:
        self.results: dict[str, str] = {}
        self.states: dict[str, str] = {}
        self.repeats: Counter[str] = Counter()
        self.die_after = die_after

    @property
    def possible_repeats(self) -> int:
        return sum(self.repeats.values())

    async def run(self, name: str, fn: Callable[[], Awaitable[R]], returns: type[R]) -> R:
        if name in self.results:
            return loads(returns, self.results[name])
        return self._keep(name, await fn(), returns)

    async def write(self, name: str, fn: Callable[[Tx], Awaitable[R]], returns: type[R]) -> R:
        if name in self.results:
            return loads(returns, self.results[name])
        self._live(name)
        return self._keep(name, await fn(object()), returns)

    async def outward(
        self, name: str, fn: Callable[[Attempt], Awaitable[T]], record: Callable[[Tx, T], Awaitable[R]], returns: type[R],
        *, lookup: Callable[[], Awaitable[T | None]] | None = None, lost: Callable[[Tx], Awaitable[None]] | None = None,
    ) -> R:  # fmt: skip
        if name in self.results:
            return loads(returns, self.results[name])
        outcome = None
        if self.states.get(name) == "intent" and lookup is not None:
            outcome = await lookup()
            self.states[name] = "failed"
        if outcome is None:
            if self.states.get(name) == "intent":
                self.repeats[name] += 1
                if lost is not None:
                    await lost(object())
            outcome = await self._attempt(name, fn)
        self._live(name)
        return self._keep(name, await record(object(), outcome), returns)

    async def _attempt(self, name: str, fn: Callable[[Attempt], Awaitable[T]]) -> T:
        self.states[name] = "intent"
        try:
            return await fn(Attempt(number=1, uncertain=self.repeats[name] > 0))
        except (NotReady, VendorRefused):
            self.states[name] = "failed"
            raise
        except VendorUnavailable as error:
            if not error.uncertain:
                self.states[name] = "failed"
            raise

    def _live(self, name: str) -> None:
        """Rows and result are one transaction: the process that dies here has written neither."""
        if self.die_after is not None and len(self.results) >= self.die_after:
            raise Crash(name)

    def _keep(self, name: str, result: R, returns: type[R]) -> R:
        self._live(name)
        self.results[name] = dumps(returns, result)
        return loads(returns, self.results[name])


@dataclass
class MemoryCalls:
    """The rows of calls."""

    row: dict[str, Any] = field(default_factory=dict)
    charges: list[tuple[str, int, bool]] = field(default_factory=list)

    async def load(self, key: CallKey) -> StoredCall | None:
        if not self.row:
            return None
        return StoredCall(
            id=1,
            recording_sha256=self.row.get("recording_sha256", ""),
            transcript=self.row.get("transcript"),
            summary=self.row.get("summary"),
            summary_key=self.row.get("summary_key", ""),
            comment_target=self.row.get("comment_target", ""),
            comment_id=self.row.get("comment_id", ""),
        )

    async def register(self, tx: Tx, key: CallKey, facts: CallFacts, **values: Any) -> int:
        self.row |= values | {"facts": facts}
        return 1

    async def set_state(self, tx: Tx, key: CallKey, state: str, **values: object) -> None:
        self.row |= values | {"state": state}

    async def set_parties(self, tx: Tx, key: CallKey, parties: Parties) -> None:
        self.row["parties"] = parties

    async def set_recording(self, tx: Tx, key: CallKey, recording: Recording) -> None:
        if self.row.get("recording_sha256") != recording.sha256:
            self.row["transcript"] = None
        self.row["recording_sha256"] = recording.sha256

    async def set_transcript(self, tx: Tx, key: CallKey, transcript: Transcript, *, stereo: bool) -> None:
        self.row["transcript"] = transcript

    async def set_summary(self, tx: Tx, key: CallKey, summary: Summary, *, made_from: str) -> None:
        self.row |= {"summary": summary, "summary_key": made_from}

    async def set_comment(self, tx: Tx, key: CallKey, target: str, comment_id: str) -> None:
        self.row |= {"comment_target": target, "comment_id": comment_id}

    async def charge(
        self, tx: Tx, key: CallKey, kind: str, cost: Cost, *, at: datetime, possible_repeat: bool = False
    ) -> None:
        self.charges.append((kind, cost.micro_usd, possible_repeat))


@dataclass
class World:
    """Ports that do as told and remember what was asked. ``dies`` names a port call after which the process dies once."""

    clock: HandClock
    data_dir: Path
    facts: CallFacts | None = FACTS
    verdict: VoiceVerdict = VoiceVerdict.SPEECH
    transcript: Transcript = TRANSCRIPT
    summary: Summary = SUMMARY
    min_duration: int = 10
    hearing_off: bool = False
    room: bool = True
    proven: bool = False
    model_off: bool = False
    free_again: datetime | None = None
    held: int = 0
    audio: bytes = b"ID3 recording"
    fails: dict[str, list[Exception]] = field(default_factory=dict)
    dies: str = ""
    seen: Counter[str] = field(default_factory=Counter)
    comments: dict[str, str] = field(default_factory=dict)
    posts: dict[str, Message] = field(default_factory=dict)
    revisions: list[Message] = field(default_factory=list)
    calls: MemoryCalls = field(default_factory=MemoryCalls)

    paid = True
    version = "1"
    model = "model"

    def _happen(self, name: str) -> None:
        if self.fails.get(name):
            raise self.fails[name].pop(0)
        self.seen[name] += 1

    def _maybe_die(self, name: str) -> None:
        if self.dies == name:
            self.dies = ""
            raise Crash(name)

    async def find_call(self, call_id: str) -> CallFacts | None:
        self._happen("find_call")
        return self.facts

    async def download(self, facts: CallFacts, into: Path, *, max_bytes: int) -> Recording:
        self._happen("download")
        into.write_bytes(self.audio)
        digest = hashlib.sha256(self.audio).hexdigest()
        return Recording(path=str(into), size=len(self.audio), sha256=digest, mime="audio/mpeg", name="call.mp3")

    async def check(self, audio: Path) -> VoiceCheck:
        assert audio.exists()
        self._happen("gate")
        return VoiceCheck(verdict=self.verdict, duration_s=135.0, speech_s=1.0)

    def estimate(self, measured: object) -> Cost:
        return Cost(model="model", micro_usd=1000, units=1, unit="s", estimated=True)

    async def transcribe(self, audio: Path, check: VoiceCheck, *, name: str, operator_first: bool) -> Transcript:
        self._happen("transcribe")
        self._maybe_die("transcribe")
        return self.transcript

    async def summarise(self, transcript: Transcript, context: CallContext) -> Summary:
        self._happen("summarise")
        self._maybe_die("summarise")
        return self.summary

    async def target(self, facts: CallFacts) -> tuple[str, str] | None:
        self._happen("target")
        return ("deal", "42")

    async def find_comment(self, target: tuple[str, str], marker: str) -> str | None:
        self._happen("find_comment")
        return next((key for key, text in self.comments.items() if marker in text), None)

    async def add_comment(self, target: tuple[str, str], text: str) -> str:
        self._happen("add_comment")
        key = str(len(self.comments) + 1)
        self.comments[key] = text
        self._maybe_die("add_comment")
        return key

    async def update_comment(self, comment_id: str, target: tuple[str, str], text: str) -> None:
        self._happen("update_comment")
        self.comments[comment_id] = text

    async def parties(self, facts: CallFacts) -> Parties:
        self._happen("parties")
        return Parties(employee_name="Анна Петрова", client_name="Елена Воронцова", crm_url="https://portal.test/deal/42/")

    async def post(self, tx: Tx, account_id: int, message: Message) -> int:
        if self.posts.get(message.key) != message:
            self.revisions.append(message)
        self.posts[message.key] = message
        return 1

    def services(self) -> CallServices:
        return CallServices(
            recordings=self,
            timeline=self,
            gate=self,
            transcriber=None if self.hearing_off else self,
            spare=None,
            summariser=None if self.model_off else self,
            draft=Drafts(),
            calls=self.calls,
            chat=self,
            purse=Purse(self),
            clock=self.clock,
            texts=load_texts(),
            timezone=ZoneInfo("Europe/Moscow"),
            data_dir=self.data_dir,
            policy=CallPolicy(min_duration_s=self._min_duration, recording_max_bytes=1_000_000, **AGES),
            has_room=self._has_room,
            proven=self._proven,
            posted=lambda: self.seen.update(["posted"]),
        )

    async def _proven(self, _: str | None) -> bool:
        return self.proven

    async def _has_room(self) -> bool:
        return self.room

    async def _min_duration(self) -> int:
        return self.min_duration

    def item(self, *, source: str = "hook", generation: int = 1, heard_at: datetime | None = None) -> WorkItem[CallEnded]:
        event = CallEnded(vendor="bitrix24", external_id="A1.1", occurred_at=None)
        return WorkItem(
            id=1,
            account_id=1,
            kind="call",
            object="bitrix24:A1.1",
            generation=generation,
            event=event,
            source=source,
            delivery_id="d1",
            heard_at=heard_at or self.clock.now(),
            failures=0,
        )


@dataclass
class Purse:
    world: World

    @asynccontextmanager
    async def reserve(self, cost: Cost) -> AsyncIterator[datetime | None]:
        if self.world.free_again is None:
            self.world.held += cost.micro_usd
        yield self.world.free_again
        if self.world.free_again is None:
            self.world.held -= cost.micro_usd


class Drafts:
    """The summariser that costs nothing."""

    model = ""
    paid = False
    version = "draft-1"

    def estimate(self, transcript: Transcript) -> Cost:
        return Cost(model="", micro_usd=0, units=0, unit="tok")

    async def summarise(self, transcript: Transcript, context: CallContext) -> Summary:
        return replace(SUMMARY, source=SummarySource.DRAFT, text="Черновик: жалоба.", costs=(), model="")


def card(world: World) -> str:
    """The one card in the chat, as text."""
    (message,) = world.posts.values()
    return as_text(message)
