"""Calls as rows: registered once, filled in as more is known."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import case, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.calls import CallFacts, Cost, Parties, Recording, Summary, Transcript
from domain.ports import Tx
from storage.codec import dumps, loads
from storage.engine import Database
from storage.models import calls, charges


@dataclass(frozen=True, slots=True, kw_only=True)
class CallKey:
    account_id: int
    vendor: str
    call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCall:
    """What an earlier run left that need not be made or paid again."""

    id: int
    recording_sha256: str
    transcript: Transcript | None
    summary: Summary | None
    summary_key: str
    comment_target: str
    comment_id: str


def folded(text: str) -> str:
    """Text as it is searched: no case, «ё» as «е»."""
    return text.casefold().replace("ё", "е")


class CallStore:
    """Writes take the transaction they belong to; reads take their own connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, key: CallKey) -> StoredCall | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(calls).where(_is(key)))).one_or_none()
        if row is None:
            return None
        return StoredCall(
            id=row.id,
            recording_sha256=row.recording_sha256,
            transcript=loads(Transcript, row.transcript) if row.transcript else None,
            summary=loads(Summary, row.summary) if row.summary else None,
            summary_key=row.summary_key,
            comment_target=row.comment_target,
            comment_id=row.comment_id,
        )

    async def register(
        self, tx: Tx, key: CallKey, facts: CallFacts, *, phone_key: str, state: str, heard_at: datetime,
        delivery_id: str | None, rehearsal: bool,
    ) -> int:  # fmt: skip
        """The row of this call, made or brought up to the facts; its id."""
        values: dict[str, Any] = {
            "vendor_row_id": facts.vendor_row_id[:32],
            "state": state,
            "direction": facts.direction,
            "outcome": facts.outcome,
            "failed_code": facts.failed_code[:16],
            "client_phone_raw": facts.client_phone[:100],
            "client_phone": phone_key,
            "line": facts.line,
            "employee_id": facts.employee_id[:32],
            "started_at": facts.started_at,
            "duration_s": facts.duration_s,
        }
        connection = cast("AsyncConnection", tx)
        changed = await connection.execute(update(calls).where(_is(key)).values(**values).returning(calls.c.id))
        existing = changed.scalar_one_or_none()
        if existing is not None:
            return int(existing)
        values |= {"account_id": key.account_id, "vendor": key.vendor, "call_id": key.call_id, "heard_at": heard_at}
        values |= {"delivery_id": delivery_id, "rehearsal": rehearsal}
        added = await connection.execute(insert(calls).values(**values).returning(calls.c.id))
        return int(added.scalar_one())

    async def set_state(self, tx: Tx, key: CallKey, state: str, **values: object) -> None:
        await cast("AsyncConnection", tx).execute(update(calls).where(_is(key)).values(state=state, **values))

    async def set_parties(self, tx: Tx, key: CallKey, parties: Parties) -> None:
        await cast("AsyncConnection", tx).execute(
            update(calls)
            .where(_is(key))
            .values(
                employee_name=parties.employee_name,
                client_name=parties.client_name,
                crm_url=parties.crm_url,
                people_search=folded(f"{parties.employee_name}\n{parties.client_name}"),
            )
        )

    async def set_recording(self, tx: Tx, key: CallKey, recording: Recording) -> None:
        """What was said in another recording than this one is forgotten: it would be taken for bought already."""
        same = calls.c.recording_sha256 == recording.sha256
        await cast("AsyncConnection", tx).execute(
            update(calls)
            .where(_is(key))
            .values(
                transcript=case((same, calls.c.transcript), else_=None),
                transcript_search=case((same, calls.c.transcript_search), else_=""),
                recording_path=recording.path,
                recording_name=recording.name,
                recording_sha256=recording.sha256,
                recording_size=recording.size,
            )
        )

    async def set_transcript(self, tx: Tx, key: CallKey, transcript: Transcript, *, stereo: bool) -> None:
        await cast("AsyncConnection", tx).execute(
            update(calls)
            .where(_is(key))
            .values(transcript=dumps(Transcript, transcript), transcript_search=folded(transcript.text), stereo=stereo)
        )

    async def set_summary(self, tx: Tx, key: CallKey, summary: Summary, *, made_from: str) -> None:
        """``made_from`` identifies transcript, model and prompt: the same is never bought twice."""
        await cast("AsyncConnection", tx).execute(
            update(calls)
            .where(_is(key))
            .values(
                summary=dumps(Summary, summary),
                summary_key=made_from,
                summary_source=summary.source,
                kind=summary.kind,
                tone=summary.tone,
            )
        )

    async def set_comment(self, tx: Tx, key: CallKey, target: str, comment_id: str) -> None:
        await cast("AsyncConnection", tx).execute(
            update(calls).where(_is(key)).values(comment_target=target, comment_id=comment_id)
        )

    async def charge(
        self, tx: Tx, key: CallKey, kind: str, cost: Cost, *, at: datetime, possible_repeat: bool = False
    ) -> None:
        """Put money spent on this call into the ledger and on its row."""
        connection = cast("AsyncConnection", tx)
        await connection.execute(
            insert(charges).values(
                account_id=key.account_id,
                at=at,
                kind=kind,
                model=cost.model,
                object=f"{key.vendor}:{key.call_id}",
                micro_usd=cost.micro_usd,
                units=cost.units,
                unit=cost.unit,
                estimated=cost.estimated or possible_repeat,
                possible_repeat=possible_repeat,
            )
        )
        await connection.execute(
            update(calls)
            .where(_is(key))
            .values(
                cost_micro_usd=calls.c.cost_micro_usd + cost.micro_usd,
                possible_repeats=calls.c.possible_repeats + int(possible_repeat),
            )
        )


def _is(key: CallKey) -> Any:
    return (calls.c.account_id == key.account_id) & (calls.c.vendor == key.vendor) & (calls.c.call_id == key.call_id)
