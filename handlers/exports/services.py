"""What making a file in the background works with, per account; built by the composition root."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from domain.messages import Texts
from domain.ports import Clock, Tx
from handlers.exports.apart import Apart
from handlers.exports.files import Plan
from handlers.exports.making import Writer
from handlers.leads.services import PlaceChat
from storage.engine import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportServices:
    """``write`` commits what is no step: how far a file is. ``posted`` is called after an answer was committed.

    ``short_s``, ``short_fixed`` and ``attended_s`` as in Ground. ``turn``: one file at a time. ``stopped``: askings whose
    «Остановить» was pressed; a restart forgets it with the file.
    """

    database: Database
    data_dir: Path
    chat: PlaceChat
    clock: Clock
    texts: Texts
    timezone: ZoneInfo
    write: Callable[[Callable[[Tx], Awaitable[int]]], Awaitable[int]]
    posted: Callable[[], None]
    short_s: int
    attended_s: int
    short_fixed: bool = False
    begin: Callable[[Plan], Awaitable[Writer]] = Apart.begin
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    stopped: set[str] = field(default_factory=set)
