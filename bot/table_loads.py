"""The work that loads a table, and tables whose work a crash left unmade."""

from bot.http.ingress import seed_of
from bot.services import Services
from domain.imports import Import
from handlers.leads.asking import asking
from storage.imports import ImportStore


async def go_on_with(services: Services, table: Import) -> bool:
    """Load it, or take it out again, as its state says; False when there is such work already."""
    seed = seed_of(asking(table, undo=table.state == "undoing"), services.vault)
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
    """Tables that were agreed to and have no work: the process died between the two. How many there were."""
    tables = await ImportStore(services.database).under_way()
    return sum([await go_on_with(services, table) for table in tables])
