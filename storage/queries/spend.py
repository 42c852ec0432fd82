"""What the ads cost, over days of the account's zone, told apart as leads are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from storage.engine import Database
from storage.rollups import Dimension, mark_key
from storage.sets import fetch

# A creative belongs to its direction; nobody says of an expense which partner it was for.
_KEYS = {
    Dimension.DIRECTION: ("CAST(d.id AS text)", "d.name"),
    Dimension.CREATIVE: ("CAST(c.id AS text)", "c.title"),
    Dimension.SOURCE: ("s.utm_source", "s.utm_source"),
}
_SPEND = """
SELECT coalesce({key}, ''), coalesce(max({name}), ''), s.currency, sum(s.amount)
FROM spend AS s LEFT JOIN creatives AS c ON c.id = s.creative_id
LEFT JOIN directions AS d ON d.id = coalesce(s.direction_id, c.direction_id)
WHERE s.account_id = :account AND s.day BETWEEN :first AND :last AND s.replaced_by IS NULL GROUP BY 1, 3
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Money in minor units of a currency. Sums of different currencies are never put together."""

    amount: int
    currency: str

    def per(self, count: int) -> "Cost | None":
        """For one of ``count``, rounded half up; None for none of them."""
        if count <= 0:
            return None
        each = (Decimal(self.amount) / count).quantize(Decimal(1), ROUND_HALF_UP)
        return Cost(amount=int(each), currency=self.currency)


Costs = tuple[Cost, ...]  # one of each currency, by its name


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """``by`` the keys of a dimension, "" for what was given none, and their ``names``; ``total`` of them all."""

    by: Mapping[str, Costs] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    total: Costs = ()


async def spending(database: Database, account_id: int, dimension: Dimension, *, first: date, last: date) -> Spending:
    """Of the days from ``first`` to ``last``. Nothing where expenses do not tell the dimension."""
    if dimension not in _KEYS:
        return Spending()
    values = {"account": account_id, "first": first.isoformat(), "last": last.isoformat()}
    key, name = _KEYS[dimension]
    async with database.read() as connection:
        rows = await fetch(connection, _SPEND.format(key=key, name=name), values)
    sums: dict[str, dict[str, int]] = {}
    names: dict[str, str] = {}
    total: dict[str, int] = {}
    for told, called, currency, amount in rows:
        one = mark_key(told) if dimension is Dimension.SOURCE else told
        names[one] = mark_key(called) if dimension is Dimension.SOURCE else called
        for kept in (sums.setdefault(one, {}), total):
            kept[currency] = kept.get(currency, 0) + int(amount)
    by = {one: _costs(kept) for one, kept in sums.items()}
    return Spending(by=by, names=names, total=_costs(total))


def _costs(sums: Mapping[str, int]) -> Costs:
    return tuple(Cost(amount=amount, currency=currency) for currency, amount in sorted(sums.items()) if amount)
