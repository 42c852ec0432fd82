"""What happens when: the kind of work each event gives."""

from domain.events import (
    AdRunAsked,
    CallEnded,
    CrmChanged,
    DeliveryUnread,
    DigestDue,
    Event,
    FollowUpDue,
    LeadOffered,
    LeadsChanged,
    NoteAsked,
    RegistrationAsked,
    StagesChanged,
    TableAsked,
    TaskAsked,
    WebinarEnded,
    WebinarRegistered,
)

ROUTES: dict[str, type[Event]] = {
    "call": CallEnded,
    "webinar": WebinarEnded,
    "registration": WebinarRegistered,
    "register": RegistrationAsked,
    "followup": FollowUpDue,
    "table": TableAsked,
    "leads": LeadsChanged,
    "offer": LeadOffered,
    "crm": CrmChanged,
    "stages": StagesChanged,
    "unread": DeliveryUnread,
    "ads": AdRunAsked,
    "note": NoteAsked,
    "digest": DigestDue,
    "task": TaskAsked,
}
