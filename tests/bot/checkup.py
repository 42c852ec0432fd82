"""The ground of the tests of `svodka check`: a town where all is well, and how its answers are read."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.keys import load_keys
from bot.services import build_services
from bot.settings import read_settings
from storage.engine import Database
from storage.migrate import migrate
from tests.bot.terminal import Said, Terminal
from tests.e2e.town import Town, open_town


@pytest.fixture(name="terminal")
def a_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Terminal:
    return Terminal(monkeypatch, tmp_path)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DATA_DIR after a first start: migrated, with keys and a connection of each vendor."""
    folder = tmp_path_factory.mktemp("prepared")
    asyncio.run(_first_start(folder))
    return folder / "data"


async def _first_start(folder: Path) -> None:
    async with open_town(folder) as town:
        settings = read_settings(town.environment)
        settings.data_dir.mkdir(parents=True)
        await migrate(settings.db_url)
        database = Database(settings.db_url)
        database.open()
        services = await build_services(settings, load_keys(settings), database, SystemClock())
        assert services.tasks is not None  # a portal has them, so cards offer to set what was promised
        assert services.calls is not None
        assert services.calls.promises is not None
        await services.close()


@pytest.fixture(name="town")
async def a_town(tmp_path: Path, terminal: Terminal, prepared: Path) -> AsyncIterator[Town]:
    """Everything is well, and nothing of ours runs."""
    async with open_town(tmp_path, STT_MODEL="gpt-transcribe", LLM_MODEL="gpt-5.4-mini") as opened:
        shutil.copytree(prepared, tmp_path / "data")
        opened.call()
        terminal.set(opened.environment)
        yield opened


def faults(said: Said) -> dict[str, str]:
    """Code → its hint, of what is marked ✗; the lines that explain come after the table."""
    lines = said.out.splitlines()
    return {
        line.rsplit("[", 1)[1].rstrip("]"): lines[number + 1].strip()
        for number, line in enumerate(lines)
        if line.startswith("✗ ") and line.endswith("]")
    }


def warnings(said: Said) -> set[str]:
    return {line.rsplit("[", 1)[1].rstrip("]") for line in said.out.splitlines() if line.startswith("! ")}


def run_sql(terminal: Terminal, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(terminal.folder / "data/svodka.db")) as connection, connection:
        connection.execute(statement, values)


def deliver(terminal: Terminal, at: datetime, request: bytes) -> None:
    row = ("x", 1, 1, "bitrix24", "K", "k", "done", "", request, at.strftime("%Y-%m-%d %H:%M:%S.%f"))
    run_sql(terminal, "INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *row)
