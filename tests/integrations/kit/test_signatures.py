"""Comparing secrets: right, and never an exception."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.kit.signatures import any_secret, hmac_sha256, same_secret, signed_by

ANY_TEXT = st.text(alphabet=st.characters())  # lone surrogates included: a header may hold them


@given(ANY_TEXT, ANY_TEXT)
def test_equality_of_any_two_texts(given_text: str, expected: str) -> None:
    assert same_secret(given_text, expected) == (given_text == expected and expected != "")
    assert same_secret(expected, expected) == (expected != "")


def test_empty_matches_nothing() -> None:
    assert not same_secret("", "")
    assert not any_secret("", ("", "a"))
    assert not any_secret("a", ())


def test_one_of_several() -> None:
    assert any_secret("new", ("new", "old"))
    assert any_secret("old", ("new", "old"))
    assert not any_secret("olд", ("new", "old"))


def test_hmac_is_the_known_value() -> None:
    # RFC 4231, test case 2
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert hmac_sha256("Jefe", b"what do ya want for nothing?") == expected
    assert signed_by(f" {expected.upper()} ", "Jefe", b"what do ya want for nothing?")


@pytest.mark.parametrize(("signature", "secret"), [("", "k"), ("й" * 64, "k"), ("\udcff", "k"), (hmac_sha256("", b"m"), "")])
def test_what_signs_nothing(signature: str, secret: str) -> None:
    assert not signed_by(signature, secret, b"m")
