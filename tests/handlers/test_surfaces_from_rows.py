"""From rows to every surface: a few companies go through a real database, and each surface says what plain counting says."""

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from zoneinfo import ZoneInfo

import pytest
from aiogram.types import InlineQueryResultArticle

from bot.http.api.in_json import figures, house
from domain.digests import DigestKind, DigestPart
from domain.directory import DirectoryList, House, HouseField
from domain.messages import as_text
from domain.webinars import Marks, Viewer
from handlers.analytics.company import Indicator
from handlers.desk import Desk
from handlers.digests.content import DigestSources, digest_card, gather
from handlers.exports.catalogue import find_export
from handlers.exports.ground import Ground
from storage.directory import DirectoryStore
from storage.engine import Database
from storage.models import calls
from storage.queries.directory import houses
from storage.queries.directory_figures import statistics
from storage.queries.listings import Days
from tests.handlers.chat import OWNER, Talk
from tests.handlers.seed import bare, call_row, put, seed_accounts
from tests.handlers.test_figures import wanted
from tests.storage.hall import START, Hall, lead, viewer

MOSCOW = ZoneInfo("Europe/Moscow")
TODAY = date(2026, 11, 20)
SOURCES = ("vk", "google", "yandex")
SEEDS = (1, 2, 3)


class Company:
    """Made up of ``seed``; what is counted plainly stays beside it."""

    def __init__(self, seed: int) -> None:
        chance = self.chance = Random(seed)
        self.leads = [(f"7999{seed:03}{number:04}", chance.choice(SOURCES)) for number in range(chance.randint(12, 40))]
        self.visitors = [one for one in self.leads if chance.random() < 0.5]
        self.minutes = {phone: chance.choice((1, 20, 45)) for phone, _ in self.visitors}
        self.spent = {source: chance.randint(1, 10**7) for source in SOURCES[:2]}
        self.answered, self.missed = chance.randint(5, 15), chance.randint(1, 9)
        self.houses = [
            (chance.choice((None, 12, 80)), chance.choice(("", "УК «Север»", "УК «Юг»")))
            for _ in range(chance.randint(3, 9))
        ]

    def of(self, source: str) -> tuple[int, int, int, int]:
        """Leads, those who came, visits and visits longer than half an hour."""
        came = [phone for phone, told in self.visitors if told == source and self.minutes[phone] >= 2]
        long = [phone for phone in came if self.minutes[phone] > 30]
        return sum(told == source for _, told in self.leads), len(came), len(came), len(long)

    def price(self, source: str, count: int) -> str:
        """«1234,56», "" of none."""
        if not count or source not in self.spent:
            return ""
        each = (Decimal(self.spent[source]) / 100 / count).quantize(Decimal("0.01"), ROUND_HALF_UP)
        return f"{each}".replace(".", ",")

    async def put_in(self, desk: Desk) -> Talk:
        await seed_accounts(desk.database)
        hall = Hall(desk.database)
        await hall.save(*(lead(phone, first=Marks(source=source), days=-2) for phone, source in self.leads))
        await hall.hold([self._viewer(phone) for phone, _ in self.visitors])
        rows = [call_row(number, started_at=START - timedelta(days=1)) for number in range(self.answered)]
        rows += [
            bare(100 + number, "missed", outcome="missed", started_at=START - timedelta(days=1))
            for number in range(self.missed)
        ]
        await put(desk.database, calls, *rows)
        talk = Talk(desk, OWNER)
        await talk.say(f"/spend {SOURCES[0]} 777 ₽ 16 ноября")  # what is told once more in its place
        await talk.press(talk.keyboard()[0][0])
        for source, amount in self.spent.items():
            await talk.say(f"/spend {source} {amount // 100},{amount % 100:02} ₽ 15–19 ноября")
            await talk.press(talk.keyboard()[0][0])
        await self._houses(desk.database)
        return talk

    def _viewer(self, phone: str) -> Viewer:
        return viewer(phone, minutes=(0, self.minutes[phone]))

    async def _houses(self, database: Database) -> None:
        store = DirectoryStore(database)
        generation = await store.begin(1, DirectoryList.HOUSES)
        await store.add_houses(1, generation, [self._house(number) for number in range(len(self.houses))])
        await store.complete(1, DirectoryList.HOUSES, generation, now=START)

    def _house(self, number: int) -> House:
        flats, company = self.houses[number]
        values = {
            HouseField.ADDRESS: f"ул. Мира, {number + 1}",
            HouseField.FLATS: str(flats or ""),
            HouseField.COMPANY: company,
        }
        return House(
            external_id=str(number + 1), title=f"Дом {number}", values={name: told for name, told in values.items() if told}
        )


@pytest.mark.parametrize("seed", SEEDS)
async def test_what_is_stored_is_what_is_shown(desk: Desk, seed: int) -> None:
    company = Company(seed)
    talk = await company.put_in(desk)
    await screens_agree(company, talk)
    await files_agree(company, talk, desk)
    await digest_agrees(company, desk)
    await company_agrees(company, talk, desk)
    await directory_agrees(company, talk, desk)


def flat(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", "")


def section(text: str, name: str) -> str:
    """Of a screen, the part about ``name``."""
    return next(part for part in f"{text}\n".split("\n\n") if part.startswith(name))


async def screens_agree(company: Company, talk: Talk) -> None:
    screen, month = flat(await talk.say("/conversions источники")), flat(await talk.say("/spend"))
    results = (await talk.inline("конверсии по источникам")).results
    inline = [flat(one.description or "") for one in results if isinstance(one, InlineQueryResultArticle)]
    for source in SOURCES:
        leads, came, visits, long = company.of(source)
        if not leads:
            continue
        shown = section(screen, source)
        assert f"дошли {came} из {leads} " in shown
        assert any(f"дошли {came} из {leads} " in told for told in inline)
        prices = {"лид": leads, "дошедший": came, "просмотр дольше 30 мин": long}
        for surface in (shown, section(month, source)) if source in company.spent else ():
            for name, count in prices.items():
                if count:
                    assert f"{name} {company.price(source, count)}".removesuffix(",00") in surface
        assert (visits > 0) == ("посещени" in shown)


async def exported(name: str, desk: Desk) -> AsyncIterator[dict[str, object]]:
    """The rows of an export of the last thirty days."""
    export = find_export(name)
    assert export is not None
    ground = Ground(database=desk.database, account_id=1, reader=desk.reader(1, private=True))
    days = Days(first=TODAY - timedelta(days=29), last=TODAY, zone=MOSCOW)
    async for rows in export.slices(ground, days):
        for row in rows:
            yield dict(zip(export.columns, row, strict=True))


async def files_agree(company: Company, talk: Talk, desk: Desk) -> None:
    await talk.press("fcsv:s:30")
    file = (await wanted(desk))[-1].files[0]
    table = csv.DictReader(io.StringIO((desk.data_dir / file.path).read_text(encoding="utf-8-sig")), delimiter=";")
    told = {row["utm_source"]: row for row in table}
    places = {str(row["figure_name"]): row async for row in exported("sources", desk)}
    for source in SOURCES:
        leads, came, visits, long = company.of(source)
        if not leads and source not in company.spent:
            assert source not in told
            continue
        row = told[source]
        counts = ("total_leads", "leads_came", "webinar_attendees", "watched_30min_plus")
        assert [int(row[name]) for name in counts] == [leads, came, visits, long]
        assert row["cost_per_lead"] == company.price(source, leads)
        assert row["cost_per_came"] == company.price(source, came)
        place = places[source]
        assert [place[name] for name in counts] == [leads, came, visits, long]
        assert f"{place['cost_per_lead'] or ''}".replace(".", ",") == row["cost_per_lead"]

    paid = [int(str(row["amount"])) async for row in exported("spend", desk)]
    assert sum(paid) == sum(company.spent.values())


async def digest_agrees(company: Company, desk: Desk) -> None:
    now = START + timedelta(days=2)
    sources = DigestSources(database=desk.database)
    facts = await gather(sources, 1, kind=DigestKind.WEEKLY, parts=frozenset(DigestPart), now=now, zone=MOSCOW)
    card = flat(as_text(digest_card(facts, desk.reader(1, private=True), full=True, key="x")))
    incoming = company.answered + company.missed
    for line in (
        f"Звонки: {incoming}", f"Входящие: {incoming}", f"Пропущено: {company.missed}", f"Новые лиды: {len(company.leads)}",
    ):  # fmt: skip
        assert line in card.replace("• ", "").split("\n")
    assert f"пришли {len(company.visitors)}" in card
    (day,) = [day for day in facts.days if day.day == (START - timedelta(days=1)).date()]
    assert (day.incoming, day.missed) == (incoming, company.missed)


async def company_agrees(company: Company, talk: Talk, desk: Desk) -> None:
    """The screen and the file name the same figures with the same words."""
    said = flat(await talk.say("/company 30")).replace("• ", "").split("\n")
    spent = Decimal(sum(company.spent.values())) / 100
    assert f"Расход на рекламу: {spent:.2f}₽".replace(".", ",").replace(",00₽", "₽") in said
    assert {f"Звонки: {company.answered + company.missed}", f"Новые лиды: {len(company.leads)}"} <= set(said)
    told = [row async for row in exported("company", desk)]
    assert len({row["figure"] for row in told}) == len(Indicator)
    assert {flat(f"{row['figure']}: {row['shown']}") for row in told} <= set(said)


async def directory_agrees(company: Company, talk: Talk, desk: Desk) -> None:
    """Sums by managing company are the totals, and a list of the API adds up to its statistics."""
    said = figures(await statistics(desk.database, 1))
    listed = [json.loads(house(line)) for line in await houses(desk.database, 1)]
    flats = sum(one["flats"] or 0 for one in listed)
    assert flats == sum(number or 0 for number, _ in company.houses)
    total = said["houses"]
    assert isinstance(total, dict)
    assert (total["total"], total["flats"]) == (len(listed), flats) == (len(company.houses), flats)
    by_company = said["management_companies"]
    assert isinstance(by_company, list)
    assert sum(one["houses"] for one in by_company) == len(company.houses)
    assert sum(one["flats"] for one in by_company) == flats
    lines = [(row["houses"], row["flats"]) async for row in exported("statistics", desk) if row["houses"] is not None]
    assert lines[0] == (len(listed), flats)
    assert tuple(map(sum, zip(*lines[1:], strict=True))) == lines[0]  # those of each managing company
    assert [row["flats"] async for row in exported("houses", desk)] == [one["flats"] for one in listed]
    screen = flat(await talk.say("/stats")).split("\n")
    assert f"Дома: {len(listed)}" in screen
    assert any(line.startswith(f"• квартир: {flats}") for line in screen)
