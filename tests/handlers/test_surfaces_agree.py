"""A thousand companies made up at random: every surface, read back number by number, says what plain counting says."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from bot.http.api.conversions import conversions_in_json
from bot.http.api.figures import in_json
from domain.attendance import Turnout
from domain.digests import DigestKind, DigestPart
from domain.messages import Message, Section, as_text
from handlers.analytics.answers import COST_HEADER, HEADER, cells_of, cost_cells
from handlers.analytics.catalogue import CONVERSIONS, FEW, Counted, Figure, last_days
from handlers.analytics.company import CompanyFigures, Indicator, Measured, Unit, name_of
from handlers.analytics.company_screens import company_screen
from handlers.analytics.screens import MOST_ROWS, bars, figure_screen, inline_items
from handlers.digests.card import digest_card
from handlers.digests.facts import DigestFacts, HeldWebinar
from handlers.exports.catalogue import columns_of, find_export
from handlers.exports.columns import cells_of as exported_cells
from handlers.exports.gathered import figure_rows
from handlers.sheets import cell
from handlers.spend.month import month_screen
from handlers.texts import load_texts
from handlers.wording import Reader
from storage.queries.conversions import ConversionRow
from storage.queries.registered import Registered
from storage.queries.spend import Cost, Spending
from storage.queries.webinars import WebinarLine

SETS = 1000
MOSCOW = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
READER = Reader(texts=load_texts(), now=NOW, zone=MOSCOW, private=False)
PERIOD = last_days(30, date(2026, 11, 28))
EXPORTS = {
    Figure.DIRECTION: "directions", Figure.CREATIVE: "creatives", Figure.SOURCE: "sources", Figure.PARTNER: "partners",
    Figure.TOP: "top",
}  # fmt: skip
SIGNS = {"₽": "RUB", "$": "USD", "€": "EUR"}
PAID = {"лид": "lead", "запись": "registration", "дошедший": "came", "просмотр дольше 30 мин": "long"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """A row by the rules of a school: halves go up, nothing is divided by none."""

    leads: int
    came: int
    visits: int
    long: int
    percent: Decimal | None
    minutes: Decimal | None
    spent: tuple[tuple[str, Decimal], ...]
    prices: tuple[tuple[str, str, Decimal], ...]


def half_up(number: Fraction, digits: str = "0.01") -> Decimal:
    return (Decimal(number.numerator) / number.denominator).quantize(Decimal(digits), ROUND_HALF_UP)


def truth(found: Counted, row: ConversionRow) -> Truth:
    registered = found.registered.total if row is found.total else found.registered.by.get(row.key, 0)
    counts = {"lead": row.leads, "registration": registered, "came": row.came, "long": row.long_visits}
    costs = found.spending.total if row is found.total else found.spending.by.get(row.key, ())
    spent = tuple((cost.currency, Decimal(cost.amount) / 100) for cost in costs)
    prices = tuple(
        (currency, name, half_up(Fraction(amount) / count))
        for currency, amount in spent
        for name, count in counts.items()
        if count
    )
    return Truth(
        leads=row.leads, came=row.came, visits=row.visits, long=row.long_visits, spent=spent, prices=prices,
        percent=half_up(Fraction(100 * row.came, row.leads)) if row.leads else None,
        minutes=half_up(Fraction(row.watch_sec, 60 * row.visits)) if row.visits else None,
    )  # fmt: skip


def conversions(chance: Random) -> Counted:
    figure = chance.choice(list(Figure))
    rows = tuple(row(chance, str(number)) for number in range(chance.randrange(MOST_ROWS + 3)))
    names = ("leads", "came", "visits", "watch_sec", "long_visits")
    total = ConversionRow(key="", name="", **{name: sum(getattr(one, name) for one in rows) for name in names})
    told = figure in {Figure.DIRECTION, Figure.CREATIVE, Figure.SOURCE}
    by = {one.key: costs(chance) for one in rows if told and chance.random() < 0.6}
    money: dict[str, int] = {}
    for cost in (cost for some in by.values() for cost in some):
        money[cost.currency] = money.get(cost.currency, 0) + cost.amount
    made = {one.key: chance.randrange(60) for one in rows} if money else {}
    return Counted(
        figure=figure, period=PERIOD, zone=MOSCOW.key, rows=rows, total=None if figure is Figure.TOP else total,
        counted_at=NOW, registered=Registered(by=made, total=sum(made.values())),
        spending=Spending(by=by, total=tuple(Cost(amount=money[one], currency=one) for one in sorted(money))),
    )  # fmt: skip


def row(chance: Random, key: str) -> ConversionRow:
    leads = chance.choice((0, 1, 3, 7, 60, 1200, 34_567))
    came = chance.randint(0, leads)
    visits = chance.randint(came, 3 * came)
    name = "".join(chance.choices("абвxyz-=+", k=6)) + key
    watched = visits * chance.randint(120, 9000) + visits // 2
    return ConversionRow(
        key=key, name=name, leads=leads, came=came, visits=visits, watch_sec=watched,
        long_visits=chance.randint(0, visits),
    )  # fmt: skip


def costs(chance: Random) -> tuple[Cost, ...]:
    currencies = sorted(chance.sample(("RUB", "USD", "EUR"), chance.randint(1, 2)))
    return tuple(Cost(amount=chance.choice((1, 99, 100, 40_000_00, 12_345_67)), currency=one) for one in currencies)


def number_of(text: str) -> Decimal:
    return Decimal(re.sub(r"[^\d,−]", "", text).replace(",", ".").replace("−", "-"))


def lines_of(section: Section) -> list[str]:
    return as_text(Message(key="", sections=(section,))).split("\n")


def money_of(text: str) -> tuple[str, Decimal]:
    return SIGNS[text[-1]], number_of(text[:-1])


def costs_said(parts: list[str]) -> tuple[list[tuple[str, Decimal]], list[tuple[str, str, Decimal]]]:
    """What «расход 40 000 ₽», «лид 250 ₽» say."""
    spent, prices = [], []
    for part in parts:
        read = re.fullmatch(r"(.+?) (\d[\d\u00a0]*(?:,\d\d)?\u00a0\S)", part)
        assert read is not None, part
        if read[1] == "расход":
            spent.append(money_of(read[2]))
        else:
            currency, value = money_of(read[2])
            prices.append((currency, PAID[read[1]], value))
    return spent, prices


def check_screen(found: Counted, section: Section, expected: Truth) -> None:
    head, *lines = lines_of(section)
    if found.figure is Figure.TOP:
        parts = lines[0].split(" · ")
        assert number_of(parts[0]) == expected.visits
        assert number_of(parts[-1].partition(":")[2]) == expected.long
        return
    if expected.leads:
        came, leads = re.findall(r"\d[\d\u00a0]*", lines[0].split(" · ")[0])
        assert [number_of(came), number_of(leads)] == [expected.came, expected.leads]
        visits = re.search(r"· (\d[\d\u00a0]*)\s+посещени", lines[0])
        assert (number_of(visits[1]) if visits else 0) == expected.visits
    if expected.leads >= FEW:
        assert number_of(head.rpartition(" — ")[2]) == expected.percent
    else:
        assert "%" not in head
    spent, prices = costs_said(lines[-1].split(" · ")) if expected.spent else ([], [])
    assert (tuple(spent), tuple(prices)) == (expected.spent, expected.prices)


def check_file(found: Counted, record: dict[str, str], expected: Truth) -> None:
    """As Excel set up for Russian reads it."""
    counts = [record[name] for name in ("total_leads", "leads_came", "webinar_attendees", "watched_30min_plus")]
    assert [int(one) for one in counts] == [expected.leads, expected.came, expected.visits, expected.long]
    for name, value in (("conversion_rate_percent", expected.percent), ("avg_watch_minutes", expected.minutes)):
        assert record[name] == ("" if value is None else f"{value:.2f}".replace(".", ","))
    if "spend" not in record or not found.spending.total:
        return
    assert record["currency"] == ", ".join(currency for currency, _ in expected.spent)
    assert listed(record["spend"]) == [value for _, value in expected.spent]
    for name, column in zip(PAID.values(), COST_HEADER[3:], strict=True):
        assert listed(record[column]) == [value for _, of, value in expected.prices if of == name]


def listed(text: str) -> list[Decimal]:
    """A sum, or one of each currency: «100,00», «100.00, 7.50»."""
    if ", " in text:
        return [Decimal(one) for one in text.split(", ")]
    return [Decimal(text.replace(",", "."))] if text else []


def check_json(one: dict[str, Any], expected: Truth) -> None:
    """What other programs are answered."""
    counts = [one[name] for name in ("leads", "came", "visits", "watched_30min_plus")]
    assert counts == [expected.leads, expected.came, expected.visits, expected.long]
    numbers = [None if value is None else float(value) for value in (expected.percent, expected.minutes)]
    assert [one["percent"], one["avg_watch_minutes"]] == numbers
    assert [(cost["currency"], Decimal(cost["minor"]) / 100) for cost in one["spend"]] == list(expected.spent)
    prices = [
        (cost["currency"], name, Decimal(cost["minor"]) / 100) for name, some in one["prices"].items() for cost in some
    ]
    assert sorted(prices) == sorted(expected.prices)


def files_of(found: Counted) -> Iterator[list[dict[str, str]]]:
    """The file below the screen, and the export."""
    header = ("name", *HEADER, *(COST_HEADER if found.spending.total else ()))
    rows = [(one.name, *cells_of(one), *cost_cells(found, one)) for one in found.rows]
    yield [dict(zip(header, [str(cell(value, MOSCOW)) for value in one], strict=True)) for one in rows]
    export = find_export(EXPORTS[found.figure])
    assert export is not None
    columns = columns_of(export, READER.texts, named=True)
    turned = map(exported_cells(columns), figure_rows(READER, found))
    names = [column.name for column in columns]
    yield [dict(zip(names, [str(cell(value, MOSCOW)) for value in one], strict=True)) for one in turned]


def check_month(found: Counted, expected: dict[str, Truth]) -> None:
    """Where there is money every ad has its own, and its prices."""
    sections = month_screen(READER, found).sections
    paid = {name: one for name, one in expected.items() if one.spent}
    assert len(sections) - 1 == min(len(paid), MOST_ROWS) + (len(paid) > MOST_ROWS)
    for section in sections[1 : 1 + min(len(paid), MOST_ROWS)]:
        head, *lines = lines_of(section)
        name, _, money = head.partition(" — ")
        assert tuple(money_of(one) for one in money.split(" · ")) == paid[name].spent
        parts = [part for line in lines for part in line.split(" · ") if part != "лидов нет"]
        assert tuple(costs_said(parts)[1]) == paid[name].prices


def check_conversions(found: Counted) -> None:
    expected = [truth(found, one) for one in found.rows]
    screen = figure_screen(READER, found)
    shown = list(zip(screen.sections[1:], expected, strict=False))[: min(MOST_ROWS, len(expected))]
    for section, one in shown:
        check_screen(found, section, one)
    if found.total is not None and found.rows:
        whole = lines_of(screen.sections[0])
        total = truth(found, found.total)
        spent, prices = costs_said(whole[-1].split(" · ")) if total.spent else ([], [])
        assert (tuple(spent), tuple(prices)) == (total.spent, total.prices)
    inline = inline_items(READER, found)[1:]
    assert [one[1] for one in inline] == [" · ".join(lines_of(section)[1:]) for section, _ in shown]
    for (_, length, text), one in zip(bars(READER, found), expected, strict=False):
        drawn = one.visits if found.figure is Figure.TOP else (one.percent or 0) if one.leads >= FEW else 0
        assert length == float(drawn)
        assert not drawn or number_of(text) == drawn
    for records in files_of(found):
        for record, one in zip(records, expected, strict=True):
            check_file(found, record, one)
    answered = conversions_in_json(READER, found, attended_s=120)["rows"]
    assert isinstance(answered, list)
    for one, told in zip(answered, expected, strict=True):
        check_json(one, told)
    if found.figure in CONVERSIONS:
        check_month(found, {one.name: told for one, told in zip(found.rows, expected, strict=True)})


def test_conversions_and_money_agree() -> None:
    for seed in range(SETS):
        found = conversions(Random(seed))
        try:
            check_conversions(found)
        except ZeroDivisionError as error:
            raise AssertionError(f"set {seed}: {found}") from error


def company(chance: Random) -> CompanyFigures:
    calls = chance.choice((0, 3, 40, 1200, 98_765))
    incoming = chance.randint(0, calls)
    missed = chance.randint(0, incoming)
    numbers: dict[Indicator, Measured] = {one: Measured(number=chance.choice((0, 1, 4, 99, 12_345))) for one in Indicator}
    numbers |= {Indicator.CALLS: Measured(number=calls), Indicator.INCOMING: Measured(number=incoming)}
    numbers[Indicator.OUTGOING], numbers[Indicator.MISSED] = Measured(number=calls - incoming), Measured(number=missed)
    part = half_up(Fraction(100 * missed, incoming)) if incoming else None
    numbers[Indicator.MISSED_SHARE] = Measured(number=part, sample=incoming)
    for one in (Indicator.BACK_MEDIAN, Indicator.BACK_AVERAGE, Indicator.CONTACT_MEDIAN):
        sample = chance.choice((0, 2, 5, 80))
        numbers[one] = Measured(number=Decimal(chance.randint(0, 90_000)) / 10 if sample else None, sample=sample)
    numbers[Indicator.TALK] = Measured(number=Decimal(chance.randint(0, 900_000)) / 10)
    numbers[Indicator.ADS] = Measured(money=costs(chance) if chance.random() < 0.7 else ())
    numbers[Indicator.OVERDUE] = Measured(number=chance.choice((None, 0, 7)))
    return CompanyFigures(period=PERIOD, zone=MOSCOW.key, counted_at=NOW, short_s=10, values=numbers)


def check_shown(indicator: Indicator, measured: Measured, text: str) -> None:
    """What is read back is the figure, as far as its digits go."""
    if indicator.unit is Unit.MONEY:
        told = [money_of(one) for one in text.split(" · ")] if text != "—" else []
        assert told == [(cost.currency, Decimal(cost.amount) / 100) for cost in measured.money]
    elif measured.number is None:
        assert text == "—"
    elif measured.sample is not None and measured.sample < FEW:
        assert text == f"мало данных ({measured.sample})"
    elif indicator.unit is Unit.MINUTES:
        hours, minutes = (re.search(rf"(\d[\d\u00a0]*) {unit}", text.replace("\u00a0ч", " ч")) for unit in ("ч", "мин"))
        read = (60 * number_of(hours[1]) if hours else Decimal(0)) + (number_of(minutes[1]) if minutes else Decimal(0))
        assert abs(read - measured.number) <= Decimal("0.5")
    elif indicator.unit is Unit.DOLLARS:
        last_digit = Decimal(10) ** (6 - len(text.partition(",")[2]))
        assert abs(number_of(text) * 10**6 - measured.number) <= last_digit / 2
    elif indicator.unit is Unit.PERCENT:
        assert abs(number_of(text) - measured.number) <= Decimal("0.05")
    else:
        assert number_of(text) == measured.number


def said_in(text: str, figures: CompanyFigures) -> int:
    """How many figures have a line of their own there; each says what it is."""
    named = dict(line.removeprefix("• ").partition(": ")[::2] for line in text.split("\n"))
    told = {one: named[name] for one in Indicator if (name := name_of(READER, one)) in named}
    for indicator, value in told.items():
        check_shown(indicator, figures[indicator], value)
    return len(told)


def check_company(figures: CompanyFigures, chance: Random) -> None:
    """Each figure that the whole digest names, and those of the short one."""
    came, registered, hot = (int(figures.number(one)) for one in (Indicator.CAME, Indicator.REGISTERED, Indicator.HOT))
    turnout = Turnout(registered=registered, came=came, attended=0, stayed=0, long=0, hot=hot, warm=0, matched=0, no_show=0)
    line = WebinarLine(
        id=1,
        external_id="1",
        room_id="r",
        title="Вебинар",
        started_at=NOW,
        minutes=60,
        live=True,
        state="complete",
        report_at=NOW,
        attendees=came,
    )
    held = (HeldWebinar(line=line, turnout=turnout, waiting=0),) * chance.randint(0, 1)
    facts = DigestFacts(kind=DigestKind.WEEKLY, parts=frozenset(DigestPart), figures=figures, webinars=held)
    full = as_text(digest_card(facts, READER, full=True, key="x"))
    assert said_in(full, figures) >= 10
    answered = in_json(READER, figures, attended_s=120)["figures"]
    assert isinstance(answered, list)
    for one, (indicator, measured) in zip(answered, figures.values.items(), strict=True):
        check_shown(indicator, measured, one["shown"])
        assert one["number"] == (None if measured.number is None else float(measured.number))
        paid = [{"minor": cost.amount, "currency": cost.currency} for cost in measured.money]
        assert one["money"] == (paid if indicator.unit is Unit.MONEY else None)
    assert said_in(as_text(company_screen(READER, figures)), figures) == len(Indicator)
    short = as_text(digest_card(facts, READER, full=False, key="x"))
    calls = re.search(r"📞 (\d[\d\u00a0]*) звон\w+, пропущено (\d[\d\u00a0]*) из (\d[\d\u00a0]*)", short)
    read = [int(number_of(one)) for one in calls.groups()] if calls else [0]
    wanted = [figures.number(one) for one in (Indicator.CALLS, Indicator.MISSED, Indicator.INCOMING)]
    assert read == (wanted if wanted[0] else [0])
    leads = re.search(r"👤 (\d[\d\u00a0]*) нов", short)
    assert (int(number_of(leads[1])) if leads else 0) == figures.number(Indicator.LEADS)
    if held:
        said = re.search(r"пришли (\d[\d\u00a0]*)(?: из (\d[\d\u00a0]*))?, горячих (\d[\d\u00a0]*)", short)
        assert said is not None
        assert [int(number_of(one or "0")) for one in said.groups()] == [came, registered, hot]


def test_company_figures_agree() -> None:
    for seed in range(SETS):
        chance = Random(seed)
        figures = company(chance)
        try:
            check_company(figures, chance)
        except ZeroDivisionError as error:
            raise AssertionError(f"set {seed}: {figures}") from error
