"""What the screens of houses and people stand on; built by the composition root where a CRM has them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from domain.ports import Directory
from storage.directory import DirectoryStore
from storage.house_mapping import HouseMappingStore


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryDesk:
    """``vendor`` and what people call it; ``platform`` is asked only where somebody waits for the answer.

    ``come`` tells who runs works that one is due.
    """

    vendor: str
    title: str
    platform: Directory
    store: DirectoryStore
    mappings: HouseMappingStore
    come: Callable[[], None] = lambda: None

    async def hasten(self, account_id: int, now: datetime) -> None:
        """A reading that waits for the CRM goes on at once: somebody asks for it."""
        await self.store.hasten(account_id, now)
        self.come()
