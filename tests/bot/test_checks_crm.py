"""`svodka check amocrm` about what came: which events were ever seen, and a silence that is not usual."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.checks.crm import crm_findings
from integrations.kit.vendor import Finding
from storage.engine import Database
from storage.models import accounts, connections, inbox, leads

ALL = ("leads.add+contacts.add", "leads.update", "leads.delete", "contacts.update", "task.add")


async def heard(
    database: Database, kinds: Sequence[str], *, every: timedelta, ago: timedelta, kept: int = 0
) -> dict[str, Finding]:
    """What is found after these events, the newest ``ago``."""
    newest = datetime.now(UTC) - ago
    rows = [
        {
            "id": f"{number:016}", "account_id": 1, "connection_id": 1, "vendor": "amocrm", "kind": kind,
            "dedup_key": str(number), "state": "done", "body_sha256": "", "received_at": newest - number * every,
        }
        for number, kind in enumerate(kinds)
    ]  # fmt: skip
    now = datetime.now(UTC)

    async def job(connection: AsyncConnection) -> None:
        account = {"id": 1, "name": "default", "timezone": "Europe/Moscow", "created_at": now}
        await connection.execute(insert(accounts).values(**account))
        row = {"id": 1, "account_id": 1, "vendor": "amocrm", "public_id": "p", "created_at": now}
        await connection.execute(insert(connections).values(**row))
        if rows:
            await connection.execute(insert(inbox), rows)
        for number in range(kept):
            lead = {"account_id": 1, "source": "amocrm", "external_id": str(number), "created_at": now, "updated_at": now}
            await connection.execute(insert(leads).values(**lead))

    await database.write(job)
    return {finding.code: finding async for finding in crm_findings(database, "amocrm", "amoCRM")}


async def test_all_events_and_the_usual_rhythm(database: Database) -> None:
    found = await heard(database, ALL, every=timedelta(minutes=10), ago=timedelta(minutes=30), kept=2)
    assert list(found) == ["amocrm.events", "amocrm.rhythm", "amocrm.leads"]
    assert found["amocrm.leads"].detail == "2"
    assert "30 мин" in found["amocrm.rhythm"].detail
    assert "обычно каждые 10 мин" in found["amocrm.rhythm"].detail


async def test_events_that_never_came_are_named(database: Database) -> None:
    found = await heard(database, ["leads.add"], every=timedelta(), ago=timedelta(days=9))
    assert found["amocrm.events.some"].detail == "не было: leads.update, leads.delete, contacts.add, contacts.update"
    assert found["amocrm.leads.none"].warning
    assert found["amocrm.rhythm"].ok  # nobody knows yet what is usual


@pytest.mark.parametrize(("hours", "code"), [(5, "amocrm.rhythm"), (7, "amocrm.rhythm.silent")])
async def test_an_unusual_silence(database: Database, hours: int, code: str) -> None:
    found = await heard(database, ["leads.update"] * 9, every=timedelta(minutes=10), ago=timedelta(hours=hours))
    assert code in found


@pytest.mark.parametrize("kinds", [[], ["unread"], ["task.add"]], ids=str)
async def test_of_nothing_nothing_is_told(database: Database, kinds: list[str]) -> None:
    assert await heard(database, kinds, every=timedelta(minutes=1), ago=timedelta(hours=1)) == {}
