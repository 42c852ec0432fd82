"""Keys of the HTTP API in the chat: from /settings to a secret that is shown once, and back out of every step."""

from typing import Any, cast

import pytest
from aiogram.methods import DeleteMessage, SendMessage
from sqlalchemy import select

from domain.access import KeyState, Scope
from handlers.desk import Desk
from storage.api_keys import ApiKeys, is_key
from storage.models import api_keys, audit, fsm, posts
from tests.handlers.chat import GROUP, MANAGER, Talk
from tests.handlers.conftest import Golden


async def make(talk: Talk, name: str = "Сайт") -> str:
    """Through every step; the secret."""
    await talk.press("keyadd:0")
    await talk.say(name)
    await talk.press("keymake:0")
    return shown_secret(talk)


def shown_secret(talk: Talk) -> str:
    """What the copy button of the last message carries."""
    secret = talk.keyboard()[0][0]
    assert is_key(secret)
    return secret


async def live(desk: Desk, secret: str) -> bool:
    shown = await ApiKeys(desk.database).look_up(secret, now=desk.clock.now())
    return shown is not None and shown.state is KeyState.LIVE


async def test_from_the_settings_to_a_key_that_is_shown_once(owner: Talk, desk: Desk, golden: Golden) -> None:
    await owner.say("/settings")
    assert ["keys:0"] in owner.keyboard()
    said = [await owner.press("keys:0"), await owner.press("keyadd:0"), await owner.say("  Приложение   бригадиров ")]
    assert owner.keyboard()[:4] == [["keysc:directory"], ["keysc:statistics"], ["keysc:metrics"], ["keymake:0"]]
    said += [await owner.press("keysc:statistics"), await owner.press("keysc:metrics"), await owner.press("keymake:0")]
    secret = shown_secret(owner)
    assert f'curl -H "Authorization: Bearer {secret}" "http://localhost:8080/api/cleaning/houses?limit=5"' in said[-1]
    (key,) = await ApiKeys(desk.database).all(1)
    assert (key.name, key.scopes) == ("Приложение бригадиров", {Scope.DIRECTORY, Scope.METRICS})
    said += [await owner.press(f"key:{key.id}")]
    golden("api_keys", "\n\n".join(said).replace(secret, "svk_СЕКРЕТ").replace(key.prefix, "svk_НАЧ"))


async def test_the_secret_is_nowhere_but_in_that_message(owner: Talk, desk: Desk) -> None:
    secret = await make(owner)
    async with desk.database.read() as connection:
        kept = [str((await connection.execute(select(table))).all()) for table in (api_keys, audit, fsm, posts)]
    assert secret[8:] not in "".join(kept)
    await owner.press("keyseen:0")
    assert any(isinstance(call, DeleteMessage) for call in owner.session.calls)
    assert secret not in await owner.press("keys:0")
    await make(owner, "Второй")
    owner.session.refuse["deleteMessage"] = "Bad Request: message can't be deleted for everyone"
    assert "~ Ключ убран из чата" in await owner.press("keyseen:0")


async def test_a_second_press_makes_no_second_key(owner: Talk, desk: Desk) -> None:
    await make(owner)
    assert "Разговор о ключе закончен" in await owner.press("keymake:0")
    assert len(await ApiKeys(desk.database).all(1)) == 1


async def test_what_cannot_be_made_is_said_and_nothing_is_made(owner: Talk, desk: Desk) -> None:
    await make(owner)
    await owner.press("keyadd:0")
    assert "длиннее 40 знаков" in await owner.say("и" * 41)
    assert owner.keyboard() == []
    await owner.say("сайт")
    assert "уже есть" in await owner.press("keymake:0")
    await owner.press("keyadd:0")
    await owner.say("Другой")
    for scope in (Scope.DIRECTORY, Scope.STATISTICS):
        await owner.press(f"keysc:{scope}")
    assert "хотя бы одно право" in await owner.press("keymake:0")
    await owner.press("keys:0")
    assert "закончен" in await owner.press("keymake:0")
    assert len(await ApiKeys(desk.database).all(1)) == 1


@pytest.mark.parametrize(("how", "old_lives"), [("day", True), ("now", False)])
async def test_a_key_is_replaced(owner: Talk, desk: Desk, how: str, old_lives: bool) -> None:
    old = await make(owner)
    (key,) = await ApiKeys(desk.database).all(1)
    assert "Что делать с прежним" in await owner.press(f"keyrot:{key.id}")
    assert owner.keyboard()[:2] == [[f"keyrotgo:{key.id}:day"], [f"keyrotgo:{key.id}:now"]]
    said = await owner.press(f"keyrotgo:{key.id}:{how}")
    new = shown_secret(owner)
    assert ("Прежний ключ действует до 21.11 15:00" if old_lives else "Прежний ключ больше не действует") in said
    assert (await live(desk, old), await live(desk, new), new != old) == (old_lives, True, True)
    assert ("действует до" in await owner.press(f"key:{key.id}")) is old_lives


async def test_who_still_uses_the_old_one_is_seen(owner: Talk, desk: Desk) -> None:
    old, store, now = await make(owner), ApiKeys(desk.database), desk.clock.now()
    (key,) = await store.all(1)
    await owner.press(f"keyrotgo:{key.id}:day")
    assert "ещё не сменили" not in await owner.press(f"key:{key.id}")
    shown = await store.look_up(old, now=now)
    assert shown is not None
    await store.note_use(shown, now=now)
    assert "ещё не сменили" in await owner.press(f"key:{key.id}")


async def test_a_key_is_revoked_after_a_question(owner: Talk, desk: Desk) -> None:
    secret = await make(owner)
    (key,) = await ApiKeys(desk.database).all(1)
    assert "сразу получит отказ" in await owner.press(f"keyoff:{key.id}")
    assert await live(desk, secret)
    assert "Ключ «Сайт» отозван" in await owner.press(f"keyoffgo:{key.id}")
    assert not await live(desk, secret)
    for data in (f"key:{key.id}", f"keyrot:{key.id}", f"keyrotgo:{key.id}:day", f"keyoff:{key.id}", "key:99", "key:x"):
        assert "больше нет" in await owner.press(data)


async def test_nothing_for_managers_or_groups(owner: Talk, desk: Desk) -> None:
    await make(owner)
    (key,) = await ApiKeys(desk.database).all(1)
    manager = Talk(desk, MANAGER)
    for data in ("keys:0", "keyadd:0", f"key:{key.id}", f"keyrotgo:{key.id}:now", f"keyoffgo:{key.id}"):
        assert "svk_" not in await manager.press(data)
        assert "личном чате" in await owner.press(data, chat=GROUP)
        assert not [call for call in owner.session.calls if isinstance(call, SendMessage)]
    assert (await ApiKeys(desk.database).all(1)) == (key,)
    assert not cast("Any", manager.session.calls[-1]).text or "админ" in cast("Any", manager.session.calls[-1]).text.lower()
