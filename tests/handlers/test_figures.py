"""Figures in every way of asking: the seed's numbers, never above 100 %, small samples said to be small."""

import csv
import io
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from domain.messages import Message
from domain.webinars import Marks
from handlers.desk import Desk
from storage.codec import loads
from storage.models import creatives, directions, imports, posts
from tests.ground import HandClock
from tests.handlers.chat import GROUP, MANAGER, Talk
from tests.handlers.conftest import Golden
from tests.storage.hall import REPORT, START, Hall, another, lead, viewer


@pytest.fixture
async def hall(owner: Talk, desk: Desk, clock: HandClock) -> Hall:
    """Ten leads of two directions and none, two webinars: one came twice, one looked in, one is nobody's."""
    hall = Hall(desk.database)
    clock.forward((START - clock.now()).total_seconds() + 86_400)

    async def names(connection: Any) -> None:
        for number, name in ((1, "Ремонт квартир"), (2, "=Ипотека")):
            row = {"id": number, "account_id": 1, "name": name, "created_at": START}
            await connection.execute(insert(directions).values(**row))
        await connection.execute(insert(creatives).values(id=1, account_id=1, title="Кухня за 30 дней", created_at=START))

    await desk.database.write(names)
    await hall.save(
        *(lead(f"7999000000{n}", direction_id=1, creative_id=1, first=Marks(source="VK")) for n in range(6)),
        *(lead(f"7999000001{n}", direction_id=2, first=Marks(source="google", partner="Пётр")) for n in range(3)),
        lead("79990000020"),
    )
    seen = [viewer("79990000000", minutes=(0, 31)), viewer("79990000001", minutes=(0, 30)), viewer("79990000010")]
    await hall.hold([*seen, viewer("79990000002", minutes=(0, 1)), viewer("79990000077")], REPORT)
    await hall.hold([viewer("79990000000", minutes=(0, 20))], another(days=0.5))
    return hall


async def wanted(desk: Desk) -> list[Message]:
    async with desk.database.read() as connection:
        rows = await connection.scalars(select(posts.c.content).order_by(posts.c.id))
        return [loads(Message, content) for content in rows]


async def sheet(desk: Desk) -> list[dict[str, str]]:
    """The newest file sent, as Excel reads it."""
    file = (await wanted(desk))[-1].files[0]
    raw = (desk.data_dir / file.path).read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig")), delimiter=";"))


async def test_the_screens(hall: Hall, owner: Talk, golden: Golden) -> None:
    golden("figures_direction", (await owner.say("/conversions")).removeprefix("> "))
    assert owner.keyboard() == [
        ["fig:d:7", "fig:d:30", "fig:d:90"], ["fig:d:30", "fig:c:30"], ["fig:s:30", "fig:p:30"],
        ["fhow:d:30", "fpic:d:30"], ["fcsv:d:30", "expn:directions:30:xlsx"],
    ]  # fmt: skip
    golden("figures_source", (await owner.press("fig:s:30")).removeprefix("~ "))
    golden("figures_creatives", (await owner.say("/creatives")).removeprefix("> "))
    golden("figures_how", (await owner.press("fhow:d:30")).removeprefix("> "))
    golden("figures_visits", (await owner.press("vis:0")).removeprefix("> "))


@pytest.mark.parametrize(
    "question",
    [
        "/conversions",
        "/Конверсия за месяц",
        "конверсия за 30 дней",
        "конверсии по направлениям",
        "/conversions направления 30д",
    ],
)
async def test_one_figure_in_each_way_of_asking(hall: Hall, owner: Talk, question: str) -> None:
    said = await owner.say(question)
    assert "📈 Конверсия по направлениям · 23 октября – 21 ноября" in said
    assert "Ремонт квартир — 33,33\u00a0%" in said


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("конверсия за месяц по источникам", "по источникам"),
        ("конверсия по партнёрам с 1 по 20 ноября", "по партнёрам · 1–20 ноября"),
        ("/conversions креативы 7д", "по креативам · 15–21 ноября"),
        ("креативы", "по посещениям · всё время"),
        ("топ креативов за 90 дней", "по посещениям · 24 августа – 21 ноября"),
        ("/conversions 7", "по направлениям · 15–21 ноября"),
        ("/conversions источники 90", "по источникам · 24 августа – 21 ноября"),
        ("/creatives 30", "по посещениям · 23 октября – 21 ноября"),
        ("/creatives за всё время", "по посещениям · всё время"),
        ("/conversions за всё время", "по направлениям · 14 ноября 2016 – 21 ноября"),
    ],
)
async def test_words_say_by_what_and_when(hall: Hall, owner: Talk, question: str, title: str) -> None:
    assert title in await owner.say(question)


async def test_what_is_not_understood_is_named(hall: Hall, owner: Talk) -> None:
    for question, words in (
        ("/conversions 31.02.2026", "31.02.2026"),
        ("/conversions как дела", "как дела"),
        ("/creatives 25.13.2026", "25.13.2026"),
        ("/conversions источники 31.02", "31.02"),
        ("/conversions 0", "0"),
    ):
        assert f"Не понял «{words}»" in await owner.say(question)
    for question in ("/conversions", "/conversions по направлениям", "/conversions 7д", "/creatives", "/creatives креативы"):
        assert "Не понял" not in await owner.say(question)


async def test_words_about_calls_are_left_to_calls(hall: Hall, owner: Talk) -> None:
    for words in ("звонки за неделю", "звонки про креативы", "звонки про конверсию"):
        assert "📞 Звонки" in await owner.say(words)
    assert "Последние посещения" in await owner.say("последние посещения")
    assert await owner.say("конверсия", chat=GROUP) == ""
    assert "📈" in await owner.say("/conversions", chat=GROUP)


async def test_inline_gives_the_figure_and_its_rows(hall: Hall, owner: Talk) -> None:
    answer = await owner.inline("конверсия 30д")
    assert [result.title for result in answer.results][1:] == [  # type: ignore[union-attr]
        "Ремонт квартир — 33,33\u00a0%", "=Ипотека — мало данных (3)", "Без направления — мало данных (1)",
    ]  # fmt: skip
    whole = answer.results[0].input_message_content.message_text  # type: ignore[union-attr]
    assert whole == (await owner.say("конверсия 30д")).removeprefix("> ")
    assert (await owner.inline("иванов")).results == []


async def test_the_file_is_exact_and_safe(hall: Hall, owner: Talk, desk: Desk) -> None:
    await owner.press("fcsv:d:30")
    rows = await sheet(desk)
    assert [row["direction_name"] for row in rows] == ["Ремонт квартир", "'=Ипотека", "Без направления"]
    assert rows[0] == {
        "direction_name": "Ремонт квартир", "total_leads": "6", "leads_came": "2", "conversion_rate_percent": "33,33",
        "webinar_attendees": "3", "avg_watch_minutes": "27,00", "watched_30min_plus": "1",
    }  # fmt: skip
    assert rows[1]["conversion_rate_percent"] == "33,33"
    await owner.press("viscsv:0")
    phones = {row["phone_number"] for row in await sheet(desk)}
    assert "7 999 000-00-00" in phones
    assert "только в личном чате" in await owner.press("viscsv:0", chat=GROUP)


async def test_the_picture_is_a_photo(hall: Hall, owner: Talk, desk: Desk) -> None:
    await owner.press("fpic:s:30")
    file = (await wanted(desk))[-1].files[0]
    assert file.kind == "photo"
    assert (desk.data_dir / file.path).read_bytes().startswith(b"\x89PNG")


async def test_nothing_is_said_in_words(owner: Talk, desk: Desk) -> None:
    manager = Talk(desk, MANAGER)
    assert "За эти дни лидов нет." in await owner.say("/conversions")
    assert "/help таблицы" in await owner.say("/conversions")
    assert "/help таблицы" not in await manager.say("/conversions")
    assert "Посещений с лидами пока нет." in await owner.say("/creatives")
    assert owner.keyboard()[-1] == ["fhow:t:0"]
    assert "Посещений пока нет" in await owner.say("/visits")


async def test_a_table_under_way_is_told(hall: Hall, owner: Talk, desk: Desk, clock: HandClock) -> None:
    row = {"account_id": 1, "kind": "leads", "name": "x", "path": "", "sha256": "", "state": "loading", "rows": 1}

    async def job(connection: Any) -> None:
        await connection.execute(insert(imports).values(**row, asked_by=1, chat_id=1, shown_at=clock.now()))

    await desk.database.write(job)
    assert "Загружается таблица" in await owner.say("/conversions")
    await desk.database.write(lambda tx: tx.execute(update(imports).values(state="complete")))
    assert "Загружается таблица" not in await owner.say("/conversions")


@pytest.mark.parametrize("button", ["fig:x:30", "fig:d:", "fig:d:99999999-00000000", "fig:d:0", "fig:d:5000", "fig"])
async def test_a_strange_button_still_answers(hall: Hall, owner: Talk, button: str) -> None:
    assert "📈 Конверсия по направлениям" in await owner.press(button)


async def test_the_number_of_a_lead_stands_where_it_is_another_one(hall: Hall, owner: Talk) -> None:
    await hall.save(lead("8 999 111 00 01"), lead("+7 (999) 111-00-05", "other@p.ru"))
    seen = [viewer("8(999)111-00-01", name="Сам"), viewer("", "other@p.ru", name="По почте")]
    await hall.hold(seen, another(days=0.6))
    said = await owner.say("/visits")
    assert said.count("+7 999 111-00-01") == 1
    assert said.count("+7 999 111-00-05") == 1
    assert "79991110" not in said
