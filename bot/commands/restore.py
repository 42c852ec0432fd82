"""`svodka restore`: the data of a backup in place of today's, which are kept aside, and nothing old told or paid again."""

import argparse
import asyncio
import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.backup import DATABASE, KEYS, BadBackupError, Manifest, sync_folder, unpack, workroom
from bot.commands.backup import default_file, make_backup
from bot.commands.console import complain, say
from bot.commands.gap import Gap, close_gaps
from bot.commands.ground import database_file, has_keys, leading, load_settings, open_current_database, state_of
from bot.commands.quieting import Quieted, quiet
from bot.commands.tables import check_tables, drop_tables, load_tables
from bot.commands.trust import check_schema
from bot.settings import Settings
from domain.errors import ConfigError
from domain.files import kept_file
from domain.plural import counted
from storage.engine import Database
from storage.migrate import Schema, known_revisions, migrate

MOST_LISTED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was done. ``aside``: where the data of before are; None when there were none."""

    quieted: Quieted
    gaps: tuple[Gap, ...]
    aside: Path | None
    missing_recordings: int = 0


def execute(arguments: argparse.Namespace, _rest: Sequence[str]) -> int:
    """Restore and tell; 1 when a process works with the data or the file is no good."""
    settings = load_settings()
    if bool(arguments.file) == arguments.already:
        raise ConfigError("ФАЙЛ", "укажите резервную копию или --already, если данные уже вернули иначе")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        restored = asyncio.run(_restore(settings, Path(arguments.file) if arguments.file else None))
    except BadBackupError as error:
        complain(str(error))
        return 1
    if restored is None:
        complain("Сводка работает с этими данными: остановите её (systemctl stop svodka) и повторите.")
        return 1
    _tell(settings, restored)
    return 0


async def _restore(settings: Settings, archive: Path | None) -> Restored | None:
    database = Database(settings.db_url)
    database.open()
    try:
        async with leading(settings, database) as leadership:
            if leadership is None:
                return None
            if archive is None:
                return await _mark(settings, made_at=None)
            if database.is_sqlite:
                return await _restore_sqlite(settings, archive)
            return await _restore_postgres(settings, database, archive)
    finally:
        await database.close()


async def _mark(settings: Settings, *, made_at: datetime | None, url: str = "") -> Restored:
    """Put the old aside in the database at ``url``, by default the configured one."""
    if not url:
        async with open_current_database(settings) as current:
            return await _quieted(settings, current, made_at)
    database = Database(url)
    database.open()
    try:
        return await _quieted(settings, database, made_at)
    finally:
        await database.close()


async def _quieted(settings: Settings, database: Database, made_at: datetime | None) -> Restored:
    now = datetime.now(UTC)
    quieted = await quiet(database, now, made_at=made_at)
    return Restored(quieted=quieted, gaps=await close_gaps(settings, database, now), aside=None)


async def _restore_sqlite(settings: Settings, archive: Path) -> Restored:
    """Everything is prepared beside the database; the last step is one rename."""
    file = database_file(settings)
    assert file is not None  # noqa: S101 - the caller looked
    file.parent.mkdir(parents=True, exist_ok=True)
    with workroom(file.parent) as folder:
        manifest = _opened(archive, folder, "sqlite")
        prepared = folder / DATABASE
        await check_schema(prepared, folder, manifest.revision)
        url = f"sqlite:///{prepared.as_posix()}"
        await migrate(url)
        restored = await _mark(settings, made_at=manifest.made_at, url=url)
        _single_file(prepared)
        aside = _aside(settings)
        _keep_database(file, aside)
        _place_keys(settings, folder / KEYS, aside)
        prepared.replace(file)
        sync_folder(file.parent)
    return _finished(settings, restored, manifest, aside)


async def _restore_postgres(settings: Settings, database: Database, archive: Path) -> Restored:
    """The data of before become a backup of their own; then the tables are emptied and filled."""
    with workroom(settings.data_dir) as folder:
        manifest = _opened(archive, folder, "postgresql")
        check_tables(folder)
        aside = _aside(settings)
        state, _ = await state_of(database)
        if state is not Schema.EMPTY:
            await make_backup(settings, database, aside / default_file(settings, "before-restore").name, with_keys=True)
        await asyncio.to_thread(drop_tables, database.url)
        await migrate(settings.db_url, manifest.revision)
        await asyncio.to_thread(load_tables, database.url, folder)
        await migrate(settings.db_url)
        restored = await _mark(settings, made_at=manifest.made_at)
        _place_keys(settings, folder / KEYS, aside)
    return _finished(settings, restored, manifest, aside)


def _opened(archive: Path, folder: Path, dialect: str) -> Manifest:
    """The archive's members in ``folder``, whole, of this kind of database and of a schema this program knows."""
    manifest = unpack(archive, folder)
    if manifest.revision not in known_revisions():
        raise BadBackupError(
            f"копия сделана более новой версией ({manifest.version}, схема {manifest.revision}): обновите программу"
        )
    if manifest.dialect != dialect:
        raise BadBackupError(f"копия сделана с {manifest.dialect}, а DB_URL указывает на {dialect}")
    return manifest


def _single_file(path: Path) -> None:
    """The database without its -wal beside it: it is moved as one file, and settled on disk."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _aside(settings: Settings) -> Path:
    """A new folder for what was there before."""
    moment = datetime.now(settings.timezone).strftime("%Y%m%d-%H%M%S.%f")
    folder = settings.data_dir / f"before-restore-{moment}"
    folder.mkdir(mode=0o700)
    return folder


def _keep_database(file: Path, aside: Path) -> None:
    """Today's database into ``aside``. A broken one, which cannot settle its -wal, is moved with all its parts."""
    if not file.exists():
        return
    try:
        _single_file(file)
        shutil.copy2(file, aside / file.name)
    except sqlite3.Error:
        for suffix in ("", "-wal", "-shm"):
            part = file.with_name(file.name + suffix)
            if part.exists():
                shutil.move(part, aside / part.name)


def _place_keys(settings: Settings, folder: Path, aside: Path) -> None:
    """The backup's keys in place of today's; without keys in the backup today's stay."""
    if not folder.is_dir():
        return
    target = settings.data_dir / "keys"
    if target.is_dir():
        shutil.copytree(target, aside / "keys")
    target.mkdir(mode=0o700, exist_ok=True)
    for path in sorted(folder.iterdir()):
        fresh = target / f".{path.name}.part"
        shutil.copyfile(path, fresh)
        fresh.chmod(0o600)
        fresh.replace(target / path.name)
    sync_folder(target)


def _finished(settings: Settings, restored: Restored, manifest: Manifest, aside: Path) -> Restored:
    paths = [kept_file(settings.data_dir, recording.path) for recording in manifest.recordings]
    missing = sum(path is None or not path.exists() for path in paths)
    empty = not any(aside.iterdir())
    if empty:
        aside.rmdir()
    return Restored(quieted=restored.quieted, gaps=restored.gaps, aside=None if empty else aside, missing_recordings=missing)


def _tell(settings: Settings, restored: Restored) -> None:
    say("Данные восстановлены. Старое само не отправится и не оплатится второй раз.")
    if restored.aside is not None:
        say(f"Прежние данные: {restored.aside}")
    _tell_posts(restored)
    _tell_works(restored)
    if restored.quieted.stray_paths:
        say(f"Пути к записям, которые вели не в папку recordings, убраны: {restored.quieted.stray_paths}.")
    for gap in restored.gaps:
        if gap.known is None:
            say(f"{gap.title} не ответил: звонки после копии неизвестны. Запустите svodka restore --already до старта.")
        elif gap.known:
            say(f"{gap.title}: звонков после копии — {gap.known}, карточек по ним снова не будет.")
    if restored.missing_recordings:
        number = counted(restored.missing_recordings, "записи", "записей", "записей")
        say(f"Нет {number} разговоров: верните папку {settings.data_dir / 'recordings'} из своей копии.")
    if not has_keys(settings):
        say("Ключей нет ни в копии, ни здесь: верните папку keys, без неё Сводка не запустится.")
    say("Теперь можно запускать: svodka run")


def _tell_posts(restored: Restored) -> None:
    posts = restored.quieted.posts
    if not posts:
        return
    say(f"Придержано: {counted(len(posts), 'сообщение', 'сообщения', 'сообщений')}, сами не уйдут:")
    for post in posts[:MOST_LISTED]:
        say(f"  чат {post.chat_id}: {post.key}")
    _more(len(posts))


def _tell_works(restored: Restored) -> None:
    works = restored.quieted.works
    if not works:
        return
    say(f"Остановлено: {counted(len(works), 'дело', 'дела', 'дел')}. Повторить, если после копии не доделано:")
    for work in works[:MOST_LISTED]:
        say(f"  {work.object}: " + (f"svodka replay {work.delivery_id}" if work.delivery_id else "кнопка в /errors"))
    _more(len(works))


def _more(number: int) -> None:
    if number > MOST_LISTED:
        say(f"  … и ещё {number - MOST_LISTED}, список в svodka status")
