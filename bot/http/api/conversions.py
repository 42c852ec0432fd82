"""The JSON of /api/dashboard/conversions: leads that came to webinars and their price, as /conversions counts them."""

from collections.abc import Sequence
from decimal import Decimal

from multidict import MultiMapping

from bot.http.refusal import bad_value
from handlers.analytics.catalogue import CONVERSIONS, Counted, Figure, definition, name_of
from handlers.wording import Reader
from storage.queries.conversions import ConversionRow
from storage.queries.spend import Cost

_BY = {figure.texts: figure for figure in CONVERSIONS}


def read_by(query: MultiMapping[str]) -> Figure:
    """By direction where nothing is said."""
    given = query.get("by", Figure.DIRECTION.texts)
    if given not in _BY:
        raise bad_value("by", f"бывает {', '.join(_BY)}, пришло «{given[:20]}»")
    return _BY[given]


def conversions_in_json(reader: Reader, found: Counted, *, attended_s: int) -> dict[str, object]:
    """``total`` of all rows; money in minor units of each currency, prices rounded to one, null of none."""
    return {
        "by": found.figure.texts,
        "period": {"first": f"{found.period.first}", "last": f"{found.period.last}"} if found.period else None,
        "zone": found.zone,
        "counted_at": found.counted_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "loading": found.loading,
        "total": _row(found, found.total) if found.total is not None else None,
        "rows": [{"name": name_of(reader, found.figure, row), **_row(found, row)} for row in found.rows],
        "how": definition(reader, found, attended_s=attended_s),
    }


def _row(found: Counted, row: ConversionRow) -> dict[str, object]:
    counts = found.paid_for(row)
    return {
        "leads": row.leads,
        "came": row.came,
        "percent": _number(row.percent),
        "visits": row.visits,
        "avg_watch_minutes": _number(row.avg_watch_minutes),
        "watched_30min_plus": row.long_visits,
        "registrations": counts["registration"] if found.spending.total else None,
        "spend": _money(found.costs(row)),
        "prices": {name: _money([each for cost in found.costs(row) if (each := cost.per(n))]) for name, n in counts.items()},
    }


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _money(costs: Sequence[Cost]) -> list[dict[str, object]]:
    return [{"minor": cost.amount, "currency": cost.currency} for cost in costs]
