"""The runner and its services among the fakes, without HTTP and Telegram, under a clock that skips hours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from bot.entrance import ACCOUNT
from bot.http.ingress import seed_of
from bot.keys import load_keys
from bot.services import Services, build_services
from bot.settings import read_settings
from domain.messages import Message, as_text
from domain.webhooks import Delivery
from integrations.bitrix24.fake_portal import FakeCall
from storage.codec import loads
from storage.destinations import Destinations
from storage.engine import Database
from storage.models import posts, work
from tests.e2e.town import Town, open_town
from tests.ground import ShiftedClock, lay


@dataclass
class Hour:
    """The runner among fakes, without HTTP and Telegram: what the chats should show is read from ``posts``."""

    town: Town
    services: Services
    clock: ShiftedClock

    async def hears_of(self, call: FakeCall) -> None:
        endpoint = self.services.hooks.default("bitrix24")
        assert endpoint is not None
        body = self.town.portal.event_body(call)
        delivery = Delivery(method="POST", path="/", query="", headers={}, body=body, received_at=self.clock.now())
        (event,) = endpoint.receiver.parse(delivery).events
        seed = seed_of(event)
        await self.services.work.add(
            account_id=ACCOUNT, kind="call", object_=seed.object, payload=seed.payload, source="hook", now=self.clock.now()
        )
        self.services.runner.wake()

    async def pass_seconds(self, seconds: float) -> None:
        """Time goes by in steps, and after each the runner has a moment to act."""
        for _ in range(int(seconds / 30)):
            self.clock.shift += 30
            self.services.runner.wake()
            await asyncio.sleep(0.01)
        await self.quiet()

    async def quiet(self) -> None:
        """Until nothing runs and nothing that is due waits to be taken."""
        async with asyncio.timeout(120):
            while True:
                self.services.runner.wake()
                await asyncio.sleep(0.01)
                if self.services.runner.running == 0 and not await self._due():
                    return

    async def _due(self) -> bool:
        busy = (work.c.state == "running") | ((work.c.state == "ready") & (work.c.due_at <= self.clock.now()))
        async with self.services.database.read() as connection:
            return await connection.scalar(select(work.c.id).where(busy).limit(1)) is not None

    async def shown(self) -> list[Message]:
        async with self.services.database.read() as connection:
            rows = await connection.scalars(select(posts.c.content).order_by(posts.c.id))
            return [loads(Message, row) for row in rows]

    async def cards(self) -> list[str]:
        return [as_text(message) for message in await self.shown() if message.kind == "call"]

    async def notices(self) -> list[str]:
        return [as_text(message).splitlines()[0] for message in await self.shown() if message.kind == "notice"]


@asynccontextmanager
async def open_hour(folder: Path, **environment: str) -> AsyncIterator[Hour]:
    async with open_town(folder, **environment) as town:
        settings = read_settings(town.environment)
        settings.data_dir.mkdir(parents=True)
        await lay(settings.data_dir / "svodka.db")
        database = Database(settings.db_url)
        database.open()
        clock = ShiftedClock()
        services = await build_services(settings, load_keys(settings), database, clock)
        assert settings.telegram is not None
        await Destinations(database, clock).set_from_environment(ACCOUNT, settings.telegram.target)
        running = asyncio.create_task(services.runner.run())
        yield Hour(town, services, clock)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await services.runner.stop()
        await services.close()
