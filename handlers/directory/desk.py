"""What the screens of houses and people stand on; built by the composition root where a CRM has them."""

from dataclasses import dataclass

from domain.ports import Directory
from storage.directory import DirectoryStore
from storage.house_mapping import HouseMappingStore


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryDesk:
    """``vendor`` and what people call it; ``platform`` is asked only where somebody waits for the answer."""

    vendor: str
    title: str
    platform: Directory
    store: DirectoryStore
    mappings: HouseMappingStore
