"""The composition root: settings in, the parts of the process out, joined in plain Python."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlalchemy import select

from bot.alerts import Alerts
from bot.board import build_tasks, task_runs
from bot.calls import build_call_services, call_runs
from bot.clock import SystemClock
from bot.crm import Crm, Run, build_crm, build_funnel, crm_runs
from bot.digests import build_digest_services, digest_runs, webinar_digests
from bot.directory import build_directory, directory_runs
from bot.doctor import Doctor
from bot.entrance import ACCOUNT, Entrance, build_entrance
from bot.exports import build_exports, export_runs
from bot.ground import Connected, Ground, Signals, Watch, build_watch, lay
from bot.health import HealthBoard, observed
from bot.hook_watch import HookWatch
from bot.hooks import Hooks
from bot.keys import Keys
from bot.notes import build_note_desk, note_runs
from bot.polling import Poll, build_polls
from bot.proof import build_proven
from bot.purse import LimitPurse
from bot.settings import Settings
from bot.tables import ad_runs, build_lead_services, build_news, lead_runs, table_runs
from bot.trial_runs import with_trials
from bot.webinars import build_webinar_services, webinar_runs
from bot.work import Route, Runner
from domain.messages import Texts
from domain.ports import Clock
from handlers.calls.services import CallServices
from handlers.crm.noting import NoteDesk
from handlers.digests.services import DigestServices
from handlers.directory.desk import DirectoryDesk
from handlers.exports.services import ExportServices
from handlers.leads.services import LeadServices, NewsServices
from handlers.routes import ROUTES
from handlers.tasks.services import TaskServices
from handlers.webinars.services import WebinarServices
from storage.engine import Database
from storage.inbox import Inbox
from storage.models import notices
from storage.models.core import RESTORED
from storage.posts import StoredChat
from storage.sealed import unseal
from storage.vault import Vault
from storage.work import WorkStore

CPU_THREADS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts of the process. Built before anything runs; ``close`` lets go of what was opened."""

    settings: Settings
    keys: Keys
    clock: Clock
    texts: Texts
    database: Database
    vault: Vault
    inbox: Inbox
    hooks: Hooks
    work: WorkStore
    chat: StoredChat
    board: HealthBoard
    alerts: Alerts
    purse: LimitPurse
    runner: Runner
    connected: dict[str, Connected]
    polls: tuple[Poll, ...]
    calls: CallServices | None
    webinars: WebinarServices | None
    notes: NoteDesk | None
    crm: Crm | None
    directory: DirectoryDesk | None
    leads: LeadServices
    digests: DigestServices
    tasks: TaskServices | None
    exports: ExportServices
    doctor: Doctor
    hook_watch: HookWatch
    signals: Signals
    cpu: ThreadPoolExecutor = field(repr=False)
    started_at: datetime

    async def close(self) -> None:
        await self.doctor.close()
        for connected in self.connected.values():
            await connected.ports.close()
        self.cpu.shutdown(wait=False, cancel_futures=True)
        await self.database.close()


async def build_services(settings: Settings, keys: Keys, database: Database, clock: Clock | None = None) -> Services:
    """Everything but HTTP and Telegram. The database is open and its schema is ours."""
    return await furnish(await build_entrance(settings, keys, database, clock or SystemClock()))


async def furnish(entrance: Entrance) -> Services:
    """All that stands behind the entrance: ports, pipelines, the runner. Nothing runs yet."""
    settings, keys, database, clock = entrance.settings, entrance.keys, entrance.database, entrance.clock
    cpu = ThreadPoolExecutor(CPU_THREADS, thread_name_prefix="cpu")
    ground = await lay(entrance, cpu)
    watch = build_watch(ground)
    quiet_before = await _restored_at(database)
    calls = build_call_services(ground, watch, quiet_before=quiet_before, proven=build_proven(entrance))
    webinars = _webinar_services(ground, watch, quiet_before=quiet_before)
    tasks = build_tasks(ground, posted=watch.alerts.posted, come=ground.signals.come)
    leads = build_lead_services(settings, database, ground.chat, clock, texts=ground.texts, posted=watch.alerts.posted)
    news = _news_services(ground, watch, quiet_before)
    crm = build_crm(database, ground.connected.get("amocrm"), watch.board, clock, news)
    directory = build_directory(database, ground.connected, come=ground.signals.come)
    exports = build_exports(settings, database, leads)
    runs = {**webinar_runs(webinars), **crm_runs(crm), **lead_runs(database, news), **ad_runs(database, leads)}
    runs |= note_runs(database, ground.connected, watch.board, texts=ground.texts, timezone=settings.timezone)
    digests = _digest_services(ground, watch, quiet_before)
    runs |= {**digest_runs(digests), **task_runs(tasks), **export_runs(exports), **directory_runs(directory, clock)}
    runs |= {**call_runs(calls), **table_runs(leads)}
    routes = _routes(with_trials(runs, keys, database, news, crm.services if crm else None))
    runner = Runner(database, ground.work, routes, clock, watch.alerts, unseal=partial(unseal, entrance.vault))
    ground.signals.due = runner.wake
    return Services(
        settings=settings,
        keys=keys,
        clock=clock,
        texts=ground.texts,
        database=database,
        vault=entrance.vault,
        inbox=entrance.inbox,
        hooks=entrance.hooks,
        work=ground.work,
        chat=ground.chat,
        board=watch.board,
        alerts=watch.alerts,
        purse=watch.purse,
        runner=runner,
        connected=ground.connected,
        polls=build_polls(database, ground.work, clock, ground.connected, board=watch.board, vault=entrance.vault),
        calls=calls,
        webinars=webinars,
        notes=build_note_desk(database, ground.connected, ground.signals.come),
        crm=crm,
        directory=directory,
        leads=leads,
        digests=digests,
        tasks=tasks,
        exports=exports,
        doctor=Doctor(settings, database, ground.workshop.run_cpu, clock),
        hook_watch=_hook_watch(ground, watch, keys),
        signals=ground.signals,
        cpu=cpu,
        started_at=clock.now(),
    )


def _hook_watch(ground: Ground, watch: Watch, keys: Keys) -> HookWatch:
    return HookWatch(
        settings=ground.settings,
        keys=keys,
        database=ground.database,
        connected=ground.connected,
        alerts=watch.alerts,
        texts=ground.texts,
        clock=ground.clock,
    )


async def _restored_at(database: Database) -> datetime | None:
    """When this database was brought back from a copy, None if it never was."""
    async with database.read() as connection:
        since: datetime | None = await connection.scalar(select(notices.c.since).where(notices.c.key == RESTORED))
    return since


def _news_services(ground: Ground, watch: Watch, quiet_before: datetime | None) -> NewsServices:
    return build_news(
        ground.settings, ground.database, ground.chat, ground.clock, texts=ground.texts, quiet_before=quiet_before,
        posted=watch.alerts.posted, offered=ground.signals.come,
    )  # fmt: skip


def _digest_services(ground: Ground, watch: Watch, quiet_before: datetime | None) -> DigestServices:
    return build_digest_services(
        ground.settings, ground.database, ground.chat, ground.clock, texts=ground.texts, quiet_before=quiet_before,
        run_cpu=ground.workshop.run_cpu, posted=watch.alerts.posted,
    )  # fmt: skip


def _webinar_services(ground: Ground, watch: Watch, *, quiet_before: datetime | None) -> WebinarServices | None:
    """The ports of webinars, under the eyes of the health board; None when no webinar platform is connected."""
    part = next((c for c in ground.connected.values() if c.ports.webinars is not None), None)
    if part is None or part.ports.webinars is None:
        return None
    name = part.vendor.name
    watch.board.add(name, part.vendor.title)
    return build_webinar_services(
        observed(part.ports.webinars, name, name, watch.board),
        ground.settings,
        ground.database,
        chat=ground.chat,
        clock=ground.clock,
        texts=ground.texts,
        run_cpu=ground.workshop.run_cpu,
        quiet_before=quiet_before,
        posted=watch.alerts.posted,
        digests=webinar_digests(ground.database, ground.clock),
        begun=ground.signals.come,
        funnels={
            name: funnel
            for name, crm in ground.connected.items()
            if (funnel := build_funnel(ground.database, crm, watch.board, ACCOUNT)) is not None
        },
    )


def _routes(runs: dict[str, Run]) -> dict[str, Route]:
    return {kind: Route(kind=kind, event=event, run=runs[kind]) for kind, event in ROUTES.items()}
