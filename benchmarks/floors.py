"""What a durably acknowledged webhook can cost at all: aiohttp alone, group commit by hand, a commit for each request."""

from benchmarks.figures import Figure, Plan, Section, ratios
from benchmarks.processes import serving
from benchmarks.rounds import Runner, rounds

TITLE = "Полы: сколько стоит принять вебхук"


async def run(plan: Plan) -> Section:
    folder = str(plan.folder)
    async with (
        serving("benchmarks.servers.bare") as bare,
        serving("benchmarks.servers.bare") as telegram,
        serving("benchmarks.servers.each", folder) as each,
        serving("benchmarks.servers.grouped", folder, telegram.url) as grouped,
    ):
        floor, usual, whole = Runner(bare), Runner(each), Runner(grouped)
        await rounds([floor, whole, usual], repeats=plan.repeats, seconds=plan.seconds)
    return Section(
        name="floors",
        title=TITLE,
        figures=(
            Figure(title="голый aiohttp, 200", values=floor.rps, unit="/с", digits=0),
            Figure(title="голый aiohttp, процессор на запрос", values=tuple(floor.cpu_us), unit="мкс", digits=0),
            Figure(title="своя групповая фиксация и 16 отправителей", values=whole.rps, unit="/с", digits=0),
            Figure(title="она же к голому aiohttp", values=ratios(whole.rps, floor.rps)),
            Figure(title="фиксация на каждый запрос (aiosqlite, FULL)", values=usual.rps, unit="/с", digits=0),
            Figure(title="она же к голому aiohttp", values=ratios(usual.rps, floor.rps)),
        ),
    )
