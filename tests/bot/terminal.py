"""A terminal for tests: a command of the console script with an environment of its own, while fakes go on in this loop."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest

from bot.cli import main


@dataclass(frozen=True)
class Said:
    """How a command ended and what it printed."""

    status: int
    out: str
    err: str


class Terminal:
    """``await terminal("status")``: the command in a thread, with an event loop of its own, as a user has it."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        self._patch = patch
        self.folder = folder
        patch.chdir(folder)  # no `.env` of the machine's gets in
        for name in list(os.environ):
            if name.split("_")[0] in {"TELEGRAM", "BITRIX24", "OPENAI", "STT", "LLM"} or name in {
                "DB_URL",
                "DATA_DIR",
                "PORT",
            }:
                patch.delenv(name)

    def set(self, environment: Mapping[str, str]) -> None:
        for name, value in environment.items():
            self._patch.setenv(name, value)

    def unset(self, *names: str) -> None:
        for name in names:
            self._patch.delenv(name, raising=False)

    async def __call__(self, *arguments: str) -> Said:
        out, err = StringIO(), StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            status = await asyncio.to_thread(_status, arguments)
        return Said(status=status, out=out.getvalue(), err=err.getvalue())


def _status(arguments: tuple[str, ...]) -> int:
    try:
        return main(arguments)
    except SystemExit as ended:
        return int(str(ended.code or 0))
