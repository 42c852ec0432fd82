"""The company's figures and who waits, in the chat: by command, by words, by taps."""

from datetime import timedelta
from decimal import Decimal

import pytest

from handlers.analytics.company import GROUPS, Indicator, Measured, name_of, shown
from handlers.desk import Desk
from handlers.texts import load_texts
from handlers.wording import Reader
from storage.queries.spend import Cost
from tests.digests.company import MOSCOW, call, lead, missed, put_in
from tests.ground import HandClock
from tests.handlers.chat import GROUP, Talk
from tests.handlers.conftest import Golden

TODAY = HandClock().now().astimezone(MOSCOW).replace(hour=0, minute=0)
TEXTS = load_texts()


@pytest.fixture
async def busy(owner: Talk, desk: Desk) -> Talk:
    """A day with six missed calls of five numbers, one of which was called back, and two leads."""
    nine = TODAY + timedelta(hours=9)
    lost = [missed(nine + timedelta(minutes=n), n, client_name="Елена" if n == 4 else "") for n in range(5)]
    lost.append(missed(nine + timedelta(minutes=30), 9, client_phone="79000000004"))
    talks = [call(nine + timedelta(hours=1), 10, direction="outgoing", client_phone="79000000000", duration_s=130)]
    talks += [call(nine + timedelta(hours=2, minutes=n), 20 + n) for n in range(4)]
    leads = [lead(nine, 1, status="new", person_id=7), lead(nine + timedelta(minutes=1), 2, status="new")]
    await put_in(desk.database, [*lost, *talks, call(nine - timedelta(days=20), 90)], leads)
    return owner


async def test_the_figures_and_how_they_are_counted(busy: Talk, golden: Golden) -> None:
    golden("company", (await busy.say("/company")).removeprefix("> "))
    assert busy.keyboard() == [["cmp:7", "cmp:30", "cmp:90"], ["cmphow:7"]]
    golden("company_how", (await busy.press("cmphow:7")).removeprefix("> "))
    assert "Входящие: 11" in await busy.press("cmp:30")


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("/показатели", "📊 Показатели · 14–20 ноября"),
        ("/company вчера", "📊 Показатели · 19 ноября"),
        ("/company за октябрь", "📊 Показатели · октябрь 2026"),
        ("показатели за неделю", "📊 Показатели · 14–20 ноября"),
        ("Показатели компании с 1 по 7 ноября", "📊 Показатели · 1–7 ноября"),
    ],
)
async def test_a_period_is_understood(owner: Talk, words: str, first: str) -> None:
    said = (await owner.say(words)).removeprefix("> ").splitlines()
    assert said[0] == first
    assert not any("Не понял" in line for line in said)


async def test_what_is_not_understood_is_named(owner: Talk) -> None:
    assert "Не понял «31.02»" in await owner.say("/company 31.02")
    assert await owner.say("показатели", chat=GROUP) == ""


async def test_who_waits_is_opened_by_a_tap(busy: Talk) -> None:
    said = await busy.press("debt:calls")
    assert said.splitlines()[0] == "> ⏳ Не перезвонили: 4"
    assert "1. сегодня 09:30 · Елена, +7 900 000-00-04 · 2 звонка" in said
    assert [len(row) for row in busy.keyboard()] == [4]
    assert busy.keyboard()[0][0].startswith("call:")
    assert "+7 900 ···" in await busy.press("debt:calls", chat=GROUP)
    assert "Лиды без контакта: 2" in await busy.press("debt:leads")
    (alone, known) = busy.keyboard()
    assert [button.partition(":")[0] for button in alone] == ["ltake"]
    assert known[0] == "lcard:7"
    assert known[1].startswith("ltake:")


async def test_nobody_waits(owner: Talk) -> None:
    assert await owner.press("debt:leads") == "> ✅ Никто не ждёт"


@pytest.mark.parametrize(
    ("indicator", "measured", "text"),
    [
        (Indicator.CALLS, Measured(number=1204), "1\u00a0204"),
        (Indicator.OVERDUE, Measured(), "—"),
        (Indicator.MISSED_SHARE, Measured(number=Decimal("33.33"), sample=3), "мало данных (3)"),
        (Indicator.MISSED_SHARE, Measured(number=Decimal("7.46"), sample=67), "7,5\u00a0%"),
        (Indicator.MISSED_SHARE, Measured(number=Decimal("10.00"), sample=20), "10\u00a0%"),
        (Indicator.BACK_MEDIAN, Measured(number=Decimal("11.6"), sample=9), "12 мин"),
        (Indicator.TALK, Measured(number=Decimal("252.0")), "4 ч 12 мин"),
        (Indicator.TALK, Measured(number=Decimal(120)), "2 ч"),
        (Indicator.ADS, Measured(money=(Cost(amount=4_000_000, currency="RUB"), Cost(amount=150, currency="USD"))),
         "40\u00a0000\u00a0₽ · 1,50\u00a0$"),
        (Indicator.ADS, Measured(), "—"),
        (Indicator.MODELS, Measured(number=1_250_000), "$1,25"),
    ],
)  # fmt: skip
def test_a_figure_is_shown_in_its_unit(reader: Reader, indicator: Indicator, measured: Measured, text: str) -> None:
    assert shown(reader, indicator, measured) == text


def test_every_figure_has_a_name_a_definition_and_one_group(reader: Reader) -> None:
    listed = [indicator for group in GROUPS.values() for indicator in group]
    assert sorted(listed) == sorted(Indicator)
    assert all(name_of(reader, one) and f"company.how.{one}" in TEXTS.entries for one in Indicator)
