"""The real bot as a child process: started, stopped, killed, started again."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

STOP_SECONDS = 10
INHERITED = ("PATH", "HOME", "LANG", "SYSTEMROOT", "TMPDIR")
SOURCE = str(Path(__file__).resolve().parents[2])  # where `bot` is imported from


class Child:
    """`svodka run` in a process of its own. ``changed`` is called whenever its state is another."""

    def __init__(self, log: Path, changed: Callable[[], None]) -> None:
        self._log = log
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self.starts = 0
        self.last_exit: int | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self.running else None

    async def start(self, environment: Mapping[str, str], folder: Path) -> None:
        """Start it with ``environment`` alone, in ``folder``, so that no `.env` of the user's gets in."""
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run",
                env={**inherited, "PYTHONPATH": SOURCE, "PYTHONUNBUFFERED": "1", **environment},
                cwd=folder, stdout=log, stderr=log,
            )  # fmt: skip
        self.starts += 1
        self._watch = asyncio.create_task(self._until_gone(self._process))
        self._changed()

    async def stop(self) -> None:
        """In order, then by force."""
        if self._process is None or not self.running:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self.kill()
        await self._settled()

    def kill(self) -> None:
        """kill -9: it learns nothing of it."""
        if self._process is not None and self.running:
            self._process.send_signal(signal.SIGKILL)

    async def _settled(self) -> None:
        if self._watch is not None:
            await self._watch

    async def killed(self) -> None:
        """Kill it and wait until it is gone."""
        self.kill()
        await self._settled()

    async def _until_gone(self, process: asyncio.subprocess.Process) -> None:
        self.last_exit = await process.wait()
        self._changed()
