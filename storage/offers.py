"""New leads that somebody has to take: which they are, who may be asked, and who was quicker."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.events import LeadOffered
from domain.messages import Destination
from domain.ports import Tx
from domain.roles import Person
from storage.bulk import insert_work, new_work
from storage.claims import Claim
from storage.codec import dumps
from storage.engine import Database
from storage.models.types import driver_time
from storage.queries.settings import setting
from storage.sets import execute, fetch, moment
from storage.staff import RESPONSIBLE

MINUTES = "lead_minutes"
DEFAULT_MINUTES = 15
PASSES = ("next", "head")  # on to whom a lead goes that nobody takes, in turn
MINE = "mine"
MOST_AT_ONCE = 100  # news of one delivery: a list that was loaded into the CRM is nobody's to take, and its cards take hours
SAME_STORY = timedelta(days=1)  # a form and the deal that the CRM makes of it are one card

# Who has a card of today already gets no second one; an old lead is told of late and is nobody's news.
_FRESH = """
SELECT l.id, l.person_id FROM leads AS l
WHERE l.id IN {ids} AND l.deleted_at IS NULL AND l.created_at >= :fresh AND NOT EXISTS (
    SELECT 1 FROM leads AS o JOIN work AS w ON w.account_id = o.account_id AND w.kind = 'offer'
        AND w.object = 'lead:' || o.id AND w.generation = 1
    WHERE o.person_id = l.person_id AND o.id <> l.id AND o.deleted_at IS NULL AND o.created_at >= :since)
ORDER BY l.id
"""
_ONE_AT_A_TIME = """
SELECT id FROM people WHERE id IN (SELECT person_id FROM leads WHERE id IN {ids})
ORDER BY id FOR NO KEY UPDATE
"""
# place: see storage.crm._LEADS_OF.
_TOLD = """
SELECT id FROM leads WHERE account_id = :account AND source = :source AND external_id IN {texts} AND external_id <> ''
UNION SELECT l.id FROM crm_links AS k JOIN leads AS l ON l.account_id = k.account_id
    AND l.source = k.source AND l.external_id = k.lead_id AND l.external_id <> ''
WHERE k.account_id = :account AND k.source = :source AND k.contact_id IN {texts:contacts} AND k.place >= 0
"""
_SHOWN = """
WITH told AS (SELECT id, person_id FROM leads WHERE id IN {ids} AND created_at >= :since),
    near AS (SELECT id FROM told UNION SELECT o.id FROM told JOIN leads AS o ON o.person_id = told.person_id
        WHERE o.created_at >= :since)
SELECT id FROM near WHERE EXISTS (
    SELECT 1 FROM posts AS p WHERE p.account_id = :account AND p.key = 'lead:' || near.id)
ORDER BY id
"""
_COLUMNS = f"""
SELECT l.id, l.person_id, l.name, l.phone, l.phone_key, l.email, l.source, l.form, l.status, l.created_at,
    l.first_utm_source, l.first_utm_medium, l.first_utm_campaign, l.url, l.external_id,
    c.taken_by, c.taken_by_name, c.taken_at,
    (SELECT min(p.id) FROM posts AS p WHERE p.account_id = l.account_id AND p.key = 'lead:' || l.id), {RESPONSIBLE}
FROM leads AS l LEFT JOIN lead_claims AS c ON c.lead_id = l.id
WHERE l.account_id = :account AND l.deleted_at IS NULL AND
"""  # noqa: S608 - our own text
_LEAD = _COLUMNS + "l.id = :lead"
_STORY = _COLUMNS + "l.person_id = :person AND l.created_at BETWEEN :after AND :before ORDER BY l.created_at, l.id"
_ASKED = """
SELECT p.key, u.name FROM posts AS p JOIN users AS u ON u.account_id = p.account_id AND u.telegram_id = p.chat_id
WHERE p.account_id = :account AND p.key IN {texts} ORDER BY u.id
"""
_TEAM = """
SELECT telegram_id, name, role FROM users WHERE account_id = :account AND disabled_at IS NULL ORDER BY id
"""
_TAKE = """
INSERT INTO lead_claims (lead_id, account_id, taken_by, taken_by_name, taken_at)
VALUES (:lead, :account, :by, :name, :now) ON CONFLICT (lead_id) DO NOTHING
"""
_COPIES = "SELECT key, chat_id, topic_id FROM posts WHERE account_id = :account AND key IN {texts} ORDER BY id"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedLead:
    """A lead with what else its person was told of within a day: a form and the deal made of it are one card.

    ``manager``: who is responsible at its source. ``phone`` is a key, ``phone_raw`` as written.
    ``stage``: as the CRM has it, "" where none does. ``taken``: who has it,
    None while nobody does. ``follows``: another card of the same story was there before. ``cards``: leads of the story that
    have one; ``told``: its leads as (source, the source's id). ``passed``: on to whom it went, PASSES or "", and ``asked``:
    their names.
    """

    id: int
    person_id: int | None
    name: str
    phone: str
    phone_raw: str
    email: str
    sources: tuple[str, ...]
    form: str
    stage: str
    ad: str
    url: str
    follows: bool = False
    cards: tuple[int, ...] = ()
    told: tuple[tuple[str, str], ...] = ()
    taken: Claim | None = None
    passed: str = ""
    manager: str = ""
    asked: tuple[str, ...] = ()


class _Told(NamedTuple):
    """A row of _COLUMNS; times as the driver has them. ``shown``: the first post of its card, None: there is none."""

    id: int
    person_id: int | None
    name: str
    phone_raw: str
    phone: str
    email: str
    source: str
    form: str
    status: str
    created_at: Any
    utm_source: str
    utm_medium: str
    utm_campaign: str
    url: str
    external_id: str
    taken_by: int | None
    taken_by_name: str
    taken_at: Any
    shown: int | None
    manager: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody of the team; ``runs``: the head or an admin."""

    telegram_id: int
    name: str
    runs: bool


class OfferStore:
    """Offers of all accounts. What takes a transaction is one commit with the step it is part of."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, tx: Tx, account_id: int, leads: Sequence[int], *, now: datetime, fresh: datetime) -> int:
        """Work for each of these leads that is news; how many. Asked twice, or of several leads of one person: one.

        More than MOST_AT_ONCE: only how many they are, no work.
        """
        if not leads:
            return 0
        connection, dialect = cast("AsyncConnection", tx), self._database.dialect_name
        mine = {"ids": list(leads)}
        if not self._database.is_sqlite:  # which has one writer anyway
            await fetch(connection, _ONE_AT_A_TIME, mine)
        times = {"fresh": driver_time(fresh, dialect), "since": driver_time(now - SAME_STORY, dialect)}
        fresh_ones = await fetch(connection, _FRESH, {**mine, **times})
        firsts = {person or -lead: lead for lead, person in reversed(fresh_ones)}
        if len(firsts) > MOST_AT_ONCE:
            return len(firsts)
        rows = [self._work(account_id, lead, now) for lead in sorted(firsts.values())]
        return await insert_work(self._database).run(connection, rows)

    async def told(self, account_id: int, source: str, leads: Sequence[str], contacts: Sequence[str]) -> tuple[int, ...]:
        """Our ids of a CRM's leads by its own, and of those that its contacts are linked to."""
        mine = {"account": account_id, "source": source, "texts": list(leads), "contacts": list(contacts)}
        async with self._database.read() as connection:
            return tuple(sorted(row[0] for row in await fetch(connection, _TOLD, mine)))

    async def shown(self, account_id: int, leads: Sequence[int], now: datetime) -> tuple[int, ...]:
        """Leads whose cards tell of these, or of their people: what is known of them has changed."""
        since = driver_time(now - SAME_STORY, self._database.dialect_name)
        async with self._database.read() as connection:
            rows = await fetch(connection, _SHOWN, {"account": account_id, "ids": list(leads), "since": since})
        return tuple(row[0] for row in rows)

    def _work(self, account_id: int, lead_id: int, now: datetime) -> dict[str, object]:
        event = LeadOffered(vendor="lead", external_id=str(lead_id), occurred_at=now, lead_id=lead_id)
        return new_work(
            self._database, account_id=account_id, kind="offer", object_=f"lead:{lead_id}", source="hook",
            payload=dumps(LeadOffered, event), delivery_id=None, now=now,
        )  # fmt: skip

    async def minutes(self, account_id: int) -> int:
        """How long a lead may wait for somebody, in minutes of working time; 0: for ever."""
        value = await setting(self._database, account_id, MINUTES)
        return int(value) if value is not None and value.isdecimal() else DEFAULT_MINUTES

    async def team(self, tx: Tx, account_id: int) -> tuple[Colleague, ...]:
        """In the order they came."""
        rows = await fetch(cast("AsyncConnection", tx), _TEAM, {"account": account_id})
        return tuple(Colleague(telegram_id=row[0], name=row[1], runs=row[2] != "manager") for row in rows)

    async def read(self, tx: Tx, account_id: int, lead_id: int, *, reader: int = 0) -> OfferedLead | None:
        """None for a lead that is gone, or another account's. ``reader``: whose a claim is to be called theirs."""
        connection, mine = cast("AsyncConnection", tx), {"account": account_id}
        rows = await fetch(connection, _LEAD, {**mine, "lead": lead_id})
        if not rows:
            return None
        own = _Told(*rows[0])
        lead = _offered(own, await self._story(connection, account_id, own), reader)
        if lead.taken is not None:
            return lead
        asked = await fetch(connection, _ASKED, {**mine, "texts": [copy_key(lead_id, one) for one in PASSES]})
        passed = next((one for one in reversed(PASSES) if any(key == copy_key(lead_id, one) for key, _ in asked)), "")
        return replace(
            lead, passed=passed, asked=tuple(name for key, name in asked if key == copy_key(lead_id, passed) and name)
        )

    async def _story(self, connection: AsyncConnection, account_id: int, own: _Told) -> list[_Told]:
        """With the lead itself, oldest first."""
        at = moment(own.created_at)
        if own.person_id is None or at is None:
            return [own]
        after, before = (driver_time(at + by, self._database.dialect_name) for by in (-SAME_STORY, SAME_STORY))
        mine = {"account": account_id, "person": own.person_id, "after": after, "before": before}
        return [_Told(*row) for row in await fetch(connection, _STORY, mine)]

    async def take(self, tx: Tx, person: Person, lead_id: int, now: datetime) -> OfferedLead | None:
        """The lead with whoever has it now: this person, or who was quicker, on whichever card of the story."""
        lead = await self.read(tx, person.account_id, lead_id, reader=person.telegram_id)
        if lead is None or lead.taken is not None:
            return lead
        values = {"lead": lead_id, "account": person.account_id, "by": person.telegram_id, "name": person.name}
        connection = cast("AsyncConnection", tx)
        await execute(connection, _TAKE, {**values, "now": driver_time(now, self._database.dialect_name)})
        return await self.read(tx, person.account_id, lead_id, reader=person.telegram_id)

    async def copies(self, tx: Tx, account_id: int, lead_id: int) -> tuple[tuple[str, Destination], ...]:
        """Where the card of this lead is shown, in chats and in private, each by its key."""
        keys = [copy_key(lead_id, one) for one in ("", *PASSES, MINE)]
        rows = await fetch(cast("AsyncConnection", tx), _COPIES, {"account": account_id, "texts": keys})
        return tuple((row[0], Destination(chat_id=row[1], topic_id=row[2])) for row in rows)


def copy_key(lead_id: int, copy: str = "") -> str:
    """The key of the card in the chats; with ``copy``, PASSES or MINE, of what somebody has in private."""
    return f"lead:{lead_id}:{copy}" if copy else f"lead:{lead_id}"


def _offered(own: _Told, story: Sequence[_Told], reader: int) -> OfferedLead:
    """Each thing as the lead itself tells it, else as the first other one does."""

    def first(name: str) -> str:
        return next((text for one in (own, *story) if (text := getattr(one, name))), "")

    ads = (" / ".join(filter(None, (one.utm_source, one.utm_medium, one.utm_campaign))) for one in (own, *story))
    earlier = [one.shown for one in story if one.id != own.id and one.shown is not None]
    return OfferedLead(
        id=own.id, person_id=own.person_id, name=first("name"), phone=first("phone"), phone_raw=first("phone_raw"),
        email=first("email"), sources=tuple(dict.fromkeys(one.source for one in story)), form=first("form"),
        stage=first("status"), ad=next(filter(None, ads), ""), url=first("url"), taken=_claim(story, reader),
        manager=first("manager"),
        follows=any(own.shown is None or shown < own.shown for shown in earlier),
        cards=tuple(one.id for one in story if one.shown is not None),
        told=tuple((one.source, one.external_id) for one in story if one.external_id),
    )  # fmt: skip


def _claim(story: Sequence[_Told], reader: int) -> Claim | None:
    """The first of them: one story is one person's."""
    claims = [(at, one) for one in story if (at := moment(one.taken_at)) is not None]
    if not claims:
        return None
    at, one = min(claims, key=lambda claim: claim[0])
    return Claim(name=one.taken_by_name, at=at, mine=one.taken_by == reader)
