"""New leads get their cards, and cards already shown grow by what is told of their people later."""

from collections.abc import Sequence
from functools import partial

from domain.ports import Steps, Tx
from handlers.leads.offering import redraw_card
from handlers.leads.services import NewsServices


async def offer_new(tx: Tx, account_id: int, leads: Sequence[int], services: NewsServices) -> int:
    """How many of these leads have a card to come; in the commit that brought them, or any later one."""
    now = services.cards.clock.now()
    oldest = now - services.catchup_max_age
    fresh = max(oldest, services.quiet_before or oldest)
    return await services.cards.offers.begin(tx, account_id, leads, now=now, fresh=fresh)


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
