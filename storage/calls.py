"""Calls as rows: registered once, filled in as more is known."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import cast

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.calls import CallFacts, Cost, Parties, Recording, Summary, Transcript
from domain.ports import Tx
from storage.bulk import Statement
from storage.codec import dumps, loads
from storage.engine import Database
from storage.models.types import driver_time

_LOAD = Statement(
    "SELECT id, recording_sha256, transcript, summary, summary_key, comment_target, comment_id FROM calls"
    " WHERE account_id = :account_id AND vendor = :vendor AND call_id = :call_id"
)
_CALLED = Statement(
    "SELECT e.called FROM directory_lists AS l"
    " JOIN employees AS e ON e.account_id = l.account_id AND e.generation = l.generation AND e.external_id = :employee_id"
    " WHERE l.account_id = :account_id AND l.name = 'employees'"
)
_SET_RECORDING = Statement(
    "UPDATE calls SET transcript = CASE WHEN recording_sha256 = :sha256 THEN transcript END,"
    " transcript_search = CASE WHEN recording_sha256 = :sha256 THEN transcript_search ELSE '' END,"
    " recording_path = :path, recording_name = :name, recording_sha256 = :sha256, recording_size = :size"
    " WHERE account_id = :account_id AND vendor = :vendor AND call_id = :call_id"
)
_SPEND = Statement(
    "UPDATE calls SET cost_micro_usd = cost_micro_usd + :spent, possible_repeats = possible_repeats + :repeats"
    " WHERE account_id = :account_id AND vendor = :vendor AND call_id = :call_id"
)


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


def searched_people(employee: str, client: str) -> str:
    return folded(f"{employee}\n{client}")


class CallStore:
    """Writes take the transaction they belong to; reads take their own connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, key: CallKey) -> StoredCall | None:
        async with self._database.read() as connection:
            rows = await _LOAD.rows(connection, _named(key))
        if not rows:
            return None
        id_, sha256, transcript, summary, summary_key, target, comment = rows[0]
        return StoredCall(
            id=id_,
            recording_sha256=sha256,
            transcript=loads(Transcript, transcript) if transcript else None,
            summary=loads(Summary, summary) if summary else None,
            summary_key=summary_key,
            comment_target=target,
            comment_id=comment,
        )

    async def register(
        self, tx: Tx, key: CallKey, facts: CallFacts, *, phone_key: str, state: str, heard_at: datetime,
        delivery_id: str | None, rehearsal: bool,
    ) -> int:  # fmt: skip
        """The row of this call, made or brought up to the facts; its id.

        Of a new one the employee is named as the company's list has them: not every call asks the CRM for names.
        """
        values: dict[str, object] = {
            "vendor_row_id": facts.vendor_row_id[:32],
            "state": state,
            "direction": str(facts.direction),
            "outcome": str(facts.outcome),
            "failed_code": facts.failed_code[:16],
            "client_phone_raw": facts.client_phone[:100],
            "client_phone": phone_key,
            "line": facts.line,
            "employee_id": facts.employee_id[:32],
            "started_at": self._time(facts.started_at),
            "duration_s": facts.duration_s,
        }
        connection = cast("AsyncConnection", tx)
        called = await _called(connection, key.account_id, facts.employee_id)
        first = {"heard_at": self._time(heard_at), "delivery_id": delivery_id, "rehearsal": rehearsal}
        names = {"employee_name": called, "people_search": searched_people(called, "") if called else ""}
        whole = {**_named(key), **values, **first, **names}
        rows = await _upserting(tuple(whole), tuple(values)).rows(connection, whole)
        return int(rows[0][0])

    async def set_state(self, tx: Tx, key: CallKey, state: str, *, carded_at: datetime | None = None) -> None:
        await self._set(tx, key, state=state, **({"carded_at": self._time(carded_at)} if carded_at else {}))

    async def set_parties(self, tx: Tx, key: CallKey, parties: Parties) -> None:
        await self._set(
            tx,
            key,
            employee_name=parties.employee_name,
            client_name=parties.client_name,
            crm_url=parties.crm_url,
            people_search=searched_people(parties.employee_name, parties.client_name),
        )

    async def set_recording(self, tx: Tx, key: CallKey, recording: Recording) -> None:
        """What was said in another recording than this one is forgotten: it would be taken for bought already."""
        values = {"path": recording.path, "name": recording.name, "sha256": recording.sha256, "size": recording.size}
        await _SET_RECORDING.run(cast("AsyncConnection", tx), {**_named(key), **values})

    async def set_transcript(self, tx: Tx, key: CallKey, transcript: Transcript, *, stereo: bool) -> None:
        text = dumps(Transcript, transcript)
        await self._set(tx, key, transcript=text, transcript_search=folded(transcript.text), stereo=stereo)

    async def set_summary(self, tx: Tx, key: CallKey, summary: Summary, *, made_from: str) -> None:
        """``made_from`` identifies transcript, model and prompt: the same is never bought twice."""
        await self._set(
            tx,
            key,
            summary=dumps(Summary, summary),
            summary_key=made_from,
            summary_source=str(summary.source),
            kind=str(summary.kind),
            tone=str(summary.tone),
        )

    async def set_comment(self, tx: Tx, key: CallKey, target: str, comment_id: str) -> None:
        await self._set(tx, key, comment_target=target, comment_id=comment_id)

    async def charge(
        self, tx: Tx, key: CallKey, kind: str, cost: Cost, *, at: datetime, possible_repeat: bool = False
    ) -> None:
        """Put money spent on this call into the ledger and on its row."""
        connection = cast("AsyncConnection", tx)
        charged: dict[str, object] = {
            "account_id": key.account_id,
            "at": self._time(at),
            "kind": kind,
            "model": cost.model,
            "object": f"{key.vendor}:{key.call_id}",
            "micro_usd": cost.micro_usd,
            "units": cost.units,
            "unit": cost.unit,
            "estimated": cost.estimated or possible_repeat,
            "possible_repeat": possible_repeat,
        }
        await Statement(_insert("charges", tuple(charged))).run(connection, charged)
        spent = {"spent": cost.micro_usd, "repeats": int(possible_repeat)}
        await _SPEND.run(connection, {**_named(key), **spent})

    async def _set(self, tx: Tx, key: CallKey, **values: object) -> None:
        await _setting(tuple(values)).run(cast("AsyncConnection", tx), {**_named(key), **values})

    def _time(self, moment: datetime) -> str | datetime:
        return driver_time(moment, self._database.dialect_name)


async def _called(connection: AsyncConnection, account_id: int, employee_id: str) -> str:
    if not employee_id:
        return ""
    rows = await _CALLED.rows(connection, {"account_id": account_id, "employee_id": employee_id})
    return str(rows[0][0]) if rows else ""


def _named(key: CallKey) -> dict[str, object]:
    return {"account_id": key.account_id, "vendor": key.vendor, "call_id": key.call_id}


@cache
def _setting(columns: tuple[str, ...]) -> Statement:
    changes = ", ".join(f"{name} = :{name}" for name in columns)
    mine = "account_id = :account_id AND vendor = :vendor AND call_id = :call_id"
    return Statement(f"UPDATE calls SET {changes} WHERE {mine}")  # noqa: S608 - own names


@cache
def _upserting(columns: tuple[str, ...], changed: tuple[str, ...]) -> Statement:
    changes = ", ".join(f"{name} = excluded.{name}" for name in changed)
    conflict = f" ON CONFLICT (account_id, vendor, call_id) DO UPDATE SET {changes} RETURNING id"
    return Statement(_insert("calls", columns) + conflict)


@cache
def _insert(table: str, columns: tuple[str, ...]) -> str:
    values = ", ".join(f":{name}" for name in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"  # noqa: S608 - own names
