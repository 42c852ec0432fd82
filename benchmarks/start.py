"""A cold start: when hooks are accepted, when the bot asks Telegram for updates, and what it weighs at rest."""

import asyncio
import time

from benchmarks.figures import Figure, Plan, Section
from benchmarks.processes import memory_mib
from benchmarks.town import Town, open_town

TITLE = "Запуск и память в покое"
REST_SECONDS = 3.0
PATIENCE_SECONDS = 30.0


async def run(plan: Plan) -> Section:
    first: list[float] = []
    ready: list[float] = []
    weight: list[float] = []
    async with open_town(plan.folder / "town") as town:
        await town.started()  # makes the database and the keys; what is measured is every start after that
        await town.end()
        for _ in range(plan.repeats):
            accepted, polled = await _start(town)
            first.append(accepted)
            ready.append(polled)
            await asyncio.sleep(REST_SECONDS)
            weight.append(memory_mib(town.pid))
            await town.end()
    return Section(
        name="start",
        title=TITLE,
        figures=(
            Figure(title="до первого принятого хука", values=tuple(first), unit="с", at_most=0.8),
            Figure(title="до первого вопроса к Telegram", values=tuple(ready), unit="с", at_most=4.0),
            Figure(title="память в покое (RSS)", values=tuple(weight), unit="МиБ", digits=0, at_most=240),
        ),
        notes=("От запуска `python -m bot run` на уже созданной базе SQLite; хук — настоящее событие с токеном.",),
    )


async def _start(town: Town) -> tuple[float, float]:
    """Seconds from the start to the first 200 and to the first getUpdates."""
    (event,) = await town.calls(1, duration_s=5)
    polls = (await town.ask("/times"))["polls"]
    began = time.monotonic()
    await town.start()
    while await town.post(event) != 200:
        await _soon(began)
    accepted = time.monotonic() - began
    while (await town.ask("/times"))["polls"] == polls:
        await _soon(began)
    return accepted, time.monotonic() - began


async def _soon(began: float) -> None:
    if time.monotonic() - began > PATIENCE_SECONDS:
        raise TimeoutError("it did not start")
    await asyncio.sleep(0.01)
