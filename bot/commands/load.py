"""`svodka import`: a table looked through, shown, and loaded through the running leader, or here when none runs."""

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.commands.asking import NoAnswerError, ask_leader
from bot.commands.console import complain, say
from bot.commands.ground import leading, load_settings, open_current_database, somebody_leads
from bot.entrance import ACCOUNT
from bot.settings import Settings
from domain.errors import BadInput, ConfigError
from domain.imports import Import, ImportKind
from domain.messages import Message, as_text
from domain.ports import Tx
from handlers.leads.asking import FOLDER, named_by_content
from handlers.leads.loading import Loader
from handlers.leads.messages import loaded_screen, survey_screen
from handlers.leads.survey import Survey, Surveyor
from handlers.texts import load_texts
from handlers.wording import Reader
from storage.engine import Database
from storage.imports import ImportStore
from storage.leads import Saved

LOOKS_SECONDS = 0.5
MOST_LOOKS = 1200
ANSWER_SECONDS = 15.0
YES = frozenset({"да", "д", "yes", "y"})


def execute(arguments: argparse.Namespace, _rest: Sequence[str]) -> int:
    """0 when the table is in, or was there already; 1 when nothing was loaded."""
    settings = load_settings()
    source = Path(arguments.file)
    if not source.is_file():
        raise ConfigError("ФАЙЛ", f"файла {source} нет")
    try:
        kind = ImportKind(arguments.kind) if arguments.kind else None
    except ValueError:
        raise ConfigError("--kind", f"бывает {', '.join(ImportKind)}") from None
    try:
        return asyncio.run(_import(settings, source, kind, sure=arguments.yes))
    except (BadInput, NoAnswerError) as error:
        complain(f"Не загружено: {error.hint if isinstance(error, BadInput) else error}")
        return 1


async def _import(settings: Settings, source: Path, kind: ImportKind | None, *, sure: bool) -> int:
    async with open_current_database(settings) as database:
        path = await asyncio.to_thread(_copied, source, settings.data_dir)
        store, now = ImportStore(database), datetime.now(UTC)
        surveyor = Surveyor(database=database, account_id=ACCOUNT, zone=settings.timezone, now=now)
        survey = await surveyor.look(path, kind)
        before = await store.same_file(ACCOUNT, path.stem)
        _show(survey_screen(_reader(settings), source.name, survey, 0, before=before))
        if before is not None:
            return 0
        if not survey.rows or not (sure or await asyncio.to_thread(_agreed, survey)):
            return 1
        import_id = await store.keep(
            ACCOUNT, survey.kind, name=source.name, path=path.relative_to(settings.data_dir).as_posix(), sha256=path.stem,
            rows=survey.rows, asked_by=0, chat_id=0, now=now,
        )  # fmt: skip
        return await _load(settings, database, import_id)


def _copied(source: Path, data_dir: Path) -> Path:
    """The file among ours, under the name of what is in it. Blocks."""
    folder = data_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as part, source.open("rb") as file:
        shutil.copyfileobj(file, part)
    return named_by_content(folder / Path(part.name).name, source.name)  # the name of ``part`` is absolute, ours may not be


def _agreed(survey: Survey) -> bool:
    if not sys.stdin.isatty():
        complain("Чтобы загрузить без вопроса, добавьте --yes.")
        return False
    say(f"Загрузить строк: {survey.rows}? да/нет")
    return sys.stdin.readline().strip().casefold() in YES


async def _load(settings: Settings, database: Database, import_id: int) -> int:
    """Through who leads, so that the work goes on if we are stopped; here under the lock where nobody does."""
    store = ImportStore(database)
    await store.move(import_id, since="shown", to="loading")
    if await somebody_leads(settings, database):
        answer = await ask_leader(settings, database, "import", {"import": import_id}, seconds=ANSWER_SECONDS)
        if "error" in answer:
            complain(f"Не получилось ({answer['error']}): подробности в журнале Сводки.")
            return 1
        table = await _finished(store, import_id)
    else:
        table = await _here(settings, database, store, import_id)
    if table is None or table.state != "complete":
        complain("Не загружено: подробности в журнале Сводки.")
        return 1
    _show(loaded_screen(_reader(settings), table, Saved(added=table.added, changed=table.changed, same=table.same)))
    return 0


async def _finished(store: ImportStore, import_id: int) -> Import | None:
    """The table once it is loaded, or as it stands when patience is at its end: the leader goes on with it anyway."""
    table = await store.get(ACCOUNT, import_id)
    for _ in range(MOST_LOOKS):
        if table is None or table.state != "loading":
            break
        await asyncio.sleep(LOOKS_SECONDS)
        table = await store.get(ACCOUNT, import_id)
    return table


async def _here(settings: Settings, database: Database, store: ImportStore, import_id: int) -> Import | None:
    table = await store.get(ACCOUNT, import_id)
    async with leading(settings, database) as mine:
        if mine is None or table is None:
            raise NoAnswerError("Сводка как раз запускается: повторите команду.")
        loader = Loader(database=database, data_dir=settings.data_dir, zone=settings.timezone)
        try:
            saved = await loader.load(table, _quiet)
        except BaseException:  # stopped by hand, too: what is in stays, and the same command goes on with the rest
            await store.move(import_id, since="loading", to="failed")
            raise

        async def settle(tx: Tx) -> bool:
            counts = (saved.added, saved.changed, saved.same)
            return await store.settle(tx, import_id, state="complete", saved=counts, now=datetime.now(UTC))

        await database.write(settle)
    return await store.get(ACCOUNT, import_id)


async def _quiet(_done: int) -> None:
    """Nobody watches."""


def _show(screen: Message) -> None:
    say(as_text(screen))


def _reader(settings: Settings) -> Reader:
    return Reader(texts=load_texts(), now=datetime.now(UTC), zone=settings.timezone)
