"""Conversions: the seed's figures on the seed's data, never above 100 %, and sums that equal the rows after any writes."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attendance import Yardstick
from domain.ports import Tx
from domain.webinars import Marks
from storage import rollups
from storage.dirty import mark_days
from storage.engine import Database
from storage.models import conversion_dirty, conversion_rollups, creatives, directions, identities, leads, webinars
from storage.queries.conversions import ConversionRow, conversions, top_creatives, visits_by_mark
from storage.rollups import Dimension, refresh
from storage.webinars import WebinarStore
from tests.storage.hall import START, Hall, after, another, lead, viewer

MOSCOW, KAMCHATKA = ZoneInfo("Europe/Moscow"), ZoneInfo("Asia/Kamchatka")
EVER = {"first": date(2020, 1, 15), "last": date(2027, 3, 20)}


@pytest.fixture
async def hall(database: Database) -> Hall:
    async def names(connection: AsyncConnection) -> None:
        for number, name in ((1, "Инвестиции"), (2, "Ипотека")):
            row = {"id": number, "account_id": 1, "name": name, "created_at": START}
            await connection.execute(insert(directions).values(**row))
        for number in range(1, 13):
            row = {"id": number, "account_id": 1, "title": f"Креатив {number}", "created_at": START}
            await connection.execute(insert(creatives).values(**row))

    await database.write(names)
    return Hall(database)


async def by(hall: Hall, dimension: Dimension = Dimension.DIRECTION, zone: ZoneInfo = MOSCOW, **period: date):  # type: ignore[no-untyped-def]
    return await conversions(hall.database, 1, dimension, zone=zone, **(EVER | period))


def shown(rows: Iterable[ConversionRow]) -> list[tuple[object, ...]]:
    return [(row.name, row.leads, row.came, row.visits, row.percent, row.avg_watch_minutes) for row in rows]


async def test_one_visit_each_gives_the_figures_of_the_seed(hall: Hall) -> None:
    await hall.save(
        *(lead(f"8999000000{n}", direction_id=1) for n in range(3)), lead("89990000008", direction_id=2), lead("89990000009")
    )
    await hall.hold([viewer("89990000000", minutes=(0, 10)), viewer("89990000001", minutes=(0, 21)), viewer("89990000009")])
    found = await by(hall)
    assert shown(found.rows) == [
        ("Инвестиции", 3, 2, 2, Decimal("66.67"), Decimal("15.50")),
        ("", 1, 1, 1, Decimal("100.00"), Decimal("20.00")),
        ("Ипотека", 1, 0, 0, Decimal("0.00"), None),
    ]
    assert shown([found.total]) == [("", 5, 3, 3, Decimal("60.00"), Decimal("17.00"))]
    seed = """
        SELECT d.name, COUNT(DISTINCT l.id), COUNT(DISTINCT wa.id), AVG(wa.watch_duration_sec) / 60 FROM leads l
        LEFT JOIN directions d ON l.direction_id = d.id
        LEFT JOIN webinar_attendees wa ON wa.lead_id = l.id AND wa.attended = true WHERE l.account_id = 1
        GROUP BY d.id, d.name
    """
    async with hall.database.read() as connection:
        rows = (await connection.execute(text(seed))).all()
    of_seed = {(row[0] or "", row[1], row[2], float(row[3] or 0)) for row in rows}
    assert of_seed == {(row.name, row.leads, row.visits, float(row.avg_watch_minutes or 0)) for row in found.rows}


async def test_a_lead_at_two_webinars_came_once(hall: Hall) -> None:
    await hall.save(lead("89990000001", direction_id=1))
    await hall.hold([viewer("89990000001")])
    await hall.hold([viewer("89990000001")], another(days=3))
    (row,) = (await by(hall)).rows
    assert (row.percent, row.came, row.visits) == (Decimal("100.00"), 1, 2)


async def test_nothing_is_no_division_by_zero(hall: Hall) -> None:
    found = await by(hall)
    assert found.rows == ()
    assert (found.total.leads, found.total.percent, found.total.avg_watch_minutes) == (0, None, None)


async def test_days_are_those_of_the_zone(hall: Hall) -> None:
    late = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)  # half past midnight of the 21st in Moscow
    await hall.save(lead("89990000001", created_at=late, updated_at=late))
    for day, count in ((20, 0), (21, 1), (22, 0)):
        found = await by(hall, first=date(2026, 11, day), last=date(2026, 11, day))
        assert found.total.leads == count
    assert (await by(hall, zone=ZoneInfo("UTC"), first=date(2026, 11, 20), last=date(2026, 11, 20))).total.leads == 1
    assert {row["zone"] for row in await hall.rows(conversion_rollups)} == {"UTC"}
    assert (await by(hall, first=date(2026, 11, 21), last=date(2026, 11, 21))).total.leads == 1


async def test_a_webinar_counts_when_it_is_complete(hall: Hall) -> None:
    await hall.save(lead("89990000001"))
    webinar = await hall.register()
    await hall.load(webinar, [viewer("89990000001")])
    assert (await by(hall)).total.came == 0
    assert (await by(hall)).total.leads == 1
    await hall.database.write(lambda tx: hall.webinars.complete(cast("Tx", tx), webinar))
    assert (await by(hall)).total.came == 1


async def test_sources_and_partners_are_those_of_the_first_touch(hall: Hall) -> None:
    touches = (Marks(source="Google", partner="P1"), Marks(source="google "), Marks(source="ВК"), Marks())
    await hall.save(*(lead(f"8999000000{n}", first=first, last=Marks(source="x")) for n, first in enumerate(touches)))
    assert [(row.name, row.leads) for row in (await by(hall, Dimension.SOURCE)).rows] == [("google", 2), ("", 1), ("вк", 1)]
    assert [(row.name, row.leads) for row in (await by(hall, Dimension.PARTNER)).rows] == [("", 3), ("p1", 1)]


async def test_the_best_ten_creatives_by_visits(hall: Hall) -> None:
    await hall.save(*(lead(f"899900000{n:02d}", creative_id=n) for n in range(1, 12)), lead("89990000012", creative_id=12))
    viewers = [viewer(f"899900000{n:02d}", minutes=(0, 30 + n / 60 - 1 / 60)) for n in range(1, 12)]
    await hall.hold([*viewers, viewer("89990000012", minutes=(0, 1))])
    await hall.hold([viewer("89990000011")], another())
    found = await top_creatives(hall.database, 1, zone=MOSCOW)
    assert len(found) == 10
    assert (found[0].name, found[0].visits, found[0].long_visits) == ("Креатив 11", 2, 1)
    watched = {row.name: (row.watch_sec, row.long_visits) for row in found}
    assert watched["Креатив 1"] == (1800, 0)
    assert watched["Креатив 2"] == (1801, 1)
    recent = await top_creatives(hall.database, 1, zone=MOSCOW, first=date(2026, 12, 1), last=date(2026, 12, 31))
    assert recent == ()


async def test_visits_by_the_viewers_own_marks(hall: Hall) -> None:
    await hall.save(lead("89990000001", first=Marks(source="lead", partner="p")))
    own = [viewer(marks=Marks(source="ГУГЛ", partner="q")), viewer(marks=Marks(source="гугл"), minutes=(0, 1))]
    await hall.hold([viewer("89990000001"), *own])
    period = {"since": after(-1), "until": after(1)}
    sources = await visits_by_mark(hall.database, 1, partner=False, **period)
    assert [(row.key, row.people, row.attended, row.avg_watch_minutes) for row in sources] == [
        ("гугл", 2, 1, Decimal("20.00")), ("lead", 1, 1, Decimal("20.00")),
    ]  # fmt: skip
    partners = await visits_by_mark(hall.database, 1, partner=True, **period)
    assert [(row.key, row.people) for row in partners] == [("", 1), ("p", 1), ("q", 1)]
    assert await visits_by_mark(hall.database, 1, partner=True, since=after(1), until=after(2)) == ()


class Change:
    """Any of the writes that change a figure, by chance."""

    def __init__(self, hall: Hall, seed: int) -> None:
        self.hall = hall
        self.random = random.Random(seed)
        self.held: list[int] = []

    def phone(self) -> str:
        return f"899912345{self.random.randrange(30):02d}"

    def email(self) -> str:
        return self.random.choice(["", f"u{self.random.randrange(30)}@example.ru"])

    async def save(self) -> None:
        await self.hall.save(*(self.lead() for _ in range(self.random.randrange(1, 12))))

    def lead(self):  # type: ignore[no-untyped-def]
        days = self.random.uniform(-70, 5)
        changed = after(self.random.randrange(1000))
        gone = changed if self.random.random() < 0.2 else None
        return replace(
            lead(self.phone(), self.email(), number=str(self.random.randrange(40)), days=days),
            direction_id=self.random.choice([None, 1, 2]), creative_id=self.random.choice([None, 3, 4, 5]),
            first=Marks(source=self.random.choice(["", "ya", "VK"]), partner=self.random.choice(["", "p"])),
            updated_at=changed, deleted_at=gone,
        )  # fmt: skip

    async def hold(self) -> None:
        report = another(days=self.random.randrange(4))
        viewers = [
            viewer(self.phone(), self.email(), minutes=(0, self.random.choice([1, 3, 20, 31, 60])))
            for _ in range(self.random.randrange(30))
        ]
        self.held.append(await self.hall.hold(viewers, report))

    async def decide(self) -> None:
        rows, people = await self.hall.attendees(), await self.hall.rows(identities)
        if rows and people:
            person = self.random.choice([None, self.random.choice(people)["person_id"]])
            row = self.random.choice(rows)["id"]
            await self.hall.database.write(lambda tx: self.hall.webinars.decide(cast("Tx", tx), 1, row, person))

    async def undo(self) -> None:
        known = [row for row in await self.hall.rows(identities) if row["undone_at"] is None]
        if known:
            await self.hall.leads.undo_identity(1, self.random.choice(known)["id"], now=after(2000))

    async def give(self) -> None:
        known = [row for row in await self.hall.rows(identities) if row["undone_at"] is None]
        if known:
            one, other = self.random.choice(known), self.random.choice(known)
            kind, value = one["kind"], one["value"]
            await self.hall.leads.add_identity(1, other["person_id"], kind, value, source="hand", now=after(2000))

    async def recount(self) -> None:
        yardstick = Yardstick(attended_s=self.random.choice([60, 120, 1500]))
        self.hall.webinars = WebinarStore(self.hall.database, yardstick)
        await self.hall.webinars.recount(1)

    async def match(self) -> None:
        if self.held:
            await self.hall.webinars.match(self.random.choice(self.held))

    async def any(self) -> None:
        await self.random.choice([self.save, self.hold, self.save, self.hold, self.decide, self.undo, self.give,
                                  self.recount, self.match])()  # fmt: skip


async def straight(hall: Hall, dimension: Dimension, zone: ZoneInfo, first: date, last: date) -> dict[str, list[int]]:
    """The same figures by walking over all rows."""
    complete = {row["id"] for row in await hall.rows(webinars) if row["state"] == "complete"}
    visits: dict[int, list[int]] = {}
    for row in await hall.attendees():
        counts = row["attended"] and row["part_of"] is None
        if counts and row["session_id"] in complete and row["lead_id"] is not None:
            visits.setdefault(row["lead_id"], []).append(row["watch_duration_sec"])
    column = {"direction": "direction_id", "creative": "creative_id", "source": "first_utm_source"}.get(
        dimension, "first_url_marker"
    )
    sums: dict[str, list[int]] = {}
    for row in await hall.rows(leads):
        if row["deleted_at"] is None and first <= row["created_at"].astimezone(zone).date() <= last:
            watched = visits.get(row["id"], [])
            counts = [1, bool(watched), len(watched), sum(watched), sum(one > 1800 for one in watched)]
            key = str(row[column] or "").lower()
            sums[key] = [a + b for a, b in zip(sums.get(key, [0] * 5), counts, strict=True)]
    return sums


@pytest.mark.parametrize("seed", range(4))
async def test_sums_equal_the_rows_after_any_writes(hall: Hall, seed: int) -> None:
    change = Change(hall, seed)
    for step in range(14):
        await change.any()
        zone = MOSCOW if step < 9 else KAMCHATKA
        first = date(2026, 9, 1) + timedelta(days=change.random.randrange(85))
        last = first + timedelta(days=change.random.randrange(95))
        for dimension in Dimension:
            found = await by(hall, dimension, zone, first=first, last=last)
            sums = {row.key: [row.leads, row.came, row.visits, row.watch_sec, row.long_visits] for row in found.rows}
            assert sums == await straight(hall, dimension, zone, first, last)
            assert all(row.came <= row.leads for row in found.rows)
    before = await hall.rows(conversion_rollups)
    await hall.database.write(lambda tx: tx.execute(text("DELETE FROM conversion_rollups")))
    days = {f"{row['created_at']:%Y-%m-%d}" for row in await hall.rows(leads)}
    await hall.database.write(lambda tx: mark_days(tx, 1, days))
    await refresh(hall.database, 1, KAMCHATKA)
    assert await hall.rows(conversion_rollups) == before
    assert await hall.rows(conversion_dirty) == []


async def test_a_day_that_changes_while_it_is_counted_is_counted_again(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    await hall.save(lead("89990000001"))
    real, days = rollups.fetch, 0

    async def fetch(connection: AsyncConnection, sql: str, values: dict[str, Any]) -> Sequence[Any]:
        nonlocal days
        rows = await real(connection, sql, values)
        if sql == rollups._DAY:
            days += 1
            if days == 1:
                await hall.save(lead("89990000002"))
        return rows

    monkeypatch.setattr(rollups, "fetch", fetch)
    assert (await by(hall)).total.leads == 2
    assert await hall.rows(conversion_dirty) == []
    assert days > 2
