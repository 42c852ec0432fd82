"""From an event to its card: how fast, how many a second, and how hooks are answered meanwhile."""

import asyncio
import time
from collections.abc import Sequence

from benchmarks.figures import Figure, Plan, Section
from benchmarks.ledger import Ledger
from benchmarks.load import CALL_BEGAN, steady
from benchmarks.town import HOOK, Town, open_town

TITLE = "Разговоры: от события до карточки"
POSTERS = 8
PATIENCE_SECONDS = 60


async def run(plan: Plan) -> Section:
    batch = 60 if plan.quick else 200
    async with open_town(plan.folder / "town") as town:
        await town.started()
        await _worked_off(town, await town.calls(10))  # what is imported at the first call is not its price
        alone = [await _one(town) for _ in range(3 * plan.repeats)]
        before, cpu = Ledger(town.database).states().get("done", 0), town.cpu_seconds()
        began = time.monotonic()
        await _worked_off(town, await town.calls(batch))
        took, cpu = time.monotonic() - began, town.cpu_seconds() - cpu
        done = Ledger(town.database).states()["done"] - before
        p50, p99 = await _hooks_meanwhile(town, batch)
    return Section(
        name="pipelines",
        title=TITLE,
        figures=(
            Figure(title="от события до posts, по одному", values=tuple(alone), unit="с", at_most=0.3),
            Figure(title=f"разговоров в секунду, {batch} разом", values=(done / took,), unit="/с", digits=1, at_least=50),
            Figure(title="процессор процесса на разговор", values=(cpu / done * 1000,), unit="мс", digits=1),
            Figure(title=f"p50 ответа хуку, пока идут {batch}", values=(p50,), unit="мс", digits=0, at_most=50),
            Figure(title=f"p99 ответа хуку, пока идут {batch}", values=(p99,), unit="мс", digits=0, at_most=500),
        ),
        notes=(
            "Портал, модели и Telegram отвечают сразу, но делят с ботом те же ядра.",
            "BITRIX24_RATE поднят: облачный портал даёт 2 запроса в секунду, и с ним быстрее не бывает.",
            "Хуки — 100 в секунду о начале звонка: их записывают, но не обрабатывают; время считается от срока отправки.",
        ),
    )


async def _one(town: Town) -> float:
    """Seconds from the arrival of one event to its card in ``posts``."""
    await _worked_off(town, await town.calls(1))
    return Ledger(town.database).seconds_to_post()[-1]


async def _worked_off(town: Town, events: Sequence[str]) -> None:
    """Post them and wait until nothing is left to do."""
    await _posted(town, events)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while _unfinished(Ledger(town.database).states()):
        if time.monotonic() > deadline:
            raise TimeoutError("the calls were not worked off")
        await asyncio.sleep(0.05)


def _unfinished(states: dict[str, int]) -> int:
    return states.get("ready", 0) + states.get("running", 0)


async def _posted(town: Town, events: Sequence[str]) -> None:
    waiting = list(reversed(events))

    async def post() -> None:
        while waiting:
            if await town.post(waiting.pop()) != 200:
                raise RuntimeError("an event was not accepted")

    await asyncio.gather(*(post() for _ in range(POSTERS)))


async def _hooks_meanwhile(town: Town, batch: int) -> tuple[float, float]:
    """How late hooks are answered while ``batch`` calls are being worked on."""
    events = await town.calls(batch)
    await _posted(town, events)
    shot = await steady(town.url + HOOK, rate=100, seconds=3, event=CALL_BEGAN)
    return shot.p50_ms, shot.p99_ms
