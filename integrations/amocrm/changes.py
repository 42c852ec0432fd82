"""The entries of a hook, one by one: ``leads[add][0][…]`` and its like, in a form or as JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from domain.crm import ContactChange, CrmAction, LeadChange
from domain.errors import MalformedBody
from integrations.amocrm.entities import FieldNames, Values, id_of, items_of, read_contact, read_lead
from integrations.amocrm.settings import Settings
from integrations.kit.values import clean, text_of

LEADS, CONTACTS = "leads", "contacts"
NO_GROUPS = frozenset({"account"})  # who sends, not what happened
COMPANY = "company"
_ACTIONS = {action.value: action for action in CrmAction}
_MOST_KIND = 64
_NUMBERS = ("status_id", "pipeline_id", "responsible_user_id", "price", "created_at", "updated_at")
_LISTS = ("custom_fields_values", "custom_fields", "tags")


@dataclass(slots=True)
class _Gathered:
    leads: dict[tuple[object, ...], LeadChange] = field(default_factory=dict)
    contacts: dict[tuple[object, ...], ContactChange] = field(default_factory=dict)
    kinds: dict[str, None] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """``kind``: every event by amoCRM's name, «leads.add+contacts.update»; ``problems``: fields that make no sense."""

    leads: tuple[LeadChange, ...]
    contacts: tuple[ContactChange, ...]
    kind: str
    problems: tuple[str, ...]

    @property
    def all_dated(self) -> bool:
        return all(one.lead.updated_at for one in self.leads) and all(one.contact.updated_at for one in self.contacts)


class Reader:
    """Reads for one account. One change that is told twice in a delivery is one; the later telling counts."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._names = FieldNames.of(settings)

    def read(self, body: Mapping[str, object], *, strict: bool) -> Changes:
        """``strict``: MalformedBody for the first problem; else what is good is taken and the problems are named."""
        gathered = _Gathered()
        for group, actions in body.items():
            if group in NO_GROUPS:
                continue
            if group not in {LEADS, CONTACTS}:
                gathered.kinds.update(dict.fromkeys(_kinds(group, actions)))
                continue
            for where, action, entry in _entries(group, actions, gathered.problems):
                self._take(gathered, group, action, where, entry, strict=strict)
        if strict and gathered.problems:
            raise MalformedBody(f"{gathered.problems[0]} is missing or wrong", field=gathered.problems[0])
        return Changes(
            leads=tuple(gathered.leads.values()),
            contacts=tuple(gathered.contacts.values()),
            kind=(clean("+".join(gathered.kinds)) or "empty")[:_MOST_KIND],
            problems=tuple(gathered.problems),
        )

    def _take(self, gathered: _Gathered, group: str, action: str, where: str, entry: object, *, strict: bool) -> None:
        if not isinstance(entry, dict):
            gathered.problems.append(where)
            return
        company = group == CONTACTS and text_of(entry.get("type")).lower() == COMPANY
        gathered.kinds[f"{'companies' if company else group}.{action[:24]}"] = None
        known = _ACTIONS.get(action)
        if known is None or company:
            return
        entity_id = id_of(entry.get("id"))
        problem = f"{where}.id" if not entity_id else _wrong_type(entry, where) if strict else ""
        if problem:
            gathered.problems.append(problem)
        if not entity_id:
            return
        if group == LEADS:
            lead = read_lead(entry, entity_id, self._settings, self._names)
            gathered.leads[known, entity_id, lead.updated_at] = LeadChange(action=known, lead=lead)
        else:
            contact = read_contact(entry, entity_id, self._names)
            gathered.contacts[known, entity_id, contact.updated_at] = ContactChange(action=known, contact=contact)


def _entries(group: str, actions: object, problems: list[str]) -> Iterator[tuple[str, str, object]]:
    """(where it stands, action, entry). An empty list is what PHP writes for an empty map."""
    if not isinstance(actions, dict):
        if actions not in ([], None):
            problems.append(group)
        return
    for action, listed in actions.items():
        if not isinstance(listed, (dict, list)):
            if listed is not None:
                problems.append(f"{group}.{action[:24]}")
            continue
        for place, entry in enumerate(items_of(listed)):
            yield f"{group}.{action[:24]}[{place}]", action, entry


def _wrong_type(entry: Values, where: str) -> str:
    """The first field of a type that it never has; the rest of the entry may be good."""
    for name in _NUMBERS:
        if isinstance(value := entry.get(name), (dict, list, bool)) or (isinstance(value, str) and not _numeric(value)):
            return f"{where}.{name}"
    for name in _LISTS:
        if isinstance(entry.get(name), (str, bool, int, float)) and entry.get(name) != "":
            return f"{where}.{name}"
    return f"{where}.name" if isinstance(entry.get("name"), (dict, list, bool)) else ""


def _numeric(text: str) -> bool:
    bare = text.strip().lstrip("-").replace(".", "", 1)
    return not bare or (bare.isascii() and bare.isdecimal())


def _kinds(group: str, actions: object) -> Iterator[str]:
    """The names of events that nobody handles: tasks, talks, companies, unsorted leads."""
    listed = actions if isinstance(actions, dict) else {}
    for action in listed or ("",):
        yield f"{group[:24]}.{action[:24]}".rstrip(".")
