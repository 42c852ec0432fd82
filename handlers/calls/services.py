"""What the call pipeline works with, per account; built by the composition root."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from domain.calls import CallFacts, Cost, Parties, Recording, Summary, Transcript
from domain.messages import Texts
from domain.ports import Chat, Clock, RecordingSource, Summariser, Timeline, Transcriber, Tx, VoiceGate
from handlers.crm.noting import NoteDesk
from storage.calls import CallKey, StoredCall


class Calls(Protocol):
    """The rows of calls; storage.calls.CallStore is the real one."""

    async def load(self, key: CallKey) -> StoredCall | None: ...
    async def register(
        self, tx: Tx, key: CallKey, facts: CallFacts, *, phone_key: str, state: str, heard_at: datetime,
        delivery_id: str | None, rehearsal: bool,
    ) -> int: ...  # fmt: skip
    async def set_state(self, tx: Tx, key: CallKey, state: str, *, carded_at: datetime | None = None) -> None: ...
    async def set_parties(self, tx: Tx, key: CallKey, parties: Parties) -> None: ...
    async def set_recording(self, tx: Tx, key: CallKey, recording: Recording) -> None: ...
    async def set_transcript(self, tx: Tx, key: CallKey, transcript: Transcript, *, stereo: bool) -> None: ...
    async def set_summary(self, tx: Tx, key: CallKey, summary: Summary, *, made_from: str) -> None: ...
    async def set_comment(self, tx: Tx, key: CallKey, target: str, comment_id: str) -> None: ...
    async def charge(
        self, tx: Tx, key: CallKey, kind: str, cost: Cost, *, at: datetime, possible_repeat: bool = False
    ) -> None: ...


class Promises(Protocol):
    """What has become of promises; storage.call_tasks.CallTaskStore is the real one."""

    async def set_of(self, account_id: int, call_id: int) -> Mapping[str, str]: ...


class Purse(Protocol):
    """The money limits of an account."""

    def reserve(self, cost: Cost) -> AbstractAsyncContextManager[datetime | None]:
        """Hold ``cost`` until its charge is written, so that calls at the same moment do not pass the limit together.

        None: it may be spent; otherwise nothing is held, and this is when to ask again (aware).
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPolicy:
    """What is worth a card. ``min_duration_s`` is read at each call, so that a change in the chat applies at once.

    ``quiet_before``: calls that ended before this moment (a restore) are stored without card and cost.
    """

    min_duration_s: Callable[[], Awaitable[int]]
    catchup_max_age: timedelta
    quiet_before: datetime | None = None
    first_message_after: timedelta
    recording_max_bytes: int
    operator_first: bool = True
    company: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallServices:
    """Ports of one account. ``transcriber`` and ``summariser`` are None when switched off; ``spare`` recognises for free.

    ``has_room``: may a recording be stored; ``proven``: was this delivery surely the vendor's; ``posted`` is called after a
    card was committed: the sender should look. ``notes`` where a lead of another CRM gets the summary, too;
    ``promises`` where a CRM takes tasks.
    """

    recordings: RecordingSource
    timeline: Timeline | None
    gate: VoiceGate
    transcriber: Transcriber | None
    spare: Transcriber | None
    summariser: Summariser | None
    draft: Summariser
    calls: Calls
    chat: Chat
    purse: Purse
    clock: Clock
    texts: Texts
    timezone: ZoneInfo
    data_dir: Path
    policy: CallPolicy
    has_room: Callable[[], Awaitable[bool]]
    proven: Callable[[str | None], Awaitable[bool]]
    posted: Callable[[], None]
    notes: NoteDesk | None = None
    promises: Promises | None = None
