"""Rules are applied to earlier leads, or that is taken back, piece by piece; who asked sees how far it is."""

import logging

from domain.ads import AdRun, RunState
from domain.events import AdRunAsked
from domain.messages import Destination, Message
from domain.ports import Steps, Tx
from domain.work import WorkItem
from handlers.ads.run_messages import applied_screen, progress_screen, taken_back_screen
from handlers.ads.services import AdServices
from handlers.wording import Reader

log = logging.getLogger(__name__)

TOLD_EVERY = 50_000  # leads


async def apply_rules(item: WorkItem[AdRunAsked], steps: Steps, services: AdServices) -> None:
    """The pieces are no steps: each keeps how far it is in its own commit, so a crash costs time and nothing else."""
    run = await services.runs.get(item.account_id, item.event.run_id)
    wanted = RunState.UNDOING if item.event.undo else RunState.RUNNING
    if run is None or run.state is not wanted:
        return
    if item.event.undo:
        run = await _take_back(run, services)
        await _settle(run, steps, services, RunState.UNDONE, taken_back_screen(_reader(services), run))
    else:
        run = await _apply(run, services)
        await _settle(run, steps, services, RunState.DONE, applied_screen(_reader(services), run))
    log.info("rules of version %d, run %d: %d changed, %d restored", run.version, run.id, run.changed, run.restored)


async def _apply(run: AdRun, services: AdServices) -> AdRun:
    while run.after < run.last:
        before, run = run, await services.runs.go_on(run)
        if run.done // TOLD_EVERY > before.done // TOLD_EVERY and run.after < run.last:
            await _tell(run, services)
    return run


async def _take_back(run: AdRun, services: AdServices) -> AdRun:
    while (further := await services.runs.take_back(run)) is not None:
        if further.restored // TOLD_EVERY > run.restored // TOLD_EVERY:
            await _tell(further, services)
        run = further
    return run


async def _tell(run: AdRun, services: AdServices) -> None:
    message = progress_screen(_reader(services), run)
    await services.write(lambda tx: services.chat.post_to(tx, run.account_id, _place(run), message))
    services.posted()


async def _settle(run: AdRun, steps: Steps, services: AdServices, state: RunState, screen: Message) -> None:
    async def write(tx: Tx) -> bool:
        await services.runs.settle(tx, run, state, services.clock.now())
        await services.chat.post_to(tx, run.account_id, _place(run), screen)
        return True

    await steps.write(f"settle:{state}", write, bool)
    services.posted()


def _place(run: AdRun) -> Destination:
    return Destination(chat_id=run.chat_id)


def _reader(services: AdServices) -> Reader:
    return Reader(texts=services.texts, now=services.clock.now(), zone=services.timezone)
