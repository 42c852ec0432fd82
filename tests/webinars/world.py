"""An in-memory world for the webinar pipelines: a platform, rows, and chats that keep what they were told."""

from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from domain.attendance import Turnout
from domain.errors import VendorUnavailable
from domain.events import FollowUpDue, WebinarEnded
from domain.followup import Followup
from domain.messages import Destination, Message
from domain.people import phone_key
from domain.ports import Tx
from domain.webinars import (
    SAME_SESSION,
    START,
    Bookmark,
    MatchedBy,
    PageId,
    Reaction,
    Registered,
    Registrant,
    Registration,
    RegistrationPage,
    RegistrationRequest,
    Room,
    RoomId,
    Subscriber,
    Viewer,
    ViewerPage,
    WebinarReport,
)
from domain.work import WorkItem
from handlers.texts import load_texts
from handlers.webinars.catalogue import Catalogue
from handlers.webinars.services import WebinarPolicy, WebinarServices
from tests.calls.world import Crash
from tests.ground import HandClock

PICTURE = b"\x89PNG of a test"
WEBINAR = "111222:abc*2026-11-20T13:00:00"
REPORT = WebinarReport(
    external_id=WEBINAR,
    room_id=RoomId("111222:abc"),
    title="Как выбрать квартиру",
    started_at=datetime(2026, 11, 20, 10, tzinfo=UTC),
    minutes=95,
    created_at=datetime(2026, 11, 20, 11, 40, tzinfo=UTC),
)
TURNOUT = Turnout(
    registered=2350, came=1402, attended=1211, stayed=422, long=810, matched=980, unmatched=422, no_phone=100,
    hot=120, warm=300, no_show=948,
)  # fmt: skip


@dataclass
class MemoryWebinars:
    """The rows of webinars; viewers by their position, so that a page stored twice is stored once."""

    row: dict[str, Any] = field(default_factory=dict)
    viewers: dict[int, Viewer] = field(default_factory=dict)
    gathered: list[Viewer] = field(default_factory=list)
    figures: Turnout = TURNOUT
    matched: int = 0
    called: Followup = field(default_factory=Followup)

    async def register(self, tx: Tx, account_id: int, vendor: str, report: WebinarReport, **values: Any) -> int:
        self.row |= values | {"report": report, "state": "pending"}
        return 7

    async def begin_load(
        self, webinar_id: int, *, stored: int = 0, reread: Callable[[Sequence[str]], Sequence[Viewer]] | None = None
    ) -> None:
        self.row["state"] = "loading"
        assert reread is not None
        self.gathered = list(reread([self.viewers[place].raw for place in range(stored)]))

    async def add_viewers(self, webinar_id: int, viewers: Sequence[Viewer], *, first: int) -> None:
        assert len(self.gathered) == first
        self.gathered += viewers
        self.viewers |= dict(enumerate(viewers, first))

    async def finish_load(self, webinar_id: int, *, records: int, skipped: int, missing: int = 0) -> None:
        assert [viewer.raw for viewer in self.gathered] == [self.viewers[place].raw for place in range(records)]
        self.row |= {"records": records, "skipped": skipped, "missing": missing}

    async def match(self, webinar_id: int) -> None:
        self.matched = len(self.viewers)

    async def complete(self, tx: Tx, webinar_id: int) -> None:
        self.row["state"] = "complete"

    async def turnout(self, webinar_id: int) -> Turnout:
        return self.figures

    async def present(self, webinar_id: int) -> Sequence[int]:
        return [3, 5, 4]

    async def followup(self, account_id: int, webinar_id: int) -> Followup:
        return self.called


@dataclass
class MemoryRegistrations:
    """Who registered, and who is known already: by phone, by e-mail."""

    known: dict[str, MatchedBy] = field(default_factory=dict)
    rows: list[tuple[PageId, Registrant]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)

    async def add_registration(
        self, tx: Tx, account_id: int, vendor: str, registration: Registration, *, source: str, heard_at: datetime,
        link: str = "", registered_by: int | None = None,
    ) -> Registrant:  # fmt: skip
        phone = phone_key(registration.phone) or ""
        found = self.known.get(phone) or self.known.get(registration.email) or MatchedBy.NONE
        person = Registrant(
            id=len(self.rows) + 1,
            name=registration.name,
            email=registration.email,
            phone=phone,
            session_at=registration.session_at,
            matched_by=found,
            created=found is MatchedBy.NONE and phone != "",
            registered_at=heard_at,
        )
        self.rows.append((registration.sublist_id, person))
        self.links.append(link)
        return person

    async def recent_registrations(
        self, tx: Tx, account_id: int, page_id: PageId, *, since: datetime, limit: int
    ) -> tuple[int, Sequence[Registrant]]:
        mine = [person for page, person in self.rows if page == page_id and person.registered_at >= since]
        return len(mine), mine[::-1][:limit]


@dataclass
class MemoryRules:
    """One rule for all, and which registrations it was carried out for."""

    rule: Reaction = field(default_factory=Reaction)
    done: set[int] = field(default_factory=set)

    async def carry_out(self, tx: Tx, account_id: int, registration_id: int, *, now: datetime) -> Reaction:
        if registration_id in self.done:
            return Reaction()
        self.done.add(registration_id)
        return self.rule


@dataclass
class MemoryFunnel:
    """A CRM. ``away``: so often it does not answer."""

    moved: list[tuple[str, str]] = field(default_factory=list)
    away: int = 0

    async def move(self, lead_id: str, status: str) -> None:
        if self.away:
            self.away -= 1
            raise VendorUnavailable("crm", "move", "503")
        self.moved.append((lead_id, status))


@dataclass
class World:
    """A platform that does as told. ``fails`` names calls that fail so often before they succeed."""

    clock: HandClock
    data_dir: Path
    report_: WebinarReport | None = REPORT
    sizes: tuple[int, ...] = (1000, 1000, 350)
    fails: dict[str, list[Exception]] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    posts: dict[str, Message] = field(default_factory=dict)
    own: dict[str, Message] = field(default_factory=dict)  # what a chat of one person has under the same keys
    revisions: list[Message] = field(default_factory=list)
    answers: dict[str, tuple[Destination, Message]] = field(default_factory=dict)
    told: dict[int, Message] = field(default_factory=dict)  # the newest answer in each chat
    waiting: Sequence[Destination] = ()  # chats where «Записываю» stands
    webinars: MemoryWebinars = field(default_factory=MemoryWebinars)
    registrations: MemoryRegistrations = field(default_factory=MemoryRegistrations)
    rules: MemoryRules = field(default_factory=MemoryRules)
    funnel: MemoryFunnel = field(default_factory=MemoryFunnel)
    requested: list[RegistrationRequest] = field(default_factory=list)
    room: str = ""  # of the registration page
    enrolled: list[Subscriber] = field(default_factory=list)
    dies: bool = False
    page_takes_s: float = 1.0
    planned: list[tuple[FollowUpDue, datetime]] = field(default_factory=list)
    total_says: int = 0
    quiet_before: datetime | None = None

    def _happen(self, name: str) -> None:
        if self.fails.get(name):
            raise self.fails[name].pop(0)
        self.seen[name] += 1

    async def report(self, external_id: str) -> WebinarReport | None:
        self._happen("report")
        return self.report_

    async def viewers(self, external_id: str, *, since: Bookmark = START) -> AsyncGenerator[ViewerPage, None]:
        self._happen("viewers")
        total = self.total_says or sum(self.sizes)
        for number, size in enumerate(self.sizes):
            skip = sum(self.sizes[: number + 1])
            if skip <= since.skip:
                continue
            self._happen(f"viewers:{number}")
            self.clock.forward(self.page_takes_s)
            viewers = tuple(Viewer(raw=f'{{"page": {number}, "n": {n}}}') for n in range(size))
            bookmark = Bookmark(skip=skip, opening=str(number))
            yield ViewerPage(viewers=viewers, total=total, skipped=int(number == 0), bookmark=bookmark)

    def reread(self, external_id: str, raw: Sequence[str]) -> Sequence[Viewer]:
        self.seen["reread"] += len(raw)
        return [Viewer(raw=one) for one in raw]

    async def pages(self) -> Sequence[RegistrationPage]:
        self._happen("pages")
        return (RegistrationPage(page_id=PageId("111222:page"), title="Открытый урок", room_id=RoomId(self.room)),)

    async def subscribers(
        self, page_id: PageId, *, session_at: datetime | None = None, apart: timedelta = SAME_SESSION
    ) -> AsyncGenerator[Sequence[Subscriber], None]:
        self._happen("subscribers")
        assert session_at is not None
        yield [one for one in self.enrolled if one.session_at is not None and abs(one.session_at - session_at) < apart]

    async def rooms(self) -> Sequence[Room]:
        return (Room(room_id=RoomId("111222:abc"), title="Зал"),)

    async def register(self, request: RegistrationRequest) -> Registered:
        self._happen("register")
        self.requested.append(request)
        if self.dies:
            self.dies = False
            raise Crash("register")
        return Registered(key="s1", link="https://start.example/room?u=1")

    async def find_subscriber(self, page_id: PageId, email: str, *, session_at: datetime | None) -> Subscriber | None:
        self._happen("find_subscriber")
        return next((Subscriber(key="s1", email=one.email) for one in self.requested if one.email == email), None)

    async def post(self, tx: Tx, account_id: int, message: Message, *, private: Message | None = None) -> int:
        if self.posts.get(message.key) != message:
            self.revisions.append(message)
        self.posts[message.key] = message
        self.own[message.key] = private or message
        return 1

    async def repost(self, tx: Tx, account_id: int, message: Message) -> int:
        return await self.post(tx, account_id, message) if message.key in self.posts else 0

    async def post_to(
        self, tx: Tx, account_id: int, destination: Destination, message: Message, *, priority: int = 10
    ) -> int:
        self.answers[message.key] = (destination, message)
        self.told[destination.chat_id] = message
        return 1

    async def places_of(self, tx: Tx, account_id: int, key: str) -> Sequence[Destination]:
        return self.waiting

    async def plan(self, tx: Tx, account_id: int, event: FollowUpDue, due_at: datetime) -> bool:
        if event.external_id in {known.external_id for known, _ in self.planned}:
            return False
        self.planned.append((event, due_at))
        return True

    async def write(self, job: Callable[[Tx], Awaitable[int]]) -> int:
        return await job(object())

    async def run_cpu(self, work: Callable[[], object]) -> object:
        """Pictures are drawn in ``test_drawing`` and ``test_charts``; here it matters when, and for whom."""
        self.seen["draw"] += 1
        return PICTURE

    def services(self) -> WebinarServices:
        return WebinarServices(
            platform=self,  # type: ignore[arg-type]  # what these tests need of it
            webinars=self.webinars,
            registrations=self.registrations,
            rules=self.rules,
            funnels={"crm": self.funnel},
            catalogue=Catalogue(self, self.clock),  # type: ignore[arg-type]  # likewise
            chat=self,
            clock=self.clock,
            texts=load_texts(),
            timezone=ZoneInfo("Europe/Moscow"),
            data_dir=self.data_dir,
            policy=WebinarPolicy(catchup_max_age=timedelta(hours=24), quiet_before=self.quiet_before),
            plan=self.plan,
            write=self.write,
            run_cpu=self.run_cpu,
            posted=lambda: self.seen.update(["posted"]),
        )

    def item(self, *, source: str = "hook", generation: int = 1, heard_at: datetime | None = None) -> WorkItem[WebinarEnded]:
        event = WebinarEnded(vendor="bizon365", external_id=WEBINAR, occurred_at=None)
        return WorkItem(
            id=1,
            account_id=1,
            kind="webinar",
            object=f"bizon365:{WEBINAR}",
            generation=generation,
            event=event,
            source=source,
            delivery_id="d1",
            heard_at=heard_at or self.clock.now(),
            failures=0,
        )
