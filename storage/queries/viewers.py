"""One viewer: found by phone, e-mail or name, whom they are taken for, and where else they were."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from storage.calls import folded
from storage.engine import Database
from storage.hidden import seen
from storage.queries.attendees import AttendeeLine, find_lines, visits_of_person
from storage.queries.webinars import list_webinars
from storage.sets import fetch

MOST_FOUND = 200
MOST_READ_BY_NAME = 100_000  # viewers of the newest webinars: a name has no index
MOST_WEBINARS = 100
MOST_LEADS_BY_NAME = 20_000
MOST_WORDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """A key of this viewer that was taken from somebody and is nobody's now. ``kind``: phone or email."""

    identity_id: int
    kind: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewerFound:
    """``known_as`` is whom they are taken for, ``other`` whom their e-mail names instead; "" for nobody or nameless.

    ``visits`` counts all that is known of theirs, this one too. ``parts``: what they did here under other keys, all of which
    ``line`` says; ``whole``: the row that says what ``line`` says and more.
    """

    line: AttendeeLine
    known_as: str = ""
    other: str = ""
    visits: int = 1
    former: Former | None = None
    parts: tuple[AttendeeLine, ...] = ()
    whole: AttendeeLine | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Somebody:
    """A person to be chosen by name; ``phone`` is a key, either may be empty."""

    person_id: int
    name: str
    phone: str
    email: str


_NAMES = f"""
SELECT p.id, coalesce(nullif(p.name, ''), (SELECT l.name FROM leads AS l WHERE l.person_id = p.id AND l.name <> ''
       AND l.deleted_at IS NULL AND {seen("l")} ORDER BY l.created_at DESC, l.id DESC LIMIT 1), ''),
       coalesce((SELECT min(i.value) FROM identities AS i WHERE i.person_id = p.id AND i.kind = 'phone'
                 AND i.undone_at IS NULL AND {seen("i")}), ''),
       coalesce((SELECT min(i.value) FROM identities AS i WHERE i.person_id = p.id AND i.kind = 'email'
                 AND i.undone_at IS NULL AND {seen("i")}), '')
FROM people AS p WHERE p.account_id = :account AND p.id IN {{ids:people}}
"""  # noqa: S608 - our own text
_OWNER = f"""
SELECT person_id FROM identities AS i
WHERE account_id = :account AND kind = 'phone' AND value = :phone AND undone_at IS NULL AND {seen("i")}
"""  # noqa: S608 - as above
_FORMER = """
SELECT i.id, i.kind, i.person_id FROM identities AS i
WHERE i.account_id = :account AND i.kind = :kind AND i.value = :value AND i.undone_at IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM identities AS o WHERE o.account_id = :account AND o.kind = :kind AND o.value = :value
                AND o.undone_at IS NULL)
ORDER BY i.undone_at DESC, i.id DESC LIMIT 1
"""
_LEADS_NAMED = """
SELECT person_id FROM (SELECT person_id, name, created_at FROM leads AS m
    WHERE account_id = :account AND deleted_at IS NULL AND {seen} ORDER BY created_at DESC LIMIT :read) AS l
WHERE person_id IS NOT NULL AND {named} GROUP BY person_id ORDER BY max(created_at) DESC LIMIT :limit
"""
_BY_PHONE = "b.account_id = :account AND b.phone_number = :phone AND b.phone_number <> '' AND b.matched_by <> 'phone'"
_BY_EMAIL = "b.account_id = :account AND b.email = :email AND b.email <> ''"
_PARTS = "a.account_id = :account AND a.session_id = :session AND a.part_of = :attendee"
_WHOLE = "a.account_id = :account AND a.id = (SELECT b.part_of FROM webinar_attendees AS b WHERE b.id = :attendee)"
_DONE = "a.account_id = :account AND w.state = 'complete'"


async def find_viewers(
    database: Database, account_id: int, *, phone: str = "", email: str = "", name: str = ""
) -> tuple[AttendeeLine, ...]:
    """Visits of who left this phone (a key) or e-mail, or is taken for whose they are; else of who is called so.

    Newest first. By name the newest webinars are looked into, up to MOST_READ_BY_NAME viewers.
    """
    if not (phone or email):
        return await _named(database, account_id, name) if name.strip() else ()
    mine: dict[str, Any] = {"account": account_id, "phone": phone, "email": email, "limit": MOST_FOUND}
    found: dict[int, AttendeeLine] = {}
    async with database.read() as connection:
        if phone:
            owner = await fetch(connection, _OWNER, mine)
            mine["person"] = owner[0][0] if owner else 0
            unmatched = (
                "b.account_id = :account AND b.phone_number = :phone AND b.phone_number <> '' AND b.matched_by <> 'phone'"
            )
            for where in (f"{_DONE} AND a.person_id = :person AND a.part_of IS NULL", f"{_DONE} AND {_whole_of(unmatched)}"):
                found |= {line.id: line for line in await find_lines(connection, where, mine)}
        if email:
            where = f"{_DONE} AND {_whole_of(_BY_EMAIL)}"
            found |= {line.id: line for line in await find_lines(connection, where, mine)}
    newest = sorted(found.values(), key=lambda line: line.id, reverse=True)
    return tuple(sorted(newest, key=lambda line: line.webinar_date.timestamp() if line.webinar_date else 0.0, reverse=True))


async def find_viewer(database: Database, account_id: int, attendee_id: int) -> ViewerFound | None:
    """Everything about one of them but the platform's own record."""
    async with database.read() as connection:
        mine: dict[str, Any] = {"account": account_id, "attendee": attendee_id, "limit": 1}
        lines = await find_lines(connection, "a.account_id = :account AND a.id = :attendee", mine)
        if not lines:
            return None
        line = lines[0]
        ids = [one for one in (line.person_id, line.other_person_id) if one is not None]
        names = {one.person_id: one.name or one.phone or one.email for one in await _people(connection, account_id, ids)}
        former = await _former(connection, account_id, line) if line.person_id is None else None
        mine |= {"session": line.session_id, "limit": MOST_FOUND}
        parts = await find_lines(connection, _PARTS, mine, order="a.id")
        wholes = await find_lines(connection, _WHOLE, mine)
    visits = await visits_of(database, account_id, line)
    return ViewerFound(
        line=line,
        known_as=names.get(line.person_id or 0, ""),
        other=names.get(line.other_person_id or 0, ""),
        visits=max(len(visits), 1),
        former=former,
        parts=parts,
        whole=wholes[0] if wholes else None,
    )


async def visits_of(database: Database, account_id: int, line: AttendeeLine) -> tuple[AttendeeLine, ...]:
    """Every complete webinar where this person was; of whom nobody knows, those where the same phone or e-mail was left."""
    if line.person_id is not None:
        return await visits_of_person(database, account_id, line.person_id)
    where = (
        f"{_DONE} AND a.person_id IS NULL AND a.phone_number = :phone AND a.phone_number <> '' AND a.matched_by <> 'phone'"
        if line.phone_number
        else f"{_DONE} AND a.person_id IS NULL AND a.email = :email AND a.email <> ''"
    )
    mine = {"account": account_id, "phone": line.phone_number, "email": line.email, "limit": MOST_FOUND}
    async with database.read() as connection:
        found = await find_lines(connection, where, mine)
    return found or (line,)


async def find_people_named(database: Database, account_id: int, name: str, *, limit: int) -> tuple[Somebody, ...]:
    """People whose lead is called so, the newest first; the newest MOST_LEADS_BY_NAME leads are looked through."""
    named, values = _called(name, "name")
    if not named:
        return ()
    mine = {"account": account_id, "read": MOST_LEADS_BY_NAME, "limit": limit} | values
    async with database.read() as connection:
        rows = await fetch(connection, _LEADS_NAMED.replace("{named}", named).replace("{seen}", seen("m")), mine)
        return await _people(connection, account_id, [row[0] for row in rows])


async def find_people(database: Database, account_id: int, ids: Sequence[int]) -> tuple[Somebody, ...]:
    """In the order of ``ids``; who is not there is left out."""
    async with database.read() as connection:
        return await _people(connection, account_id, ids)


async def _people(connection: AsyncConnection, account_id: int, ids: Sequence[int]) -> tuple[Somebody, ...]:
    if not ids:
        return ()
    rows = {row[0]: row for row in await fetch(connection, _NAMES, {"account": account_id, "people": list(ids)})}
    found = [rows[one] for one in ids if one in rows]
    return tuple(Somebody(person_id=row[0], name=row[1], phone=row[2], email=row[3]) for row in found)


async def _former(connection: AsyncConnection, account_id: int, line: AttendeeLine) -> Former | None:
    for kind, value in (("phone", line.phone_number), ("email", line.email)):
        rows = await fetch(connection, _FORMER, {"account": account_id, "kind": kind, "value": value}) if value else ()
        if rows:
            people = await _people(connection, account_id, [rows[0][2]])
            name = people[0].name or people[0].phone or people[0].email if people else ""
            return Former(identity_id=rows[0][0], kind=kind, name=name)
    return None


async def _named(database: Database, account_id: int, name: str) -> tuple[AttendeeLine, ...]:
    named, values = _called(name, "b.username")
    if not named:
        return ()
    sessions: list[int] = []
    left = MOST_READ_BY_NAME
    for webinar in await list_webinars(database, account_id, limit=MOST_WEBINARS):
        if left <= 0:
            break
        left -= webinar.attendees
        sessions.append(webinar.id)
    mine = {"account": account_id, "sessions": sessions, "limit": MOST_FOUND} | values
    async with database.read() as connection:
        return await find_lines(
            connection, f"{_DONE} AND {_whole_of(f'b.session_id IN {{ids:sessions}} AND {named}')}", mine
        )


def _whole_of(condition: str) -> str:
    """SQL: a is b, of whom ``condition`` tells, or who b is a part of."""
    return f"a.id IN (SELECT coalesce(b.part_of, b.id) FROM webinar_attendees AS b WHERE {condition})"  # noqa: S608 - our own


def _called(name: str, column: str) -> tuple[str, dict[str, str]]:
    """A condition that each word stands in ``column``, and its values; in whatever case, «ё» as «е»."""
    words = [word for word in folded(name).split() if len(word) > 1 or word.isalnum()][:MOST_WORDS]
    plain = f"replace(replace({column}, 'ё', 'е'), 'Ё', 'Е')"
    conditions: list[str] = []
    values: dict[str, str] = {}
    for number, word in enumerate(words):
        # neither database folds the case of Cyrillic in all its set-ups: the usual ways to write a name are looked for
        forms = {word, word.capitalize(), word.upper()}
        names = [f"w{number}_{place}" for place in range(len(forms))]
        values |= {key: f"%{_literal(form)}%" for key, form in zip(names, sorted(forms), strict=True)}
        conditions.append("(" + " OR ".join(f"{plain} LIKE :{key} ESCAPE '!'" for key in names) + ")")
    return " AND ".join(conditions), values


def _literal(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
