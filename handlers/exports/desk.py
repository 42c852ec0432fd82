"""What the chat needs of exports: whether somebody's file is on its way, and a way to stop it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportDesk:
    """``busy`` takes an account and the beginning of the names of a person's askings; ``stop`` the name of one."""

    busy: Callable[[int, str], Awaitable[bool]]
    stop: Callable[[str], None]
