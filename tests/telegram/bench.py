"""A strict local Telegram on a real socket, our sender and worker against it, and a database of the test's own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from aiogram import Bot
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.telegram.courier import BotCourier
from bot.telegram.notices import Notice, NoticeKind
from bot.telegram.sender import Sender
from bot.telegram.session import Session
from domain.messages import Destination, Message, Section, plain
from domain.ports import Tx
from sandbox.telegram import TelegramDouble
from sandbox.telegram.clock import Clocks
from storage.destinations import Destinations
from storage.engine import Database
from storage.models import accounts, metadata, posts
from storage.outbox import FLOOD, Outbox
from storage.posts import ROUTINE, StoredChat
from tests.conftest import Serve
from tests.ground import ShiftedClock, until


def note(key: str, text: str = "", **more: Any) -> Message:
    """A message of one line."""
    return Message(key=key, sections=(Section(lines=(plain(text or key),)),), **more)


@dataclass(slots=True)
class Bench:
    """A sender over a database, the double it talks to, and what it told."""

    double: TelegramDouble
    url: str
    database: Database
    clock: ShiftedClock
    data_dir: Path
    chat: StoredChat
    outbox: Outbox
    destinations: Destinations
    session: Session
    bot: Bot
    sender: Sender
    notices: list[Notice] = field(default_factory=list)

    async def post(self, message: Message, account_id: int = 1) -> int:
        async def job(connection: AsyncConnection) -> int:
            return await self.chat.post(cast("Tx", connection), account_id, message)

        count = await self.database.write(job)
        self.sender.wake()
        return count

    async def post_to(
        self, chat_id: int, message: Message, *, topic_id: int | None = None, priority: int = ROUTINE, wake: bool = True
    ) -> int:
        async def job(connection: AsyncConnection) -> int:
            place = Destination(chat_id=chat_id, topic_id=topic_id)
            return await self.chat.post_to(cast("Tx", connection), 1, place, message, priority=priority)

        post_id = await self.database.write(job)
        if wake:
            self.sender.wake()
        return post_id

    def pass_seconds(self, seconds: float) -> None:
        """They have passed, for the sender and for the double."""
        self.clock.shift += seconds
        self.sender.wake()

    async def row(self, post_id: int) -> Any:
        async with self.database.read() as connection:
            return (await connection.execute(select(posts).where(posts.c.id == post_id))).one()

    async def state(self, post_id: int, *states: str, seconds: float = 60.0) -> Any:
        """The row once it is in one of ``states``."""
        async with asyncio.timeout(seconds):
            while (row := await self.row(post_id)).state not in states:
                await asyncio.sleep(0.01)
        return row

    async def told(self, kind: NoticeKind) -> None:
        """Wait until the sender has given this notice, the last thing it does about its reason."""
        await until(lambda: any(notice.kind is kind for notice in self.notices))

    async def flooded(self, *post_ids: int) -> None:
        """Wait until the sender knows, and has written down, that these posts' chats want a pause."""
        for post_id in post_ids:
            async with asyncio.timeout(60):
                while (await self.row(post_id)).error != FLOOD:
                    await asyncio.sleep(0.01)

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.sender.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.sender.stop()

    def reborn(self) -> Sender:
        """Another process over the same database: nothing of the old sender's memory is left."""
        courier = BotCourier(self.bot, self.data_dir)
        self.sender = Sender(self.outbox, self.destinations, courier, self.clock, self.tell)
        return self.sender

    async def tell(self, notice: Notice) -> None:
        self.notices.append(notice)


async def open_database(path: Path) -> Database:
    database = Database(f"sqlite:///{path}")
    database.open()

    async def create(connection: AsyncConnection) -> None:
        await connection.run_sync(metadata.create_all)
        account = {"id": 1, "name": "Тест", "timezone": "Europe/Moscow", "created_at": datetime.now(UTC)}
        await connection.execute(insert(accounts).values(**account))

    await database.write(create)
    return database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(tmp_path / "test.db")
    yield opened
    await opened.close()


@pytest.fixture
async def bench(serve: Serve, tmp_path: Path, database: Database) -> AsyncIterator[Bench]:
    clock = ShiftedClock()
    clocks = Clocks(monotonic=clock.monotonic, wall=lambda: clock.now().timestamp())
    double = TelegramDouble(clocks=clocks, webhook_pause_s=0.02)
    url = await serve(double.build_app())
    session = Session(base_url=url)
    bot = Bot(double.token, session=session)
    outbox, destinations = Outbox(database, clock), Destinations(database, clock)
    notices: list[Notice] = []

    async def tell(notice: Notice) -> None:
        notices.append(notice)

    (tmp_path / "recordings").mkdir()
    sender = Sender(outbox, destinations, BotCourier(bot, tmp_path), clock, tell)
    yield Bench(
        double, url, database, clock, tmp_path, StoredChat(clock), outbox, destinations, session, bot, sender, notices
    )
    double.clear_faults()
    await hang_up(session)


async def hang_up(session: Session) -> None:
    """aiogram's own close waits a quarter of a second for TLS that is not there."""
    if session._session is not None:
        await session._session.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Shorter paces and pauses, for tests that are not about time."""

    def set_(**values: float) -> None:
        monkeypatch.setattr("bot.telegram.pacer.CHAT_INTERVAL", values.get("chat", 0.0))
        monkeypatch.setattr("bot.telegram.outage.BACKOFF", (values.get("backoff", 0.05),))
        monkeypatch.setattr("bot.telegram.settling.RETRY_PAUSES", (values.get("retry", 0.05),))

    return set_
