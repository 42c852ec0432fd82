"""A fake portal on a real socket, with a clock that tests move."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from domain.calls import CallFacts
from domain.events import CallOutcome, Direction
from integrations.bitrix24.client import Client
from integrations.bitrix24.directory import Directory
from integrations.bitrix24.fake import Fake
from integrations.bitrix24.recording import Recordings, Sources
from integrations.bitrix24.settings import Settings, read_settings
from integrations.bitrix24.telephony import Telephony
from integrations.bitrix24.timeline import Timeline
from integrations.kit.vendor import Workshop
from tests.ground import HandClock

SECRET = "w3bh00k-c0de-of-tests"
WAV = b"RIFF\x24\x08\x00\x00WAVEfmt " + bytes(range(256)) * 40
NOW = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Everything a test of one portal needs."""

    fake: Fake
    base: str
    settings: Settings
    clock: HandClock
    client: Client
    telephony: Telephony
    timeline: Timeline
    directory: Directory
    workshop: Workshop


@pytest.fixture
async def shop(serve: Callable[[web.Application], Awaitable[str]], tmp_path: Path) -> AsyncIterator[Shop]:
    fake = Fake(secret=SECRET)
    base = await serve(fake.build_app())
    settings = read_settings({"BITRIX24_WEBHOOK_URL": fake.webhook_url(base)})
    assert settings is not None
    clock = HandClock(NOW)
    client = Client(settings, clock, sleep=clock.sleep)
    yield Shop(
        fake=fake,
        base=base,
        settings=settings,
        clock=clock,
        client=client,
        telephony=Telephony(client, Recordings(client=client, sources=Sources(settings=settings)), clock),
        timeline=Timeline(client, settings.portal_url, clock),
        directory=Directory(client, settings.portal_url),
        workshop=Workshop(clock=clock, data_dir=tmp_path, run_cpu=_run_cpu),
    )
    await client.close()


async def _run_cpu(work: Callable[[], object]) -> object:
    return work()


def facts(**changes: object) -> CallFacts:
    """Facts of an answered incoming call, with some of them changed."""
    known: dict[str, object] = {
        "call_id": "A1.1.1",
        "vendor_row_id": "1",
        "direction": Direction.INCOMING,
        "outcome": CallOutcome.ANSWERED,
        "failed_code": "200",
        "client_phone": "+79001234567",
        "line": "reg133788",
        "employee_id": "12",
        "started_at": NOW,
        "duration_s": 135,
    }
    return CallFacts(**(known | changes))  # type: ignore[arg-type]
