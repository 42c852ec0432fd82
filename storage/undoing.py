"""A table taken out again: what it alone brought goes away, what it changed is as before, and what others say stays.

One that nobody has seen yet goes the same way. Each lead goes with all that follows from it, in one short write.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.imports import Undone
from storage.codec import dumps, loads
from storage.doubts import pass_on
from storage.hidden import seen
from storage.joins import UNITED, Pair, bring_home, part
from storage.leads import MOST_LEADS
from storage.matching import EMAIL, PHONE, rematch_registrations
from storage.models.types import driver_time
from storage.sets import execute, execute_each, fetch
from storage.staging import ADDED, CHANGED, TIMES, Row, follow, kept, restored, rows_of, write_rows

_LEFT = "SELECT lead_id FROM import_leads WHERE import_id = :import ORDER BY lead_id LIMIT :most"
_SAID = "SELECT import_id, lead_id, how, told, was FROM import_leads WHERE lead_id IN {ids} ORDER BY import_id"
_FORGET = "DELETE FROM import_leads WHERE import_id = :import AND lead_id IN {ids}"
_REWRITE = "UPDATE import_leads SET how = :how, told = :told, was = :was WHERE import_id = :import AND lead_id = :lead"
_USED = """
SELECT lead_id FROM registrations
WHERE person_id IN {ids:people} AND person_id IS NOT NULL AND lead_id IN {ids} AND created_at >= :since
UNION SELECT lead_id FROM links WHERE person_id IN {ids:people} AND lead_id IN {ids}
UNION SELECT lead_id FROM lead_claims WHERE lead_id IN {ids}
"""
_GO_AWAY = "DELETE FROM leads WHERE id IN {ids}"
_ITS_KEYS = "SELECT id, person_id, kind, value FROM identities WHERE person_id IN {ids} AND import_id = :import"
_SAYS_KEY = """
SELECT person_id, phone_key, email_key, import_id FROM leads WHERE person_id IN {ids} AND deleted_at IS NULL
UNION ALL SELECT person_id, phone_key, email_key, NULL FROM registrations
WHERE person_id IN {ids} AND person_id IS NOT NULL AND created_at >= :since
"""
_KEY_OF = "UPDATE identities SET import_id = :import WHERE id = :id"
_KEYS_GO = "DELETE FROM identities WHERE id IN {ids}"
_OTHER_LEAD = f"""
UPDATE registrations SET lead_id = (SELECT l.id FROM leads AS l WHERE l.person_id = registrations.person_id
    AND l.deleted_at IS NULL AND {seen("l")} ORDER BY l.created_at DESC, l.id DESC LIMIT 1)
WHERE person_id IN {{ids:people}} AND person_id IS NOT NULL AND lead_id IN {{ids}}
"""  # noqa: S608 - our own text
_NOBODYS = """
UPDATE registrations SET person_id = NULL, other_person_id = NULL, lead_id = NULL, matched_by = 'none'
WHERE person_id IN {ids} AND person_id IS NOT NULL AND matched_by IN ('phone', 'email') AND NOT EXISTS (
    SELECT 1 FROM identities AS i WHERE i.person_id = registrations.person_id AND i.undone_at IS NULL
    AND (i.kind = 'phone' AND i.value = registrations.phone_key OR i.kind = 'email' AND i.value = registrations.email_key))
"""
_NOBODY_LEFT = """
DELETE FROM people WHERE id IN {ids} AND NOT EXISTS (SELECT 1 FROM leads AS o WHERE o.person_id = people.id)
AND NOT EXISTS (SELECT 1 FROM identities AS o WHERE o.person_id = people.id)
AND NOT EXISTS (SELECT 1 FROM registrations AS o WHERE o.person_id = people.id)
AND NOT EXISTS (SELECT 1 FROM webinar_attendees AS o WHERE o.person_id = people.id)
AND NOT EXISTS (SELECT 1 FROM links AS o WHERE o.person_id = people.id)
AND NOT EXISTS (SELECT 1 FROM person_joins AS o WHERE o.person_id = people.id)
AND NOT EXISTS (SELECT 1 FROM person_joins AS o WHERE o.other_id = people.id)
"""
_PAIRS = """
SELECT id, person_id, other_id, moved, value, lead_id, state FROM person_joins
WHERE (person_id IN {ids:people} OR other_id IN {ids:people}) AND lead_id IN {ids}
AND state IN ('united', 'suggested') AND changed_by IS NULL ORDER BY id DESC
"""
_NO_PAIR = "DELETE FROM person_joins WHERE id = :id"
_SO_FAR = "SELECT undone FROM imports WHERE id = :import"
_COUNT = "UPDATE imports SET undone = :undone WHERE id = :import"
_OURS = frozenset(
    {*TIMES, "person_id", "matched_by", "import_id", "direction_by", "creative_by"}
)  # columns that no person has written


@dataclass(slots=True)
class _Claim:
    """What a table says of a lead, as import_leads keeps it."""

    import_id: int
    how: str
    told: Row
    was: Row
    rewritten: bool = False


@dataclass(slots=True)
class _Fate:
    """What becomes of some leads of the table."""

    stays: dict[int, Row] = field(default_factory=dict)
    goes: list[int] = field(default_factory=list)
    undone: Undone = field(default_factory=Undone)


async def leads_left(connection: AsyncConnection, import_id: int) -> list[int]:
    """The next leads that a table still says something of, by number."""
    return [row[0] for row in await fetch(connection, _LEFT, {"import": import_id, "most": MOST_LEADS})]


async def take_out(
    connection: AsyncConnection, account_id: int, import_id: int, lead_ids: Sequence[int], *, since: datetime
) -> None:
    """Within a write, at most MOST_LEADS, and safe to repeat. ``since``: when everybody saw the table.

    What became of them is added to what ``imports.undone`` says.
    """
    at = driver_time(since, connection.dialect.name)
    before = await rows_of(connection, lead_ids)
    claims = await _claims(connection, lead_ids)
    mine = {lead_id: next(one for one in claims[lead_id] if one.import_id == import_id) for lead_id in lead_ids}
    people = _people(before.values(), mine.values())
    used = await fetch(connection, _USED, {"people": people, "ids": lead_ids, "since": at})
    fate = _decide(before, claims, mine, used={row[0] for row in used})
    await write_rows(connection, [row for lead_id, row in fate.stays.items() if row != before[lead_id]])
    people += await _part(connection, account_id, lead_ids, people, fate)
    await bring_home(connection, list(fate.stays))
    await execute(connection, _GO_AWAY, {"ids": fate.goes})
    await execute(connection, _FORGET, {"import": import_id, "ids": lead_ids})
    await _rewrite(connection, claims)
    await execute(connection, _OTHER_LEAD, {"people": people, "ids": fate.goes})
    lost = await _take_keys(connection, import_id, people, at)
    await pass_on(connection, account_id, people, lost[EMAIL])
    await execute(connection, _NOBODYS, {"ids": people})
    stays = await rows_of(connection, list(fate.stays))
    await follow(connection, account_id, [*before.values(), *fate.stays.values(), *stays.values()])
    await rematch_registrations(connection, account_id, phones=lost[PHONE], emails=lost[EMAIL])
    await execute(connection, _NOBODY_LEFT, {"ids": people})
    await _count(connection, import_id, fate.undone)


async def _part(
    connection: AsyncConnection, account_id: int, lead_ids: Sequence[int], people: list[int], fate: _Fate
) -> list[int]:
    """Who was taken for one by what these leads no longer say are two again; the others of those who were parted."""
    parted = []
    for pair_id, person, other, moved, value, lead_id, state in await fetch(
        connection, _PAIRS, {"people": people, "ids": lead_ids}
    ):
        if lead_id in fate.stays and value in {fate.stays[lead_id][name] for name in ("phone_key", "email_key")}:
            continue
        if state == UNITED:
            await part(connection, account_id, Pair(id=pair_id, person=person, other=other, moved=json.loads(moved)))
            parted.append(other)
        await execute(connection, _NO_PAIR, {"id": pair_id})  # nobody of the team has said so: it may be found again
    return parted


def _people(rows: Iterable[Row], claims: Iterable[_Claim]) -> list[int]:
    """Whose these leads are, were, or would have been."""
    found = {row["person_id"] for row in rows}
    found |= {said.get("person_id") for one in claims for said in (one.told, one.was)}
    return sorted(person for person in found if person is not None)


def _decide(before: dict[int, Row], claims: dict[int, list[_Claim]], mine: dict[int, _Claim], *, used: set[int]) -> _Fate:
    fate = _Fate()
    for lead_id, row in before.items():
        others = [one for one in claims[lead_id] if one is not mine[lead_id]]
        stands = dict(row)
        if mine[lead_id].how == ADDED:
            if others:  # the next table that says it has brought it now
                others[0].how, others[0].told, others[0].was, others[0].rewritten = ADDED, {}, {}, True
                stands["import_id"] = others[0].import_id
                fate.undone += Undone(known=1)
            elif lead_id in used:
                stands["import_id"] = None
                fate.undone += Undone(used=1)
            else:
                fate.goes.append(lead_id)
                fate.undone += Undone(removed=1)
                continue
        elif mine[lead_id].was:
            fate.undone += _restore(stands, mine[lead_id], others)
        fate.stays[lead_id] = stands
    return fate


def _restore(row: Row, mine: _Claim, others: list[_Claim]) -> Undone:
    """Bring the columns that a table changed back to what they were, but for those that others say or have changed."""
    restored, known, changed = set(), set(), set()
    for name, was in mine.was.items():
        told = mine.told[name]
        heir = next((one for one in others if name in one.told and one.told[name] == row[name]), None)
        if row[name] == told and heir is None:
            row[name] = was
            restored.add(name)
            continue
        if heir is None:
            changed.add(name)
        else:
            known.add(name)
        _pass_on(name, told, was, [heir] if row[name] == told and heir else others)
    for what, names in (("changed", changed), ("known", known), ("restored", restored)):
        if names - _OURS:
            return Undone(**{what: 1})
    return Undone()


def _pass_on(name: str, told: object, was: object, others: list[_Claim]) -> None:
    """A later table found what this one had told: before it stood what stood before this one."""
    for one in others:
        if one.was.get(name, told) == told and name in one.told:
            one.was[name], one.rewritten = was, True
            if one.how != ADDED:
                one.how = CHANGED
            return


async def _claims(connection: AsyncConnection, lead_ids: Sequence[int]) -> dict[int, list[_Claim]]:
    """What each table says of these leads, the earliest first."""
    found: dict[int, list[_Claim]] = defaultdict(list)
    for import_id, lead_id, how, told, was in await fetch(connection, _SAID, {"ids": lead_ids}):
        found[lead_id].append(_Claim(import_id, how, restored(told, connection), restored(was, connection)))
    return found


async def _rewrite(connection: AsyncConnection, claims: dict[int, list[_Claim]]) -> None:
    rows = [
        {"import": one.import_id, "lead": lead_id, "how": one.how, "told": kept(one.told) if one.told else "",
         "was": kept(one.was) if one.was else ""}
        for lead_id, some in claims.items() for one in some if one.rewritten
    ]  # fmt: skip
    await execute_each(connection, _REWRITE, rows)


async def _take_keys(connection: AsyncConnection, import_id: int, people: list[int], since: Any) -> dict[str, set[str]]:
    """Keys that this table alone has told go away; those that something else still says are its from now on."""
    says: dict[tuple[int, str, str], int | None] = {}
    standing = set()
    for person, phone, email, source in await fetch(connection, _SAYS_KEY, {"ids": people, "since": since}):
        standing.add(person)
        for kind, value in ((PHONE, phone), (EMAIL, email)):
            says[person, kind, value] = source if says.get((person, kind, value), source) is not None else None
    lost: dict[str, set[str]] = defaultdict(set)
    gone, moved = [], []
    for key_id, person, kind, value in await fetch(connection, _ITS_KEYS, {"ids": people, "import": import_id}):
        said = (person, kind, value) in says if kind in {PHONE, EMAIL} else person in standing
        if said:
            moved.append({"id": key_id, "import": says.get((person, kind, value))})
        else:
            gone.append(key_id)
            lost[kind].add(value)
    await execute_each(connection, _KEY_OF, moved)
    await execute(connection, _KEYS_GO, {"ids": gone})
    return lost


async def _count(connection: AsyncConnection, import_id: int, undone: Undone) -> None:
    so_far = (await fetch(connection, _SO_FAR, {"import": import_id}))[0][0]
    total = undone + loads(Undone, so_far) if so_far else undone
    await execute(connection, _COUNT, {"import": import_id, "undone": dumps(Undone, total)})
