"""The company's figures against a plain count of the same rows in Python, over rows made at random."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import fmean, median
from typing import Any

from sqlalchemy import insert

from domain.digests import DigestKind, DigestPart
from domain.events import CallOutcome, Direction
from domain.hours import working_time
from handlers.analytics.company import CompanyFigures, Indicator, count_company
from handlers.calls.periods import Period
from handlers.digests.content import DigestSources, debt_span, gather
from storage.engine import Database
from storage.models import charges, identities, lead_claims, people, spend
from storage.queries.company import Share, Subject, call_counts, days_of, shares, span_of
from tests.digests.company import MORNING, MOSCOW, call, lead, put_in

FIRST, LAST = datetime(2026, 11, 24, tzinfo=MOSCOW), datetime(2026, 11, 26, tzinfo=MOSCOW)
SHORT = 10
Rows = list[dict[str, Any]]


def some_calls(random: Random) -> Rows:
    rows = []
    for number in range(400):
        at = datetime(2026, 11, 20, tzinfo=UTC) + timedelta(seconds=random.randrange(8 * 86_400))
        phone = random.choice(["", *(f"7901{n:07}" for n in range(14))])
        rows.append(call(
            at, number, direction=random.choice(list(Direction)).value, outcome=random.choice(["answered", *CallOutcome]),
            client_phone=phone, duration_s=random.randrange(40), rehearsal=random.random() < 0.05,
            tone=random.choice(["negative", "neutral", ""]), summary_source=random.choice(["model", "draft", ""]),
        ))  # fmt: skip
    return rows


def some_leads(random: Random) -> Rows:
    rows = []
    for number in range(80):
        at = datetime(2026, 11, 20, tzinfo=UTC) + timedelta(seconds=random.randrange(8 * 86_400))
        person = random.choice([None, *range(1, 12)])
        phone = random.choice(["", f"7901{random.randrange(14):07}"])
        rows.append(lead(
            at, number, id=number + 1, person_id=person, phone_key=phone,
            status=random.choice(["", "new", "new", "new", "contacted", "142"]),
            deleted_at=MORNING if random.random() < 0.1 else None, import_id=9 if random.random() < 0.1 else None,
        ))  # fmt: skip
    return rows


class Plain:
    """The same figures the slow way."""

    def __init__(self, told: Rows, found: Rows, keys: Rows, claims: Rows) -> None:
        self.calls = [row for row in told if not row["rehearsal"]]
        self.leads = [row for row in found if row["deleted_at"] is None]
        self.phones = {(row["person_id"], row["value"]) for row in keys}
        self.claims = {row["lead_id"]: row["taken_at"] for row in claims}

    def within(self, since: datetime, until: datetime) -> Rows:
        return [row for row in self.calls if since <= row["started_at"] < until]

    def missed(self, since: datetime, until: datetime) -> Rows:
        return [
            row
            for row in self.within(since, until)
            if row["direction"] in {"incoming", "redirected"} and row["outcome"] != "answered"
        ]

    def back(self, lost: dict[str, Any]) -> datetime | None:
        later = [
            row["started_at"]
            for row in self.calls
            if row["client_phone"] == lost["client_phone"]
            and row["started_at"] > lost["started_at"]
            and (row["direction"] in {"outgoing", "callback"} or row["outcome"] == "answered")
        ]
        return min(later, default=None)

    def waits_for_a_call(self, since: datetime, until: datetime) -> set[str]:
        lost = (row for row in self.missed(since, until) if row["client_phone"])
        return {row["client_phone"] for row in lost if self.back(row) is None}

    def new(self, since: datetime, until: datetime) -> Rows:
        return [row for row in self.leads if since <= row["created_at"] < until]

    def contact(self, one: dict[str, Any]) -> datetime | None:
        before, person = one["created_at"] - timedelta(hours=1), one["person_id"]
        phones = {one["phone_key"], *(value for owner, value in self.phones if owner == person and person)} - {""}
        talks = [
            row["started_at"]
            for row in self.calls
            if row["client_phone"] in phones and row["started_at"] >= before and row["outcome"] == "answered"
            and row["duration_s"] > SHORT
        ]  # fmt: skip
        mine = {one["id"], *(row["id"] for row in self.leads if person and row["person_id"] == person)}
        talks += [at for lead_id, at in self.claims.items() if lead_id in mine and at >= before]
        return max(min(talks), one["created_at"]) if talks else None

    def worked(self, one: dict[str, Any]) -> bool:
        before = one["created_at"] - timedelta(hours=1)
        others = (row for row in self.leads if one["person_id"] and row["person_id"] == one["person_id"])
        return any(
            row["status"] not in {"", "new"} and (row is one or row["created_at"] >= before) for row in (one, *others)
        )

    def waits_for_contact(self, since: datetime, until: datetime) -> set[int]:
        own = (row for row in self.new(since, until) if row["import_id"] is None)
        return {row["person_id"] or -row["id"] for row in own if self.contact(row) is None and not self.worked(row)}


def expected(plain: Plain, since: datetime, until: datetime) -> Iterator[tuple[Indicator, float | None]]:
    told, lost = plain.within(since, until), plain.missed(since, until)
    incoming = [row for row in told if row["direction"] in {"incoming", "redirected"}]
    backs = [(row["started_at"], plain.back(row)) for row in lost if row["client_phone"]]
    waits = [working_time(at, until_, MOSCOW).total_seconds() / 60 for at, until_ in backs if until_ is not None]
    own = [row for row in plain.new(since, until) if row["import_id"] is None]
    contacts = [(row["created_at"], at) for row in own if (at := plain.contact(row)) is not None]
    yield Indicator.CALLS, len(told)
    yield Indicator.INCOMING, len(incoming)
    yield Indicator.OUTGOING, sum(row["direction"] in {"outgoing", "callback"} for row in told)
    yield Indicator.MISSED, len(lost)
    yield Indicator.MISSED_SHARE, round(len(lost) * 100 / len(incoming), 2)
    yield Indicator.NOT_CALLED_BACK, len(plain.waits_for_a_call(since, until))
    yield Indicator.BACK_MEDIAN, round(median(waits), 1)
    yield Indicator.BACK_AVERAGE, round(fmean(waits), 1)
    yield Indicator.TALK, round(sum(row["duration_s"] for row in told if row["outcome"] == "answered") / 60, 1)
    yield Indicator.SUMMARIES, sum(row["summary_source"] != "" for row in told)
    yield Indicator.NEGATIVE, sum(row["tone"] == "negative" for row in told)
    yield Indicator.LEADS, len(plain.new(since, until))
    yield Indicator.LEADS_WAITING, len(plain.waits_for_contact(since, until))
    yield Indicator.CONTACT_MEDIAN, round(median(
        working_time(at, until_, MOSCOW).total_seconds() / 60 for at, until_ in contacts
    ), 1)  # fmt: skip


async def stored(database: Database, random: Random) -> Plain:
    told, found = some_calls(random), some_leads(random)
    keys = [
        {"account_id": 1, "kind": "phone", "value": f"7901{n:07}", "person_id": random.randrange(1, 12), "source": "tilda",
         "since": MORNING}
        for n in range(8)
    ]  # fmt: skip
    claims = [
        {"lead_id": row["id"], "account_id": 1, "taken_by": 1, "taken_at": row["created_at"] + timedelta(minutes=minutes)}
        for row in found
        if (minutes := random.randrange(300)) < 40
    ]
    known = [{"id": number, "account_id": 1, "created_at": MORNING} for number in range(1, 12)]

    async def job(connection: Any) -> None:
        for table, rows in ((people, known), (identities, keys), (lead_claims, claims)):
            await connection.execute(insert(table), rows)

    await put_in(database, told, found)
    await database.write(job)
    return Plain(told, found, keys, claims)


async def counted(database: Database, first: datetime = FIRST, last: datetime = LAST) -> CompanyFigures:
    period = Period(first=first.date(), last=last.date())
    return await count_company(database, 1, period, zone=MOSCOW, now=MORNING, short_s=SHORT)


async def test_every_figure_is_what_a_plain_count_says(database: Database) -> None:
    plain = await stored(database, Random(5))
    since, until = FIRST, LAST + timedelta(days=1)
    figures = await counted(database)
    for indicator, number in expected(plain, since, until):
        found = figures[indicator].number
        assert found is not None, indicator
        assert float(found) == number, indicator
    days = await call_counts(database, 1, days_of(FIRST.date(), LAST.date(), MOSCOW))
    assert sum(day.missed for day in days) == figures.number(Indicator.MISSED)
    whole = span_of(FIRST.date(), LAST.date(), MOSCOW)
    for by in (Share.LINE, Share.EMPLOYEE):
        parts = await shares(database, 1, Subject.MISSED, by, (whole,))
        assert sum(parts[0].values()) == figures.number(Indicator.MISSED)
    for by in (Share.SOURCE, Share.DIRECTION):
        parts = await shares(database, 1, Subject.LEADS, by, (whole,))
        assert sum(parts[0].values()) == figures.number(Indicator.LEADS)

    facts = await gather(
        DigestSources(database=database), 1, kind=DigestKind.DAILY, parts=frozenset(DigestPart), now=MORNING, zone=MOSCOW
    )  # fmt: skip
    week = debt_span(MORNING, MOSCOW)
    assert facts.debts.calls.total == len(plain.waits_for_a_call(week.since, week.until)) > 0
    assert facts.debts.leads.total == len(plain.waits_for_contact(week.since, week.until)) > 0
    assert len(facts.debts.leads.rows) == min(facts.debts.leads.total, 10)


async def test_money_is_of_the_period_and_never_of_two_currencies(lite: Database) -> None:
    paid = {"account_id": 1, "kind": "stt", "model": "m", "object": "o", "units": 1.0, "unit": "s", "estimated": False,
            "possible_repeat": False}  # fmt: skip
    spent = {"account_id": 1, "utm_source": "vk", "source": "chat", "created_at": MORNING}

    async def job(connection: Any) -> None:
        for at, price in ((FIRST, 400), (LAST + timedelta(hours=23), 30), (LAST + timedelta(days=1), 5000)):
            await connection.execute(insert(charges).values(**paid, at=at, micro_usd=price))
        for number, (day, amount, currency) in enumerate(
            [("2026-11-24", 100_00, "RUB"), ("2026-11-26", 50, "RUB"), ("2026-11-26", 700, "USD"), ("2026-11-27", 1, "RUB")]
        ):
            await connection.execute(
                insert(spend).values(**spent, key=str(number), day=day, amount=amount, currency=currency)
            )

    await lite.write(job)
    figures = await counted(lite)
    assert figures.number(Indicator.MODELS) == 430
    assert [(cost.amount, cost.currency) for cost in figures[Indicator.ADS].money] == [(100_50, "RUB"), (700, "USD")]
    assert figures[Indicator.OVERDUE].number is None
