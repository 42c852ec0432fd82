"""A lead or a contact of amoCRM, from a hook's form, the papers' JSON or API v4: three spellings of one thing.

A form has ``custom_fields[n][id|code|name][values]`` and old names beside new ones, the API ``custom_fields_values`` with
``field_id|field_code|field_name``. Values are ``{"value": …}`` or, for dates, bare.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.crm import CrmContact, CrmLead
from domain.webinars import Marks
from integrations.amocrm.amounts import minor_units
from integrations.amocrm.settings import Settings
from integrations.kit.values import mapping_of, moment_of, text_of

SHORT = 500  # characters of any value
MOST_LINKED = 500  # contacts of a lead, leads of a contact
UTM = ("source", "medium", "campaign", "content", "term")
_NO_LETTER = re.compile(r"[\W_]+")
_ID = re.compile(r"[1-9][0-9]{0,18}")

# Codes are the account's own standard fields; names are what the papers and people call theirs.
_CODES = {f"UTM_{name.upper()}": f"utm_{name}" for name in UTM} | {"PHONE": "phone", "EMAIL": "email"}
_NAMES = {f"utm{name}": f"utm_{name}" for name in UTM} | {"стоимостьобъекта": "value", "комиссия": "commission"}

Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class FieldNames:
    """How an account's fields are called: by code, then by name, then by the number that was set for them."""

    by_id: Mapping[str, str]

    @classmethod
    def of(cls, settings: Settings) -> "FieldNames":
        return cls({number: name for name, number in settings.fields.items()})

    def name_of(self, one: Values) -> tuple[int, str]:
        """How surely it is known (less is surer), and our name of the field; "" for one that means nothing to us."""
        code = text_of(one.get("code") or one.get("field_code")).upper()
        if found := _CODES.get(code):
            return 0, found
        name = text_of(one.get("name") or one.get("field_name")).casefold()
        if found := _NAMES.get(_NO_LETTER.sub("", name)):
            return 1, found
        return 2, self.by_id.get(text_of(one.get("id") or one.get("field_id")), "")


def read_lead(values: Values, entity_id: str, settings: Settings, names: FieldNames) -> CrmLead:
    """What ``values`` tell of a lead; never raises."""
    fields = read_fields(values, names)
    value = _sum(fields.get("value"))
    if value is None and (price := minor_units(text_of(values.get("price")))):
        value = price  # a budget of 0 is one that nobody has entered
    commission = _sum(fields.get("commission"))
    return CrmLead(
        external_id=entity_id,
        name=text_of(values.get("name"))[:SHORT],
        pipeline_id=text_of(values.get("pipeline_id"))[:32],
        status_id=text_of(values.get("status_id"))[:32],
        manager_id=present(values.get("responsible_user_id")),
        marks=Marks(**{name: _first(fields.get(f"utm_{name}")) for name in UTM}),
        value=value,
        commission=commission,
        currency="" if value is None and commission is None else settings.currency,
        contact_ids=_linked(values, "contacts"),
        url=f"{settings.portal}/leads/detail/{entity_id}",
        created_at=_time(values, "created_at", "date_create"),
        updated_at=_time(values, "updated_at", "last_modified"),
    )


def read_contact(values: Values, entity_id: str, names: FieldNames) -> CrmContact:
    """What ``values`` tell of a contact; never raises."""
    fields = read_fields(values, names)
    full = " ".join(filter(None, (text_of(values.get("first_name")), text_of(values.get("last_name")))))
    return CrmContact(
        external_id=entity_id,
        name=(text_of(values.get("name")) or full)[:SHORT],
        phones=tuple(fields.get("phone", ())),
        emails=tuple(text.lower() for text in fields.get("email", ())),
        lead_ids=_linked(values, "leads", "linked_leads_id"),
        created_at=_time(values, "created_at", "date_create"),
        updated_at=_time(values, "updated_at", "last_modified"),
    )


def id_of(value: object) -> str:
    """A number above zero, also one written as text; "" for anything else."""
    text = "" if isinstance(value, float) else text_of(value)
    return text if _ID.fullmatch(text) else ""


def present(value: object) -> str:
    """An id of somebody; 0 is nobody."""
    text = text_of(value)[:64]
    return "" if text == "0" else text


def items_of(value: object) -> Sequence[object]:
    """A list, or what a form writes for one: the values of a map, whatever their keys."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else ()


def read_fields(values: Values, names: FieldNames) -> dict[str, list[str]]:
    """Our name → the values that are not empty, in their order; of two fields for one name the one surer known."""
    found: dict[str, tuple[int, list[str]]] = {}
    for one in (*items_of(values.get("custom_fields_values")), *items_of(values.get("custom_fields"))):
        if not isinstance(one, dict):
            continue
        sure, name = names.name_of(one)
        texts = list(_texts(one)) if name else []
        if texts and (name not in found or sure < found[name][0]):
            found[name] = (sure, texts)
    return {name: texts for name, (_, texts) in found.items()}


def _texts(one: Values) -> Iterator[str]:
    for item in items_of(one.get("values")):
        text = text_of(item.get("value") if isinstance(item, dict) else item)[:SHORT]
        if text:
            yield text


def _first(texts: Sequence[str] | None) -> str:
    return texts[0] if texts else ""


def _sum(texts: Sequence[str] | None) -> int | None:
    return next((minor for text in texts or () if (minor := minor_units(text)) is not None), None)


def _time(values: Values, *names: str) -> datetime | None:
    """The first that is told; 0 is a time that nobody knows."""
    return next((moment for name in names if (moment := moment_of(values.get(name))) is not None), None)


def _linked(values: Values, group: str, old: str = "") -> tuple[str, ...]:
    """Ids of what belongs together; the main one first.

    In a form it is a map by id (``linked_leads_id[403][ID]=403``), in the API a list under ``_embedded``.
    """
    embedded = items_of(mapping_of(values.get("_embedded")).get(group)) or items_of(values.get(group))
    main_first = sorted(embedded, key=lambda one: not (isinstance(one, dict) and one.get("is_main")))
    ids = [_id_in(one) for one in main_first]
    linked = values.get(old) if old else None
    if isinstance(linked, dict) and set(linked) != set(map(str, range(len(linked)))):
        ids += [_id_in(one) if isinstance(one, dict) else id_of(key) for key, one in linked.items()]
    else:
        ids += map(_id_in, items_of(linked))
    return tuple(dict.fromkeys(filter(None, ids[:MOST_LINKED])))


def _id_in(one: object) -> str:
    return id_of(one.get("id") or one.get("ID")) if isinstance(one, dict) else id_of(one)
