"""Which direction and creative leads have where nobody has said it: by the rules, else by what their marks are called.

Without a rule that fits, a creative is the one whose rule or title the utm_content is, and a direction the one that is
called as the utm_campaign, else that of the lead's creative. No name is ever made of a mark: marks are anybody's to write.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.ads import SAID, AdRules, By, Part
from storage.ad_rules import read_rules
from storage.dirty import day_of, mark_days
from storage.sets import Value, execute, fetch

ONCE = frozenset(By) - {By.NOBODY}  # what has been said by anybody stays when its lead comes again
MOST_KNOWN = 20_000  # marks a judge remembers: where each lead has its own, a million of them took 380 MB

PIPELINE = """coalesce((SELECT max(s.pipeline) FROM crm_stages AS s WHERE s.account_id = l.account_id AND s.source = l.source
    AND s.pipeline_id = l.pipeline_id AND s.pipeline <> ''), l.pipeline_id)"""  # of l, a lead, as its CRM calls it
# In the order of domain.ads.Sign at the end. The plus: by number, not by the index that has all leads of the account.
_LEADS = f"""
SELECT l.id, l.created_at, l.direction_id, l.direction_by, l.creative_id, l.creative_by,
    (SELECT min(d.id) FROM directions AS d WHERE d.account_id = l.account_id AND d.name = l.first_utm_campaign
        AND l.first_utm_campaign <> ''),
    (SELECT min(c.id) FROM creatives AS c WHERE c.account_id = l.account_id AND c.external_id = l.first_utm_content
        AND l.first_utm_content <> ''),
    (SELECT min(c.id) FROM creatives AS c WHERE c.account_id = l.account_id AND c.title = l.first_utm_content
        AND l.first_utm_content <> ''),
    l.first_utm_source, l.first_utm_medium, l.first_utm_campaign, l.first_utm_content, l.first_utm_term, l.form,
    {PIPELINE}
FROM leads AS l WHERE +l.account_id = :account AND
"""  # noqa: S608 - our own text
_NEW = _LEADS + "l.id IN {ids} AND (l.direction_by = '' OR l.creative_by = '')"
_THESE = _LEADS + "l.id IN {ids}"
_FOLLOWING = _LEADS + "l.id > :after AND l.id <= :last ORDER BY l.id LIMIT :most"
_OF_CREATIVES = """
SELECT id, direction_id FROM creatives WHERE account_id = :account AND id IN {ids} AND direction_id IS NOT NULL
"""
_WRITE = {
    "sqlite": """
UPDATE leads SET direction_id = v.direction_id, direction_by = v.direction_by, creative_id = v.creative_id,
    creative_by = v.creative_by FROM (
    SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS direction_id,
        json_extract(value, '$[2]') AS direction_by, json_extract(value, '$[3]') AS creative_id,
        json_extract(value, '$[4]') AS creative_by FROM json_each(:rows)) AS v WHERE leads.id = v.id
""",
    "postgresql": """
UPDATE leads SET direction_id = v.direction_id, direction_by = v.direction_by, creative_id = v.creative_id,
    creative_by = v.creative_by FROM (
    SELECT CAST(value ->> 0 AS bigint) AS id, CAST(value ->> 1 AS int) AS direction_id, value ->> 2 AS direction_by,
        CAST(value ->> 3 AS int) AS creative_id, value ->> 4 AS creative_by
    FROM json_array_elements(CAST(:rows AS json))) AS v WHERE leads.id = v.id
""",
}


class Standing(NamedTuple):
    """Which direction and creative a lead has, None for none, and who has said so (a By)."""

    direction_id: int | None
    direction_by: str
    creative_id: int | None
    creative_by: str


@dataclass(frozen=True, slots=True)
class Change:
    """One lead that is to have others. ``day``: of its making, UTC."""

    lead_id: int
    day: str
    was: Standing
    now: Standing


class _Seen(NamedTuple):
    """A row of _LEADS: what the lead has, and what its marks are called. The rest are its signs."""

    id: int
    created_at: Any
    stands: Standing
    campaign: int | None
    content: int | None
    signs: tuple[str, ...]


class Judge:
    """What the rules of one version, and names, say of leads. ``settled``: By whom a thing said is left as it is."""

    def __init__(self, rules: AdRules, settled: Collection[str] = SAID) -> None:
        self._rules = rules
        self._settled = settled
        self._directions: Mapping[int, int] = {}  # creative → its direction
        self._looked_at = {part: rules.places(part) for part in Part}
        self._known: dict[tuple[Part, tuple[str, ...]], int | None] = {}

    async def changes(self, connection: AsyncConnection, account_id: int, rows: Sequence[Any]) -> list[Change]:
        """Of these rows, as ``following`` and ``these`` give them, those that are to have others."""
        seen = [_seen(row) for row in rows]
        theirs = {one for row in seen for one in (row.content, row.stands.creative_id) if one is not None}
        theirs |= {rule.name_id for rule in self._rules.rules if rule.part is Part.CREATIVE}
        if theirs:
            mine = {"account": account_id, "ids": sorted(theirs)}
            self._directions = {row[0]: row[1] for row in await fetch(connection, _OF_CREATIVES, mine)}
        found = []
        for row in seen:
            now = self._of(row)
            if now != row.stands:
                found.append(Change(row.id, day_of(row.created_at), row.stands, now))
        return found

    def _of(self, row: _Seen) -> Standing:
        direction, said, creative, creative_by = row.stands
        if creative_by not in self._settled:
            creative, creative_by = self._one(Part.CREATIVE, row.signs, row.content)
        if said not in self._settled:
            named = row.campaign or (self._directions.get(creative) if creative is not None else None)
            direction, said = self._one(Part.DIRECTION, row.signs, named)
        return Standing(direction, said, creative, creative_by)

    def _one(self, part: Part, signs: tuple[str, ...], named: int | None) -> tuple[int | None, str]:
        ruled = self._ruled(part, signs)
        if ruled is not None:
            return ruled, By.RULE.value
        return named, (By.NOBODY if named is None else By.NAME).value

    def _ruled(self, part: Part, signs: tuple[str, ...]) -> int | None:
        """Thousands of leads have the same marks, as far as the rules look at them."""
        key = (part, tuple([signs[place] for place in self._looked_at[part]]))
        if key not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[key] = self._rules.decide(part, signs)
        return self._known[key]


def _seen(row: Any) -> _Seen:
    return _Seen(row[0], row[1], Standing(*row[2:6]), row[6], row[7] or row[8], tuple(row[9:]))


async def assign_new(connection: AsyncConnection, account_id: int, lead_ids: Sequence[Value]) -> None:
    """Within the write that brings these leads: what nobody has said of them yet."""
    rows = await fetch(connection, _NEW, {"account": account_id, "ids": list(lead_ids)}) if lead_ids else ()
    if not rows:
        return
    judge = Judge(await read_rules(connection, account_id), ONCE)
    changes = await judge.changes(connection, account_id, rows)
    await write_standings(connection, account_id, changes)


async def following(connection: AsyncConnection, account_id: int, after: int, last: int, most: int) -> Sequence[Any]:
    """The next leads by number, for ``Judge.changes``; the number is the first of each row."""
    values = {"account": account_id, "after": after, "last": last, "most": most}
    return await fetch(connection, _FOLLOWING, values)


async def these(connection: AsyncConnection, account_id: int, lead_ids: Sequence[int]) -> Sequence[Any]:
    """These leads as they stand now, for ``Judge.changes`` and ``standings``."""
    return await fetch(connection, _THESE, {"account": account_id, "ids": list(lead_ids)})


def standings(rows: Sequence[Any]) -> dict[int, tuple[str, Standing]]:
    """By number: the day of its making (UTC), and what it has."""
    return {row.id: (day_of(row.created_at), row.stands) for row in map(_seen, rows)}


async def write_standings(connection: AsyncConnection, account_id: int, changes: Sequence[Change]) -> None:
    """Within a write, in one statement for all of them; their days are to be added up again."""
    if not changes:
        return
    rows = [(change.lead_id, *change.now) for change in changes]
    await execute(connection, _WRITE[connection.dialect.name], {"rows": json.dumps(rows)})
    await mark_days(connection, account_id, {change.day for change in changes})
