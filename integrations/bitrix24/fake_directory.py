"""The fake portal's company: deals with added fields, pipelines, people and departments, by both families of methods."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import ge, gt, le, lt

from integrations.bitrix24.fake_portal import Page, Params, Portal, Refusal, paged
from integrations.kit.values import mapping_of

DEALS, COMPANIES = 2, 4
_DEPARTMENT_FIELDS = ("ID", "NAME", "PARENT", "UF_HEAD")
USER_SCOPES = ("user_basic", "user_brief", "user")
_CONTACTS = frozenset({"EMAIL", "WORK_PHONE", "PERSONAL_MOBILE"})
_CONDITION = re.compile(r"(?P<operator>>=|<=|!=|!@|[><=!@%]?)(?P<name>.*)")

# The fields that every deal has: name in the new family, name in the old one, type, label.
_OWN_FIELDS = (
    ("id", "ID", "integer", "ID"),
    ("title", "TITLE", "string", "Название"),
    ("categoryId", "CATEGORY_ID", "crm_category", "Воронка"),
    ("stageId", "STAGE_ID", "crm_status", "Стадия"),
    ("assignedById", "ASSIGNED_BY_ID", "user", "Ответственный"),
    ("companyId", "COMPANY_ID", "crm_company", "Компания"),
    ("comments", "COMMENTS", "text", "Комментарий"),
)

_COMPARED: dict[str, Callable[[float, float], bool]] = {">": gt, ">=": ge, "<": lt, "<=": le}

Row = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeField:
    """A field that the portal's people added to the card of a deal."""

    code: str
    label: str
    type: str = "string"
    multiple: bool = False
    options: Mapping[int, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeDeal:
    """``values`` by the field's code, as ``crm.item.list`` writes them: a list's value is its id."""

    deal_id: int
    title: str
    category_id: int = 0
    stage_id: str = "NEW"
    assigned_by: int = 1
    company_id: int | None = None
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeDepartment:
    department_id: int
    name: str
    parent_id: int | None = None
    head_id: int | None = None
    place: int = 500


class FakeDirectory:
    """State that tests may change, beside the portal's own. People live in ``portal.people`` under "user".

    ``grow_old`` takes ``crm.item.*`` away, as in an old box; without ``original_names`` it is there, but spells added
    fields in its own way only.
    """

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.fields: list[FakeField] = []
        self.deals: list[FakeDeal] = []
        self.companies: dict[int, str] = {}
        self.pipelines: list[tuple[int, str]] = [(0, "Общая")]
        self.departments: list[FakeDepartment] = []
        self.may_read_deals = True
        self.original_names = True
        portal.methods |= {
            "crm.item.fields": self._item_fields,
            "crm.item.list": self._item_list,
            "crm.deal.fields": self._deal_fields,
            "crm.deal.list": self._deal_list,
            "crm.company.list": self._old_companies,
            "crm.category.list": self._categories,
            "crm.dealcategory.list": self._old_categories,
            "user.get": self._users,
            "department.get": self._departments,
        }

    def grow_old(self) -> None:
        for method in ("crm.item.fields", "crm.item.list", "crm.category.list"):
            del self.portal.methods[method]

    def _speller(self, params: Params) -> Callable[[str], str]:
        """How added fields are called: by their own codes only when asked so."""
        return str if self.original_names and params.get("useOriginalUfNames") == "Y" else _camel

    def _item_fields(self, params: Params) -> Page:
        _check_kind(params)
        spell = self._speller(params)
        own = {name: _description(type_, label) | {"upperName": upper} for name, upper, type_, label in _OWN_FIELDS}
        added = {spell(f.code): _added(f) | {"title": f.label, "upperName": f.code} for f in self.fields}
        return Page(result={"fields": own | added})

    def _deal_fields(self, _params: Params) -> Page:
        own: Row = {upper: _description(type_, label) for _, upper, type_, label in _OWN_FIELDS}
        return Page(result=own | {f.code: _added(f) | {"title": f.code} for f in self.fields})

    def _item_list(self, params: Params) -> Page:
        rows: list[Row] = [{"id": number, "title": title} for number, title in self.companies.items()]
        names = {"id", "title"}
        if params.get("entityTypeId") != COMPANIES:
            _check_kind(params)
            spell = self._speller(params)
            rows = [self._item(deal, spell) for deal in self._visible()]
            names = {name for name, *_ in _OWN_FIELDS} | {spell(f.code) for f in self.fields}
        rows = _chosen(rows, mapping_of(params.get("filter")), names)
        rows = _ordered(rows, mapping_of(params.get("order")), names)
        found, following, total = paged(rows, params)
        return Page(result={"items": _narrowed(found, params.get("select"))}, next=following, total=total)

    def _deal_list(self, params: Params) -> Page:
        asked = {str(key).lower(): value for key, value in params.items()}
        names = {upper for _, upper, *_ in _OWN_FIELDS} | {f.code for f in self.fields}
        conditions = {key: value for key, value in mapping_of(asked.get("filter")).items() if _name(key) in names}
        rows = _chosen([self._old_row(deal) for deal in self._visible()], conditions, names)
        rows = _ordered(rows, mapping_of(asked.get("order")), names)
        found, following, total = paged(rows, asked)
        return Page(result=_narrowed(found, asked.get("select")), next=following, total=total)

    def _old_companies(self, params: Params) -> Page:
        rows: list[Row] = [{"ID": str(number), "TITLE": title} for number, title in self.companies.items()]
        found, following, total = paged(_chosen(rows, mapping_of(params.get("filter")), ("ID", "TITLE")), params)
        return Page(result=found, next=following, total=total)

    def _visible(self) -> list[FakeDeal]:
        """Deals that the webhook's owner may not read are left out without a word."""
        return self.deals if self.may_read_deals else []

    def _item(self, deal: FakeDeal, spell: Callable[[str], str]) -> Row:
        own: Row = {
            "id": deal.deal_id,
            "title": deal.title,
            "categoryId": deal.category_id,
            "stageId": deal.stage_id,
            "assignedById": deal.assigned_by,
            "companyId": deal.company_id or 0,
            "comments": None,
        }
        return own | {spell(f.code): deal.values.get(f.code, [] if f.multiple else None) for f in self.fields}

    def _old_row(self, deal: FakeDeal) -> Row:
        new = self._item(deal, str)
        row = {upper: _as_text(new[name]) for name, upper, *_ in _OWN_FIELDS}
        return row | {f.code: _as_text(new[f.code]) for f in self.fields}

    def _categories(self, params: Params) -> Page:
        _check_kind(params)
        listed = [
            {"id": number, "name": name, "sort": 100 * place, "entityTypeId": DEALS, "isDefault": "N" if number else "Y"}
            for place, (number, name) in enumerate(self.pipelines, 1)
        ]
        return Page(result={"categories": sorted(listed, key=lambda row: row["isDefault"] == "Y")}, total=len(listed))

    def _old_categories(self, _params: Params) -> Page:
        return Page(result=[{"ID": str(number), "NAME": name} for number, name in self.pipelines if number])

    def _users(self, params: Params) -> Page:
        asked = {str(key).lower(): value for key, value in params.items()}
        rows = [self._user(key, known) for (kind, key), known in self.portal.people.items() if kind == "user"]
        conditions = {str(key).upper(): value for key, value in mapping_of(asked.get("filter")).items()}
        rows = _chosen(rows, conditions, {"ID", "ACTIVE", "USER_TYPE"}.union(*rows))
        if "sort" in asked:
            rows = _ordered(rows, {str(asked["sort"]): asked.get("order", "ASC")}, {str(asked["sort"])})
        found, following, total = paged(rows, asked)
        return Page(result=_narrowed(found, asked.get("select")), next=following, total=total)

    def _user(self, user_id: str, known: Mapping[str, object]) -> Row:
        row: Row = {"ID": user_id, "ACTIVE": True, "USER_TYPE": "employee", "TIMESTAMP_X": {}, **known}
        if self.portal.scopes.isdisjoint({"user_basic", "user"}):
            return {name: value for name, value in row.items() if name not in _CONTACTS}
        return row

    def _departments(self, params: Params) -> Page:
        asked = {str(key).upper(): value for key, value in params.items()}
        conditions = {name: value for name, value in asked.items() if name in _DEPARTMENT_FIELDS}
        rows = _chosen([_department(one) for one in self.departments], conditions, set(conditions))
        sort = str(params.get("sort", "SORT"))
        rows = _ordered(rows, {sort: params.get("order", "ASC")}, {sort})
        found, following, total = paged(rows, {"start": asked.get("START")})
        return Page(result=found, next=following, total=total)


def _check_kind(params: Params) -> None:
    if str(params.get("entityTypeId")) != str(DEALS):
        raise Refusal(400, "NOT_FOUND", "Smart process not found")


def _camel(code: str) -> str:
    """UF_CRM_3_DIGIT → ufCrm3Digit, UF_CRM_1747309879 → ufCrm_1747309879."""
    _, _, *words = code.split("_")
    tail = "".join(word.capitalize() for word in words)
    return f"ufCrm_{tail}" if len(words) == 1 and tail.isdecimal() else f"ufCrm{tail}"


def _description(type_: str, label: str) -> Row:
    return {
        "type": type_,
        "isRequired": False,
        "isReadOnly": False,
        "isImmutable": False,
        "isMultiple": False,
        "isDynamic": False,
        "title": label,
    }


def _added(about: FakeField) -> Row:
    labels = dict.fromkeys(("listLabel", "formLabel", "filterLabel"), about.label)
    row = _description(about.type, about.label) | {"isMultiple": about.multiple, "isDynamic": True} | labels
    if about.type == "enumeration":
        row["items"] = [{"ID": str(number), "VALUE": value} for number, value in about.options.items()]
    return row | {"settings": dict(about.settings) or []}


def _department(one: FakeDepartment) -> Row:
    row: Row = {"ID": str(one.department_id), "NAME": one.name, "SORT": one.place}
    if one.parent_id is not None:
        row["PARENT"] = str(one.parent_id)
    if one.head_id is not None:
        row["UF_HEAD"] = str(one.head_id)
    return row


def _as_text(value: object) -> object:
    """The old family writes everything as text, and nothing as an empty list where there may be several."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list):
        return [str(one) for one in value] if value else False
    return None if value is None else str(value)


def _name(condition: str) -> str:
    found = _CONDITION.fullmatch(condition)
    return found["name"] if found else ""


def _chosen(rows: list[Row], conditions: Mapping[str, object], names: Iterable[str]) -> list[Row]:
    for condition, wanted in conditions.items():
        found = _CONDITION.fullmatch(condition)
        if found is None or found["name"] not in set(names):
            raise Refusal(400, "INVALID_ARG_VALUE", f"Invalid filter: field '{_name(condition)}' is not allowed in filter")
        rows = [row for row in rows if _fits(row.get(found["name"]), found["operator"], wanted)]
    return rows


def _fits(value: object, operator: str, wanted: object) -> bool:
    if operator.startswith("!"):
        return not _fits(value, operator[1:].replace("=", ""), wanted)
    if operator in _COMPARED:
        return _COMPARED[operator](_as_number(value), _as_number(wanted))
    if operator == "%":
        return str(wanted).lower() in str(value).lower()
    values = value if isinstance(value, list) else [value]
    wants = wanted if isinstance(wanted, list) else [wanted]
    return not {str(one) for one in values}.isdisjoint(str(one) for one in wants)


def _as_number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return 0.0


def _ordered(rows: list[Row], order: Mapping[str, object], names: Iterable[str]) -> list[Row]:
    for name, direction in reversed(list(order.items())):
        if name not in set(names):
            raise Refusal(400, "INVALID_ARG_VALUE", f"Invalid order: field '{name}' is not allowed in order")
        rows = sorted(rows, key=lambda row: _place(row.get(name)), reverse=str(direction).upper() == "DESC")
    return rows


def _place(value: object) -> tuple[float, str]:
    return _as_number(value), str(value)


def _narrowed(rows: list[Row], select: object) -> list[Row]:
    """Names that the portal does not know are passed over."""
    if not isinstance(select, list) or not select or "*" in select:
        return rows
    return [{name: row[name] for name in select if name in row} for row in rows]
