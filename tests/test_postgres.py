"""The PostgreSQL of the tests: fresh databases, one template a session, nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests.postgres import Postgres

prepared: list[str] = []


async def _one_table(url: str) -> None:
    prepared.append(url)
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("CREATE TABLE calls (id bigint PRIMARY KEY)")


async def _rows(url: str, query: bytes) -> list[tuple[object, ...]]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        return await (await connection.execute(query)).fetchall()


async def test_a_fresh_database_is_empty_and_knows_cyrillic(postgres_url: str) -> None:
    assert await _rows(postgres_url, b"SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
    assert await _rows(postgres_url, "SELECT lower('ЗВОНОК')".encode()) == [("звонок",)]


async def test_copies_of_a_prepared_database_do_not_see_each_other(postgres: Postgres) -> None:
    first = await postgres.fresh_database(_one_table)
    await _rows(first, b"INSERT INTO calls VALUES (1) RETURNING id")
    second = await postgres.fresh_database(_one_table)
    assert await _rows(first, b"SELECT * FROM calls") == [(1,)]
    assert await _rows(second, b"SELECT * FROM calls") == []
    assert len(prepared) == 1
    await postgres.drop(first)
    await postgres.drop(second)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        await psycopg.AsyncConnection.connect(first)


def test_a_killed_session_leaves_no_server_and_no_files() -> None:
    script = (
        "import sys, time; sys.path.insert(0, '.')\n"
        "from tests.postgres import start_postgres\n"
        "server = start_postgres(); print(server.home, server.port, flush=True); time.sleep(60)"
    )
    session = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert session.stdout is not None
    home, port = session.stdout.readline().split()
    assert Path(home).is_dir()
    os.kill(session.pid, signal.SIGKILL)
    session.communicate()
    deadline = time.monotonic() + 20
    while Path(home).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(home).exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"postgresql://svodka@127.0.0.1:{port}/postgres", connect_timeout=5)
