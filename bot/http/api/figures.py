"""GET /api/dashboard/figures and conversions: what the company counts over some days, by what counts it for the chat."""

import re
from datetime import date, timedelta
from decimal import Decimal

from aiohttp import web
from multidict import MultiMapping

from bot.http.api.conversions import conversions_in_json, read_by
from bot.http.api.in_json import to_bytes
from bot.http.api.params import only_known
from bot.http.api.routes import Counting
from bot.http.refusal import bad_value
from domain.messages import Texts
from domain.ports import Clock
from handlers.analytics.catalogue import USUAL_DAYS, count, last_days
from handlers.analytics.company import CompanyFigures, Indicator, Measured, Unit, count_company, definition, name_of, shown
from handlers.calls.periods import FIRST_YEAR, LAST_YEAR, Period
from handlers.texts import load_texts
from handlers.wording import Reader
from storage.engine import Database
from storage.queries.settings import min_duration_s

MOST_DAYS = 366
_HEADERS = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_UNITS = {Unit.DOLLARS: "micro_usd"}


class Figures:
    """Counted anew for each request: a month of a hundred thousand calls takes parts of a second."""

    def __init__(self, database: Database, clock: Clock, counting: Counting) -> None:
        self._database, self._clock, self._counting = database, clock, counting
        self._texts: Texts = load_texts()

    async def conversions(self, request: web.Request, account_id: int) -> web.Response:
        counting, reader = self._counting, self._reader()
        period = read_period(request.query, reader.today, "by")
        figure = read_by(request.query)
        found = await count(self._database, account_id, figure, period, zone=counting.zone, now=reader.now)
        body = conversions_in_json(reader, found, attended_s=counting.attended_s)
        return web.Response(body=to_bytes(body), headers=_HEADERS)

    def _reader(self) -> Reader:
        return Reader(texts=self._texts, now=self._clock.now(), zone=self._counting.zone)

    async def figures(self, request: web.Request, account_id: int) -> web.Response:
        counting, reader = self._counting, self._reader()
        short_s = await min_duration_s(self._database, account_id, counting.short_s)
        found = await count_company(
            self._database,
            account_id,
            read_period(request.query, reader.today),
            zone=counting.zone,
            now=reader.now,
            short_s=short_s,
        )
        body = in_json(reader, found, attended_s=counting.attended_s)
        return web.Response(body=to_bytes(body), headers=_HEADERS)


def read_period(query: MultiMapping[str], today: date, *others: str) -> Period:
    """The last thirty days where none are named. Refusal for days that make no period. ``others``: parameters besides."""
    only_known(query, ("first", "last", *others))
    first, last = _day(query, "first"), _day(query, "last")
    if first is None and last is None:
        return last_days(USUAL_DAYS, today)
    if first is None or last is None:
        raise bad_value("last" if last is None else "first", "нужны оба дня: first и last")
    if last < first:
        raise bad_value("last", f"раньше, чем first; наоборот: first={last}&last={first}")
    if last - first >= timedelta(days=MOST_DAYS):
        raise bad_value("last", f"больше {MOST_DAYS} дней сразу не считается, спросите по частям")
    return Period(first=first, last=last)


def _day(query: MultiMapping[str], name: str) -> date | None:
    given = query.get(name)
    if given is None:
        return None
    try:
        if _DAY.fullmatch(given) and FIRST_YEAR <= (day := date.fromisoformat(given)).year <= LAST_YEAR:
            return day
    except ValueError:  # 31 февраля
        pass
    raise bad_value(name, f"нужен день вида 2026-11-01, пришло «{given[:20]}»")


def in_json(reader: Reader, found: CompanyFigures, *, attended_s: int) -> dict[str, object]:
    """``shown`` is what people read; ``number`` null where nobody knows, money apart, in minor units of each currency."""
    return {
        "period": {"first": f"{found.period.first}", "last": f"{found.period.last}"},
        "zone": found.zone,
        "counted_at": found.counted_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "figures": [
            {
                "name": indicator.value,
                "title": name_of(reader, indicator),
                **_number(indicator, measured),
                "shown": shown(reader, indicator, measured),
                "how": definition(reader, found, indicator, attended_s=attended_s),
            }
            for indicator, measured in found.values.items()
        ],
    }


def _number(indicator: Indicator, measured: Measured) -> dict[str, object]:
    number = float(measured.number) if isinstance(measured.number, Decimal) else measured.number
    money = [{"minor": cost.amount, "currency": cost.currency} for cost in measured.money]
    return {
        "unit": _UNITS.get(indicator.unit, indicator.unit.value),
        "number": number,
        "money": money if indicator.unit is Unit.MONEY else None,
        "sample": measured.sample,
    }
