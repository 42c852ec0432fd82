"""How many registrations for webinars were made in a period, told apart as leads are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from storage.engine import Database
from storage.models.types import driver_time
from storage.rollups import Dimension, mark_key
from storage.sets import fetch

# By the lead of whoever registered; of who is no lead only what brought them to the page is known.
_KEYS = {
    Dimension.DIRECTION: "CAST(l.direction_id AS text)",
    Dimension.CREATIVE: "CAST(l.creative_id AS text)",
    Dimension.SOURCE: "coalesce(nullif(l.first_utm_source, ''), r.utm_source)",
}
_REGISTERED = """
SELECT coalesce({key}, ''), count(*) FROM registrations AS r LEFT JOIN leads AS l ON l.id = r.lead_id
WHERE r.account_id = :account AND r.created_at >= :since AND r.created_at < :until GROUP BY 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """``by`` the keys of a dimension, "" for what has none; ``total`` of them all."""

    by: Mapping[str, int] = field(default_factory=dict)
    total: int = 0


async def registered(
    database: Database, account_id: int, dimension: Dimension, *, first: date, last: date, zone: ZoneInfo
) -> Registered:
    """Made on the days of ``zone`` from ``first`` to ``last``; one person for two sessions is two of them."""
    if dimension not in _KEYS:
        return Registered()
    begin, end = (datetime.combine(day, time.min, zone).astimezone(UTC) for day in (first, last + timedelta(days=1)))
    times = {name: driver_time(at, database.dialect_name) for name, at in (("since", begin), ("until", end))}
    async with database.read() as connection:
        rows = await fetch(connection, _REGISTERED.format(key=_KEYS[dimension]), {"account": account_id, **times})
    sums: dict[str, int] = {}
    for told, number in rows:
        key = mark_key(told) if dimension is Dimension.SOURCE else told
        sums[key] = sums.get(key, 0) + int(number)
    return Registered(by=sums, total=sum(sums.values()))
