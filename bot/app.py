"""The life of the process: listen first, lead if nobody does, stop in order."""

import asyncio
import contextlib
import importlib
import logging
import os
import signal
from collections.abc import Callable

from aiohttp import web

from bot.http.app import Site, build_app
from bot.http.connections import KEEPALIVE_SECONDS, FirstRequests, allow_many_files
from bot.http.ingress import Ingress
from bot.http.limits import RateLimit
from bot.keys import Keys, load_keys
from bot.logs import configure_logging
from bot.reports import TelegramReport, health, metrics
from bot.retention import Retention
from bot.schedule import Schedule
from bot.services import ACCOUNT, Services, build_services
from bot.settings import VARIABLES, Settings, misspelt
from bot.telegram.webhook import UpdateDoor
from bot.vendors import VENDORS
from domain.errors import ConfigError
from domain.messages import Destination
from storage.destinations import Destinations
from storage.engine import Database
from storage.leadership import Leadership, build_leadership
from storage.migrate import Schema, migrate, schema_state
from storage.updates import Updates

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
        services = await build_services(settings, keys, database)
        try:
            return await Process(services, leadership, stop, leads=leads).run()
        finally:
            await services.close()
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


def _webhook_secret(services: Services) -> str | None:
    """What Telegram has to send with each update; None while it is asked by polling."""
    telegram = services.settings.telegram
    assert telegram is not None  # noqa: S101 - checked at the start
    by_webhook = telegram.mode == "webhook" or (telegram.mode == "auto" and bool(services.settings.public_url))
    return services.keys.hook("telegram") if by_webhook else None


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel once and wait: a second time would break into its tidying up, and leave what it started running."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class Process:
    """One run of the process, from the first accepted hook to the last closed connection."""

    def __init__(self, services: Services, leadership: Leadership, stop: asyncio.Event, *, leads: bool) -> None:
        self._services = services
        self._leadership = leadership
        self._leads = leads
        self._stop = stop
        self._status = 0
        self._first_requests = FirstRequests()
        self._counters = Retention(services)
        self._telegram_report: Callable[[], TelegramReport | None] = lambda: None  # until it is loaded
        self._door = UpdateDoor(Updates(services.database, services.clock), _webhook_secret(services))

    async def run(self) -> int:
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, self._stop.set)
        site = await self._listen()
        try:
            async with asyncio.TaskGroup() as group:
                server = site.server
                assert server is not None  # noqa: S101 - it listens
                running = [self._on_duty(), self._first_requests.run(lambda: server.connections), self._count()]
                tasks = [group.create_task(task) for task in running]
                await self._stop.wait()
                for task in tasks:
                    task.cancel()
        finally:
            await site.cleanup()
        await self._keep_counters()
        return self._status

    async def _count(self) -> None:
        """On every node: who is refused by a standby is seen in /status too."""
        while True:
            await asyncio.sleep(COUNT_SECONDS)
            await self._keep_counters()

    async def _keep_counters(self) -> None:
        try:
            await self._counters.keep_counters()
        except Exception as error:  # the database is away: they are added later
            log.warning("counters could not be kept: %s", type(error).__name__)

    @property
    def _target(self) -> Destination | None:
        telegram = self._services.settings.telegram
        return telegram.target if telegram else None

    async def _listen(self) -> web.AppRunner:
        services, settings = self._services, self._services.settings
        ingress = Ingress(
            hooks=services.hooks,
            inbox=services.inbox,
            vault=services.vault,
            stored=self._stored,
            strangers=RateLimit(services.clock, per_minute=120, burst=60),
            trusted=settings.trusted_proxies,
        )
        site = Site(
            ingress=ingress,
            health=lambda: health(services, leader=self._leads, telegram=self._telegram_report()),
            metrics=lambda: metrics(services, leader=self._leads),
            metrics_key=services.keys.hook("metrics"),
            update=self._door.accept_update,
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

    def _stored(self) -> None:
        self._services.signals.stored()  # asked for at each call: who is woken changes when we begin to lead

    async def _on_duty(self) -> None:
        """Wait to lead, lead, and leave at once when the lock is lost."""
        while not self._leads:
            await asyncio.sleep(LEAD_AGAIN_SECONDS)
            with contextlib.suppress(OSError, TimeoutError):
                self._leads = await self._try_to_lead()
        log.info("ведущий процесс %d", os.getpid())
        lead = asyncio.create_task(self._lead())
        lock = asyncio.create_task(self._leadership.hold(self._services.runner.wake))
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

    async def _lead(self) -> None:
        services = self._services
        services.signals.stored = services.runner.wake
        await Destinations(services.database, services.clock).set_from_environment(ACCOUNT, self._target)
        services.board.recall(await services.alerts.told_parts())  # here: a standby was built long before it leads
        schedule = Schedule(services)
        telegram = asyncio.create_task(self._telegram())
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

    async def _telegram(self) -> None:
        """aiogram takes two seconds to import: in a thread, while hooks are accepted already."""
        part = await asyncio.to_thread(importlib.import_module, "bot.telegram.part")
        for connected in self._services.connected.values():
            await asyncio.to_thread(connected.ports.warm_up)
        telegram = part.build_part(self._services, self._door)
        self._services.signals.posted = telegram.wake
        self._telegram_report = telegram.health
        await telegram.run()
