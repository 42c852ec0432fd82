"""The desk over a real database, seeded calls, and golden texts of screens."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.telegram.render import render
from domain.errors import SvodkaError
from domain.events import Event
from domain.messages import ButtonKind, Message, as_text, iter_lines
from domain.webhooks import HookStanding, HookState
from handlers.checks.desk import Audience, Listener, Report
from handlers.desk import Desk, PartHealth, Rendered
from handlers.texts import load_texts
from handlers.wording import Reader
from storage.destinations import Destinations
from storage.engine import Database
from storage.people import People
from storage.posts import StoredChat
from storage.work import WorkStore
from tests.ground import HandClock, clock, database, lite  # noqa: F401  fixtures are found by their names here
from tests.handlers.chat import MANAGER, OWNER, PRIVATE_CHAT, Talk
from tests.handlers.paper import Paper
from tests.handlers.seed import seed_accounts

MOSCOW = ZoneInfo("Europe/Moscow")
GOLDENS = Path(__file__).parent / "goldens"
PHONE_WIDTH = 38
Golden = Callable[[str, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    with suppress(ValueError):  # a conftest above may know it already
        parser.addoption("--update-goldens", action="store_true", help="write goldens anew; read them in the diff")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """``golden(name, text)``: equal to goldens/name.txt."""

    def check(name: str, text: str) -> None:
        path = GOLDENS / f"{name}.txt"
        if request.config.getoption("--update-goldens", default=False):
            path.write_text(text + "\n", encoding="utf-8")
        assert text + "\n" == path.read_text(encoding="utf-8")

    return check


def look(message: Message) -> str:
    """A screen as a person sees it, buttons in brackets with what they carry."""
    sections = [as_text(Message(key="", sections=(section,))) for section in message.sections]
    rows = [
        " ".join(f"[{b.text}{'' if b.kind is ButtonKind.ACTION else f' ({b.kind})'} → {b.target}]" for b in row)
        for row in message.buttons
    ]
    files = [f"{{{file.kind}: {file.name} | {file.caption}}}" for file in message.files]
    return "\n\n".join([*sections, *files, *(["\n".join(rows)] if rows else [])])


def longest_word(message: Message) -> int:
    return max((len(w) for line in iter_lines(message) for s in line.spans for w in s.text.split()), default=0)


@pytest.fixture
def reader(clock: HandClock) -> Reader:  # noqa: F811
    return Reader(texts=load_texts(), now=clock.now(), zone=MOSCOW, vendors={"bitrix24": "Битрикс24"})


@dataclass
class WaitingRoom:
    """A doctor who examines nobody: the test says how it went."""

    asked: list[tuple[int, str]] = field(default_factory=list)
    listener: Listener | None = None
    audience: Audience | None = None
    kept: Report | None = None

    def begin(self, account_id: int, only: str, listener: Listener) -> bool:
        if self.listener is not None:
            return False
        self.asked.append((account_id, only))
        self.listener = listener
        return True

    def report(self, account_id: int, name: str) -> Report | None:
        return self.kept if self.kept is not None and (account_id, name) == (1, self.kept.name) else None

    async def price(self) -> int:
        return 12_000

    def rehearse(self, account_id: int, audience: Audience) -> bool:
        if self.audience is not None:
            return False
        self.audience = audience
        return True

    async def begun(self) -> None:
        assert self.listener is not None
        await self.listener.begun()

    async def end(self, report: Report | None) -> None:
        assert self.listener is not None
        listener, self.listener, self.kept = self.listener, None, report
        await (listener.ended(report) if report is not None else listener.broken())


@dataclass
class Stage:
    """What stands behind the desk in tests."""

    parts: list[PartHealth] = field(default_factory=list)
    replayed: list[int] = field(default_factory=list)
    submitted: list[Event] = field(default_factory=list)
    full: bool = False
    woken: int = 0
    doctor: WaitingRoom = field(default_factory=WaitingRoom)
    standing: HookStanding | SvodkaError = field(default_factory=lambda: HookStanding(state=HookState.ON))
    subscribed: list[str] = field(default_factory=list)
    paper: Paper = field(default_factory=Paper)

    async def subscribe(self, vendor: str) -> HookStanding:
        self.subscribed.append(vendor)
        if isinstance(self.standing, SvodkaError):
            raise self.standing
        return self.standing


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def desk(lite: Database, clock: HandClock, stage: Stage, tmp_path: Path) -> Desk:  # noqa: F811
    works = WorkStore(lite)

    async def replay(work_id: int) -> int | None:
        stage.replayed.append(work_id)
        return await works.replay(work_id, clock.now())

    async def health() -> list[PartHealth]:
        return stage.parts

    async def submit(_: int, event: Event) -> bool:
        if event in stage.submitted:  # one object is one work
            return False
        stage.submitted.append(event)
        return True

    async def has_room() -> bool:
        return not stage.full

    def wake() -> None:
        stage.woken += 1

    return Desk(
        database=lite,
        clock=clock,
        texts=load_texts(),
        data_dir=tmp_path,
        timezone=lambda _: MOSCOW,
        posts=StoredChat(clock),
        people=People(lite, clock),
        destinations=Destinations(lite, clock),
        render=as_arguments,
        gather=stage.paper,
        replay=replay,
        health=health,
        version="0.1.0",
        submit=submit,
        doctor=stage.doctor,
        subscribe=stage.subscribe,
        has_room=has_room,
        wake=wake,
    )


def as_arguments(message: Message) -> Rendered:
    shown = render(message)
    return {"text": shown.text, "entities": shown.entities, "reply_markup": shown.keyboard}


@pytest.fixture
async def owner(desk: Desk) -> Talk:
    await seed_accounts(desk.database)
    await desk.people.let_in(1, (PRIVATE_CHAT,))
    return Talk(desk, OWNER)


@pytest.fixture
async def manager(desk: Desk) -> Talk:
    await seed_accounts(desk.database)
    return Talk(desk, MANAGER)
