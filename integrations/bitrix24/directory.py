"""The company as the portal knows it: houses among its deals, people, departments; a page is one request."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from domain.directory import (
    CardField,
    CardPipeline,
    Department,
    Employee,
    EmployeePage,
    House,
    HouseField,
    HouseMapping,
    HousePage,
)
from integrations.bitrix24.card_values import worded
from integrations.bitrix24.client import PAGE, Client, Reply
from integrations.bitrix24.codes import card_path
from integrations.bitrix24.families import Families, Question, rows_of
from integrations.bitrix24.models import (
    DealRow,
    DepartmentRow,
    FieldRow,
    OptionRow,
    PipelineRow,
    UserRow,
    number,
    plain,
    present,
    read_row,
    read_rows,
    whole_or_text,
)
from integrations.bitrix24.names import Names, kind_of, numbers_in
from integrations.kit.values import mapping_of

DEALS = 2  # the portal's number for deals among its kinds of cards
DEFAULT_PIPELINE, DEFAULT_PIPELINE_NAME = "0", "Общая"
MAX_DEPARTMENT_PAGES = 40

_USER_FIELDS = (
    "ID", "ACTIVE", "USER_TYPE", "NAME", "LAST_NAME", "SECOND_NAME", "WORK_POSITION", "UF_DEPARTMENT",
    "WORK_PHONE", "PERSONAL_MOBILE", "EMAIL", "UF_PHONE_INNER",
)  # fmt: skip
_EMPLOYEE = "employee"
NamesOf = Mapping[HouseField, Mapping[str, str]]  # by number


class Directory:
    """Implements Directory of domain.ports over one portal.

    Deals are read by ``crm.item.*``, and by ``crm.deal.*`` where a box is too old to have it.
    """

    def __init__(self, client: Client, portal_url: str) -> None:
        self._client = client
        self._portal_url = portal_url
        self._families = Families(client)
        self._names = Names(client, self._families)

    async def fields(self) -> Sequence[CardField]:
        reply = await self._families.ask(
            Question(method="crm.item.fields", params={"entityTypeId": DEALS, "useOriginalUfNames": "Y"}),
            Question(method="crm.deal.fields"),
        )
        described = mapping_of(reply.result)
        rows = mapping_of(described.get("fields", described))  # an empty map is a list in PHP
        return tuple(_card_field(code, row) for code, described in rows.items() if (row := read_row(FieldRow, described)))

    async def pipelines(self) -> Sequence[CardPipeline]:
        reply = await self._families.ask(
            Question(method="crm.category.list", params={"entityTypeId": DEALS}),
            Question(method="crm.dealcategory.list", params={"order": {"SORT": "ASC"}, "select": ["ID", "NAME"]}),
        )
        listed = mapping_of(reply.result).get("categories", reply.result)
        rows = [row for row in read_rows(PipelineRow, listed) if row.row_id]
        first = next((row for row in rows if row.default or row.row_id == DEFAULT_PIPELINE), None)
        # The old method leaves the default one out, and so does a portal where its deals are not for our eyes.
        default = first or PipelineRow(row_id=DEFAULT_PIPELINE)
        others = [row for row in rows if row.row_id != default.row_id]
        return tuple(_pipeline(row) for row in (default, *others))

    async def houses(self, mapping: HouseMapping, *, fields: Sequence[CardField], cursor: str = "") -> HousePage:
        """The cursor is the last id read: pages by number would shift when a deal is deleted meanwhile.

        Where a field holds the number of a company or of somebody, a page that brings new ones costs a request more.
        """
        after = number(cursor)
        if not after:
            self._names.forget()
        known = {house_field: _described(code, fields) for house_field, code in mapping.codes.items() if code}
        codes = [described.code for described in known.values()]
        reply = await self._families.ask(_items(mapping, codes, after), _deals(mapping, codes, after))
        listed = list(rows_of(reply.result))
        rows = {number(deal.row_id): (deal, row) for row in listed if (deal := read_row(DealRow, row))}
        last = max(rows, default=0)
        names = await self._names_in(listed, known)
        houses = tuple(
            self._house(deal, row, known, names)
            for deal_id, (deal, row) in sorted(rows.items())
            if deal_id > after and _belongs(deal, mapping)
        )
        return HousePage(houses=houses, cursor=str(last) if len(listed) >= PAGE and last > after else "")

    async def employees(self, *, cursor: str = "") -> EmployeePage:
        start = number(cursor)
        reply = await ask_for_people(self._client, start)
        rows = {row.row_id: row for row in read_rows(UserRow, reply.result) if row.row_id}
        # A condition that the portal does not know widens the answer: checked here.
        employees = tuple(_employee(row) for row in rows.values() if row.kind in {"", _EMPLOYEE})
        more = reply.next is not None and reply.next > start
        return EmployeePage(employees=employees, cursor=str(reply.next) if more else "")

    async def departments(self) -> Sequence[Department]:
        found: dict[str, Department] = {}
        start = 0
        for _ in range(MAX_DEPARTMENT_PAGES):
            reply = await self._client.call("department.get", {"sort": "ID", "order": "ASC"} | _from(start))
            rows = read_rows(DepartmentRow, reply.result)
            found |= {row.row_id: _department(row) for row in rows if row.row_id}
            if reply.next is None or reply.next <= start:
                break
            start = reply.next
        return tuple(found.values())

    async def count_deals(self, pipeline_id: str = "") -> int:
        """How many deals the webhook's owner may read; of all pipelines when none is named."""
        mapping = HouseMapping(pipeline_id=pipeline_id)
        counting = {"start": 0}  # only with an offset does the portal count
        new, old = (
            replace(one, params={**one.params, **counting}) for one in (_items(mapping, (), 0), _deals(mapping, (), 0))
        )
        reply = await self._families.ask(new, old)
        return max(reply.total, sum(1 for _ in rows_of(reply.result)))

    async def _names_in(self, rows: Sequence[Mapping[str, object]], known: Mapping[HouseField, CardField]) -> NamesOf:
        """For each field that holds numbers of others."""
        names = {}
        for house_field, described in known.items():
            if kind := kind_of(described):
                numbers = [one for row in rows for one in numbers_in(described, _value(row, described.code))]
                names[house_field] = await self._names.learn(kind, numbers)
        return names

    def _house(
        self, deal: DealRow, row: Mapping[str, object], known: Mapping[HouseField, CardField], names: NamesOf
    ) -> House:
        said = {one: _said(described, _value(row, described.code), names.get(one)) for one, described in known.items()}
        return House(
            external_id=deal.row_id,
            title=deal.title,
            values={house_field: words for house_field, words in said.items() if words},
            pipeline_id=deal.pipeline_id,
            stage_id=deal.stage_id,
            responsible_id=present(deal.responsible_id),
            url=self._portal_url + card_path(("deal", deal.row_id)),
        )


async def ask_for_people(client: Client, start: int) -> Reply:
    """A page of employees, those who were fired too; sort and order are plain strings here."""
    asked = {"FILTER": {"USER_TYPE": _EMPLOYEE}, "sort": "ID", "order": "ASC", "select": list(_USER_FIELDS)}
    return await client.call("user.get", {**asked, "start": start})


def _said(described: CardField, raw: object, names: Mapping[str, str] | None) -> str:
    if names is None:
        return worded(described, raw)
    return ", ".join(name for one in numbers_in(described, raw) if (name := names.get(one, "")))


def _items(mapping: HouseMapping, codes: Sequence[str], after: int) -> Question:
    chosen: dict[str, object] = {"categoryId": whole_or_text(mapping.pipeline_id)} if mapping.pipeline_id else {}
    params = {
        "entityTypeId": DEALS,
        "useOriginalUfNames": "Y",
        "select": _unique("id", "title", "stageId", "categoryId", "assignedById", *codes),
        "filter": {">id": after, **chosen},
        "order": {"id": "ASC"},
        "start": -1,
    }
    return Question(method="crm.item.list", params=params)


def _deals(mapping: HouseMapping, codes: Sequence[str], after: int) -> Question:
    chosen: dict[str, object] = {"CATEGORY_ID": whole_or_text(mapping.pipeline_id)} if mapping.pipeline_id else {}
    params = {
        "select": _unique("ID", "TITLE", "STAGE_ID", "CATEGORY_ID", "ASSIGNED_BY_ID", *codes),
        "filter": {">ID": after, **chosen},
        "order": {"ID": "ASC"},
        "start": -1,
    }
    return Question(method="crm.deal.list", params=params)


def _unique(*names: str) -> list[str]:
    return list(dict.fromkeys(names))


def _from(start: int) -> dict[str, object]:
    """The page's documentation writes START, everybody's practice is start."""
    return {"start": start, "START": start} if start else {}


def _belongs(deal: DealRow, mapping: HouseMapping) -> bool:
    return deal.pipeline_id == mapping.pipeline_id or not mapping.pipeline_id or not deal.pipeline_id


def _card_field(code: str, row: FieldRow) -> CardField:
    options = {option.row_id: option.value for option in read_rows(OptionRow, row.items)}
    return CardField(
        code=plain(code), label=row.label or plain(code), type=_type(row), multiple=row.multiple, options=options
    )


def _type(row: FieldRow) -> str:
    """A binding that may hold companies only holds their bare numbers, as the deal's own company does."""
    allowed = {str(name) for name, yes in mapping_of(row.settings).items() if yes == "Y"}
    return "crm_company" if row.type == "crm" and allowed == {"COMPANY"} else row.type


def _described(code: str, fields: Sequence[CardField]) -> CardField:
    """The field of a code, also in another spelling (``UF_CRM_3_DIGIT``, ``ufCrm3Digit``) where it can mean but one."""
    exact = next((known for known in fields if known.code == code), None)
    if exact is not None:
        return exact
    alike = [known for known in fields if _spelling(known.code) == _spelling(code)]
    return alike[0] if len(alike) == 1 else CardField(code=code, label=code)


def _value(row: Mapping[str, object], code: str) -> object:
    """The field's value; a portal that does not know ``useOriginalUfNames`` spells the code its own way."""
    if code in row:
        return row[code]
    alike = [value for key, value in row.items() if _spelling(key) == _spelling(code)]
    return alike[0] if len(alike) == 1 else None


def _spelling(code: str) -> str:
    return code.replace("_", "").upper()


def _pipeline(row: PipelineRow) -> CardPipeline:
    return CardPipeline(external_id=row.row_id, name=row.name or DEFAULT_PIPELINE_NAME)


def _employee(row: UserRow) -> Employee:
    return Employee(
        external_id=row.row_id,
        name=row.name,
        last_name=row.last_name,
        second_name=row.second_name,
        position=row.position,
        department_ids=row.department_ids,
        active=row.active,
        phone=row.work_phone or row.mobile,
        email=row.email,
        extension=row.extension,
    )


def _department(row: DepartmentRow) -> Department:
    return Department(
        external_id=row.row_id,
        name=row.name,
        parent_id=present(row.parent_id),
        head_id=present(row.head_id),
        place=number(row.place),
    )
