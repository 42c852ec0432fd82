"""Looking at a digest and setting when it comes, in the chat: by words, by taps, and by nobody who may not."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from domain.digests import DigestKind, DigestPart
from domain.errors import BadInput
from domain.events import DigestDue
from domain.messages import Destination, Message
from domain.schedules import EVERY_DAY, WORKDAYS, Obstacle, Schedule
from handlers.desk import Desk
from handlers.digests.buttons import Opened, off_button, on_button
from handlers.digests.desk import understood
from handlers.digests.typed import find_zone, zone_title
from handlers.texts import load_texts
from storage.codec import loads
from storage.models import posts
from storage.schedules import ScheduleStore
from tests.ground import HandClock
from tests.handlers.chat import GROUP, MANAGER, PRIVATE_CHAT, Talk
from tests.handlers.conftest import Golden, Stage
from tests.handlers.paper import draw

TEXTS, TODAY = load_texts(), date(2026, 11, 20)
PIECES = [*"0129:.-+", "пн", "по", "мск", "в", "утра", "\u00a0", "²"]
HERE = Destination(chat_id=PRIVATE_CHAT)


async def only(desk: Desk) -> Schedule:
    (one,) = await ScheduleStore(desk.database).all(1)
    return one


@pytest.mark.parametrize(
    ("words", "at", "days", "kind"),
    [
        ("9:00 будни", time(9), WORKDAYS, None),
        ("дайджест каждый день в 9", time(9), EVERY_DAY, None),
        ("присылай мне дайджест в 7 вечера пн-пт", time(19), WORKDAYS, None),
        ("пн, ср и пт 8.30", time(8, 30), {0, 2, 4}, None),
        ("с субботы по вторник в полдень", time(12), {5, 6, 0, 1}, None),
        ("каждый понедельник в 9 утра", time(9), {0}, DigestKind.WEEKLY),
        ("раз в неделю", None, {0}, DigestKind.WEEKLY),
        ("еженедельно в пятницу в 17-45", time(17, 45), {4}, DigestKind.WEEKLY),
        ("после вебинара", None, None, DigestKind.WEBINAR),
        ("по выходным в полночь", time(0), {5, 6}, None),
        ("23:59", time(23, 59), None, None),
        ("в 12 ночи каждый день", time(0), EVERY_DAY, None),
        ("12 часов дня будни", time(12), WORKDAYS, None),
        ("в 9 по Омску", time(9), None, None),
    ],
)
def test_words_are_understood(words: str, at: time | None, days: set[int] | None, kind: DigestKind | None) -> None:
    typed = understood(words, TEXTS, TODAY)
    assert (typed.at, typed.days, typed.kind, typed.left, typed.empty) == (at, days, kind, "", False)


@pytest.mark.parametrize(
    ("words", "zone"),
    [
        ("9:00 по омску", "Asia/Omsk"),
        ("дайджест в 9 по томску", "Asia/Tomsk"),
        ("9:00 по Екатеринбургу, будни", "Asia/Yekaterinburg"),
        ("9:00 по Нижнему Новгороду", "Europe/Moscow"),
        ("9:00 по мск+2", "Asia/Yekaterinburg"),
        ("с пн по пт в 9", ""),
    ],
)
def test_a_city_is_a_zone(words: str, zone: str) -> None:
    assert understood(words, TEXTS, TODAY).zone == zone


@pytest.mark.parametrize(
    ("words", "on"),
    [
        ("дайджест за 17 ноября", date(2026, 11, 17)),
        ("27.11", date(2025, 11, 27)),
        ("2026-11-02", date(2026, 11, 2)),
        ("дайджест за понедельник", date(2026, 11, 16)),
        ("позавчера", date(2026, 11, 18)),
        ("9.05", None),
        ("пн-пт 8.10", None),
        ("в пятницу в 18:00", None),
        ("за неделю", None),
        ("вчера", None),
    ],
)
def test_a_day_before_is_understood(words: str, on: date | None) -> None:
    assert understood(words, TEXTS, TODAY).on == on


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("25:00", "25:00 — такого времени нет. Напишите, например, 9:00."),
        ("9:75 будни", "9:75 — такого времени нет. Напишите, например, 9:00."),
        ("24:00", "24:00 — такого времени нет. Напишите, например, 9:00."),
        ("9:00 по четным", "Не понимаю «четным». Напишите, например: /digest 9:00 будни."),
        ("за октябрь", "Дайджест рассказывает об одном дне или о неделе. За другие дни: /company за октябрь"),
        ("с 1 по 7 ноября", "Дайджест рассказывает об одном дне или о неделе. За другие дни: /company с 1 по 7 ноября"),
        ("за 27.11.2026", "«за 27.11.2026» — этот день ещё не наступил. Напишите, например: дайджест за вчера."),
        ("завтра", "Не понимаю «завтра». Напишите, например: /digest 9:00 будни."),
    ],
)
def test_what_is_no_time_is_said(words: str, hint: str) -> None:
    with pytest.raises(BadInput) as caught:
        understood(words, TEXTS, TODAY)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("words", "zone", "title"),
    [
        ("Казань", "Europe/Moscow", "Москва"),
        ("екб", "Asia/Yekaterinburg", "Екатеринбург"),
        ("МСК+2", "Asia/Yekaterinburg", "Екатеринбург"),
        ("UTC+5", "Etc/GMT-5", "UTC+5"),
        ("-3", "Etc/GMT+3", "UTC-3"),
        ("europe/berlin", "Europe/Berlin", "Берлин"),
        ("Asia/Tokyo", "Asia/Tokyo", "Asia/Tokyo"),
        ("МСК+12", None, ""),
        ("UTC+25", None, ""),
        ("на Луне", None, ""),
    ],
)
def test_a_zone_is_found_by_its_city(words: str, zone: str | None, title: str) -> None:
    assert find_zone(words, TEXTS) == zone
    assert zone is None or zone_title(TEXTS, zone) == title


def test_every_zone_that_is_offered_exists() -> None:
    zones = [name.removeprefix("digest.zone.") for name in TEXTS.entries if name.startswith("digest.zone.")]
    assert [zone for zone in zones if find_zone(zone, TEXTS) != zone] == []


@settings(max_examples=50, deadline=None)
@given(
    words=st.text(max_size=40)
    | st.lists(st.sampled_from([*"0129:.-+", "пн", "по", "мск", "в", "утра", "\u00a0", "²"])).map("".join)
)
def test_whatever_is_typed_is_answered(words: str) -> None:
    with suppress(BadInput):
        assert not understood(words, TEXTS, TODAY).left
    zone = find_zone(words, TEXTS)
    assert zone is None or ZoneInfo(zone).key == zone


@pytest.mark.parametrize("late", [None, datetime(2026, 11, 20, 5, 40, tzinfo=UTC)])
def test_a_button_carries_the_whole_digest(late: datetime | None) -> None:
    opened = Opened(
        kind=DigestKind.WEBINAR, parts=frozenset({DigestPart.CALLS, DigestPart.RECKONING}), webinar_id=10**18 - 1,
        now=datetime(2026, 11, 20, 6, tzinfo=UTC), late_since=late,
    )  # fmt: skip
    assert off_button(on_button(opened)) == opened
    assert len(f"dgall:{on_button(opened)}".encode()) <= 60
    assert off_button("w:1:2:3") is None
    assert off_button("d:1:99999999999:0:0") is None


async def test_anybody_looks_and_unfolds(manager: Talk, stage: Stage) -> None:
    assert await manager.say("/digest") == "> daily 2026-11-20 12:00 разделов 6"
    (unfold,), days, _picture = manager.keyboard()
    assert days == ["dgnow:yesterday", "dgnow:today", "dgnow:week"]
    assert await manager.press(unfold) == "~ daily 2026-11-20 12:00 разделов 6 всё"
    ((fold,),) = manager.keyboard()
    assert await manager.press(fold) == "~ daily 2026-11-20 12:00 разделов 6"
    assert await manager.press("dgnow:yesterday") == "~ daily 2026-11-20 12:00 разделов 6"
    assert stage.paper.asked[-1].now.isoformat() == "2026-11-20T12:00:00+03:00"
    await manager.press("dgnow:today")
    assert stage.paper.asked[-1].so_far
    unfold = manager.keyboard()[0][0]
    await manager.press(unfold)
    assert stage.paper.asked[-1].so_far
    assert await manager.say("дайджест за неделю") == "> weekly 2026-11-20 12:00 разделов 6"
    assert await manager.press("dgall:nonsense") == ""


async def test_a_day_before_is_told_of(manager: Talk, desk: Desk) -> None:
    assert await manager.say("дайджест за 15 ноября") == "> daily 2026-11-15 23:59 разделов 6"
    unfold = manager.keyboard()[0][0]
    assert await manager.press(unfold) == "~ daily 2026-11-15 20:59 разделов 6 всё"
    assert await manager.say("/digest 15.11.2026 9:00") == "> daily 2026-11-15 23:59 разделов 6"
    assert await ScheduleStore(desk.database).all(1) == []


async def test_what_hangs_below_stays_when_it_is_unfolded(manager: Talk) -> None:
    await manager.say("/digest")
    rows = manager.keyboard()
    shown = [[{"text": target, "callback_data": target} for target in row] for row in rows]
    alien = [{"text": "Кому звонить", "callback_data": "wlist:5"}]
    await manager.press(rows[0][0], keyboard=[*shown, alien])
    assert manager.keyboard()[1:] == rows[1:]


async def test_its_picture_comes_below_it(manager: Talk, desk: Desk, stage: Stage) -> None:
    await manager.say("/digest")
    (picture,) = manager.keyboard()[2]
    assert await manager.press(picture) == "(Рисовать пока нечего: за эти дни ничего не было.)"
    stage.paper.drawn = (draw, "broken")
    assert "Картинку нарисовать не получилось" in await manager.press(picture)
    stage.paper.drawn = (draw, "png")
    assert await manager.press(picture) == ""
    async with desk.database.read() as connection:
        (content,) = await connection.scalars(select(posts.c.content))
    (file,) = loads(Message, content).files
    assert (file.name, (desk.data_dir / file.path).read_bytes()) == ("дайджест-2026-11-20.png", b"png")


async def test_nobody_but_those_who_run_the_bot_sets_anything(manager: Talk, desk: Desk) -> None:
    refusal = "> Расписание дайджестов меняют владелец и администраторы. Дайджест на сейчас — /digest."
    assert await manager.say("/digest 9:00 будни") == refusal
    assert await manager.say("дайджест каждый день в 9") == refusal
    for button in ("dgnew:daily", "dgs:0", "dg:1", "dgd:1:31", "dgsend:1", "dgdelgo:1"):
        await manager.press(button)
    assert manager.person == MANAGER
    assert await ScheduleStore(desk.database).all(1) == []


async def test_one_is_set_by_words_and_found_again(owner: Talk, desk: Desk) -> None:
    said = await owner.say("/digest 9:00 будни")
    assert said == "> Готово. Итог дня — по будням в 09:00, сюда.\nСледующий придёт пн 23.11 в 09:00."
    one = await only(desk)
    assert (one.at, one.days, one.destination, one.picture, one.parts) == (time(9), WORKDAYS, HERE, True, set(DigestPart))
    assert owner.keyboard() == [[f"dg:{one.id}", f"dgdel:{one.id}"]]
    assert (await owner.say("дайджест по будням в 9")).startswith("> Такой дайджест уже есть")
    assert await owner.say("/digest 25:00") == "> 25:00 — такого времени нет. Напишите, например, 9:00."
    assert await only(desk) == one


async def test_with_a_picture_and_without(owner: Talk, desk: Desk) -> None:
    assert "без картинки" in await owner.say("дайджест каждый день в 14:23 без картинки")
    assert not (await only(desk)).picture
    said = await owner.say("дайджест каждый день в 14:23 с картинкой")
    assert said.startswith("> Готово. Итог дня — каждый день в 14:23, сюда.")
    assert (await only(desk)).picture
    assert "уже есть" in await owner.say("дайджест каждый день в 14:23")


async def test_the_state_names_what_comes_next_and_what_cannot(owner: Talk, desk: Desk) -> None:
    for words in ("18:30 пн", "15:02", "9:00 будни", "23:59", "после вебинара"):
        await owner.say(f"/digest {words}")
    store = ScheduleStore(desk.database)
    last = (await store.all(1))[-2]
    await store.change(owner.person, last.id, lambda old: replace(old, obstacle=Obstacle.CLOSED), desk.clock.now())
    told = (await owner.say("/status")).partition("Дайджесты\n")[2].partition("\n\n")[0]
    assert told.splitlines() == [
        "• Итог дня в ваш личный чат: следующий сегодня в 15:02",
        "• Итог дня в ваш личный чат: следующий пн 23.11 в 09:00",
        "• Итог недели в ваш личный чат: следующий пн 23.11 в 18:30",
        "• Итог дня в ваш личный чат: не приходит, бота удалили из чата или заблокировали",
    ]


async def test_a_time_alone_is_every_day(owner: Talk, desk: Desk) -> None:
    assert "каждый день в 15:02, сюда.\nСледующий придёт сегодня в 15:02." in await owner.say("/digest 15:02")
    assert (await only(desk)).days == EVERY_DAY


async def test_a_group_gets_its_own_in_a_tap(owner: Talk, desk: Desk) -> None:
    await desk.destinations.bind(1, Destination(chat_id=GROUP, topic_id=5), title="Отдел продаж")
    await owner.say("/digest", chat=GROUP, topic=5)
    assert ["dgnew:daily"] in owner.keyboard()
    await owner.press("dgnew:daily", chat=GROUP, topic=5)
    await owner.press("dgnew:daily", chat=GROUP, topic=5)
    one = await only(desk)
    assert one.destination == Destination(chat_id=GROUP, topic_id=5)
    await owner.say("/digest", chat=GROUP, topic=5)
    assert ["dgnew:daily"] not in owner.keyboard()


async def test_screens(owner: Talk, desk: Desk, golden: Golden) -> None:
    await desk.destinations.bind(1, Destination(chat_id=GROUP), title="Отдел продаж")
    await owner.say("/digest пт 18:30 мск+2")
    one = await only(desk)
    shown = [f"/digest пт 18:30 мск+2\n{await owner.say('/digest')}"]
    for button in ("dgs:0", "dg", "dgd", "dgt", "dgz", "dgp", "dgc", "dgk", "dgdel"):
        data = button if ":" in button else f"{button}:{one.id}"
        shown.append(f"{data}\n{await owner.press(data)}\n{chr(10).join(map(' '.join, owner.keyboard()))}")
    golden("digest_schedules", "\n\n".join(shown))


async def test_every_part_is_changed_by_taps(owner: Talk, desk: Desk) -> None:
    await owner.press("dgnew:daily")
    one = await only(desk)
    bound = await desk.destinations.bind(1, Destination(chat_id=GROUP), title="Отдел продаж")
    taps = {
        f"dgd:{one.id}:96": replace(one, days=frozenset({5, 6})),
        f"dgt:{one.id}:1110": replace(one, at=time(18, 30)),
        f"dgz:{one.id}:3": replace(one, zone="Asia/Yekaterinburg"),
        f"dgp:{one.id}:9": replace(one, parts=frozenset({DigestPart.CALLS, DigestPart.DEBTS})),
        f"dgpic:{one.id}:0": replace(one, picture=False),
        f"dgc:{one.id}:{bound.id}": replace(one, destination=Destination(chat_id=GROUP)),
        f"dgon:{one.id}:0": replace(one, enabled=False),
        f"dgk:{one.id}:weekly": replace(one, kind=DigestKind.WEEKLY, days=frozenset({0})),
    }
    back = {"dgd": "31", "dgt": "540", "dgz": "-", "dgp": "63", "dgpic": "1", "dgc": "me", "dgon": "1", "dgk": "daily"}
    for tap, expected in taps.items():
        await owner.press(tap)
        assert await only(desk) == expected, tap
        name = tap.partition(":")[0]
        await owner.press(f"{name}:{one.id}:{back[name]}")
        assert await only(desk) == one, tap


async def test_what_may_not_be_is_said_and_changes_nothing(owner: Talk, desk: Desk) -> None:
    await owner.press("dgnew:daily")
    one = await only(desk)
    assert await owner.press(f"dgd:{one.id}:0") == "(Оставьте хотя бы один день или поставьте на паузу.)"
    assert await owner.press(f"dgp:{one.id}:0") == "(Оставьте хотя бы один раздел.)"
    assert await owner.press(f"dgc:{one.id}:99") == "(Этот чат больше не подключён. Откройте список ещё раз.)"
    assert await only(desk) == one
    assert "Этого дайджеста уже нет." in await owner.press("dgd:999:1")
    assert "Этого дайджеста уже нет." in await owner.press("dg:nonsense")


async def test_a_time_and_a_zone_are_typed(owner: Talk, desk: Desk, clock: HandClock) -> None:
    await owner.press("dgnew:daily")
    one = await only(desk)
    clock.forward(60)
    await owner.press(f"dgt:{one.id}")
    assert await owner.say("99") == "> 99 — такого времени нет. Напишите, например, 9:00."
    assert await owner.say("утром") == "> Не вижу времени. Напишите, например, 9:30."
    assert "по будням в 07:45" in await owner.say("7:45")
    await owner.press(f"dgz:{one.id}")
    assert await owner.say("Атлантида") == "> Не знаю таких часов: «Атлантида». Напишите город (Казань), МСК+2 или UTC+5."
    assert "07:45 (Новосибирск)" in await owner.say("новосибирск")
    changed = await only(desk)
    assert (changed.at, changed.zone, changed.handled_at) == (time(7, 45), "Asia/Novosibirsk", clock.now())


async def test_sent_now_paused_and_deleted(owner: Talk, desk: Desk, stage: Stage) -> None:
    await owner.press("dgnew:daily")
    one = await only(desk)
    for _ in range(2):
        assert await owner.press(f"dgsend:{one.id}") == "(Отправляю сюда.)"
    (event,) = stage.submitted
    assert isinstance(event, DigestDue)
    assert (event.schedule_id, event.asked, event.external_id) == (one.id, True, f"{one.id}:now:202611201200")
    assert "На паузе" in await owner.press(f"dgon:{one.id}:0")
    assert "Удалить дайджест" in await owner.press(f"dgdel:{one.id}")
    assert "Дайджест удалён." in await owner.press(f"dgdelgo:{one.id}")
    assert await ScheduleStore(desk.database).all(1) == []
