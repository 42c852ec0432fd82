"""What most commands stand on: settings, the open database, the keys, and whether anybody leads."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from bot.clock import SystemClock
from bot.keys import Keys, load_keys
from bot.settings import Settings, read_environment, read_settings
from domain.errors import ConfigError
from integrations.kit.vendor import Workshop
from storage.engine import Database, normalise_url
from storage.leadership import Leadership, build_leadership
from storage.migrate import Schema, schema_state


def load_settings() -> Settings:
    """From the environment and `.env`; ConfigError names what is wrong."""
    settings = read_settings(read_environment())
    try:
        kind = normalise_url(settings.db_url).get_backend_name()
    except (ArgumentError, ValueError):  # its words would repeat the address, and the address holds a password
        kind = ""
    if kind not in {"sqlite", "postgresql"}:
        raise ConfigError("DB_URL", "нужен адрес вида postgresql://имя:пароль@сервер/база; пусто — SQLite в DATA_DIR")
    return settings


def database_file(settings: Settings) -> Path | None:
    """Where SQLite keeps the database; None for PostgreSQL."""
    url = normalise_url(settings.db_url)
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """The database, whatever its schema. An SQLite file that is not there is not made: ConfigError."""
    path = database_file(settings)
    if path is not None and not path.exists():
        raise ConfigError("DATA_DIR", f"базы {path} ещё нет: сначала запустите svodka run")
    database = Database(settings.db_url)
    database.open()
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def open_current_database(settings: Settings) -> AsyncIterator[Database]:
    """The database of this very version; ConfigError says what to do with any other."""
    async with open_database(settings) as database:
        state, revision = await state_of(database)
        if state is Schema.OLDER:
            raise ConfigError("DB_URL", f"база от прошлой версии ({revision}): выполните svodka migrate")
        if state is Schema.NEWER:
            raise ConfigError("DB_URL", f"база от более новой версии ({revision}): обновите программу")
        if state is Schema.EMPTY:
            raise ConfigError("DB_URL", "база пуста: сначала запустите svodka run")
        yield database


async def state_of(database: Database) -> tuple[Schema, str]:
    """The schema's state and revision; ConfigError when the database does not answer."""
    try:
        return await schema_state(database)
    except (SQLAlchemyError, OSError) as error:
        raise ConfigError("DB_URL", f"база не отвечает ({type(error).__name__}): проверьте адрес и права") from error


def has_keys(settings: Settings) -> bool:
    """Both keys are known: from the environment or from DATA_DIR."""
    folder = settings.data_dir / "keys"
    secret = bool(settings.secret_keys) or (folder / "secret_key").exists()
    return secret and (settings.hook_secret is not None or (folder / "hook_secret").exists())


async def existing_keys(settings: Settings) -> Keys:
    """The installation's keys. They are made only beside an empty database: new ones beside data would hide a loss."""
    if not has_keys(settings) and await _has_data(settings):
        raise ConfigError("DATA_DIR", "рядом с базой нет ключей: верните папку keys из резервной копии")
    return load_keys(settings)


async def _has_data(settings: Settings) -> bool:
    path = database_file(settings)
    if path is not None and not path.exists():
        return False
    async with open_database(settings) as database:
        state, _ = await state_of(database)
    return state is not Schema.EMPTY


@asynccontextmanager
async def leading(settings: Settings, database: Database) -> AsyncIterator[Leadership | None]:
    """The leader's lock for as long as the block runs; None when another process has it."""
    leadership = build_leadership(database, settings.data_dir)
    try:
        yield leadership if await leadership.try_acquire() else None
    finally:
        await leadership.release()


async def somebody_leads(settings: Settings, database: Database) -> bool:
    """A process holds the leader's lock. Looked at by trying it for an instant."""
    async with leading(settings, database) as mine:
        return mine is None


def bare_workshop(settings: Settings) -> Workshop:
    """For ports that are asked small things only: blocking work runs where it stands."""

    async def run(fn: Callable[[], object]) -> object:
        return fn()

    return Workshop(clock=SystemClock(), data_dir=settings.data_dir, run_cpu=run)
