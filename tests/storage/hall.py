"""A hall of leads and webinars for tests: people are written as they type themselves, times are minutes from a start."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.leads import Lead
from domain.ports import Tx
from domain.webinars import Interval, RoomId, Viewer, WebinarReport
from storage.engine import Database
from storage.leads import LeadStore, Saved
from storage.models import webinar_attendees
from storage.webinars import WebinarStore

START = datetime(2026, 11, 20, 16, tzinfo=UTC)
REPORT = WebinarReport(
    external_id="111:room*2026-11-20T19:00:00", room_id=RoomId("111:room"), title="Вебинар", started_at=START, minutes=60
)


def lead(phone: str = "", email: str = "", *, number: str = "", days: float = -1, **values: Any) -> Lead:
    """A lead made so many days from the start of the webinar."""
    at = START + timedelta(days=days)
    given = {"source": "import", "external_id": number or phone or email, "created_at": at, "updated_at": at} | values
    return Lead(phone=phone, email=email, **given)


def viewer(phone: str = "", email: str = "", *, minutes: tuple[float, float] | None = (0, 20), **values: Any) -> Viewer:
    """Somebody who was there from one minute to another."""
    intervals = () if minutes is None else (Interval(start=after(minutes[0]), end=after(minutes[1])),)
    return Viewer(**{"raw": f'{{"phone": "{phone}"}}', "phone": phone, "email": email, "intervals": intervals} | values)


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


class Hall:
    """Both stores over one database."""

    def __init__(self, database: Database, account_id: int = 1) -> None:
        self.database = database
        self.account_id = account_id
        self.leads = LeadStore(database)
        self.webinars = WebinarStore(database)

    async def save(self, *batch: Lead) -> Saved:
        return await self.leads.save(self.account_id, batch)

    async def register(self, report: WebinarReport = REPORT) -> int:
        async def job(connection: AsyncConnection) -> int:
            tx = cast("Tx", connection)
            return await self.webinars.register(tx, self.account_id, "bizon365", report, source="hook", heard_at=after(120))

        return await self.database.write(job)

    async def hold(self, viewers: Sequence[Viewer], report: WebinarReport = REPORT, *, page: int = 1000) -> int:
        """A webinar with these records, from its report to being complete."""
        webinar_id = await self.register(report)
        await self.load(webinar_id, viewers, page=page)
        await self.webinars.match(webinar_id)
        await self.database.write(lambda connection: self.webinars.complete(cast("Tx", connection), webinar_id))
        return webinar_id

    async def load(self, webinar_id: int, viewers: Sequence[Viewer], *, page: int = 1000) -> None:
        await self.webinars.begin_load(webinar_id)
        for first in range(0, len(viewers), page):
            await self.webinars.add_viewers(webinar_id, viewers[first : first + page], first=first)
        await self.webinars.finish_load(webinar_id, records=len(viewers), skipped=0)

    async def attendees(self) -> list[dict[str, Any]]:
        """In the order of their records."""
        rows = await self.rows(webinar_attendees)
        return sorted(rows, key=lambda row: (row["session_id"], json.loads(row["positions"])))

    async def rows(self, table: Table) -> list[dict[str, Any]]:
        order = table.primary_key.columns.values()
        async with self.database.read() as connection:
            return [dict(row._mapping) for row in await connection.execute(select(table).order_by(*order))]


def another(report: WebinarReport = REPORT, *, days: float = 7) -> WebinarReport:
    """The same room some days later."""
    assert report.started_at is not None
    started = report.started_at + timedelta(days=days)
    return replace(report, external_id=f"111:room*{started:%Y-%m-%dT%H:%M:%S}", started_at=started)
