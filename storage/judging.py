"""What stored figures of a visit come to in the account's words: attended, stayed, hot, as domain.attendance says it."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attendance import Yardstick
from storage.codec import loads
from storage.sets import execute

# The share is divided as Python does it, to the last bit: a visit judged twice is judged alike. NULL of no length.
_JUDGE = """
UPDATE webinar_attendees SET attended = CASE WHEN watch_duration_sec IS NULL THEN finished
                                        ELSE watch_duration_sec >= :attended END,
    presence = CASE
        WHEN watch_duration_sec IS NULL THEN CASE WHEN finished THEN 'stayed' ELSE 'unknown' END
        WHEN watch_duration_sec < :attended THEN 'looked_in'
        WHEN finished OR {share} >= :stayed THEN 'stayed'
        WHEN {share} < :early THEN 'left_early'
        ELSE 'attended' END,
    warmth = CASE
        WHEN clicked OR ordered OR messages > 0 THEN 'hot'
        WHEN watch_duration_sec IS NULL THEN CASE WHEN finished THEN 'hot' ELSE 'warm' END
        WHEN watch_duration_sec < :attended THEN 'cold'
        WHEN finished OR {share} >= :stayed OR {share} >= :hot THEN 'hot'
        ELSE 'warm' END
WHERE id IN {ids}
""".replace("{share}", "CAST(watch_duration_sec AS double precision) / nullif(:length, 0)")


async def judge(connection: AsyncConnection, attendees: Collection[int], *, minutes: int, yardstick: Yardstick) -> None:
    """Rows of webinars of one length, 0 where it is unknown, by what their figures are now."""
    shares = {"stayed": yardstick.stayed_share, "early": yardstick.early_share, "hot": yardstick.hot_share}
    values = {"ids": list(attendees), "length": minutes * 60, "attended": yardstick.attended_s, **shares}
    await execute(connection, _JUDGE, values)


def yardstick_of(stored: str) -> Yardstick:
    """What ``webinars.yardstick`` says."""
    return loads(Yardstick, stored) if stored else Yardstick()
