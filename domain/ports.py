"""What capabilities need from the world; vendors and storage offer it, wiring joins them."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeVar

from domain.calls import CallContext, CallFacts, Cost, Parties, Recording, Summary, Transcript, VoiceCheck
from domain.crm import CrmContact, CrmLead, CrmPerson, CrmStage
from domain.directory import CardField, CardPipeline, Department, EmployeePage, HouseMapping, HousePage
from domain.events import CallEnded
from domain.messages import Message
from domain.webhooks import HookStanding
from domain.webinars import (
    SAME_SESSION,
    START,
    Bookmark,
    Entry,
    PageId,
    Registered,
    RegistrationPage,
    RegistrationRequest,
    Room,
    Subscriber,
    Viewer,
    ViewerPage,
    WebinarReport,
)

T = TypeVar("T")
R = TypeVar("R")


class Tx(Protocol):
    """A write transaction in progress. Opaque: handed from Steps to a store, never looked into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of an outward effect. ``uncertain``: an earlier try may have been carried out, and we cannot know."""

    number: int
    uncertain: bool


class Steps(Protocol):
    """The memory of one piece of work: a step that has a result is never run again.

    Results are keyed by name and small; they go through one JSON codec by their type, in memory too.
    """

    async def run(self, name: str, fn: Callable[[], Awaitable[R]], returns: type[R]) -> R:
        """A step that only reads the outside: run ``fn``, remember what it gave."""
        ...

    async def write(self, name: str, fn: Callable[[Tx], Awaitable[R]], returns: type[R]) -> R:
        """A step that writes our rows: result and rows are one commit. ``fn`` may be called twice; only rows count."""
        ...

    async def outward(
        self,
        name: str,
        fn: Callable[[Attempt], Awaitable[T]],
        record: Callable[[Tx, T], Awaitable[R]],
        returns: type[R],
        *,
        lookup: Callable[[], Awaitable[T | None]] | None = None,
        lost: Callable[[Tx], Awaitable[None]] | None = None,
    ) -> R:
        """A step that costs or is seen outside: intent is committed first, then ``fn``, then ``record`` with the result.

        Where an earlier try ended unknown, ``lookup`` is asked first: what it finds is recorded as if ``fn`` had given it,
        and None proves that nothing happened. Without a ``lookup`` the repeat is counted, ``fn`` is told, and ``lost``
        writes what that try may have cost, once, in the commit that begins the next one.
        """
        ...

    @property
    def possible_repeats(self) -> int:
        """How many outward effects of this work may have happened twice."""
        ...


class Clock(Protocol):
    """``now`` is aware UTC, ``monotonic`` seconds for pacing and time-outs."""

    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...


class RecordingSource(Protocol):
    """A telephony vendor: facts and recordings of calls."""

    async def find_call(self, call_id: str) -> CallFacts | None:
        """Our own look-up; None when the vendor does not list it (yet). VendorUnavailable, VendorRefused."""
        ...

    async def download(self, facts: CallFacts, into: Path, *, max_bytes: int) -> Recording:
        """Stream the recording to ``into``; type and size are checked. ``path`` of the result is ``into`` as given.

        VendorUnavailable, VendorRefused; VendorRefused code "not_audio" / "too_large" / "gone" ends the search.
        """
        ...


class CallJournal(Protocol):
    """A telephony vendor's list of ended calls, in order of ending: the safety net for events that never came."""

    async def newest_cursor(self) -> str:
        """The cursor that makes ``calls_after`` give nothing now: where a new connection starts."""
        ...

    async def calls_after(self, cursor: str) -> tuple[Sequence[CallEnded], str]:
        """At most one page of calls after the cursor, oldest first, and the next cursor (the same when none)."""
        ...

    async def calls_between(self, since: datetime, until: datetime) -> Sequence[CallEnded]:
        """Every call that started in [since, until), for the daily reconciliation."""
        ...


class Timeline(Protocol):
    """A CRM's card history. A target is (entity type, id), for example ("deal", "42")."""

    async def target(self, facts: CallFacts) -> tuple[str, str] | None: ...
    async def find_comment(self, target: tuple[str, str], marker: str) -> str | None:
        """Id of our comment that carries ``marker``, or None."""
        ...

    async def add_comment(self, target: tuple[str, str], text: str) -> str:
        """Plain text (markup of the vendor is escaped). Returns the comment's id. Not repeated inside."""
        ...

    async def update_comment(self, comment_id: str, target: tuple[str, str], text: str) -> None: ...
    async def parties(self, facts: CallFacts) -> Parties:
        """Names for the card; whatever cannot be had stays empty (never raises VendorRefused)."""
        ...


class WebinarPlatform(Protocol):
    """A webinar platform: reports of sessions, and registration. Every method: VendorUnavailable, VendorRefused."""

    async def reports(self, *, since: datetime | None, limit: int) -> Sequence[WebinarReport]:
        """At most ``limit`` sessions, newest first; those listed before ``since`` are left out."""
        ...

    async def report(self, external_id: str) -> WebinarReport | None:
        """One session; None when the platform has no report of it (yet)."""
        ...

    def viewers(self, external_id: str, *, since: Bookmark = START) -> AsyncGenerator[ViewerPage, None]:
        """Page after page, within the platform's pace. An empty report is one empty page; NotReady: none yet.

        ``since``: the bookmark of the page after which an earlier reading broke off.
        """
        ...

    def reread(self, external_id: str, raw: Sequence[str]) -> Sequence[Viewer]:
        """Records that were kept whole, as ``viewers`` gave them. Asks nobody."""
        ...

    def entry_of(self, url: str) -> Entry:
        """What an address with a host is here, by its form. Asks nobody."""
        ...

    async def rooms(self) -> Sequence[Room]:
        """The rooms there are, for choosing from; some platforms tell only those that have held a webinar."""
        ...

    async def pages(self) -> Sequence[RegistrationPage]:
        """All registration pages, as the platform orders them."""
        ...

    def subscribers(
        self, page_id: PageId, *, session_at: datetime | None = None, apart: timedelta = SAME_SESSION
    ) -> AsyncIterator[Sequence[Subscriber]]:
        """Everybody registered on a page, for the sessions less than ``apart`` from one if given, page after page."""
        ...

    async def register(self, request: RegistrationRequest) -> Registered:
        """Not repeated inside; ``uncertain`` after a time-out: look for them with ``find_subscriber`` first."""
        ...

    async def find_subscriber(self, page_id: PageId, email: str, *, session_at: datetime | None) -> Subscriber | None:
        """Whether somebody is registered already."""
        ...


class Funnel(Protocol):
    """A CRM's funnel, for leads that came from it."""

    async def move(self, lead_id: str, status: str, *, also: Collection[tuple[str, str]] = ()) -> None:
        """Bring the CRM's lead to the status that its people call so; moved twice it is where it was moved once.

        ``also``: stages (pipeline, stage) that the team has said to be this status, whatever the CRM calls them.
        VendorUnavailable; VendorRefused where there is no such status or lead.
        """
        ...


class CrmPlatform(Protocol):
    """A CRM that can be asked. Every method: VendorUnavailable, VendorRefused."""

    async def leads(self, ids: Sequence[str]) -> Sequence[CrmLead]:
        """Those that are there, with ids of their contacts; a deleted one is left out."""
        ...

    async def contacts(self, ids: Sequence[str]) -> Sequence[CrmContact]:
        """Those that are there, with phones and e-mails."""
        ...

    def changed_since(self, since: datetime) -> AsyncGenerator[Sequence[CrmLead], None]:
        """Page after page of leads changed at or after ``since``, the oldest change first."""
        ...

    def contacts_changed_since(self, since: datetime) -> AsyncGenerator[Sequence[CrmContact], None]:
        """The same of contacts."""
        ...

    def deleted_since(self, since: datetime) -> AsyncGenerator[Sequence[CrmLead], None]:
        """The same of deleted leads, of which only the number and the time are told; nothing where they are not listed."""
        ...

    async def find_by_phone(self, phone: str) -> Sequence[CrmContact]:
        """Contacts with this very number, however it is written on either side."""
        ...

    async def stages(self) -> Sequence[CrmStage]:
        """All stages of all pipelines, in the CRM's order."""
        ...

    async def people(self) -> Sequence[CrmPerson] | None:
        """Who works in the CRM; None where we may not see it."""
        ...

    async def find_note(self, lead_id: str, marker: str) -> str | None:
        """Id of our note that carries ``marker``, or None."""
        ...

    async def add_note(self, lead_id: str, text: str) -> str:
        """Not repeated inside; returns the note's id. ``uncertain`` after a time-out: ``find_note`` first."""
        ...


class Directory(Protocol):
    """A CRM's houses, people and departments. Every method: VendorUnavailable, VendorRefused (with the missing right).

    Lists come page by page, each page one request: who reads them keeps the cursor, and after a failure goes on from it.
    """

    async def fields(self) -> Sequence[CardField]:
        """Every field that a deal's card has, in the CRM's order; two may have one label."""
        ...

    async def pipelines(self) -> Sequence[CardPipeline]:
        """All pipelines of deals, the default one first."""
        ...

    async def houses(self, mapping: HouseMapping, *, fields: Sequence[CardField], cursor: str = "") -> HousePage:
        """At most one page, by growing id. ``fields``: as ``fields`` gave them, so that no list's value stays a number."""
        ...

    async def employees(self, *, cursor: str = "") -> EmployeePage:
        """At most one page of who works there or was fired; bots and guests are none of them."""
        ...

    async def departments(self) -> Sequence[Department]:
        """All of them; a parent may come after its children."""
        ...


class HookBook(Protocol):
    """The addresses that a vendor tells of changes, where they can be set. VendorUnavailable, VendorRefused."""

    async def look(self, ours: Sequence[str]) -> HookStanding:
        """How it stands with the address of ours. ``ours``: all by which we can be told, the newest first."""
        ...

    async def subscribe(self, ours: Sequence[str]) -> HookStanding:
        """Have the first one told of everything, in the place of older ones of ours; how it stands afterwards."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """Tokens of OAuth. The refresh token works once."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPair:
    """``version`` grows with every pair; ``revoked``: a person has to connect anew."""

    pair: TokenPair
    version: int
    renewed_at: datetime
    revoked: bool = False


class TokenStore(Protocol):
    """One connection's tokens, encrypted, shared by all processes."""

    async def read(self) -> StoredPair | None: ...
    async def claim(self, version: int, *, now: datetime, until: datetime) -> bool:
        """Whether we, and nobody else until then, may renew the pair of this version."""
        ...

    async def release(self, version: int) -> None:
        """Give the claim back: nothing came of it."""
        ...

    async def save(self, pair: TokenPair, *, now: datetime, after: int | None) -> None:
        """The new pair, on disk when this returns; ``after``: the version it takes the place of, None for any."""
        ...

    async def revoke(self, version: int) -> None:
        """The pair of this version is of no use any more."""
        ...


class VoiceGate(Protocol):
    """Is there speech at all? Runs on our own CPU, before anything is paid."""

    async def check(self, audio: Path) -> VoiceCheck: ...


class Transcriber(Protocol):
    """Speech to text."""

    @property
    def model(self) -> str: ...
    @property
    def paid(self) -> bool: ...
    def estimate(self, duration_s: float) -> Cost: ...
    async def transcribe(self, audio: Path, check: VoiceCheck, *, name: str, operator_first: bool) -> Transcript:
        """``name`` is the file name shown to the model; ``operator_first``: the left channel is ours.

        VendorUnavailable (``uncertain`` after a time-out), VendorRefused.
        """
        ...


class Summariser(Protocol):
    """Transcript to summary."""

    @property
    def model(self) -> str: ...
    @property
    def paid(self) -> bool: ...
    @property
    def version(self) -> str:
        """Changes when the same transcript would give another summary: prompt and schema."""
        ...

    def estimate(self, transcript: Transcript) -> Cost: ...
    async def summarise(self, transcript: Transcript, context: CallContext) -> Summary: ...


class Chat(Protocol):
    """What the chats should show."""

    async def post(self, tx: Tx, account_id: int, message: Message) -> int:
        """Want ``message`` in every destination that takes its kind; returns how many. Writing the same twice is nothing."""
        ...
