"""What surfaces show a figure by: cells of Excel, days on buttons, lines of a phone."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from domain.messages import as_text
from handlers.analytics.ask import period_off_button, period_on_button
from handlers.analytics.catalogue import Counted, Figure
from handlers.analytics.screens import figure_screen
from handlers.calls.periods import Period
from handlers.sheets import FORMULA, cell, phone_cell, shown
from handlers.texts import load_texts
from handlers.wording import Reader
from storage.queries.conversions import ConversionRow

MOSCOW = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
READER = Reader(texts=load_texts(), now=NOW, zone=MOSCOW, private=False)


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
