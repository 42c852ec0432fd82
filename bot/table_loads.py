"""The work that loads a table, and tables whose work a crash left unmade."""

from sqlalchemy import select

from bot.http.ingress import seed_of
from bot.services import Services
from domain.imports import Import, State
from handlers.leads.asking import asking
from storage.arrivals import WorkSeed
from storage.imports import ImportStore
from storage.models import work


async def go_on_with(services: Services, table: Import) -> bool:
    """Load it, or take it out again, as its state says; False when there is such work already."""
    seed = _seed(services, table)
    added = await services.work.add(
        account_id=table.account_id,
        kind=seed.kind,
        object_=seed.object,
        payload=seed.payload,
        source="chat",
        now=services.clock.now(),
    )
    services.runner.wake()
    return added


async def go_on_with_all(services: Services) -> int:
    """Tables that were agreed to and have no work: the process died between the two. How many there were.

    One whose work was given up is not left half done: what nobody has seen is taken away, all else is tried again.
    """
    tables = await ImportStore(services.database).under_way()
    return sum([await go_on_with(services, table) or await _again(services, table) for table in tables])


async def _again(services: Services, table: Import) -> bool:
    seed = _seed(services, table)
    mine = (work.c.account_id == table.account_id) & (work.c.kind == seed.kind) & (work.c.object == seed.object)
    newest = select(work.c.id, work.c.state).where(mine).order_by(work.c.generation.desc()).limit(1)
    async with services.database.read() as connection:
        row = (await connection.execute(newest)).one()
    if row.state != "dead":
        return False
    await ImportStore(services.database).move(table.id, since=State.LOADING, to=State.DROPPING)
    await services.work.replay(row.id, services.clock.now())
    services.runner.wake()
    return True


def _seed(services: Services, table: Import) -> WorkSeed:
    return seed_of(asking(table, undo=table.state is State.UNDOING), services.vault)
