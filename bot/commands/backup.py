"""`svodka backup`: everything that must not be lost, in one file, while the process runs."""

import argparse
import asyncio
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from bot.backup import DATABASE, Manifest, RecordingFile, copy_keys, copy_sqlite, pack, workroom
from bot.commands.console import complain, say
from bot.commands.ground import database_file, load_settings, open_database, state_of
from bot.commands.tables import dump_tables
from bot.settings import Settings
from bot.version import VERSION
from domain.errors import ConfigError
from domain.plural import counted
from storage.engine import Database
from storage.migrate import Schema
from storage.models import calls

MEGABYTE = 1024 * 1024


def execute(arguments: argparse.Namespace, _rest: Sequence[str]) -> int:
    """Make the file and say what is in it; 1 when it exists already or the disk is too full."""
    settings = load_settings()
    into = _target(settings, arguments.file)
    if into.exists():
        complain(f"{into} уже есть: укажите другое имя")
        return 1
    manifest = asyncio.run(_backup(settings, into, with_keys=not arguments.without_keys))
    _tell(settings, into, manifest, asked_for_keys=not arguments.without_keys)
    return 0


def default_file(settings: Settings, prefix: str = "svodka") -> Path:
    """DATA_DIR/backups/svodka-20261121-073000.tar.gz, local time of the default account."""
    moment = datetime.now(settings.timezone).strftime("%Y%m%d-%H%M%S")
    folder = settings.data_dir / "backups"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"{prefix}-{moment}.tar.gz"


async def make_backup(settings: Settings, database: Database, into: Path, *, with_keys: bool) -> Manifest:
    """A consistent copy of what is committed now; ConfigError when there is no room for it."""
    state, revision = await state_of(database)
    if state is Schema.EMPTY:
        raise ConfigError("DB_URL", "база пуста: сохранять пока нечего")
    recordings = await _recordings(database)
    return await asyncio.to_thread(_pack, settings, database, into, revision, recordings, with_keys=with_keys)


def _pack(
    settings: Settings,
    database: Database,
    into: Path,
    revision: str,
    recordings: tuple[RecordingFile, ...],
    *,
    with_keys: bool,
) -> Manifest:
    file = database_file(settings)
    _check_room(file, into.parent)
    with workroom(into.parent) as folder:
        if file is not None:
            copy_sqlite(file, folder / DATABASE)
        else:
            dump_tables(database.url, folder)
        if with_keys:
            copy_keys(settings.data_dir, folder)
        return pack(
            folder,
            into,
            version=VERSION,
            revision=revision,
            dialect="sqlite" if database.is_sqlite else "postgresql",
            made_at=datetime.now(UTC),
            recordings=recordings,
        )


async def _backup(settings: Settings, into: Path, *, with_keys: bool) -> Manifest:
    async with open_database(settings) as database:
        return await make_backup(settings, database, into, with_keys=with_keys)


def _target(settings: Settings, given: str | None) -> Path:
    if given is None:
        return default_file(settings)
    path = Path(given)
    if path.is_dir():
        return path / default_file(settings).name
    if not path.parent.is_dir():
        raise ConfigError("ФАЙЛ", f"папки {path.parent} нет")
    return path


def _check_room(file: Path | None, folder: Path) -> None:
    """The copy and the archive lie on the disk together for a while."""
    size = 0 if file is None else file.stat().st_size
    free = shutil.disk_usage(folder).free
    if free < 2 * size + 50 * MEGABYTE:
        raise ConfigError("ФАЙЛ", f"на диске с {folder} свободно {free // MEGABYTE} МБ: для копии этого мало")


async def _recordings(database: Database) -> tuple[RecordingFile, ...]:
    columns = (calls.c.recording_path, calls.c.recording_sha256, calls.c.recording_size)
    statement = select(*columns).where(calls.c.recording_path != "").order_by(calls.c.id)
    try:
        async with database.read() as connection:
            rows = (await connection.execute(statement)).all()
    except SQLAlchemyError:  # an older schema, which names them otherwise: the list is a convenience, the copy is whole
        return ()
    return tuple(
        RecordingFile(path=row.recording_path, sha256=row.recording_sha256, size=row.recording_size) for row in rows
    )


def _tell(settings: Settings, into: Path, manifest: Manifest, *, asked_for_keys: bool) -> None:
    say(f"Резервная копия: {into} ({_size(into.stat().st_size)})")
    if manifest.with_keys:
        say("В копии ключи: по ним читаются токены и запросы из базы. Храните файл как пароль.")
    elif asked_for_keys:
        say("Ключи заданы в .env и в копию не вошли: сохраните .env отдельно.")
    else:
        say("Ключей в копии нет: сохраните папку keys отдельно, без неё база не откроется.")
    if manifest.recordings:
        number = counted(len(manifest.recordings), "запись", "записи", "записей")
        say(f"Записи разговоров в копию не входят ({number}): скопируйте папку {settings.data_dir / 'recordings'}.")


def _size(number: int) -> str:
    return f"{number / MEGABYTE:.1f} МБ".replace(".", ",") if number >= MEGABYTE else f"{max(1, number // 1024)} КБ"
