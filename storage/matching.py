"""Whose visit it was: attendees found among people by phone, e-mail or personal link, and the lead it counts for.

Everything here takes a connection: inside a write it sees what that write sees. What a person of the team has said about an
attendee (matched by hand) is never touched but for its lead.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.webinars import MatchedBy
from storage.changes import mark_changed
from storage.dirty import mark_dirty
from storage.hidden import seen
from storage.sets import execute, execute_each, fetch
from storage.wholes import settle

PHONE, EMAIL, LINK = "phone", "email", "link"  # kinds of identities

_KNOWN = """
SELECT i.value, i.person_id FROM identities AS i
WHERE i.account_id = :account AND i.kind = :kind AND i.undone_at IS NULL AND i.value IN {texts}
"""
_SEEN = f"{_KNOWN} AND {seen('i')}"
_WITH_PHONE = "SELECT DISTINCT person_id FROM identities WHERE person_id IN {ids} AND kind = 'phone' AND undone_at IS NULL"
_LEADS = f"""
SELECT person_id, id, created_at, first_utm_source, first_utm_medium, first_utm_campaign, first_utm_term, first_utm_content,
       first_url_marker
FROM leads AS l WHERE person_id IN {{ids}} AND deleted_at IS NULL AND {seen("l")}
"""  # noqa: S608 - our own text
_ATTENDEES = """
SELECT a.id, a.phone_number, a.email, a.link_ids, a.matched_by, a.person_id, a.other_person_id, a.lead_id, a.marks_from,
       a.utm_source, a.utm_medium, a.utm_campaign, a.utm_term, a.utm_content, a.url_marker, a.session_id, w.ended_at,
       a.person_key
FROM webinar_attendees AS a JOIN webinars AS w ON w.id = a.session_id
WHERE {where}
"""
_UPDATE = """
UPDATE webinar_attendees SET matched_by = :by, person_id = :person, other_person_id = :other, lead_id = :lead,
    marks_from = :marks_from, utm_source = :source, utm_medium = :medium, utm_campaign = :campaign, utm_term = :term,
    utm_content = :content, url_marker = :marker
WHERE id = :id
"""
# The same for those who registered and were nobody we knew; their lead is the newest one.
_REGISTRATIONS = """
UPDATE registrations SET matched_by = :kind,
    person_id = (SELECT i.person_id FROM identities AS i WHERE i.account_id = registrations.account_id AND i.kind = :kind
                 AND i.value = registrations.{key} AND i.undone_at IS NULL),
    lead_id = (SELECT l.id FROM identities AS i JOIN leads AS l ON l.person_id = i.person_id
               WHERE i.account_id = registrations.account_id AND i.kind = :kind AND i.value = registrations.{key}
               AND i.undone_at IS NULL AND l.deleted_at IS NULL AND {seen_lead}
               ORDER BY l.created_at DESC, l.id DESC LIMIT 1)
WHERE account_id = :account AND person_id IS NULL AND matched_by <> 'hand' AND {key} <> '' AND {key} IN {texts}
AND EXISTS (SELECT 1 FROM identities AS i WHERE i.account_id = :account AND i.kind = :kind AND i.value = registrations.{key}
            AND i.undone_at IS NULL AND {seen_key})
""".replace("{seen_lead}", seen("l")).replace("{seen_key}", seen("i"))
_NO_MARKS = ("",) * 6


class Sought(Protocol):
    """What an attendee can be found by; "" and () where there is nothing."""

    @property
    def phone(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def link_ids(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Seeker:
    """``Sought`` and nothing else."""

    phone: str
    email: str
    link_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """Who it is and why; ``other``: whom a weaker key names, where the phone is somebody else's."""

    by: str
    person: int | None
    other: int | None = None


@dataclass(frozen=True, slots=True)
class LeadOf:
    """``created_at`` is the driver's; ``marks`` of its first touch: source, medium, campaign, term, content, partner."""

    id: int
    created_at: Any
    marks: tuple[str, ...]


NOBODY = Found(MatchedBy.NONE.value, None)


async def persons_known(
    connection: AsyncConnection, account_id: int, kind: str, values: Collection[str], *, hidden: bool = False
) -> dict[str, int]:
    """Whose each of ``values`` is; those that are nobody's are left out.

    ``hidden``: also keys that only a table under way has brought. Who adds keys has to know them; nobody is matched by them.
    """
    if not values:
        return {}
    mine = {"account": account_id, "kind": kind, "texts": list(values)}
    found = await fetch(connection, _KNOWN if hidden else _SEEN, mine)
    return {row[0]: row[1] for row in found}


async def find_people(connection: AsyncConnection, account_id: int, seekers: Sequence[Sought]) -> list[Found]:
    """For each its person: by phone, else by e-mail, else by personal link."""
    phones = await persons_known(connection, account_id, PHONE, {one.phone for one in seekers if one.phone})
    emails = await persons_known(connection, account_id, EMAIL, {one.email for one in seekers if one.email})
    links = await persons_known(connection, account_id, LINK, {link for one in seekers for link in one.link_ids})
    return [_found(one, phones, emails, links) for one in seekers]


def _found(one: Sought, phones: dict[str, int], emails: dict[str, int], links: dict[str, int]) -> Found:
    by_phone, by_email = phones.get(one.phone), emails.get(one.email)
    if by_phone is not None:
        return Found(MatchedBy.PHONE.value, by_phone, by_email if by_email != by_phone else None)
    if by_email is not None:
        return Found(MatchedBy.EMAIL.value, by_email)
    by_link = next((links[link] for link in one.link_ids if link in links), None)
    return NOBODY if by_link is None else Found(MatchedBy.LINK.value, by_link)


async def have_phones(connection: AsyncConnection, people: Iterable[int]) -> set[int]:
    """Those of ``people`` whose phone is known."""
    ids = list(set(people))
    return {row[0] for row in await fetch(connection, _WITH_PHONE, {"ids": ids})} if ids else set()


async def leads_of(connection: AsyncConnection, people: Iterable[int], ended: Any) -> dict[int, LeadOf]:
    """The lead that a visit of a webinar which ended then counts for, by person. ``ended`` as the driver takes it.

    It is the newest one made before the end; where there is none, the oldest after it.
    """
    return {person: _counted(mine, ended) for person, mine in (await _leads_by_person(connection, people)).items()}


async def _leads_by_person(connection: AsyncConnection, people: Iterable[int]) -> dict[int, list[Any]]:
    """Rows of ``_LEADS``; who has none is left out."""
    ids, found = list(set(people)), defaultdict(list)
    for row in await fetch(connection, _LEADS, {"ids": ids}) if ids else ():
        found[row[0]].append(row)
    return found


def _counted(rows: Sequence[Any], ended: Any) -> LeadOf:
    """Of one person's leads, at least one, that which ``leads_of`` means."""
    best = rows[0]
    for row in rows[1:]:
        if _counts_more(row[2], row[1], best[2], best[1], ended):
            best = row
    return LeadOf(best[1], best[2], tuple(best[3:]))


def _counts_more(made: Any, lead: int, other_made: Any, other: int, ended: Any) -> bool:
    if (made <= ended) != (other_made <= ended):
        return bool(made <= ended)
    newer = (made, -lead) > (other_made, -other)
    return newer if made <= ended else not newer


async def rematch_session(
    connection: AsyncConnection, account_id: int, session_id: int, *, after: str, most: int
) -> str | None:
    """Match up to ``most`` attendees of a session whose key follows ``after``; the last key, None when none is left."""
    where = "a.session_id = :session AND a.person_key > :after ORDER BY a.person_key LIMIT :most"
    rows = await _attendees(connection, where, {"session": session_id, "after": after, "most": most})
    await _match(connection, account_id, rows)
    return str(rows[-1][17]) if rows else None


async def rematch(
    connection: AsyncConnection,
    account_id: int,
    *,
    phones: Collection[str] = (),
    emails: Collection[str] = (),
    people: Collection[int] = (),
    attendees: Collection[int] = (),
) -> int:
    """Match again whoever left one of these keys or was taken for one of these people; how many rows were changed.

    Who was found by a phone is one of its people: a phone that changes hands comes with those who had it.

    To be called in the write that changed what is known of them. A personal link is made before its visit, so none is
    looked for here.
    """
    wanted: tuple[tuple[str, Collection[str] | Collection[int]], ...] = (
        ("a.phone_number <> '' AND a.matched_by <> 'phone' AND a.phone_number IN {texts:values}", phones),
        ("a.email <> '' AND a.email IN {texts:values}", emails),
        ("a.person_id IN {ids:values}", people),
        ("a.id IN {ids:values}", attendees),
    )
    rows: dict[int, Any] = {}
    for condition, values in wanted:
        if values:
            where = f"a.account_id = :account AND {condition}"
            some = await _attendees(connection, where, {"account": account_id, "values": list(values)})
            rows |= {row[0]: row for row in some}
    return await _match(connection, account_id, list(rows.values()))


async def rematch_registrations(
    connection: AsyncConnection, account_id: int, *, phones: Collection[str], emails: Collection[str]
) -> int:
    """Find the people of registrations that had none, by these keys; how many were found."""
    found = 0
    for kind, values in ((PHONE, phones), (EMAIL, emails)):
        if values:
            sql = _REGISTRATIONS.replace("{key}", f"{kind}_key")
            found += await execute(connection, sql, {"account": account_id, "kind": kind, "texts": list(values)})
    return found


async def _attendees(connection: AsyncConnection, where: str, values: dict[str, Any]) -> Sequence[Any]:
    return await fetch(connection, _ATTENDEES.replace("{where}", where), values)


async def _match(connection: AsyncConnection, account_id: int, rows: Sequence[Any]) -> int:
    """Bring the rows of ``_ATTENDEES`` to what is known now; how many of them it changed."""
    seekers = [Seeker(row[1], row[2], tuple(json.loads(row[3]))) for row in rows]
    found = await find_people(connection, account_id, seekers)
    sure = [_said(row) or one for row, one in zip(rows, found, strict=True)]
    leads = await _leads_by_person(connection, {one.person for one in sure if one.person is not None})
    changes: list[dict[str, Any]] = []
    touched: dict[int, set[int]] = defaultdict(set)
    for row, one in zip(rows, sure, strict=True):
        lead = _counted(leads[one.person], row[16]) if one.person in leads else None
        if (change := _change(row, one, lead)) is not None:
            changes.append(change)
            touched[row[15]] |= {lead_id for lead_id in (row[7], change["lead"]) if isinstance(lead_id, int)}
    await execute_each(connection, _UPDATE, changes)
    for session, lead_ids in touched.items():
        await mark_dirty(connection, account_id, lead_ids, session_id=session)
    if touched:
        await mark_changed(connection, account_id, touched)
    await settle(connection, account_id, [row[0] for row in rows])
    return len(changes)


def _said(row: Any) -> Found | None:
    """What a person of the team said of this attendee: somebody, or nobody we know."""
    return Found(row[4], row[5], row[6]) if row[4] == MatchedBy.HAND.value else None


def _change(row: Any, one: Found, lead: LeadOf | None) -> dict[str, Any] | None:
    """The values of ``_UPDATE`` that bring a row to this; None where it says so already."""
    own = row[8] == "viewer"
    marks = tuple(row[9:15]) if own else (lead.marks if lead else _NO_MARKS)
    marks_from = "viewer" if own else ("lead" if any(marks) else "")
    after = (one.by, one.person, one.other, lead.id if lead else None, marks_from, *marks)
    if after == (row[4], row[5], row[6], row[7], *row[8:15]):
        return None
    names = ("by", "person", "other", "lead", "marks_from", "source", "medium", "campaign", "term", "content", "marker")
    return {"id": row[0], **dict(zip(names, after, strict=True))}
