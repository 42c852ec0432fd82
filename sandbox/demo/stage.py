"""The demo's world: local Telegram, portal, webinars and model server around the real process, and what its buttons do."""

import asyncio
import logging
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import aiohttp
from aiohttp import web

from integrations.bitrix24.fake import Fake as Portal
from integrations.bitrix24.fake_company import company
from integrations.bitrix24.fake_portal import FakeCall
from integrations.openai.fake import Fake as Models
from sandbox.demo.child import Child
from sandbox.demo.day import busy_day
from sandbox.demo.front import Front
from sandbox.demo.hall import Hall
from sandbox.demo.past import remember
from sandbox.demo.people import HEROINE, Lead, answering
from sandbox.demo.recordings import STORIES, Story, recording_bytes
from sandbox.demo.thread import CALL, COMMAND, Thread
from sandbox.demo.told import Told
from sandbox.demo.weights import Weights
from sandbox.telegram.double import TelegramDouble
from sandbox.telegram.world import Role

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
OWNER_ID = 1001
GROUP_ID = -1001000000001
LINE = "+7 900 555-01-00"  # the company's own number
STARTING_SECONDS = 15.0
NO_DEAL = "В amoCRM пока нет сделки: сначала нажмите «Лид в amoCRM» или второй шаг истории."
CALM_SECONDS, CARD_SECONDS, CALM_WITHIN_SECONDS = 3.0, 12.0, 60.0


class Stage:
    """``open`` brings everything up, ``close`` takes it down.

    ``real_model``: OPENAI_* of the environment are used. ``past``: the bot begins with a month behind it.
    """

    def __init__(
        self, folder: Path, weights: Weights, *, real_model: dict[str, str] | None = None, fetch: bool = True,
        past: bool = True,
    ) -> None:  # fmt: skip
        self.folder = folder
        self._fetch = fetch and real_model is None
        self.weights = weights
        self.real_model = real_model
        self._past = past
        self.telegram = TelegramDouble(name="Сводка")
        self.portal = Portal()
        self.hall = Hall()
        self.front = Front()
        self.thread = Thread()
        self.models = Models(unknown_refused=True)  # of a recording of one's own there is only the draft
        self.child = Child(folder / "svodka.log", self.changed)
        # The bundled calls are told from their scripts until real recognition is there.
        self.scripts = not self._fetch or weights.state != "ready"
        self._told_at = 0.0  # monotonic second of the last event the bot took
        self._changing_speech = False  # the bot is down for a moment of our own making
        self.urls: dict[str, str] = {}
        self.hooks_url = ""
        self._runners: list[web.AppRunner] = []
        self._tasks: set[asyncio.Task[None]] = set()
        company(self.portal)
        busy_day(self.portal.board, datetime.now(UTC))
        self.owner = self.telegram.person("Вы", number=OWNER_ID, username="manager", started=True)
        self.group = self.telegram.group("Команда", {self.owner: Role.CREATOR}, bot=Role.ADMIN, number=GROUP_ID)

    def changed(self) -> None:
        """Let the open pages read the panel again."""
        self.telegram.publish("panel", {})

    async def open(self, port: int, extra: Callable[[web.Application], None]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.urls["telegram"] = await self._serve(self.telegram.build_app(extra), port)
        self.urls["portal"] = await self._serve(self.portal.build_app(), 0)
        self.urls["webinars"] = await self._serve(self.hall.platform.build_app(), 0)
        self.urls["crm"] = await self._serve(self.front.crm.build_app(), 0)
        self.urls["models"] = await self._serve(self.models.build_app(), 0)
        self.hooks_url = f"http://{HOST}:{_free_port()}"
        if self._past:
            await remember(self._environment(), list(answering(self.portal)))
        await self.start_bot()
        self._later(self._fetch_weights)
        self._later(self._watch_vendors)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.telegram.clear_faults()
        await self.child.stop()
        for runner in reversed(self._runners):
            await runner.cleanup()

    async def start_bot(self) -> None:
        """Start the process with settings that lead to the stand-ins, and to them alone."""
        await self.child.start(self._environment(), self.folder)

    def _environment(self) -> dict[str, str]:
        speech = {"STT_PROVIDER": "local", "STT_MODEL": str(self.weights.folder)}
        stand_in = {"OPENAI_BASE_URL": f"{self.urls['models']}/v1", "OPENAI_API_KEY": "demo"}
        # The scripts have times, which whisper-1 gives; left to the table the model, and the cards, change with the date.
        speech = {"STT_MODEL": "whisper-1"} if self.scripts else speech
        model = {**stand_in, **speech} if self.real_model is None else self.real_model
        return {
            "TELEGRAM_BOT_TOKEN": self.telegram.token,
            "TELEGRAM_TARGET_CHAT_ID": str(GROUP_ID),
            "TELEGRAM_ADMIN_IDS": str(OWNER_ID),
            "TELEGRAM_API_BASE_URL": self.urls["telegram"],
            "BITRIX24_WEBHOOK_URL": self.portal.webhook_url(self.urls["portal"]),
            "BITRIX24_APPLICATION_TOKEN": self.portal.application_token,
            **self.hall.settings(self.urls["webinars"]),
            **self.front.settings(self.urls["crm"]),
            "HTTP_PORT": self.hooks_url.rpartition(":")[2],
            "DATA_DIR": str(self.folder / "data"),
            "FIRST_MESSAGE_AFTER": "0s",  # the card is to be seen growing
            "COMPANY_NAME": "Ясный Двор",
            **model,
        }

    async def tell(self, story: Story, *, started_at: datetime | None = None) -> str:
        """Let the story's call end; what to say on the page. ``started_at``: aware UTC, None: as long ago as it lasts."""
        audio = recording_bytes(story.recording) if story.recording else None
        self._introduce(story)
        call = self.portal.add_call(
            audio=None if story.late_s else audio,
            started_at=started_at,
            duration_s=story.duration_s,
            phone=story.phone,
            call_type=story.call_type,
            failed_code=story.failed_code,
            user_id=story.employee,
            crm_entity=("contact", story.id) if story.client[0] else None,
            bound_to=(("deal", story.deal),) if story.deal else (),
        )
        call = self._on_our_line(call)
        if story.late_s and audio is not None:
            self._later(partial(self._after, story.late_s, lambda: self.portal.attach(call, audio)))
        return await self._post_event(self.portal.event_body(call))

    async def end_webinar(self) -> str:
        """A session is over: those who had registered are told of, then the report."""
        return await self._post_all(self.hall.end_webinar(), "Бизон365 сообщил об отчёте.")

    async def register_somebody(self) -> str:
        return await self._post_told(self.hall.register_somebody(), "Бизон365 переслал регистрацию.")

    async def send_form(self, who: Lead | None = None) -> str:
        return await self._post_told(self.front.send_form(who), "Тильда прислала заявку.")

    async def add_deal(self, who: Lead | None = None) -> str:
        return await self._post_all(self.front.add_deal(who), "amoCRM сообщила о контакте и о сделке.")

    async def move_deal(self, who: Lead | None = None) -> str:
        deal = self.front.deal_of(who)
        if deal is None:
            return NO_DEAL
        return await self._post_all(self.front.move_deal(deal), "amoCRM сообщила о новом этапе.")

    async def change_contact(self) -> str:
        deal = self.front.deal_of()
        if deal is None:
            return NO_DEAL
        return await self._post_told(self.front.change_contact(deal), "amoCRM сообщила о контакте: у него новая почта.")

    async def tell_step(self, step: str) -> str:
        """One step of the heroine's story."""
        acts: dict[str, Callable[[], Awaitable[str]]] = {
            "thread-form": partial(self.send_form, HEROINE),
            "thread-deal": partial(self.add_deal, HEROINE),
            "thread-webinar": self.end_webinar,
            "thread-call": self._call_heroine,
            "thread-stage": partial(self.move_deal, HEROINE),
            "thread-card": self._ask_for_card,
        }
        said = await acts[step]()
        self.thread.told.add(step)
        return said

    async def _call_heroine(self) -> str:
        """The steps are seconds apart: a call that began as long ago as it lasts would stand before the form."""
        call = next(story for story in STORIES if story.id == CALL)
        return await self.tell(call, started_at=datetime.now(UTC))

    async def _ask_for_card(self) -> str:
        self.telegram.say(self.owner, COMMAND)
        return "Карточка — в личном чате с ботом."

    def ask(self, command: str) -> str:
        """The owner asks the bot in private."""
        self.telegram.say(self.owner, command)
        return "Ответ — в личном чате с ботом."

    async def drop(self, name: str, audio: bytes, duration_s: int) -> str:
        """A file of the user's own becomes an incoming call."""
        call = self.portal.add_call(
            audio=audio, file_name=name, duration_s=duration_s, phone="+79005550299", crm_entity=None
        )
        return await self._post_event(self.portal.event_body(self._on_our_line(call)))

    def _on_our_line(self, call: FakeCall) -> FakeCall:
        return self.portal.portal.change(call, replace(call, line=LINE))

    def _introduce(self, story: Story) -> None:
        if story.client[0]:
            self.portal.portal.people["contact", story.id] = {"NAME": story.client[0], "LAST_NAME": story.client[1]}

    async def _post_event(self, body: bytes) -> str:
        told = Told(path="/api/bitrix-webhook/call-finished", body=body)
        return await self._post_told(told, "Битрикс24 сообщил о звонке.")

    async def _post_all(self, several: Iterable[Told], done: str) -> str:
        said = done
        for told in several:
            said = await self._post_told(told, done)
        return said

    async def _post_told(self, told: Told, done: str) -> str:
        """Post it as the vendor would, but wait for a bot that is just starting."""
        deadline = asyncio.get_running_loop().time() + STARTING_SECONDS
        while True:
            status = await self._posted(told)
            if status is not None:
                self._told_at = time.monotonic()
                if status == 200:
                    return done
                self._later(partial(self._try_again, told))
                return f"Бот ответил {status}."
            if not self._alive or asyncio.get_running_loop().time() > deadline:
                self._later(partial(self._try_again, told))
                return f"Бот не работает: {told.lost}"
            await asyncio.sleep(0.1)

    async def _try_again(self, told: Told) -> None:
        """The vendor's own further tries, until one is taken."""
        for pause in told.again:
            await asyncio.sleep(pause)
            if await self._posted(told) == 200:
                return

    async def _posted(self, told: Told) -> int | None:
        """The status of the answer, None when nobody listens."""
        url = self.hooks_url + told.path
        try:
            async with aiohttp.ClientSession() as session, session.post(url, data=told.body, headers=told.headers) as answer:
                return answer.status
        except aiohttp.ClientError:
            return None

    @property
    def fetches(self) -> bool:
        """Real recognition is here or on its way."""
        return self._fetch

    @property
    def _alive(self) -> bool:
        return self.child.running or self._changing_speech

    async def _fetch_weights(self) -> None:
        """Fetch the weights in the background; once they are there the bot goes on with real recognition.

        Neither the fetch nor the new start may get in the way of the first card, on a slow machine least of all.
        """
        if not self._fetch or not self.scripts:
            return
        await _until(lambda: bool(self.telegram.calls), seconds=STARTING_SECONDS)
        if not await self.weights.fetch():
            return
        await _until(self._calm, seconds=CALM_WITHIN_SECONDS)
        self.scripts = False
        if self.child.running:
            self._changing_speech = True
            await self.child.stop()
            await self.start_bot()
            self._changing_speech = False
        self.changed()

    def _calm(self) -> bool:
        """No call is on its way to its card, as far as can be seen from outside."""
        shown = max(
            [sent.at for sent in self.telegram.sent[-1:]] + [edit.at for edit in self.telegram.edits[-1:]], default=0.0
        )
        pause = CALM_SECONDS if shown > self._told_at else CARD_SECONDS
        return time.monotonic() - max(shown, self._told_at) >= pause

    async def _watch_vendors(self) -> None:
        """Vendors tell nobody of a new comment or subscriber: the pages hear of it from here."""
        known = (0, 0)
        while True:
            await asyncio.sleep(0.3)
            now = len(self.portal.comments), len(self.hall.subscribers)
            if now != known:
                known = now
                self.changed()

    def _later(self, work: Callable[[], Awaitable[None]]) -> None:
        async def run() -> None:
            try:
                await work()
            except Exception:
                log.exception("the demo stumbled")

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _after(self, seconds: float, act: Callable[[], object]) -> None:
        await asyncio.sleep(seconds)
        act()

    async def _serve(self, app: web.Application, port: int) -> str:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, HOST, port).start()
        return f"http://{HOST}:{runner.addresses[0][1]}"


async def _until(condition: Callable[[], bool], *, seconds: float) -> None:
    """Wait for ``condition``, but no longer than ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        if condition() or time.monotonic() >= deadline:
            return
        await asyncio.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def story_of(number: str) -> Story | None:
    return next((story for story in STORIES if story.id == number), None)


def scratch_folder() -> Path:
    """A folder of this run's own."""
    return Path(tempfile.mkdtemp(prefix="svodka-demo-"))
