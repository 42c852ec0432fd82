"""What a lead and one that came cost: beside the conversion, in the file, and never a sum of two currencies."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from domain.webinars import Marks
from handlers.desk import Desk
from storage.engine import Database
from storage.models import creatives, directions, leads, registrations, spend
from storage.queries.registered import registered
from storage.queries.spend import Cost, spending
from storage.rollups import Dimension
from tests.handlers.chat import MANAGER, Talk
from tests.handlers.seed import NOON, put, seed_accounts
from tests.handlers.test_figures import wanted
from tests.storage.hall import Hall, lead, viewer

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 21)


def paid(amount: int, day: str, **of: Any) -> dict[str, Any]:
    key = f"{day}{amount}{of}"
    row = {"account_id": 1, "key": key, "day": day, "amount": amount, "currency": "RUB", "source": "import"}
    return row | {"direction_id": None, "creative_id": None, "utm_source": "", "created_at": NOON} | of


def made(number: int, source: str, *, phone: str = "", at: datetime = NOON) -> dict[str, Any]:
    row = {"account_id": 1, "dedup_key": f"r{number}", "source": "hook", "created_at": at, "matched_by": "none"}
    return row | {"utm_source": source, "phone_key": phone, "lead_id": None}


async def seed_names(database: Database) -> None:
    await put(database, directions, {"id": 1, "account_id": 1, "name": "Ремонт", "created_at": NOON})
    creative = {"id": 5, "account_id": 1, "title": "Кухня", "direction_id": 1, "created_at": NOON}
    await put(database, creatives, creative)


@pytest.fixture
async def talk(desk: Desk) -> Talk:
    await seed_accounts(desk.database)
    hall = Hall(desk.database)
    await seed_names(desk.database)
    await hall.save(
        *(lead(f"7999000000{n}", first=Marks(source="VK")) for n in range(6)),
        *(lead(f"7999000001{n}", direction_id=1, first=Marks(source="google")) for n in range(2)),
    )
    await hall.hold([viewer("79990000000", minutes=(0, 31)), viewer("79990000001"), viewer("79990000002")])
    await put(
        desk.database, registrations, *(made(n, "vk") for n in range(4)), made(4, "", phone="79990000000"),
        made(5, "vk", at=NOON - timedelta(days=60)), made(6, "yandex"),
    )  # fmt: skip
    await put(
        desk.database, spend,
        paid(30_000_00, "2026-11-20", utm_source="vk"), paid(10_000_50, "2026-11-19", utm_source="VK "),
        paid(5_000_00, "2026-11-18", utm_source="yandex"), paid(7_00, "2026-11-18", creative_id=5, currency="USD"),
        paid(99_00, "2026-09-01", utm_source="vk"),
    )  # fmt: skip
    return Talk(desk, MANAGER)


async def test_each_source_says_what_it_cost(talk: Talk) -> None:
    said = (await talk.say("/conversions источники")).replace("\N{NO-BREAK SPACE}", " ")
    assert "vk — 50,00 %\nдошли 3 из 6 лидов" in said
    costs = "расход 40 000,50 ₽ · лид 6 666,75 ₽ · запись 10 000,13 ₽ · дошедший 13 333,50 ₽"
    assert f"{costs} · просмотр дольше 30 мин 40 000,50 ₽" in said
    assert "yandex — лидов нет\nрасход 5 000 ₽ · запись 5 000 ₽\n" in f"{said}\n"
    total = said.split("\n\n")[0]
    assert "расход 45 000,50 ₽ · лид 5 625,06 ₽ · запись 7 500,08 ₽" in total
    assert "расход 7" in total  # dollars, by themselves


async def test_a_creative_pays_for_its_direction_too(talk: Talk) -> None:
    for words, name in (("креативы", "Кухня"), ("направления", "Ремонт")):
        said = await talk.say(f"/conversions {words}")
        (section,) = (part for part in said.split("\n\n") if part.startswith(name))
        assert "расход 7" in section


async def test_money_without_leads_is_not_lost(talk: Talk) -> None:
    said = (await talk.say("/conversions источники за сентябрь")).replace("\N{NO-BREAK SPACE}", " ")
    assert "За эти дни лидов нет.\nрасход 99 ₽" in said
    assert "vk — лидов нет\nрасход 99 ₽" in said
    assert "из 0" not in said


async def test_without_expenses_nothing_is_said_of_them(talk: Talk) -> None:
    assert "расход" not in await talk.say("/conversions за октябрь")
    assert "расход" not in await talk.say("/conversions партнёры")


async def test_the_file_and_the_definition_agree(talk: Talk, desk: Desk) -> None:
    await talk.press("fcsv:s:30")
    file = (await wanted(desk))[-1].files[0]
    rows = csv.DictReader(io.StringIO((desk.data_dir / file.path).read_text(encoding="utf-8-sig")), delimiter=";")
    vk = next(row for row in rows if row["utm_source"] == "vk")
    assert (vk["spend"], vk["currency"]) == ("40000,50", "RUB")
    assert (vk["registrations"], vk["cost_per_registration"]) == ("4", "10000,13")
    assert (vk["cost_per_lead"], vk["cost_per_came"], vk["cost_per_30min_plus"]) == ("6666,75", "13333,50", "40000,50")
    assert "разные валюты не складываются" in await talk.press("fhow:s:30")


async def test_registrations_on_both_databases(database: Database) -> None:
    """By the lead where there is one, else by what brought them to the page; days are those of the account's zone."""
    await seed_names(database)
    await Hall(database).save(lead("79990000001", direction_id=1, first=Marks(source="google")))
    async with database.read() as connection:
        lead_id = await connection.scalar(select(leads.c.id))
    known, edge = made(1, "VK ") | {"lead_id": lead_id}, datetime(2026, 10, 31, 21, tzinfo=UTC)
    rows = [known, made(2, "VK ", at=edge), made(3, "vk", at=edge - timedelta(seconds=1)), made(4, "")]
    await put(database, registrations, *rows, made(5, "vk") | {"account_id": 2})
    period = {"first": FIRST, "last": LAST, "zone": ZoneInfo("Europe/Moscow")}
    by_source = await registered(database, 1, Dimension.SOURCE, **period)
    assert (by_source.by, by_source.total) == ({"google": 1, "vk": 1, "": 1}, 3)
    assert (await registered(database, 1, Dimension.DIRECTION, **period)).by == {"1": 1, "": 2}
    assert (await registered(database, 1, Dimension.PARTNER, **period)).total == 0


async def test_sums_on_both_databases(database: Database) -> None:
    await seed_names(database)
    rows = [paid(100, "2026-11-01", direction_id=1), paid(50, "2026-11-21", creative_id=5), paid(7, "2026-11-02")]
    await put(database, spend, *rows, paid(1000, "2026-10-31", direction_id=1), paid(3, "2026-11-03", account_id=2))
    by_direction = await spending(database, 1, Dimension.DIRECTION, first=FIRST, last=LAST)
    assert by_direction.by == {"1": (Cost(amount=150, currency="RUB"),), "": (Cost(amount=7, currency="RUB"),)}
    assert (by_direction.names["1"], by_direction.total) == ("Ремонт", (Cost(amount=157, currency="RUB"),))
    by_creative = await spending(database, 1, Dimension.CREATIVE, first=FIRST, last=LAST)
    assert by_creative.by == {"5": (Cost(amount=50, currency="RUB"),), "": (Cost(amount=107, currency="RUB"),)}
    assert (await spending(database, 1, Dimension.PARTNER, first=FIRST, last=LAST)).total == ()


@pytest.mark.parametrize(("amount", "count", "each"), [(100, 3, 33), (200, 3, 67), (1, 2, 1), (5, 0, None)])
def test_a_share_is_rounded_half_up(amount: int, count: int, each: int | None) -> None:
    share = Cost(amount=amount, currency="RUB").per(count)
    assert (share.amount if share else None) == each
