"""An orderly end: everything that writes ends before the database does, and the log says nothing of errors."""

import asyncio
import json
from pathlib import Path

import pytest

from bot.services import Services
from bot.telegram import part
from storage.models import counters
from tests.e2e.town import open_town


class SlowToLeave:
    """A Telegram part whose goodbye takes a while and writes, as the real one's does."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.running = asyncio.Event()
        self.left = ""

    def wake(self) -> None:
        """Nothing is sent."""

    def health(self) -> None:
        """As if it were still being loaded."""

    async def run(self) -> None:
        self.running.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.1)
            row = counters.insert().values(day="2026-11-20", name="goodbye", value=1)
            await self.services.database.write(lambda tx: tx.execute(row))
            self.left = "in order"


async def test_telegram_says_goodbye_while_the_database_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[SlowToLeave] = []

    def build(services: Services, _door: object) -> SlowToLeave:
        made.append(SlowToLeave(services))
        return made[0]

    monkeypatch.setattr(part, "build_part", build)
    async with open_town(tmp_path, LOG_FILE=str(tmp_path / "log")) as town:
        await town.start()
        await town.until(lambda: bool(made) and made[0].running.is_set())
        assert await town.stop() == 0
    assert made[0].left == "in order"
    assert "ERROR" not in (tmp_path / "log").read_text(encoding="utf-8")


async def test_a_stop_in_the_middle_of_everything_leaves_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {"LOG_FILE": str(tmp_path / "log"), "LOG_FORMAT": "json", "TELEGRAM_ADMIN_IDS": ""}
    async with open_town(tmp_path, **settings) as town:
        await town.start()
        await town.end_call()
        await town.until_card("Готово через")
        await town.end_call(phone="+79005550102")
        assert await town.stop() == 0
    said = capsys.readouterr()
    assert "/start " in said.out  # to who started us, apart from the log
    assert len(said.out.splitlines()) == 2
    lines = [json.loads(line) for line in said.err.splitlines()]  # each line of the log is JSON
    assert [line["message"] for line in lines if line["level"] not in {"INFO", "DEBUG"}] == []
    assert len(lines) > 3
    assert [json.loads(line) for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines()] == lines
