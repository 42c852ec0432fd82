"""Calls of every sort, their work and their journals, as the pipeline leaves them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from domain.calls import CallKind, Evidence, Point, Quality, Segment, Speaker, Summary, SummarySource, Tone, Transcript
from storage.calls import folded
from storage.codec import dumps
from storage.engine import Database
from storage.models import accounts, calls, charges, posts, work, work_steps

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TALK = (
    (0.4, Speaker.OPERATOR, "Добрый день, клининговая компания, меня зовут Анна."),
    (5.2, Speaker.CLIENT, "Здравствуйте. У нас на третьем этаже лежит песок, уборку не делали две недели."),
    (61.0, Speaker.OPERATOR, "Назначу дополнительную уборку на пятницу."),
)


def transcript(*, times: int = 1) -> Transcript:
    segments = tuple(Segment(start=start, end=start + 3, text=text, speaker=speaker) for start, speaker, text in TALK)
    return Transcript(
        segments=segments * times, language="ru", model="stt-1", timed=True, duration_s=74.0, quality=Quality()
    )


def summary() -> Summary:
    return Summary(
        source=SummarySource.MODEL,
        meaningful=True,
        kind=CallKind.COMPLAINT,
        text="Клиент жалуется на уборку подъезда: песок на третьем этаже, полы не моют две недели. Назначена доуборка.",
        points=(Point(text="Песок на третьем этаже", evidence=Evidence(quote="лежит песок", at=5.2, confirmed=True)),),
        tone=Tone.NEGATIVE,
        tone_reason="недоволен уборкой",
    )


def call_row(number: int, **changes: Any) -> dict[str, Any]:
    """An answered call with a card; ``number`` hours before NOON. Names and texts keep their search columns."""
    row: dict[str, Any] = {
        "account_id": 1, "vendor": "bitrix24", "call_id": f"externalCall.{number}", "state": "carded",
        "direction": "incoming", "outcome": "answered", "client_phone": "79991234567",
        "client_phone_raw": "+79991234567", "employee_name": "Анна Иванова", "client_name": "Елена Воронцова",
        "crm_url": "https://portal.example/crm/contact/details/17/", "started_at": NOON - timedelta(hours=number),
        "duration_s": 74, "recording_path": f"recordings/{number}", "recording_name": "call.mp3",
        "recording_sha256": "ab" * 32, "transcript": transcript(), "summary": summary(), "kind": "complaint",
        "tone": "negative", "heard_at": NOON - timedelta(hours=number), "carded_at": NOON - timedelta(hours=number),
        "failed_code": "", "rehearsal": False,
    }  # fmt: skip
    row |= changes
    text: Transcript | None = row["transcript"]
    row["people_search"] = folded(f"{row['employee_name']}\n{row['client_name']}")
    row["transcript_search"] = folded(text.text) if text else ""
    row["transcript"] = dumps(Transcript, text) if text else None
    row["summary"] = dumps(Summary, row["summary"]) if row["summary"] else None
    return row


def bare(number: int, state: str, **changes: Any) -> dict[str, Any]:
    """A call without recording, transcript and summary."""
    empty: dict[str, Any] = {
        "recording_path": "", "recording_name": "", "recording_sha256": "", "transcript": None, "summary": None,
        "kind": "", "tone": "", "carded_at": None,
    }  # fmt: skip
    return call_row(number, state=state, **(empty | changes))


EVERY_SORT = (
    call_row(1),
    bare(2, "short", duration_s=8),
    bare(3, "missed", outcome="missed", duration_s=0, failed_code="304", client_phone="79160004567", client_name="",
         client_phone_raw="8 (916) 000-45-67", employee_name=""),
    bare(4, "no_recording", direction="outgoing", client_name="Пётр Алёшин", client_phone="79035550102"),
    bare(30, "heard", client_name="", client_phone="", client_phone_raw="hidden"),
    call_row(50, direction="outgoing", employee_name="Олег Петров", kind="sale", tone="positive",
             client_phone="74951112233"),
    bare(3000, "no_speech", recording_path="recordings/x", recording_sha256="cd" * 32, client_name="Ёлкин"),
)  # fmt: skip


async def seed_calls(database: Database, rows: tuple[dict[str, Any], ...] = EVERY_SORT) -> list[int]:
    """Their ids, in order."""

    async def job(connection: Any) -> list[int]:
        return [(await connection.execute(insert(calls).values(**row).returning(calls.c.id))).scalar_one() for row in rows]

    return await database.write(job)


async def put(database: Database, table: Any, *rows: dict[str, Any]) -> None:
    async def job(connection: Any) -> None:
        await connection.execute(insert(table), list(rows))

    await database.write(job)


async def seed_accounts(database: Database) -> None:
    """Accounts 1 and 2."""
    known = {"name": "Клининг", "timezone": "Europe/Moscow", "created_at": NOON}
    await put(database, accounts, *({"id": id_, **known} for id_ in (1, 2)))


async def seed_work(database: Database, object_: str, **changes: Any) -> int:
    """One work row; done unless changed."""
    row: dict[str, Any] = {
        "account_id": 1, "kind": "call", "object": object_, "generation": 1, "payload": "{}", "source": "hook",
        "state": "done", "due_at": NOON, "created_at": NOON - timedelta(minutes=5), "finished_at": NOON,
    }  # fmt: skip

    async def job(connection: Any) -> int:
        added = await connection.execute(insert(work).values(**(row | changes)).returning(work.c.id))
        return int(added.scalar_one())

    return await database.write(job)


async def seed_steps(database: Database, work_id: int, object_: str) -> None:
    """A whole trip: five steps, two of them paid."""
    begun = NOON - timedelta(minutes=4)
    steps = [
        {"name": name, "state": "done", "attempts": 1, "possible_repeats": repeats, "took_ms": took,
         "started_at": begun + timedelta(seconds=n * 10), "finished_at": begun + timedelta(seconds=n * 10 + 5)}
        for n, (name, took, repeats) in enumerate(
            [("look_up", 120.4, 0), ("download", 812.0, 0), ("transcribe", 4100.0, 1), ("summarise", 2300.0, 0),
             ("post:full", 3.2, 0)]
        )
    ]  # fmt: skip
    paid = [("stt", "stt-1", 7400, 2), ("llm", "llm-1", 1900, 3)]

    async def job(connection: Any) -> None:
        await connection.execute(insert(work_steps), [step | {"work_id": work_id} for step in steps])
        for kind, model, price, n in paid:
            row = {"account_id": 1, "kind": kind, "model": model, "object": object_, "micro_usd": price, "units": 1.0}
            at = begun + timedelta(seconds=n * 10 + 4)
            await connection.execute(insert(charges).values(**row, at=at, unit="s", estimated=False, possible_repeat=False))

    await database.write(job)


async def seed_post(database: Database, key: str, *, chat_id: int, message_id: int) -> None:
    """A message the chat shows already."""
    row = {
        "account_id": 1,
        "key": key,
        "chat_id": chat_id,
        "kind": "call",
        "content": "{}",
        "content_sha256": "",
        "revision": 1,
    }
    row |= {"message_id": message_id, "state": "sent", "not_before": NOON, "created_at": NOON}

    await put(database, posts, row)
