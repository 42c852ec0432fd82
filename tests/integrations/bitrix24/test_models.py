"""Foreign rows: whatever JSON holds, a row comes out or nothing does."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.bitrix24.models import (
    LONGEST_CALL_S,
    Binding,
    CallRow,
    CommentRow,
    DiskFile,
    PersonRow,
    Row,
    clean,
    moment,
    number,
    present,
    read_row,
    read_rows,
    whole_or_text,
)

TEXTS = st.text(alphabet=st.characters(), max_size=20)  # lone surrogates and NUL included
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
MODELS: list[type[Row]] = [CallRow, DiskFile, Binding, CommentRow, PersonRow]
NAMES = sorted({str(field.alias) for model in MODELS for field in model.model_fields.values()})


@given(st.sampled_from(MODELS), st.dictionaries(st.sampled_from(NAMES) | TEXTS, JSON, max_size=6) | JSON)
def test_any_json_gives_a_row_of_clean_texts_or_none(model: type[Row], value: object) -> None:
    row = read_row(model, value)
    assert (row is None) is not isinstance(value, dict)
    if row is not None:
        assert json.loads(row.model_dump_json()) == row.model_dump()
    assert isinstance(read_rows(model, value), list)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), ("", ""), ([], ""), ({}, ""), (False, ""), (True, ""), (5, "5"), (" a ", "a"), (1.5, "1.5")],
)
def test_what_php_writes(value: object, text: str) -> None:
    row = read_row(PersonRow, {"NAME": value, "ID": value})
    assert row is not None
    assert (row.name, row.row_id) == (text, text)


def test_rows_of_lists_and_of_maps() -> None:
    assert [row.row_id for row in read_rows(PersonRow, [{"ID": 1}, [], None, {"ID": "2"}])] == ["1", "2"]
    assert [row.row_id for row in read_rows(PersonRow, {"7": {"ID": 1}, "9": {"ID": "2"}})] == ["1", "2"]
    assert read_rows(PersonRow, "x") == []


def test_the_address_of_a_file_is_not_shown() -> None:
    file = read_row(DiskFile, {"DOWNLOAD_URL": "https://portal.example/rest/1/s3cret/download/"})
    assert "s3cret" not in repr(file)


def test_times_and_lengths_stay_inside_the_calendar() -> None:
    row = read_row(CallRow, {"CALL_DURATION": "999999999999", "CALL_START_DATE": "9999-12-31T23:59:59+03:00"})
    assert row is not None
    assert (row.duration_s, row.started_at) == (LONGEST_CALL_S, None)
    assert moment("0001-01-01T00:00:00+03:00") is None


def test_small_readings() -> None:
    assert clean("a\0\r\nb\x7f\ud800") == "ab?"
    assert clean("a\x9b31m\u2028b\u202ec\u2066d") == "a31mbcd"
    assert len(clean("x" * 10_000)) == 4096
    assert [number(text) for text in ("12", "12.9", "", "-1", "1e5", "²", "9" * 13)] == [12, 12, 0, 0, 0, 0, 0]
    assert [present(text) for text in ("0", "", "17")] == ["", "", "17"]
    assert [whole_or_text(text) for text in ("17", "a", "²", "")] == [17, "a", "²", ""]
