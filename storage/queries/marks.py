"""What leads say of where they came from: how many a rule would fit, and which marks lead to no direction yet."""

from collections import defaultdict
from contextlib import aclosing
from dataclasses import dataclass

from domain.ads import SAID, AdRule, Sign, fits, plain_sign
from storage.assigning import PIPELINE
from storage.engine import Database
from storage.hidden import seen
from storage.sets import fetch, fetch_slices

SPELLINGS = 2000  # looked at, or at a time: where each lead has a mark of its own, a million of them took 520 MB
COLUMNS = {sign: f"l.first_{sign.value}" for sign in Sign} | {Sign.FORM: "l.form", Sign.PIPELINE: PIPELINE}

_VALUES = f"""
SELECT {{sign}}, l.{{part}}_by, count(*) FROM leads AS l
WHERE l.account_id = :account AND l.deleted_at IS NULL AND {{sign}} <> '' AND {seen("l")} GROUP BY 1, 2
"""  # noqa: S608 - our own names
_NAMELESS = f"""
SELECT {{sign}}, count(*) FROM leads AS l
WHERE l.account_id = :account AND l.deleted_at IS NULL AND {{sign}} <> '' AND l.direction_id IS NULL AND {seen("l")}
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT :spellings
"""  # noqa: S608 - our own names
_WITHOUT = f"""
SELECT count(*) FROM leads AS l
WHERE l.account_id = :account AND l.deleted_at IS NULL AND l.direction_id IS NULL AND {seen("l")}
"""  # noqa: S608 - our own names


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """``leads`` whom a rule fits; of ``said`` of them a person or a table has said already what it would set."""

    leads: int = 0
    said: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkCount:
    """``value`` as most leads write it, in whatever case others do."""

    sign: Sign
    value: str
    leads: int


async def count_fitting(database: Database, account_id: int, rule: AdRule) -> Fitting:
    """By the same comparison that leads are assigned by."""
    sql = _VALUES.format(sign=COLUMNS[rule.sign], part=rule.part.value)
    leads = said = 0
    async with (
        database.read() as connection,
        aclosing(fetch_slices(connection, sql, {"account": account_id}, size=SPELLINGS)) as slices,
    ):
        async for rows in slices:
            found = [(by, count) for text, by, count in rows if fits(rule.how, rule.value, text)]
            leads += sum(count for _, count in found)
            said += sum(count for by, count in found if by in SAID)
    return Fitting(leads=leads, said=said)


async def commonest_nameless(database: Database, account_id: int, sign: Sign, *, most: int) -> list[MarkCount]:
    """Values of this mark among leads without a direction, the most frequent first; of the SPELLINGS most frequent."""
    async with database.read() as connection:
        rows = await fetch(connection, _NAMELESS.format(sign=COLUMNS[sign]), {"account": account_id, "spellings": SPELLINGS})
    spelled: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for text, count in rows:
        if plain_sign(text):
            spelled[plain_sign(text)].append((count, text))
    counts = [MarkCount(sign=sign, value=max(some)[1], leads=sum(one for one, _ in some)) for some in spelled.values()]
    return sorted(counts, key=lambda one: (-one.leads, one.value))[:most]


async def count_without_direction(database: Database, account_id: int) -> int:
    async with database.read() as connection:
        return int((await fetch(connection, _WITHOUT, {"account": account_id}))[0][0])
