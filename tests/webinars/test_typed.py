"""What managers type: taken in every known spelling, each bad field named with its right form."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.messages import Message, as_text
from domain.webinars import Marks
from handlers.texts import load_texts
from handlers.webinars.problems import problem_section
from handlers.webinars.typed import Problem, RegistrationLine, read_registration, read_visit

TEXTS = load_texts()
MOSCOW = ZoneInfo("Europe/Moscow")
OLD_CALL = """bizon365_add_subscriber(1, '222222:page1', '16.09.2026', '12:00', 'aaa@gmail.com', '79111111111',
 '{"utm_source": "12345", "utm_medium": "", "utm_campaign": "333", "utm_term": "", "utm_content": "", "utm_keyword": "",
 "utm_banner": "6666", "utm_phrase": "", "utm_group": ""}')"""


def named(problems: tuple[Problem, ...]) -> list[tuple[str, str]]:
    return [(problem.field, problem.name) for problem in problems]


@pytest.mark.parametrize(
    "text",
    [
        OLD_CALL,
        "1 222222:page1 16.09.2026 12:00 AAA@gmail.com 79111111111 source=12345 campaign=333 banner=6666",
        "да, 222222:page1, 16.09.2026, 12:00, aaa@gmail.com, 8-911-111-11-11, source=12345 utm_campaign=333 utm_banner=6666",
    ],
)
def test_a_registration_in_the_order_of_the_older_function(text: str) -> None:
    assert read_registration(text) == RegistrationLine(
        confirm=True,
        page_id="222222:page1",
        day=date(2026, 9, 16),
        at=time(12, 0),
        email="aaa@gmail.com",
        phone="79111111111",
        marks=Marks(source="12345", campaign="333", banner="6666"),
    )


def test_the_session_is_of_the_accounts_zone() -> None:
    line = read_registration("0 1:page 16.09.2026 12:00 a@b.ru")
    assert line.moment(MOSCOW) == datetime(2026, 9, 16, 9, 0, tzinfo=UTC)
    assert line.problems == ()
    assert not line.confirm


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("0 1:page 31.02.2026 12:00 a@b.ru", [("date", "no_such_date")]),
        ("0 1:page 2026-09-16 12:00 a@b.ru", [("date", "date_form")]),
        ("0 1:page 16.09.2026 25:00 a@b.ru", [("time", "no_such_time")]),
        ("0 1:page 16.09.2026 12 a@b.ru", [("time", "time_form")]),
        ("0 1:page 16.09.2026 12:00 a@b", [("email", "email_form")]),
        ("0 1:page 16.09.2026 12:00 a@b.ru 7911111111", [("phone", "phone_form")]),
        ("0 1:page 16.09.2026 12:00 a@b.ru +7911111111", [("phone", "phone_form")]),
        ("0 page 16.09.2026 12:00 a@b.ru", [("page", "page_form")]),
        ("2 1:page 16.09.2026 12:00 a@b.ru", [("confirm", "confirm_form")]),
        ("0 1:page 16.09.2026 12:00 a@b.ru 1 source=google", [("phone", "phone_with_marks")]),
        ("0 1:page 16.09.2026 12:00 a@b.ru 79111111111 {broken}", [("marks", "marks_form")]),
        ("0 1:page 16.09.2026 12:00 a@b.ru 79111111111 лишнее", [("marks", "marks_form")]),
        ("0 1:page 1 1 1", [("date", "missing"), ("time", "missing"), ("email", "missing")]),
        ("", [("page", "missing"), ("date", "missing"), ("time", "missing"), ("email", "missing")]),
    ],
)
def test_each_bad_field_is_named(text: str, problems: list[tuple[str, str]]) -> None:
    assert named(read_registration(text).problems) == problems


@pytest.mark.parametrize(
    "text",
    [
        "bizon365_is_visitor('55555:SW90YzV0i', 'aaa@gmail.com', '79111111111', '12.09.2026', '19:00')",
        "+7 911 111-11-11 12.09.2026 19:00 aaa@gmail.com 55555:SW90YzV0i",
    ],
)
def test_a_visit_in_any_order(text: str) -> None:
    line = read_visit(text)
    assert (line.room_id, line.email, line.phone) == ("55555:SW90YzV0i", "aaa@gmail.com", "79111111111")
    assert (line.day, line.at, line.problems) == (date(2026, 9, 12), time(19, 0), ())


def test_one_means_nothing_given() -> None:
    only_email = read_visit("bizon365_is_visitor('55555:SW90YzV0i', 'aaa@gmail.com', '1', '12.09.2026', '19:00')")
    assert (only_email.email, only_email.phone, only_email.problems) == ("aaa@gmail.com", "", ())
    only_phone = read_visit("bizon365_is_visitor('55555:SW90YzV0i', '1', '79111111111', '12.09.2026', '19:00')")
    assert (only_phone.email, only_phone.phone, only_phone.problems) == ("", "79111111111", ())


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("+7911111111", [("phone", "phone_form")]),
        ("79111111111 31.02.2026", [("date", "no_such_date")]),
        ("79111111111 25:00", [("time", "no_such_time")]),
        ("79111111111 2026-09-12", [("date", "date_form")]),
        ("a@b", [("email", "email_form")]),
    ],
)
def test_each_bad_field_of_a_visit_is_named(text: str, problems: list[tuple[str, str]]) -> None:
    assert named(read_visit(text).problems) == problems


@given(st.text(max_size=200))
def test_no_text_breaks_the_reading(text: str) -> None:
    problems = (*read_registration(text).problems, *read_visit(text).problems)
    assert len(problem_section(problems, TEXTS).lines) <= len(problems)


def test_bad_fields_are_answered_together() -> None:
    section = problem_section(read_registration("0 1:page 31.02.2026 25:00 a@b").problems, TEXTS)
    assert as_text(Message(key="", sections=(section,))).splitlines() == [
        "Не разобрал",
        "• дата: 31.02.2026 — такого дня нет. Нужен вид ДД.ММ.ГГГГ, например 16.09.2026",
        "• время: 25:00 — такого времени нет. Нужен вид ЧЧ:ММ, например 12:00",
        "• почта: «a@b» не похоже на адрес: нужен вид имя@сайт.ру",
    ]
    lacking = problem_section(read_registration("0 1:page").problems, TEXTS)
    assert as_text(Message(key="", sections=(lacking,))).splitlines()[1:] == ["• Не хватает: дата, время, почта"]
