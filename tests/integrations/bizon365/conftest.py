"""A fake Bizon365 on a real socket, with a clock that tests move."""

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
from tests.ground import HandClock

TOKEN = "t0ken-0f-tests"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Everything a test of one account needs."""

    fake: Fake
    base: str
    settings: Settings
    clock: HandClock
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
    clock = HandClock(NOW)
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
