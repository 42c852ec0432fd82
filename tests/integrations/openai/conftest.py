"""A fake model server on a real socket, and the roles built as the program builds them."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web

from domain.calls import CallContext
from domain.events import Direction
from integrations.kit.vendor import Ports, Workshop
from integrations.openai import VENDOR
from integrations.openai.fake import Fake

Serve = Callable[[web.Application], Awaitable[str]]
KEY = "test-key-not-a-secret"


class FixedClock:
    """2026-11-21, a day when whisper-1 still has 97 days and gpt-4o 54."""

    def now(self) -> datetime:
        return datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

    def monotonic(self) -> float:
        return time.monotonic()


async def run_cpu(work: Callable[[], object]) -> object:
    return await asyncio.to_thread(work)


@dataclass
class Bench:
    """``ports(NAME=value, …)`` builds the roles against the fake; closed at the end of the test."""

    fake: Fake
    url: str
    workshop: Workshop
    opened: list[Ports] = field(default_factory=list)

    def ports(self, **env: str) -> Ports:
        settings = VENDOR.read_settings({"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{self.url}/v1", **env})
        assert settings is not None
        assert VENDOR.build_ports is not None
        made = VENDOR.build_ports(settings, self.workshop)
        self.opened.append(made)
        return made


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(clock=FixedClock(), data_dir=tmp_path, run_cpu=run_cpu)


@pytest.fixture
async def bench(serve: Serve, workshop: Workshop) -> AsyncIterator[Bench]:
    fake = Fake(keys=frozenset({KEY}))
    made = Bench(fake, await serve(fake.build_app()), workshop)
    yield made
    fake.release()
    for ports in made.opened:
        await ports.close()


@pytest.fixture(scope="session")
def recordings() -> Path:
    return Path(__file__).parents[1] / "audio" / "recordings"


@pytest.fixture
def context() -> CallContext:
    """Held on a Wednesday, 18 November 2026."""
    held = datetime(2026, 11, 18, 12, 0, tzinfo=ZoneInfo("Europe/Moscow"))
    return CallContext(held_at=held, direction=Direction.OUTGOING, employee_name="Александр", client_name="Ирина Павловна")
