"""Addresses of rooms and pages, as the vendor writes them, told from those that open a room for one person."""

import pytest

from domain.webinars import Entry
from integrations.bizon365.entries import entry_of

START = "https://start.bizon365.ru"


@pytest.mark.parametrize(
    "url",
    [
        f"{START}/room/198436/e123a8a8470f",
        f"{START}/room/198436/e123a8a8470f/?utm_source=vk&svodka=1#chat",
        f"{START}/222222/kfg1h3jf4t?svodka=7&phone=79991234567",
        f"{START}/page/222222/yourpage",
        "HTTPS://Start.Bizon365.RU/room/1/abc",
        "http://yourpage.222222.bizonpages.ru?svodka=7",
    ],
)
def test_a_room_or_a_page_for_everybody(url: str) -> None:
    assert entry_of(url) is Entry.COMMON


@pytest.mark.parametrize(
    ("url", "entry"),
    [
        ("https://webinar.example/room/198436/e123a8a8470f", Entry.OWN_DOMAIN),
        ("https://webinar.example/page/222222/yourpage", Entry.OWN_DOMAIN),
        ("https://online.bizon365.ru/click/0a1b2c3d", Entry.INDIVIDUAL),
        ("https://webinar.example/click/0a1b2c3d", Entry.INDIVIDUAL),
        (f"{START}/room/198436/e123a8a8470f/0a1b2c3d", Entry.INDIVIDUAL),
        ("https://webinar.example/room/198436/e123a8a8470f/0a1b2c3d", Entry.INDIVIDUAL),
        (f"{START}/room", Entry.INDIVIDUAL),
        (START, Entry.INDIVIDUAL),
        ("https://example.com", Entry.FOREIGN),
        ("https://example.com/room/about", Entry.FOREIGN),
        ("https://example.com/2026/11/29/news", Entry.FOREIGN),
        ("https://start.bizon365.ru.example.com/about", Entry.FOREIGN),
        ("https://notbizon365.ru/about", Entry.FOREIGN),
    ],
)
def test_what_else_an_address_may_be(url: str, entry: Entry) -> None:
    assert entry_of(url) is entry
