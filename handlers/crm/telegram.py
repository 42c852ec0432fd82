"""The stages of a CRM in Telegram: those who run the bot say in their own chat with it what each of them means."""

from collections.abc import Awaitable, Callable

from aiogram import Router
from aiogram.types import CallbackQuery

from domain.errors import BadInput, VendorError
from domain.messages import Message
from domain.roles import Person
from handlers.crm.desk import StageDesk
from handlers.crm.stage_screens import PER_PAGE, pipeline_screen, pipelines_screen, stage_screen
from handlers.desk import Desk
from handlers.talk.telegram import ADMINS, Pressed, number, pressed_in_private, redraw, toast
from storage.queries.stages import ListedStage, read_stages


def build_router() -> Router:
    router = Router(name="stages")
    buttons: dict[str, Callable[..., Awaitable[None]]] = {"stgs": open_pipelines, "stgp": open_pipeline, "stg": open_stage}
    buttons |= {"stgset": choose, "stgask": ask}
    for name, handler in buttons.items():
        router.callback_query.register(handler, Pressed(name), flags=ADMINS)
    return router


async def open_pipelines(callback: CallbackQuery, person: Person, desk: Desk) -> None:
    stages = await _desk(callback, desk)
    if stages is not None:
        await redraw(callback, desk, await _pipelines(desk, stages, person))


async def open_pipeline(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """A pipeline is named by any stage of it."""
    id_, _, offset = argument.partition(":")
    found = await _found(callback, id_, person, desk)
    if found is not None:
        _, listed, stage = found
        start = (number(offset) or 0) // PER_PAGE * PER_PAGE
        await redraw(callback, desk, pipeline_screen(desk.reader(person.account_id, private=True), listed, stage, start))


async def open_stage(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found = await _found(callback, argument, person, desk)
    if found is not None:
        await redraw(callback, desk, _stage(desk, person, found[0], found[2]))


async def choose(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    id_, _, choice = argument.partition(":")
    stages = await _desk(callback, desk)
    if stages is None:
        return
    try:
        follows = await stages.store.choose(person, number(id_) or 0, choice, now=desk.clock.now())
    except BadInput as problem:
        await toast(callback, problem.hint, alert=True)
        return
    if follows:
        stages.follow()
    listed = await read_stages(desk.database, person.account_id, stages.source)
    stage = next(one for one in listed if one.id == number(id_))
    word = desk.texts.get("stages.changed" if follows else "stages.same")
    await redraw(callback, desk, _stage(desk, person, stages, stage), word=word)


async def ask(callback: CallbackQuery, person: Person, desk: Desk) -> None:
    """The names as the CRM has them now; where it does not answer, as they are known."""
    stages = await _desk(callback, desk)
    if stages is None:
        return
    word = "stages.asked"
    try:
        if stages.directory is not None:
            await stages.directory.learn_stages(person.account_id)
            await stages.directory.learn_people(person.account_id)
    except VendorError:
        word = "stages.away"
    await redraw(callback, desk, await _pipelines(desk, stages, person), word=desk.texts.get(word))


async def _pipelines(desk: Desk, stages: StageDesk, person: Person) -> Message:
    listed = await read_stages(desk.database, person.account_id, stages.source)
    heard_at = await stages.store.heard_at(person.account_id)
    reader = desk.reader(person.account_id, private=True)
    return pipelines_screen(reader, stages.title, listed, heard_at, may_ask=stages.directory is not None)


def _stage(desk: Desk, person: Person, stages: StageDesk, stage: ListedStage) -> Message:
    numbers = (stage.pipeline_id, stage.status_id)
    fixed, free = stages.store.is_fixed(*numbers), stages.store.may_choose(*numbers)
    return stage_screen(desk.reader(person.account_id, private=True), stage, fixed=fixed, free=free)


async def _found(
    callback: CallbackQuery, id_: str, person: Person, desk: Desk
) -> tuple[StageDesk, tuple[ListedStage, ...], ListedStage] | None:
    """The stage of a button among all; where it is gone the presser is told."""
    stages = await _desk(callback, desk)
    if stages is None:
        return None
    listed = await read_stages(desk.database, person.account_id, stages.source)
    stage = next((one for one in listed if str(one.id) == id_), None)
    if stage is None:
        await toast(callback, desk.texts.get("stages.gone"), alert=True)
        return None
    return stages, listed, stage


async def _desk(callback: CallbackQuery, desk: Desk) -> StageDesk | None:
    """None where it is said why not: in a group, or where no CRM is connected any more."""
    if await pressed_in_private(callback, desk) is None:
        return None
    if desk.stages is None:
        await toast(callback, desk.texts.get("stages.gone"), alert=True)
    return desk.stages
