"""What all parts of the process stand on: settings, database, vendors' ports, and those who look on."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from bot.alerts import Alerts
from bot.entrance import ACCOUNT, Entrance, connection_row
from bot.health import HealthBoard
from bot.purse import LimitPurse
from bot.settings import Settings
from domain.messages import Texts
from domain.ports import Clock
from handlers.texts import load_texts
from integrations.kit.vendor import Ports, Vendor, Workshop
from storage.engine import Database
from storage.posts import StoredChat
from storage.tokens import StoredTokens
from storage.work import WorkStore


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
class Ground:
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
class Watch:
    """What looks on, and speaks when it must."""

    alerts: Alerts
    board: HealthBoard
    purse: LimitPurse


async def lay(entrance: Entrance, cpu: ThreadPoolExecutor) -> Ground:
    workshop = Workshop(clock=entrance.clock, data_dir=entrance.settings.data_dir, run_cpu=_on(cpu))
    return Ground(
        settings=entrance.settings, database=entrance.database, clock=entrance.clock, texts=load_texts(),
        work=WorkStore(entrance.database), chat=StoredChat(entrance.clock), workshop=workshop,
        connected=await _connect(entrance, workshop),
    )  # fmt: skip


def build_watch(ground: Ground) -> Watch:
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
    return Watch(alerts=alerts, board=HealthBoard(clock, alerts.part, hasten), purse=purse)


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
