"""Rows of calls: another recording forgets what was heard in the first, names are not too long, and none stays unnamed."""

from dataclasses import replace
from typing import cast

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.calls import Parties, Recording
from domain.directory import DirectoryList, Employee
from domain.ports import Tx
from storage import call_names
from storage.calls import CallKey, CallStore
from storage.directory import DirectoryStore
from storage.engine import Database
from storage.queries.calls import CallQuery, find_calls
from tests.calls.world import FACTS, TRANSCRIPT
from tests.ground import HandClock

KEY = CallKey(account_id=1, vendor="bitrix24", call_id="A1.1")


async def test_another_recording_forgets_what_was_heard(database: Database, clock: HandClock) -> None:
    store = CallStore(database)
    facts = replace(FACTS, failed_code="9" * 200, employee_id="9" * 200, vendor_row_id="9" * 200)

    async def record(connection: AsyncConnection, sha256: str) -> None:
        recording = Recording(path="recordings/1", size=1, sha256=sha256, mime="audio/mpeg", name="1.mp3")
        await store.set_recording(cast("Tx", connection), KEY, recording)

    async def hear(connection: AsyncConnection) -> None:
        tx = cast("Tx", connection)
        await store.register(
            tx, KEY, facts, phone_key="", state="heard", heard_at=clock.now(), delivery_id=None, rehearsal=False
        )
        await record(connection, "a")
        await store.set_transcript(tx, KEY, TRANSCRIPT, stereo=False)

    await database.write(hear)
    await database.write(lambda connection: record(connection, "a"))
    same = await store.load(KEY)
    await database.write(lambda connection: record(connection, "b"))
    other = await store.load(KEY)
    assert same is not None
    assert other is not None
    assert same.transcript == TRANSCRIPT
    assert (other.transcript, other.recording_sha256) == (None, "b")


async def test_calls_are_named_from_the_list_of_employees(
    database: Database, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_names, "A_PIECE", 2)
    store, shelf = CallStore(database), DirectoryStore(database)

    async def register(call_id: str, employee_id: str, parties: Parties | None = None) -> None:
        key, facts = replace(KEY, call_id=call_id), replace(FACTS, employee_id=employee_id)

        async def job(connection: AsyncConnection) -> None:
            tx = cast("Tx", connection)
            await store.register(
                tx, key, facts, phone_key="", state="old", heard_at=clock.now(), delivery_id=None, rehearsal=False
            )
            if parties is not None:
                await store.set_parties(tx, key, parties)

        await database.write(job)

    async def read_employees(*some: Employee) -> None:
        generation = await shelf.begin(1, DirectoryList.EMPLOYEES)
        await shelf.add_employees(1, generation, some)
        await shelf.complete(1, DirectoryList.EMPLOYEES, generation, now=clock.now())

    async def found(*names: str) -> list[tuple[str, str]]:
        page = await find_calls(database, 1, CallQuery(names=names), limit=20)
        return sorted((line.employee_name, line.client_name) for line in page.rows)

    for number in range(4):
        await register(f"before{number}", "7")
    await register("client", "7", Parties(client_name="Ольга"))
    await register("told", "7", Parties(employee_name="Анна П."))
    await register("gone", "99")
    await register("nobody", "")
    assert await found("семёнова") == []
    semyonova = Employee(external_id="7", name="Анна", last_name="Семёнова", second_name="Сергеевна")
    await read_employees(semyonova, Employee(external_id="8", name=""))
    assert await found("семенова") == [("Анна Семёнова", "")] * 4 + [("Анна Семёнова", "Ольга")]
    assert await found("ольга") == [("Анна Семёнова", "Ольга")]
    assert await found("анна п.") == [("Анна П.", "")]
    await register("after", "7")
    await register("nameless", "8")
    await register("told", "7")  # again, as after a crash
    assert len(await found("семёнова")) == 6
    assert await found("анна п.") == [("Анна П.", "")]
    assert len(await found()) == 10
