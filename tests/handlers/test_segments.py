"""Parts of a webinar's people from the chat: counted, listed, and as files."""

from typing import Any

import pytest
from sqlalchemy import select

from domain.messages import Message
from handlers.desk import Desk
from handlers.webinars import segments
from storage.codec import loads
from storage.models import posts
from tests.handlers.chat import GROUP, MANAGER, Talk
from tests.handlers.conftest import Golden
from tests.handlers.seed import seed_accounts
from tests.storage.hall import Hall, another, lead, viewer
from tests.storage.test_audience import register

VIEWERS = [
    viewer("+79990000001", name="Досмотрел", minutes=(0, 58), finished=True),
    viewer("+79990000002", name="Рано ушёл", minutes=(0, 10)),
    viewer("+79990000003", name="Заглянул", minutes=(0, 1)),
    viewer("", "mail@p.ru", name="=cmd()", minutes=(0, 40)),
]


@pytest.fixture
async def held(desk: Desk) -> int:
    await seed_accounts(desk.database)
    hall = Hall(desk.database)
    await hall.save(lead("+79990000001", manager="Ирина"))
    await register(desk.database, "Не пришла", "+79990000009", "no@p.ru")
    await register(desk.database, "Не пришла", "+79990000009", "no@p.ru", page="111:other")
    await hall.hold(VIEWERS[:2], another(days=-7))
    return await hall.hold(VIEWERS)


@pytest.fixture
async def talk(desk: Desk, held: int) -> Talk:
    return Talk(desk, MANAGER)


async def file_of(desk: Desk) -> tuple[str, str]:
    """The newest file: its name and what is in it."""
    async with desk.database.read() as connection:
        content = await connection.scalar(select(posts.c.content).order_by(posts.c.id.desc()).limit(1))
    (file,) = loads(Message, str(content)).files
    return file.name, (desk.data_dir / file.path).read_text(encoding="utf-8-sig")


async def test_parts_are_reached_from_the_webinar_and_counted(talk: Talk, held: int, golden: Golden) -> None:
    await talk.press(f"wmore:{held}")
    assert talk.keyboard() == [[f"seg:{held}", f"wsum:{held}"]]
    shown = [await talk.press(f"seg:{held}")]
    markup = talk.shown()[-1].reply_markup  # type: ignore[attr-defined]
    shown.append("\n".join(" | ".join(button.text for button in row) for row in markup.inline_keyboard))
    shown += [await talk.press(f"sg:{held}:{letter}:0") for letter in "asenr"]
    golden("segments", "\n\n".join(shown))


@pytest.mark.parametrize(
    ("letter", "name", "rows"),
    [
        ("a", "Были", ["Досмотрел", "=cmd()", "Рано ушёл"]),
        ("s", "Досмотрели", ["Досмотрел"]),
        ("e", "Ушли рано", ["Рано ушёл"]),
        ("n", "Не пришли", ["Не пришла"]),
        ("r", "Повторно", ["Досмотрел", "Рано ушёл"]),
        ("u", "Не найдены", ["=cmd()", "Рано ушёл", "Заглянул"]),
        ("p", "Без телефона", ["=cmd()"]),
    ],
)
async def test_each_part_is_a_file_of_its_own(
    talk: Talk, desk: Desk, held: int, letter: str, name: str, rows: list[str]
) -> None:
    assert desk.texts.get("webinar.file_on_its_way") in await talk.press(f"sgf:{held}:{letter}")
    called, table = await file_of(desk)
    assert called == f"{name} вебинара 20.11.2026.csv"
    lines = table.strip().splitlines()
    assert [next(row for row in rows if row in line) for line in lines[1:]] == rows
    assert "'=cmd()" in table or "=cmd()" not in rows
    if letter == "n":
        assert "7 999 000-00-09" in table
        assert ";не пришёл;" in table


async def test_people_of_a_part_open_and_pages_turn(talk: Talk, desk: Desk, held: int) -> None:
    many = await Hall(desk.database).hold([viewer(f"+7999100000{n}", name=f"Гость {n}") for n in range(7)], another(days=1))
    await talk.press(f"sg:{many}:a:0")
    assert talk.keyboard()[1][-1] == f"sg:{many}:a:5"
    assert talk.keyboard()[2] == [f"sgf:{many}:a", f"expn:attendees:w{many}a:xlsx", f"seg:{many}"]
    await talk.press(f"sg:{many}:a:5")
    opening = talk.keyboard()[0]
    assert [button.split(":")[0] for button in opening] == ["vwb", "vwb"]
    assert "> Гость" in await talk.press(opening[0])
    await talk.press(f"sg:{held}:n:0")
    assert "Не пришла" in await talk.press(talk.keyboard()[0][0])


async def test_who_came_again_is_not_counted_beforehand_in_a_crowd(
    talk: Talk, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "MANY", 3)
    await talk.press(f"seg:{held}")
    markup: Any = talk.shown()[-1].reply_markup  # type: ignore[attr-defined]
    assert "Повторно" in [button.text for row in markup.inline_keyboard for button in row]


async def test_a_group_gets_no_phones_and_the_file_in_private(talk: Talk, desk: Desk, held: int) -> None:
    for letter in "anp":
        shown = await talk.press(f"sg:{held}:{letter}:0", chat=GROUP)
        assert "000-00-0" not in shown
        assert "@p.ru" not in shown
    assert desk.texts.get("webinar.file_in_private") in await talk.press(f"sgf:{held}:a", chat=GROUP)


@pytest.mark.parametrize("data", ["seg:999", "sg:999:a:0", "sgf:999:a"])
async def test_buttons_of_a_webinar_that_is_gone_say_so(talk: Talk, desk: Desk, data: str) -> None:
    assert desk.texts.get("guests.webinar_gone") in await talk.press(data)
    assert await talk.press(f"sg:{1}:z:0") == ""


async def test_a_webinar_without_people_has_nothing_to_choose(talk: Talk, desk: Desk) -> None:
    empty = await Hall(desk.database).hold([], another(days=30))
    assert desk.texts.get("guests.nobody") in await talk.press(f"seg:{empty}")
    assert talk.keyboard() == []
