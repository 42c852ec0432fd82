"""Where tests keep their files: in memory, where it has room, because a disk makes each of a thousand databases wait."""

import os
from functools import cache

MEMORY = "/dev/shm"
_ROOM_BYTES = 2 << 30  # some six times what two processes of tests hold at their peak


@cache
def in_memory() -> str | None:
    """A folder in memory for files of any kind; None where it is missing, small or runs no programs (a container's)."""
    try:
        there = os.statvfs(MEMORY)
    except (OSError, AttributeError):
        return None
    runs_programs = not there.f_flag & os.ST_NOEXEC
    fits = there.f_bavail * there.f_frsize >= _ROOM_BYTES
    return MEMORY if fits and runs_programs and os.access(MEMORY, os.W_OK | os.X_OK) else None
