"""Money told in words on both databases: counted once, in place of what it stands for, and never after it was taken back."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from domain.spending import Ad, EntryState, SpendEntry
from storage.engine import Database
from storage.models import spend
from storage.queries.spend import spending
from storage.rollups import Dimension
from storage.spend_entries import SpendEntries, known_ads, spent_between
from tests.handlers.seed import put, seed_accounts

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 7)
ENTRY = SpendEntry(
    amount=40_000_00, currency="RUB", first=FIRST, last=LAST, ad=Ad(source="google", direction="Ремонт", creative="Кухня")
)


async def counted(database: Database) -> int:
    found = await spending(database, 1, Dimension.SOURCE, first=date(2026, 1, 1), last=date(2026, 12, 31))
    return sum(cost.amount for cost in found.total)


async def test_counted_once_and_taken_back(database: Database) -> None:
    await seed_accounts(database)
    table = {
        "account_id": 1, "key": "k", "day": "2026-11-07", "amount": 100, "currency": "RUB", "source": "import",
        "utm_source": "GOOGLE", "direction_id": None, "creative_id": None, "created_at": NOW,
    }  # fmt: skip
    await put(database, spend, table, table | {"key": "other", "utm_source": "vk"})
    entries = SpendEntries(database)
    number = await entries.draft(1, ENTRY, NOW)
    assert await counted(database) == 200
    assert await entries.enter(1, number, NOW, instead=True)
    assert not await entries.enter(1, number, NOW, instead=True)
    assert await counted(database) == 40_000_00 + 100
    assert (await known_ads(database, 1, ZoneInfo("Europe/Moscow"))).sources == ("google", "vk")
    by = (await spending(database, 1, Dimension.DIRECTION, first=FIRST, last=LAST)).by
    assert sorted(cost.amount for costs in by.values() for cost in costs) == [100, 40_000_00]

    other = await entries.draft(1, replace(ENTRY, amount=50, first=LAST, edits=number), NOW)
    spent = await spent_between(database, 1, "RUB", first=FIRST, last=LAST, without=number)
    assert [(one.key, one.replaced_by) for one in spent] == [("k", None), ("other", None)]
    assert await entries.enter(1, other, NOW, instead=False)
    assert await counted(database) == 50 + 200
    assert [entry.id for entry in (await entries.listed(1, limit=5))[0]] == [other]
    assert await entries.take_out(1, other, NOW)
    assert not await entries.take_out(1, other, NOW)
    assert await counted(database) == 200
    assert await entries.again(1, other, NOW)
    draft = await entries.get(1, other)
    assert draft is not None
    assert (draft.state, draft.edits, draft.amount) == (EntryState.DRAFT, None, 50)
    assert await entries.get(2, other) is None


async def test_what_a_later_entry_stands_for_is_not_counted_beside_it(database: Database) -> None:
    """A, X in its place, Y in the place of X: without X it is still Y's money, on the days that Y tells of."""
    await seed_accounts(database)
    entries = SpendEntries(database)

    async def enter(amount: int, *, days: int = 2, edits: int | None = None, instead: bool = True) -> int:
        told = replace(ENTRY, amount=amount, first=FIRST, last=date(2026, 11, days), edits=edits)
        number = await entries.draft(1, told, NOW)
        assert await entries.enter(1, number, NOW, instead=instead)
        return number

    await enter(200)
    between = await enter(240)
    last = await enter(130, days=1)
    assert await counted(database) == 130 + 120
    spent = await spent_between(database, 1, "RUB", first=FIRST, last=LAST, without=between)
    assert [(one.day.day, one.amount, one.replaced_by) for one in spent] == [(1, 100, last), (1, 130, None), (2, 100, None)]
    edited = await enter(260, edits=between, instead=False)
    assert await counted(database) == 130 + 100 + 260
    assert await entries.take_out(1, edited, NOW)
    assert await counted(database) == 130 + 100
    assert await entries.take_out(1, last, NOW)
    assert await counted(database) == 200
