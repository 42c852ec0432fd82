"""A whole town on real sockets: the process under test, a portal, a model server and a Telegram, all on this machine."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

from bot.app import run
from bot.settings import read_settings
from integrations.bitrix24.fake import Fake as Portal
from integrations.bitrix24.fake_portal import FakeCall
from integrations.openai.fake import Fake as Models
from sandbox.demo.child import Child
from sandbox.demo.recordings import recording_bytes
from sandbox.telegram.double import TelegramDouble
from sandbox.telegram.world import Message, Role

OWNER, MANAGER, GROUP = 1001, 1002, -1001000000001


@dataclass
class Town:
    """Fakes that outlive the process, so that it can be killed and started among them."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0

    def __post_init__(self) -> None:
        self.telegram = TelegramDouble()
        self.portal = Portal()
        self.models = Models()
        self.owner = self.telegram.person("Ольга", number=OWNER, started=True)
        self.group = self.telegram.group("Команда", {self.owner: Role.CREATOR}, bot=Role.ADMIN, number=GROUP)
        self.child = Child(self.folder / "svodka.log", lambda: None)
        self._runners: list[web.AppRunner] = []
        self._running: asyncio.Task[int] | None = None
        self._stop = asyncio.Event()
        self._handlers: list[logging.Handler] = []

    async def open(self) -> None:
        urls = [
            await self._serve(app) for app in (self.telegram.build_app(), self.portal.build_app(), self.models.build_app())
        ]
        self.port = self.port or free_port()
        self.environment = {
            "TELEGRAM_BOT_TOKEN": self.telegram.token,
            "TELEGRAM_TARGET_CHAT_ID": str(GROUP),
            "TELEGRAM_ADMIN_IDS": str(OWNER),
            "TELEGRAM_API_BASE_URL": urls[0],
            "BITRIX24_WEBHOOK_URL": self.portal.webhook_url(urls[1]),
            "BITRIX24_APPLICATION_TOKEN": self.portal.application_token,
            "OPENAI_BASE_URL": f"{urls[2]}/v1",
            "OPENAI_API_KEY": "key-of-a-test",
            "STT_MODEL": "whisper-1",  # left to the table it would change with the date
            "LLM_MODEL": "gpt-5.4-mini",
            "HTTP_PORT": str(self.port),
            "DATA_DIR": str(self.folder / "data"),
            "FIRST_MESSAGE_AFTER": "0s",
        } | self.environment

    async def close(self) -> None:
        self.telegram.clear_faults()
        self.models.release()
        await self.stop()
        await self.child.stop()
        for runner in reversed(self._runners):
            await runner.cleanup()

    async def start(self) -> None:
        """The process inside this one: its lines are measured by coverage."""
        self._stop = asyncio.Event()
        self._handlers = list(logging.getLogger().handlers)
        self._running = asyncio.create_task(run(read_settings(self.environment), self._stop))
        await self.answers()

    async def stop(self) -> int | None:
        if self._running is None:
            return None
        self._stop.set()
        status = await self._running
        self._running = None
        root = logging.getLogger()
        for handler in set(root.handlers) - set(self._handlers):
            handler.close()
        root.handlers = self._handlers
        return status

    async def start_child(self) -> None:
        """The process as a user has it."""
        await self.child.start(self.environment, self.folder)
        await self.answers()

    async def answers(self, *, seconds: float = 120.0) -> None:
        """Wait until hooks are accepted."""
        await self.until(self._health_answers, seconds=seconds)

    async def _health_answers(self) -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{self.url}/api/health") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            if self._running is not None and self._running.done():
                self._running.result()
            return False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def end_call(self, recording: str | None = "01_complaint_incoming", **facts: object) -> FakeCall:
        """A call that has just ended at the portal, with its event posted."""
        call = self.call(recording, **facts)
        assert await self.post_event(call) == 200
        return call

    def call(self, recording: str | None = "01_complaint_incoming", **facts: object) -> FakeCall:
        audio = recording_bytes(recording) if recording else None
        given = {"duration_s": 74, "bound_to": (("deal", "42"),)} | facts
        return self.portal.add_call(audio=audio, **given)  # type: ignore[arg-type]  # whatever the test wants

    @staticmethod
    def recording(name: str = "01_complaint_incoming") -> bytes:
        """The mp3 of a bundled call."""
        return recording_bytes(name)

    async def post_event(self, call: FakeCall, *, token: str | None = None) -> int:
        body = self.portal.event_body(call, application_token=token)
        return await self.post("/api/bitrix-webhook/call-finished", body)

    async def post(self, path: str, body: bytes, **headers: str) -> int:
        kind = {"Content-Type": "application/x-www-form-urlencoded"} | headers
        async with aiohttp.ClientSession() as session, session.post(self.url + path, data=body, headers=kind) as answer:
            await answer.read()
            return answer.status

    def cards(self) -> list[Message]:
        """What the team's chat shows now, from the bot."""
        shown = self.telegram.messages(self.group)
        return [message for message in shown if message.author == self.telegram.bot]

    def texts(self) -> list[str]:
        return [message.text for message in self.cards()]

    async def until_card(self, *words: str, seconds: float = 120.0) -> Message:
        """Wait for a message in the team's chat with all these words."""

        def found() -> bool:
            return any(all(word in text for word in words) for text in self.texts())

        await self.until(found, seconds=seconds, why=lambda: f"{words} not in {self.texts()}")
        return next(message for message in self.cards() if all(word in message.text for word in words))

    async def until(
        self,
        condition: Callable[[], object],
        *,
        seconds: float = 120.0,
        why: Callable[[], str] = lambda: "it never happened",
    ) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            result = condition()
            if await result if asyncio.iscoroutine(result) else result:
                return
            assert asyncio.get_running_loop().time() < deadline, why()
            await asyncio.sleep(0.02)

    async def _serve(self, app: web.Application) -> str:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"


@asynccontextmanager
async def open_town(folder: Path, **environment: str) -> AsyncIterator[Town]:
    town = Town(folder, dict(environment))
    await town.open()
    try:
        yield town
    finally:
        await town.close()


def free_port() -> int:
    """A port nobody listens on just now."""

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
