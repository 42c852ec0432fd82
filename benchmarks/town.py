"""A town for a benchmark: the fakes in one process, the real `svodka run` in another, and what passed between them."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.processes import Server, cpu_seconds, end, serving, start

HOOK = "/api/bitrix-webhook/call-finished"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(slots=True)
class Town:
    """``start`` and ``end`` the process as often as is needed; the fakes and the data outlive it."""

    folder: Path
    fakes: Server
    session: aiohttp.ClientSession
    settings: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Where the fakes are, as settings."""
        return dict(json.loads(self.fakes.said["environment"]))

    @property
    def database(self) -> Path:
        return self.folder / "data" / "svodka.db"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.pid)

    async def start(self, *, module: str = "bot", arguments: tuple[str, ...] = ("run",)) -> None:
        self.port = self.port or _free_port()
        given = self.environment | {"HTTP_PORT": str(self.port), "DATA_DIR": str(self.folder / "data"), **self.settings}
        with (self.folder / "svodka.log").open("ab") as log:
            self.process = await start(
                "-m", module, *arguments, env=given, stdout=log.fileno(), stderr=log.fileno(), folder=self.folder
            )

    async def started(self) -> None:
        """Start and wait until hooks are accepted and Telegram was asked for updates."""
        polls = (await self.ask("/times"))["polls"]
        await self.start()
        await self.until_health()
        while (await self.ask("/times"))["polls"] == polls:
            await asyncio.sleep(0.1)

    async def end(self) -> None:
        if self.process is not None:
            await end(self.process)
            self.process = None

    async def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def until_health(self, *, seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                async with self.session.get(f"{self.url}/api/health") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            if time.monotonic() > deadline:
                raise TimeoutError(f"it never answered; see {self.folder / 'svodka.log'}")
            await asyncio.sleep(0.01)

    async def tell(self, path: str, **said: Any) -> dict[str, Any]:
        async with self.session.post(self.fakes.url + path, json=said) as answer:
            answer.raise_for_status()
            return dict(await answer.json())

    async def calls(self, count: int, *, recording: str = "03_very_short", **more: Any) -> list[str]:
        """Calls that have ended, the bodies of their events yet to be posted."""
        return list((await self.tell("/calls", count=count, recording=recording, **more))["events"])

    async def post(self, body: str) -> int:
        """The status of the answer; 0 when there was none."""
        try:
            async with self.session.post(self.url + HOOK, data=body, headers=FORM) as answer:
                await answer.read()
                return answer.status
        except aiohttp.ClientError:
            return 0

    async def ask(self, path: str) -> dict[str, Any]:
        async with self.session.get(self.fakes.url + path) as answer:
            return dict(await answer.json())


@asynccontextmanager
async def open_town(folder: Path, *, fakes: str = "benchmarks.servers.town", **settings: str) -> AsyncIterator[Town]:
    folder.mkdir(parents=True, exist_ok=True)
    limits = aiohttp.TCPConnector(limit=64)
    async with serving(fakes) as others, aiohttp.ClientSession(connector=limits) as session:
        town = Town(folder=folder, fakes=others, session=session, settings=dict(settings))
        try:
            yield town
        finally:
            await town.end()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
