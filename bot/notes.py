"""Notes on the leads of a connected CRM, joined to the process."""

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from bot.crm import Part, Run
from bot.health import HealthBoard, observed
from domain.messages import Texts
from domain.ports import Steps
from domain.work import WorkItem
from handlers.crm.notes import NoteServices, write_note
from handlers.crm.noting import NoteDesk
from storage.engine import Database
from storage.notes import NoteStore


def build_note_desk(database: Database, parts: Mapping[str, Part], come: Callable[[], None]) -> NoteDesk | None:
    """None where no CRM takes notes of ours."""
    vendor = next((name for name, part in parts.items() if part.ports.notes is not None), None)
    return NoteDesk(vendor=vendor, book=NoteStore(database), come=come) if vendor is not None else None


def note_runs(
    database: Database, parts: Mapping[str, Part], board: HealthBoard, *, texts: Texts, timezone: ZoneInfo
) -> Mapping[str, Run]:
    async def write(item: WorkItem[Any], steps: Steps) -> None:
        name = item.event.vendor
        platform = parts[name].ports.notes if name in parts else None
        seen = observed(platform, name, name, board) if platform is not None else None
        services = NoteServices(store=NoteStore(database), platform=seen, texts=texts, timezone=timezone)
        await write_note(item, steps, services)

    return {"note": write}
