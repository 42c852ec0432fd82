"""The company's figures over HTTP: those of /company, for days that make sense, behind the right that opens them."""

from datetime import date

import pytest

from domain.access import Scope
from handlers.analytics.company import Indicator
from storage.models import calls, spend
from tests.bot.api_door import Door, api
from tests.handlers.seed import bare, call_row, put
from tests.handlers.test_spending import paid

PATH = "/api/dashboard/figures"
__all__ = ["api"]


async def test_what_the_chat_says_in_json(api: Door) -> None:
    at = api.clock.now()
    day = at.date()
    await put(
        api.database,
        calls,
        *(call_row(n, started_at=at) for n in range(3)),
        bare(9, "missed", outcome="missed", started_at=at),
    )
    await put(api.database, spend, paid(40_000_50, f"{day}"), paid(7_00, f"{day}", currency="USD"))
    status, told, _ = await api.ask(f"{PATH}?first={day}&last={day}")
    assert (status, told["period"], told["zone"]) == (200, {"first": f"{day}", "last": f"{day}"}, "Europe/Moscow")
    figures = {one["name"]: one for one in told["figures"]}
    assert list(figures) == [one.value for one in Indicator]
    assert (figures["calls"]["number"], figures["missed"]["number"], figures["calls"]["title"]) == (4, 1, "Звонки")
    assert (figures["missed_share"]["shown"], figures["missed_share"]["sample"]) == ("мало данных (4)", 4)
    assert figures["ads"]["money"] == [{"minor": 40_000_50, "currency": "RUB"}, {"minor": 7_00, "currency": "USD"}]
    assert figures["ads"]["how"].startswith("внесённый за эти дни")
    assert figures["overdue"]["number"] is None


async def test_conversions_and_prices(api: Door) -> None:
    await put(api.database, spend, paid(40_000_50, f"{api.clock.now().date()}", utm_source="vk"))
    status, told, _ = await api.ask("/api/dashboard/conversions?by=source")
    assert (status, told["by"], told["loading"]) == (200, "source", False)
    assert [(row["name"], row["leads"], row["percent"]) for row in told["rows"]] == [("vk", 0, None)]
    assert told["total"]["spend"] == [{"minor": 40_000_50, "currency": "RUB"}]
    assert told["rows"][0]["prices"]["lead"] == []
    assert any("Расход" in line for line in told["how"])
    status, told, _ = await api.ask("/api/dashboard/conversions?by=weather")
    assert (status, told["field"]) == (400, "by")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("first=2026-11-07&last=2026-11-01", "last"),
        ("first=2026-11-01", "last"),
        ("last=2026-11-01", "first"),
        ("first=2026-02-31&last=2026-03-01", "first"),
        ("first=01.11.2026&last=2026-11-02", "first"),
        ("first=0001-01-01&last=2026-11-02", "first"),
        ("first=2020-01-01&last=2026-11-02", "last"),
        ("first=2026-11-01&first=2026-11-01&last=2026-11-02", "first"),
        ("days=7", "days"),
    ],
)
async def test_days_that_make_no_period(api: Door, query: str, field: str) -> None:
    status, told, _ = await api.ask(f"{PATH}?{query}")
    assert (status, told["code"], told["field"]) == (400, "bad_parameter", field)


async def test_the_last_thirty_days_for_those_who_may(api: Door) -> None:
    status, told, _ = await api.ask(PATH)
    assert status == 200
    first, last = (date.fromisoformat(told["period"][name]) for name in ("first", "last"))
    assert (last - first).days == 29
    other = await api.key(Scope.DIRECTORY, name="Склад")
    status, told, _ = await api.ask(PATH, Authorization=f"Bearer {other}")
    assert (status, told["scope"]) == (403, "statistics")
