"""What happens to the bot's own chats, told to those who run it: short, in Russian, once per case."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.messages import Destination, Message, Section, plain
from domain.ports import Clock, Tx
from storage.engine import Database
from storage.people import People
from storage.posts import NOTICE, StoredChat


class NoticeKind(StrEnum):
    """What happened."""

    OUTAGE = "outage"
    RECOVERED = "recovered"
    TOKEN_REFUSED = "token_refused"  # noqa: S105  not a token
    CHAT_LOST = "chat_lost"
    CHAT_BACK = "chat_back"
    TOPIC_LOST = "topic_lost"
    MOVED = "moved"
    POST_REFUSED = "post_refused"
    POST_UNCERTAIN = "post_uncertain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """``key`` is the same for the same case; ``text`` is Russian and holds nothing secret."""

    kind: NoticeKind
    key: str
    text: str


Tell = Callable[[Notice], Awaitable[None]]


class AdminNotices:
    """Posts a notice to every admin's private chat. A case that is told already is not told again within its hour."""

    def __init__(self, database: Database, clock: Clock, account_id: int, wake: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._people = People(database, clock)
        self._chat = StoredChat(clock)
        self._account_id = account_id
        self._wake = wake

    async def __call__(self, notice: Notice) -> None:
        if notice.kind is NoticeKind.OUTAGE:
            return  # it would arrive after its end; the word of recovery says how long it took
        hour = self._clock.now().strftime("%Y%m%d%H")
        message = Message(
            key=f"telegram:{notice.kind.value}:{notice.key}:{hour}",
            sections=(Section(lines=(plain(notice.text),)),),
            kind="notice",
        )
        admins = await self._people.admins(self._account_id)

        async def job(connection: AsyncConnection) -> None:
            for person in admins:
                place = Destination(chat_id=person.telegram_id)
                await self._chat.post_to(cast("Tx", connection), person.account_id, place, message, priority=NOTICE)

        await self._database.write(job)
        self._wake()


def stopped_by(person: str) -> str:
    """Of somebody who gets digests in private and has blocked the bot."""
    return f"{person} больше не принимает сообщения бота: дайджест туда не приходит, пока в боте не нажмут «Старт»."
