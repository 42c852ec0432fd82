"""Cards that follow what came after them: leads of a table, of a CRM, of a form, typed by hand; late registrations."""

import logging
from dataclasses import replace
from datetime import timedelta
from typing import cast

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.messages import Message
from domain.ports import Tx
from handlers.webinars.answers import view_of
from handlers.webinars.messages import webinar_card
from handlers.webinars.run import card_key
from handlers.webinars.services import WebinarServices
from storage.changes import Change, changed_webinars, settle_change
from storage.engine import Database
from storage.imports import ImportStore
from storage.queries.webinars import turnout, webinar_line

log = logging.getLogger(__name__)

FOLLOWED = timedelta(days=30)  # nobody looks at the card of an older webinar; its page counts anew whenever it is opened


async def follow_changes(database: Database, services: WebinarServices, account_id: int) -> int:
    """Each webinar whose people have become known since: its card edited once; how many cards were. Made anew is none.

    A table that is still on its way is waited for: its leads come one after another, the card would count along.
    """
    if await ImportStore(database).loading(account_id):
        return 0
    edited = 0
    for change in await changed_webinars(database, account_id):
        edited += await _follow(database, services, account_id, change)
    if edited:
        log.info("%d cards of webinars follow what came after them", edited)
        services.posted()
    return edited


async def _follow(database: Database, services: WebinarServices, account_id: int, change: Change) -> int:
    recent = change.started_at is not None and change.started_at >= services.clock.now() - FOLLOWED
    card = await _card(database, services, account_id, change.session_id) if recent else None

    async def job(connection: AsyncConnection) -> int:
        await settle_change(connection, change)
        return await services.chat.repost(cast("Tx", connection), account_id, card) if card is not None else 0

    return await database.write(job)


async def _card(database: Database, services: WebinarServices, account_id: int, webinar_id: int) -> Message | None:
    webinar = await webinar_line(database, account_id, webinar_id)
    if webinar is None:
        return None
    found = await turnout(database, webinar_id)
    view = view_of(webinar, found, zone=services.timezone, attended_s=services.policy.yardstick.attended_s)
    card = webinar_card(view, services.texts, key=card_key(webinar.vendor, webinar.external_id))
    return replace(card, only_edits=True)
