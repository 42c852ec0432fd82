"""Leads and contacts of a CRM as any of them tells of them, and what happened to them there."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from domain.webinars import Marks


class CrmAction(StrEnum):
    """What happened. A change of stage or of who is responsible is told beside the update that it is, or alone."""

    ADDED = "add"
    UPDATED = "update"
    DELETED = "delete"
    RESTORED = "restore"
    STAGE = "status"
    OWNER = "responsible"


class LeadStatus(StrEnum):
    """The stages people of the team know. What a CRM has besides keeps its own name."""

    NEW = "new"
    CONTACTED = "contacted"
    PRESENTATION = "presentation"
    OBJECT_SELECTED = "object_selected"
    RESERVED = "reserved"
    DEAL = "deal"
    COMPLETED = "completed"
    WON = "won"
    LOST = "lost"


CLOSED = frozenset({LeadStatus.COMPLETED, LeadStatus.WON, LeadStatus.LOST})  # nobody works with these any more


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmLead:
    """A lead, as far as its sender tells: what is empty or None was not told, and empties nothing that is stored.

    ``status`` is a LeadStatus where the stage is a known one. Money is whole minor units of ``currency``. Times aware UTC.
    ``url`` opens it in the CRM.
    """

    external_id: str
    name: str = ""
    pipeline_id: str = ""
    status_id: str = ""
    status: str = ""
    manager_id: str = ""
    marks: Marks = field(default_factory=Marks)
    value: int | None = None
    commission: int | None = None
    currency: str = ""
    contact_ids: tuple[str, ...] = ()
    url: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmContact:
    """A person of the CRM. ``phones`` and ``emails`` as written, the main one first; ``lead_ids``: their leads."""

    external_id: str
    name: str = ""
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    lead_ids: tuple[str, ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmStage:
    """A stage of a pipeline by the CRM's own names. ``status`` is a LeadStatus where it is a known one, else ""."""

    pipeline_id: str
    status_id: str
    name: str
    pipeline: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadChange:
    action: CrmAction
    lead: CrmLead


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChange:
    action: CrmAction
    contact: CrmContact
