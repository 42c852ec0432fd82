"""Short links: they lead on and note who came, for as long as they live, and nobody learns anything by guessing."""

from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web

from bot.http.links import LIFE, short_link
from storage.engine import Database
from storage.links import LinkStore, new_code
from storage.models import accounts, links
from tests.conftest import Serve
from tests.ground import HandClock

URL = "https://start.example/room/1/abc?svodka=x&username=%D0%98%D0%B2%D0%B0%D0%BD"


@pytest.fixture
async def code(database: Database, clock: HandClock) -> str:
    row = {"id": 1, "name": "d", "timezone": "Europe/Moscow", "created_at": clock.now()}
    await database.write(lambda connection: connection.execute(accounts.insert().values(**row)))
    made = new_code()
    await LinkStore(database).add(1, made, URL, now=clock.now())
    return made


@pytest.fixture
async def site(database: Database, clock: HandClock, serve: Serve) -> str:
    app = web.Application()
    app.router.add_get("/r/{code}", short_link(database, clock))
    return await serve(app)


async def follow(site: str, code: str, method: str = "GET", agent: str = "Mozilla/5.0") -> tuple[int, str]:
    async with (
        aiohttp.ClientSession(headers={"User-Agent": agent}) as session,
        session.request(method, f"{site}/r/{code}", allow_redirects=False) as answer,
    ):
        return answer.status, answer.headers.get("Location", "")


async def clicks(database: Database) -> int:
    async with database.read() as connection:
        return int(await connection.scalar(links.select().with_only_columns(links.c.clicks)) or 0)


async def test_it_leads_on_and_notes_the_click(database: Database, site: str, code: str) -> None:
    assert await follow(site, code) == (302, URL)
    assert await follow(site, code) == (302, URL)
    assert await clicks(database) == 2


async def test_a_messenger_that_only_looks_is_no_click(database: Database, site: str, code: str) -> None:
    assert await follow(site, code, agent="TelegramBot (like TwitterBot)") == (302, URL)
    assert await follow(site, code, method="HEAD") == (302, URL)
    assert await clicks(database) == 0


@pytest.mark.parametrize("wrong", ["abcdefghjk", "x", "ABCDEFGHJK", "a" * 60, "%D0%B0%D0%B1%D0%B2"])
async def test_a_code_nobody_has_leads_nowhere(site: str, code: str, wrong: str) -> None:
    assert await follow(site, wrong) == (404, "")


async def test_it_ends_after_its_life(database: Database, site: str, code: str, clock: HandClock) -> None:
    clock.forward((LIFE + timedelta(seconds=1)).total_seconds())
    assert await follow(site, code) == (404, "")
    assert await clicks(database) == 0
