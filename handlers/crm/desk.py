"""What the screens of stages stand on; built by the composition root where a CRM is connected."""

from collections.abc import Callable
from dataclasses import dataclass

from handlers.crm.directory import Directory
from storage.stages import StageStore


@dataclass(frozen=True, slots=True, kw_only=True)
class StageDesk:
    """``title`` of the CRM; ``directory`` where it can be asked; ``follow`` is called when leads have to follow a change."""

    title: str
    source: str
    store: StageStore
    directory: Directory | None
    follow: Callable[[], None]
