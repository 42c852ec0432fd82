"""«/проверка» in the chat: what is asked for, what is shown to whom, and that one at a time is made."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from domain.errors import BadInput, SvodkaError, VendorRefused, VendorUnavailable
from domain.messages import Message, as_text
from domain.webhooks import HookStanding, HookState
from handlers.checks.asked import read_asked, read_plain
from handlers.checks.desk import Found, Part, Report
from handlers.checks.screens import begun_screen, broken_screen, report_screen, summary_screen
from handlers.desk import Desk
from handlers.wording import Reader
from storage.codec import loads
from storage.models import posts
from tests.handlers.chat import GROUP, PRIVATE_CHAT, Talk
from tests.handlers.conftest import Golden, Stage, look

GOOD = Found(code="process", title="Процесс", ok=True, detail="версия 0.1.0, ведёт")
OFF = Found(code="tilda.off", title="Тильда", ok=True, detail="не подключён")
WARNING = Found(
    code="events.bizon365.never",
    title="Бизон365: последнее событие",
    ok=False,
    warning=True,
    detail="не было ни одного",
    hint="Вставьте адрес из svodka urls в настройки вендора (Бизон365): без него о новом узнаём опросом, позже.",
)
FAULT = Found(
    code="bizon365.token.bad_token",
    title="Бизон365: токен",
    ok=False,
    detail="не принят",
    hint="Токен отозван или скопирован не целиком. Выпустите новый и впишите его в BIZON365_TOKEN.",
)
TROUBLE = Report(
    name="a1",
    only="",
    parts=(
        Part(title="Процесс", found=(GOOD,)),
        Part(title="Бизон365", found=(WARNING, FAULT)),
        Part(title="Тильда", found=(OFF,)),
    ),
)
WELL = Report(name="b2", only="bizon365", parts=(Part(title="Бизон365", found=(GOOD, GOOD)),))


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("", ""), ("всё", ""), ("бизон", "bizon365"), ("Бизона", "bizon365"), ("бизон 365", "bizon365"), ("амо", "amocrm"),
        ("amoCRM", "amocrm"), ("тильду", "tilda"), ("Битрикс24", "bitrix24"), ("bitrix-24", "bitrix24"),
        ("амосрм", "amocrm"), ("модели", "openai"), ("бизонами", None), ("амортизатор", None), ("Иванова", None),
    ],
)  # fmt: skip
def test_what_is_to_be_examined(words: str, name: str | None) -> None:
    assert read_asked(words) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("проверь бизон", "bizon365"), ("Проверь всё.", ""), ("проверка", ""), ("проверьте связь с битриксом", "bitrix24"),
        ("проверь Иванова", None), ("проверяли бизон", None), ("бизон", None), ("проверь" + " бизон" * 20, None),
    ],
)  # fmt: skip
def test_in_plain_words(text: str, name: str | None) -> None:
    assert read_plain(text) == name


def test_the_screens(reader: Reader, golden: Golden) -> None:
    reader = replace(reader, vendors={"bizon365": "Бизон365"})
    screens = {
        "begun": begun_screen(reader, "bizon365"),
        "trouble": report_screen(reader, TROUBLE),
        "whole": report_screen(reader, TROUBLE, whole=True),
        "well": report_screen(reader, WELL),
        "in_group": summary_screen(reader, TROUBLE),
        "broken": broken_screen(reader, ""),
    }
    golden("check", "\n\n".join(f"# {name}\n{look(screen)}" for name, screen in screens.items()))


def test_what_is_not_connected_is_not_called_well(reader: Reader) -> None:
    report = Report(name="d", only="tilda", parts=(Part(title="Тильда", found=(OFF,)), Part(title="Адрес", found=(GOOD,))))
    assert "Сервис не подключён" in look(report_screen(reader, report))
    assert "Сервис не подключён" not in look(report_screen(reader, replace(report, only="")))


def test_only_what_there_is_gets_a_button(reader: Reader) -> None:
    nothing = Report(name="c", only="", parts=(Part(title="Бизон365", found=(FAULT,)),))
    assert "chkall" not in look(report_screen(reader, nothing))
    assert "✅" not in look(report_screen(reader, nothing))


async def told(desk: Desk) -> list[tuple[int, str]]:
    """What the chats are to show: the chat and the text of each message, in the order they were begun."""
    async with desk.database.read() as connection:
        rows = (await connection.execute(select(posts.c.chat_id, posts.c.content).order_by(posts.c.id))).all()
    return [(row.chat_id, as_text(loads(Message, row.content))) for row in rows]


async def test_a_check_is_begun_and_turns_into_its_result(owner: Talk, desk: Desk, stage: Stage) -> None:
    assert await owner.say("/проверка бизон") == ""
    assert stage.doctor.asked == [(1, "bizon365")]
    await stage.doctor.begun()
    assert [text for _, text in await told(desk)] == ["🔎 Проверяю: bizon365. Займёт до половины минуты."]
    assert "Проверка уже идёт" in await owner.say("/check")
    assert "Проверка уже идёт" in await owner.say("проверь амо")
    assert "(Проверка уже идёт" in await owner.press("check:")
    await stage.doctor.end(replace(TROUBLE, only="bizon365"))
    ((chat, text),) = await told(desk)
    assert chat == PRIVATE_CHAT
    assert text.index("⛔") < text.index("⚠️") < text.index("✅ В порядке: 1")
    assert stage.woken == 2


async def test_everything_is_shown_when_asked_for(owner: Talk, stage: Stage) -> None:
    assert await owner.say("проверь всё") == ""
    assert stage.doctor.asked == [(1, "")]
    await stage.doctor.end(TROUBLE)
    assert "✅ Процесс — версия 0.1.0, ведёт" in await owner.press("chkall:a1")
    assert owner.keyboard() == [["check:"]]
    assert "(Этот результат уже не хранится" in await owner.press("chkall:another")
    assert "(Этот результат уже не хранится" in await owner.press("chkall:a1", chat=GROUP)
    assert "(Этот результат уже не хранится" in await owner.press("chkall:a1", gone=True)


async def test_a_group_sees_the_outcome_and_who_asked_the_rest(owner: Talk, desk: Desk, stage: Stage) -> None:
    await owner.say("/проверка", chat=GROUP)
    await stage.doctor.begun()
    await stage.doctor.end(TROUBLE)
    (group, outcome), (private, details) = await told(desk)
    assert (group, private) == (GROUP, PRIVATE_CHAT)
    assert "1 ошибка, 1 предупреждение." in outcome
    assert "✅ В порядке: 1" in outcome
    assert "Бизон365" not in outcome
    assert "BIZON365_TOKEN" in details


async def test_one_that_was_broken_off_says_so(owner: Talk, desk: Desk, stage: Stage) -> None:
    assert await owner.press("check:tilda") == ""
    assert stage.doctor.asked == [(1, "tilda")]
    await stage.doctor.begun()
    await stage.doctor.end(None)
    ((_, text),) = await told(desk)
    assert "Проверка прервалась" in text


async def test_what_cannot_be_examined_is_said(owner: Talk, stage: Stage) -> None:
    assert "Не знаю «луна»" in await owner.say("/проверка луна")
    assert "(Этот результат уже не хранится" in await owner.press("check:луна")
    assert stage.doctor.asked == []


async def test_managers_are_told_whose_it_is(manager: Talk, stage: Stage) -> None:
    assert await manager.say("проверь бизон") == "> Это может только администратор."
    assert stage.doctor.asked == []


OFF_HOOK = Found(code="amocrm.hooks.missing", title="amoCRM: вебхук", ok=False, warning=True, subscribe="amocrm", hint="Да")


async def test_a_hook_that_is_missing_can_be_set_from_the_report(owner: Talk, stage: Stage, reader: Reader) -> None:
    report = Report(name="e", only="amocrm", parts=(Part(title="amoCRM", found=(OFF_HOOK,)),))
    assert report_screen(reader, report).buttons[0][0].target == "hookset:amocrm"
    assert "вебхук подписан на сделки и контакты" in await owner.press("hookset:amocrm")
    assert stage.subscribed == ["amocrm"]
    assert owner.keyboard() == [["check:amocrm"]]


@pytest.mark.parametrize(
    ("came", "said"),
    [
        (HookStanding(state=HookState.DISABLED), "не показывает включённым"),
        (BadInput("PUBLIC_URL", "Снаружи Сводку не видно."), "Снаружи Сводку не видно."),
        (VendorRefused("amocrm", "webhooks", "forbidden", hint="Всё остановлено."), "может только администратор"),
        (VendorRefused("amocrm", "webhooks", "bad_token", hint="Выпустите новый."), "не подписан. Выпустите новый."),
        (VendorUnavailable("amocrm", "webhooks", "HTTP 502"), "ещё раз через минуту"),
    ],
    ids=["still off", "no address", "no admin", "refused", "away"],
)
async def test_what_came_of_setting_a_hook_is_said(
    owner: Talk, stage: Stage, came: HookStanding | SvodkaError, said: str
) -> None:
    stage.standing = came
    assert said in await owner.press("hookset:amocrm")


async def test_a_manager_sets_no_hook(manager: Talk, stage: Stage) -> None:
    await manager.press("hookset:amocrm")
    assert stage.subscribed == []
