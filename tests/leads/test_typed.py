"""One typed line: what it says whatever the order, and which field is wrong when one is."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.imports import CreativeRow, DirectionRow, ImportKind, LeadRow
from handlers.leads.typed import Typed, read_line

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


def test_names_and_their_changes() -> None:
    assert read(ImportKind.DIRECTIONS, "Ремонт квартир").rows == (DirectionRow(title="Ремонт квартир"),)
    typed = read(ImportKind.DIRECTIONS, "Ремонт → Ремонт квартир")
    assert (typed.renames, typed.rows) == ("Ремонт", (DirectionRow(title="Ремонт квартир"),))
    assert read(ImportKind.CREATIVES, "Кухня, Ремонт, utm_content: ad_17").rows == (
        CreativeRow(title="Кухня", direction="Ремонт", rule="ad_17"),
    )


@given(st.sampled_from([ImportKind.LEADS, ImportKind.CREATIVES, ImportKind.DIRECTIONS]), st.text())
def test_no_line_breaks_it(kind: ImportKind, text: str) -> None:
    typed = read(kind, text)
    assert bool(typed.rows) != bool(typed.faults)
