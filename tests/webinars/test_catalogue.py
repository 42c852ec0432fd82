"""What there is to choose from is asked for seldom, and a platform that is away or slow keeps no card waiting."""

import asyncio
from collections.abc import Sequence

import pytest

from domain.errors import VendorUnavailable
from domain.webinars import PageId, RegistrationPage, Room
from handlers.webinars.catalogue import AWAY_SECONDS, FRESH_SECONDS, Catalogue
from tests.ground import HandClock

PAGE = PageId("1:page")


class Platform:
    """Fails or hangs as told, and counts."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = self.hangs = False

    async def pages(self) -> Sequence[RegistrationPage]:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise VendorUnavailable("bizon365", "subpages", "timeout")
        return (RegistrationPage(page_id=PAGE, title="Урок"),)

    async def rooms(self) -> Sequence[Room]:
        return ()


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def catalogue(platform: Platform, clock: HandClock) -> Catalogue:
    return Catalogue(platform, clock)  # type: ignore[arg-type]  # all that is asked of it


async def test_pages_are_asked_for_once_in_a_while(catalogue: Catalogue, platform: Platform, clock: HandClock) -> None:
    assert [await catalogue.title_of(PAGE) for _ in range(3)] == ["Урок"] * 3
    assert platform.asked == 1
    clock.forward(FRESH_SECONDS)
    await catalogue.pages()
    assert platform.asked == 2


async def test_a_failure_is_remembered_and_forgotten(catalogue: Catalogue, platform: Platform, clock: HandClock) -> None:
    platform.away = True
    for _ in range(3):
        with pytest.raises(VendorUnavailable):
            await catalogue.pages()
        assert await catalogue.title_of(PAGE) == ""
    assert platform.asked == 1
    platform.away = False
    clock.forward(AWAY_SECONDS)
    assert await catalogue.title_of(PAGE) == "Урок"


async def test_a_card_does_not_wait_for_a_platform_that_hangs(
    catalogue: Catalogue, platform: Platform, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.webinars.catalogue.PATIENCE_SECONDS", 0.01)
    platform.hangs = True
    assert await asyncio.gather(*(catalogue.title_of(PAGE) for _ in range(5))) == [""] * 5
    asked = platform.asked
    assert await catalogue.title_of(PAGE) == ""
    assert platform.asked == asked
    platform.hangs = False
    clock.forward(AWAY_SECONDS)
    assert await catalogue.title_of(PAGE) == "Урок"
