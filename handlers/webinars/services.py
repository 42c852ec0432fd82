"""What the webinar pipelines work with, per account; built by the composition root."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from domain.attendance import Turnout, Yardstick
from domain.events import FollowUpDue
from domain.followup import Followup
from domain.messages import Destination, Message, Texts
from domain.ports import Chat, Clock, Funnel, Tx, WebinarPlatform
from domain.webinars import PageId, Reaction, Registrant, Registration, Viewer, WebinarReport
from handlers.webinars.catalogue import Catalogue


class Webinars(Protocol):
    """The rows of webinars, of who was there and of who registered; storage.webinars.WebinarStore is the real one.

    Methods that take no ``tx`` write in transactions of their own, each short, all of them safe to repeat.
    """

    async def register(
        self, tx: Tx, account_id: int, vendor: str, report: WebinarReport, *, source: str, heard_at: datetime
    ) -> int: ...
    async def begin_load(
        self, webinar_id: int, *, stored: int = 0, reread: Callable[[Sequence[str]], Sequence[Viewer]] | None = None
    ) -> None:
        """``stored`` records of an earlier try are taken up, read again by ``reread``."""
        ...

    async def add_viewers(self, webinar_id: int, viewers: Sequence[Viewer], *, first: int) -> None: ...
    async def finish_load(self, webinar_id: int, *, records: int, skipped: int, missing: int = 0) -> None: ...
    async def match(self, webinar_id: int) -> None: ...
    async def complete(self, tx: Tx, webinar_id: int) -> None: ...
    async def turnout(self, webinar_id: int) -> Turnout: ...
    async def present(self, webinar_id: int) -> Sequence[int]: ...
    async def followup(self, account_id: int, webinar_id: int) -> Followup: ...


class Registrations(Protocol):
    """Who registered; looked for by phone, then by e-mail, then made anew if there is a phone."""

    async def add_registration(
        self, tx: Tx, account_id: int, vendor: str, registration: Registration, *, source: str, heard_at: datetime,
        link: str = "", registered_by: int | None = None,
    ) -> Registrant: ...  # fmt: skip
    async def recent_registrations(
        self, tx: Tx, account_id: int, page_id: PageId, *, since: datetime, limit: int
    ) -> tuple[int, Sequence[Registrant]]:
        """How many registered on the page since then, and the newest of them first."""
        ...


class Rules(Protocol):
    """What is to happen when somebody registers; storage.rules.RuleStore is the real one."""

    async def carry_out(self, tx: Tx, account_id: int, registration_id: int, *, now: datetime) -> Reaction:
        """Once for a registration: what is to happen, the lead's status changed already. Later ones get an empty one."""
        ...


class AnyChat(Chat, Protocol):
    """Also one chat, bound or not: the answer to who asked; and only where a message is already."""

    async def post(self, tx: Tx, account_id: int, message: Message, *, private: Message | None = None) -> int:
        """``private``: what a chat of one person gets instead."""
        ...

    async def repost(self, tx: Tx, account_id: int, message: Message) -> int: ...
    async def places_of(self, tx: Tx, account_id: int, key: str) -> Sequence[Destination]:
        """Where a message under this key is already."""
        ...

    async def post_to(
        self, tx: Tx, account_id: int, destination: Destination, message: Message, *, priority: int = ...
    ) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WebinarPolicy:
    """What is worth a card. ``quiet_before``: webinars that began before this moment (a restore) are stored without one."""

    catchup_max_age: timedelta
    quiet_before: datetime | None = None
    yardstick: Yardstick = field(default_factory=Yardstick)


async def _none_wanted(_tx: Tx, _account_id: int, _webinar_id: int) -> int:
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WebinarServices:
    """Ports of one account.

    ``plan`` makes work that is due later, within a write; what was planned before is left as it is. ``digests`` makes
    that of the digests that wait for a webinar, by its row, in the same way; ``begun`` is called when they are committed.
    ``write`` commits what a step cannot: progress while it is still running. ``draw`` blocks in it: ``run_cpu`` takes it
    off the loop. ``posted`` is called after a card was committed: the sender should look. ``funnels``: of the CRMs that are
    connected, by the name that leads of theirs carry as their source.
    """

    platform: WebinarPlatform
    webinars: Webinars
    registrations: Registrations
    rules: Rules
    catalogue: Catalogue
    chat: AnyChat
    clock: Clock
    texts: Texts
    timezone: ZoneInfo
    data_dir: Path
    policy: WebinarPolicy
    plan: Callable[[Tx, int, FollowUpDue, datetime], Awaitable[bool]]
    write: Callable[[Callable[[Tx], Awaitable[int]]], Awaitable[int]]
    run_cpu: Callable[[Callable[[], object]], Awaitable[object]]
    posted: Callable[[], None]
    digests: Callable[[Tx, int, int], Awaitable[int]] = _none_wanted
    begun: Callable[[], None] = lambda: None
    funnels: Mapping[str, Funnel] = field(default_factory=dict)
