"""All of Telegram's part against a strict Telegram: who gets an answer, who does not, and what survives a restart."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
from aiogram import F, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, InlineQuery
from aiogram.types import Message as ChatMessage
from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import SystemClock
from bot.settings import TelegramSettings
from bot.telegram.assembly import Telegram, TelegramParts, build_telegram
from bot.telegram.dispatcher import ADMINS_ONLY, OWNER_ONLY
from bot.telegram.gate import STALE_BUTTON, STRANGER, TOAST, WRONG_CODE
from bot.telegram.lateness import Lateness
from bot.telegram.membership import FAREWELL
from bot.telegram.menus import Menus
from domain.errors import BadInput, ConfigError, VendorUnavailable
from domain.messages import Destination
from domain.ports import Tx
from domain.roles import Person, Role
from sandbox.telegram import Role as ChatRole
from sandbox.telegram import TelegramDouble
from storage.engine import Database
from storage.models import telegram_updates
from storage.posts import StoredChat
from tests.conftest import Serve
from tests.telegram.conftest import hang_up, note

MENUS = Menus(
    stranger=(("start", "начать"),),
    group=(("calls", "звонки"),),
    manager=(("calls", "звонки"), ("help", "помощь")),
    admin=(("calls", "звонки"), ("settings", "настройки")),
)


class Wizard(StatesGroup):
    name = State()


@dataclass(frozen=True)
class Desk:
    heard: list[str]


def build_router() -> Router:  # noqa: C901  many small handlers
    router = Router()

    @router.message(Command("calls"))
    async def calls(message: ChatMessage, person: Person, desk: Desk) -> None:
        desk.heard.append(f"{person.role.value}:{message.text}")
        keyboard = [
            [InlineKeyboardButton(text=t, callback_data=t) for t in ("mute", "loud", "boss", "own", "lost", "break")]
        ]
        await message.answer("звонков нет", reply_markup=InlineKeyboardMarkup(inline_keyboard=keyboard))

    @router.message(Command("settings"), flags={"role": "admin"})
    async def settings(message: ChatMessage) -> None:
        await message.answer("настройки")

    @router.message(Command("owner"), flags={"role": "owner"})
    async def owner(message: ChatMessage) -> None:
        await message.answer("владелец")

    @router.message(Command("returns"))
    async def returns(message: ChatMessage) -> object:
        return message.answer("ответ методом")

    @router.message(Command("broken"))
    async def broken(_message: ChatMessage) -> None:
        raise RuntimeError("внутри")

    @router.message(Command("bad"))
    async def bad(_message: ChatMessage) -> None:
        raise BadInput("period", "Напишите период так: 7д, 30д.")

    @router.message(Command("away"))
    async def away(_message: ChatMessage) -> None:
        raise VendorUnavailable("bitrix24", "crm.deal.get", "time-out")

    @router.message(Command("name"))
    async def name(message: ChatMessage, state: FSMContext) -> None:
        await state.set_state(Wizard.name)
        await state.update_data(asked=1)
        await message.answer("как вас зовут?")

    @router.message(Wizard.name, F.text)
    async def named(message: ChatMessage, state: FSMContext) -> None:
        data = await state.get_data()
        await state.clear()
        await message.answer(f"{message.text} {data['asked']}")

    @router.message(Command("bind"))
    async def bind(message: ChatMessage) -> None:
        await message.answer("подключено")

    @router.callback_query(F.data == "mute")
    async def mute(_callback: CallbackQuery, desk: Desk) -> None:
        desk.heard.append("mute")

    @router.callback_query(F.data == "loud")
    async def loud(callback: CallbackQuery) -> None:
        await callback.answer("громко")

    @router.callback_query(F.data == "boss", flags={"role": "admin"})
    async def boss(_callback: CallbackQuery, desk: Desk) -> None:
        desk.heard.append("boss")

    @router.callback_query(F.data == "own", flags={"callback_answer": {"pre": True}})
    async def own(_callback: CallbackQuery, desk: Desk) -> None:
        desk.heard.append("own")

    @router.callback_query(F.data == "break")
    async def break_(_callback: CallbackQuery) -> None:
        raise RuntimeError("внутри кнопки")

    @router.inline_query()
    async def inline(query: InlineQuery, person: Person) -> None:
        await query.answer([], is_personal=True, cache_time=1, next_offset=person.role.value)

    return router


@dataclass(slots=True)
class Town:
    """The running bot and everybody around it."""

    double: TelegramDouble
    url: str
    database: Database
    path: Path
    heard: list[str]
    lines: list[str]
    telegram: Telegram

    def build(self, **more: Any) -> Telegram:
        """Another process over the same database."""
        settings = TelegramSettings(
            token=self.double.token, target=None, api_base_url=self.url, proxy=None, mode="auto", admin_ids=()
        )
        settings = replace(settings, **more.pop("settings", {}))
        parts = TelegramParts(
            settings=settings,
            database=self.database,
            clock=SystemClock(),
            account_id=1,
            data_dir=self.path,
            menus=MENUS,
            announce=self.lines.append,
            lateness=Lateness(reading_buttons=("mute",)),
            poll_seconds=1,
        )
        self.telegram = build_telegram(replace(parts, **more))
        self.telegram.join([build_router()], Desk(self.heard))
        return self.telegram

    @asynccontextmanager
    async def living(self, **more: Any) -> AsyncIterator[Telegram]:
        telegram = self.build(**more)
        telegram._session.close = lambda: hang_up(telegram._session)  # type: ignore[method-assign]
        await telegram.start()
        try:
            yield telegram
        finally:
            await telegram.stop()

    async def post_to(self, chat_id: int, text: str) -> None:
        async def job(connection: AsyncConnection) -> None:
            place = Destination(chat_id=chat_id)
            await StoredChat(SystemClock()).post_to(cast("Tx", connection), 1, place, note(text))

        await self.database.write(job)
        self.telegram.wake()

    def texts(self, chat_id: int) -> list[str]:
        return [sent.text for sent in self.double.sent if sent.chat_id == chat_id]

    async def said(self, chat_id: int, *texts: str, seconds: float = 5.0) -> None:
        await self.double.until(lambda: len(self.texts(chat_id)) >= len(texts), seconds)
        assert self.texts(chat_id) == list(texts)

    async def settled(self) -> None:
        """Every stored update is done."""
        async with asyncio.timeout(5):
            while True:
                async with self.database.read() as connection:
                    states = set(await connection.scalars(select(telegram_updates.c.state)))
                if states <= {"done", "dropped", "dead"}:
                    return
                await asyncio.sleep(0.01)


@pytest.fixture
async def town(serve: Serve, tmp_path: Path, database: Database, quick: Callable[..., None]) -> AsyncIterator[Town]:
    quick()
    double = TelegramDouble(webhook_pause_s=0.02)
    url = await serve(double.build_app())
    yield Town(double, url, database, tmp_path, [], [], None)  # type: ignore[arg-type]
    double.clear_faults()


async def known(town: Town, role: Role, name: str = "Иван") -> Any:
    person = town.double.person(name, started=True)
    await town.telegram.people.let_in(1, (person.id,))
    if role is not Role.OWNER:
        owner = await town.telegram.people.find(person.id)
        assert owner is not None
    return person


async def test_the_first_owner_comes_in_by_the_code_and_invites_others(town: Town) -> None:
    ivan, olga = town.double.person("Иван"), town.double.person("Ольга")
    async with town.living() as telegram:
        (line,) = town.lines
        code = line.split("/start ")[1].split()[0]
        town.double.start(olga)
        await town.said(olga.id, STRANGER)
        town.double.start(olga, "000000000000")
        await town.said(olga.id, STRANGER, WRONG_CODE)
        town.double.start(ivan, code)
        await town.said(ivan.id, "Готово, доступ открыт: владелец. Что я умею: /help")
        town.double.start(olga, code)  # used
        await town.said(olga.id, STRANGER, WRONG_CODE, WRONG_CODE)
        owner = await telegram.people.find(ivan.id)
        assert owner is not None
        invitation = await telegram.people.invite(owner, Role.MANAGER)
        town.double.start(olga, invitation)
        await town.double.until(lambda: len(town.texts(olga.id)) == 4)
        assert town.texts(olga.id)[-1].startswith("Готово, доступ открыт: менеджер")
        await town.double.until(lambda: len(town.double.calls_of("setMyCommands")) >= 4)
    town.lines.clear()
    async with town.living():
        assert not town.lines  # claimed


async def test_strangers_learn_nothing(town: Town) -> None:
    async with town.living() as telegram:
        ivan = await known(town, Role.OWNER)
        olga = town.double.person("Ольга", started=True)
        group = town.double.group("Продажи", {ivan: ChatRole.CREATOR, olga: ChatRole.MEMBER})
        await telegram.destinations.bind(1, Destination(chat_id=group.id))
        for _ in range(3):
            town.double.say(olga, "/calls")
        town.double.say(olga, "/calls@svodka_bot", chat=group)
        town.double.say(ivan, "/calls@svodka_bot", chat=group, anonymous=True)
        query = town.double.ask_inline(olga, "иванов")
        await town.double.until(lambda: query.results is not None)
        assert not query.results
        assert query.button is not None
        town.double.say(ivan, "/calls@svodka_bot", chat=group)
        await town.double.until(lambda: bool(town.texts(group.id)))
        press = town.double.press(olga, town.double.messages(group)[-1], "mute")
        await town.double.until(lambda: press.toast is not None)
        assert press.toast is not None
        assert press.toast.text == TOAST
        await town.settled()
        await town.double.until(lambda: bool(town.texts(olga.id)))
    assert town.texts(olga.id) == [STRANGER]  # once, however often they write
    assert town.texts(group.id) == ["звонков нет"]
    assert town.heard == ["owner:/calls@svodka_bot"]


async def test_buttons_are_always_answered(town: Town) -> None:
    async with town.living():
        ivan = await known(town, Role.OWNER)
        town.double.say(ivan, "/calls")
        await town.said(ivan.id, "звонков нет")
        message = town.double.messages(town.double.private(ivan))[-1]
        toasts = {}
        for name in ("mute", "loud", "own", "lost", "boss"):
            press = town.double.press(ivan, message, name)
            await town.double.until(lambda press=press: press.toast is not None)
            toasts[name] = press.toast.text if press.toast is not None else None
        await town.settled()
    assert toasts == {"mute": "", "loud": "громко", "own": "", "lost": STALE_BUTTON, "boss": ""}
    assert len(town.double.calls_of("answerCallbackQuery")) == 5  # none twice
    assert town.heard[1:] == ["mute", "own", "boss"]


async def test_a_handler_that_breaks_says_so_in_one_line(town: Town) -> None:
    async with town.living() as telegram:
        ivan = await known(town, Role.OWNER)
        town.double.say(ivan, "/broken")
        town.double.say(ivan, "/bad")
        town.double.say(ivan, "/away")
        town.double.say(ivan, "/returns")
        await town.double.until(lambda: len(town.texts(ivan.id)) == 4)
        assert telegram.health().handler_failures == 3
        town.double.say(ivan, "/calls")
        await town.double.until(lambda: len(town.texts(ivan.id)) == 5)
        press = town.double.press(ivan, town.double.messages(town.double.private(ivan))[-1], "break")
        await town.double.until(lambda: press.toast is not None and len(town.texts(ivan.id)) == 6)
    said = sorted(town.texts(ivan.id)[:4])
    assert said[0].startswith("bitrix24 сейчас не отвечает")
    assert said[1] == "Напишите период так: 7д, 30д."
    assert said[2].startswith("Не получилось, ошибка записана. Код для администратора: ")
    assert said[3] == "ответ методом"
    assert "внутри" not in "".join(town.texts(ivan.id))


async def test_rights_are_checked_by_the_flag(town: Town) -> None:
    async with town.living() as telegram:
        ivan, olga = await known(town, Role.OWNER), town.double.person("Ольга", started=True)
        owner = await telegram.people.find(ivan.id)
        assert owner is not None
        code = await telegram.people.invite(owner, Role.MANAGER)
        town.double.start(olga, code)
        await town.double.until(lambda: len(town.texts(olga.id)) == 1)
        town.double.say(olga, "/settings")
        town.double.say(olga, "/owner")
        town.double.say(olga, "/calls")
        await town.double.until(lambda: len(town.texts(olga.id)) == 4)
        assert town.texts(olga.id)[1:] == [ADMINS_ONLY, OWNER_ONLY, "звонков нет"]
        press = town.double.press(olga, town.double.messages(town.double.private(olga))[-1], "boss")
        await town.double.until(lambda: press.toast is not None)
        assert press.toast is not None
        assert (press.toast.text, press.toast.alert) == (ADMINS_ONLY, True)
        town.double.say(ivan, "/settings")
        town.double.say(ivan, "/owner")
        await town.said(ivan.id, "настройки", "владелец")
        query = town.double.ask_inline(olga, "x")
        await town.double.until(lambda: query.results is not None)
        assert query.button is None
    assert "boss" not in town.heard


async def test_a_conversation_survives_a_restart(town: Town) -> None:
    async with town.living():
        ivan = await known(town, Role.OWNER)
        town.double.say(ivan, "/name")
        await town.said(ivan.id, "как вас зовут?")
        await town.settled()
    async with town.living():
        town.double.say(ivan, "Иван")
        await town.said(ivan.id, "как вас зовут?", "Иван 1")


async def test_an_unbound_group_hears_bind_and_nothing_else(town: Town) -> None:
    async with town.living():
        ivan = await known(town, Role.OWNER)
        group = town.double.group("Новая", {ivan: ChatRole.CREATOR}, bot=None)
        town.double.add_bot(group, ivan)
        town.double.say(ivan, "/calls@svodka_bot", chat=group)
        town.double.say(ivan, "/bind@svodka_bot", chat=group)
        await town.said(group.id, "подключено")
        await town.settled()
    assert not town.heard
    assert not town.double.calls_of("leaveChat")


async def test_added_by_a_stranger_it_says_one_line_and_leaves(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.telegram.membership.GRACE_SECONDS", 0.0)
    async with town.living() as telegram:
        ivan, olga = await known(town, Role.OWNER), town.double.person("Ольга", started=True)
        group = town.double.group("Чужая", {olga: ChatRole.CREATOR, ivan: ChatRole.MEMBER}, bot=None)
        town.double.add_bot(group, olga)
        await town.double.until(lambda: bool(town.double.calls_of("leaveChat")))
        await town.settled()
        assert town.texts(group.id) == [FAREWELL]
        bound = town.double.group("Своя", {olga: ChatRole.CREATOR}, bot=None)
        await telegram.destinations.bind(1, Destination(chat_id=bound.id))
        town.double.add_bot(bound, olga)
        await asyncio.sleep(0.1)
        await town.settled()
    assert len(town.double.calls_of("leaveChat")) == 1


async def test_thrown_out_and_taken_back(town: Town) -> None:
    async with town.living() as telegram:
        ivan = await known(town, Role.OWNER)
        group = town.double.group("Продажи", {ivan: ChatRole.CREATOR})
        await telegram.destinations.bind(1, Destination(chat_id=group.id))
        town.double.remove_bot(group, ivan)
        await town.double.until(lambda: bool(town.texts(ivan.id)))
        assert "Бота удалили из чата «Продажи»" in town.texts(ivan.id)[0]
        assert [place.state for place in await telegram.destinations.all(1)] == ["dead"]
        town.double.add_bot(group, ivan)
        await asyncio.sleep(0.1)
        await town.settled()
        assert [place.state for place in await telegram.destinations.all(1)] == ["active"]


async def test_taken_back_while_nobody_listened(town: Town) -> None:
    async with town.living() as telegram:
        ivan = await known(town, Role.OWNER)
        group = town.double.group("Продажи", {ivan: ChatRole.CREATOR})
        await telegram.destinations.bind(1, Destination(chat_id=group.id))
        await telegram.destinations.bury(group.id, "test")
    async with town.living() as telegram, asyncio.timeout(5):
        while [place.state for place in await telegram.destinations.all(1)] != ["active"]:
            await asyncio.sleep(0.02)


async def test_a_group_that_moves_is_followed_by_its_message(town: Town) -> None:
    async with town.living() as telegram:
        ivan = await known(town, Role.OWNER)
        group = town.double.group("Продажи", {ivan: ChatRole.CREATOR}, supergroup=False)
        await telegram.destinations.bind(1, Destination(chat_id=group.id))
        new = town.double.migrate(group, ivan)
        async with asyncio.timeout(5):
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
        ivan = await known(town, Role.OWNER)
        town.double.say(ivan, "/calls")
        await town.said(ivan.id, "звонков нет")
        await telegram.bot.delete_webhook()
        await town.double.until(lambda: len(town.double.calls_of("setWebhook")) == 2, 3)
        async with asyncio.timeout(3):
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
        async with asyncio.timeout(5):
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
        ivan = await known(town, Role.OWNER)
        api = telegram._session.api
        telegram._session.api = type(api).from_base("http://127.0.0.1:9")  # nobody listens there
        for number in range(5):
            await town.post_to(ivan.id, f"m{number}")
        async with asyncio.timeout(5):
            while told != ["outage"]:
                await asyncio.sleep(0.02)
        assert telegram.health().outage_since is not None
        await asyncio.sleep(0.3)
        telegram._session.api = api
        await town.double.until(lambda: len(town.texts(ivan.id)) == 5, 5)
        await asyncio.sleep(0.05)
        assert told == ["outage", "recovered"]
        assert town.texts(ivan.id) == [f"m{number}" for number in range(5)]
        assert telegram.health().outage_since is None


async def test_blocked_and_unblocked_by_a_person(town: Town) -> None:
    async with town.living():
        ivan = await known(town, Role.OWNER)
        town.double.block_bot(ivan)
        await asyncio.sleep(0.05)
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
        await town.double.until(lambda: any(call.status in {400, 403} for call in town.double.calls_of("sendMessage")))
        await asyncio.sleep(0.05)
        town.double.start(olga)
        await town.said(olga.id, "ждало")


async def test_a_farewell_nobody_may_say_is_no_reason_to_stay(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.telegram.membership.GRACE_SECONDS", 0.0)
    async with town.living() as telegram:
        olga = town.double.person("Ольга", started=True)
        for refusals in (1, 2):
            group = town.double.group(f"Чужая {refusals}", {olga: ChatRole.CREATOR}, bot=None)
            town.double.refuse(403, "Forbidden: no", method="sendMessage")
            if refusals == 2:
                town.double.refuse(403, "Forbidden: already out", method="leaveChat")
            town.double.add_bot(group, olga)
            await town.double.until(lambda n=refusals: len(town.double.calls_of("leaveChat")) == n)
        await town.settled()
        late = town.double.group("Своя", {olga: ChatRole.CREATOR}, bot=None)
        is_bound, asked = telegram.destinations.is_bound, []

        async def bound_a_moment_later(chat_id: int) -> bool:
            asked.append(chat_id)
            return len(asked) > 1 or await is_bound(chat_id)

        monkeypatch.setattr(telegram.destinations, "is_bound", bound_a_moment_later)
        town.double.add_bot(late, olga)
        await asyncio.sleep(0.1)
        await town.settled()
    assert len(asked) == 2
    assert len(town.double.calls_of("leaveChat")) == 2


async def test_odd_updates_harm_nobody(town: Town) -> None:
    async with town.living(public_url="http://127.0.0.1:9", webhook_secret="s") as telegram:
        ivan = await known(town, Role.OWNER)
        odd = (
            {"update_id": 1, "not_invented_yet": {"x": 1}},
            {"update_id": 2, "message": {"chat": "x"}},
            {"update_id": 3, "callback_query": {"id": "1", "from": user(ivan.id), "chat_instance": "1", "data": "break"}},
            {"update_id": 4, "callback_query": {"id": "2", "from": user(999), "chat_instance": "1", "data": "x"}},
            {"update_id": 5, "inline_query": {"id": "3", "from": user(999), "query": "", "offset": ""}},
            {"update_id": 6, "message": {**said(ivan.id), "from": user(ivan.id, is_bot=True)}},
        )
        for body in odd:
            assert await telegram.accept_update(json.dumps(body).encode(), "s") == 200
        await town.settled()
        assert await telegram.accept_update(json.dumps({"update_id": 9, "message": said(ivan.id)}).encode(), "s") == 200
        await town.said(ivan.id, "звонков нет")


def user(number: int, *, is_bot: bool = False) -> dict[str, Any]:
    return {"id": number, "is_bot": is_bot, "first_name": "И"}


def said(chat_id: int) -> dict[str, Any]:
    chat = {"id": chat_id, "type": "private", "first_name": "И"}
    return {"message_id": 5, "date": int(time.time()), "chat": chat, "from": user(chat_id), "text": "/calls"}


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
    async with asyncio.timeout(3):
        while len(calls) < 3:
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await hang_up(telegram._session)


async def test_a_menu_that_is_refused_and_one_that_is_taken_away(town: Town) -> None:
    async with town.living() as telegram:
        ivan = await known(town, Role.OWNER)
        owner = await telegram.people.find(ivan.id)
        assert owner is not None
        olga = town.double.person("Ольга", started=True)
        await telegram.people.accept(await telegram.people.invite(owner, Role.ADMIN), telegram_id=olga.id, name="Ольга")
        await telegram.people.disable(owner, olga.id)
    town.double.refuse(400, "Bad Request: chat not found", method="setMyCommands")
    async with town.living():
        await town.double.until(lambda: bool(town.double.calls_of("deleteMyCommands")))
