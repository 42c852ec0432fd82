"""Leads and contacts of a CRM as any of them tells of them, what happened to them there, and what its stages mean."""

from collections.abc import Mapping
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

    ``status`` is the stage in words, of a sender that gives it no number: what a number means, StageMap says. Money is
    whole minor units of ``currency``. Times aware UTC.
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
    """A stage of a pipeline by the CRM's own names, in the order it lists them."""

    pipeline_id: str
    status_id: str
    name: str
    pipeline: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmPerson:
    """Somebody who works in the CRM. ``active``: may still enter it."""

    external_id: str
    name: str
    active: bool = True


OWN_NAME = "own"  # chosen for a stage that is none of LeadStatus: it keeps the CRM's name


@dataclass(frozen=True, slots=True, kw_only=True)
class StageMap:
    """What the stages of a CRM mean, by «pipeline/stage» or «stage»: a LeadStatus, or another name for it.

    ``fixed`` by a setting: nobody in the chat changes it. ``usual``: where nobody has said otherwise. ``everywhere``: the
    stages whose meaning is the same in every account.
    """

    fixed: Mapping[str, str] = field(default_factory=dict)
    usual: Mapping[str, str] = field(default_factory=dict)
    everywhere: frozenset[str] = frozenset()

    def fixed_of(self, pipeline_id: str, status_id: str) -> str:
        """Nothing ("") where no setting says it."""
        return self.fixed.get(f"{pipeline_id}/{status_id}") or self.fixed.get(status_id, "")

    def status_of(self, pipeline_id: str, status_id: str, *, name: str = "", chosen: str = "") -> str:
        """What a lead of the stage is said to be in. ``name`` is the CRM's, ``chosen`` what the team has said.

        A stage that nobody knows anything of stays its number.
        """
        own = name or status_id
        said = own if chosen == OWN_NAME else chosen
        return self.fixed_of(pipeline_id, status_id) or said or self.usual.get(status_id) or own


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadChange:
    action: CrmAction
    lead: CrmLead


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChange:
    action: CrmAction
    contact: CrmContact
