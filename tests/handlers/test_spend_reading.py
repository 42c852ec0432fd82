"""A line about money: the sum, the ad and the days whatever their order; and what is asked instead of guessed."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.spending import Ad, spread
from handlers.spend.names import Kind, known_names
from handlers.spend.reading import Told, read_spend
from storage.spend_entries import KnownAds

TODAY = date(2026, 11, 20)
KNOWN = known_names(
    KnownAds(
        sources=("google", "vk_ads"), directions=("Ремонт", "Окна 5000", "Дизайн"), creatives=("Кухня за 30 дней", "Ремонт")
    )
)  # fmt: skip


def read(text: str) -> Told:
    return read_spend(text, KNOWN, TODAY)


def days(told: Told) -> tuple[str, str] | None:
    return None if told.period is None else (f"{told.period.first:%d.%m.%y}", f"{told.period.last:%d.%m.%y}")


@pytest.mark.parametrize(
    ("text", "minor", "currency", "period", "ad"),
    [
        ("google 40000 1–7 ноября", 4_000_000, "", ("01.11.26", "07.11.26"), ("google", "", "")),
        ("расход вк 12 500,50 руб вчера", 1_250_050, "RUB", ("19.11.26", "19.11.26"), ("vk_ads", "", "")),
        ("40\u00a0000,50\u00a0₽", 4_000_050, "RUB", None, ("", "", "")),
        ("google ремонт 300 $ октябрь", 30_000, "USD", ("01.10.26", "31.10.26"), ("google", "Ремонт", "")),
        ("сорок тысяч google вчера", 4_000_000, "", ("19.11.26", "19.11.26"), ("google", "", "")),
        ("google сорок тысяч пятьсот рублей 50 копеек за октябрь", 4_050_050, "RUB", ("01.10.26", "31.10.26"),
         ("google", "", "")),
        ("полторы тысячи гугл", 150_000, "", None, ("google", "", "")),
        ("40к Google", 4_000_000, "", None, ("google", "", "")),
        ("авито 1,5 млн 1-7.11", 150_000_000, "", ("01.11.26", "07.11.26"), ("avito", "", "")),
        ("google 40 т.р. с 10 ноября", 4_000_000, "RUB", ("10.11.26", "20.11.26"), ("google", "", "")),
        ("GOOGLE 40.000 руб на прошлой неделе", 4_000_000, "RUB", ("09.11.26", "15.11.26"), ("google", "", "")),
        ("google $300 с 1 по 3 ноября", 30_000, "USD", ("01.11.26", "03.11.26"), ("google", "", "")),
        ("google 100 долларов с 25 декабря по 5 января", 10_000, "USD", ("25.12.25", "05.01.26"), ("google", "", "")),
        ("vk 10.05 ₽", 1_005, "RUB", None, ("vk_ads", "", "")),
        ("vk 10.05 500", 50_000, "", ("10.05.26", "10.05.26"), ("vk_ads", "", "")),
        ("google 12 500 5 ноября", 1_250_000, "", ("05.11.26", "05.11.26"), ("google", "", "")),
        ("1–7 ноября google 40 000 ₽", 4_000_000, "RUB", ("01.11.26", "07.11.26"), ("google", "", "")),
        ("расход: 700, источник: vk, дата: 01.11.2026", 70_000, "", ("01.11.26", "01.11.26"), ("vk_ads", "", "")),
        ("яндекс директ, ремонт квартир, 40 000 руб.", 4_000_000, "RUB", None, ("yandex", "ремонт квартир", "")),
        ("кухня за 30 дней 5000", 500_000, "", None, ("", "", "Кухня за 30 дней")),
        ("окна 5000 300", 30_000, "", None, ("", "Окна 5000", "")),
        ("креатив: «Новый за 5 дней», google 500", 50_000, "", None, ("google", "", "Новый за 5 дней")),
        ("креатив: ремонт, google 500", 50_000, "", None, ("google", "", "Ремонт")),
        ("google 40 тысяч 500 рублей", 4_050_000, "RUB", None, ("google", "", "")),
        ("google 40 тысяч 1–7 ноября", 4_000_000, "", ("01.11.26", "07.11.26"), ("google", "", "")),
        ("google 1 млн 200 тыс", 120_000_000, "", None, ("google", "", "")),
        ("google пол миллиона с начала месяца", 50_000_000, "", ("01.11.26", "20.11.26"), ("google", "", "")),
        ("google +40000", 4_000_000, "", None, ("google", "", "")),
        ("2gis 3000", 300_000, "", None, ("2gis", "", "")),
        ("telegram посевы, 5000", 500_000, "", None, ("telegram", "посевы", "")),
    ],
)  # fmt: skip
def test_what_a_line_says(
    text: str, minor: int, currency: str, period: tuple[str, str] | None, ad: tuple[str, str, str]
) -> None:
    told = read(text)
    assert told.faults == ()
    assert (told.minor, told.currency, days(told), told.ad.parts) == (minor, currency, period, ad)


@pytest.mark.parametrize(
    ("text", "fault", "given_"),
    [
        ("google 40000 50000", "two_amounts", "40000, 50000"),
        ("google 40 000 ₽ и 300 $", "two_amounts", "40 000 ₽, 300 $"),
        ("google -5", "negative", "-5"),
        ("google 0", "nothing", "0"),
        ("google 40000,505", "kopecks", "40000,505"),
        ("google 0,005", "kopecks", "0,005"),
        ("vk 31.02 5000", "day_or_amount", "31.02"),
        ("vk 31.02.2026 40000", "no_day", "31.02.2026"),
        ("google 5000 31 февраля", "no_day", "31 февраля"),
        ("google 5000 1 ноября 3 ноября", "two_periods", "3 ноября"),
        ("google 5000 1–7", "no_month", "1–7"),
        ("google 5000 до 7 ноября", "no_first", "7 ноября"),
        ("google 5000 01.12.2026", "future", "01.12.2026"),
        ("google 100 завтра", "future", "завтра"),
        ("google 100 на следующей неделе", "future", "следующей неделе"),
        ("google 5000 за 400 дней", "too_many_days", ""),
        ("google 5000 01.12.2006", "long_ago", "01.12.2006"),
        ("google 99999999999999", "too_much", "99999999999999"),
    ],
)
def test_what_is_asked_instead_of_guessed(text: str, fault: str, given_: str) -> None:
    assert [(one.name, one.given) for one in read(text).faults] == [(fault, given_)]


def test_the_wrong_way_round_and_what_is_not_over() -> None:
    turned = [read(text).period for text in ("google 5 7–1 ноября", "google 5 7 ноября – 1 ноября", "google 5 07.11-01.11")]
    assert all(period is not None and period.turned for period in turned)
    assert {days(read(text)) for text in ("google 5 7–1 ноября", "google 5 1–7 ноября")} == {("01.11.26", "07.11.26")}
    month = read("google 40000 ноябрь")
    assert (days(month), month.cut) == (("01.11.26", "20.11.26"), True)


def test_no_sum_and_words_too_many() -> None:
    assert (read("google вчера").minor, read("расходы за октябрь").ad) == (None, Ad())
    assert read("один, два, три, четыре 500").left == ("четыре",)


def test_names_somebody_may_have_meant() -> None:
    assert KNOWN.alike(Kind.SOURCE, "gogle") == ["google"]
    assert KNOWN.alike(Kind.DIRECTION, "ремнот") == ["Ремонт"]
    assert KNOWN.alike(Kind.DIRECTION, "дизайна") == ["Дизайн"]
    assert KNOWN.alike(Kind.CREATIVE, "кухни") == ["Кухня за 30 дней"]
    assert KNOWN.alike(Kind.DIRECTION, "совсем другое") == []


@given(st.integers(1, 10**12), st.integers(0, 400))
@settings(max_examples=50)
def test_parts_make_the_whole(amount: int, length: int) -> None:
    first = date(2025, 1, 1)
    parts = spread(amount, first, first + timedelta(days=length))
    assert sum(part for _, part in parts) == amount
    assert max(part for _, part in parts) - min(part for _, part in parts) <= 1
    assert [day for day, _ in parts] == [first + timedelta(days=number) for number in range(length + 1)]


@given(st.text(st.sampled_from("0123456789 .,₽$к-–абвг«»:;=\n\x00тысячвчераgoogle"), max_size=60))
@settings(max_examples=50)
def test_no_line_breaks_it(text: str) -> None:
    told = read(text)
    assert told.minor is None or told.faults or told.minor > 0


@given(st.integers(1, 10**9), st.sampled_from(["{0},{1:02} ₽", "{0}.{1:02} руб", "{0} р. {1} коп"]))
@settings(max_examples=50)
def test_a_sum_as_it_is_written(minor: int, form: str) -> None:
    whole, coins = divmod(minor, 100)
    spaced = f"{whole:,}".replace(",", " ")
    told = read(f"google {form.format(spaced, coins)} вчера")
    assert (told.minor, told.faults) == (minor, ())
