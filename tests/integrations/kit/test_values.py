"""Foreign values: each of another type than expected, and none of that raises."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.kit.values import clean, count_of, flag_of, list_of, mapping_of, moment_of, number_of, text_of

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(ANYTHING)
def test_reading_is_total(value: object) -> None:
    text_of(value).encode()
    count, moment = count_of(value), moment_of(value)
    assert count >= 0
    assert moment is None or moment.tzinfo is UTC
    assert isinstance(flag_of(value), bool)
    number_of(value)
    mapping_of(value)
    list_of(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("  a\x00b ", "ab"),
        (5, "5"),
        (5.0, "5"),
        (5.5, "5.5"),
        (True, ""),
        (None, ""),
        ([1], ""),
        (10**300, ""),
        ("я" * 9999, "я" * 4096),
    ],
)
def test_texts(value: object, text: str) -> None:
    assert text_of(value) == text


def test_what_no_database_can_hold_is_taken_out() -> None:
    assert clean("a\ud800\u202eb\n") == "a?b"


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("5", 5.0),
        ("5,0", None),
        (" 7.5 ", 7.5),
        (True, None),
        (None, None),
        ("nan", None),
        (10**400, None),
        ("9" * 40, None),
    ],
)
def test_numbers(value: object, number: float | None) -> None:
    assert number_of(value) == number


@pytest.mark.parametrize("yes", [True, 1, 2.5, "1", "true", "да", ["x"], {"a": 1}])
@pytest.mark.parametrize("no", [False, 0, None, "", " 0 ", "False", "null", [], {}])
def test_flags(yes: object, no: object) -> None:
    assert flag_of(yes)
    assert not flag_of(no)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (1582646400, datetime(2020, 2, 25, 16, tzinfo=UTC)),
        (1582646400000, datetime(2020, 2, 25, 16, tzinfo=UTC)),
        ("1582646400000", datetime(2020, 2, 25, 16, tzinfo=UTC)),
        ("2020-02-25T16:00:00Z", datetime(2020, 2, 25, 16, tzinfo=UTC)),
        ("2020-02-25T19:00:00", datetime(2020, 2, 25, 16, tzinfo=UTC)),
        ("2020-02-25T16:00:00.000+00:00", datetime(2020, 2, 25, 16, tzinfo=UTC)),
        (0, None),
        (-1, None),
        (1e29, None),
        ("0001-01-01T00:00:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("soon", None),
        ({}, None),
    ],
)
def test_moments(value: object, moment: datetime | None) -> None:
    assert moment_of(value, ZoneInfo("Europe/Moscow")) == moment
