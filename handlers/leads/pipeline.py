"""A table that was agreed to becomes rows, and who sent it is told."""

import logging
from dataclasses import dataclass, field

from domain.errors import BadInput
from domain.events import TableAsked
from domain.imports import Import, ImportKind
from domain.messages import Destination, Message
from domain.ports import Steps, Tx
from domain.work import WorkItem
from handlers.leads.messages import failed_screen, loaded_screen, progress_screen, undone_screen
from handlers.leads.services import LeadServices
from handlers.wording import Reader
from storage.leads import Saved

log = logging.getLogger(__name__)

TOLD_EVERY = 10_000  # rows
GONE = "файла уже нет: пришлите его ещё раз"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How it ended, and what is said of it."""

    state: str
    screen: Message
    saved: Saved = field(default_factory=Saved)


async def load_table(item: WorkItem[TableAsked], steps: Steps, services: LeadServices) -> None:
    """Loading is not a step: begun again it writes the same rows, so a crash costs time and nothing else."""
    table = await services.imports.get(item.account_id, item.event.import_id)
    if table is None:
        return
    undo = item.event.undo
    try:
        saved = await services.loader.load(table, lambda done: _tell(table, services, done), undo=undo)
    except (BadInput, FileNotFoundError) as error:
        hint = error.hint if isinstance(error, BadInput) else GONE
        end = End(state="failed", screen=failed_screen(_reader(services), table, hint))
    else:
        log.info("table %d: %d added, %d changed, %d known", table.id, saved.added, saved.changed, saved.same)
        screen = undone_screen(_reader(services), table) if undo else loaded_screen(_reader(services), table, saved)
        end = End(state="undone" if undo else "complete", screen=screen, saved=saved)
    await _settle(table, steps, services, end)


async def _tell(table: Import, services: LeadServices, done: int) -> None:
    """How far it is, now and then, in the message that the result takes the place of."""
    if table.chat_id == 0 or done % TOLD_EVERY or done >= table.rows or table.kind is not ImportKind.LEADS:
        return
    message = progress_screen(_reader(services), table, done)
    await services.write(lambda tx: services.chat.post_to(tx, table.account_id, _place(table), message))
    services.posted()


async def _settle(table: Import, steps: Steps, services: LeadServices, end: End) -> None:
    counts = (end.saved.added, end.saved.changed, end.saved.same)

    async def write(tx: Tx) -> bool:
        done = await services.imports.settle(tx, table.id, state=end.state, saved=counts, now=services.clock.now())
        if table.chat_id:
            await services.chat.post_to(tx, table.account_id, _place(table), end.screen)
        return done

    await steps.write(f"settle:{end.state}", write, bool)
    services.posted()


def _place(table: Import) -> Destination:
    return Destination(chat_id=table.chat_id)


def _reader(services: LeadServices) -> Reader:
    return Reader(texts=services.texts, now=services.clock.now(), zone=services.timezone)
