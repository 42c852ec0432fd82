"""The desk: what handlers answer from, filled with the parts of this process."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.commands.urls import base_url
from bot.disk import RESERVE_BYTES, free_bytes
from bot.exports import build_export_desk
from bot.health import PartState as Seen
from bot.http.ingress import seed_of
from bot.services import Services
from bot.vendors import VENDORS
from bot.version import VERSION
from bot.webinars import Registrar
from domain.events import Event
from domain.messages import Message
from handlers.desk import Desk, MoneyLimits, PartHealth, PartState, Rendered
from handlers.webinars.desk import WebinarDesk
from storage.destinations import Destinations
from storage.people import People


class TelegramReport(Protocol):
    """What is needed of bot.telegram's own health, without its types."""

    @property
    def token_refused(self) -> bool: ...
    @property
    def outage_since(self) -> datetime | None: ...
    @property
    def conflict(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """What the messenger brings to the desk."""

    render: Callable[[Message], Rendered]
    people: People
    destinations: Destinations
    health: Callable[[], TelegramReport]


def build_desk(services: Services, voice: Voice, *, wake: Callable[[], None]) -> Desk:
    settings = services.settings
    fixed = {name: settings.env[name] for name in ("CALL_MIN_DURATION_SEC",) if name in settings.env}
    return Desk(
        database=services.database,
        clock=services.clock,
        texts=services.texts,
        data_dir=settings.data_dir,
        timezone=lambda _: settings.timezone,
        posts=services.chat,
        people=voice.people,
        destinations=voice.destinations,
        render=voice.render,
        gather=services.digests.gather,
        replay=_replay(services),
        health=_health(services, voice),
        version=VERSION,
        started_at=services.started_at,
        submit=_submit(services),
        doctor=services.doctor,
        subscribe=services.hook_watch.subscribe,
        has_room=_has_room(services),
        default_min_duration_s=settings.call_min_duration_s,
        limits=MoneyLimits(day=settings.cost_limit_day, month=settings.cost_limit_month),
        fixed=fixed,
        wake=wake,
        api_address=base_url(settings),
        webinars=_webinars(services),
        notes=services.notes,
        stages=services.crm.stages if services.crm is not None else None,
        tasks=services.tasks,
        exports=build_export_desk(services.exports),
        directory=services.directory,
        vendors={vendor.name: vendor.title for vendor in VENDORS},
    )


def _webinars(services: Services) -> WebinarDesk | None:
    """None where no webinar platform is connected."""
    webinars = services.webinars
    part = next((c for c in services.connected.values() if c.ports.webinars is not None), None)
    if webinars is None or part is None:
        return None
    registrar = Registrar(services.database, services.work, services.vault, services.clock, services.runner.wake)
    return WebinarDesk(
        vendor=part.vendor.name,
        catalogue=webinars.catalogue,
        ask=registrar.ask,
        yardstick=webinars.policy.yardstick,
        entry_of=webinars.platform.entry_of,
        link_param=next(iter(getattr(part.settings, "url_params", ())), "svodka"),
        public_url=services.settings.public_url,
        report_limit=getattr(part.settings, "report_limit", 10),
    )


def _replay(services: Services) -> Callable[[int], Awaitable[int | None]]:
    async def replay(work_id: int) -> int | None:
        started = await services.work.replay(work_id, services.clock.now())
        services.runner.wake()
        return started

    return replay


def _submit(services: Services) -> Callable[[int, Event], Awaitable[bool]]:
    async def submit(account_id: int, event: Event) -> bool:
        seed = seed_of(event, services.vault)
        added = await services.work.add(
            account_id=account_id, kind=seed.kind, object_=seed.object, payload=seed.payload, source="chat",
            now=services.clock.now(),
        )  # fmt: skip
        services.runner.wake()
        return added

    return submit


def _has_room(services: Services) -> Callable[[], Awaitable[bool]]:
    async def has_room() -> bool:
        return free_bytes(services.settings.data_dir) >= RESERVE_BYTES

    return has_room


def _health(services: Services, voice: Voice) -> Callable[[], Awaitable[list[PartHealth]]]:
    async def health() -> list[PartHealth]:
        parts = [_part(part) for part in services.board.parts()]
        return [*parts, _telegram(voice.health()), await _database(services), _disk(services)]

    return health


def _part(part: Seen) -> PartHealth:
    return PartHealth(
        name=part.name, title=part.title, state=PartState(part.state), since=part.since, detail=part.detail, hint=part.hint
    )


def _telegram(report: TelegramReport) -> PartHealth:
    if report.token_refused:
        hint = "Telegram не принимает токен: замените TELEGRAM_BOT_TOKEN"
        return PartHealth(name="telegram", title="Telegram", state=PartState.REFUSED, hint=hint)
    if report.conflict:
        hint = "другая копия бота забирает сообщения: остановите её"
        return PartHealth(name="telegram", title="Telegram", state=PartState.REFUSED, hint=hint)
    state = PartState.DOWN if report.outage_since else PartState.OK
    return PartHealth(name="telegram", title="Telegram", state=state, since=report.outage_since)


async def _database(services: Services) -> PartHealth:
    try:
        await services.database.ping()
    except Exception as error:
        return PartHealth(name="database", title="База", state=PartState.DOWN, detail=type(error).__name__)
    return PartHealth(name="database", title="База", state=PartState.OK)


def _disk(services: Services) -> PartHealth:
    free_mb = free_bytes(services.settings.data_dir) // (1024 * 1024)
    if free_mb * 1024 * 1024 >= RESERVE_BYTES:
        return PartHealth(name="disk", title="Диск", state=PartState.OK)
    hint = f"свободно {free_mb} МБ: записи не скачиваются, освободите место"
    return PartHealth(name="disk", title="Диск", state=PartState.REFUSED, hint=hint)
