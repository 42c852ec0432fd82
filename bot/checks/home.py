"""What `svodka check` finds at home: names of settings, the data folder and its disk, the database, the keys."""

import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from bot.commands.ground import database_file, has_keys
from bot.keys import load_keys
from bot.settings import VARIABLES, Settings, misspelt
from bot.vendors import VENDORS
from integrations.kit.vendor import Finding
from storage.engine import Database
from storage.migrate import Schema, schema_state
from storage.models import inbox
from storage.vault import UnknownKeyError, Vault

LEAST_FREE_MB = 500
MEGABYTE = 1024 * 1024
_KEYS = "Ключи"
_RETURN_KEYS = "Верните папку keys (или SECRET_KEY и HOOK_SECRET в .env) из резервной копии: svodka restore ФАЙЛ."


def name_findings(settings: Settings) -> Iterator[Finding]:
    """One warning for each name that looks like a setting and is none."""
    variables = [*VARIABLES, *(variable for vendor in VENDORS for variable in vendor.variables)]
    known = [name for variable in variables for name in (variable.name, *variable.aliases)]
    strangers = misspelt(settings.env, known)
    if not strangers:
        yield Finding(code="settings", title="Имена настроек", ok=True)
    for name, meant in strangers:
        hint = f"Исправьте на {meant} или уберите строку." if meant else "Уберите строку: такой настройки нет."
        yield Finding(code="settings.unknown", title="Имена настроек", ok=False, warning=True, detail=name, hint=hint)


def folder_findings(settings: Settings) -> Iterator[Finding]:
    """The data folder can be written to, and its disk has room."""
    folder = settings.data_dir
    existing = _nearest(folder)
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        hint = f"Отдайте папку тому, от чьего имени работает Сводка: chown -R svodka {folder}."
        yield Finding(code="data.folder", title="Папка данных", ok=False, detail=f"{folder} не пишется", hint=hint)
        return
    detail = str(folder) if folder.exists() else f"{folder} появится при запуске"
    yield Finding(code="data.folder", title="Папка данных", ok=True, detail=detail)
    free = shutil.disk_usage(existing).free // MEGABYTE
    if free < LEAST_FREE_MB:
        hint = "Освободите место или перенесите DATA_DIR на другой диск: пока места мало, новые записи не скачиваются."
        yield Finding(code="data.disk", title="Место на диске", ok=False, detail=f"свободно {free} МБ", hint=hint)
    else:
        yield Finding(code="data.disk", title="Место на диске", ok=True, detail=f"свободно {free} МБ")


async def database_finding(settings: Settings, opened: Database | None = None) -> tuple[Finding, bool]:
    """How the database is, and whether it can be asked further.

    ``opened``: the one to ask, at work already: it is left open, and its file is not read through, which can take minutes.
    """
    title, file = "База", database_file(settings)
    if file is not None and not file.exists():
        return Finding(code="database", title=title, ok=True, detail="появится при запуске"), False
    database = opened or Database(settings.db_url)
    try:
        state, revision = await schema_state(database)
        damage = "" if file is None or opened is not None else _damage(file)
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        return _unreadable(file, error), False
    finally:
        if opened is None:
            await database.close()
    if damage:
        return _unreadable(file, sqlite3.DatabaseError(damage)), False
    return _schema(state, revision, "SQLite" if file is not None else "PostgreSQL"), state is Schema.CURRENT


def _schema(state: Schema, revision: str, kind: str) -> Finding:
    title = "База"
    if state is Schema.OLDER:
        hint = "Остановите Сводку и выполните svodka migrate: перед обновлением она сделает копию."
        return Finding(code="database.older", title=title, ok=False, detail=f"схема {revision}", hint=hint)
    if state is Schema.NEWER:
        hint = "База от более новой версии: обновите программу или восстановите копию, сделанную этой версией."
        return Finding(code="database.newer", title=title, ok=False, detail=f"схема {revision}", hint=hint)
    if state is Schema.EMPTY:
        return Finding(code="database", title=title, ok=True, detail="пуста, таблицы появятся при запуске")
    return Finding(code="database", title=title, ok=True, detail=f"{kind}, схема {revision}")


async def key_findings(settings: Settings, database: Database | None) -> list[Finding]:
    """The keys are there, ours alone to read, and open what is stored. ``database`` is None where there are no data."""
    if not has_keys(settings):
        if database is None:
            return [Finding(code="keys", title=_KEYS, ok=True, detail="появятся при запуске")]
        return [Finding(code="keys.missing", title=_KEYS, ok=False, detail="рядом с базой их нет", hint=_RETURN_KEYS)]
    findings = list(_readable_by_others(settings.data_dir / "keys"))
    if database is not None and not await _fits(settings, database):
        detail = "не подходят к тому, что лежит в базе"
        hint = f"{_RETURN_KEYS} Если SECRET_KEY меняли, допишите прежний через запятую после нового."
        findings.append(Finding(code="keys.wrong", title=_KEYS, ok=False, detail=detail, hint=hint))
    return findings or [Finding(code="keys", title=_KEYS, ok=True)]


def _nearest(folder: Path) -> Path:
    """The folder itself, or the closest one above it that exists."""
    path = folder.absolute()
    while not path.exists():
        path = path.parent
    return path


def _damage(file: Path) -> str:
    """What SQLite finds wrong with its file; empty when it is sound."""
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=rw", uri=True, timeout=5)) as connection:
        found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    return "" if found == "ok" else found


def _unreadable(file: Path | None, error: Exception) -> Finding:
    title = "База"
    if file is None:
        hint = "Проверьте, что PostgreSQL запущен, а имя, пароль и база в DB_URL верны."
        return Finding(code="database.unreachable", title=title, ok=False, detail=type(error).__name__, hint=hint)
    hint = f"Файл {file} повреждён или не читается. Остановите Сводку и выполните svodka restore с последней копией."
    return Finding(code="database.damaged", title=title, ok=False, detail=type(error).__name__, hint=hint)


def _readable_by_others(folder: Path) -> Iterator[Finding]:
    for path in sorted(folder.glob("*")):
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            hint = f"Закройте ключи от других: chmod 700 {folder}; chmod 600 {folder}/*."
            yield Finding(
                code="keys.open", title=_KEYS, ok=False, warning=True, detail=f"{path.name} видят другие", hint=hint
            )


async def _fits(settings: Settings, database: Database) -> bool:
    """The newest stored request can be decrypted; True when there is none."""
    newest = select(inbox.c.request).where(inbox.c.request.is_not(None)).order_by(inbox.c.received_at.desc()).limit(1)
    async with database.read() as connection:
        stored = await connection.scalar(newest)
    if stored is None:
        return True
    try:
        Vault(load_keys(settings).secret_keys).decrypt(bytes(stored))
    except UnknownKeyError:
        return False
    return True
