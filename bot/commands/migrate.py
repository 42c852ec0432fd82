"""`svodka migrate`: the database brought to this version, with a way back."""

import argparse
import asyncio
from collections.abc import Sequence

from bot.commands.backup import default_file, make_backup
from bot.commands.console import complain, say
from bot.commands.ground import database_file, leading, load_settings, state_of
from bot.settings import Settings
from domain.errors import ConfigError
from storage.engine import Database
from storage.migrate import HEAD, Schema, migrate


def execute(_arguments: argparse.Namespace, _rest: Sequence[str]) -> int:
    """Say what was done; 1 when a process works on this database."""
    return asyncio.run(_execute(load_settings()))


async def _execute(settings: Settings) -> int:
    file = database_file(settings)
    (file.parent if file is not None else settings.data_dir).mkdir(parents=True, exist_ok=True)
    database = Database(settings.db_url)
    database.open()
    try:
        state, revision = await state_of(database)  # first: a database that does not answer says so in its own words
        async with leading(settings, database) as leadership:
            if leadership is None:
                complain("Сводка работает с этой базой: остановите её (systemctl stop svodka) и повторите.")
                return 1
            return await _migrate(settings, database, state, revision)
    finally:
        await database.close()


async def _migrate(settings: Settings, database: Database, state: Schema, revision: str) -> int:
    if state is Schema.CURRENT:
        say(f"База уже этой версии ({revision}): делать нечего.")
        return 0
    if state is Schema.NEWER:
        raise ConfigError("DB_URL", f"база от более новой версии ({revision}): обновите программу")
    if state is Schema.EMPTY:
        await migrate(settings.db_url)
        say(f"База создана ({HEAD}).")
        return 0
    if revision == "unversioned":
        raise ConfigError("DB_URL", "в базе чужие таблицы: укажите базу, в которой только данные Сводки")
    into = default_file(settings, "before-migrate")
    await make_backup(settings, database, into, with_keys=True)
    say(f"Резервная копия: {into}. В ней ключи: храните файл как пароль.")
    await migrate(settings.db_url)
    say(f"База обновлена: {revision} → {HEAD}. Теперь можно запускать.")
    return 0
