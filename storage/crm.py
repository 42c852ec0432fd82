"""What a CRM tells becomes leads: told in any order, in part or twice, they end as the CRM has them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.crm import ContactChange, CrmAction, CrmLead, LeadChange, StageMap
from domain.leads import Lead
from domain.ports import Tx
from domain.webinars import Marks
from storage.leads import MOST_LEADS, LeadStore
from storage.models.types import driver_time
from storage.sets import BulkWrite, execute, fetch, moment, storable
from storage.stages import statuses_of

T = TypeVar("T")

MOST_CHANGES = 200  # in one write: a thousand are few commits, and none of them holds the writer for long
LAST_PLACE = 99  # of a contact whose place among a lead's nobody has told

_STORED = """
SELECT external_id, created_at, updated_at, deleted_at, first_utm_source || first_utm_medium || first_utm_campaign
    || first_utm_content || first_utm_term <> '', pipeline_id
FROM leads WHERE account_id = :account AND source = :source AND external_id IN {texts} AND external_id <> ''
"""
# Every place is >= 0: without that column SQLite would go through all links of the account, for its key holds the others.
_LEADS_OF = """
SELECT lead_id FROM crm_links
WHERE account_id = :account AND source = :source AND contact_id IN {texts} AND place >= 0
"""
_CONTACTS_OF = """
SELECT k.lead_id, c.name, c.phone, c.email, c.external_id FROM crm_links AS k JOIN crm_contacts AS c
    ON c.account_id = k.account_id AND c.source = k.source AND c.external_id = k.contact_id AND c.deleted_at IS NULL
WHERE k.account_id = :account AND k.source = :source AND k.lead_id IN {texts} ORDER BY k.lead_id, k.place, k.contact_id
"""
_UNLINK = "DELETE FROM crm_links WHERE account_id = :account AND source = :source AND lead_id IN {texts}"
_CONTACTS = BulkWrite(
    table="crm_contacts",
    columns=("account_id", "source", "external_id", "name", "phone", "email", "updated_at", "deleted_at"),
    types=("int", "text", "text", "text", "text", "text", "timestamptz", "timestamptz"),
    conflict="""(account_id, source, external_id) DO UPDATE SET name = coalesce(nullif(excluded.name, ''), t.name),
        phone = coalesce(nullif(excluded.phone, ''), t.phone), email = coalesce(nullif(excluded.email, ''), t.email),
        updated_at = excluded.updated_at, deleted_at = excluded.deleted_at WHERE t.updated_at <= excluded.updated_at""",
)
_LINKS = BulkWrite(
    table="crm_links",
    columns=("account_id", "source", "lead_id", "contact_id", "place"),
    types=("int", "text", "text", "text", "int"),
    conflict="(account_id, source, lead_id, contact_id) DO NOTHING",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """``new``: the CRM's ids of leads that were not there; ``changed``: how many others are otherwise now."""

    new: tuple[str, ...] = ()
    changed: int = 0

    def __add__(self, other: "Applied") -> "Applied":
        return Applied(new=self.new + other.new, changed=self.changed + other.changed)


@dataclass(frozen=True, slots=True)
class _Stored:
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    has_first: bool
    pipeline_id: str


@dataclass(frozen=True, slots=True)
class _Person:
    name: str = ""
    phone: str = ""
    email: str = ""
    contact_id: str = ""


@dataclass(slots=True)
class _Story:
    """All that a batch tells of one lead, the newest last. ``deleted``: None where it says nothing of that."""

    lead: CrmLead
    deleted: bool | None = None
    stored: _Stored | None = None
    person: _Person = field(default_factory=_Person)

    @property
    def stage(self) -> tuple[str, str]:
        """Pipeline and stage; a sender that tells the stage alone means the pipeline where the lead is."""
        return self.lead.pipeline_id or (self.stored.pipeline_id if self.stored else ""), self.lead.status_id


@dataclass(frozen=True, slots=True)
class _Ways:
    """How one CRM's leads are marked and kept, and what its stages mean."""

    source: str
    leads: LeadStore
    stage_map: StageMap


class CrmStore:
    """Changes of one CRM on their way into rows. ``source`` is what its leads are marked with."""

    def __init__(self, source: str, leads: LeadStore, stage_map: StageMap | None = None) -> None:
        self._ways = _Ways(source, leads, stage_map or StageMap())

    async def contacts(self, tx: Tx, account_id: int, batch: Sequence[ContactChange], *, heard_at: datetime) -> Applied:
        """At most MOST_CHANGES contacts; the leads they are known to belong to get their phone and e-mail."""
        applied = Applied()
        for some in _slices(batch):
            saving = _Batch(tx, account_id, self._ways, heard_at)
            await saving.keep_contacts(some)
            theirs = await saving.leads_of({change.contact.external_id for change in some})
            for ids in _slices(theirs):
                applied += await saving.save({lead_id: _Story(CrmLead(external_id=lead_id)) for lead_id in ids})
        return applied

    async def leads(self, tx: Tx, account_id: int, batch: Sequence[LeadChange], *, heard_at: datetime) -> Applied:
        """At most MOST_CHANGES leads. One that is older than the stored one changes nothing."""
        applied = Applied()
        for some in _slices(batch):
            saving = _Batch(tx, account_id, self._ways, heard_at)
            await saving.keep_links(some)
            applied += await saving.save(_stories(some), create=True)
        return applied


class _Batch:
    def __init__(self, tx: Tx, account_id: int, ways: _Ways, heard_at: datetime) -> None:
        self._tx = tx
        self._connection = cast("AsyncConnection", tx)
        self._account_id = account_id
        self._ways = ways
        self._source = ways.source
        self._heard_at = heard_at

    async def keep_contacts(self, changes: Sequence[ContactChange]) -> None:
        newest = {change.contact.external_id: change for change in sorted(changes, key=self._age)}
        rows = [self._contact_row(change) for _, change in sorted(newest.items())]
        await _CONTACTS.run(self._connection, rows)
        links = {
            (lead_id, change.contact.external_id): LAST_PLACE for change in changes for lead_id in change.contact.lead_ids
        }
        await self._link(links)

    async def keep_links(self, changes: Sequence[LeadChange]) -> None:
        """A lead that names its contacts names all of them, the main one first."""
        telling = {change.lead.external_id: change.lead.contact_ids for change in changes if change.lead.contact_ids}
        if telling:
            await execute(self._connection, _UNLINK, self._mine(telling))
        await self._link({(lead, one): place for lead, listed in telling.items() for place, one in enumerate(listed)})

    async def leads_of(self, contact_ids: Iterable[str]) -> list[str]:
        return sorted({row[0] for row in await fetch(self._connection, _LEADS_OF, self._mine(contact_ids))})

    async def save(self, stories: dict[str, _Story], *, create: bool = False) -> Applied:
        for row in await fetch(self._connection, _STORED, self._mine(stories)):
            created, updated, deleted = map(moment, row[1:4])
            if created is not None and updated is not None:
                stories[row[0]].stored = _Stored(created, updated, deleted, bool(row[4]), row[5])
        for lead_id, person in (await self._people(stories)).items():
            stories[lead_id].person = person
        told = [story for story in stories.values() if create or story.stored is not None]
        statuses = await statuses_of(
            self._connection, self._account_id, self._source, {story.stage for story in told}, self._ways.stage_map
        )
        leads = [self._lead(story, statuses.get(story.stage, story.lead.status)) for story in told]
        arrived = await self._ways.leads.arrive(self._tx, self._account_id, leads)
        new = [story.lead.external_id for story in told if story.stored is None and not story.deleted]
        return Applied(new=tuple(new), changed=arrived.changed)

    async def _people(self, lead_ids: Iterable[str]) -> dict[str, _Person]:
        """Who each lead is of: the first of its contacts that has a phone, an e-mail, a name."""
        listed: dict[str, list[_Person]] = defaultdict(list)
        for lead_id, *contact in await fetch(self._connection, _CONTACTS_OF, self._mine(lead_ids)):
            listed[lead_id].append(_Person(*contact))
        return {lead_id: _first_of(people) for lead_id, people in listed.items()}

    def _lead(self, story: _Story, status: str) -> Lead:
        told, stored, person = story.lead, story.stored, story.person
        first = told.marks if stored is None or not stored.has_first else Marks()
        known_since = stored.created_at if stored else told.updated_at or self._heard_at
        as_of = stored.updated_at if stored else told.created_at or self._heard_at
        deleted_at = stored.deleted_at if stored else None
        if story.deleted is not None:
            deleted_at = (deleted_at or told.updated_at or self._heard_at) if story.deleted else None
        return Lead(
            source=self._source, external_id=told.external_id,
            created_at=told.created_at or known_since, updated_at=told.updated_at or as_of, deleted_at=deleted_at,
            name=person.name or told.name, phone=person.phone, email=person.email, contact_id=person.contact_id,
            url=told.url,
            status=status, pipeline_id=story.stage[0], status_id=told.status_id, manager_id=told.manager_id,
            first=first, last=told.marks, value=told.value, commission=told.commission, currency=told.currency,
        )  # fmt: skip

    async def _link(self, places: dict[tuple[str, str], int]) -> None:
        rows = [(self._account_id, self._source, lead, contact, place) for (lead, contact), place in sorted(places.items())]
        await _LINKS.run(self._connection, rows)

    def _contact_row(self, change: ContactChange) -> tuple[Any, ...]:
        one, gone = change.contact, change.action is CrmAction.DELETED
        texts = (one.name, next(iter(one.phones), ""), next(iter(one.emails), ""))
        at = self._time(one.updated_at or one.created_at or self._heard_at)
        return (self._account_id, self._source, one.external_id, *map(storable, texts), at, at if gone else None)

    def _age(self, change: ContactChange) -> datetime:
        return change.contact.updated_at or change.contact.created_at or self._heard_at

    def _mine(self, ids: Iterable[str]) -> dict[str, Any]:
        return {"account": self._account_id, "source": self._source, "texts": sorted(ids)}

    def _time(self, value: datetime) -> Any:
        return driver_time(value, self._connection.dialect.name)


def _slices(batch: Sequence[T]) -> Iterator[Sequence[T]]:
    return (batch[start : start + MOST_LEADS] for start in range(0, len(batch), MOST_LEADS))


def _stories(changes: Sequence[LeadChange]) -> dict[str, _Story]:
    """What is told without a time comes after what was told before it."""
    stories: dict[str, _Story] = {}
    for change in _in_time(changes):
        story = stories.setdefault(change.lead.external_id, _Story(CrmLead(external_id=change.lead.external_id)))
        story.lead = _over(story.lead, change.lead)
        if change.action in {CrmAction.DELETED, CrmAction.RESTORED}:
            story.deleted = change.action is CrmAction.DELETED
    return stories


def _in_time(changes: Sequence[LeadChange]) -> list[LeadChange]:
    """By time, and as they were told where there is none: each takes the newest time before it in the telling."""
    newest: dict[str, datetime] = {}
    aged: list[tuple[datetime | None, LeadChange]] = []
    for change in changes:
        lead = change.lead
        at = lead.updated_at or newest.get(lead.external_id) or lead.created_at
        if at is not None:
            newest[lead.external_id] = max(at, newest.get(lead.external_id, at))
        aged.append((at, change))
    return [change for _, change in sorted(aged, key=lambda one: (one[0] is not None, one[0] or _EVER))]


_EVER = datetime.min.replace(tzinfo=UTC)


def _over(before: CrmLead, later: CrmLead) -> CrmLead:
    """``later``, with what it does not tell as it was told before. A stage is its three parts together."""
    kept = {one.name for one in fields(CrmLead) if getattr(later, one.name) in ("", None, (), Marks())}
    if "status_id" not in kept:
        kept -= {"pipeline_id", "status"}
    return replace(later, **{name: getattr(before, name) for name in kept})


def _first_of(people: Sequence[_Person]) -> _Person:
    def first(name: str) -> str:
        return next((text for person in people if (text := getattr(person, name))), "")

    return _Person(first("name"), first("phone"), first("email"), first("contact_id"))
