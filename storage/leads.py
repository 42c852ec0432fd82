"""Leads and the people behind them: saved in batches, joined by phone, e-mail and link, with all that follows from it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Dialect, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.ads import By
from domain.errors import BadInput
from domain.leads import Arrived, Lead
from domain.ports import Tx
from domain.webinars import Marks
from storage.assigning import assign_new
from storage.dirty import day_of, mark_days
from storage.doubts import settle_doubts
from storage.engine import Database
from storage.identities import add_keys, lead_keys, next_ids
from storage.joins import UNITED, Reason, add_pair, unite
from storage.matching import EMAIL, PHONE, rematch, rematch_registrations
from storage.models import identities, leads
from storage.models.types import driver_time
from storage.sets import BulkWrite, Value, fetch, storable
from storage.whose import Doubt, Whose

TYPED = "chat"  # the source of leads that a person of the team typed
MOST_LEADS = 100  # in one write, for each may bring many visits with it; a batch that is larger is cut

_TOUCHES = tuple(
    f"{touch}_{name}"
    for touch in ("first", "last")
    for name in ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "url_marker")
)
# What a source does not tell again stays: a first touch, a direction that was given here.
KEPT_TEXTS = (
    "name", "phone", "phone_key", "email", "email_key", "status", "pipeline_id", "status_id", "manager_id", "manager",
    "currency", *_TOUCHES, "contact_id", "form", "url", "extra", "direction_by", "creative_by",
)  # fmt: skip
KEPT = ("direction_id", "creative_id", "value", "commission")
TAKEN = ("person_id", "created_at", "updated_at", "deleted_at")
LEAD_COLUMNS = ("id", "account_id", "source", "external_id", *KEPT_TEXTS, *KEPT, *TAKEN, "import_id", "matched_by")

_ADD_PEOPLE = BulkWrite(
    table="people",
    columns=("id", "account_id", "name", "created_at"),
    types=("bigint", "int", "text", "timestamptz"),
    conflict="(id) DO NOTHING",
)
_STORED = """
SELECT source, external_id, id, person_id, created_at, updated_at FROM leads
WHERE account_id = :account AND source = :source AND external_id IN {texts} AND external_id <> ''
"""


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a batch: leads that are new, that were changed, and that told nothing new; people that are new."""

    added: int = 0
    changed: int = 0
    same: int = 0
    people: int = 0

    def __add__(self, other: "Saved") -> "Saved":
        return Saved(
            self.added + other.added, self.changed + other.changed, self.same + other.same, self.people + other.people
        )


class LeadStore:
    """Every way a lead or a person's key gets in or out leads through here, so that visits and conversions follow."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, account_id: int, batch: Sequence[Lead]) -> Saved:
        """Leads of any source, in writes of MOST_LEADS; of one told twice the newest counts. A repeat changes nothing."""
        saved = Saved()
        for start in range(0, len(batch), MOST_LEADS):
            some = list(batch[start : start + MOST_LEADS])

            async def job(connection: AsyncConnection, some: list[Lead] = some) -> Saved:
                return await save_leads(connection, account_id, some)

            saved += await self._database.write(job)
        return saved

    async def arrive(self, tx: Tx, account_id: int, some: Sequence[Lead]) -> Arrived:
        """Leads as their source tells of them, at most MOST_LEADS, within a write."""
        batch = LeadBatch(cast("AsyncConnection", tx), account_id, newest_of(some))
        saved = await batch.save()
        return Arrived(
            added=saved.added, changed=saved.changed, same=saved.same, people=saved.people, new=tuple(sorted(batch.new))
        )

    async def undo_identity(self, account_id: int, identity_id: int, *, now: datetime) -> None:
        """This key is not this person's: nothing joins it to them again, and visits matched by it are matched anew."""

        async def job(connection: AsyncConnection) -> None:
            await take_key(connection, account_id, identity_id, now=now)

        await self._database.write(job)

    async def add_identity(
        self, account_id: int, person_id: int, kind: str, value: str, *, source: str, now: datetime
    ) -> None:
        """A key of this person from now on, whoever had it before: a person of the team says so. ``value`` is the key."""

        async def job(connection: AsyncConnection) -> None:
            await give_key(connection, account_id, person_id, (kind, value), source=source, now=now)

        await self._database.write(job)


async def take_key(connection: AsyncConnection, account_id: int, identity_id: int, *, now: datetime) -> None:
    """Within a write, as ``LeadStore.undo_identity`` says. BadInput when it is undone already."""
    mine = (identities.c.account_id == account_id) & (identities.c.id == identity_id) & identities.c.undone_at.is_(None)
    row = (await connection.execute(select(identities).where(mine))).one_or_none()
    if row is None:
        raise BadInput("identity", "Эта связь уже убрана.")
    await connection.execute(update(identities).where(mine).values(undone_at=now))
    await rematch_key(connection, account_id, row.kind, row.value, {row.person_id})


async def give_key(
    connection: AsyncConnection, account_id: int, person_id: int, key: tuple[str, str], *, source: str, now: datetime
) -> None:
    """Within a write, as ``LeadStore.add_identity`` says; ``key`` is (kind, value). Whose it is already keeps it."""
    kind, value = key
    same = (identities.c.account_id == account_id) & (identities.c.kind == kind) & (identities.c.value == value)
    owner = (await connection.execute(select(identities).where(same & identities.c.undone_at.is_(None)))).one_or_none()
    if owner is not None and owner.person_id == person_id:
        return
    if owner is not None:
        await connection.execute(update(identities).where(identities.c.id == owner.id).values(undone_at=now))
    row = {"account_id": account_id, "kind": kind, "value": value, "person_id": person_id}
    await connection.execute(insert(identities).values(**row, source=source, since=now))
    await rematch_key(connection, account_id, kind, value, {person_id} | ({owner.person_id} if owner is not None else set()))


async def rematch_key(connection: AsyncConnection, account_id: int, kind: str, value: str, people: set[int]) -> None:
    """Visits and registrations that this key or these people concern, matched again."""
    phones, emails = ([value] if kind == own else [] for own in (PHONE, EMAIL))
    await rematch(connection, account_id, phones=phones, emails=emails, people=people)
    await rematch_registrations(connection, account_id, phones=phones, emails=emails)


async def save_leads(connection: AsyncConnection, account_id: int, batch: Sequence[Lead]) -> Saved:
    """Within a write: the leads, their people and keys, visits matched again, days marked. At most MOST_LEADS."""
    return await LeadBatch(connection, account_id, newest_of(batch)).save()


@dataclass(frozen=True, slots=True)
class _Stored:
    id: int
    person_id: int | None
    created_at: Any
    updated_at: Any


class LeadBatch:
    """Some leads on their way into rows, no lead twice. ``import_id``: the table that alone says so, as long as it does."""

    def __init__(
        self, connection: AsyncConnection, account_id: int, batch: Sequence[Lead], import_id: int | None = None
    ) -> None:
        self._connection = connection
        self._account_id = account_id
        self._import_id = import_id
        self._leads = [(lead, lead_keys(lead)) for lead in sorted(batch, key=lambda lead: lead.created_at)]
        self._stored: dict[tuple[str, str], _Stored] = {}
        self._whose = Whose(connection, account_id)
        self._new_people: list[tuple[int, Lead]] = []
        self._by: list[str] = []
        self._ids: list[int] = []
        self.new: list[int] = []

    async def save(self) -> Saved:
        count = len(self._leads)
        await self._drop_what_is_older()
        people = await self._people()
        await self._add_people()
        await self._add_keys()
        added, changed = await self._upsert(people)
        await self._unite()
        if added or changed:
            await self._follow(people)
        return Saved(added=added, changed=changed, same=count - added - changed, people=len(self._new_people))

    async def _drop_what_is_older(self) -> None:
        for source in {lead.source for lead, _ in self._leads}:
            names = [lead.external_id for lead, _ in self._leads if lead.source == source]
            mine = {"account": self._account_id, "source": source, "texts": names}
            for row in await fetch(self._connection, _STORED, mine):
                self._stored[row[0], row[1]] = _Stored(*row[2:])
        self._leads = [(lead, keys) for lead, keys in self._leads if self._is_news(lead)]

    def _is_news(self, lead: Lead) -> bool:
        stored = self._known(lead)
        return stored is None or bool(stored.updated_at <= self._time(lead.updated_at))

    def _known(self, lead: Lead) -> _Stored | None:
        return self._stored.get((lead.source, lead.external_id))

    async def _people(self) -> list[int | None]:
        """Whose each lead is, before any of them turn out to be one: that moves their rows, and can be taken back."""
        await self._whose.look_up(key for _, keys in self._leads for key in keys)
        ids = await next_ids(self._connection, "people", len(self._leads))
        people: list[int | None] = []
        for place, ((lead, keys), new) in enumerate(zip(self._leads, ids, strict=True)):
            stored = self._known(lead)
            before = stored.person_id if stored else None
            person, by = await self._whose.decide(place, keys, before=before, new=new)
            if person == new:
                self._new_people.append((new, lead))
            people.append(person)
            self._by.append(by)
        return people

    async def _add_people(self) -> None:
        rows: list[tuple[Value, ...]] = [
            (person, self._account_id, storable(lead.name), self._time(lead.created_at)) for person, lead in self._new_people
        ]
        await _ADD_PEOPLE.run(self._connection, rows)

    async def _add_keys(self) -> None:
        told = [(key, person, self._leads[place][0]) for place, key, person in (*self._whose.learned, *self._whose.met)]
        keys = [(*key, person, lead.source, lead.created_at) for key, person, lead in told]
        await add_keys(self._connection, self._account_id, keys, self._import_id)

    async def _unite(self) -> None:
        told = [(lead_id, lead.updated_at) for lead_id, (lead, _) in zip(self._ids, self._leads, strict=True)]
        await unite_people(self._connection, self._account_id, self._whose, told)

    async def _upsert(self, people: list[int | None]) -> tuple[int, int]:
        ids = await next_ids(self._connection, "leads", len(self._leads))
        rows: list[tuple[Value, ...]] = []
        for (lead, keys), person, by, new in zip(self._leads, people, self._by, ids, strict=True):
            stored = self._known(lead)
            if stored is None:
                self.new.append(new)
            self._ids.append(stored.id if stored else new)
            rows.append((*self._row(self._ids[-1], lead, dict(reversed(keys)), person), by))
        written = await upsert_for(self._connection.dialect).run(self._connection, rows)
        await assign_new(self._connection, self._account_id, self._ids)
        return len(self.new), written - len(self.new)

    def _row(self, lead_id: int, lead: Lead, keys: dict[str, str], person: int | None) -> tuple[Value, ...]:
        last = lead.last if lead.last != Marks() else lead.first
        row = (
            lead_id, self._account_id, lead.source, lead.external_id,
            lead.name, lead.phone, keys.get(PHONE, ""), lead.email, keys.get(EMAIL, ""), lead.status,
            lead.pipeline_id[:32], lead.status_id[:32], lead.manager_id, lead.manager, lead.currency,
            *_touch(lead.first), *_touch(last),
            lead.contact_id[:64], lead.form, lead.url, _extra(lead), _said(lead, lead.direction_id),
            _said(lead, lead.creative_id),
            lead.direction_id, lead.creative_id, lead.value, lead.commission,
            person, self._time(lead.created_at), self._time(lead.updated_at),
            self._time(lead.deleted_at) if lead.deleted_at else None, lead.import_id,
        )  # fmt: skip
        return tuple(storable(value) if isinstance(value, str) else value for value in row)

    async def _follow(self, people: list[int | None]) -> None:
        """What changed for days, visits and registrations."""
        days = {day_of(self._time(lead.created_at)) for lead, _ in self._leads}
        days |= {day_of(stored.created_at) for stored in self._stored.values()}
        await mark_days(self._connection, self._account_id, days)
        phones, emails = (
            {value for _, keys in self._leads for own, value in keys if own == kind} for kind in (PHONE, EMAIL)
        )
        touched = {person for person in people if person is not None}
        touched |= {union.person for union in self._whose.unions}
        touched |= {stored.person_id for stored in self._stored.values() if stored.person_id is not None}
        await rematch(self._connection, self._account_id, phones=phones, emails=emails, people=touched)
        await rematch_registrations(self._connection, self._account_id, phones=phones, emails=emails)

    def _time(self, value: datetime) -> Any:
        return driver_time(value, self._connection.dialect.name)


async def unite_people(
    connection: AsyncConnection, account_id: int, whose: Whose, leads: Sequence[tuple[int, datetime]]
) -> None:
    """Who turned out to be one person by these leads (number, when it was told), and who only may be."""
    for union in whose.unions:
        lead_id, now = leads[union.place]
        reason = Reason(kind=union.reason, value=union.value, lead_id=lead_id)
        pair = await add_pair(connection, account_id, (union.person, union.other), reason, state=UNITED, now=now)
        await unite(connection, account_id, pair)
    doubts = [
        Doubt(one.place, person, other, one.email)
        for one in whose.doubts
        if (person := whose.now(one.person)) and (other := whose.now(one.other)) and person != other
    ]
    if doubts:
        latest = max(now for _, now in leads)
        await settle_doubts(connection, account_id, doubts, [lead_id for lead_id, _ in leads], latest)


def newest_of(batch: Sequence[Lead]) -> list[Lead]:
    """Of one lead told several times the newest; those without an id of their own are all different."""
    newest: dict[object, Lead] = {}
    for place, lead in enumerate(batch):
        key = (lead.source, lead.external_id) if lead.external_id else place
        known = newest.get(key)
        if known is None or known.updated_at <= lead.updated_at:
            newest[key] = lead
    return list(newest.values())


def _said(lead: Lead, name_id: int | None) -> str:
    """Who says the direction or the creative of a lead that comes with one."""
    if name_id is None:
        return By.NOBODY.value
    return (By.HAND if lead.source == TYPED else By.TABLE).value


def _extra(lead: Lead) -> str:
    return json.dumps(dict(lead.extra), ensure_ascii=False) if lead.extra else ""


def _touch(marks: Marks) -> tuple[str, ...]:
    return (marks.source, marks.medium, marks.campaign, marks.term, marks.content, marks.partner)


@lru_cache(maxsize=4)
def upsert_for(dialect: Dialect) -> BulkWrite:
    merged = {name: f"coalesce(nullif(excluded.{name}, ''), t.{name})" for name in KEPT_TEXTS}
    merged |= {name: f"coalesce(excluded.{name}, t.{name})" for name in KEPT}
    merged |= {name: f"excluded.{name}" for name in TAKEN}
    merged |= {"import_id": "CASE WHEN t.deleted_at IS NULL THEN t.import_id ELSE excluded.import_id END"}
    differs = "IS NOT" if dialect.name == "sqlite" else "IS DISTINCT FROM"
    moved = f"t.person_id {differs} excluded.person_id"
    merged |= {"matched_by": f"CASE WHEN {moved} THEN excluded.matched_by ELSE t.matched_by END"}
    changes = ", ".join(f"{name} = {value}" for name, value in merged.items())
    same = ", ".join(f"t.{name}" for name in merged)
    conflict = f"(id) DO UPDATE SET {changes} WHERE ({same}) {differs} ({', '.join(merged.values())})"
    types = tuple(leads.c[name].type.compile(dialect=dialect) for name in LEAD_COLUMNS)
    return BulkWrite(table="leads", columns=LEAD_COLUMNS, types=types, conflict=conflict)
