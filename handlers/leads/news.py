"""New leads get their cards, and cards already shown grow by what is told of their people later."""

from collections.abc import Sequence
from functools import partial

from domain.ports import Steps, Tx
from handlers.leads.offer_messages import crowd_card
from handlers.leads.offering import redraw_card
from handlers.leads.services import NewsServices
from storage.offers import MOST_AT_ONCE


async def offer_new(tx: Tx, account_id: int, source: str, leads: Sequence[int], services: NewsServices) -> int:
    """How many of these leads are news: each has a card to come, a crowd has one for all of them.

    In the commit that brought them, or any later one. Call ``offered`` and ``cards.posted`` after it.
    """
    now = services.cards.clock.now()
    oldest = now - services.catchup_max_age
    fresh = max(oldest, services.quiet_before or oldest)
    count = await services.cards.offers.begin(tx, account_id, leads, now=now, fresh=fresh)
    if count > MOST_AT_ONCE:
        await services.cards.chat.post(tx, account_id, crowd_card(count, source, min(leads), services.cards.texts))
    return count


async def grow_cards(account_id: int, leads: Sequence[int], steps: Steps, services: NewsServices, *, when: str = "") -> None:
    """The cards that tell of these leads or of their people, each in a commit of its own: ``card<when>:N``."""
    if not leads:
        return
    shown = await services.cards.offers.shown(account_id, leads, services.cards.clock.now())
    for lead_id in shown:
        await steps.write(f"card{when}:{lead_id}", partial(_grow, account_id, lead_id, services), int)
    if shown:
        services.cards.posted()


async def _grow(account_id: int, lead_id: int, services: NewsServices, tx: Tx) -> int:
    await redraw_card(tx, account_id, lead_id, services.cards)
    return lead_id
