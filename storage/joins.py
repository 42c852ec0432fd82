"""Two people who turn out to be one, and one who turns out to be two: what moves, why, and how it is taken back.

A person is their keys: leads, visits and registrations follow them. So to unite is to give all keys of one to the other, to
part is to give back those that came with them and whatever has followed these since. Who was parted by a person of the
team is never united by a rule again, whomever either of them was united with in between.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from storage.hidden import seen
from storage.identities import Key
from storage.matching import EMAIL, LINK, PHONE, rematch, rematch_registrations
from storage.models.types import driver_time
from storage.sets import execute, fetch

SUGGESTED, UNITED, PARTED = "suggested", "united", "parted"
FOLLOWED = "followed"  # another pair says it since
HAND = "hand"
_TABLES = ("identities", "leads", "registrations", "links")

_ROOT = """
WITH RECURSIVE up(id, merged_into) AS (
    SELECT id, merged_into FROM people WHERE id = :person
    UNION ALL SELECT p.id, p.merged_into FROM people AS p JOIN up ON p.id = up.merged_into
) SELECT id FROM up WHERE merged_into IS NULL
"""
_ALL_WHO_ARE = """
WITH RECURSIVE who(id) AS (
    SELECT CAST(:person AS bigint) UNION ALL SELECT p.id FROM people AS p JOIN who ON p.merged_into = who.id
) SELECT id FROM who
"""
_BETWEEN = """
SELECT id FROM person_joins WHERE state = 'parted' AND
    ((person_id IN {ids:ours} AND other_id IN {ids:theirs}) OR (person_id IN {ids:theirs} AND other_id IN {ids:ours}))
LIMIT 1
"""
_ADD = """
INSERT INTO person_joins (account_id, person_id, other_id, reason, value, lead_id, state, moved, created_at, created_by)
VALUES (:account, :person, :other, :reason, :value, :lead, :state, '{}', :now, :by) RETURNING id
"""
_KEYS = "SELECT id, kind, value, person_id FROM identities WHERE person_id IN {ids} AND undone_at IS NULL ORDER BY id"
_ASTRAY = """
SELECT l.id, l.person_id FROM leads AS l JOIN people AS p ON p.id = l.person_id
WHERE l.id IN {ids} AND p.merged_into IS NOT NULL
"""
_LEADS = "SELECT id, phone_key, source, contact_id, email_key FROM leads WHERE person_id = :person"
_REGISTRATIONS = "SELECT id, phone_key, email_key FROM registrations WHERE person_id = :person"
_OTHERS_LEADS = """
SELECT r.id, r.lead_id FROM registrations AS r JOIN leads AS l ON l.id = r.lead_id
WHERE r.person_id IN {ids} AND r.person_id IS NOT NULL AND l.person_id <> r.person_id ORDER BY r.id
"""
_THEIR_OWN_LEAD = f"""
UPDATE registrations SET lead_id = (SELECT l.id FROM leads AS l WHERE l.person_id = registrations.person_id
    AND l.deleted_at IS NULL AND {seen("l")} ORDER BY l.created_at DESC, l.id DESC LIMIT 1)
WHERE id IN {{ids}}
"""  # noqa: S608 - our own text
_AS_BEFORE = "UPDATE registrations SET lead_id = :lead WHERE id = :id AND person_id = :person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why two people are taken for one. ``value`` is the key that says so, ``lead_id`` the lead that carried it."""

    kind: str
    value: str = ""
    lead_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two people and what is known of them together: a row of ``person_joins``."""

    id: int
    person: int
    other: int
    moved: Mapping[str, Sequence[int]]


async def who_now(connection: AsyncConnection, person: int) -> int:
    """Whom somebody has turned out to be; themselves where nobody is known to be them."""
    rows = await fetch(connection, _ROOT, {"person": person})
    return int(rows[0][0]) if rows else person


async def are_parted(connection: AsyncConnection, person: int, other: int) -> bool:
    """Somebody of the team said that these two are not one, of them or of anybody whom they turned out to be."""
    ours, theirs = [[row[0] for row in await fetch(connection, _ALL_WHO_ARE, {"person": one})] for one in (person, other)]
    return bool(await fetch(connection, _BETWEEN, {"ours": ours, "theirs": theirs}))


async def bring_home(connection: AsyncConnection, lead_ids: Sequence[int]) -> bool:
    """Leads that were given to somebody who has turned out to be another are that one's; whether there were any."""
    astray = await fetch(connection, _ASTRAY, {"ids": list(lead_ids)})
    for lead_id, person in astray:
        values = {"id": lead_id, "to": await who_now(connection, person)}
        await execute(connection, "UPDATE leads SET person_id = :to WHERE id = :id", values)
    return bool(astray)


async def add_pair(
    connection: AsyncConnection, account_id: int, people: tuple[int, int], reason: Reason, *, state: str, now: datetime,
    by: int | None = None,
) -> Pair:  # fmt: skip
    values = {"account": account_id, "person": people[0], "other": people[1], "reason": reason.kind, "state": state}
    values |= {"value": reason.value[:254], "lead": reason.lead_id, "by": by}
    rows = await fetch(connection, _ADD, values | {"now": driver_time(now, connection.dialect.name)})
    return Pair(id=int(rows[0][0]), person=people[0], other=people[1], moved={})


async def unite(connection: AsyncConnection, account_id: int, pair: Pair) -> None:
    """All that is the other's is the first one's from now on. Nothing where they are one already."""
    person, other = await who_now(connection, pair.person), pair.other
    if person == await who_now(connection, other):
        return
    moved = {"kept": [row[0] for row in await fetch(connection, _KEYS, {"ids": [person]})]}
    keys = [(row[1], row[2]) for row in await fetch(connection, _KEYS, {"ids": [other]})]
    for table in _TABLES:
        moved[table] = await _move(connection, table, person, "person_id = :was", {"was": other})
    by_hand = "person_id = :was AND matched_by = 'hand'"
    moved["webinar_attendees"] = await _move(connection, "webinar_attendees", person, by_hand, {"was": other})
    for row_id, lead in zip(pair.moved.get("counted", ()), pair.moved.get("counted_for", ()), strict=True):
        await execute(connection, _AS_BEFORE, {"id": row_id, "lead": lead, "person": person})
    await execute(connection, "UPDATE people SET merged_into = :to WHERE id = :id", {"to": person, "id": other})
    await _settle(connection, pair.id, UNITED, moved)
    await _follow(connection, account_id, keys, {person, other})


async def part(connection: AsyncConnection, account_id: int, pair: Pair) -> None:
    """The other is somebody else: what came with them, and what has followed it since, is theirs again."""
    person, other = await who_now(connection, pair.person), pair.other
    await execute(connection, "UPDATE people SET merged_into = NULL WHERE id = :id", {"id": other})
    mine = {"was": person, "ids": list(pair.moved.get("identities", ()))}
    await _move(connection, "identities", other, "person_id = :was AND id IN {ids}", mine)
    going, since = await _going(connection, pair, person)
    moved: dict[str, Sequence[int]] = {**pair.moved, "identities": [*pair.moved.get("identities", ()), *since]}
    await _move(connection, "identities", other, "id IN {ids}", {"ids": since})
    await _move(connection, "leads", other, "id IN {ids}", {"ids": going})
    owners = {(row[1], row[2]): row[3] for row in await fetch(connection, _KEYS, {"ids": [person, other]})}
    back = await _registrations_of(connection, pair, person, owners)
    await _move(connection, "registrations", other, "id IN {ids}", {"ids": back})
    strange = await fetch(connection, _OTHERS_LEADS, {"ids": [person, other]})
    await execute(connection, _THEIR_OWN_LEAD, {"ids": [row[0] for row in strange]})
    moved |= {"counted": [row[0] for row in strange], "counted_for": [row[1] for row in strange]}
    for table in ("links", "webinar_attendees"):
        ids = {"was": person, "ids": list(pair.moved.get(table, ()))}
        await _move(connection, table, other, "person_id = :was AND id IN {ids}", ids)
    keys = [key for key, owner in owners.items() if owner == other]
    codes = {"was": person, "texts": [value for kind, value in keys if kind == LINK]}
    await _move(connection, "links", other, "person_id = :was AND code IN {texts}", codes)
    await _settle(connection, pair.id, PARTED, moved)
    await _follow(connection, account_id, keys, {person, other})


async def _move(connection: AsyncConnection, table: str, to: int, where: str, values: dict[str, Any]) -> list[int]:
    """The ids of the rows that are this person's now."""
    sql = f"UPDATE {table} SET person_id = :to WHERE {where} RETURNING id"  # noqa: S608 - our own names
    return sorted(row[0] for row in await fetch(connection, sql, {"to": to, **values}))


async def _settle(connection: AsyncConnection, pair_id: int, state: str, moved: Mapping[str, Sequence[int]]) -> None:
    values = {"id": pair_id, "state": state, "moved": json.dumps({name: list(ids) for name, ids in moved.items()})}
    await execute(connection, "UPDATE person_joins SET state = :state, moved = :moved WHERE id = :id", values)


async def _follow(connection: AsyncConnection, account_id: int, keys: Iterable[Key], people: set[int]) -> None:
    """Visits are matched again by what these people are known by now."""
    phones, emails = ([value for own, value in keys if own == kind] for kind in (PHONE, EMAIL))
    await rematch(connection, account_id, phones=phones, emails=emails, people=people)
    await rematch_registrations(connection, account_id, phones=phones, emails=emails)


async def _going(connection: AsyncConnection, pair: Pair, person: int) -> tuple[list[int], list[int]]:
    """Leads that go with the other, and keys learned since that only these leads carry."""
    known = {(row[1], row[2]): (row[0], row[3]) for row in await fetch(connection, _KEYS, {"ids": [person, pair.other]})}
    came, kept = set(pair.moved.get("leads", ())), set(pair.moved.get("kept", ()))
    going: list[int] = []
    carried: dict[bool, set[int]] = {True: set(), False: set()}
    for row in await fetch(connection, _LEADS, {"person": person}):
        keys = [key for key in ((PHONE, row[1]), (row[2][:16], row[3]), (EMAIL, row[4])) if key[1] and key in known]
        key, owner = known[keys[0]] if keys else (0, person)
        goes = owner == pair.other or (row[0] in came and key not in kept)
        going += [row[0]] if goes else []
        carried[goes] |= {known[one][0] for one in keys if known[one][1] == person}
    return going, sorted(carried[True] - carried[False] - kept)


async def _registrations_of(connection: AsyncConnection, pair: Pair, person: int, owners: Mapping[Key, int]) -> list[int]:
    came, going = set(pair.moved.get("registrations", ())), []
    for row in await fetch(connection, _REGISTRATIONS, {"person": person}):
        keys = [key for key in ((PHONE, row[1]), (EMAIL, row[2])) if key in owners]
        if owners[keys[0]] == pair.other if keys else row[0] in came:
            going.append(row[0])
    return going
