"""kill -9 at random moments while amoCRM tells of deals: each deal and each card is there once, told by a hook or found."""

import asyncio
import random
import time

import aiohttp
from aiohttp import web

from benchmarks.figures import Figure, Plan, Section
from benchmarks.ledger import Ledger
from benchmarks.town import FORM, Town, open_town
from bot.keys import load_keys
from bot.settings import read_settings
from integrations.amocrm.fake import Fake

TITLE = "kill -9, пока amoCRM рассказывает о сделках"
DEALS = 10
PATIENCE_SECONDS = 90
TOKEN = "token-of-a-benchmark"
KEYS = {"SECRET_KEY": "a-key-of-a-benchmark-long-enough", "HOOK_SECRET": "another-key-of-a-benchmark-long"}
SETTLED = {"done", "ready"}  # a card that nobody takes waits to be passed on


async def run(plan: Plan) -> Section:
    count = 3 if plan.quick else 20
    chance, amo = random.Random(20261129), Fake(token=TOKEN)
    runner = web.AppRunner(amo.build_app(), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    settings = {
        "AMOCRM_BASE_URL": f"http://127.0.0.1:{runner.addresses[0][1]}", "AMOCRM_DOMAIN": "acme.amocrm.ru",
        "AMOCRM_ACCESS_TOKEN": TOKEN, "AMOCRM_RATE": "90", **KEYS,
    }  # fmt: skip
    try:
        async with open_town(plan.folder / "crm_town", **settings) as town:
            path = f"/hooks/amocrm/{load_keys(read_settings(town.environment | settings)).hook('amocrm')}"
            await town.started()
            for number in range(count):
                await _round(town, amo, path, chance.uniform(0.0, 1.0))
                if not plan.quick:
                    print(f"  раунд {number + 1} из {count}", flush=True)
            await town.end()
            deals, offers = Ledger(town.database).deals(), Ledger(town.database).offers()
    finally:
        await runner.cleanup()
    expected = DEALS * count
    return Section(
        name="crm_kills",
        title=TITLE,
        figures=(
            Figure(title="сделок потеряно", values=(expected - len(set(deals)),), digits=0, at_most=0),
            Figure(title="сделок лишних", values=(len(deals) - len(set(deals)),), digits=0, at_most=0),
            Figure(title="карточек не записано", values=(expected - len(set(offers)),), digits=0, at_most=0),
            Figure(title="карточек лишних", values=(len(offers) - len(set(offers)),), digits=0, at_most=0),
        ),
        notes=(
            f"Раундов {count}, в каждом сделок: {DEALS}; процесс убит через 0–1 с после начала раунда.",
            "На что не ответили 200, никто не повторяет: это находит опрос после запуска.",
        ),
    )


async def _round(town: Town, amo: Fake, path: str, moment: float) -> None:
    """Tell of deals one by one, kill at ``moment`` seconds, start again, wait until every deal and its card is there."""
    ledger = Ledger(town.database)
    before, first = len(ledger.offers()), len(amo.account.leads) + 1
    telling = asyncio.create_task(_tell(town, amo, path, first))
    await asyncio.sleep(moment)
    await town.kill()
    await telling
    await town.start()
    await town.until_health()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(ledger.offers()) < before + DEALS or set(ledger.states()) - SETTLED:
        if time.monotonic() > deadline:
            raise TimeoutError("the deals were not worked off")
        await asyncio.sleep(0.1)


async def _tell(town: Town, amo: Fake, path: str, first: int) -> None:
    """All of them happen, whoever hears of it."""
    for number in range(first, first + DEALS):
        amo.add_lead(number, pipeline_id=101, status_id=142)
        amo.add_contact(100_000 + number, f"+7999{number:07}", leads=(number,))
        try:
            async with town.session.post(town.url + path, data=amo.lead_hook("add", number), headers=FORM) as answer:
                await answer.read()
        except aiohttp.ClientError:
            await asyncio.sleep(0.01)
