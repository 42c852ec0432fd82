"""Everything that happened to one person, from indexes: leads, registrations, visits, calls, and who they are."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.calls import Summary, Task
from storage.codec import loads
from storage.engine import Database
from storage.hidden import seen
from storage.joins import PARTED, SUGGESTED, UNITED, who_now
from storage.sets import fetch, moment
from storage.staff import RESPONSIBLE

MOST = 200  # of each kind, the newest: nobody reads more on a card
MOST_FOUND = 8

_PERSON = "SELECT id, name FROM people WHERE account_id = :account AND id = :person"
_BY_KEY = f"""
SELECT DISTINCT i.person_id FROM identities AS i
WHERE i.account_id = :account AND i.kind = :kind AND i.value = :value AND i.undone_at IS NULL AND {seen("i")}
"""  # noqa: S608 - our own text
_KEYS = """
SELECT id, kind, value, source, since FROM identities
WHERE account_id = :account AND person_id = :person AND undone_at IS NULL ORDER BY id
"""
_LEADS = f"""
SELECT l.id, l.source, l.form, l.status, {RESPONSIBLE}, l.url, l.extra, l.value, l.currency, l.created_at, l.updated_at,
       l.matched_by, l.name, d.name, c.title, l.first_utm_source, l.first_utm_medium, l.first_utm_campaign,
       l.first_utm_content, l.last_utm_source, l.last_utm_medium, l.last_utm_campaign, l.last_utm_content
FROM leads AS l LEFT JOIN directions AS d ON d.id = l.direction_id LEFT JOIN creatives AS c ON c.id = l.creative_id
WHERE l.person_id = :person AND l.account_id = :account AND l.deleted_at IS NULL AND {seen("l")}
ORDER BY l.created_at DESC, l.id DESC LIMIT :most
"""  # noqa: S608 - our own text
_REGISTRATIONS = """
SELECT r.source, r.webinar_datetime, r.created_at, r.matched_by FROM registrations AS r
WHERE r.person_id = :person AND r.account_id = :account ORDER BY r.id DESC LIMIT :most
"""
_VISITS = """
SELECT w.title, w.started_at, a.joined_at, w.ended_at, a.watch_duration_sec, a.presence, a.ordered, a.matched_by
FROM webinar_attendees AS a JOIN webinars AS w ON w.id = a.session_id
WHERE a.person_id = :person AND a.account_id = :account AND w.state = 'complete' AND a.part_of IS NULL
ORDER BY a.id DESC LIMIT :most
"""
# coalesce: ordered by the bare column SQLite would go through all calls of the account
_CALLS = """
SELECT id, started_at, direction, outcome, duration_s, employee_name, summary, crm_url FROM calls
WHERE account_id = :account AND client_phone IN {texts} AND NOT rehearsal
ORDER BY coalesce(started_at, heard_at) DESC LIMIT :most
"""
_PAIRS = """
SELECT j.id, j.state, j.reason, j.value, j.person_id, j.other_id, o.name, p.name
FROM person_joins AS j JOIN people AS o ON o.id = j.other_id JOIN people AS p ON p.id = j.person_id
WHERE j.account_id = :account AND j.state <> 'followed' AND (j.person_id IN {ids} OR j.other_id IN {ids})
ORDER BY j.id DESC LIMIT :most
"""
_ALL_WHO_ARE = """
WITH RECURSIVE who(id) AS (
    SELECT CAST(:person AS bigint) UNION ALL SELECT p.id FROM people AS p JOIN who ON p.merged_into = who.id
) SELECT id FROM who
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """An ad: source, medium, campaign, content; "" where not told."""

    source: str = ""
    medium: str = ""
    campaign: str = ""
    content: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientKey:
    """A phone, an e-mail, a contact or a link of theirs, who told it and since when (aware UTC)."""

    id: int
    kind: str
    value: str
    source: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientLead:
    """``why``: what told whose it is. ``value`` in minor units. ``extra``: what the form says besides."""

    id: int
    at: datetime
    changed_at: datetime
    source: str
    form: str
    status: str
    manager: str
    url: str
    value: int | None
    currency: str
    why: str
    name: str
    direction: str
    creative: str
    first: Touch
    last: Touch
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRegistration:
    at: datetime
    session_at: datetime | None
    source: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientVisit:
    """``seconds`` watched, None: unknown. ``at``: when they came, else when it began."""

    at: datetime
    title: str
    seconds: int | None
    presence: str
    ordered: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCall:
    """``gist`` of the summary and the promises in it; "" and () where there is none."""

    id: int
    at: datetime
    direction: str
    outcome: str
    seconds: int
    employee: str
    gist: str
    tasks: tuple[Task, ...]
    crm_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """What is said of this person and another. ``state``: united, parted or suggested; ``name`` of the other, or ""."""

    id: int
    state: str
    reason: str
    value: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    person_id: int
    name: str
    keys: tuple[ClientKey, ...]
    leads: tuple[ClientLead, ...]
    registrations: tuple[ClientRegistration, ...]
    visits: tuple[ClientVisit, ...]
    calls: tuple[ClientCall, ...]
    ties: tuple[Tie, ...]

    def key(self, kind: str) -> str:
        """The first of a kind, "" where there is none."""
        return next((key.value for key in self.keys if key.kind == kind), "")


async def find_client(database: Database, account_id: int, *, phone: str = "", email: str = "") -> tuple[int, ...]:
    """Whose the phone (a key) is, and whose the e-mail: two ids where these are two people."""
    found: list[int] = []
    async with database.read() as connection:
        for kind, value in (("phone", phone), ("email", email)):
            if value:
                mine = {"account": account_id, "kind": kind, "value": value}
                found += [int(row[0]) for row in await fetch(connection, _BY_KEY, mine)]
    return tuple(dict.fromkeys(found))


async def read_client(database: Database, account_id: int, person_id: int) -> Client | None:
    """Who this id is now, with all of theirs; None for nobody, or another account's."""
    async with database.read() as connection:
        person = await who_now(connection, person_id)
        mine: dict[str, Any] = {"account": account_id, "person": person, "most": MOST}
        named = await fetch(connection, _PERSON, mine)
        if not named:
            return None
        keys = tuple(_key(row) for row in await fetch(connection, _KEYS, mine))
        leads = tuple(_lead(row) for row in await fetch(connection, _LEADS, mine))
        phones = {**mine, "texts": [key.value for key in keys if key.kind == "phone"]}
        return Client(
            person_id=person,
            name=named[0][1] or next((lead.name for lead in leads if lead.name), ""),
            keys=keys,
            leads=leads,
            registrations=tuple(_registration(row) for row in await fetch(connection, _REGISTRATIONS, mine)),
            visits=tuple(_visit(row) for row in await fetch(connection, _VISITS, mine)),
            calls=tuple(_call(row) for row in await fetch(connection, _CALLS, phones)),
            ties=await _ties(connection, mine),
        )


async def _ties(connection: AsyncConnection, mine: dict[str, Any]) -> tuple[Tie, ...]:
    """With whom they were united, and from whom they were parted; what is true already is not suggested."""
    own = [row[0] for row in await fetch(connection, _ALL_WHO_ARE, mine)]
    ties: list[Tie] = []
    for id_, state, reason, value, person, other, other_name, name in await fetch(connection, _PAIRS, {**mine, "ids": own}):
        inside = person in own and other in own
        if inside is (state == UNITED) and state in {UNITED, PARTED, SUGGESTED}:
            ties.append(Tie(id=id_, state=state, reason=reason, value=value, name=other_name if person in own else name))
    return tuple(ties)


def _at(value: object) -> datetime:
    at = moment(value)
    assert at is not None  # noqa: S101 - a column that is never empty
    return at


def _key(row: Sequence[Any]) -> ClientKey:
    return ClientKey(id=row[0], kind=row[1], value=row[2], source=row[3], since=_at(row[4]))


def _lead(row: Sequence[Any]) -> ClientLead:
    extra = json.loads(row[6]) if row[6] else {}
    return ClientLead(
        id=row[0], source=row[1], form=row[2], status=row[3], manager=row[4], url=row[5], value=row[7], currency=row[8],
        at=_at(row[9]), changed_at=_at(row[10]), why=row[11], name=row[12], direction=row[13] or "", creative=row[14] or "",
        first=Touch(source=row[15], medium=row[16], campaign=row[17], content=row[18]),
        last=Touch(source=row[19], medium=row[20], campaign=row[21], content=row[22]),
        extra=tuple((str(name), str(value)) for name, value in extra.items()),
    )  # fmt: skip


def _registration(row: Sequence[Any]) -> ClientRegistration:
    return ClientRegistration(source=row[0], session_at=moment(row[1]), at=_at(row[2]), why=row[3])


def _visit(row: Sequence[Any]) -> ClientVisit:
    at = moment(row[2]) or moment(row[1]) or _at(row[3])
    return ClientVisit(title=row[0], at=at, seconds=row[4], presence=row[5], ordered=bool(row[6]), why=row[7])


def _call(row: Sequence[Any]) -> ClientCall:
    summary = loads(Summary, row[6]) if row[6] else None
    return ClientCall(
        id=row[0], at=_at(row[1]), direction=row[2], outcome=row[3], seconds=row[4], employee=row[5],
        gist=summary.text if summary else "", tasks=summary.tasks if summary else (), crm_url=row[7],
    )  # fmt: skip
