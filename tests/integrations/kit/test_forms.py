"""The form decoder: PHP's rules, hostile input, and the price of one event."""

import time
from urllib.parse import parse_qsl, quote, quote_plus, unquote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import MalformedBody, TooLarge
from integrations.kit.forms import Form, as_list, decode_form, key_path, text_at

WORDS = st.text(alphabet=st.characters(codec="utf-8"), max_size=20)
NAMES = st.text(alphabet="abcXYZ_019", min_size=1, max_size=12)


def test_nested_names_become_nested_dicts() -> None:
    body = b"event=X&data%5BCALL_ID%5D=a.1&data[PHONE]=%2B7900&auth[a][b]=%D0%BC%D0%B8%D1%80+%2b&flag"
    assert decode_form(body) == {
        "event": "X",
        "data": {"CALL_ID": "a.1", "PHONE": "+7900"},
        "auth": {"a": {"b": "мир +"}},
        "flag": "",
    }


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (b"a[]=1&a[]=2", {"a": {"0": "1", "1": "2"}}),
        (b"a[][x]=1&a[][x]=2", {"a": {"0": {"x": "1"}, "1": {"x": "2"}}}),
        (b"a[5]=1&a[]=2", {"a": {"5": "1", "1": "2"}}),
        (b"a[1]=1&a[]=2", {"a": {"1": "1", "2": "2"}}),
        (b"a=1&a=2", {"a": "2"}),
        (b"a=1&a[b]=2", {"a": {"b": "2"}}),
        (b"a[b]=2&a=1", {"a": "1"}),
        (b"a[]=1&a=2&a[]=3", {"a": {"0": "3"}}),
        (b"a[b=1", {"a[b": "1"}),
        (b"[b]=1", {"[b]": "1"}),
        (b"a[b]c[d]=1", {"a": {"b": {"d": "1"}}}),
        (b"=1&&a=", {"a": ""}),
        (b"", {}),
        (b"a=%zz%4&b=%ff", {"a": "%zz%4", "b": "\ufffd"}),
        (b"a=\xff\xfe", {"a": "\ufffd\ufffd"}),
        (b"linked[403][ID]=403", {"linked": {"403": {"ID": "403"}}}),
    ],
)
def test_the_odd_corners(body: bytes, form: Form) -> None:
    assert decode_form(body) == form


def test_too_deep_and_too_many_are_named() -> None:
    assert decode_form(b"a[b][c]=1", max_depth=3) == {"a": {"b": {"c": "1"}}}
    with pytest.raises(MalformedBody) as deep:
        decode_form(b"a[b][c][d]=1", max_depth=3)
    assert deep.value.field == "a"
    assert len(decode_form(b"a=1&b=2", max_fields=2)) == 2
    with pytest.raises(TooLarge):
        decode_form(b"a=1&b=2&c=3", max_fields=2)


@given(st.dictionaries(NAMES, WORDS, max_size=8))
def test_flat_forms_agree_with_the_standard_library(fields: dict[str, str]) -> None:
    body = urlencode(fields).encode()
    assert decode_form(body) == dict(parse_qsl(body.decode(), keep_blank_values=True))


@given(
    st.dictionaries(NAMES, st.dictionaries(NAMES, WORDS, min_size=1, max_size=4), max_size=4),
    st.sampled_from((quote, quote_plus)),
)
def test_what_is_encoded_comes_back(form: dict[str, dict[str, str]], escape: object) -> None:
    assert callable(escape)
    fields = [(f"{group}[{name}]", value) for group, inside in form.items() for name, value in inside.items()]
    body = "&".join(f"{escape(key)}={escape(value)}" for key, value in fields).encode()
    assert decode_form(body) == form


@given(st.binary(max_size=300) | st.text(alphabet="ab[]=&%01+", max_size=60).map(str.encode))
def test_any_bytes_give_a_form_or_malformed(body: bytes) -> None:
    try:
        form = decode_form(body, max_fields=40, max_depth=4)
    except (MalformedBody, TooLarge):
        return
    for value in form.values():
        assert isinstance(value, (str, dict))


def test_hostile_lists_take_linear_time() -> None:
    """Numbered keys placed in the way of ``[]`` must not be walked again for each of them: that would be 10^8 steps."""
    body = "&".join([f"a[{n}]=" for n in range(10_000, 20_000)] + ["a[]="] * 10_000).encode()
    begin = time.process_time()
    assert len(as_list(decode_form(body)["a"])) == 20_000
    assert time.process_time() - begin < 2


def test_long_keys_are_not_remembered() -> None:
    assert key_path("k" * 5000 + "[x]") == ("k" * 5000, "x")
    assert key_path("data%5BCALL_ID%5D") == ("data", "CALL_ID")
    assert decode_form(b"k" * 100 + b"[x]=1") == {"k" * 100: {"x": "1"}}


def test_reading_helpers() -> None:
    form = decode_form(b"a[b]=1&c=2")
    assert (text_at(form, "a", "b"), text_at(form, "c"), text_at(form, "a"), text_at(form, "c", "d")) == ("1", "2", "", "")
    assert (as_list(form["a"]), as_list("x"), as_list(""), as_list(None)) == (["1"], ["x"], [], [])


@given(raw=st.text(alphabet="%0aAfFdDbB1 +я€", max_size=40))
def test_values_are_unescaped_as_the_standard_library_does(raw: str) -> None:
    body = raw.encode("utf-8", "surrogatepass")
    expected = unquote_plus(body.decode("utf-8", "replace"), errors="replace")
    assert decode_form(b"a=" + body) == {"a": expected}


def test_a_megabyte_of_broken_escapes_is_read_at_once() -> None:
    begun = time.process_time()
    decode_form(b"a=" + b"%" * 1_000_000)
    assert time.process_time() - begun < 3  # 0.05 s; walked again for each of them it would be minutes
