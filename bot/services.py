"""The composition root: settings in, the parts of the process out, joined in plain Python."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select

from bot.alerts import Alerts
from bot.board import build_promises, build_tasks, task_runs
from bot.clock import SystemClock
from bot.crm import Crm, Run, build_crm, build_funnel, crm_runs
from bot.digests import build_digest_services, digest_runs, webinar_digests
from bot.directory import build_directory, directory_runs
from bot.disk import Disk
from bot.doctor import Doctor
from bot.entrance import ACCOUNT, Entrance, build_entrance, connection_row
from bot.exports import build_exports, export_runs
from bot.health import HealthBoard, observed
from bot.hook_watch import HookWatch
from bot.hooks import Hooks
from bot.keys import Keys
from bot.models import spare_transcriber_of, summariser_of, transcriber_of
from bot.notes import build_note_desk, note_runs
from bot.polling import Poll, build_polls
from bot.proof import Proven, build_proven
from bot.purse import LimitPurse
from bot.settings import Settings
from bot.stage import on_stage
from bot.tables import ad_runs, build_lead_services, build_news, lead_runs
from bot.trial_runs import with_trials
from bot.webinars import build_webinar_services, webinar_runs
from bot.work import Route, Runner
from domain.messages import Texts
from domain.ports import Clock, Steps, Timeline
from domain.work import WorkItem
from handlers.calls.pipeline import summarise_call
from handlers.calls.services import CallPolicy, CallServices
from handlers.crm.noting import NoteDesk
from handlers.digests.services import DigestServices
from handlers.directory.desk import DirectoryDesk
from handlers.exports.services import ExportServices
from handlers.leads.pipeline import load_table
from handlers.leads.services import LeadServices, NewsServices
from handlers.routes import ROUTES
from handlers.tasks.services import TaskServices
from handlers.texts import load_texts
from handlers.webinars.services import WebinarServices
from integrations.extractive import build_summariser
from integrations.kit.audio import build_gate
from integrations.kit.vendor import Ports, Vendor, Workshop
from storage.calls import CallStore
from storage.engine import Database
from storage.inbox import Inbox
from storage.models import notices
from storage.models.core import RESTORED
from storage.posts import StoredChat
from storage.queries.settings import min_duration_s
from storage.sealed import unseal
from storage.tokens import StoredTokens
from storage.vault import Vault
from storage.work import WorkStore

CPU_THREADS = 2


@dataclass(slots=True, kw_only=True)
class Signals:
    """Wires that are joined late: who is woken by what. Until then a call does nothing."""

    stored: Callable[[], None] = lambda: None
    posted: Callable[[], None] = lambda: None
    due: Callable[[], None] = lambda: None

    def come(self) -> None:
        """There is work: for those who are joined before the runner is."""
        self.due()


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A vendor that is configured: its settings, its ports, its row in vendor_connections (0: it never speaks first)."""

    vendor: Vendor[Any]
    settings: Any = field(repr=False)
    ports: Ports
    connection_id: int


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What everything else is built upon."""

    settings: Settings
    database: Database
    clock: Clock
    texts: Texts
    work: WorkStore
    chat: StoredChat
    workshop: Workshop
    connected: dict[str, Connected]
    signals: Signals = field(default_factory=Signals)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watch:
    """What looks on, and speaks when it must."""

    alerts: Alerts
    board: HealthBoard
    purse: LimitPurse


async def build_services(settings: Settings, keys: Keys, database: Database, clock: Clock | None = None) -> Services:
    """Everything but HTTP and Telegram. The database is open and its schema is ours."""
    return await furnish(await build_entrance(settings, keys, database, clock or SystemClock()))


async def furnish(entrance: Entrance) -> Services:
    """All that stands behind the entrance: ports, pipelines, the runner. Nothing runs yet."""
    settings, keys, database, clock = entrance.settings, entrance.keys, entrance.database, entrance.clock
    cpu = ThreadPoolExecutor(CPU_THREADS, thread_name_prefix="cpu")
    ground = await _lay(entrance, cpu)
    watch = _build_watch(ground)
    quiet_before = await _restored_at(database)
    calls = _call_services(ground, watch, quiet_before=quiet_before, proven=build_proven(entrance))
    webinars = _webinar_services(ground, watch, quiet_before=quiet_before)
    tasks = build_tasks(ground, posted=watch.alerts.posted, come=ground.signals.come)
    leads = build_lead_services(settings, database, ground.chat, clock, texts=ground.texts, posted=watch.alerts.posted)
    news = _news_services(ground, watch, quiet_before)
    crm = build_crm(database, ground.connected.get("amocrm"), watch.board, clock, news)
    directory = build_directory(database, ground.connected)
    exports = build_exports(settings, database, leads)
    runs = {**webinar_runs(webinars), **crm_runs(crm), **lead_runs(database, news), **ad_runs(database, leads)}
    runs |= note_runs(database, ground.connected, watch.board, texts=ground.texts, timezone=settings.timezone)
    digests = _digest_services(ground, watch, quiet_before)
    runs |= {**digest_runs(digests), **task_runs(tasks), **export_runs(exports), **directory_runs(directory, clock)}
    routes = _routes(calls, leads, with_trials(runs, keys, database, news, crm.services if crm else None))
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


async def _lay(entrance: Entrance, cpu: ThreadPoolExecutor) -> _Ground:
    workshop = Workshop(clock=entrance.clock, data_dir=entrance.settings.data_dir, run_cpu=_on(cpu))
    return _Ground(
        settings=entrance.settings, database=entrance.database, clock=entrance.clock, texts=load_texts(),
        work=WorkStore(entrance.database), chat=StoredChat(entrance.clock), workshop=workshop,
        connected=await _connect(entrance, workshop),
    )  # fmt: skip


def _build_watch(ground: _Ground) -> _Watch:
    settings, clock, signals = ground.settings, ground.clock, ground.signals

    def posted() -> None:
        signals.posted()

    async def hasten(vendor: str) -> None:
        if await ground.work.hasten(f"vendor:{vendor}", clock.now()):
            signals.due()

    alerts = Alerts(
        ground.database,
        ground.chat,
        clock,
        texts=ground.texts,
        timezone=settings.timezone,
        account_id=ACCOUNT,
        posted=posted,
    )
    purse = LimitPurse(
        ground.database,
        clock,
        settings.timezone,
        ACCOUNT,
        day=settings.cost_limit_day,
        month=settings.cost_limit_month,
        reached=alerts.limit,
    )
    return _Watch(alerts=alerts, board=HealthBoard(clock, alerts.part, hasten), purse=purse)


def _hook_watch(ground: _Ground, watch: _Watch, keys: Keys) -> HookWatch:
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


def _on(cpu: ThreadPoolExecutor) -> Callable[[Callable[[], object]], Any]:
    async def run(fn: Callable[[], object]) -> object:
        return await asyncio.get_running_loop().run_in_executor(cpu, fn)

    return run


async def _connect(entrance: Entrance, workshop: Workshop) -> dict[str, Connected]:
    """The ports of every configured vendor; one that is only asked gets its row here, for the cursor."""
    connected: dict[str, Connected] = {}
    for name, part in entrance.configured.items():
        row = part.connection_id
        own = replace(workshop, tokens=StoredTokens(entrance.database, entrance.vault, row) if row else None)
        ports = part.vendor.build_ports(part.settings, own) if part.vendor.build_ports else Ports()
        if not row and (ports.journal is not None or ports.webinars is not None):
            row = await connection_row(entrance.database, name, entrance.keys, entrance.settings, entrance.clock.now())
        connected[name] = Connected(vendor=part.vendor, settings=part.settings, ports=ports, connection_id=row)
    return connected


def _call_services(ground: _Ground, watch: _Watch, *, quiet_before: datetime | None, proven: Proven) -> CallServices | None:
    """The ports of calls, each under the eyes of the health board; None when no telephony is connected."""
    settings, database, connected, board = ground.settings, ground.database, ground.connected, watch.board
    telephony = next((c for c in connected.values() if c.ports.recordings is not None), None)
    if telephony is None or telephony.ports.recordings is None:
        return None
    name, title = telephony.vendor.name, telephony.vendor.title
    board.add(name, title)

    async def min_duration() -> int:
        default = settings.call_min_duration_s
        return await min_duration_s(database, ACCOUNT, default, fixed=settings.min_duration_fixed)

    timeline: Timeline | None = telephony.ports.timeline
    return CallServices(
        recordings=observed(telephony.ports.recordings, name, name, board),
        timeline=observed(timeline, name, name, board) if timeline else None,
        gate=build_gate(ground.workshop),
        transcriber=transcriber_of(connected, board),
        spare=spare_transcriber_of(connected),
        summariser=summariser_of(connected, board),
        draft=build_summariser(),
        calls=CallStore(database),
        chat=ground.chat,
        purse=watch.purse,
        clock=ground.clock,
        texts=ground.texts,
        timezone=settings.timezone,
        data_dir=settings.data_dir,
        policy=CallPolicy(
            min_duration_s=min_duration,
            catchup_max_age=settings.catchup_max_age,
            quiet_before=quiet_before,
            first_message_after=settings.first_message_after,
            recording_max_bytes=settings.recording_max_bytes,
            company=settings.company_name,
        ),
        has_room=Disk(settings.data_dir, watch.alerts.disk_full).has_room,
        proven=proven,
        posted=watch.alerts.posted,
        notes=build_note_desk(database, connected, ground.signals.come),
        promises=build_promises(ground),
    )


def _news_services(ground: _Ground, watch: _Watch, quiet_before: datetime | None) -> NewsServices:
    return build_news(
        ground.settings, ground.database, ground.chat, ground.clock, texts=ground.texts, quiet_before=quiet_before,
        posted=watch.alerts.posted, offered=ground.signals.come,
    )  # fmt: skip


def _digest_services(ground: _Ground, watch: _Watch, quiet_before: datetime | None) -> DigestServices:
    return build_digest_services(
        ground.settings, ground.database, ground.chat, ground.clock, texts=ground.texts, quiet_before=quiet_before,
        run_cpu=ground.workshop.run_cpu, posted=watch.alerts.posted,
    )  # fmt: skip


def _webinar_services(ground: _Ground, watch: _Watch, *, quiet_before: datetime | None) -> WebinarServices | None:
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


def _routes(calls: CallServices | None, leads: LeadServices, others: dict[str, Run]) -> dict[str, Route]:
    """``others``: what is run for kinds of work that are joined elsewhere."""

    async def call(item: WorkItem[Any], steps: Steps) -> None:
        if calls is None:
            raise RuntimeError("no telephony is configured")
        await summarise_call(item, steps, on_stage(calls) if item.event.rehearsal else calls)

    async def table(item: WorkItem[Any], steps: Steps) -> None:
        await load_table(item, steps, leads)

    runs = {"call": call, "table": table, **others}
    return {kind: Route(kind=kind, event=event, run=runs[kind]) for kind, event in ROUTES.items()}
