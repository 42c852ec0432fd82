"""The shape of a vendor: what one folder of integrations/ offers to the rest, any part of it optional."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from domain.crm import StageMap
from domain.ports import (
    CallJournal,
    Clock,
    CrmPlatform,
    Directory,
    Funnel,
    HookBook,
    RecordingSource,
    Summariser,
    Timeline,
    TokenStore,
    Transcriber,
    WebinarPlatform,
)
from domain.tasks import TaskBoard
from domain.webhooks import Receiver

S = TypeVar("S")

Env = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A setting as .env.example shows it. ``meaning`` is Russian; ``aliases`` are other names it is read under."""

    name: str
    meaning: str
    default: str = ""
    aliases: tuple[str, ...] = ()
    secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """An address to paste into the vendor. ``path`` may hold ``{secret}``; ``event`` is the vendor's name for it."""

    event: str
    path: str


def _ours(_: object) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake(Generic[S]):
    """How a vendor's deliveries are met, where it is not as everybody's.

    ``answer``: plain text in the place of our JSON. ``per_minute``: of one network address, 0 as many as come. ``keyed``: it
    may also come to an address without a secret, for its receiver proves it by another key. ``secrets``: those of its
    address, newest first, where its settings name them; () is the one we derive. ``max_body``: bytes of its largest
    delivery, 0 for what the server takes from everybody.
    """

    answer: str = ""
    per_minute: int = 0
    keyed: bool = False
    secrets: Callable[[S], tuple[str, ...]] = _ours
    max_body: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of `svodka check`. ``hint`` (Russian) says whose it is and what to press; empty when ``ok``.

    ``code`` is stable and unique per kind of fault. ``warning``: works, but somebody should know. ``subscribe``: the vendor
    whose hook Svodka can set itself, when somebody says so.
    """

    code: str
    title: str
    ok: bool
    detail: str = ""
    hint: str = ""
    warning: bool = False
    subscribe: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What a vendor is built with. ``data_dir`` for temporary files, ``run_cpu`` runs blocking work off the event loop.

    ``hook_urls``: the addresses to paste into this vendor, for its diagnosis; () where nobody outside could reach them.
    ``tokens``: where its tokens of OAuth are kept. ``inside``: the running process asks, so nothing large is loaded twice.
    """

    clock: Clock
    data_dir: Path
    run_cpu: Callable[[Callable[[], object]], Awaitable[object]]
    hook_urls: tuple[str, ...] = ()
    tokens: TokenStore | None = None
    inside: bool = False


async def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports one configured vendor serves; None for the others. ``upkeep`` is called every hour.

    ``notes`` is the CRM again, where its people want notes of ours on their leads.
    """

    recordings: RecordingSource | None = None
    journal: CallJournal | None = None
    timeline: Timeline | None = None
    transcriber: Transcriber | None = None
    summariser: Summariser | None = None
    webinars: WebinarPlatform | None = None
    funnel: Funnel | None = None
    crm: CrmPlatform | None = None
    hooks: HookBook | None = None
    directory: Directory | None = None
    tasks: TaskBoard | None = None
    notes: CrmPlatform | None = None
    upkeep: Callable[[], Awaitable[None]] = _nothing
    close: Callable[[], Awaitable[None]] = _nothing


def _no_stages(_settings: object) -> StageMap:
    return StageMap()


def _no_consent(_settings: object, _state: str) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor(Generic[S]):
    """One vendor. ``read_settings`` gives None when nothing is set and raises ConfigError when half is missing.

    ``consent_url``: where a person allows us in, made with a state that the answer brings back; "" where nobody has to.
    ``stage_map``: what a CRM's stages mean by its settings.
    """

    name: str
    title: str
    variables: tuple[Variable, ...]
    read_settings: Callable[[Env], S | None]
    build_ports: Callable[[S, Workshop], Ports] | None = None
    build_receiver: Callable[[S], Receiver] | None = None
    diagnose: Callable[[S, Workshop], AsyncIterator[Finding]] | None = None
    hooks: tuple[Hook, ...] = ()
    intake: Intake[S] = field(default_factory=Intake)
    consent_url: Callable[[S, str], str] = _no_consent
    stage_map: Callable[[S], StageMap] = _no_stages
