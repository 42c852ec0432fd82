"""Questions in Russian words: what is understood, and that nothing a person types can break it."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.calls.ask import LONGEST_QUESTION, Asked, stem, understand
from handlers.calls.periods import Period, find_period
from storage.queries.calls import CallQuery, Slice

MOSCOW = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)  # a Saturday


def ask(text: str, now: datetime = NOW, zone: str = "Europe/Moscow") -> Asked:
    return understand(text, now=now, zone=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("звонки за сегодня", (2026, 11, 21), (2026, 11, 21)),
        ("звонки сегодня", (2026, 11, 21), (2026, 11, 21)),
        ("вчера", (2026, 11, 20), (2026, 11, 20)),
        ("позавчера", (2026, 11, 19), (2026, 11, 19)),
        ("вчерашние звонки", (2026, 11, 20), (2026, 11, 20)),
        ("за неделю", (2026, 11, 15), (2026, 11, 21)),
        ("за последнюю неделю", (2026, 11, 15), (2026, 11, 21)),
        ("за 7 дней", (2026, 11, 15), (2026, 11, 21)),
        ("за последние 3 дня", (2026, 11, 19), (2026, 11, 21)),
        ("за 1 день", (2026, 11, 21), (2026, 11, 21)),
        ("30д", (2026, 10, 23), (2026, 11, 21)),
        ("2н", (2026, 11, 8), (2026, 11, 21)),
        ("за 2 недели", (2026, 11, 8), (2026, 11, 21)),
        ("за месяц", (2026, 10, 23), (2026, 11, 21)),
        ("за квартал", (2026, 8, 23), (2026, 11, 21)),
        ("за год", (2025, 11, 22), (2026, 11, 21)),
        ("на этой неделе", (2026, 11, 16), (2026, 11, 21)),
        ("на прошлой неделе", (2026, 11, 9), (2026, 11, 15)),
        ("за прошлую неделю", (2026, 11, 9), (2026, 11, 15)),
        ("в этом месяце", (2026, 11, 1), (2026, 11, 21)),
        ("за прошлый месяц", (2026, 10, 1), (2026, 10, 31)),
        ("с 1 по 7 ноября", (2026, 11, 1), (2026, 11, 7)),
        ("с 7 по 1 ноября", (2026, 11, 1), (2026, 11, 7)),
        ("1–7 ноября", (2026, 11, 1), (2026, 11, 7)),
        ("1-7 ноября 2025 года", (2025, 11, 1), (2025, 11, 7)),
        ("с 1 по 7 декабря", (2025, 12, 1), (2025, 12, 7)),
        ("с 20 по 25 ноября", (2026, 11, 20), (2026, 11, 25)),
        ("с 28 октября по 3 ноября", (2026, 10, 28), (2026, 11, 3)),
        ("с 30 декабря по 2 января", (2025, 12, 30), (2026, 1, 2)),
        ("с 30 декабря по 2 января 2026", (2025, 12, 30), (2026, 1, 2)),
        ("5 ноября", (2026, 11, 5), (2026, 11, 5)),
        ("за 5 декабря", (2025, 12, 5), (2025, 12, 5)),
        ("05.11", (2026, 11, 5), (2026, 11, 5)),
        ("05.11.2025", (2025, 11, 5), (2025, 11, 5)),
        ("5.11.25", (2025, 11, 5), (2025, 11, 5)),
        ("с 01.11 по 07.11", (2026, 11, 1), (2026, 11, 7)),
        ("01.11.2026-07.11.2026", (2026, 11, 1), (2026, 11, 7)),
        ("с 30.12 по 02.01.2026", (2025, 12, 30), (2026, 1, 2)),
        ("30.11.2025-07.12.2025", (2025, 11, 30), (2025, 12, 7)),
        ("2026-11-05", (2026, 11, 5), (2026, 11, 5)),
        ("с 2026-11-07 по 2026-11-01", (2026, 11, 1), (2026, 11, 7)),
        ("с 07.11.2026 по 01.11.2026", (2026, 11, 1), (2026, 11, 7)),
        ("с 2026-11-01 по 2026-11-07", (2026, 11, 1), (2026, 11, 7)),
        ("за октябрь", (2026, 10, 1), (2026, 10, 31)),
        ("за декабрь", (2025, 12, 1), (2025, 12, 31)),
        ("за февраль 2024", (2024, 2, 1), (2024, 2, 29)),
        ("за май", (2026, 5, 1), (2026, 5, 31)),
        ("в марте", (2026, 3, 1), (2026, 3, 31)),
        ("за 2025 год", (2025, 1, 1), (2025, 12, 31)),
        ("в понедельник", (2026, 11, 16), (2026, 11, 16)),
        ("в субботу", (2026, 11, 14), (2026, 11, 14)),
    ],
)
def test_periods(text: str, first: tuple[int, int, int], last: tuple[int, int, int]) -> None:
    assert ask(text).period == Period(first=date(*first), last=date(*last))
    assert ask(text).query.anywhere == ()


@pytest.mark.parametrize("text", ["31 февраля", "за 0 дней", "за 99999 дней", "2026-13-01", "марта", "99.99"])
def test_what_is_no_period(text: str) -> None:
    assert ask(text).period is None


def test_a_period_is_local_midnights_also_where_the_clock_changes() -> None:
    query = ask("30.03.2025", datetime(2025, 4, 2, tzinfo=UTC), "Europe/Berlin").query
    assert query.since == datetime(2025, 3, 29, 23, tzinfo=UTC)
    assert query.until == datetime(2025, 3, 30, 22, tzinfo=UTC)  # a day of 23 hours


def test_today_is_the_day_of_the_account_not_of_utc() -> None:
    late = datetime(2026, 11, 21, 22, 30, tzinfo=UTC)
    assert ask("сегодня", late).period == Period(first=date(2026, 11, 22), last=date(2026, 11, 22))


@pytest.mark.parametrize(
    "text",
    [
        "+7 (999) 123-45-67",
        "8 999 123 45 67",
        "89991234567",
        "9991234567",
        "8.999.123.45.67",
        "звонок +79991234567",
        "79991234567",
    ],
)
def test_a_phone_in_any_form(text: str) -> None:
    asked = ask(text)
    assert asked.query.phone == "79991234567"
    assert asked.period is None
    assert asked.about_calls


def test_the_end_of_a_number() -> None:
    assert ask("4567").query.phone_tail == "4567"
    assert ask("номер …4567").query == CallQuery(phone_tail="4567")
    assert ask("567").query.phone_tail == ""


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("покажи жалобы", CallQuery(kind="complaint")),
        ("продажи", CallQuery(kind="sale")),
        ("заявки", CallQuery(kind="request")),
        ("пропущенные", CallQuery(slices=(Slice.MISSED,))),
        ("входящие без записи", CallQuery(slices=(Slice.INCOMING, Slice.NO_RECORDING))),
        ("клиент недоволен", CallQuery(slices=(Slice.NEGATIVE,))),
        ("звонки от Иванова", CallQuery(anywhere=("иванов",))),
        ("сотрудник Петров", CallQuery(names=("петров",))),
        ("звонки про уборку", CallQuery(words=("уборк",))),
        ("про жалобу", CallQuery(words=("жалоб",))),
        ("«Песок на лестнице»", CallQuery(words=("песок на лестнице",))),
        ("звонки с Анной", CallQuery(anywhere=("анн",))),
        ("Алёна", CallQuery(anywhere=("ален",))),
        ("песок дом", CallQuery(anywhere=("песок", "дом"))),
        ("", CallQuery()),
        ("все звонки", CallQuery()),
    ],
)
def test_words(text: str, query: CallQuery) -> None:
    assert ask(text).query == query


def test_everything_at_once() -> None:
    asked = ask("покажи жалобы сотрудник Иванов за 7 дней про песок 4567")
    assert (asked.query.kind, asked.query.names, asked.query.words, asked.query.phone_tail) == (
        "complaint", ("иванов",), ("песок",), "4567",
    )  # fmt: skip
    assert asked.period == Period(first=date(2026, 11, 15), last=date(2026, 11, 21))
    assert asked.query.anywhere == ()


def test_only_a_word_is_not_surely_a_question() -> None:
    assert not ask("привет").about_calls
    assert ask("звонки").about_calls
    assert ask("").everything


@given(st.text(max_size=400))
def test_any_text_is_understood_somehow(text: str) -> None:
    asked = ask(text)
    assert len(asked.query.anywhere) <= 6
    assert all(word.strip() for word in (*asked.query.anywhere, *asked.query.words, *asked.query.names))
    if asked.query.since and asked.query.until:
        assert asked.query.since < asked.query.until


@given(
    st.lists(
        st.sampled_from(
            ["за", "с", "по", "1", "7", "31", "99", "2026", "ноября", "фев", "неделю", "прошлой", "неделе", "+7", "999", ".",
             "-", "05.11", "2026-02-30", "«", "»", "жалобы", "про", "сотрудник", "%", "_", "\\", "дней", "в", "среду",
             "год", "0"]
        ),
        max_size=12,
    )
)  # fmt: skip
def test_any_words_of_the_grammar_in_any_order(words: list[str]) -> None:
    asked = ask(" ".join(words))
    if asked.period is not None:
        assert asked.period.first <= asked.period.last


@given(st.dates(min_value=date(2001, 1, 1), max_value=date(2099, 12, 31)))
def test_every_day_is_found_by_its_number(day: date) -> None:
    found, rest = find_period(f"звонки {day:%d.%m.%Y} иванов", date(2026, 11, 21))
    assert found == Period(first=day, last=day)
    assert rest.split() == ["звонки", "иванов"]


@given(st.text(alphabet="абвгеийоуыьэюя", max_size=12))
def test_a_stem_begins_the_word_and_stays_long_enough(word: str) -> None:
    assert word.startswith(stem(word))
    assert len(stem(word)) >= min(len(word), 3)


def test_a_question_is_cut_before_it_costs() -> None:
    assert ask("песок " * 10_000).query == ask("песок " * 6).query
    assert ask("я" * LONGEST_QUESTION + " вчера").period is None
