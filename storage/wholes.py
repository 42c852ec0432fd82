"""A person who came to a webinar under two keys, by phone from one device and by e-mail from another, counted as one.

Each key has its row. Of several of one person the one by the strongest key is the whole: its figures are what all of them
come to, ``own`` keeps what it says by itself. The others are its parts (``part_of``); they stay as they are, are matched as
any row is, and count for nobody. So whoever turns out to be somebody else takes their own figures along.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attendance import seconds_of, united
from domain.webinars import Interval
from storage.changes import mark_changed
from storage.dirty import mark_dirty
from storage.judging import judge, yardstick_of
from storage.sets import execute_each, fetch

Figures = dict[str, Any]  # of _FIGURES

_FIGURES = ("joined_at", "left_at", "watch_duration_sec", "finished", "messages", "clicked", "ordered", "intervals")
_TIMES = ("joined_at", "left_at")
_FLAGS = ("finished", "clicked", "ordered")
_SESSIONS = "SELECT session_id FROM webinar_attendees WHERE id IN {ids}"
# These rows, the wholes they are part of, their parts, and other parts of the same wholes.
_TOGETHER = f"""
WITH heads AS (
    SELECT id FROM webinar_attendees WHERE id IN {{ids}} AND part_of IS NULL
    UNION SELECT part_of FROM webinar_attendees WHERE id IN {{ids}} AND part_of IS NOT NULL
)
SELECT id FROM webinar_attendees WHERE id IN {{ids}}
UNION SELECT id FROM heads
UNION SELECT id FROM webinar_attendees WHERE part_of IS NOT NULL AND session_id IN ({_SESSIONS})
    AND part_of IN (SELECT id FROM heads)
"""  # noqa: S608 - our own text
_COLUMNS = ", ".join(f"a.{name}" for name in _FIGURES)
_ROWS = f"""
WITH many AS (
    SELECT person_id, session_id FROM webinar_attendees
    WHERE person_id IN (SELECT person_id FROM webinar_attendees WHERE id IN {{ids}} AND person_id IS NOT NULL)
    AND session_id IN ({_SESSIONS}) GROUP BY person_id, session_id HAVING count(*) > 1
)
SELECT a.id, a.session_id, a.person_id, a.lead_id, a.phone_number, a.email, a.part_of, a.own, {_COLUMNS}
FROM webinar_attendees AS a
WHERE a.id IN (SELECT b.id FROM many JOIN webinar_attendees AS b ON b.person_id = many.person_id
               AND b.session_id = many.session_id)
OR a.id IN {{ids}} AND (a.part_of IS NOT NULL OR a.own IS NOT NULL)
ORDER BY a.id
"""  # noqa: S608 - our own text
_UPDATE = f"""
UPDATE webinar_attendees SET part_of = :part_of, own = :own, {", ".join(f"{name} = :{name}" for name in _FIGURES)}
WHERE id = :id
"""  # noqa: S608 - our own text
_OF_KEYS = """
SELECT id FROM webinar_attendees WHERE session_id = :session AND person_key IN {texts}
AND (part_of IS NOT NULL OR own IS NOT NULL)
"""
_FIRST_OF_MANY = """
SELECT min(id) FROM webinar_attendees WHERE session_id = :session AND person_id IS NOT NULL
GROUP BY person_id HAVING count(*) > 1 ORDER BY 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A row as it is stored; ``own`` is what it says by itself, ``shown`` what it says now."""

    id: int
    session_id: int
    person_id: int | None
    lead_id: int | None
    phone: str
    email: str
    part_of: int | None
    is_whole: bool
    own: Figures
    shown: Figures

    def wanted(self, shown: Figures, *, part_of: int | None = None, whole: bool = False) -> dict[str, Any] | None:
        """The values of ``_UPDATE`` that make it say this; None where it does."""
        if (shown, part_of, whole) == (self.shown, self.part_of, self.is_whole):
            return None
        return {"id": self.id, "part_of": part_of, "own": json.dumps(self.own) if whole else None, **shown}


async def settle(connection: AsyncConnection, account_id: int, attendees: Collection[int]) -> None:
    """Where somebody has become one of these people, or is no longer one: their rows together, or each by itself again.

    To be called in the write that changed whose these rows are.
    """
    if not attendees:
        return
    rows = await _read(connection, await _together(connection, attendees))
    people: dict[object, list[_Row]] = defaultdict(list)
    for row in rows:
        people[(row.session_id, row.person_id) if row.person_id is not None else row.id].append(row)
    await _write(connection, account_id, rows, [change for some in people.values() for change in _of_one(some)])


async def loosen(connection: AsyncConnection, account_id: int, session_id: int, keys: Collection[str]) -> list[int]:
    """Whoever is of several rows, one of them by these keys: each row by itself. They are to be settled afterwards."""
    known = await fetch(connection, _OF_KEYS, {"session": session_id, "texts": list(keys)})
    if not known:
        return []
    ids = await _together(connection, [row[0] for row in known])
    rows = await _read(connection, ids)
    await _write(connection, account_id, rows, [change for row in rows for change in _of_one([row])])
    return sorted({*ids, *(row.id for row in rows)})


async def of_many_rows(connection: AsyncConnection, session_id: int) -> list[int]:
    """One row of each person who has several at a webinar; all rows of it are looked through."""
    return [row[0] for row in await fetch(connection, _FIRST_OF_MANY, {"session": session_id})]


def _of_one(rows: Sequence[_Row]) -> Iterator[dict[str, Any]]:
    """What is to be changed of one person's rows of a webinar."""
    head, *rest = sorted(rows, key=lambda row: (not row.phone, not row.email, row.id))
    together = _summed([head.own, *(row.own for row in rest)]) if rest else head.own
    wanted = [head.wanted(together, whole=bool(rest)), *(row.wanted(row.own, part_of=head.id) for row in rest)]
    yield from (one for one in wanted if one is not None)


def _summed(parts: Sequence[Figures]) -> Figures:
    """What several rows come to: minutes at two devices at once are watched once."""
    intervals = united([_interval(*pair) for part in parts for pair in json.loads(part["intervals"])])
    pairs = [[int(one.start.timestamp()), int(one.end.timestamp())] for one in intervals]
    return {
        "joined_at": min((part["joined_at"] for part in parts if part["joined_at"]), default=None),
        "left_at": max((part["left_at"] for part in parts if part["left_at"]), default=None),
        "watch_duration_sec": seconds_of(intervals),
        **{name: any(part[name] for part in parts) for name in _FLAGS},
        "messages": sum(part["messages"] for part in parts),
        "intervals": json.dumps(pairs, separators=(",", ":")),
    }


def _interval(start: int, end: int) -> Interval:
    return Interval(start=datetime.fromtimestamp(start, UTC), end=datetime.fromtimestamp(end, UTC))


async def _together(connection: AsyncConnection, attendees: Iterable[int]) -> list[int]:
    return [row[0] for row in await fetch(connection, _TOGETHER, {"ids": list(attendees)})]


async def _read(connection: AsyncConnection, ids: Collection[int]) -> list[_Row]:
    """Those of these that are, or are to be, of several; and all rows of the same people at the same webinars."""
    return [_row(row) for row in await fetch(connection, _ROWS, {"ids": ids})]


def _row(row: Sequence[Any]) -> _Row:
    shown = dict(zip(_FIGURES, row[8:], strict=True))
    for name in _TIMES:
        shown[name] = _written(shown[name])
    for name in _FLAGS:
        shown[name] = bool(shown[name])
    own = json.loads(row[7]) if row[7] is not None else shown
    id_, session_id, person_id, lead_id, phone, email, part_of = row[:7]
    return _Row(
        id=id_, session_id=session_id, person_id=person_id, lead_id=lead_id, phone=phone, email=email, part_of=part_of,
        is_whole=row[7] is not None, own=own, shown=shown,
    )  # fmt: skip


def _written(time: Any) -> str | None:
    """A time of the driver's as text, which either driver takes."""
    return time.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(time, datetime) else time


async def _write(
    connection: AsyncConnection, account_id: int, rows: Sequence[_Row], changes: Sequence[dict[str, Any]]
) -> None:
    if not changes:
        return
    await execute_each(connection, _UPDATE, changes)
    changed = {change["id"] for change in changes}
    by_session: dict[int, list[_Row]] = defaultdict(list)
    for row in rows:
        if row.id in changed:
            by_session[row.session_id].append(row)
    sql = "SELECT id, minutes, yardstick FROM webinars WHERE id IN {ids}"
    for session_id, minutes, yardstick in await fetch(connection, sql, {"ids": list(by_session)}):
        some = by_session[session_id]
        await judge(connection, [row.id for row in some], minutes=minutes, yardstick=yardstick_of(yardstick))
        leads = {row.lead_id for row in some if row.lead_id is not None}
        await mark_dirty(connection, account_id, leads, session_id=session_id)
    await mark_changed(connection, account_id, by_session)
