"""«Дома: какие поля» in Telegram: those who run the bot see what is taken from where, and say it otherwise."""

from collections.abc import Awaitable, Callable

from aiogram import Router
from aiogram.types import CallbackQuery

from domain.directory import HouseField
from domain.errors import VendorError
from domain.messages import Message
from domain.roles import Person
from handlers.desk import Desk
from handlers.directory.desk import DirectoryDesk
from handlers.directory.mapping import choices_of
from handlers.directory.mapping_screens import (
    PER_PAGE,
    Filled,
    MappingView,
    field_screen,
    mapping_screen,
    offered,
    pipelines_screen,
    short_code,
)
from handlers.directory.telegram import ask_to_read
from handlers.talk.telegram import ADMINS, Pressed, number, pressed_in_private, redraw, toast
from handlers.wording import Reader
from storage.queries.directory import count_houses, filled_fields
from storage.queries.directory_figures import house_pipelines

NONE = "-"


def build_router() -> Router:
    router = Router(name="house fields")
    buttons: dict[str, Callable[..., Awaitable[None]]] = {"hmap": open_mapping, "hmf": open_field, "hmset": choose}
    buttons |= {"hmp": open_pipelines, "hmpset": choose_pipeline, "hmread": read_anew}
    for name, handler in buttons.items():
        router.callback_query.register(handler, Pressed(name), flags=ADMINS)
    return router


async def open_mapping(callback: CallbackQuery, person: Person, desk: Desk) -> None:
    directory = await _directory(callback, desk)
    if directory is not None:
        await redraw(callback, desk, await _screen(desk, directory, person))


async def open_field(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    directory, (name, _, offset) = await _directory(callback, desk), argument.partition(":")
    if directory is None:
        return
    view, house_field = await _view(desk, directory, person), _house_field(name)
    if house_field is None or not view.kept.fields:
        await redraw(callback, desk, mapping_screen(_reader(desk, person), view))
        return
    start = (number(offset) or 0) // PER_PAGE * PER_PAGE
    await redraw(callback, desk, field_screen(_reader(desk, person), view, house_field, start))


async def choose(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """A field by its short code, none of them, or as it is found by itself; the houses are read anew."""
    directory, (name, _, chosen) = await _directory(callback, desk), argument.partition(":")
    house_field = _house_field(name)
    if directory is None or house_field is None:
        return
    kept = await directory.mappings.read(person.account_id)
    code = next((one.code for one in offered(kept, house_field) if short_code(one.code) == chosen), None)
    if chosen not in {NONE, ""} and code is None:
        await toast(callback, desk.texts.get("mapping.gone", crm=directory.title), alert=True)
        return
    await directory.mappings.choose(person, house_field, "" if chosen == NONE else code, now=desk.clock.now())
    await _after_change(callback, desk, directory, person)


async def open_pipelines(callback: CallbackQuery, person: Person, desk: Desk) -> None:
    """They are asked for when somebody looks; where the CRM does not answer, as they are known."""
    directory = await _directory(callback, desk)
    if directory is None:
        return
    try:
        await directory.mappings.learn_pipelines(person.account_id, await directory.platform.pipelines())
    except VendorError:
        await toast(callback, desk.texts.get("mapping.pipelines_away", crm=directory.title), alert=True)
        return
    view = await _view(desk, directory, person)
    await redraw(callback, desk, pipelines_screen(_reader(desk, person), view))


async def choose_pipeline(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    directory = await _directory(callback, desk)
    if directory is None:
        return
    kept = await directory.mappings.read(person.account_id)
    if argument and argument not in {one.external_id for one in kept.pipelines}:
        await toast(callback, desk.texts.get("mapping.gone", crm=directory.title), alert=True)
        return
    await directory.mappings.choose_pipeline(person, argument, now=desk.clock.now())
    await _after_change(callback, desk, directory, person)


async def read_anew(callback: CallbackQuery, person: Person, desk: Desk) -> None:
    directory = await _directory(callback, desk)
    if directory is not None:
        word = await ask_to_read(desk, person)
        await redraw(callback, desk, await _screen(desk, directory, person), word=word)


async def _after_change(callback: CallbackQuery, desk: Desk, directory: DirectoryDesk, person: Person) -> None:
    """A reading that is on its way asks as it was before: another one follows it."""
    await ask_to_read(desk, person, anyway=True)
    await redraw(callback, desk, await _screen(desk, directory, person), word=desk.texts.get("mapping.changed"))


async def _screen(desk: Desk, directory: DirectoryDesk, person: Person) -> Message:
    return mapping_screen(_reader(desk, person), await _view(desk, directory, person))


async def _view(desk: Desk, directory: DirectoryDesk, person: Person) -> MappingView:
    kept = await directory.mappings.read(person.account_id)
    found = await filled_fields(desk.database, person.account_id)
    return MappingView(
        crm=directory.title, kept=kept, choices=choices_of(kept),
        houses=await count_houses(desk.database, person.account_id),
        pipelines=await house_pipelines(desk.database, person.account_id),
        filled={name: Filled(count=count, example=example) for name, (count, example) in found.items()},
    )  # fmt: skip


async def _directory(callback: CallbackQuery, desk: Desk) -> DirectoryDesk | None:
    """None where it is said why not: in a group, or where no CRM is connected any more."""
    if await pressed_in_private(callback, desk) is None:
        return None
    if desk.directory is None:
        await toast(callback, desk.texts.get("directory.not_connected"), alert=True)
    return desk.directory


def _house_field(name: str) -> HouseField | None:
    return next((one for one in HouseField if one == name), None)


def _reader(desk: Desk, person: Person) -> Reader:
    return desk.reader(person.account_id, private=True)
