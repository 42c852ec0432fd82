"""The life of Telegram's part: starts, stops, outages, chats that come and go."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from bot.telegram.assembly import build_telegram
from domain.errors import ConfigError
from domain.messages import Destination
from domain.roles import Role
from sandbox.telegram import Role as ChatRole
from tests.conftest import Serve
from tests.ground import until
from tests.telegram.bench import hang_up
from tests.telegram.town import Town, known


async def test_thrown_out_and_taken_back(town: Town) -> None:
    async with town.living() as telegram:
        ivan = await known(town)
        group = town.double.group("Продажи", {ivan: ChatRole.CREATOR})
        await telegram.destinations.bind(1, Destination(chat_id=group.id))
        town.double.remove_bot(group, ivan)
        await town.double.until(lambda: bool(town.texts(ivan.id)))
        assert "Бота удалили из чата «Продажи»" in town.texts(ivan.id)[0]
        await town.settled()
        assert [place.state for place in await telegram.destinations.all(1)] == ["dead"]
        town.double.add_bot(group, ivan)
        await town.settled()
        assert [place.state for place in await telegram.destinations.all(1)] == ["active"]


async def test_taken_back_while_nobody_listened(town: Town) -> None:
    async with town.living() as telegram:
        ivan = await known(town)
        group = town.double.group("Продажи", {ivan: ChatRole.CREATOR})
        await telegram.destinations.bind(1, Destination(chat_id=group.id))
        await telegram.destinations.bury(group.id, "test")
    async with town.living() as telegram, asyncio.timeout(60):
        while [place.state for place in await telegram.destinations.all(1)] != ["active"]:
            await asyncio.sleep(0.02)


async def test_a_group_that_moves_is_followed_by_its_message(town: Town) -> None:
    async with town.living() as telegram:
        ivan = await known(town)
        group = town.double.group("Продажи", {ivan: ChatRole.CREATOR}, supergroup=False)
        await telegram.destinations.bind(1, Destination(chat_id=group.id))
        new = town.double.migrate(group, ivan)
        async with asyncio.timeout(60):
            while [place.chat_id for place in await telegram.destinations.all(1)] != [new.id]:
                await asyncio.sleep(0.02)
        await town.settled()
        await town.double.until(lambda: len(town.texts(ivan.id)) == 1)
        assert "супергруппой" in town.texts(ivan.id)[0]  # once, though both chats said it
        town.double.say(ivan, "/calls@svodka_bot", chat=new)
        await town.said(new.id, "звонков нет")


async def test_a_webhook_is_set_proved_and_set_again(town: Town, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.telegram.reception.LOOK_SECONDS", 0.1)
    ours = web.Application()

    async def hook(request: web.Request) -> web.Response:
        secret = request.headers.get("X-Telegram-Bot-Api-Secret-Token")
        return web.Response(status=await town.telegram.accept_update(await request.read(), secret))

    ours.router.add_post("/telegram/webhook", hook)
    public = await serve(ours)
    async with town.living(public_url=public, webhook_secret="a-secret") as telegram:
        assert telegram.by_webhook
        await town.double.until(lambda: bool(town.double.calls_of("setWebhook")))
        ivan = await known(town)
        town.double.say(ivan, "/calls")
        await town.said(ivan.id, "звонков нет")
        await telegram.bot.delete_webhook()
        await town.double.until(lambda: len(town.double.calls_of("setWebhook")) == 2)
        async with asyncio.timeout(60):
            while telegram.health().webhook_url == "":
                await asyncio.sleep(0.02)
        assert telegram.health().mode == "webhook"
        assert await telegram.accept_update(b"{}", "wrong") == 401
        assert await telegram.accept_update(b"{}", None) == 401
        assert await telegram.accept_update(b"{}", "пароль") == 401
    assert not town.double.calls_of("getUpdates")


async def test_health_and_a_refused_token(town: Town) -> None:
    async with town.living() as telegram:
        health = telegram.health()
        assert (health.mode, health.username, health.inline) == ("polling", "svodka_bot", True)
        assert health.outage_since is None
    bad = town.build(settings={"token": "700700:other-token"})
    with pytest.raises(ConfigError, match="TELEGRAM_BOT_TOKEN"):
        await bad.start()
    await hang_up(bad._session)
    with pytest.raises(RuntimeError, match="join"):
        await build_telegram(town.telegram._parts).start()


async def test_it_starts_while_telegram_is_away(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.telegram.assembly.IDENTIFY_PAUSES", (0.1,))
    town.double.refuse(500, None, method="getMe", times=2)
    async with town.living() as telegram:
        assert telegram.health().inline is None
        async with asyncio.timeout(60):
            while telegram.health().username != "svodka_bot":
                await asyncio.sleep(0.02)


async def test_run_ends_when_it_is_cancelled(town: Town) -> None:
    telegram = town.build()
    telegram._session.close = lambda: hang_up(telegram._session)  # type: ignore[method-assign]
    task = asyncio.create_task(telegram.run())
    await town.double.until(lambda: bool(town.double.calls_of("getUpdates")))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert telegram._sending is None


async def test_an_outage_is_told_once_each_way_and_everything_arrives_in_order(town: Town, serve: Serve) -> None:
    told: list[str] = []

    async def tell(notice: Any) -> None:
        told.append(notice.kind.value)

    async with town.living(tell=tell) as telegram:
        ivan = await known(town)
        api = telegram._session.api
        telegram._session.api = type(api).from_base("http://127.0.0.1:9")  # nobody listens there
        for number in range(5):
            await town.post_to(ivan.id, f"m{number}")
        async with asyncio.timeout(60):
            while told != ["outage"]:
                await asyncio.sleep(0.02)
        assert telegram.health().outage_since is not None
        await asyncio.sleep(0.3)  # some more tries, which are not told
        telegram._session.api = api
        await town.double.until(lambda: len(town.texts(ivan.id)) == 5)
        await until(lambda: told == ["outage", "recovered"])
        assert town.texts(ivan.id) == [f"m{number}" for number in range(5)]
        assert telegram.health().outage_since is None


async def test_blocked_and_unblocked_by_a_person(town: Town) -> None:
    async with town.living():
        ivan = await known(town)
        town.double.block_bot(ivan)
        await town.settled()
        await town.post_to(ivan.id, "пока вас не было")
        await asyncio.sleep(0.1)
        assert not town.texts(ivan.id)
        town.double.unblock_bot(ivan)
        await town.said(ivan.id, "пока вас не было")


async def test_what_waited_for_the_first_start_comes_with_it(town: Town) -> None:
    async with town.living() as telegram:
        olga = town.double.person("Ольга")
        await telegram.people.let_in(1, (olga.id,))
        await town.post_to(olga.id, "ждало")
        await town.refused()
        town.double.start(olga)
        await town.said(olga.id, "ждало")


async def test_a_part_that_stops_takes_the_rest_with_it(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    telegram = town.build()
    telegram._session.close = lambda: hang_up(telegram._session)  # type: ignore[method-assign]

    async def broken() -> int:
        raise OSError("disk")

    monkeypatch.setattr(telegram.sender._outbox, "recover", broken)
    with pytest.raises(OSError, match="disk"):
        await telegram.run()


async def test_the_hourly_cleaning_outlives_the_database(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.telegram.assembly.CLEAN_SECONDS", 0.01)
    telegram = town.build()
    calls: list[int] = []

    async def broken() -> int:
        calls.append(1)
        raise OSError("disk")

    monkeypatch.setattr(telegram._updates, "forget", broken)
    task = asyncio.create_task(telegram._clean())
    async with asyncio.timeout(60):
        while len(calls) < 3:
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await hang_up(telegram._session)


async def test_a_menu_that_is_refused_and_one_that_is_taken_away(town: Town) -> None:
    async with town.living() as telegram:
        ivan = await known(town)
        owner = await telegram.people.find(ivan.id)
        assert owner is not None
        olga = town.double.person("Ольга", started=True)
        await telegram.people.accept(await telegram.people.invite(owner, Role.ADMIN), telegram_id=olga.id, name="Ольга")
        await telegram.people.disable(owner, olga.id)
    town.double.refuse(400, "Bad Request: chat not found", method="setMyCommands")
    async with town.living():
        await town.double.until(lambda: bool(town.double.calls_of("deleteMyCommands")))
