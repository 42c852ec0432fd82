"""A local Telegram on a real socket, a real aiogram bot against it, and a few people."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiohttp import web

from sandbox.telegram import Chat, Person, Role, TelegramDouble

Serve = Callable[[web.Application], Awaitable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The double, its address, and who is there: Ivan has started the bot and leads the group, Olga has not."""

    double: TelegramDouble
    url: str
    http: aiohttp.ClientSession
    ivan: Person
    olga: Person
    team: Chat

    async def call(self, method: str, **params: object) -> tuple[int, dict[str, object]]:
        """One raw Bot API call as JSON: (status, body)."""
        async with self.http.post(f"{self.url}/bot{self.double.token}/{method}", json=params) as response:
            return response.status, await response.json()

    async def ok(self, method: str, **params: object) -> object:
        """The result of a call that must succeed."""
        status, body = await self.call(method, **params)
        assert status == 200, body
        return body["result"]

    async def no(self, method: str, **params: object) -> str:
        """The description of a call that must be refused with 400."""
        status, body = await self.call(method, **params)
        assert (status, body["ok"], body["error_code"]) == (400, False, 400), body
        return str(body["description"])

    async def act(self, act: str, expect: int = 200, /, **body: object) -> dict[str, object]:
        """One act of the control API."""
        async with self.http.post(f"{self.url}/control/{act}", json=body) as response:
            assert response.status == expect, await response.text()
            return json.loads(await response.text())


def build_scene(double: TelegramDouble, url: str, http: aiohttp.ClientSession) -> Scene:
    ivan = double.person("Иван", "Петров", username="ivan", started=True)
    olga = double.person("Ольга")
    team = double.group("Отдел продаж", {ivan: Role.CREATOR, olga: Role.MEMBER})
    return Scene(double=double, url=url, http=http, ivan=ivan, olga=olga, team=team)


@pytest.fixture
async def scene(serve: Serve) -> AsyncIterator[Scene]:
    double = TelegramDouble(webhook_pause_s=0.02)
    url = await serve(double.build_app())
    async with aiohttp.ClientSession() as http:
        yield build_scene(double, url, http)
        double.clear_faults()


@pytest.fixture
async def bot(scene: Scene) -> AsyncIterator[Bot]:
    """aiogram as the product runs it; its closing pause for TLS is not needed on the loopback."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(scene.url))
    made = Bot(scene.double.token, session=session)
    yield made
    if session._session is not None:
        await session._session.close()
