"""All the checks in their order: sections by name, so that one can be asked for alone."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from bot.checks.crm import crm_findings
from bot.checks.home import database_finding, folder_findings, key_findings, name_findings
from bot.checks.process import Heard, listen_in, process_findings, silent_finding
from bot.checks.public import public_finding
from bot.checks.state import connection_finding, event_finding, knocking_findings, state_findings
from bot.checks.telegram import telegram_findings
from bot.checks.webinars import webinar_findings
from bot.clock import SystemClock
from bot.commands.ground import existing_keys, has_keys, somebody_leads
from bot.commands.urls import addresses
from bot.entrance import ACCOUNT
from bot.settings import Settings
from bot.vendors import VENDORS
from domain.errors import ConfigError
from integrations.kit.vendor import Finding, Vendor, Workshop
from storage.engine import Database
from storage.models import connections
from storage.tokens import StoredTokens
from storage.vault import Vault

log = logging.getLogger(__name__)

Findings = AsyncIterator[Finding]
RunCpu = Callable[[Callable[[], object]], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the examination. ``name`` is what `svodka check NAME` takes."""

    name: str
    title: str
    look: Callable[[], Findings]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What was learnt first and is needed by several sections. ``database`` is None when it cannot be asked.

    ``inside``: the running process examines itself.
    """

    settings: Settings
    heard: Heard
    database_finding: Finding
    database: Database | None
    locked: bool
    inside: bool = False
    run_cpu: RunCpu = asyncio.to_thread


@asynccontextmanager
async def stand_on(settings: Settings) -> AsyncIterator[Ground]:
    """The ground, with the database open as long as it is stood on."""
    heard = await listen_in(settings)
    finding, usable = await database_finding(settings)
    database = Database(settings.db_url)
    database.open()
    try:
        # on PostgreSQL another node may lead, and rightly
        locked = heard.who == "nobody" and usable and database.is_sqlite and await somebody_leads(settings, database)
        yield Ground(
            settings=settings,
            heard=heard,
            database_finding=finding,
            database=database if usable else None,
            locked=locked,
        )
    finally:
        await database.close()


async def stand_inside(settings: Settings, database: Database, run_cpu: RunCpu) -> Ground:
    """The ground of the running process: its own open database. Its leader's lock is not tried, for it has it."""
    heard = await listen_in(settings)
    finding, usable = await database_finding(settings, database)
    return Ground(
        settings=settings,
        heard=heard,
        database_finding=finding,
        database=database if usable else None,
        locked=False,
        inside=True,
        run_cpu=run_cpu,
    )


def build_sections(ground: Ground) -> tuple[Section, ...]:
    """Home first, then Telegram and the way in, then each vendor, then what the data tell."""
    settings = ground.settings
    return (
        Section(name="settings", title="Настройки", look=lambda: _listed(name_findings(settings))),
        Section(name="data", title="Данные", look=lambda: _data(ground)),
        Section(name="process", title="Процесс", look=lambda: _listed(_process(ground))),
        Section(name="telegram", title="Telegram", look=lambda: telegram_findings(settings)),
        Section(name="public", title="Приём событий", look=lambda: _public(ground)),
        *(_vendor_section(ground, vendor) for vendor in VENDORS),
        Section(name="state", title="Что происходит", look=lambda: _state(ground)),
    )


async def _listed(findings: Iterable[Finding]) -> Findings:
    for finding in findings:
        yield finding


async def _data(ground: Ground) -> Findings:
    for finding in folder_findings(ground.settings):
        yield finding
    yield ground.database_finding
    for finding in await key_findings(ground.settings, ground.database):
        yield finding


def _process(ground: Ground) -> Iterable[Finding]:
    if ground.inside and ground.heard.who == "nobody":
        return [silent_finding(ground.settings)]
    return process_findings(ground.heard, ground.settings, locked=ground.locked)


async def _public(ground: Ground) -> Findings:
    yield await public_finding(ground.settings, running=ground.inside or ground.heard.who == "ours")
    if ground.database is not None:
        async for finding in knocking_findings(ground.database):
            yield finding


async def _state(ground: Ground) -> Findings:
    if ground.database is not None:
        async for finding in state_findings(ground.database):
            yield finding


def _vendor_section(ground: Ground, vendor: Vendor[Any]) -> Section:
    settings = ground.settings

    async def look() -> Findings:
        try:
            own = vendor.read_settings(settings.env)
        except ConfigError as error:
            code = f"{vendor.name}.settings"
            yield Finding(code=code, title=f"{vendor.title}: настройки", ok=False, hint=f"{error}.")
            return
        if own is None:
            yield Finding(code=f"{vendor.name}.off", title=vendor.title, ok=True, detail="не подключён")
        elif vendor.diagnose is None:
            yield Finding(code=vendor.name, title=vendor.title, ok=True, detail="настроен")
        else:
            async for finding in vendor.diagnose(own, await workshop_of(ground, vendor)):
                yield finding
            async for finding in _what_came(ground, vendor):
                yield finding

    return Section(name=vendor.name, title=vendor.title, look=look)


async def _what_came(ground: Ground, vendor: Vendor[Any]) -> Findings:
    """Whether its events reach us, and what became of them."""
    if ground.database is None or vendor.build_receiver is None:
        return
    yield await connection_finding(ground.database, vendor)
    yield await event_finding(ground.settings, ground.database, vendor)
    async for finding in webinar_findings(ground.settings, ground.database, vendor.name):
        yield finding
    async for finding in crm_findings(ground.database, vendor.name, vendor.title):
        yield finding


async def _tokens(ground: Ground, vendor: Vendor[Any]) -> StoredTokens | None:
    """Where the tokens of OAuth are; None before the first start, which makes the database and the keys."""
    if ground.database is None or not has_keys(ground.settings):
        return None
    mine = select(connections.c.id).where(connections.c.account_id == ACCOUNT, connections.c.vendor == vendor.name)
    async with ground.database.read() as connection:
        row = await connection.scalar(mine)
    keys = await existing_keys(ground.settings)
    return StoredTokens(ground.database, Vault(keys.secret_keys), row) if row is not None else None


async def examine(section: Section, within: float | None = None) -> list[Finding]:
    """The findings of a section; a defect of ours in it is a finding too and stops no other section.

    What was found ``within`` so many seconds is told, and that the rest was not waited for.
    """
    findings: list[Finding] = []
    bound = asyncio.timeout(within)
    try:
        async with bound:
            async for finding in section.look():
                findings.append(finding)  # noqa: PERF401 - what was found before a defect is kept
    except Exception as error:
        log.debug("section %s", section.name, exc_info=error)
        findings.append(_slow(section, within) if bound.expired() else _defect(section, error))
    return findings


def _slow(section: Section, within: float | None) -> Finding:
    hint = "Показано то, что успели узнать. Повторите проверку; если снова долго, проверьте сеть сервера Сводки и прокси."
    detail = f"проверка не кончилась за {within or 0:g} с"
    return Finding(code=f"{section.name}.slow", title=section.title, ok=False, detail=detail, hint=hint)


def _defect(section: Section, error: Exception) -> Finding:
    hint = "Это ошибка в Сводке: передайте разработчикам эту строку и номер версии."
    return Finding(code=f"{section.name}.defect", title=section.title, ok=False, detail=type(error).__name__, hint=hint)


async def _hook_urls(settings: Settings, vendor: Vendor[Any]) -> tuple[str, ...]:
    """What should stand in the vendor's settings: nothing while nobody outside can reach us, or the keys are lost."""
    if not settings.public_url or not has_keys(settings):
        return ()
    listed = addresses(settings, await existing_keys(settings))
    return tuple(entry["url"] for entry in listed.get(vendor.name, ()))


async def workshop_of(ground: Ground, vendor: Vendor[Any]) -> Workshop:
    """What a vendor is examined with, and whatever else is asked of it by a command."""
    return Workshop(
        clock=SystemClock(),
        data_dir=ground.settings.data_dir,
        run_cpu=ground.run_cpu,
        inside=ground.inside,
        hook_urls=await _hook_urls(ground.settings, vendor),
        tokens=await _tokens(ground, vendor),
    )
