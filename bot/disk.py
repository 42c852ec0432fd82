"""Room on the disk: below half a gigabyte no recording is fetched, so that events can always be stored."""

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

RESERVE_BYTES = 500 * 1024 * 1024


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


class Disk:
    """``full`` hears how many megabytes are left, at each refusal."""

    def __init__(self, data_dir: Path, full: Callable[[int], Awaitable[None]]) -> None:
        self._data_dir = data_dir
        self._full = full

    async def has_room(self) -> bool:
        """May a recording be stored now?"""
        free = free_bytes(self._data_dir)
        if free >= RESERVE_BYTES:
            return True
        await self._full(free // (1024 * 1024))
        return False
