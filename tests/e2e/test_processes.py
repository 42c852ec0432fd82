"""More than one process: a second on the same file stands aside, a standby on PostgreSQL takes over."""

import asyncio
import sys
from pathlib import Path

from sandbox.demo.child import Child
from tests.e2e.town import Town, free_port, open_town
from tests.postgres import Postgres

KEYS = {"SECRET_KEY": "a-key-of-a-test-long-enough", "HOOK_SECRET": "another-key-of-a-test-long-enough"}


async def test_a_second_process_on_the_same_file_stands_aside(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        await town.start_child()
        second = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run",
            env={**town.environment, "PATH": "/usr/bin:/bin", "HTTP_PORT": "0"}, cwd=Path.cwd(),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await second.communicate()
        assert second.returncode == 1
        assert "другой процесс уже работает" in said.decode()
        assert "Traceback" not in said.decode()
        await town.end_call()
        await town.until_card("Готово через")


async def test_a_standby_takes_over_from_a_killed_leader(postgres: Postgres, tmp_path: Path) -> None:
    url = await postgres.fresh_database()
    async with open_town(tmp_path, DB_URL=url, **KEYS) as town:
        await town.start_child()
        leader_port, leader = town.port, town.child
        standby = await start_standby(town)
        try:
            await town.end_call(phone="+79005550101")  # heard by the standby, worked by the leader
            await town.until_card("Готово через", "555-01-01")
            log = tmp_path / "svodka.log"
            await town.until(lambda: "Sent to Telegram" in log.read_text(encoding="utf-8"))
            leader.kill()
            await town.end_call(phone="+79005550102")
            await town.until_card("Готово через", "555-01-02")
            assert "ведущий процесс" in (tmp_path / "standby.log").read_text(encoding="utf-8")
            assert len(town.cards()) == 2, town.texts()
            assert town.models.paid == {"transcriptions": 2, "completions": 2}
        finally:
            await standby.stop()
            town.port = leader_port


async def start_standby(town: Town) -> Child:
    """A second node on the same database; the town talks to it from now on."""
    standby = Child(town.folder / "standby.log", lambda: None)
    town.port = free_port()
    data = {"HTTP_PORT": str(town.port), "DATA_DIR": str(town.folder / "standby")}
    await standby.start(town.environment | data, town.folder)
    await town.answers()
    return standby
