"""The sender alone, over a queue that is there when it starts: a hot chat and a group first, all others behind them."""

import asyncio
import json
import sys
from pathlib import Path
from typing import cast

from aiogram import Bot
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import SystemClock
from bot.telegram.courier import BotCourier
from bot.telegram.notices import Notice
from bot.telegram.sender import Sender
from bot.telegram.session import Session
from domain.messages import Destination, Message, Section, plain
from domain.ports import Tx
from storage.destinations import Destinations
from storage.engine import Database
from storage.migrate import migrate
from storage.outbox import Outbox
from storage.posts import ROUTINE, StoredChat


async def main(folder: Path, telegram: str, token: str, chats: list[int]) -> None:
    """Queue one message for each entry of ``chats``, in this order, say so, then send until ended."""
    url = f"sqlite:///{folder / 'sending.db'}"
    await migrate(url)
    database, clock = Database(url), SystemClock()
    database.open()
    await _queue(database, StoredChat(clock), chats)
    session = Session(base_url=telegram)
    courier = BotCourier(Bot(token, session=session), folder)
    sender = Sender(Outbox(database, clock), Destinations(database, clock), courier, clock, _told)
    print(json.dumps({"queued": len(chats)}), flush=True)
    try:
        await sender.run()
    finally:
        await sender.stop()
        await session.close()
        await database.close()


async def _queue(database: Database, chat: StoredChat, chats: list[int]) -> None:
    async def job(connection: AsyncConnection) -> None:
        for number, chat_id in enumerate(chats):
            message = Message(key=f"m{number}", sections=(Section(lines=(plain(f"сообщение {number}"),)),))
            await chat.post_to(cast("Tx", connection), 1, Destination(chat_id=chat_id), message, priority=ROUTINE)

    await database.write(job)


async def _told(notice: Notice) -> None:
    """Nobody is there to be told."""


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], json.loads(sys.argv[4])))
