"""All of one kind that changed since a moment, the oldest change first, whatever else is changed meanwhile."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from integrations.amocrm.client import MOST_PAGES, Client, Json, Query, next_query

A_PAGE = 250


class Dated(Protocol):
    @property
    def external_id(self) -> str: ...
    @property
    def updated_at(self) -> datetime | None: ...


D = TypeVar("D", bound=Dated)


async def changed(
    client: Client, entity: str, since: datetime, read: Callable[[Json], Sequence[D]], also: Query = ()
) -> AsyncIterator[Sequence[D]]:
    """Each page is asked for from the newest change of the one before.

    Pages by number shift when something that was not listed yet is changed, and what stood at the edge is in none of them.
    Where the order that was asked for is not kept, everything is read first.
    """
    after, number, told = since.replace(microsecond=0), 1, set[tuple[str, datetime]]()
    for _ in range(MOST_PAGES):
        page = await client.get(entity, [*_since(after), *also, ("page", str(number))])
        found = read(page)
        times = [one.updated_at for one in found if one.updated_at is not None]
        if len(times) < len(found) or times != sorted(times) or (times and times[0] < after):
            async for some in _all_in_order(client, entity, since, read, also):
                yield some
            return
        if fresh := [one for one in found if (one.external_id, one.updated_at) not in told]:
            yield fresh
        if not next_query(page):
            return
        if times and times[-1] > after:
            after, number, told = times[-1], 1, set()
        else:
            number += 1
        told |= {(one.external_id, at) for one, at in zip(found, times, strict=True) if at == after}


async def _all_in_order(
    client: Client, entity: str, since: datetime, read: Callable[[Json], Sequence[D]], also: Query
) -> AsyncIterator[Sequence[D]]:
    since = since.replace(microsecond=0)
    pages = client.pages(entity, [*_since(since), *also])
    dated = [(one.updated_at, one) async for page in pages for one in read(page) if one.updated_at is not None]
    recent = [one for _, one in sorted((pair for pair in dated if pair[0] >= since), key=lambda pair: pair[0])]
    for start in range(0, len(recent), A_PAGE):
        yield recent[start : start + A_PAGE]


def _since(moment: datetime) -> Query:
    return [
        ("filter[updated_at][from]", str(int(moment.timestamp()))),
        ("order[updated_at]", "asc"), ("limit", str(A_PAGE)),
    ]  # fmt: skip
