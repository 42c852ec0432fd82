"""Rows of calls: another recording forgets what was heard in the first, and no name of the vendor's is too long."""

from dataclasses import replace
from typing import cast

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.calls import Recording
from domain.ports import Tx
from storage.calls import CallKey, CallStore
from storage.engine import Database
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
