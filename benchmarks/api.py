"""The company over HTTP: 490 houses to whoever has a key, against bare aiohttp that has the same bytes in its memory."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.client import Line
from benchmarks.durable_postgres import durable_postgres
from benchmarks.figures import Figure, Plan, Section, ratios
from benchmarks.processes import Server, serving
from benchmarks.servers.company import HOUSES, PATH
from benchmarks.spread import percentile
from tests.postgres import NoPostgres

TITLE = "API: дома для других программ"
SERVER = "benchmarks.servers.company"
CONNECTIONS = 8
_ASKED = {"limit=5": "?limit=5", "все": ""}


@dataclass(slots=True)
class Reader:
    """Who asks one server the same thing, and what came of each round."""

    server: Server
    request: bytes
    cpu_us: list[float] = field(default_factory=list)
    rps: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)

    async def shoot(self, seconds: float) -> None:
        late: list[float] = []
        before, began = self.server.cpu_seconds(), time.perf_counter()
        await asyncio.gather(*(self._one(began + seconds, late) for _ in range(CONNECTIONS)))
        took = time.perf_counter() - began
        self.cpu_us.append((self.server.cpu_seconds() - before) / len(late) * 1e6)
        self.rps.append(len(late) / took)
        self.p50_ms.append(percentile(late, 50))
        self.p99_ms.append(percentile(late, 99))

    async def _one(self, until: float, late: list[float]) -> None:
        line = await Line.open(self.server.url)
        while (began := time.perf_counter()) < until:
            if await line.ask(self.request) not in {200, 304}:
                raise RuntimeError("an answer was neither 200 nor 304")
            late.append((time.perf_counter() - began) * 1000)
        line.close()


async def run(plan: Plan) -> Section:
    notes = [
        f"{HOUSES} домов, {CONNECTIONS} соединений, свой клиент на asyncio; «голый» — те же байты из памяти и без ключа."
    ]
    figures = await _measured(plan, f"sqlite:///{plan.folder}/svodka.db", "SQLite")
    try:
        with durable_postgres() as postgres:
            figures += await _measured(plan, postgres.url("postgres"), "PostgreSQL")
    except NoPostgres as reason:
        notes.append(f"PostgreSQL не измерен: {reason}")
    return Section(name="api", title=TITLE, figures=tuple(figures), notes=tuple(notes))


async def _measured(plan: Plan, url: str, base: str) -> list[Figure]:
    figures: list[Figure] = []
    async with serving(SERVER, "ours", url) as ours:
        key = str(ours.said["key"])
        lengths = [str(await _length(ours, _get(ours, query, key))) for query in _ASKED.values()]
        async with serving(SERVER, "bare", "-", *lengths) as bare:
            for name, query in _ASKED.items():
                floor, mine = Reader(bare, _get(bare, query)), Reader(ours, _get(ours, query, key))
                await _rounds([floor, mine], plan)
                figures += _told(f"{base}, {name}", mine, floor)
            same = Reader(ours, _get(ours, "", key, await _tag(ours, key)))
            await _rounds([same], plan)
            figures.append(_cpu(f"{base}, все, ничего не изменилось (304)", same))
    return figures


async def _rounds(readers: Sequence[Reader], plan: Plan) -> None:
    for number in range(plan.repeats + 1):
        for reader in readers:
            await reader.shoot(plan.seconds / 2 if number else 0.5)
    for reader in readers:  # the first round warmed it up
        for kept in (reader.cpu_us, reader.rps, reader.p50_ms, reader.p99_ms):
            del kept[0]


def _told(name: str, mine: Reader, floor: Reader) -> list[Figure]:
    return [
        Figure(title=f"{name}: ответов", values=tuple(mine.rps), unit="/с", digits=0),
        Figure(title=f"{name}: p50", values=tuple(mine.p50_ms), unit="мс", digits=1),
        Figure(title=f"{name}: p99", values=tuple(mine.p99_ms), unit="мс", digits=1),
        _cpu(name, mine),
        Figure(title=f"{name}: процессор к голому aiohttp", values=ratios(mine.cpu_us, floor.cpu_us), unit="×", digits=1),
    ]


def _cpu(name: str, reader: Reader) -> Figure:
    return Figure(title=f"{name}: процессор на ответ", values=tuple(reader.cpu_us), unit="мкс", digits=0)


def _get(server: Server, query: str, key: str = "", tag: str = "") -> bytes:
    lines = [f"GET {PATH}{query} HTTP/1.1", f"Host: {server.url.removeprefix('http://')}"]
    lines += [f"Authorization: Bearer {key}"] if key else []
    lines += [f"If-None-Match: {tag}"] if tag else []
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _head(server: Server, request: bytes) -> dict[str, str]:
    """The headers of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.said["port"]))
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    writer.close()
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in head.split("\r\n")[1:])}


async def _length(server: Server, request: bytes) -> int:
    return int((await _head(server, request))["content-length"])


async def _tag(server: Server, key: str) -> str:
    return (await _head(server, _get(server, "", key)))["etag"]
