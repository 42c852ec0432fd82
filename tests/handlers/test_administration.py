"""What happens when people enter, look for faults, change settings and bind chats, through a real dispatcher."""

from dataclasses import replace
from datetime import timedelta

import pytest
from aiogram.methods import SendMessage
from aiogram.types import WebhookInfo
from sqlalchemy import select

from domain.messages import Destination
from domain.roles import Role
from handlers.admin.status import code_name
from handlers.desk import MIN_DURATION_VARIABLE, Desk, PartHealth, PartState
from storage.held import HELD
from storage.models import audit, counters, posts
from tests.handlers.chat import GROUP, OWNER, Talk
from tests.handlers.conftest import Stage
from tests.handlers.seed import (
    NOON,
    put,
    seed_accounts,
    seed_work,
)


async def test_start_and_help(manager: Talk, desk: Desk) -> None:
    assert "Ваша роль: менеджер" in await manager.say("/start")
    assert "Ваша роль: менеджер" in await manager.say("/start inline")
    assert await manager.say("/start", chat=GROUP) == ""
    assert "/status" not in await manager.say("/help")
    assert "/bind" not in await manager.say("/справка", chat=GROUP)
    assert "длиннее 10 с" in await manager.say("/help звонки")
    assert "Поддержка24" in await manager.say("/help Битрикс24")
    assert "Такого раздела нет" in await manager.say("/помощь луна")


@pytest.mark.parametrize(
    "command",
    ["/status", "/errors", "/settings", "/bind", "/статус", "/Ошибки", "/check", "/Проверка бизон", "/метрики", "/queue"],
)
async def test_managers_do_not_run_the_bot(manager: Talk, command: str) -> None:
    assert await manager.say(command) == "> Это может только администратор."


@pytest.mark.parametrize("button", ["errors:1", "one:a:1", "all:a:1", "allgo:a:1", "min:5", "people:0", "invite:manager",
                                    "off:1", "offgo:1", "settings:0", "kind:call", "unbind:0", "status:0", "held:send",
                                    "heldgo:send", "heldgo:drop", "check:", "chkall:a", "queue:", "metrics:1"])  # fmt: skip
async def test_managers_press_in_vain(manager: Talk, desk: Desk, button: str) -> None:
    assert await manager.press(button, chat=GROUP) == "(Это может только администратор.)"
    assert await desk.min_duration_s(1) == 10


async def test_status(owner: Talk, desk: Desk, stage: Stage) -> None:
    stage.parts = [PartHealth(name="t", title="Битрикс24", state=PartState.OK)]
    owner.session.webhook = WebhookInfo(
        url="https://x/telegram/webhook", has_custom_certificate=False, pending_update_count=3,
        last_error_date=NOON - timedelta(minutes=5), last_error_message="Wrong response: 502",
    )  # fmt: skip
    shown = await owner.say("/status")
    for part in (
        "✅ Битрикс24: работает",
        "приём: вебхук",
        "3 обновления",
        "5 минут назад: Wrong response: 502",
        "/setinline",
    ):
        assert part in shown
    await put(desk.database, counters, {"day": "2026-11-20", "name": "rejected:BadSignature", "value": 4})
    assert "сверьте его с настройкой сервиса: 4" in await owner.say("/status")
    owner.session.refuse["getWebhookInfo"] = "Bad Request: no"
    assert "о вебхуке узнать не удалось" in await owner.say("/статус")


async def test_failures_are_repeated_one_or_all(
    owner: Talk, desk: Desk, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = {"state": "dead", "error_code": "insufficient_scope", "error": "bitrix24 x: insufficient_scope [a1]"}
    ids = [await seed_work(desk.database, f"bitrix24:{n}", **dead) for n in range(4)]
    name = code_name("insufficient_scope")
    assert "Не хватает прав вебхука · 4 ошибки" in await owner.say("/errors")
    assert owner.keyboard() == [[f"one:{name}:1", f"all:{name}:1"], ["errors:7"]]
    assert "🧯 Ошибки за 7 дней" in await owner.press("errors:7")
    assert "(Повтор запущен: 1.)" in await owner.press(f"one:{name}:1")
    assert stage.replayed == ids[:1]
    assert "Повторить все остановленные: 3?" in await owner.press(f"all:{name}:1")
    assert owner.keyboard() == [[f"allgo:{name}:1", "errors:1"]]
    monkeypatch.setattr("handlers.admin.answers.MOST_AT_ONCE", 2)
    assert "Запущены первые 2" in await owner.press(f"allgo:{name}:1")
    assert "(Повтор запущен: 1.)" in await owner.press(f"allgo:{name}:1")
    assert stage.replayed == ids
    assert "Ошибок нет" in await owner.say("/errors")
    assert "(Больше нечего повторять.)" in await owner.press(f"allgo:{name}:1")
    assert "(Больше нечего повторять.)" in await owner.press(f"all:{name}:1")


async def put_held(desk: Desk) -> None:
    for key, message_id in (("call:a", None), ("call:b", 17)):
        row = {"account_id": 1, "chat_id": GROUP, "key": key, "kind": "call", "content": "{}", "content_sha256": ""}
        row |= {"revision": 2, "not_before": NOON, "created_at": NOON, "state": HELD, "message_id": message_id}
        await desk.database.write(lambda tx, row=row: tx.execute(posts.insert().values(**row)))  # type: ignore[misc]


async def post_states(desk: Desk) -> list[tuple[str, int]]:
    async with desk.database.read() as connection:
        rows = await connection.execute(select(posts.c.state, posts.c.possible_repeats).order_by(posts.c.key))
        return [(row.state, row.possible_repeats) for row in rows]


async def test_what_a_restore_held_is_sent_when_a_person_says_so(owner: Talk, desk: Desk, stage: Stage) -> None:
    assert "придержан" not in (await owner.say("/status")).lower()
    assert await owner.press("held:send") == "(Придержанных сообщений нет.)"
    await put_held(desk)
    shown = await owner.say("/status")
    assert "придержано после восстановления: 2 сообщения" in shown
    assert "Требует внимания: 1" in shown
    assert owner.keyboard() == [["held:send"], ["held:drop"], ["check:"]]
    assert "Отправить придержанное: 2?" in await owner.press("held:send")
    assert owner.keyboard() == [["heldgo:send", "status:0"]]
    assert await post_states(desk) == [("held", 0), ("held", 0)]
    assert "придержано" in await owner.press("status:0")
    done = await owner.press("heldgo:send")
    assert "Отправляется: 2." in done
    assert "придержано" not in done
    assert await post_states(desk) == [("wanted", 1), ("wanted", 0)]
    assert "Придержанных сообщений нет" in await owner.press("heldgo:send")
    assert "Придержанных сообщений нет" in await owner.press("heldgo:nonsense")


async def test_or_is_dropped_and_never_sent(owner: Talk, desk: Desk) -> None:
    await put_held(desk)
    assert "Не отправлять придержанное: 2?" in await owner.press("held:drop")
    assert "Не будет отправлено: 2." in await owner.press("heldgo:drop")
    assert await post_states(desk) == [("dead", 0), ("dead", 0)]
    async with desk.database.read() as connection:
        (note,) = (await connection.execute(select(audit))).all()
    assert (note.action, note.actor, note.detail) == ("held.dropped", 1, "2")


async def test_the_shortest_call_changes_at_once(owner: Talk, desk: Desk) -> None:
    assert "длиннее 10 с" in await owner.say("/settings")
    assert "Теперь саммари для звонков длиннее 25 с" in await owner.say("/settings 25")
    assert await desk.min_duration_s(1) == 25
    assert "длиннее 0 с" in await owner.say("/settings длина 0")
    shown = await owner.press("min:20")
    assert "(Теперь саммари для звонков длиннее 20 с." in shown
    assert "~ ⚙️ Настройки" in shown
    for wrong in ("много", "-5", "3601", "1.5"):
        assert "Нужно целое число" in await owner.say(f"/settings {wrong}")
    assert await desk.min_duration_s(1) == 20
    assert "личном чате" in await owner.say("/settings", chat=GROUP)
    assert "⚙️ Настройки" in await owner.press("settings:0")


async def test_what_the_environment_sets_wins(desk: Desk) -> None:
    await seed_accounts(desk.database)
    talk = Talk(replace(desk, fixed={MIN_DURATION_VARIABLE: "15"}, default_min_duration_s=15), OWNER)
    assert "Задано в .env" in await talk.say("/settings")
    assert "Задано в .env" in await talk.say("/settings 25")
    assert "длиннее 15 с" in await talk.press("min:25")


async def test_people_are_invited_and_shut_out(owner: Talk, desk: Desk) -> None:
    await owner.press("invite:manager")
    (sent,) = [call for call in owner.session.calls if isinstance(call, SendMessage)]
    code = sent.text.rpartition("?start=")[2]
    assert "https://t.me/svodka_bot?start=" in sent.text
    let_in = await desk.people.accept(code, telegram_id=20, name="Олег", username="oleg")
    assert let_in is not None
    assert let_in.role is Role.MANAGER
    assert "Олег, @oleg — менеджер" in await owner.press("people:0")
    assert owner.keyboard() == [[f"off:{let_in.user_id}"], ["settings:0"]]
    assert "Отключить: Олег?" in await owner.press(f"off:{let_in.user_id}")
    shown = await owner.press(f"offgo:{let_in.user_id}")
    assert "(Отключён: Олег.)" in shown
    assert "Олег — отключён" in shown
    assert await desk.people.find(20) is None
    assert "Такого человека уже нет" in await owner.press(f"off:{let_in.user_id}")
    assert "Такого человека уже нет" in await owner.press(f"offgo:{let_in.user_id}")


async def test_an_invitation_is_for_private_and_the_last_admin_stays(owner: Talk, desk: Desk) -> None:
    assert "личном чате" in await owner.press("invite:manager", chat=GROUP)
    assert "личном чате" in await owner.press("invite:manager", gone=True)
    await owner.press("invite:admin")
    assert "администратор" in owner.shown()[-1].text  # type: ignore[attr-defined]
    (only,) = await desk.people.all(1)
    assert "единственный администратор" in await owner.press(f"offgo:{only.person.user_id}")


async def test_binding_a_group_and_its_topics(owner: Talk, desk: Desk) -> None:
    shown = await owner.say("/bind", chat=GROUP, topic=5)
    assert "Карточки пойдут сюда: звонки, пропущенные, вебинары, регистрации, заявки, уведомления." in shown
    assert "гости тоже" in shown
    (place,) = await desk.destinations.all(1)
    assert (place.chat_id, place.topic_id, place.title) == (GROUP, 5, "Отдел продаж")
    assert "сюда: звонки, вебинары, регистрации, заявки, уведомления." in await owner.press(
        "kind:missed", chat=GROUP, topic=5
    )
    assert "сюда: звонки, пропущенные, вебинары, регистрации, заявки, уведомления." in await owner.press(
        "kind:missed", chat=GROUP, topic=5
    )
    assert "сюда: пропущенные." in await owner.say("/привязать Пропущенные", chat=GROUP, topic=5)
    assert "Оставьте хотя бы один вид" in await owner.press("kind:missed", chat=GROUP, topic=5)
    assert "Сюда и так ничего не идёт" in await owner.press("kind:call", chat=GROUP)
    assert "Сюда и так ничего не идёт" in await owner.press("kind:луна", chat=GROUP, topic=5)
    assert "Сюда и так ничего не идёт" in await owner.press("unbind:0", gone=True)
    assert "Больше сюда не пишу" in await owner.press("unbind:0", chat=GROUP, topic=5)
    assert await desk.destinations.all(1) == []
    assert "Не знаю «луна»" in await owner.say("/bind луна", chat=GROUP)
    assert "для группы" in await owner.say("/bind")


async def test_a_chat_from_the_environment_stays_bound(owner: Talk, desk: Desk) -> None:
    await desk.destinations.set_from_environment(1, Destination(chat_id=GROUP))
    assert "задан в .env" in await owner.press("unbind:0", chat=GROUP)
    assert len(await desk.destinations.all(1)) == 1
