"""Personal links: the code and the prefilled fields, whatever the link carries already."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.webinars.addresses import personal, read_address

ROOM = "https://start.example/room/198436/e123a8a8470f"


def test_a_code_is_written_behind_the_address() -> None:
    assert personal(ROOM, "svodka", "abc") == f"{ROOM}?svodka=abc"
    assert personal(f"{ROOM}?utm_source=vk", "svodka", "abc") == f"{ROOM}?utm_source=vk&svodka=abc"
    assert personal(f"{ROOM}?svodka=old#chat", "svodka", "new") == f"{ROOM}?svodka=new#chat"


@given(name=st.text(min_size=1, max_size=40), email=st.emails())
def test_what_is_filled_in_comes_out_as_it_was(name: str, email: str) -> None:
    link = personal(f"{ROOM}?utm_source=vk", "svodka", "abc", phone="79991234567", email=email, name=name)
    name = name.encode("utf-8", "replace").decode()
    given_ = {"utm_source": "vk", "svodka": "abc", "phone": "79991234567", "email": email, "username": name}
    assert dict(parse_qsl(urlsplit(link).query, keep_blank_values=True)) == given_


@pytest.mark.parametrize(
    ("text", "url", "suspicious"),
    [
        (f"{ROOM} +7 999 123-45-67", ROOM, False),
        (f"ivan@p.ru {ROOM}?utm_source=vk", f"{ROOM}?utm_source=vk", False),
        (f"{ROOM}?ssid=12345", f"{ROOM}?ssid=12345", True),
    ],
)
def test_an_address_is_found_among_words(text: str, url: str, suspicious: bool) -> None:
    address = read_address(text)
    assert address is not None
    assert (address.url, address.suspicious) == (url, suspicious)


@pytest.mark.parametrize("text", ["", "start.example/room", "https://", "https://[1", "ftp://x/y"])
def test_what_is_no_address(text: str) -> None:
    assert read_address(text) is None
