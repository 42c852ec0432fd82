"""The card of a webinar in the chats, brought up to what is known now."""

from typing import cast

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.ports import Tx
from handlers.desk import Desk
from handlers.webinars.answers import webinar_view
from handlers.webinars.messages import webinar_card
from handlers.webinars.run import card_key
from storage.queries.webinars import webinar_line


async def refresh_card(desk: Desk, account_id: int, webinar_id: int) -> None:
    """Where the card is; its picture is of who was there and when, so it stays."""
    webinar = await webinar_line(desk.database, account_id, webinar_id)
    if webinar is None or webinar.state != "complete":
        return
    card = webinar_card(
        await webinar_view(desk, account_id, webinar), desk.texts, key=card_key(webinar.vendor, webinar.external_id)
    )

    async def job(connection: AsyncConnection) -> int:
        return await desk.posts.repost(cast("Tx", connection), account_id, card)

    if await desk.database.write(job):
        desk.wake()
