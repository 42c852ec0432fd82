"""Leads that come back bring their visits along: in few statements, and in writes that let others in between."""

from typing import Any

import pytest

from storage import matching
from storage.engine import Database
from storage.leads import MOST_LEADS
from storage.models import leads
from tests.storage.hall import Hall, another, lead, viewer

SESSIONS = 3


@pytest.fixture
def hall(database: Database) -> Hall:
    return Hall(database)


class Statements:
    """Counts what matching asks the database."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent = 0
        for name in ("fetch", "execute", "execute_each"):
            monkeypatch.setattr(matching, name, self._counting(getattr(matching, name)))

    def _counting(self, send: Any) -> Any:
        async def counted(*given: Any) -> Any:
            self.sent += 1
            return await send(*given)

        return counted


async def visits_of(hall: Hall, first: int, people: int) -> list[str]:
    """So many people, each of whom is a lead that was at every session of a room of their own."""
    phones = [f"8999{number:07}" for number in range(first, first + people)]
    await hall.save(*(lead(phone, days=-30) for phone in phones))
    for session in range(SESSIONS):
        await hall.hold([viewer(phone) for phone in phones], another(days=first * 10 + session))
    return phones


async def test_many_visits_take_no_more_statements_than_few(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = await visits_of(hall, 1, 2), await visits_of(hall, 100, 40)
    statements = Statements(monkeypatch)
    await hall.save(*(lead(phone, number=f"back-{phone}", days=-20) for phone in few))
    for_few, statements.sent = statements.sent, 0
    await hall.save(*(lead(phone, number=f"back-{phone}", days=-20) for phone in many))
    assert 0 < statements.sent == for_few
    newest = {row["person_id"]: row["id"] for row in await hall.rows(leads)}
    assert {row["person_id"]: row["lead_id"] for row in await hall.attendees()} == newest


async def test_a_large_batch_lets_others_write_in_between(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    writes, write = [], hall.database.write

    async def counted(job: Any) -> Any:
        writes.append(job)
        return await write(job)

    monkeypatch.setattr(hall.database, "write", counted)
    saved = await hall.save(*(lead(f"8999{number:07}") for number in range(250)))
    assert (saved.added, MOST_LEADS, len(writes)) == (250, 100, 3)
