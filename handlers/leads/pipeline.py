"""A table that was agreed to becomes rows, and who sent it is told."""

import logging
from dataclasses import dataclass, field

from domain.errors import BadInput
from domain.events import TableAsked
from domain.imports import Import, ImportKind, State
from domain.messages import Destination, Message
from domain.ports import Steps, Tx
from domain.work import WorkItem
from handlers.leads.messages import failed_screen, loaded_screen, progress_screen, stopped_screen, undone_screen
from handlers.leads.reading import PIECE
from handlers.leads.services import LeadServices
from handlers.wording import Reader
from storage.leads import Saved
from storage.staging import StoppedError

log = logging.getLogger(__name__)

TOLD_EVERY = 10_000  # rows
LAST_TRY = 5  # failures after which a load is taken away again, just before its work is given up
GONE = "файла уже нет: пришлите его ещё раз"
BROKEN = "её не удалось записать, из неё ничего не осталось. Пришлите файл ещё раз; что случилось, видно в /errors"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How it ended, and what is said of it."""

    state: State
    screen: Message
    saved: Saved = field(default_factory=Saved)


async def load_table(item: WorkItem[TableAsked], steps: Steps, services: LeadServices) -> None:
    """Loading is not a step: begun again it goes on, so a crash costs time and nothing else."""
    table = await services.imports.get(item.account_id, item.event.import_id)
    wanted = {State.UNDOING} if item.event.undo else {State.LOADING, State.SETTLING, State.DROPPING}
    if table is None or table.state not in wanted:
        return
    try:
        end = await (_undo(table, services) if item.event.undo else _load(table, services))
    except Exception:
        if table.state is State.LOADING and item.failures >= LAST_TRY:
            await services.loader.drop(table)
            screen = failed_screen(_reader(services), table, BROKEN)
            await _settle(table, steps, services, End(state=State.FAILED, screen=screen))
        raise
    await _settle(table, steps, services, end)


async def _undo(table: Import, services: LeadServices) -> End:
    undone = await services.loader.undo(table)
    log.info("table %d is taken out: %s", table.id, undone)
    return End(state=State.UNDONE, screen=undone_screen(_reader(services), table, undone))


async def _load(table: Import, services: LeadServices) -> End:
    try:
        saved = await services.loader.load(table, lambda done: _tell(table, services, done))
    except StoppedError:
        await services.loader.drop(table)
        return End(state=State.FAILED, screen=stopped_screen(_reader(services), table))
    except (BadInput, FileNotFoundError) as error:
        await services.loader.drop(table)
        hint = error.hint if isinstance(error, BadInput) else GONE
        return End(state=State.FAILED, screen=failed_screen(_reader(services), table, hint))
    log.info("table %d: %d added, %d changed, %d known", table.id, saved.added, saved.changed, saved.same)
    return End(state=State.COMPLETE, screen=loaded_screen(_reader(services), table, saved), saved=saved)


async def _tell(table: Import, services: LeadServices, done: int) -> None:
    """How far it is, now and then, in the message that the result takes the place of."""
    begun = done < TOLD_EVERY or done % TOLD_EVERY >= PIECE  # rows that cannot be read are counted by nobody
    if table.chat_id == 0 or begun or done >= table.rows or table.kind is not ImportKind.LEADS:
        return
    message = progress_screen(_reader(services), table, done)
    await services.write(lambda tx: services.chat.post_to(tx, table.account_id, _place(table), message))
    services.posted()


async def _settle(table: Import, steps: Steps, services: LeadServices, end: End) -> None:
    async def write(tx: Tx) -> bool:
        done = await services.imports.settle(tx, table.id, state=end.state, saved=end.saved, now=services.clock.now())
        if table.chat_id:
            await services.chat.post_to(tx, table.account_id, _place(table), end.screen)
        return done

    await steps.write(f"settle:{end.state}", write, bool)
    services.posted()


def _place(table: Import) -> Destination:
    return Destination(chat_id=table.chat_id)


def _reader(services: LeadServices) -> Reader:
    return Reader(texts=services.texts, now=services.clock.now(), zone=services.timezone)
