"""The sender against a Telegram that keeps its limits: the pace it holds, and a hot chat that delays no other."""

import asyncio
import json
import time
from bisect import bisect_left

from benchmarks.figures import Figure, Plan, Section
from benchmarks.processes import serving
from benchmarks.spread import percentile
from benchmarks.town import Town, open_town

TITLE = "Отправка в Telegram"
PER_SECOND = 28
HOT, GROUP = 30, 40

Sent = list[tuple[float, int]]


async def run(plan: Plan) -> Section:
    seconds = 6 if plan.quick else 20
    async with open_town(plan.folder / "town") as town:
        invited = await town.tell("/people", count=PER_SECOND * seconds + 1)
        hot, *others = invited["people"]
        queue = [hot] * HOT + [invited["group"]] * GROUP + others
        sent, refused = await _sent(plan, town, queue, others)
    waits = sorted(at - sent[0][0] for at, chat in sent if chat in set(others))
    to_group = [moment for moment in sent if moment[1] == invited["group"]]
    return Section(
        name="sender",
        title=TITLE,
        figures=(
            Figure(title="сообщений в секунду", values=(_rate(sent),), unit="/с", digits=1, at_least=PER_SECOND),
            Figure(title="больше всего за любую секунду", values=(_busiest(sent, 1.0),), digits=0, at_most=30),
            Figure(title="одному чату за любую секунду", values=(_busiest_chat(sent),), digits=0, at_most=1),
            Figure(title="группе за любую минуту", values=(_busiest(to_group, 60.0),), digits=0, at_most=18),
            Figure(title="остальные ждали, p50", values=(percentile(waits, 50),), unit="с", digits=1),
            Figure(title="остальные ждали, дольше всех", values=(waits[-1],), unit="с", digits=1, at_most=_bound(seconds)),
            Figure(title="отказов 429", values=(refused,), digits=0, at_most=0),
        ),
        notes=(
            f"Первыми в очереди {HOT} сообщений одному человеку и {GROUP} группе, потом по одному ещё {len(others)} людям.",
        ),
    )


def _bound(seconds: float) -> float:
    """How long the last of the others may wait: everyone's turn at 28 a second, with what the hot two take beside them."""
    return seconds + 2 + seconds / PER_SECOND * 2


async def _sent(plan: Plan, town: Town, queue: list[int], others: list[int]) -> tuple[Sent, int]:
    """Run the sender until all ``others`` have their message; when what went where, and how often it was refused."""
    telegram, token = town.environment["TELEGRAM_API_BASE_URL"], town.environment["TELEGRAM_BOT_TOKEN"]
    wanted, deadline = set(others), time.monotonic() + 3 * len(queue) / PER_SECOND + 10
    async with serving("benchmarks.servers.sending", str(plan.folder), telegram, token, json.dumps(queue)):
        while True:
            times = await town.ask("/times")
            sent = [(at, chat) for at, chat in times["sent"]]
            if wanted <= {chat for _, chat in sent}:
                return sent, times["refused"]
            if time.monotonic() > deadline:
                raise TimeoutError("the sender is not done")
            await asyncio.sleep(0.5)


def _rate(sent: Sent) -> float:
    return (len(sent) - 1) / (sent[-1][0] - sent[0][0])


def _busiest(sent: Sent, seconds: float) -> int:
    """The most messages in any stretch of so many seconds."""
    times = [at for at, _ in sent]
    return max((bisect_left(times, at + seconds) - index for index, at in enumerate(times)), default=0)


def _busiest_chat(sent: Sent) -> int:
    chats = {chat for _, chat in sent}
    return max(_busiest([moment for moment in sent if moment[1] == chat], 1.0) for chat in chats)
