"""Builds Telegram's part of the process out of its pieces, and runs it."""

import asyncio
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from aiogram import Bot, Router
from aiogram.client.default import DefaultBotProperties
from aiogram.exceptions import AiogramError, TelegramNotFound, TelegramUnauthorizedError
from aiogram.types import User

from bot.settings import TelegramSettings
from bot.telegram.courier import BotCourier
from bot.telegram.direct import DirectCalls
from bot.telegram.dispatcher import build_dispatcher, used_updates
from bot.telegram.feeding import Feeder
from bot.telegram.gate import Gate, GateKeys
from bot.telegram.lateness import Lateness
from bot.telegram.membership import Membership, is_inside
from bot.telegram.menus import MenuKeeper, Menus
from bot.telegram.notices import AdminNotices, Tell
from bot.telegram.polling import Poller
from bot.telegram.reception import WebhookKeeper
from bot.telegram.sender import Sender
from bot.telegram.session import Session
from bot.telegram.webhook import UpdateDoor
from bot.telegram.worker import Worker
from domain.errors import ConfigError
from domain.ports import Clock
from storage.destinations import Destinations
from storage.engine import Database
from storage.fsm import Conversations
from storage.outbox import Outbox
from storage.people import People
from storage.updates import Updates

log = logging.getLogger(__name__)

IDENTIFY_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
CLEAN_SECONDS = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramParts:
    """What Telegram is built with.

    ``public_url`` is empty where there is none; ``webhook_secret`` (1–256 of A-Z a-z 0-9 _ -) goes with every webhook
    request; ``door`` is the one bot.http hands updates to, made before aiogram was imported; ``tell`` hears of outages,
    lost chats and refused posts (by default the admins do, in private); ``announce`` gets the line with the first owner's
    code; ``titles``: what people call vendors, by name.
    """

    settings: TelegramSettings
    database: Database
    clock: Clock
    account_id: int
    data_dir: Path
    public_url: str = ""
    webhook_secret: str = ""
    door: UpdateDoor | None = None
    menus: Menus = field(default_factory=Menus)
    lateness: Lateness = field(default_factory=Lateness)
    tell: Tell | None = None
    announce: Callable[[str], None] = lambda line: print(line, file=sys.stderr)  # noqa: T201  meant for the terminal
    poll_seconds: int = 25
    titles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramHealth:
    """How Telegram's part does. ``mode``: polling or webhook; times are aware UTC.

    ``conflict``: another copy of the bot takes our updates; ``inline`` is None until Telegram said who we are;
    ``silent``: Telegram does not answer to being asked who we are or what is new.
    """

    mode: str
    username: str
    token_refused: bool
    outage_since: datetime | None
    silent: bool
    conflict: bool
    inline: bool | None
    webhook_url: str
    webhook_pending: int
    webhook_error: str
    queued: int
    updates_handled: int
    handler_failures: int


class Telegram:
    """``start`` once, ``stop`` at the end, or ``run`` for both; ``wake`` after a commit that changed posts."""

    def __init__(self, parts: TelegramParts, bot: Bot, session: Session) -> None:
        self.bot = bot
        self._parts = parts
        database, clock = parts.database, parts.clock
        self._updates = Updates(database, clock)
        self._conversations = Conversations(database, clock)
        self.people = People(database, clock)
        self.destinations = Destinations(database, clock)
        self._tell: Tell = parts.tell or AdminNotices(database, clock, parts.account_id, self.wake)
        self.sender = Sender(Outbox(database, clock), self.destinations, BotCourier(bot, parts.data_dir), clock, self._tell)
        session.middleware(DirectCalls(self.sender))
        self._session = session
        self._menus = MenuKeeper(bot, self.people, parts.menus, parts.account_id)
        self.door = parts.door or UpdateDoor(self._updates, parts.webhook_secret or None)
        self._poller: Poller | None = None
        self._keeper: WebhookKeeper | None = None
        self._worker: Worker | None = None
        self._feeder: Feeder | None = None
        self._me: User | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._sending: asyncio.Task[None] | None = None

    @property
    def by_webhook(self) -> bool:
        mode = self._parts.settings.mode
        return mode == "webhook" or (mode == "auto" and bool(self._parts.public_url))

    def join(self, routers: Sequence[Router], desk: object) -> None:
        """The handlers and what they answer from. Once, before ``start``."""
        parts = self._parts
        keys = GateKeys(
            database=parts.database,
            clock=parts.clock,
            people=self.people,
            destinations=self.destinations,
            membership=Membership(self.bot, self.destinations, self.sender, self._tell),
            sender=self.sender,
            account_id=parts.account_id,
            accepted=self._menus.set_for,
        )
        dispatcher = build_dispatcher(routers, desk, gate=Gate(keys), conversations=self._conversations)
        allowed = used_updates(dispatcher)
        self._feeder = Feeder(
            self.bot, dispatcher, parts.database, parts.clock, kinds=allowed, wake=self.wake, titles=parts.titles
        )
        self._worker = Worker(self._updates, self._feeder, parts.lateness, parts.clock)
        if self.by_webhook:
            self._keeper = WebhookKeeper(
                self.bot, public_url=parts.public_url, secret=parts.webhook_secret, allowed_updates=allowed
            )
        else:
            self._poller = Poller(
                self.bot,
                self._session,
                self._updates,
                parts.clock,
                allowed_updates=allowed,
                on_stored=self._worker.wake,
                poll_seconds=parts.poll_seconds,
            )

    async def start(self) -> None:
        """Begin to send and to listen. ConfigError for a token Telegram refuses; an unreachable Telegram is waited for."""
        if self._worker is None:
            raise RuntimeError("join() comes before start()")
        await self.destinations.set_from_environment(self._parts.account_id, self._parts.settings.target)
        await self.people.let_in(self._parts.account_id, self._parts.settings.admin_ids)
        await self._announce_owner_code()
        identified = await self._identify()
        self.door.on_stored = self._worker.wake
        self._sending = asyncio.create_task(self.sender.run(), name="telegram-sender")
        runs = [self._worker.run(), self._settle_in(identified=identified), self._clean()]
        if self._poller is not None:
            runs.append(self._poller.run())
        if self._keeper is not None:
            runs.append(self._keeper.run())
        self._tasks = [asyncio.create_task(run) for run in runs]

    async def stop(self) -> None:
        """Take nothing new, let handlers and messages under way come to their end, say goodbye to the connection."""
        self.door.on_stored = None
        await _end(self._tasks)
        self._tasks = []
        if self._worker is not None:
            await self._worker.stop()
        if self._sending is not None:  # later than the worker: handlers that still answer need the sender's pace
            await _end([self._sending])
            self._sending = None
        await self.sender.stop()
        await self._session.close()

    async def run(self) -> None:
        """Start, serve until cancelled, stop in order. A part that ends by itself takes the rest with it."""
        await self.start()
        try:
            await asyncio.gather(*self._tasks, *([self._sending] if self._sending else []))
        finally:
            await self.stop()

    def wake(self) -> None:
        self.sender.wake()

    async def accept_update(self, body: bytes, secret_header: str | None) -> int:
        """For POST /telegram/webhook; see UpdateDoor."""
        return await self.door.accept_update(body, secret_header)

    def health(self) -> TelegramHealth:
        info = self._keeper.info if self._keeper is not None else None
        return TelegramHealth(
            mode="webhook" if self.by_webhook else "polling",
            username=(self._me.username or "") if self._me is not None else "",
            token_refused=self.sender.token_refused,
            outage_since=self._moment(self.sender.outage_since),
            silent=(self._poller is not None and self._poller.failing) or (self._me is None and bool(self._tasks)),
            conflict=self._poller is not None and self._poller.conflict,
            inline=bool(self._me.supports_inline_queries) if self._me is not None else None,
            webhook_url=info.url if info is not None else "",
            webhook_pending=info.pending_update_count if info is not None else 0,
            webhook_error=(info.last_error_message or "") if info is not None else "",
            queued=self.sender.queued,
            updates_handled=self._worker.handled if self._worker is not None else 0,
            handler_failures=self._feeder.failures if self._feeder is not None else 0,
        )

    def _moment(self, monotonic: float | None) -> datetime | None:
        if monotonic is None:
            return None
        return self._parts.clock.now() - timedelta(seconds=self._parts.clock.monotonic() - monotonic)

    async def _identify(self) -> bool:
        try:
            self._me = await self.bot.get_me(request_timeout=10)
        except (TelegramUnauthorizedError, TelegramNotFound):
            raise ConfigError("TELEGRAM_BOT_TOKEN", "Telegram не принимает токен: получите новый у @BotFather") from None
        except Exception as error:
            log.warning("Telegram cannot be reached yet: %s", type(error).__name__)
            return False
        log.info("the bot is @%s", self._me.username)
        return True

    async def _settle_in(self, *, identified: bool) -> None:
        """What needs Telegram and can wait for it: who we are, menus, chats that were lost while we were away."""
        failures = 0
        while not identified:
            await asyncio.sleep(IDENTIFY_PAUSES[min(failures, len(IDENTIFY_PAUSES) - 1)])
            failures += 1
            try:
                identified = await self._identify()
            except ConfigError:
                log.error("Telegram refuses the bot's token: check TELEGRAM_BOT_TOKEN")  # noqa: TRY400  no trace to show
        await self._menus.set_all()
        await self._look_for_lost_chats()
        await asyncio.Event().wait()

    async def _look_for_lost_chats(self) -> None:
        """A group may have taken the bot back while nobody listened: Telegram keeps that news for a day only."""
        for place in await self.destinations.all(self._parts.account_id):
            if place.state == "dead" and place.chat_id < 0:
                try:
                    member = await self.bot.get_chat_member(place.chat_id, self.bot.id)
                except AiogramError:
                    continue
                if is_inside(member) and await self.destinations.revive(place.chat_id):
                    self.wake()

    async def _clean(self) -> None:
        while True:
            try:
                await self._updates.forget()
                await self._conversations.forget_expired()
            except Exception:
                log.exception("old updates could not be removed")
            await asyncio.sleep(CLEAN_SECONDS)

    async def _announce_owner_code(self) -> None:
        if self._parts.settings.admin_ids:
            return
        code = await self.people.owner_code(self._parts.account_id)
        if code is not None:
            self._parts.announce(
                f"Владельца пока нет. Отправьте боту: /start {code}\nКод действует до следующего запуска, попыток пять."
            )


def build_telegram(parts: TelegramParts) -> Telegram:
    """Everything but the handlers, which ``join`` brings. Opens no connection."""
    settings = parts.settings
    session = Session(base_url=settings.api_base_url, proxy=settings.proxy)
    bot = Bot(settings.token, session=session, default=DefaultBotProperties(link_preview_is_disabled=True))
    return Telegram(parts, bot, session)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            log.error("a part of Telegram had stopped: %s", type(result).__name__, exc_info=result)
