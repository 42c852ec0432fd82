"""How late the event loop is while a recording is recognised on this very machine."""

import asyncio
import os
import time
from pathlib import Path

from benchmarks.figures import Figure, Plan, Section
from benchmarks.ledger import Ledger
from benchmarks.spread import percentile
from benchmarks.town import Town, open_town

TITLE = "Цикл событий, пока запись распознаётся на этой машине"
MODEL = "STT_MODEL"
QUIET_SECONDS = 3.0
PATIENCE_SECONDS = 120


async def run(plan: Plan) -> Section:
    reason, model = _model()
    if reason:
        print(f"  пропущено: {reason}")
        return Section(name="lag", title=TITLE, notes=(f"Не измерено: {reason}.",))
    samples = plan.folder / "lag.txt"
    async with open_town(plan.folder / "town", STT_PROVIDER="local", STT_MODEL=model) as town:
        await town.start(module="benchmarks.servers.watched", arguments=(str(samples),))
        await town.until_health()
        await _recognised(town)  # the model is loaded at the first call
        await asyncio.sleep(1)
        began = time.monotonic()
        await asyncio.sleep(QUIET_SECONDS)
        quiet = _late_ms(samples, began, time.monotonic())
        busy: list[list[float]] = []
        for _ in range(plan.repeats):
            began = time.monotonic()
            await _recognised(town)
            busy.append(_late_ms(samples, began, time.monotonic()))
    return Section(
        name="lag",
        title=TITLE,
        figures=(
            Figure(title="опоздание в покое, p99", values=(percentile(quiet, 99),), unit="мс", digits=1),
            Figure(title="опоздание при распознавании, p50", values=_each(busy, 50), unit="мс", digits=1),
            Figure(title="опоздание при распознавании, p99", values=_each(busy, 99), unit="мс", digits=1, at_most=20),
            Figure(title="опоздание при распознавании, наибольшее", values=_each(busy, 100), unit="мс", digits=1),
        ),
        notes=("Разговор 74 с, модель faster-whisper из STT_MODEL, отметка каждые 5 мс внутри процесса бота.",),
    )


def _each(rounds: list[list[float]], percent: float) -> tuple[float, ...]:
    return tuple(percentile(late, percent) for late in rounds)


def _model() -> tuple[str, str]:
    """Why there is nothing to recognise with, or the folder of the weights."""
    try:
        import faster_whisper  # noqa: F401
    except ImportError:
        return "нет faster-whisper (svodka[local])", ""
    model = os.environ.get(MODEL, "")
    if not (Path(model) / "model.bin").is_file():
        return f"нет весов: укажите папку модели в {MODEL}", ""
    return "", model


async def _recognised(town: Town) -> None:
    """One call from its event to its card."""
    before = Ledger(town.database).states().get("done", 0)
    (event,) = await town.calls(1, recording="01_complaint_incoming")
    if await town.post(event) != 200:
        raise RuntimeError("the event was not accepted")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while Ledger(town.database).states().get("done", 0) == before:
        if time.monotonic() > deadline:
            raise TimeoutError("the call was not recognised")
        await asyncio.sleep(0.05)


def _late_ms(samples: Path, since: float, until: float) -> list[float]:
    lines = (line.split() for line in samples.read_text().splitlines()[:-1])
    return [float(late) * 1000 for at, late in lines if since <= float(at) <= until]
