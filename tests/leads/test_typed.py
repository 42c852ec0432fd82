"""One typed line: what it says whatever the order, and which field is wrong when one is."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.imports import CreativeRow, DirectionRow, ImportKind, LeadRow, SpendRow
from handlers.calls.periods import Period
from handlers.leads.typed import Typed, read_line, spread

MOSCOW = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def read(kind: ImportKind, text: str) -> Typed:
    return read_line(kind, text, zone=MOSCOW, now=NOW)


@pytest.mark.parametrize(
    "text",
    [
        "Иван Петров, +7 999 123-45-67, Ремонт, vk",
        "Иван Петров 8 (999) 123-45-67, Ремонт, vk",
        "источник: vk, Иван Петров; телефон: 89991234567; направление = Ремонт",
        "Иван Петров\n79991234567\nРемонт\nvk",
    ],
)
def test_a_lead_in_any_order(text: str) -> None:
    (row,) = read(ImportKind.LEADS, text).rows
    assert isinstance(row, LeadRow)
    assert (row.name, row.phone_key, row.direction, row.marks.source) == ("Иван Петров", "79991234567", "Ремонт", "vk")
    assert (row.created_at, row.day) == (NOW, date(2026, 11, 28))


@pytest.mark.parametrize(
    ("kind", "text", "faults"),
    [
        (ImportKind.LEADS, "Иван", [("phone", "no_contact")]),
        (ImportKind.LEADS, "Иван, +7911111111", [("phone", "phone")]),
        (ImportKind.LEADS, "Иван, +79991234567, ivan@localhost", [("email", "email")]),
        (ImportKind.LEADS, "+79991234567, дата: 31.02.2026", [("created", "created")]),
        (ImportKind.SPEND, "google", [("amount", "missing")]),
        (ImportKind.SPEND, "google -5 вчера", [("amount", "negative")]),
        (ImportKind.SPEND, "google 100 1–30 ноября", [("created", "future")]),
        (ImportKind.SPEND, "google, дата: 25.13.2026, расход: 5", [("created", "created")]),
        (ImportKind.SPEND, "vk 31.02", [("day_or_amount", "day_or_amount")]),
        (ImportKind.SPEND, "vk 40000 31.02", [("day_or_amount", "day_or_amount")]),
        (ImportKind.SPEND, "vk 31.02.2026 40000", [("day_or_amount", "day_or_amount")]),
        (ImportKind.SPEND, "vk 10.05", [("amount", "missing")]),
        (ImportKind.DIRECTIONS, "  ", [("direction", "missing")]),
        (ImportKind.CREATIVES, ",Ремонт", [("direction", "")]),
    ],
)
def test_a_wrong_field_is_named(kind: ImportKind, text: str, faults: list[tuple[str, str]]) -> None:
    typed = read(kind, text)
    if faults == [("direction", "")]:
        assert typed.rows == (CreativeRow(title="Ремонт"),)
        return
    assert [(fault.field, fault.name) for fault in typed.faults] == faults
    assert typed.rows == ()


@pytest.mark.parametrize(
    ("text", "source", "minor", "days"),
    [
        ("google 40000 1–7 ноября", "google", 4_000_000, 7),
        ("vk 12 500,50 вчера", "vk", 1_250_050, 1),
        ("40 000 руб. яндекс директ за октябрь", "яндекс директ", 4_000_000, 31),
        ("telegram 5000", "telegram", 500_000, 1),
        ("расход: 700, источник: vk, дата: 01.11.2026", "vk", 70_000, 1),
        ("google $300 с 1 по 3 ноября", "google", 30_000, 3),
    ],
)
def test_an_amount_with_its_days(text: str, source: str, minor: int, days: int) -> None:
    rows = read(ImportKind.SPEND, text).rows
    spent = [row for row in rows if isinstance(row, SpendRow)]
    assert len(spent) == len(rows) == days
    assert sum(row.amount for row in spent) == minor
    assert {row.source for row in spent} == {source}


def test_names_and_their_changes() -> None:
    assert read(ImportKind.DIRECTIONS, "Ремонт квартир").rows == (DirectionRow(title="Ремонт квартир"),)
    typed = read(ImportKind.DIRECTIONS, "Ремонт → Ремонт квартир")
    assert (typed.renames, typed.rows) == ("Ремонт", (DirectionRow(title="Ремонт квартир"),))
    assert read(ImportKind.CREATIVES, "Кухня, Ремонт, utm_content: ad_17").rows == (
        CreativeRow(title="Кухня", direction="Ремонт", rule="ad_17"),
    )


@given(st.integers(0, 10**12), st.integers(0, 400))
def test_parts_make_the_whole(amount: int, length: int) -> None:
    first = date(2025, 1, 1)
    days = Period(first=first, last=date.fromordinal(first.toordinal() + length))
    rows = spread(SpendRow(day=first, amount=amount, currency="RUB"), days)
    assert sum(row.amount for row in rows) == amount
    assert max(row.amount for row in rows) - min(row.amount for row in rows) <= 1
    assert [row.day for row in rows] == sorted({row.day for row in rows})
    assert rows[-1].day == days.last


@given(st.sampled_from(ImportKind), st.text())
def test_no_line_breaks_it(kind: ImportKind, text: str) -> None:
    typed = read(kind, text)
    assert bool(typed.rows) != bool(typed.faults)


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("vk 31.02 ₽", 3102, "RUB"), ("vk $31.02", 3102, "USD"), ("сумма: 31.02, источник: vk", 3102, "RUB"),
        ("vk 12.50", 1250, "RUB"), ("vk 1234.05", 123405, "RUB"), ("vk 31,02", 3102, "RUB"),
    ],
)  # fmt: skip
def test_what_says_that_it_is_money_is_no_day(text: str, amount: int, currency: str) -> None:
    (row,) = read(ImportKind.SPEND, text).rows
    assert isinstance(row, SpendRow)
    assert (row.amount, row.currency, row.day, row.source) == (amount, currency, date(2026, 11, 28), "vk")
