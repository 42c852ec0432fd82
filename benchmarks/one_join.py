"""The floor of matching: the same viewers into the same tables by sqlite3 alone, in one transaction with one join.

No merging of records into people, no words such as warmth, no second run that changes nothing, nobody else who may write.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from domain.webinars import Viewer

_DIGITS = {ord(sign): None for sign in " +-()\u00a0"}
_TABLE = """CREATE TEMP TABLE came (key TEXT, phone TEXT, raw_phone TEXT, name TEXT, email TEXT, joined TEXT, left TEXT,
    seconds INTEGER, city TEXT, country TEXT)"""
_JOIN = """
INSERT INTO webinar_attendees (account_id, session_id, person_key, webinar_id, webinar_title, webinar_date, person_id,
    lead_id, matched_by, phone_number, phone, username, email, joined_at, left_at, watch_duration_sec, attended, presence,
    warmth, finished, messages, clicked, ordered, city, country, utm_source, utm_medium, utm_campaign, utm_term, utm_content,
    url_marker, marks_from)
SELECT 1, :session, key, 'one join', 'Вебинар', '2026-11-20 16:00:00.000000', l.person_id, l.id,
    CASE WHEN l.id IS NULL THEN 'none' ELSE 'phone' END, c.phone, raw_phone, c.name, c.email, joined, left, seconds,
    seconds >= 120, 'attended', 'warm', 0, 0, 0, 0, city, country, coalesce(first_utm_source, ''),
    coalesce(first_utm_medium, ''), coalesce(first_utm_campaign, ''), coalesce(first_utm_term, ''),
    coalesce(first_utm_content, ''), coalesce(first_url_marker, ''), 'lead'
FROM came AS c
LEFT JOIN identities AS i ON i.account_id = 1 AND i.kind = 'phone' AND i.value = c.phone AND i.undone_at IS NULL
LEFT JOIN leads AS l ON l.person_id = i.person_id
WHERE true ON CONFLICT (session_id, person_key) DO NOTHING
"""


def load(path: Path, session: int, viewers: Sequence[Viewer]) -> None:
    """All of them, durably."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-8000", "wal_autocheckpoint=4000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(_TABLE)
        connection.execute("BEGIN IMMEDIATE")
        records = ((session, place, viewer.raw) for place, viewer in enumerate(viewers))
        connection.executemany("INSERT INTO webinar_records (session_id, position, raw) VALUES (?, ?, ?)", records)
        connection.executemany("INSERT INTO came VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _rows(viewers))
        connection.execute(_JOIN, {"session": session})
        connection.execute("COMMIT")


def _rows(viewers: Sequence[Viewer]) -> Iterator[tuple[object, ...]]:
    for viewer in viewers:
        phone = _phone(viewer.phone)
        stayed = viewer.intervals[0]
        yield (
            phone or viewer.email or viewer.chat_user_id, phone, viewer.phone, viewer.name, viewer.email,
            stayed.start.isoformat(" "), stayed.end.isoformat(" "), (stayed.end - stayed.start).seconds,
            viewer.city, viewer.country,
        )  # fmt: skip


def _phone(text: str) -> str:
    """The last ten digits: what nearly every number of the benchmark is told apart by."""
    digits = text.partition("@")[0].translate(_DIGITS)[-10:]
    return f"7{digits}" if len(digits) == 10 else ""
