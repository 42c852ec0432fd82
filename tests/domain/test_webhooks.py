"""A delivery written down and read back is the same delivery."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.webhooks import Delivery, record, replayed

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)

TOKENS = st.from_regex(r"[a-z][a-z0-9-]{0,12}", fullmatch=True)
# what an HTTP server lets through in a value: no line breaks, no spaces at the ends, any other Unicode
VALUES = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=40).map(
    lambda value: value.strip(" \t")
)
DELIVERIES = st.builds(
    Delivery,
    method=st.sampled_from(["GET", "POST"]),
    path=st.from_regex(r"/[a-z0-9/%_-]{0,20}", fullmatch=True),
    query=st.from_regex(r"([a-z]=[a-z0-9%+?]{1,5}(&[a-z]=[0-9]{1,3})?)?", fullmatch=True),
    headers=st.dictionaries(TOKENS, VALUES, max_size=4),
    body=st.one_of(st.binary(max_size=60), st.just(b"a=1\r\n\r\nb=2\n\nc"), st.just(b"# not a comment")),
    received_at=st.just(NOW),
)


@given(DELIVERIES)
def test_the_record_reads_back(delivery: Delivery) -> None:
    assert replayed(record(delivery), NOW) == delivery


def test_bytes_that_are_no_utf8_survive_in_a_header() -> None:
    delivery = Delivery(method="POST", path="/", query="", headers={"x": "caf\udce9"}, body=b"", received_at=NOW)
    assert b"caf\xe9" in record(delivery)
    assert replayed(record(delivery), NOW) == delivery


def test_a_fixture_written_by_hand_reads_too() -> None:
    head = b"# source: constructed\n# two calls\nPOST /hooks/x?a=1 HTTP/1.1\nContent-Type: text/plain\nX:  y \n"
    raw = head + b"\nbody\r\n\r\nmore\n"
    assert replayed(raw, NOW) == Delivery(
        method="POST",
        path="/hooks/x",
        query="a=1",
        headers={"content-type": "text/plain", "x": "y"},
        body=b"body\r\n\r\nmore\n",
        received_at=NOW,
    )


@pytest.mark.parametrize("raw", [b"", b"#", b"# only a comment\n", b"hello", b"GET /"])
def test_what_is_no_request_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):
        replayed(raw, NOW)
