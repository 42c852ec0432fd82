"""All of Telegram's part running against a strict Telegram, with handlers of its own and people around it."""

import asyncio
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
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import SystemClock
from bot.settings import TelegramSettings
from bot.telegram.assembly import Telegram, TelegramParts, build_telegram
from bot.telegram.lateness import Lateness
from bot.telegram.menus import Menus
from domain.errors import BadInput, VendorUnavailable
from domain.messages import Destination
from domain.ports import Tx
from domain.roles import Person
from sandbox.telegram import TelegramDouble
from storage.engine import Database
from storage.models import posts, telegram_updates
from storage.posts import StoredChat
from tests.conftest import Serve
from tests.ground import until
from tests.telegram.bench import hang_up, note

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


def build_router() -> Router:
    router = Router()
    _add_commands(router)
    _add_conversation(router)
    _add_buttons(router)
    return router


def _add_commands(router: Router) -> None:
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


def _add_conversation(router: Router) -> None:
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


def _add_buttons(router: Router) -> None:
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
            titles={"bitrix24": "Битрикс24"},
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

    async def said(self, chat_id: int, *texts: str, seconds: float = 60.0) -> None:
        await self.double.until(lambda: len(self.texts(chat_id)) >= len(texts), seconds)
        assert self.texts(chat_id) == list(texts)

    async def refused(self) -> None:
        """Wait until a post is known to be one that Telegram will not take to its chat."""
        async with asyncio.timeout(60):
            while True:
                async with self.database.read() as connection:
                    if "dead" in set(await connection.scalars(select(posts.c.state))):
                        return
                await asyncio.sleep(0.01)

    async def settled(self) -> None:
        """All that happened until now has come, and every stored update is done."""
        await until(lambda: not self.double.site.inbox.pending)
        async with asyncio.timeout(60):
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


async def known(town: Town, name: str = "Иван") -> Any:
    """A person TELEGRAM_ADMIN_IDS names: the first one is the owner."""
    person = town.double.person(name, started=True)
    await town.telegram.people.let_in(1, (person.id,))
    return person
