"""A CRM's houses, people and departments joined to the process: read at the start and every hour."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.crm import Part, Run
from bot.http.ingress import seed_of
from domain.directory import NotHouses
from domain.errors import NotReady
from domain.events import DirectoryDue
from domain.ports import Clock, Steps
from domain.work import WorkItem
from handlers.directory.desk import DirectoryDesk
from handlers.directory.pipeline import read_directory
from handlers.directory.services import DirectoryServices
from storage.directory import DirectoryStore
from storage.engine import Database
from storage.house_mapping import HouseMappingStore
from storage.queries.directory import freshness
from storage.work import WorkStore

LARGE = 5000  # houses: a hundred requests
A_DAY = timedelta(hours=23)
TURN_SECONDS = 5.0  # between looks whether an earlier reading has ended: of two at once the portal would see twice as many


def build_directory(database: Database, parts: Mapping[str, Part], *, come: Callable[[], None]) -> DirectoryDesk | None:
    """None where no connected vendor has a directory. ``come`` is called when a reading is due sooner.

    The health board does not listen: a right that one list lacks says nothing of the connection, and the list tells it.
    """
    part = next((one for one in parts.values() if one.ports.directory is not None), None)
    if part is None or part.ports.directory is None:
        return None
    return DirectoryDesk(
        vendor=part.vendor.name, title=part.vendor.title, platform=part.ports.directory,
        store=DirectoryStore(database), mappings=HouseMappingStore(database), come=come,
    )  # fmt: skip


def directory_runs(desk: DirectoryDesk | None, clock: Clock) -> Mapping[str, Run]:
    async def read(item: WorkItem[Any], steps: Steps) -> None:
        if desk is None:
            raise RuntimeError("no directory is configured")
        if await desk.store.follows(item.account_id, item.id):
            raise NotReady("an earlier reading", retry_after=TURN_SECONDS)
        services = DirectoryServices(platform=desk.platform, shelf=desk.store, mappings=desk.mappings, clock=clock)
        await read_directory(item, steps, services)

    return {"directory": read}


async def ask_every_hour(desk: DirectoryDesk, database: Database, account_id: int, now: datetime) -> bool:
    """Work of this hour, unless there is some, or an earlier one has not ended: it is tried again by itself.

    Thousands of deals are read once a day: an hour would not be enough for the requests of some portals.
    """
    if await desk.store.underway(account_id) is not None or await _large_and_known(database, account_id, now):
        return False
    event = DirectoryDue(vendor=desk.vendor, external_id=f"{now:%Y-%m-%dT%H}", occurred_at=now)
    seed = seed_of(event)
    return await WorkStore(database).add(
        account_id=account_id, kind=seed.kind, object_=seed.object, payload=seed.payload, source="tick", now=now
    )


async def _large_and_known(database: Database, account_id: int, now: datetime) -> bool:
    """Read within a day, or looked at and found to be no houses."""
    state = (await freshness(database, account_id)).houses
    large = state.count > LARGE and state.read_at is not None and now - state.read_at < A_DAY
    no_houses = state.problem == NotHouses.ADDRESSLESS and state.problem_at is not None and now - state.problem_at < A_DAY
    return large or no_houses
