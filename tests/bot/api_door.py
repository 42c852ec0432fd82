"""The HTTP API on a real socket over a database of its own, and a company to fill it with."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web

from bot.hooks import Hooks
from bot.http.api.routes import Api
from bot.http.app import Site, build_app
from domain.access import Scope
from domain.directory import Department, DirectoryList, Employee, House, HouseField
from domain.roles import Person, Role
from storage.api_keys import ApiKeys
from storage.directory import DirectoryStore
from storage.engine import Database
from tests.conftest import Serve
from tests.ground import HandClock

BY = Person(user_id=1, account_id=1, telegram_id=10, role=Role.OWNER, name="Анна")
HOUSES = "/api/cleaning/houses"
PEOPLE, TREE, FIGURES = (f"/api/dashboard/{name}" for name in ("employees", "departments", "statistics"))
ALL = (HOUSES, PEOPLE, TREE, FIGURES)
STREETS = ("ул. Кибальчича", "ул. Ёлочная", "Садовый пер.")


@dataclass
class Door:
    url: str
    database: Database
    clock: HandClock
    keys: ApiKeys
    store: DirectoryStore
    hooks: Hooks
    session: aiohttp.ClientSession
    secret: str = ""

    async def ask(self, path: str, *, method: str = "GET", **headers: str) -> tuple[int, Any, Any]:
        """Status, JSON and headers. With the key, unless ``Authorization`` is given."""
        given = {"Authorization": f"Bearer {self.secret}", "Accept-Encoding": "identity"} | headers
        async with self.session.request(method, self.url + path, headers=given) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None, answer.headers

    async def key(self, *scopes: Scope, name: str = "Сайт") -> str:
        return (await self.keys.make(BY, name, scopes or tuple(Scope), now=self.clock.now()))[1]

    async def fill(self, count: int = 490) -> None:
        """A company: ``count`` houses, four people, three departments; as it is read in whole."""
        store, now = self.store, self.clock.now()
        houses = [
            House(
                external_id=str(number), title=f"Дом {number}", url=f"https://portal.example/{number}",
                values={HouseField.ADDRESS: f"{STREETS[number % 3]}, {number}", HouseField.FLATS: str(number)}
                | {HouseField.COMPANY: "УК Север"},
            )
            for number in range(1, count)
        ]  # fmt: skip
        bare = House(external_id=str(count), title="Без адреса", values={HouseField.FLATS: "12 или 14"})
        people = [
            Employee(external_id="1", name="Анна", last_name="Петрова", position="Директор", department_ids=("10",)),
            Employee(external_id="2", name="Олег", last_name="Иванов", department_ids=("11", "12")),
            Employee(external_id="3", name="Пётр", last_name="Иванов", active=False, department_ids=("11",)),
            Employee(external_id="4", name="Юля"),
        ]
        tree = [
            Department(external_id="11", name="Бригада 1", parent_id="10", head_id="2"),
            Department(external_id="10", name="Компания", head_id="1"),
            Department(external_id="12", name="Бригада 2", parent_id="10"),
        ]
        for name, add, rows in (
            (DirectoryList.HOUSES, store.add_houses, [*houses, bare] if count else []),
            (DirectoryList.EMPLOYEES, store.add_employees, people),
            (DirectoryList.DEPARTMENTS, store.add_departments, tree),
        ):
            generation = await store.begin(1, name)
            await cast("Any", add)(1, generation, rows)
            await store.complete(1, name, generation, now=now)


def serving(api: Api, hooks: Hooks) -> web.Application:
    async def nothing(_: web.Request) -> web.Response:
        return web.Response()

    async def metrics() -> str:
        return "svodka_up 1\n"

    ingress = SimpleNamespace(hook=nothing, keyed=nothing, bitrix24_seed=nothing, hooks=hooks)
    site = SimpleNamespace(
        ingress=ingress, api=api, health=nothing, metrics=metrics, metrics_key="m" * 32, update=nothing, follow=nothing,
        consent=nothing,
    )  # fmt: skip
    return build_app(cast("Site", site))


@pytest.fixture
async def api(lite: Database, clock: HandClock, serve: Serve) -> AsyncIterator[Door]:
    hooks = Hooks()
    url = await serve(serving(Api(lite, clock, connected=True), hooks))
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        made = Door(url, lite, clock, ApiKeys(lite), DirectoryStore(lite), hooks, session)
        made.secret = await made.key()
        yield made
