"""What makes new leads known, for tests: over whatever keeps offers and shows cards."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain.ports import Clock
from handlers.leads.services import NewsServices, OfferServices
from handlers.texts import load_texts
from tests.ground import HandClock


def news_for(
    offers: Any,
    chat: Any = None,
    *,
    clock: Clock | None = None,
    quiet_before: datetime | None = None,
    offered: Callable[[], None] = lambda: None,
) -> NewsServices:
    cards = OfferServices(
        offers=offers, chat=chat, clock=clock or HandClock(), texts=load_texts(), timezone=ZoneInfo("Europe/Moscow"),
        posted=lambda: None,
    )  # fmt: skip
    return NewsServices(cards=cards, catchup_max_age=timedelta(hours=24), quiet_before=quiet_before, offered=offered)


class NoOffers:
    """Offers that nobody needs."""

    async def begin(self, *_: Any, **__: Any) -> int:
        return 0

    async def told(self, *_: Any) -> tuple[int, ...]:
        return ()
