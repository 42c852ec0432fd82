"""A company for tests: a month of days that are all alike, and one that is not."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert

from storage.engine import Database
from storage.models import calls, leads

MOSCOW = ZoneInfo("Europe/Moscow")
FRIDAY = datetime(2026, 11, 27, tzinfo=MOSCOW)  # the day that is told of
MORNING = datetime(2026, 11, 28, 9, tzinfo=MOSCOW).astimezone(UTC)
LINES, STAFF = ("74950000001", "74950000002"), ("Анна Иванова", "Олег Петров", "Ольга Белова")
DAY = 80  # incoming calls
MISSED = 6


def call(at: datetime, number: int, **changes: Any) -> dict[str, Any]:
    """An incoming call that was answered; ``number`` tells it and its client apart."""
    row = {
        "account_id": 1, "vendor": "bitrix24", "call_id": f"call-{number}", "state": "carded", "direction": "incoming",
        "outcome": "answered", "client_phone": f"7900{number:07}", "client_name": "", "line": LINES[number // 7 % 2],
        "employee_name": STAFF[number % 3], "employee_id": str(number % 3), "started_at": at.astimezone(UTC),
        "duration_s": 90, "heard_at": at.astimezone(UTC), "rehearsal": False, "tone": "", "summary_source": "model",
    }  # fmt: skip
    return row | changes


def missed(at: datetime, number: int, **changes: Any) -> dict[str, Any]:
    return call(at, number, state="missed", outcome="missed", duration_s=0, summary_source="", **changes)


def back(at: datetime, number: int, of: int) -> dict[str, Any]:
    return call(at, number, direction="outgoing", client_phone=f"7900{of:07}")


def usual_day(day: datetime, base: int, *, incoming: int = DAY, lost: int = MISSED) -> list[dict[str, Any]]:
    """Calls from 9 to 19 o'clock, the missed ones called back within half an hour."""
    rows = []
    for n in range(incoming):
        at = datetime.combine(day.date(), time(9), tzinfo=MOSCOW) + timedelta(minutes=n * 600 / incoming)
        if n % (incoming // lost) == 1 and n // (incoming // lost) < lost:
            rows += [missed(at, base + n), back(at + timedelta(minutes=20), base + 500 + n, base + n)]
        else:
            rows.append(call(at, base + n))
    return rows


def lead(at: datetime, number: int, **changes: Any) -> dict[str, Any]:
    row = {
        "account_id": 1, "source": "tilda", "external_id": f"lead-{number}", "name": f"Клиент {number}", "status": "won",
        "phone": f"7901{number:07}", "phone_key": f"7901{number:07}", "first_utm_source": ("vk", "yandex")[number % 2],
        "created_at": at.astimezone(UTC), "updated_at": at.astimezone(UTC), "deleted_at": None, "import_id": None,
        "person_id": None, "direction_id": None,
    }  # fmt: skip
    return row | changes


def month(days: int = 30, *, last: datetime = FRIDAY) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """So many days before ``last``, a little different from one another: calls and leads."""
    told, found = [], []
    for n in range(1, days + 1):
        day = last - timedelta(days=n)
        told += usual_day(day, n * 1000, incoming=DAY + (n * 7) % 11 - 5, lost=MISSED + n % 3 - 1)
        found += [lead(day + timedelta(hours=10, minutes=20 * i), n * 100 + i) for i in range(12 + n % 4)]
    return told, found


async def put_in(database: Database, told: Iterable[dict[str, Any]], found: Iterable[dict[str, Any]] = ()) -> None:
    """Rows as they are."""

    async def job(connection: Any) -> None:
        for table, rows in ((calls, list(told)), (leads, list(found))):
            if rows:
                await connection.execute(insert(table), rows)

    await database.write(job)
