"""Leads: somebody whom an ad, a form or a person of the team brought, as any source tells of them."""

from dataclasses import dataclass, field
from datetime import datetime

from domain.webinars import Marks


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """One lead of one source.

    ``external_id`` is the source's id of it: the same again is the same lead. ``phone`` and ``email`` are as written, a
    WhatsApp id is a phone too. ``link_ids``: what their personal links carry. ``first`` and ``last`` are the first and last
    touch; an empty ``first`` never empties a stored one. Money is whole minor units of ``currency`` (ISO). Times aware UTC;
    a lead older than the stored one by ``updated_at`` changes nothing. ``import_id``: the table it came with.

    ``pipeline_id`` and ``status_id`` are the source's numbers of the stage that ``status`` was made of, "" without one.
    ``contact_id`` is the source's id of the person: leads that share it are one person's. ``form`` is what they filled in,
    as people know it; ``url`` opens the lead at its source; ``extra``: (name, value) of what has no field of its own.
    """

    source: str
    external_id: str
    created_at: datetime
    updated_at: datetime
    name: str = ""
    phone: str = ""
    email: str = ""
    link_ids: tuple[str, ...] = ()
    status: str = ""
    pipeline_id: str = ""
    status_id: str = ""
    manager_id: str = ""
    manager: str = ""
    direction_id: int | None = None
    creative_id: int | None = None
    first: Marks = field(default_factory=Marks)
    last: Marks = field(default_factory=Marks)
    value: int | None = None
    commission: int | None = None
    currency: str = ""
    deleted_at: datetime | None = None
    import_id: int | None = None
    contact_id: str = ""
    form: str = ""
    url: str = ""
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """What became of leads that a source told of. ``new``: our ids of those nobody had told of before, oldest first."""

    added: int = 0
    changed: int = 0
    same: int = 0
    people: int = 0
    new: tuple[int, ...] = ()
