"""What the companies and people are called whom cards know by number only: asked once in a reading, many at a time."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from enum import StrEnum
from itertools import islice

from domain.directory import CardField, Employee
from domain.errors import VendorRefused
from integrations.bitrix24.client import PAGE, Client
from integrations.bitrix24.families import Families, Question, rows_of
from integrations.bitrix24.models import CompanyRow, UserRow, ids, read_row, read_rows, whole_or_text

COMPANIES = 4  # the portal's number for companies among its kinds of cards


class Kind(StrEnum):
    """Whose number a field may hold."""

    COMPANY = "company"
    PERSON = "person"


_KINDS = {"crm_company": Kind.COMPANY, "crm": Kind.COMPANY, "employee": Kind.PERSON, "user": Kind.PERSON}
_OF_A_COMPANY = "CO_"


def kind_of(described: CardField) -> Kind | None:
    """Whose number the field's value is; None for a value of its own."""
    return _KINDS.get(described.type)


def numbers_in(described: CardField, raw: object) -> tuple[str, ...]:
    """The numbers that the value is. Where a binding may hold several kinds of cards each says its own: ``CO_17``."""
    if described.type != "crm":
        return ids(raw)
    return tuple(one.removeprefix(_OF_A_COMPANY) for one in ids(raw) if one.startswith(_OF_A_COMPANY))


class Names:
    """``forget`` when a new reading begins; what another one has learnt for its page stays with it.

    Somebody of whom nothing may be read stays without a name.
    """

    def __init__(self, client: Client, families: Families) -> None:
        self._client = client
        self._families = families
        self._known: dict[Kind, dict[str, str]] = {}
        self._ask: dict[Kind, Callable[[list[int | str]], Awaitable[dict[str, str]]]] = {
            Kind.COMPANY: self._companies,
            Kind.PERSON: self._people,
        }

    def forget(self) -> None:
        self._known.clear()

    async def learn(self, kind: Kind, numbers: Iterable[str]) -> Mapping[str, str]:
        """Names by number. One request for up to fifty who are not known yet, none for who is. VendorUnavailable."""
        known = self._known.setdefault(kind, {})
        unknown = iter(dict.fromkeys(number for number in numbers if number not in known))
        while asked := list(islice(unknown, PAGE)):
            try:
                found = await self._ask[kind]([whole_or_text(number) for number in asked])
            except VendorRefused:
                found = {}  # the check names the missing right; the houses are worth having without
            known |= {number: found.get(number, "") for number in asked}
        return known

    async def _companies(self, numbers: list[int | str]) -> dict[str, str]:
        new = {"entityTypeId": COMPANIES, "filter": {"@id": numbers}, "select": ["id", "title"], "start": -1}
        old = {"filter": {"@ID": numbers}, "select": ["ID", "TITLE"], "start": -1}
        reply = await self._families.ask(
            Question(method="crm.item.list", params=new), Question(method="crm.company.list", params=old)
        )
        rows = (read_row(CompanyRow, row) for row in rows_of(reply.result))
        return {row.row_id: row.title for row in rows if row is not None}

    async def _people(self, numbers: list[int | str]) -> dict[str, str]:
        reply = await self._client.call("user.get", {"FILTER": {"ID": numbers}})
        return {row.row_id: _listed(row) for row in read_rows(UserRow, reply.result)}


def _listed(row: UserRow) -> str:
    """As the list of employees has them: «Петрова Анна Сергеевна»."""
    one = Employee(external_id=row.row_id, name=row.name, last_name=row.last_name, second_name=row.second_name)
    return one.full_name
