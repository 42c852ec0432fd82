"""Svodka's HTTP API over a company of 490 houses, and bare aiohttp that sends the same bytes from memory."""

import asyncio
import sys
from types import SimpleNamespace
from typing import Any, cast

from aiohttp import web

from benchmarks.servers.listen import listen
from bot.clock import SystemClock
from bot.hooks import Hooks
from bot.http.api.routes import Api
from bot.http.app import Site, build_app
from bot.loading import collect_rarely, load
from domain.access import Scope
from domain.directory import DirectoryList, House, HouseField
from domain.roles import Person, Role
from storage.api_keys import ApiKeys
from storage.directory import DirectoryStore
from storage.engine import Database
from storage.migrate import migrate

HOUSES = 490
PATH = "/api/cleaning/houses"
_BY = Person(user_id=1, account_id=1, telegram_id=1, role=Role.OWNER, name="Замер")


async def _nothing(_: web.Request) -> web.Response:
    raise web.HTTPNotFound


async def fill(database: Database) -> str:
    """The company, and a key that opens it."""
    store, now = DirectoryStore(database), SystemClock().now()
    generation = await store.begin(1, DirectoryList.HOUSES)
    await store.add_houses(1, generation, [_house(number) for number in range(1, HOUSES + 1)])
    await store.complete(1, DirectoryList.HOUSES, generation, now=now)
    return (await ApiKeys(database).make(_BY, "Замер", [Scope.DIRECTORY], now=now))[1]


def _house(number: int) -> House:
    values = {
        HouseField.ADDRESS: f"ул. Кибальчича, {number}", HouseField.FLATS: "120", HouseField.ENTRANCES: "4",
        HouseField.FLOORS: "9", HouseField.COMPANY: "УК «Северная слобода»", HouseField.SCHEDULE: "Пн, Ср, Пт",
        HouseField.BRIGADE: "Бригада «Север»",
    }  # fmt: skip
    return House(external_id=str(number), title=f"Дом {number}", values=values, url=f"https://portal.example/{number}/")


def bare_app(answers: dict[str, bytes]) -> web.Application:
    """The floor: the bytes are there, nobody is asked for a key."""

    async def answer(request: web.Request) -> web.Response:
        body = answers[request.query.get("limit", "")]
        return web.Response(body=body, headers={"Content-Type": "application/json; charset=utf-8"})

    app = web.Application()
    app.router.add_get(PATH, answer)
    return app


async def main(how: str, url: str, lengths: list[int]) -> None:
    if how == "bare":
        await listen(bare_app(dict(zip(("5", ""), (b"x" * length for length in lengths), strict=True))))
        return
    await migrate(url)
    database = Database(url)
    database.open()
    key = await fill(database)
    await load("bot.http.api.answers")
    ingress = SimpleNamespace(hook=_nothing, keyed=_nothing, bitrix24_seed=_nothing, hooks=Hooks())
    parts: dict[str, Any] = dict.fromkeys(("health", "metrics", "update", "follow", "consent"), _nothing)
    api = Api(database, SystemClock(), connected=True)
    collect_rarely()
    try:
        await listen(build_app(cast("Site", SimpleNamespace(ingress=ingress, api=api, metrics_key="", **parts))), key=key)
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], [int(length) for length in sys.argv[3:]]))
