"""What was read last, for as long as nothing can have changed it.

On SQLite one process writes, the one that holds the leader's lock: what it has not written since is still so. On PostgreSQL
other nodes write as well, so there it is read each time.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from storage.engine import Database

T = TypeVar("T")

_MOST = 256


class Remembered(Generic[T]):
    """Answers of one kind of question, the ones asked last."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[Hashable, tuple[int, T]] = OrderedDict()

    async def get(self, question: Hashable, read: Callable[[], Awaitable[T]]) -> T:
        if not self._database.is_sqlite:
            return await read()
        commits = self._database.commits  # before it is read: what is committed meanwhile makes it be read again
        known = self._known.pop(question, None)
        if known is None or known[0] != commits:
            known = (commits, await read())
        self._known[question] = known
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        return known[1]
