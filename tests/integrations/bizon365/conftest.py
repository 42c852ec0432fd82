"""A fake Bizon365 on a real socket, with a clock that tests move."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from integrations.bizon365.client import Client
from integrations.bizon365.fake import Fake
from integrations.bizon365.platform import Webinars
from integrations.bizon365.settings import Settings, read_settings
from integrations.kit.vendor import Workshop

TOKEN = "t0ken-0f-tests"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class MovedClock:
    """Stands still until ``advance`` or somebody's ``sleep``."""

    def __init__(self) -> None:
        self.at = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime.fromtimestamp(NOW.timestamp() + self.at, UTC)

    def monotonic(self) -> float:
        return 1000.0 + self.at

    def advance(self, seconds: float) -> None:
        self.at += seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Everything a test of one account needs."""

    fake: Fake
    base: str
    settings: Settings
    clock: MovedClock
    client: Client
    webinars: Webinars
    workshop: Workshop


@pytest.fixture
async def shop(
    serve: Callable[[web.Application], Awaitable[str]], tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Shop]:
    """API v2; ``@pytest.mark.parametrize("shop", ["v1"], indirect=True)`` for the old one."""
    fake = Fake(token=TOKEN)
    base = await serve(fake.build_app())
    version = getattr(request, "param", "v2")
    project = {"BIZON365_PROJECT_ID": fake.project_id} if version == "v2" else {}
    settings = read_settings({"BIZON365_TOKEN": f" {TOKEN} ", "BIZON365_BASE_URL": base} | project)
    assert settings is not None
    clock = MovedClock()
    client = Client(settings, clock, sleep=clock.sleep)

    async def run_cpu(work: Callable[[], object]) -> object:
        return work()

    yield Shop(
        fake=fake,
        base=base,
        settings=settings,
        clock=clock,
        client=client,
        webinars=Webinars(client, settings, clock),
        workshop=Workshop(clock=clock, data_dir=tmp_path, run_cpu=run_cpu),
    )
    await client.close()
