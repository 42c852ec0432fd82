"""`svodka import`: a table looked through, shown, and loaded by the running leader, or here when none runs; and undone."""

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
from domain.imports import UNDER_WAY, Import, ImportKind, State
from domain.messages import Message, as_text
from domain.plural import spaced
from domain.ports import Tx
from handlers.leads.asking import FOLDER, named_by_content
from handlers.leads.loading import Loader
from handlers.leads.messages import can_be_undone, loaded_screen, survey_screen, undone_screen
from handlers.leads.survey import Survey, Surveyor
from handlers.texts import load_texts
from handlers.wording import Reader
from storage.engine import Database
from storage.imports import UNDO_WITHIN, ImportStore
from storage.leads import Saved
from storage.staging import StoppedError

LOOKS_SECONDS = 0.5
MOST_LOOKS = 1200
ANSWER_SECONDS = 15.0
LONG = 10_000  # rows: how far a shorter table is tells nobody anything
YES = frozenset({"да", "д", "yes", "y"})


def execute(arguments: argparse.Namespace, _rest: Sequence[str]) -> int:
    """0 when the table is in, was there already, or is taken out; 1 when nothing was done."""
    settings = load_settings()
    try:
        if arguments.undo is not None:
            return asyncio.run(_undo(settings, arguments.undo))
        source = Path(arguments.file or "")
        if not source.is_file():
            raise ConfigError("ФАЙЛ", f"файла {source} нет" if arguments.file else "назовите таблицу")
        try:
            kind = ImportKind(arguments.kind) if arguments.kind else None
        except ValueError:
            raise ConfigError("--kind", f"бывает {', '.join(ImportKind)}") from None
        return asyncio.run(_import(settings, source, kind, sure=arguments.yes))
    except (BadInput, NoAnswerError) as error:
        complain(f"Не получилось: {error.hint if isinstance(error, BadInput) else error}")
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
    store = ImportStore(database)
    await store.move(import_id, since=State.SHOWN, to=State.LOADING)
    table = await _carried_out(settings, database, import_id)
    if table is None or table.state is not State.COMPLETE:
        complain("Не загружено: подробности в журнале Сводки.")
        return 1
    saved = Saved(added=table.added, changed=table.changed, same=table.same)
    _show(loaded_screen(_reader(settings), table, saved))
    if can_be_undone(table, saved):
        say(f"Отменить в течение суток: svodka import --undo {import_id}")
    return 0


async def _undo(settings: Settings, import_id: int) -> int:
    async with open_current_database(settings) as database:
        store = ImportStore(database)
        table = await store.get(ACCOUNT, import_id)
        if table is None or table.state not in {State.COMPLETE, State.UNDOING}:
            raise BadInput("--undo", f"загрузки с номером {import_id} нет, или она уже отменена")
        saved = Saved(added=table.added, changed=table.changed, same=table.same)
        if not can_be_undone(table, saved):
            raise BadInput("--undo", "в этой загрузке отменять нечего")
        if table.loaded_at is None or datetime.now(UTC) - table.loaded_at > UNDO_WITHIN:
            raise BadInput("--undo", "отменить загрузку можно в течение суток")
        await store.move(import_id, since=State.COMPLETE, to=State.UNDOING)
        table = await _carried_out(settings, database, import_id)
        if table is None or table.state is not State.UNDONE:
            complain("Не отменено: подробности в журнале Сводки.")
            return 1
        _show(undone_screen(_reader(settings), table, table.undone))
        return 0


async def _carried_out(settings: Settings, database: Database, import_id: int) -> Import | None:
    """Through who leads, so that the work goes on if we are stopped; here under the lock where nobody does."""
    if not await somebody_leads(settings, database):
        return await _here(settings, database, import_id)
    answer = await ask_leader(settings, database, "import", {"import": import_id}, seconds=ANSWER_SECONDS)
    if "error" in answer:
        raise NoAnswerError(f"{answer['error']}, подробности в журнале Сводки.")
    return await _finished(ImportStore(database), import_id)


async def _finished(store: ImportStore, import_id: int) -> Import | None:
    """The table once nothing more is to be done to it, or as it stands when patience is at its end: the leader goes on."""
    table, progress = await store.get(ACCOUNT, import_id), Progress()
    for _ in range(MOST_LOOKS):
        if table is None or table.state not in UNDER_WAY:
            break
        progress.tell(table, table.done)
        await asyncio.sleep(LOOKS_SECONDS)
        table = await store.get(ACCOUNT, import_id)
    return table


async def _here(settings: Settings, database: Database, import_id: int) -> Import | None:
    store = ImportStore(database)
    table = await store.get(ACCOUNT, import_id)
    async with leading(settings, database) as mine:
        if mine is None or table is None:
            raise NoAnswerError("Сводка как раз запускается: повторите команду.")
        loader = Loader(database=database, data_dir=settings.data_dir, zone=settings.timezone)
        saved, state = Saved(), State.UNDONE
        if table.state is State.UNDOING:
            await loader.undo(table)
        else:
            saved, state = await _loaded(loader, table)

        async def settle(tx: Tx) -> bool:
            return await store.settle(tx, import_id, state=state, saved=saved, now=datetime.now(UTC))

        await database.write(settle)
    return await store.get(ACCOUNT, import_id)


async def _loaded(loader: Loader, table: Import) -> tuple[Saved, State]:
    """What became of it; nothing of it stays where it is stopped by hand or breaks off."""
    progress = Progress()

    async def told(done: int) -> None:
        progress.tell(table, done)

    try:
        return await loader.load(table, told), State.COMPLETE
    except BaseException as error:
        await loader.drop(table)
        if isinstance(error, StoppedError):
            return Saved(), State.FAILED
        await ImportStore(loader.database).move(table.id, since=State.DROPPING, to=State.FAILED)
        raise


class Progress:
    """How far a load is, a line for every tenth of it: where no person watches, a log stays short."""

    def __init__(self) -> None:
        self._told = 0

    def tell(self, table: Import, done: int) -> None:
        tenth = done * 10 // table.rows if table.rows else 0
        if tenth > self._told and table.rows >= LONG:
            self._told = tenth
            say(f"Прочитано {spaced(done)} из {spaced(table.rows)} строк.")


def _show(screen: Message) -> None:
    say(as_text(screen))


def _reader(settings: Settings) -> Reader:
    return Reader(texts=load_texts(), now=datetime.now(UTC), zone=settings.timezone)
