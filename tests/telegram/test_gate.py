"""Who gets an answer and who does not: people, strangers, groups, roles, buttons."""

import json
import time
from typing import Any

import pytest

from bot.telegram.dispatcher import ADMINS_ONLY, OWNER_ONLY
from bot.telegram.gate import STALE_BUTTON, STRANGER, TOAST, WRONG_CODE
from bot.telegram.membership import FAREWELL
from domain.messages import Destination
from domain.roles import Role
from sandbox.telegram import Role as ChatRole
from tests.telegram.town import Town, known


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
        ivan = await known(town)
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


async def test_who_is_known_by_number_is_called_by_the_name_they_come_with(town: Town) -> None:
    async with town.living() as telegram:
        ivan = await known(town)
        town.double.say(ivan, "/calls")
        await town.said(ivan.id, "звонков нет")
        person = await telegram.people.find(ivan.id)
        assert person is not None
        assert person.name == "Иван"


async def test_buttons_are_always_answered(town: Town) -> None:
    async with town.living():
        ivan = await known(town)
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
        ivan = await known(town)
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
    assert said[0].startswith("Битрикс24 сейчас не отвечает")
    assert said[1] == "Напишите период так: 7д, 30д."
    assert said[2].startswith("Не получилось, ошибка записана. Код для администратора: ")
    assert said[3] == "ответ методом"
    assert "внутри" not in "".join(town.texts(ivan.id))


async def test_rights_are_checked_by_the_flag(town: Town) -> None:
    async with town.living() as telegram:
        ivan, olga = await known(town), town.double.person("Ольга", started=True)
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
        ivan = await known(town)
        town.double.say(ivan, "/name")
        await town.said(ivan.id, "как вас зовут?")
        await town.settled()
    async with town.living():
        town.double.say(ivan, "Иван")
        await town.said(ivan.id, "как вас зовут?", "Иван 1")


async def test_an_unbound_group_hears_bind_and_nothing_else(town: Town) -> None:
    async with town.living():
        ivan = await known(town)
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
        ivan, olga = await known(town), town.double.person("Ольга", started=True)
        group = town.double.group("Чужая", {olga: ChatRole.CREATOR, ivan: ChatRole.MEMBER}, bot=None)
        town.double.add_bot(group, olga)
        await town.double.until(lambda: bool(town.double.calls_of("leaveChat")))
        await town.settled()
        assert town.texts(group.id) == [FAREWELL]
        bound = town.double.group("Своя", {olga: ChatRole.CREATOR}, bot=None)
        await telegram.destinations.bind(1, Destination(chat_id=bound.id))
        town.double.add_bot(bound, olga)
        await town.settled()
    assert len(town.double.calls_of("leaveChat")) == 1


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
        await town.settled()
    assert len(asked) == 2
    assert len(town.double.calls_of("leaveChat")) == 2


async def test_odd_updates_harm_nobody(town: Town) -> None:
    async with town.living(public_url="http://127.0.0.1:9", webhook_secret="s") as telegram:
        ivan = await known(town)
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
