"""Two families of methods for one thing: the new one, and the old one for boxes that have no other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from domain.errors import VendorRefused
from integrations.bitrix24.client import Client, Reply
from integrations.kit.values import mapping_of

NO_SUCH_METHOD = "error_method_not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A method with what it is asked."""

    method: str
    params: Mapping[str, object] = field(default_factory=dict)


class Families:
    """Asks the new method, and where the portal has none such, from then on the old one."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._absent: set[str] = set()

    async def ask(self, new: Question, old: Question) -> Reply:
        """VendorUnavailable, VendorRefused; a method that is there in neither family is refused by the old one's name."""
        family = new.method.rpartition(".")[0]
        if family not in self._absent:
            try:
                return await self._client.call(new.method, new.params)
            except VendorRefused as refusal:
                if refusal.code != NO_SUCH_METHOD:
                    raise
                self._absent.add(family)
        return await self._client.call(old.method, old.params)


def rows_of(result: object) -> Iterator[Mapping[str, object]]:
    """The objects of a list answer of either family; PHP may write a list with gaps as an object keyed by number."""
    rows = mapping_of(result).get("items", result)
    values = rows.values() if isinstance(rows, Mapping) else rows if isinstance(rows, list) else ()
    return (row for row in values if isinstance(row, Mapping))
