"""Asking the real process: a call comes in over real sockets, then people find it, press under it, and look why."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.telegram.world import Chat, Message
from tests.e2e.town import Town, open_town


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with open_town(tmp_path) as opened:
        await opened.start()
        yield opened


class Asking:
    """The owner, asking in private or in the team's group."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.private = town.telegram.private(town.owner)

    async def newest(self, chat: Chat, *words: str) -> Message:
        """The newest message of the bot with these words, waited for."""

        def found() -> list[Message]:
            shown = [m for m in self.town.telegram.messages(chat) if m.author == self.town.telegram.bot]
            return [m for m in shown if all(word in m.text for word in words)]

        await self.town.until(found, why=lambda: f"{words} not in {[m.text for m in self.town.telegram.messages(chat)]}")
        return found()[-1]

    async def say(self, text: str, *words: str, chat: Chat | None = None, reply_to: Message | None = None) -> Message:
        self.town.telegram.say(self.town.owner, text, chat=chat, reply_to=reply_to)
        return await self.newest(chat or self.private, *words)

    async def has(self, question: str, words: str) -> bool:
        """Ask, and see whether the answer has these words."""
        before = len(self.town.telegram.messages(self.private))
        self.town.telegram.say(self.town.owner, question)
        await self.town.until(lambda: len(self.town.telegram.messages(self.private)) == before + 2)
        return words in self.town.telegram.messages(self.private)[-1].text

    async def press(self, message: Message, button: str) -> str:
        """The toast, empty when there is none."""
        toast = await self.town.telegram.press(self.town.owner, message, button).answered()
        return toast.text


async def test_a_call_is_found_opened_heard_read_and_explained_and_the_next_is_too_short(town: Town) -> None:
    asking = Asking(town)
    await town.end_call()
    card = await town.until_card("Готово через")
    shown = await asking.say("звонки за неделю", "📞 Звонки", "Нашлось: 1 звонок")
    await asking.press(shown, "1")
    opened = await asking.newest(asking.private, "📝 Саммари:")
    assert await asking.press(opened, "▶ Запись") == "Отправляю запись."
    await town.until(lambda: any(m.file for m in town.telegram.messages(asking.private)))
    assert await asking.press(opened, "Расшифровка") == "Отправляю расшифровку."
    await asking.newest(asking.private, "🗒 Расшифровка звонка", "Билибина")
    await asking.press(card, "Ещё")
    await town.until(lambda: town.telegram.history(card)[-1].markup != card.markup)
    unfolded = town.telegram.messages(town.group)[-1]
    await asking.press(unfolded, "Почему")
    why = await asking.newest(town.group, "🔎 Звонок № 1", "расшифровали", "написали в CRM", "Цена:")
    assert "123-45-67" not in why.text
    await asking.say("/why", "🔎 Звонок № 1", chat=town.group, reply_to=card)
    results = await town.telegram.ask_inline(town.owner, "билибина", chat=town.group).answered()
    assert len(results) == 1
    await asking.say("/status", "🩺 Состояние", "Битрикс24", "Всё работает")
    await asking.say("/errors", "Ошибок нет")
    settings = await asking.say("/settings", "длиннее 10 с")
    assert "Действует сразу" in await asking.press(settings, "60 с")
    await town.end_call("05_stereo_two_channel", duration_s=41)
    await town.until(lambda: asking.has("короткие", "Нашлось: 1 звонок"))
