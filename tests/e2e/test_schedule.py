"""The clockwork of the leader: when things happen for the first time, and that they end without a word."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot import schedule as module
from bot.schedule import Schedule
from tests.e2e.hour import Hour, open_hour


@pytest.fixture
async def hour(tmp_path: Path) -> AsyncIterator[Hour]:
    async with open_hour(tmp_path) as opened:
        yield opened


async def test_a_process_that_lives_for_minutes_tidies_and_reconciles(hour: Hour) -> None:
    schedule = Schedule(hour.services)
    schedule.start()
    try:
        now = datetime.now(hour.services.settings.timezone)
        first = {job.name: job.next_run_time - now for job in schedule._scheduler.get_jobs()}
    finally:
        await schedule.stop()
    assert {name for name, after in first.items() if after > timedelta(minutes=2)} == set()
    assert first["_tidy"] > timedelta(seconds=100)  # after the rush of the start
    assert first["_reconcile"] > timedelta(seconds=100)


async def test_a_job_that_is_under_way_ends_without_an_error(
    hour: Hour, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begun, ended = asyncio.Event(), list[str]()

    async def slow(_: Schedule) -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)  # what lets go of a connection needs a moment
            ended.append("poll")

    monkeypatch.setattr(Schedule, "_poll", slow)
    schedule = Schedule(hour.services)
    schedule.start()
    await asyncio.wait_for(begun.wait(), 60)
    await schedule.stop()
    await hour.town.until(lambda: ended == ["poll"])
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_job_that_was_only_handed_over_ends_without_an_error(
    hour: Hour, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    schedule = Schedule(hour.services)
    schedule.start()
    schedule._scheduler.wakeup()  # the poll is due: its task exists and has not begun
    await schedule.stop()
    await asyncio.sleep(0.05)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_job_that_fails_is_logged_and_comes_again(
    hour: Hour, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    times = list[int]()

    async def broken(_: Schedule) -> None:
        times.append(1)
        raise OSError("the disk is gone")

    monkeypatch.setattr(module, "POLL", timedelta(seconds=0.05))
    monkeypatch.setattr(Schedule, "_poll", broken)
    schedule = Schedule(hour.services)
    schedule.start()
    await hour.town.until(lambda: len(times) > 1)
    await schedule.stop()
    assert "the disk is gone" in caplog.text
