"""What happened at a vendor, in one shape for all of them."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from domain.crm import ContactChange, LeadChange
from domain.leads import Lead
from domain.webinars import Registration, RegistrationRequest


class Direction(StrEnum):
    """Who called whom. Bitrix24: 1 outgoing, 2 incoming, 3 redirected, 4 callback, 5 information (an automatic call)."""

    OUTGOING = "outgoing"
    INCOMING = "incoming"
    REDIRECTED = "redirected"
    CALLBACK = "callback"
    INFORMATION = "information"
    UNKNOWN = "unknown"

    @property
    def from_client(self) -> bool:
        """The client dialled us."""
        return self in {Direction.INCOMING, Direction.REDIRECTED}


class CallOutcome(StrEnum):
    """How the call ended, as far as people care."""

    ANSWERED = "answered"
    MISSED = "missed"
    DECLINED = "declined"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """``external_id`` is the vendor's id of the object, ``occurred_at`` aware UTC or None when the vendor does not say."""

    vendor: str
    external_id: str
    occurred_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(Event):
    """A phone call is over. ``external_id`` is the vendor's call id, ``occurred_at`` its start.

    Everything but the id is a hint: the call is looked up with our own token before anything is said about it.
    ``duration_s`` is talk time in seconds; ``failed_code`` is the vendor's own code, kept for the card.
    """

    direction: Direction = Direction.UNKNOWN
    outcome: CallOutcome = CallOutcome.ANSWERED
    client_phone: str = ""
    line: str = ""
    employee_id: str = ""
    duration_s: int = 0
    failed_code: str = ""
    activity_id: str = ""
    rehearsal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WebinarEnded(Event):
    """A webinar is over and its report is, or will be, there. ``external_id`` is the platform's id of the session.

    All but the id is a hint: the report is fetched with our own token. ``title`` is what the sender calls it.
    """

    title: str = ""
    rehearsal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpDue(Event):
    """The calls after a webinar are to be summed up. ``external_id`` is the session's, ``occurred_at`` when it ended.

    ``row_id`` is of our table of webinars.
    """

    row_id: int
    title: str = ""
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebinarRegistered(Event):
    """Somebody registered. The body is the only source; ``external_id`` is the platform's id of the registration."""

    registration: Registration


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationAsked(Event):
    """Somebody of the team wants a person registered. ``external_id`` names page, e-mail and session: one asking each.

    ``asked_by`` and the place are the messenger's: there the answer goes. ``title`` is what the page is called.
    """

    request: RegistrationRequest
    asked_by: int
    chat_id: int
    topic_id: int | None = None
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableAsked(Event):
    """Somebody of the team wants a table loaded, or taken out again. ``external_id`` names the table and what is asked."""

    import_id: int
    undo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AdRunAsked(Event):
    """Somebody of the team wants the rules for ads applied to earlier leads, or that undone. ``external_id`` names both."""

    run_id: int
    undo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportAsked(Event):
    """Somebody of the team wants a list as a file. ``external_id`` names the asking, so a press that comes twice is one.

    ``what`` and ``format`` are names of the catalogue of exports; local days, None: from the first, or up to the last there
    is. ``webinar_id``, not 0: of our table; then ``segment`` is a part of its people, and ``about`` tells both in Russian.
    The file goes where ``chat_id`` and ``topic_id`` say.
    """

    what: str
    format: str
    chat_id: int
    topic_id: int | None = None
    first: date | None = None
    last: date | None = None
    webinar_id: int = 0
    segment: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadsChanged(Event):
    """Leads came, or changed, at their source. ``external_id`` names the telling: the same again is the same work.

    ``problem`` names what a person has to look at, "" where all is well: the leads are kept all the same.
    """

    leads: tuple[Lead, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmChanged(Event):
    """What a CRM tells of in one delivery, all of it together: leads and contacts that were added, changed or deleted.

    ``external_id`` is the same for a delivery that is sent again.
    """

    leads: tuple[LeadChange, ...] = ()
    contacts: tuple[ContactChange, ...] = ()

    @property
    def count(self) -> int:
        return len(self.leads) + len(self.contacts)


@dataclass(frozen=True, slots=True, kw_only=True)
class StagesChanged(Event):
    """Stages of a CRM mean something else from now on, and its leads follow. ``external_id`` names the change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryUnread(Event):
    """A genuine delivery that makes no sense, or not all of it does: its body is kept for a person to look at.

    ``problem`` names the field that cannot be read.
    """

    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAsked(Event):
    """A CRM's lead is to get a note: who has taken it, or what a call of its person was about.

    ``vendor`` is the CRM; ``external_id`` names what is told, so the same is noted once. ``taken_id`` is our id of a lead
    that somebody took, and ``lead`` the CRM's; ``call_id`` our id of a call, whose lead is looked for when it is noted.
    """

    taken_id: int = 0
    lead: str = ""
    call_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadOffered(Event):
    """A new lead waits for somebody of the team. ``lead_id`` is ours; ``external_id`` the same as text."""

    lead_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestDue(Event):
    """A digest is to be told. ``external_id`` names the schedule and its slot, webinar or the asking: one digest each.

    ``occurred_at``: of when it tells, in the place of now. ``late_since``: it comes late, because nothing could be sent
    since then. ``webinar_id`` is of our table, 0 for a digest by the clock. ``asked``: somebody of the team wants it now.
    """

    schedule_id: int
    late_since: datetime | None = None
    webinar_id: int = 0
    asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAsked(Event):
    """Somebody of the team wants a task of the CRM done, or put off until ``deadline``. ``external_id`` names the asking.

    ``task_id`` and ``employee_id`` are the CRM's; message ``message_id`` of ``chat_id`` shows what becomes of it.
    """

    task_id: str
    employee_id: str
    chat_id: int
    message_id: int
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryDue(Event):
    """Houses, people and departments are to be read anew. ``external_id`` names the hour, or who wanted it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTaskAsked(Event):
    """Somebody of the team wants a promise of a call set as a task of the CRM. ``external_id`` names the asking.

    ``row_id`` is of our table of such promises; message ``message_id`` of the chat shows what becomes of it.
    ``asked_before``: an earlier asking, of which it is not known whether the task came to be.
    """

    row_id: int
    chat_id: int
    message_id: int
    topic_id: int | None = None
    asked_before: datetime | None = None
