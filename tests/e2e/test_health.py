"""What the outside reads of the process: Telegram's state, and what was refused."""

from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import select

from storage.engine import Database
from storage.models import counters
from tests.e2e.town import Town, open_town


async def health(town: Town) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.get(f"{town.url}/api/health") as answer:
        return answer.status, await answer.json()


async def test_health_says_how_telegram_does(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:

        async def says(state: str) -> bool:
            return bool((await health(town))[1]["parts"]["telegram"] == state)

        await town.start()
        await town.until(lambda: says("ok"))
        town.telegram.bad_gateway(times=1000)
        town.telegram.say(town.owner, "/help")  # ends the long poll; the next one meets the outage
        await town.until(lambda: says("unavailable"))
        status, report = await health(town)
        assert (status, report["status"]) == (200, "degraded")
        town.telegram.clear_faults()
        town.telegram.say(town.owner, "/help")
        await town.until(lambda: says("ok"))
        assert (await health(town))[1]["status"] == "ok"


async def test_what_was_refused_in_the_last_minute_is_kept(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        await town.start()
        assert await town.post_event(town.call(), token="wrong") == 401
        await town.stop()
        database = Database(f"sqlite:///{tmp_path}/data/svodka.db")
        async with database.read() as connection:
            kept = {row.name: row.value for row in await connection.execute(select(counters))}
        await database.close()
    assert kept == {"rejected:BadSignature": 1}
