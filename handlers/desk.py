"""The desk: everything the bot answers people from, built once by the composition root."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, cast
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.events import Event
from domain.messages import Destination, Message, Texts
from domain.ports import Clock, Tx
from domain.webhooks import HookStanding
from handlers.checks.desk import Doctor
from handlers.crm.desk import StageDesk
from handlers.crm.noting import NoteDesk
from handlers.digests.services import Gather
from handlers.directory.desk import DirectoryDesk
from handlers.exports.desk import ExportDesk
from handlers.tasks.services import TaskServices
from handlers.webinars.desk import WebinarDesk
from handlers.wording import Reader
from storage.destinations import Destinations
from storage.engine import Database
from storage.people import People
from storage.queries.settings import min_duration_s

MIN_DURATION_VARIABLE = "CALL_MIN_DURATION_SEC"
Rendered = dict[str, Any]  # keyword arguments of a messenger's "answer" and "edit text": text, entities, reply_markup


class PartState(StrEnum):
    """``down`` may come back by itself; ``refused`` waits for a person."""

    OK = "ok"
    DOWN = "down"
    REFUSED = "refused"
    OFF = "off"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartHealth:
    """One part of the house for /status. ``title``, ``detail`` and ``hint`` are Russian; ``since`` aware UTC or unknown."""

    name: str
    title: str
    state: PartState
    since: datetime | None = None
    detail: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyLimits:
    """In micro-dollars; None: no limit."""

    day: int | None = None
    month: int | None = None


class Posts(Protocol):
    """The outbox: answers that must arrive whatever happens meanwhile, and what the chats show already."""

    async def post(self, tx: Tx, account_id: int, message: Message) -> int: ...
    async def repost(self, tx: Tx, account_id: int, message: Message) -> int: ...
    async def post_to(
        self, tx: Tx, account_id: int, destination: Destination, message: Message, *, priority: int = ...
    ) -> int: ...
    async def take_over(
        self, tx: Tx, account_id: int, destination: Destination, message: Message, message_id: int
    ) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What handlers answer from.

    ``timezone`` of an account; ``submit`` makes work of an event somebody of the team asks for, False when it is known
    already; ``has_room``: files may still be written; ``doctor`` examines the house; ``subscribe`` sets a vendor's hook;
    ``gather`` counts a digest; ``replay`` takes a work id and gives the id that will run, or None when it is running
    already; ``fixed``: settings the environment sets, which the chat cannot change; ``vendors``: their titles by name;
    ``wake`` tells the sender; ``started_at``: when the process began. ``webinars`` is None where no webinar platform is
    connected, ``notes`` where no CRM takes notes of ours, ``stages`` where no CRM is connected, ``directory`` where none
    has one. ``api_address``: where our own HTTP API answers.
    """

    database: Database
    clock: Clock
    texts: Texts
    data_dir: Path
    timezone: Callable[[int], ZoneInfo]
    posts: Posts
    people: People
    destinations: Destinations
    render: Callable[[Message], Rendered]
    replay: Callable[[int], Awaitable[int | None]]
    health: Callable[[], Awaitable[list[PartHealth]]]
    version: str
    submit: Callable[[int, Event], Awaitable[bool]]
    has_room: Callable[[], Awaitable[bool]]
    gather: Gather
    doctor: Doctor
    subscribe: Callable[[str], Awaitable[HookStanding]]
    default_min_duration_s: int = 10
    limits: MoneyLimits = field(default_factory=MoneyLimits)
    fixed: Mapping[str, str] = field(default_factory=dict)
    vendors: Mapping[str, str] = field(default_factory=dict)
    wake: Callable[[], None] = lambda: None
    api_address: str = "http://localhost:8080"
    started_at: datetime | None = None
    webinars: WebinarDesk | None = None
    notes: NoteDesk | None = None
    stages: StageDesk | None = None
    tasks: TaskServices | None = None
    exports: ExportDesk | None = None
    directory: DirectoryDesk | None = None

    def reader(self, account_id: int, *, private: bool) -> Reader:
        """Whom a screen is made for."""
        return Reader(
            texts=self.texts, now=self.clock.now(), zone=self.timezone(account_id), private=private, vendors=self.vendors
        )

    @property
    def min_duration_fixed(self) -> bool:
        """The environment sets the shortest call, so the chat cannot."""
        return MIN_DURATION_VARIABLE in self.fixed

    async def min_duration_s(self, account_id: int) -> int:
        """Calls must be longer than this many seconds: set by the environment, else in the chat, else the default."""
        if self.min_duration_fixed:
            return self.default_min_duration_s
        return await min_duration_s(self.database, account_id, self.default_min_duration_s)

    async def take_over(self, account_id: int, destination: Destination, message: Message, message_id: int) -> None:
        """Put an answer in the place of our message of this number; what comes later under its key goes there too."""

        async def job(connection: AsyncConnection) -> int:
            return await self.posts.take_over(cast("Tx", connection), account_id, destination, message, message_id)

        await self.database.write(job)
        self.wake()

    async def send(self, account_id: int, destination: Destination, message: Message) -> None:
        """Put an answer into the outbox: it is paced, tried again and survives a restart."""

        async def job(connection: AsyncConnection) -> int:
            return await self.posts.post_to(cast("Tx", connection), account_id, destination, message)

        await self.database.write(job)
        self.wake()
