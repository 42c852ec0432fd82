"""What tasks of a CRM stand on: in the chat, in the pipeline, and by the clock. Built where a CRM has them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

from domain.messages import Destination, Message, Texts
from domain.ports import Clock, Tx
from domain.tasks import TaskBoard
from handlers.wording import Reader
from storage.board import BoardStore
from storage.call_tasks import CallTaskStore
from storage.engine import Database


class Posts(Protocol):
    """Where answers go; storage.posts.StoredChat is the real one."""

    async def take_over(
        self, tx: Tx, account_id: int, destination: Destination, message: Message, message_id: int
    ) -> int: ...
    async def repost(self, tx: Tx, account_id: int, message: Message) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskServices:
    """``title``: what people call the CRM. ``posted``: the sender should look; ``come``: the runner."""

    vendor: str
    title: str
    board: TaskBoard
    store: BoardStore
    promises: CallTaskStore
    database: Database
    posts: Posts
    clock: Clock
    texts: Texts
    timezone: ZoneInfo
    write: Callable[[Callable[[Tx], Awaitable[int]]], Awaitable[int]]
    posted: Callable[[], None]
    come: Callable[[], None]

    def reader(self) -> Reader:
        return Reader(texts=self.texts, now=self.clock.now(), zone=self.timezone)
