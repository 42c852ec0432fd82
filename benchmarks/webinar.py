"""One big report from its hook to the complete card beside a million leads: the real process over real sockets."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from benchmarks import crowd
from benchmarks.durable_postgres import durable_postgres
from benchmarks.figures import Figure, Plan, Section
from benchmarks.load import CALL_BEGAN, Shot, steady
from benchmarks.processes import forget_peak, memory_mib
from benchmarks.town import HOOK, Town, open_town
from bot.keys import Keys
from domain.plural import spaced
from tests.postgres import NoPostgres

TITLE = "Вебинар: от вебхука до полной карточки"
SECRET = "the root of hook addresses of a benchmark"
PACE, NO_PACE = "2", "99"  # requests a second: what the platform is said to bear, and as good as no limit
ANSWERS_AFTER_S = 0.3
HOOKS_A_SECOND = 50
GROWING = "⏳"
PATIENCE_SECONDS = 180
LOOK_SECONDS = 0.1

Fill = Callable[[Town, int], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    viewers: int
    leads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """One report. Seconds from its hook to the complete card, the picture, the platform's last answer; of processor."""

    total: float
    drawn: float
    answered: float
    cpu: float
    most_a_second: int
    progress: int
    memory_mib: float
    hooks: Shot


async def run(plan: Plan) -> Section:
    size = Size(viewers=10_000, leads=50_000) if plan.quick else Size(viewers=50_000, leads=1_000_000)
    notes = [
        f"Зрителей {spaced(size.viewers)}, лидов {spaced(size.leads)}; платформа, Telegram и бот делят одни ядра.",
        "В темпе платформы — 2 запроса в секунду, каждый ответ через 0,3 с; без темпа — сколько успеем, ответы сразу.",
        f"Хуки — {HOOKS_A_SECOND} в секунду о начале звонка; время считается от срока отправки.",
        "Память — наибольшая (VmHWM) сверх покоя только что запущенного процесса, вместе с первой картинкой.",
    ]
    figures = await _measured(plan, size, "SQLite", _fill_sqlite)
    try:
        with durable_postgres() as postgres:
            figures += await _measured(plan, size, "PostgreSQL", _fill_postgres, DB_URL=postgres.url("postgres"))
    except NoPostgres as reason:
        notes.append(f"PostgreSQL не измерен: {reason}")
    return Section(name="webinar", title=TITLE, figures=tuple(figures), notes=tuple(notes))


async def _measured(plan: Plan, size: Size, base: str, fill: Fill, **settings: str) -> list[Figure]:
    settings |= {"HOOK_SECRET": SECRET, "LOG_LEVEL": "WARNING"}
    async with open_town(plan.folder / base, fakes="benchmarks.servers.hall", **settings) as town:
        await town.started()  # which makes the tables
        await town.end()
        await fill(town, size.leads)
        paced = await _trip(town, size, pace=PACE, answers_after_s=ANSWERS_AFTER_S)
        at_once = await _trip(town, size, pace=NO_PACE, answers_after_s=0.0)
    beyond = paced.total - paced.answered
    return [
        Figure(title=f"{base}, в темпе платформы: до полной карточки", values=(paced.total,), unit="с", digits=1),
        Figure(title=f"{base}: из них до последнего ответа платформы", values=(paced.answered,), unit="с", digits=1),
        Figure(title=f"{base}: сверх платформы", values=(beyond,), unit="с", digits=1, at_most=10),
        Figure(title=f"{base}: запросов за любую секунду", values=(paced.most_a_second,), digits=0, at_most=3),
        Figure(title=f"{base}: карточка показала, сколько загружено, раз", values=(paced.progress,), digits=0, at_least=2),
        Figure(title=f"{base}, без темпа: до полной карточки", values=(at_once.total,), unit="с", digits=1, at_most=10),
        Figure(title=f"{base}, без темпа: до картинки", values=(at_once.drawn,), unit="с", digits=1),
        Figure(title=f"{base}, без темпа: процессор бота", values=(at_once.cpu,), unit="с", digits=1),
        Figure(
            title=f"{base}: память сверх покоя",
            values=(paced.memory_mib, at_once.memory_mib), unit="МиБ", digits=0, at_most=100,
        ),
        Figure(
            title=f"{base}: p99 ответа хуку, в темпе и без",
            values=(paced.hooks.p99_ms, at_once.hooks.p99_ms), unit="мс", digits=0, at_most=100,
        ),
    ]  # fmt: skip


async def _trip(town: Town, size: Size, *, pace: str, answers_after_s: float) -> Trip:
    """A process just started, and one report that is ready."""
    town.settings["BIZON365_RATE"] = pace
    await town.started()
    title = f"Вебинар в темпе {pace}"
    asked = {"viewers": size.viewers, "leads": size.leads, "answers_after_s": answers_after_s, "title": title}
    body = (await town.tell("/webinars", **asked))["body"]
    await asyncio.sleep(2)  # what the start has left to do
    quiet = memory_mib(town.pid)
    forget_peak(town.pid)
    meanwhile = size.viewers / 1000 / float(PACE) if pace == PACE else 5.0
    hooks = asyncio.create_task(steady(town.url + HOOK, rate=HOOKS_A_SECOND, seconds=meanwhile, event=CALL_BEGAN))
    began, cpu = time.monotonic(), town.cpu_seconds()
    await _post(town, body)
    shown = await _complete(town, title)
    memory, cpu = memory_mib(town.pid, "VmHWM") - quiet, town.cpu_seconds() - cpu
    shot = await hooks
    await town.end()
    cards = [(at, text) for at, text in shown["cards"] if title in text]
    answers = [(asked_at, at) for asked_at, at in shown["answered"] if asked_at >= began]
    return Trip(
        total=next(at for at, text in cards if GROWING not in text) - began,
        drawn=max(shown["photos"]) - began,
        answered=max(at for _, at in answers) - began,
        cpu=cpu,
        most_a_second=max(sum(0 <= other - at < 1 for other, _ in answers) for at, _ in answers),
        progress=sum(GROWING in text for _, text in cards),
        memory_mib=memory,
        hooks=shot,
    )


async def _post(town: Town, body: str) -> None:
    address = f"{town.url}/hooks/bizon365/{Keys(secret_keys=(), hook_secret=SECRET, new=False).hook('bizon365')}"
    async with town.session.post(address, data=body, headers={"Content-Type": "application/json"}) as answer:
        answer.raise_for_status()


async def _complete(town: Town, title: str) -> dict[str, Any]:
    """What was shown once the card no longer grows and its picture is there."""
    photos, deadline = len((await town.ask("/shown"))["photos"]), time.monotonic() + PATIENCE_SECONDS
    while True:
        shown = await town.ask("/shown")
        ready = any(title in text and GROWING not in text for _, text in shown["cards"])
        if ready and len(shown["photos"]) > photos:
            return shown
        if time.monotonic() > deadline:
            raise TimeoutError(f"the card was never complete: {shown['cards'][-1:]}")
        await asyncio.sleep(LOOK_SECONDS)


async def _fill_sqlite(town: Town, leads: int) -> None:
    await asyncio.to_thread(crowd.fill, town.database, leads)


async def _fill_postgres(town: Town, leads: int) -> None:
    await crowd.fill_postgres(town.settings["DB_URL"], leads)
