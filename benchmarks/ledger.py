"""What the process wrote down about its own work, read from its SQLite file while it runs."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_TO_POST = """
    SELECT i.received_at, s.finished_at FROM inbox i
    JOIN work w ON w.delivery_id = i.id JOIN work_step s ON s.work_id = w.id AND s.name = 'post:full'
    ORDER BY w.id
"""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The database of a process under test; read only."""

    path: Path

    def states(self) -> dict[str, int]:
        """How many works are in which state."""
        with self._open() as database:
            return dict(database.execute("SELECT state, count(*) FROM work GROUP BY state").fetchall())

    def seconds_to_post(self) -> list[float]:
        """From each event's arrival until its card with the summary was in ``posts``, in the order of arrival."""
        with self._open() as database:
            rows = database.execute(_TO_POST).fetchall()
        return [(_moment(done) - _moment(heard)).total_seconds() for heard, done in rows]

    def cards(self) -> int:
        """How many calls have a card in ``posts``."""
        with self._open() as database:
            return int(database.execute("SELECT count(DISTINCT key) FROM posts WHERE kind = 'call'").fetchone()[0])

    def deals(self) -> list[str]:
        """The CRM's number of every lead that is there."""
        with self._open() as database:
            return [row[0] for row in database.execute("SELECT external_id FROM leads WHERE source = 'amocrm'")]

    def offers(self) -> list[str]:
        """The key of every card of a new lead in ``posts``."""
        with self._open() as database:
            return [row[0] for row in database.execute("SELECT key FROM posts WHERE key LIKE 'lead:%'")]

    def possible_repeats(self) -> int:
        """Effects that may have happened twice, as the process itself counts them."""
        with self._open() as database:
            steps = database.execute("SELECT coalesce(sum(possible_repeats), 0) FROM work_step").fetchone()[0]
            posts = database.execute("SELECT coalesce(sum(possible_repeats), 0) FROM posts").fetchone()[0]
        return int(steps) + int(posts)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=5)) as database:
            yield database


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
