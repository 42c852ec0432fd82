"""The life of the process: listen first, lead if nobody does, stop in order."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from aiohttp import web

from bot.clock import SystemClock
from bot.counting import Counters
from bot.entrance import ACCOUNT, Entrance, build_entrance
from bot.http.amocrm_oauth import amocrm_callback
from bot.http.api.routes import Api, Counting
from bot.http.app import Site, build_app
from bot.http.connections import KEEPALIVE_SECONDS, FirstRequests, allow_many_files
from bot.http.ingress import Ingress
from bot.http.limits import RateLimit
from bot.http.links import short_link
from bot.keys import Keys, load_keys
from bot.loading import load
from bot.logs import configure_logging
from bot.reports import TelegramReport, health, metrics
from bot.settings import VARIABLES, Settings, misspelt
from bot.telegram.webhook import UpdateDoor
from bot.vendors import VENDORS
from domain.errors import ConfigError
from storage.destinations import Destinations
from storage.engine import Database
from storage.leadership import Leadership, build_leadership
from storage.migrate import Schema, migrate, schema_state
from storage.updates import Updates

if TYPE_CHECKING:
    from bot.services import Services

log = logging.getLogger(__name__)

LEAD_AGAIN_SECONDS = 2.0
PREPARED_WITHIN_SECONDS = 60
COUNT_SECONDS = 60.0
LOST_LOCK = 75  # exit status: a supervisor should start us again


async def run(settings: Settings, stop: asyncio.Event | None = None) -> int:
    """Run until a signal, or until ``stop`` is set. Returns the exit status; ConfigError where settings are wrong."""
    if settings.telegram is None:
        raise ConfigError("TELEGRAM_BOT_TOKEN", "получите токен у @BotFather и впишите его в .env")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    keys = load_keys(settings)
    configure_logging(settings, _secrets(settings, keys))
    allow_many_files()
    _warn(settings)
    database = Database(settings.db_url)
    database.open()
    try:
        leadership = build_leadership(database, settings.data_dir)
        return await _run(settings, keys, database, leadership, stop or asyncio.Event())
    finally:
        await database.close()


async def _run(settings: Settings, keys: Keys, database: Database, leadership: Leadership, stop: asyncio.Event) -> int:
    leads = await leadership.try_acquire()
    if not leads and not leadership.stands_by:
        log.error(
            "другой процесс уже работает с этими данными (%s); остановите его или укажите другую DATA_DIR", settings.data_dir
        )
        return 1
    try:
        await _prepare(settings, keys, database, leads=leads)
        entrance = await build_entrance(settings, keys, database, SystemClock())
        return await Process(entrance, leadership, stop, leads=leads).run()
    finally:
        await leadership.release()


async def _prepare(settings: Settings, keys: Keys, database: Database, *, leads: bool) -> None:
    """Make an empty database, refuse one that is not ours to use. A standby waits for the leader to make it."""
    state, revision = await schema_state(database)
    for _ in range(PREPARED_WITHIN_SECONDS):
        if leads or state is not Schema.EMPTY:
            break
        await asyncio.sleep(1)
        state, revision = await schema_state(database)
    if state is Schema.EMPTY and leads:
        await migrate(settings.db_url)
        return
    if state is Schema.OLDER:
        raise ConfigError("DB_URL", f"база от прошлой версии ({revision}): выполните svodka migrate")
    if state is Schema.NEWER:
        raise ConfigError("DB_URL", f"база от более новой версии ({revision}): обновите программу")
    if state is Schema.EMPTY:
        raise ConfigError("DB_URL", "база пуста, и ведущий процесс её не готовит: посмотрите его журнал")
    if keys.new:
        raise ConfigError("DATA_DIR", "ключи созданы заново рядом с непустой базой: верните папку keys из резервной копии")


def _secrets(settings: Settings, keys: Keys) -> list[str]:
    """Everything that must not show in a log."""
    named = {variable.name for vendor in VENDORS for variable in vendor.variables if variable.secret}
    found = [value for name, value in settings.env.items() if name in named]
    telegram = [settings.telegram.token] if settings.telegram else []
    hooks = [keys.hook(vendor.name) for vendor in VENDORS]
    return [*found, *telegram, *hooks, *keys.secret_keys, keys.hook_secret]


def _warn(settings: Settings) -> None:
    variables = [*VARIABLES, *(variable for vendor in VENDORS for variable in vendor.variables)]
    known = [name for variable in variables for name in (variable.name, *variable.aliases)]
    for name, meant in misspelt(settings.env, known):
        log.warning("неизвестная настройка %s%s", name, f": может быть, {meant}?" if meant else "")


def _webhook_secret(settings: Settings, keys: Keys) -> str | None:
    """What Telegram has to send with each update; None while it is asked by polling."""
    telegram = settings.telegram
    assert telegram is not None  # noqa: S101 - checked at the start
    by_webhook = telegram.mode == "webhook" or (telegram.mode == "auto" and bool(settings.public_url))
    return keys.hook("telegram") if by_webhook else None


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel once and wait: a second time would break into its tidying up, and leave what it started running."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class Process:
    """One run of the process, from the first accepted hook to the last closed connection."""

    def __init__(self, entrance: Entrance, leadership: Leadership, stop: asyncio.Event, *, leads: bool) -> None:
        self._entrance = entrance
        self._leadership = leadership
        self._leads = leads
        self._stop = stop
        self._status = 0
        self._built: asyncio.Future[Services] = asyncio.get_running_loop().create_future()
        self._first_requests = FirstRequests()
        self._counters = Counters(entrance.hooks, entrance.database, entrance.clock)
        self._telegram_report: Callable[[], TelegramReport | None] = lambda: None  # until it is loaded
        secret = _webhook_secret(entrance.settings, entrance.keys)
        self._door = UpdateDoor(Updates(entrance.database, entrance.clock), secret)

    async def run(self) -> int:
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, self._stop.set)
        site = await self._listen()
        try:
            services = await self._furnish()
            async with asyncio.TaskGroup() as group:
                server = site.server
                assert server is not None  # noqa: S101 - it listens
                first_requests = self._first_requests.run(lambda: server.connections)
                running = [self._on_duty(services), first_requests, self._count()]
                tasks = [group.create_task(task) for task in running]
                await self._stop.wait()
                for task in tasks:
                    task.cancel()
        finally:
            await site.cleanup()
            await self._keep_counters()
            if self._built.done():
                await self._built.result().close()
        return self._status

    async def _furnish(self) -> "Services":
        """The rest of the process, whose import takes as long as all before: in a thread, while hooks are accepted."""
        part = await load("bot.services")
        services: Services = await part.furnish(self._entrance)
        self._built.set_result(services)
        return services

    async def _count(self) -> None:
        """On every node: who is refused by a standby is seen in /status too."""
        while True:
            await asyncio.sleep(COUNT_SECONDS)
            await self._keep_counters()

    async def _keep_counters(self) -> None:
        try:
            await self._counters.keep()
        except Exception as error:  # the database is away: they are added later
            log.warning("counters could not be kept: %s", type(error).__name__)

    async def _listen(self) -> web.AppRunner:
        entrance, settings = self._entrance, self._entrance.settings
        ingress = Ingress(
            hooks=entrance.hooks,
            inbox=entrance.inbox,
            vault=entrance.vault,
            stored=self._stored,
            strangers=RateLimit(entrance.clock, per_minute=120, burst=60),
            trusted=settings.trusted_proxies,
        )
        trusted, connected = settings.trusted_proxies, "bitrix24" in entrance.configured
        counting = Counting(
            zone=settings.timezone, short_s=settings.call_min_duration_s, attended_s=settings.attended_min_s
        )  # fmt: skip
        site = Site(
            ingress=ingress,
            api=Api(entrance.database, entrance.clock, trusted=trusted, connected=connected, counting=counting),
            health=self._health,
            metrics=self._metrics,
            metrics_key=entrance.keys.hook("metrics"),
            update=self._door.accept_update,
            follow=short_link(entrance.database, entrance.clock),
            consent=amocrm_callback(entrance),
        )
        app = build_app(site)
        self._first_requests.watch(app)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=5, keepalive_timeout=KEEPALIVE_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, settings.http_host, settings.http_port).start()
        except OSError as error:
            await runner.cleanup()
            where = f"{settings.http_host}:{settings.http_port}"
            raise ConfigError("HTTP_PORT", f"адрес {where} занят или недоступен: {error.strerror}") from error
        log.info("принимаем события на http://%s:%d", settings.http_host, runner.addresses[0][1])
        return runner

    async def _health(self) -> dict[str, object]:
        services = await asyncio.shield(self._built)  # who asks and goes away takes nothing along
        return await health(services, leader=self._leads, telegram=self._telegram_report())

    async def _metrics(self) -> str:
        return await metrics(await asyncio.shield(self._built), leader=self._leads)

    def _stored(self) -> None:
        """What comes before there is a runner is found by its first sweep."""
        if self._built.done():
            self._built.result().signals.stored()  # asked for at each call: who is woken changes when we begin to lead

    async def _on_duty(self, services: "Services") -> None:
        """Wait to lead, lead, and leave at once when the lock is lost."""
        while not self._leads:
            await asyncio.sleep(LEAD_AGAIN_SECONDS)
            with contextlib.suppress(OSError, TimeoutError):
                self._leads = await self._try_to_lead()
        log.info("ведущий процесс %d", os.getpid())
        lead = asyncio.create_task(self._lead(services))
        lock = asyncio.create_task(self._leadership.hold(services.runner.wake))
        try:
            done, _ = await asyncio.wait({lead, lock}, return_when=asyncio.FIRST_COMPLETED)
            if lock in done:
                log.critical("блокировка ведущего потеряна, выходим")
                os._exit(LOST_LOCK)
            if error := lead.exception():
                log.critical("ведущий остановился: %s", type(error).__name__, exc_info=error)
                self._status = 1
            self._stop.set()
        finally:
            lock.cancel()
            lead.cancel()
            await asyncio.gather(lead, lock, return_exceptions=True)

    async def _try_to_lead(self) -> bool:
        import psycopg

        try:
            return await self._leadership.try_acquire()
        except psycopg.Error as error:
            log.warning("база недоступна: %s", type(error).__name__)
            return False

    async def _lead(self, services: "Services") -> None:
        services.signals.stored = services.runner.wake
        configured = services.settings.telegram
        target = configured.target if configured else None
        await Destinations(services.database, services.clock).set_from_environment(ACCOUNT, target)
        services.board.recall(await services.alerts.told_parts())  # here: a standby was built long before it leads
        schedule = (await load("bot.schedule")).Schedule(services)
        telegram = asyncio.create_task(self._telegram(services))
        runner = asyncio.create_task(services.runner.run())
        schedule.start()
        try:
            done, _ = await asyncio.wait({telegram, runner}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await schedule.stop()
            await _end(runner)
            await services.runner.stop()
            await _end(telegram)

    async def _telegram(self, services: "Services") -> None:
        """aiogram takes two seconds to import; the vendors' own libraries come with the first call that needs them."""
        part = await load("bot.telegram.part")
        telegram = part.build_part(services, self._door)
        services.signals.posted = telegram.wake
        self._telegram_report = telegram.health
        await telegram.run()
