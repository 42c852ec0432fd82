"""kill -9 at random moments under a load of calls: nothing accepted is lost, and nothing is done twice unmarked."""

import asyncio
import random
import time
from collections.abc import Sequence

from benchmarks.figures import Figure, Plan, Section
from benchmarks.ledger import Ledger
from benchmarks.town import Town, open_town

TITLE = "kill -9 под нагрузкой"
CALLS = 50
POSTERS = 16
PATIENCE_SECONDS = 90


async def run(plan: Plan) -> Section:
    count = 4 if plan.quick else 20
    chance = random.Random(20261121)
    async with open_town(plan.folder / "town") as town:
        await town.started()
        began = time.monotonic()
        for number in range(count):
            await _round(town, chance.uniform(0.1, 4.0))
            if not plan.quick:
                print(f"  раунд {number + 1} из {count}, {time.monotonic() - began:.0f} с", flush=True)
        await town.end()
        seen, ledger = await town.ask("/seen"), Ledger(town.database)
        expected = CALLS * count
        done, posts, marked = ledger.states().get("done", 0), ledger.cards(), ledger.possible_repeats()
    paid = sum(seen["paid"].values()) - 2 * expected
    comments = sum(seen["comments"].values()) - expected
    cards = len(seen["shown"]) - len(set(seen["shown"]))
    return Section(
        name="kills",
        title=TITLE,
        figures=(
            Figure(title="звонков не доведено до конца", values=(expected - done,), digits=0, at_most=0),
            Figure(title="карточек не записано", values=(expected - posts,), digits=0, at_most=0),
            Figure(title="комментариев не добавлено", values=(expected - len(seen["comments"]),), digits=0, at_most=0),
            Figure(title="лишних платежей", values=(paid,), digits=0),
            Figure(title="лишних комментариев", values=(comments,), digits=0),
            Figure(title="лишних карточек", values=(cards,), digits=0),
            Figure(title="возможных повторов отмечено и сосчитано", values=(marked,), digits=0),
            Figure(title="лишнего без отметки", values=(max(0, paid + comments + cards - marked),), digits=0, at_most=0),
        ),
        notes=(
            f"Раундов {count}, в каждом звонков: {CALLS}; процесс убит через 0,1–4 с после начала раунда.",
            "Карточки идут в одну группу по 18 в минуту, поэтому сверяются и записанные в posts, и уже показанные.",
        ),
    )


async def _round(town: Town, moment: float) -> None:
    """Post calls, kill at ``moment`` seconds, start again, post what was not accepted, wait until all is done."""
    before = Ledger(town.database).states().get("done", 0)
    events = await town.calls(CALLS)
    posting = asyncio.create_task(_accepted(town, events))
    await asyncio.sleep(moment)
    await town.kill()
    accepted = await posting
    await town.start()
    await town.until_health()
    left = [event for event in events if event not in accepted]
    while left:
        left = [event for event in left if event not in await _accepted(town, left)]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while Ledger(town.database).states().get("done", 0) < before + CALLS:
        if time.monotonic() > deadline:
            raise TimeoutError("the calls were not worked off")
        await asyncio.sleep(0.1)


async def _accepted(town: Town, events: Sequence[str]) -> set[str]:
    """Which of them were answered with 200."""
    waiting, accepted = list(reversed(events)), set()

    async def post() -> None:
        while waiting:
            event = waiting.pop()
            if await town.post(event) == 200:
                accepted.add(event)

    await asyncio.gather(*(post() for _ in range(POSTERS)))
    return accepted
