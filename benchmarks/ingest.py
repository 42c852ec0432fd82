"""Acknowledged deliveries: Svodka's whole way in against bare aiohttp, the floor of the whole job, and the usual way."""

from contextlib import AsyncExitStack

from benchmarks.durable_postgres import durable_postgres
from benchmarks.figures import Figure, Plan, Section, ratios
from benchmarks.load import Shot, steady
from benchmarks.processes import Server, serving
from benchmarks.rounds import Runner, hook_of, rounds
from benchmarks.slow_disk import slow_disk
from tests.postgres import NoPostgres

TITLE = "Приём: адрес, секрет, повтор, запись на диск, ответ"
NODE = "benchmarks.servers.node"


async def run(plan: Plan) -> Section:
    notes = [
        "Приём измерен без обработки принятого и с LOG_LEVEL=WARNING: на уровне INFO каждый звонок — ещё строка журнала.",
    ]
    figures = [*await _against_floors(plan, notes), *await _on_a_slow_disk(plan, notes)]
    return Section(name="ingest", title=TITLE, figures=tuple(figures), notes=tuple(notes))


async def _against_floors(plan: Plan, notes: list[str]) -> list[Figure]:
    async with AsyncExitStack() as stack:

        async def server(module: str, *arguments: str) -> Server:
            return await stack.enter_async_context(serving(module, *arguments))

        bare = Runner(await server("benchmarks.servers.bare"))
        telegram = await server("benchmarks.servers.bare")
        grouped = Runner(await server("benchmarks.servers.grouped", str(plan.folder), telegram.url))
        node = await server(NODE, str(plan.folder / "sqlite"))
        ours = Runner(node, hook_of(node))
        runners = [bare, grouped, ours]
        on_postgres = None
        try:
            postgres = stack.enter_context(durable_postgres())
        except NoPostgres as reason:
            notes.append(f"PostgreSQL не измерен: {reason}")
        else:
            with_postgres = await server(NODE, str(plan.folder / "postgres"), postgres.url("postgres"))
            on_postgres = Runner(with_postgres, hook_of(with_postgres))
            runners.append(on_postgres)
        await rounds(runners, repeats=plan.repeats, seconds=plan.seconds)
        figures = [*_told(bare, grouped, ours, "SQLite"), *await _quietly(plan, ours, "SQLite")]
        if on_postgres is not None:
            figures += [*_told(bare, grouped, on_postgres, "PostgreSQL"), *await _quietly(plan, on_postgres, "PostgreSQL")]
        return [Figure(title="голый aiohttp", values=bare.rps, unit="/с", digits=0), *figures]


def _told(bare: Runner, grouped: Runner, ours: Runner, base: str) -> list[Figure]:
    return [
        Figure(title=f"{base}: принято", values=ours.rps, unit="/с", digits=0),
        Figure(title=f"{base}: к голому aiohttp", values=ratios(ours.rps, bare.rps), at_least=0.25),
        Figure(title=f"{base}: к полу всей работы", values=ratios(ours.rps, grouped.rps), at_least=0.51),
        Figure(title=f"{base}: процессор к голому aiohttp", values=ratios(ours.cpu_us, bare.cpu_us), unit="×", digits=1),
        Figure(title=f"{base}: p99 под полной нагрузкой", values=ours.p99_ms, unit="мс", digits=0),
    ]


async def _quietly(plan: Plan, ours: Runner, base: str) -> list[Figure]:
    url = ours.server.url + ours.path
    shots: list[Shot] = [await steady(url, rate=100, seconds=plan.seconds) for _ in range(plan.repeats)]
    return [
        Figure(title=f"{base}: p50 при 100/с", values=tuple(shot.p50_ms for shot in shots), unit="мс", digits=1),
        Figure(title=f"{base}: p99 при 100/с", values=tuple(shot.p99_ms for shot in shots), unit="мс", digits=1, at_most=10),
    ]


async def _on_a_slow_disk(plan: Plan, notes: list[str]) -> list[Figure]:
    """A disk whose sync takes 5 ms more: what group commit is for."""
    environment = slow_disk(plan.folder)
    if environment is None:
        notes.append("медленный диск не измерен: нужен Linux и компилятор C")
        return []
    folder = plan.folder / "slow"
    folder.mkdir()
    async with (
        serving("benchmarks.servers.each", str(folder), env=environment) as each,
        serving(NODE, str(folder / "node"), env=environment) as node,
    ):
        usual, ours = Runner(each), Runner(node, hook_of(node))
        await rounds([usual, ours], repeats=plan.repeats, seconds=plan.seconds)
    return [
        Figure(title="fsync на 5 мс дольше: фиксация на каждый запрос", values=usual.rps, unit="/с", digits=0),
        Figure(title="fsync на 5 мс дольше: принято", values=ours.rps, unit="/с", digits=0),
        Figure(
            title="fsync на 5 мс дольше: во столько раз больше", values=ratios(ours.rps, usual.rps), digits=1, at_least=15
        ),
    ]
