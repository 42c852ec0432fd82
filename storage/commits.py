"""Whether a transaction was committed when its connection broke during COMMIT: PostgreSQL remembers, by its number.

Without it the writer would have to guess, and to run the jobs again could put money into the ledger twice.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

log = logging.getLogger(__name__)

ASK_AGAIN_SECONDS = (0.0, 0.3, 1.0, 3.0, 6.0)  # a server that restarts is back by then, or it is not our only trouble
_NUMBER = text("SELECT CAST(pg_current_xact_id() AS text)")
_STATUS = text("SELECT pg_xact_status(CAST(:number AS xid8))")


class UnknownCommitError(Exception):
    """It may be written or not, and the database could not be asked: whoever wrote has to look before doing it again."""


async def commit_once(connection: AsyncConnection, engine: AsyncEngine, work: Callable[[], Awaitable[None]]) -> None:
    """``work`` in a transaction that is committed when this returns. ``engine`` gives the connection to ask by.

    Whatever ``work`` or the commit raises comes out with nothing written, but for UnknownCommitError.
    """
    transaction = await connection.begin()
    try:
        await work()
        number = await connection.scalar(_NUMBER)
    except BaseException:
        await transaction.rollback()
        raise
    try:
        await transaction.commit()
    except DBAPIError as error:
        await connection.invalidate()  # closed at our end too, a transaction that is still open comes to its end
        if not await _was_committed(engine, str(number)):
            raise
        log.warning("the connection broke during a commit, which was carried out: %s", type(error).__name__)


async def _was_committed(engine: AsyncEngine, number: str) -> bool:
    for pause in ASK_AGAIN_SECONDS:
        await asyncio.sleep(pause)
        try:
            async with engine.connect() as connection:
                status = await connection.scalar(_STATUS, {"number": number})
        except (DBAPIError, OSError):
            continue
        if status in {"committed", "aborted"}:
            return bool(status == "committed")
    raise UnknownCommitError("the connection broke during a commit")
