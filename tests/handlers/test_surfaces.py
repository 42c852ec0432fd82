"""One figure, many surfaces: the chat, inline mode, the file and the picture say the same of any data."""

import csv
import io
import re
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.messages import Message, as_text
from handlers.analytics.answers import HEADER, cells_of
from handlers.analytics.ask import period_off_button, period_on_button
from handlers.analytics.catalogue import CONVERSIONS, FEW, Counted, Figure, last_days, name_of
from handlers.analytics.screens import MOST_ROWS, bars, figure_screen, inline_items
from handlers.calls.periods import Period
from handlers.sheets import FORMULA, cell, phone_cell, shown, write_sheet
from handlers.texts import load_texts
from handlers.wording import Reader
from storage.queries.conversions import ConversionRow

MOSCOW = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
READER = Reader(texts=load_texts(), now=NOW, zone=MOSCOW, private=False)
NAMES = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=20).map(str.strip)


@st.composite
def rows(draw: st.DrawFn) -> ConversionRow:
    leads = draw(st.integers(1, 100_000))
    came = draw(st.integers(0, leads))
    visits = draw(st.integers(came, came * 4))
    long = draw(st.integers(0, visits))
    watched = draw(st.integers(120, 20_000)) * visits
    name = draw(NAMES)
    return ConversionRow(
        key=name, name=name, leads=leads, came=came, visits=visits, watch_sec=watched, long_visits=long
    )  # fmt: skip


@st.composite
def figures(draw: st.DrawFn) -> Counted:
    listed = tuple(draw(st.lists(rows(), max_size=MOST_ROWS + 3)))
    sums = {
        name: sum(getattr(row, name) for row in listed) for name in ("leads", "came", "visits", "watch_sec", "long_visits")
    }
    total = ConversionRow(key="", name="", **sums)
    figure = draw(st.sampled_from(Figure))
    return Counted(
        figure=figure, period=last_days(30, date(2026, 11, 28)), zone="Europe/Moscow", rows=listed,
        total=None if figure is Figure.TOP else total, counted_at=NOW,
    )  # fmt: skip


def read_back(counted: Counted, path: Path) -> list[dict[str, str]]:
    write_sheet(path, ("name", *HEADER), [(name_of(READER, counted.figure, r), *cells_of(r)) for r in counted.rows], MOSCOW)
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")), delimiter=";"))


def numbers(text: str) -> list[int]:
    return [int(re.sub(r"\D", "", found)) for found in re.findall(r"\d[\d\u00a0]*", text)]


def body(message: Message) -> list[tuple[str, str]]:
    """Heading and line of each row of the screen."""
    return [
        (
            as_text(Message(key="", sections=(section,))).split("\n")[0],
            as_text(Message(key="", sections=(section,))).split("\n")[-1],
        )
        for section in message.sections[1 : 1 + MOST_ROWS]
    ]


@given(figures())
@settings(max_examples=150)
def test_every_surface_says_the_same(tmp_path_factory: pytest.TempPathFactory, counted: Counted) -> None:
    path = tmp_path_factory.getbasetemp() / f"{uuid.uuid4()}.csv"
    told, drawn, inline = read_back(counted, path), bars(READER, counted), inline_items(READER, counted)
    path.unlink()
    shown = body(figure_screen(READER, counted))[: len(counted.rows)]
    assert [item[1] for item in inline[1:]] == [line for _, line in shown]
    assert len(told) == len(counted.rows)
    for row, record, (head, line), bar in zip(counted.rows, told, shown, drawn, strict=False):
        assert (record["total_leads"], record["leads_came"], record["webinar_attendees"]) == (
            str(row.leads), str(row.came), str(row.visits),
        )  # fmt: skip
        percent = Decimal(record["conversion_rate_percent"].replace(",", "."))
        assert 0 <= percent <= 100
        assert abs(percent - Decimal(100 * row.came) / row.leads) <= Decimal("0.005")
        if counted.figure in CONVERSIONS:
            assert numbers(line)[:2] == [row.came, row.leads]
            small = row.leads < FEW
            assert head.endswith(bar[2])
            assert ("мало данных" in head) == small
            assert small or head.endswith(f"{record['conversion_rate_percent']}\u00a0%")
            assert bar[1] == (0 if small else float(percent))
        else:
            assert bar[1] == row.visits == numbers(line)[0]


@given(st.text())
def test_no_cell_is_a_formula(text: str) -> None:
    assert not str(cell(text, MOSCOW)).lstrip(" ").startswith(FORMULA)
    assert str(cell(text, MOSCOW)).removeprefix("'") == shown(text) or shown(text).startswith("'")


def test_cells_as_excel_reads_them() -> None:
    assert cell("=cmd|' /C calc'!A0", MOSCOW) == "'=cmd|' /C calc'!A0"
    assert cell(Decimal("66.67"), MOSCOW) == "66,67"
    assert cell(datetime(2026, 11, 28, 21, 30, tzinfo=UTC), MOSCOW) == "29.11.2026 00:30:00"
    assert cell(date(2026, 11, 28), MOSCOW) == "28.11.2026"
    assert (cell(True, MOSCOW), cell(None, MOSCOW), cell(7, MOSCOW)) == (1, "", 7)
    assert phone_cell("79991234567") == "7 999 123-45-67"
    assert phone_cell("") == ""


@given(st.dates(date(2020, 1, 1), date(2027, 1, 1)), st.integers(0, 3659))
def test_a_button_carries_its_days(first: date, length: int) -> None:
    today = date(2026, 11, 28)
    last = date.fromordinal(first.toordinal() + length)
    period = Period(first=first, last=last)
    text = period_on_button(period, today)
    assert period_off_button(text, today) == period
    assert len(f"fpic:d:{text}") <= 60
    assert period_off_button(period_on_button(None, today), today) is None


def test_a_phone_is_wide_enough() -> None:
    """No word of a figure is wider than a line of a phone; names are cut."""
    row = ConversionRow(
        key="1", name="Очень длинное название " * 5, leads=12345, came=123, visits=456, watch_sec=456 * 1500, long_visits=9
    )
    counted = Counted(
        figure=Figure.DIRECTION, period=None, zone="Europe/Moscow", rows=(row,), total=row, counted_at=NOW, loading=True
    )  # fmt: skip
    lines = as_text(figure_screen(READER, counted, admin=True)).split("\n")
    assert max(len(line) for line in lines) <= 72
    assert max(len(word) for line in lines for word in line.split(" ")) <= 36
