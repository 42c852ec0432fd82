"""Tables in Telegram: a file is looked through, and loaded when whoever sent it says so."""

import asyncio
from pathlib import Path

from aiogram import Bot, Router
from aiogram.exceptions import AiogramError
from aiogram.types import CallbackQuery, Document
from aiogram.types import Message as ChatMessage

from domain.errors import BadInput
from domain.imports import Import, ImportKind, State
from domain.roles import Person
from handlers.calls.screens import say
from handlers.desk import Desk
from handlers.leads.asking import FOLDER, asking, named_by_content
from handlers.leads.messages import started_screen, survey_screen
from handlers.leads.survey import Surveyor
from handlers.leads.tables import is_table
from handlers.talk.telegram import ADMINS, Pressed, in_private, number, redraw, show, toast
from storage.imports import UNDO_WITHIN, ImportStore

DOWNLOAD_SECONDS = 120
MOST_SENT = 20 * 1024**2  # bytes; Telegram gives no more to bots
_KINDS = {
    "лид": ImportKind.LEADS, "lead": ImportKind.LEADS, "заявк": ImportKind.LEADS, "расход": ImportKind.SPEND,
    "spend": ImportKind.SPEND, "креатив": ImportKind.CREATIVES, "направлени": ImportKind.DIRECTIONS,
}  # fmt: skip


def build_router() -> Router:
    """For those who run the bot, in private: a table is full of people."""
    router = Router(name="tables")
    router.message.register(take_table, _is_table, in_private, flags=ADMINS)
    for name, handler in (("imp", load), ("impno", leave), ("impstop", stop), ("impundo", undo)):
        router.callback_query.register(handler, Pressed(name), flags=ADMINS)
    return router


def _is_table(message: ChatMessage) -> bool:
    return message.document is not None and is_table(message.document.file_name or "")


async def take_table(message: ChatMessage, person: Person, desk: Desk, bot: Bot) -> None:
    """Keep the file, look through it, show what would be loaded. A caption may say what it is: «расходы»."""
    document = message.document
    assert document is not None  # noqa: S101 - the filter saw it
    name = document.file_name or ""
    if (document.file_size or 0) > MOST_SENT:
        hint = f"файл больше {MOST_SENT // 1024**2} МБ, разделите его на части или загрузите командой svodka import"
        await show(message, desk, say(desk.texts.get("import.bad_file", name=name, hint=hint)))
        return
    if not await desk.has_room():
        await show(message, desk, say(desk.texts.get("import.no_room")))
        return
    path = await _download(bot, document, desk)
    if path is None:
        await show(message, desk, say(desk.texts.get("import.not_downloaded")))
        return
    await _survey(message, person, desk, path, name)


async def _download(bot: Bot, document: Document, desk: Desk) -> Path | None:
    """Into DATA_DIR under the name of what it holds; None when it did not come."""
    folder = desk.data_dir / FOLDER
    part = folder / f"{document.file_unique_id}.part"
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    try:
        await bot.download(document, destination=part, timeout=DOWNLOAD_SECONDS)
        return await asyncio.to_thread(named_by_content, part, document.file_name or "")
    except (AiogramError, OSError, TimeoutError):
        return None
    finally:
        await asyncio.to_thread(part.unlink, missing_ok=True)


async def _survey(message: ChatMessage, person: Person, desk: Desk, path: Path, name: str) -> None:
    zone, now, store = desk.timezone(person.account_id), desk.clock.now(), ImportStore(desk.database)
    surveyor = Surveyor(database=desk.database, account_id=person.account_id, zone=zone, now=now)
    caption = (message.caption or "").casefold()
    kind = next((kind for word, kind in _KINDS.items() if word in caption), None)
    try:
        survey = await surveyor.look(path, kind)
    except BadInput as error:
        await show(message, desk, say(desk.texts.get("import.bad_file", name=name, hint=error.hint)))
        return
    before = await store.same_file(person.account_id, path.stem)
    kept = await store.keep(
        person.account_id, survey.kind, name=name, path=path.relative_to(desk.data_dir).as_posix(), sha256=path.stem,
        rows=survey.rows, asked_by=person.user_id, chat_id=message.chat.id, now=now,
    )  # fmt: skip
    await show(message, desk, survey_screen(desk.reader(person.account_id, private=True), name, survey, kept, before=before))


async def load(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    table = await _table(callback, argument, person, desk)
    if table is None:
        return
    moved = await ImportStore(desk.database).move(table.id, since=State.SHOWN, to=State.LOADING)
    if not moved and table.state is not State.LOADING:
        await toast(callback, desk.texts.get("import.settled"), alert=True)
        return
    await desk.submit(person.account_id, asking(table))  # also where a crash came between: one table is one work
    await redraw(callback, desk, started_screen(desk.reader(person.account_id, private=True), table))


async def leave(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    table = await _table(callback, argument, person, desk)
    if table is not None and await ImportStore(desk.database).move(table.id, since=State.SHOWN, to=State.LEFT):
        await redraw(callback, desk, say(desk.texts.get("import.left")))


async def stop(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """Nobody has seen any of it yet, and nobody will."""
    table = await _table(callback, argument, person, desk)
    if table is None:
        return
    moved = await ImportStore(desk.database).move(table.id, since=State.LOADING, to=State.DROPPING)
    await toast(callback, desk.texts.get("import.stopping" if moved else "import.too_far"), alert=not moved)


async def undo(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """Within a day: later others have worked with these leads."""
    table = await _table(callback, argument, person, desk)
    if table is None:
        return
    if table.loaded_at is None or desk.clock.now() - table.loaded_at > UNDO_WITHIN:
        await toast(callback, desk.texts.get("import.too_late"), alert=True)
    elif (
        await ImportStore(desk.database).move(table.id, since=State.COMPLETE, to=State.UNDOING)
        or table.state is State.UNDOING
    ):
        await desk.submit(person.account_id, asking(table, undo=True))
        await toast(callback)


async def _table(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> Import | None:
    """The table of a button; where it is gone the presser is told."""
    table = await ImportStore(desk.database).get(person.account_id, number(argument) or 0)
    if table is None or not table.path:
        await toast(callback, desk.texts.get("import.gone"), alert=True)
        return None
    return table
