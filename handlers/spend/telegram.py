"""/spend in Telegram: a line read, checked and written by one press; the month's spend; entries changed and taken back."""

import re
from collections.abc import Awaitable, Callable

from aiogram import F, Router
from aiogram.filters import Command, CommandObject, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.messages import Message
from domain.roles import Person
from domain.spending import EntryState, SpendEntry
from handlers.analytics import answers
from handlers.analytics.ask import period_off_button
from handlers.analytics.catalogue import Figure
from handlers.calls.periods import Period
from handlers.calls.screens import say
from handlers.desk import Desk
from handlers.spend.drafts import Bookkeeper
from handlers.spend.month import FIGURES, ad_screen, asked_of, month_screen, this_month
from handlers.spend.reading import Fault, Told
from handlers.spend.screens import (
    PAGE,
    beside_key,
    entry_screen,
    list_screen,
    prompt_screen,
    taken_out_screen,
    wrong_screen,
)
from handlers.talk.telegram import ADMINS, Pressed, in_private, number, pressed_on, redraw, show, toast

Buttons = dict[str, Callable[..., Awaitable[None]]]
_IN_WORDS = re.compile(r"\s*(?:расход\w*|потратил\w*|потрачено)(?!\w)", re.IGNORECASE)
_LIST = frozenset({"список", "записи", "list"})


class Spending(StatesGroup):
    """The next message is a line about money, or what is to be changed in one."""

    line = State()


def build_router() -> Router:
    """For those who run the bot, in private. Stands before the routers that take any words."""
    router = Router(name="spend")
    router.message.register(spend_command, Command("spend", "расход", "расходы", ignore_case=True), flags=ADMINS)
    words = (F.text, ~F.text.startswith("/"), ~F.via_bot, in_private)
    router.message.register(typed_line, StateFilter(Spending.line), *words, flags=ADMINS)
    router.message.register(in_words, StateFilter(None), *words, _about_money)
    buttons: Buttons = {"spw": write, "spa": write, "spr": replace, "spno": leave, "spn": rename, "spnew": ask, "spe": edit}
    buttons |= {"spx": take_out, "spb": bring_back, "spc": open_entry, "spl": open_list, "spm": open_month}
    for name, handler in buttons.items():
        router.callback_query.register(handler, Pressed(name), flags=ADMINS)
    return router


def _about_money(message: ChatMessage, person: Person) -> bool:
    return person.role.runs_the_bot and _IN_WORDS.match(message.text or "") is not None


def keeper_of(person: Person, desk: Desk) -> Bookkeeper:
    return Bookkeeper(desk=desk, person=person, reader=desk.reader(person.account_id, private=True))


async def spend_command(message: ChatMessage, command: CommandObject, person: Person, desk: Desk, state: FSMContext) -> None:
    """/spend google 40000 1–7 ноября; /spend; /spend за октябрь; /spend список."""
    if not in_private(message):
        await show(message, desk, say(desk.texts.get("add.private_only")))
        return
    await state.clear()
    if (command.args or "").strip().casefold() in _LIST:
        await show(message, desk, await _listed(keeper_of(person, desk), 0))
        return
    await begin(message, person, desk, state, command.args or "")


async def in_words(message: ChatMessage, person: Person, desk: Desk, state: FSMContext) -> None:
    await begin(message, person, desk, state, message.text or "")


async def begin(message: ChatMessage, person: Person, desk: Desk, state: FSMContext, text: str) -> None:
    """A sum is checked; without one the spend of the days is shown, all or of the ad named; for a new ad it is asked."""
    keeper = keeper_of(person, desk)
    told = await keeper.read(text)
    if told.minor is None and not told.faults and not any(told.ad.parts) and not told.left:
        await show(message, desk, await _month(keeper, Figure.SOURCE, told.period))
        return
    if (figure := asked_of(told, await keeper.known())) is not None:
        await state.set_state(Spending.line)
        await state.set_data({"said": text})
        days = told.period or this_month(keeper.reader.today)
        counted = await answers.counted(desk, person, figure, days)
        await show(message, desk, ad_screen(keeper.reader, counted, "".join(told.ad.parts)))
        return
    await _take(message, keeper, state, told, said=text)


async def prompt(message: ChatMessage, person: Person, desk: Desk, state: FSMContext) -> None:
    await state.set_state(Spending.line)
    await state.set_data({})
    await show(message, desk, prompt_screen(desk.reader(person.account_id, private=True)))


async def _take(
    message: ChatMessage, keeper: Bookkeeper, state: FSMContext, told: Told, *, said: str, edits: int | None = None
) -> None:
    """Show what was understood, or ask for what is missing or wrong."""
    faults = told.faults
    if told.minor is None and not faults:
        faults = (Fault(name="missing"),)
    if faults:
        await state.set_state(Spending.line)
        await state.set_data({"edits": edits, "said": "" if told.faults else said})
        await show(message, keeper.desk, wrong_screen(keeper.reader, faults))
        return
    await state.clear()
    entry = await keeper.draft(told, edits=edits)
    await show(message, keeper.desk, await keeper.check(entry, told))


async def typed_line(message: ChatMessage, person: Person, desk: Desk, state: FSMContext) -> None:
    kept, keeper = await state.get_data(), keeper_of(person, desk)
    edits = await keeper.entries.get(person.account_id, kept["edits"]) if kept.get("edits") else None
    text, said = message.text or "", kept.get("said", "")
    told = await keeper.read(text, said=said, edits=edits)
    await _take(message, keeper, state, told, said=f"{said} {text}", edits=edits.id if edits is not None else None)


async def write(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """Beside what is there already, if anything is."""
    await _enter(callback, argument, keeper_of(person, desk), instead=False)


async def replace(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    await _enter(callback, argument, keeper_of(person, desk), instead=True)


async def _enter(callback: CallbackQuery, argument: str, keeper: Bookkeeper, *, instead: bool) -> None:
    """A second press changes nothing and says so. What is beside it no longer as it was shown is shown anew first."""
    at, _, shown = argument.partition(":")
    entry = await _entry(callback, at, keeper)
    if entry is None:
        return
    if entry.state is EntryState.DRAFT and beside_key(await keeper.beside(entry)) != shown:
        await redraw(callback, keeper.desk, await keeper.check(entry), word=keeper.reader.say("spend.moved"))
        return
    done = await keeper.entries.enter(keeper.account, entry.id, keeper.desk.clock.now(), instead=instead)
    if not done and entry.state is EntryState.OUT:
        await toast(callback, keeper.reader.say("spend.gone"), alert=True)
        return
    word = "" if done else keeper.reader.say("spend.already")
    await redraw(callback, keeper.desk, await keeper.counted(entry), word=word)


async def rename(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    keeper, (at, kinds, key) = keeper_of(person, desk), (f"{argument}::".split(":"))[:3]
    entry = await _entry(callback, at, keeper)
    if entry is None:
        return
    named = await keeper.rename(entry, kinds, key)
    if named is None:
        await toast(callback, desk.texts.get("spend.gone"), alert=True)
        return
    await redraw(callback, desk, await keeper.check(named))


async def leave(callback: CallbackQuery, desk: Desk, state: FSMContext) -> None:
    await state.clear()
    await redraw(callback, desk, say(desk.texts.get("spend.kept_as_it_was")))


async def ask(callback: CallbackQuery, person: Person, desk: Desk, state: FSMContext) -> None:
    message = pressed_on(callback)
    await toast(callback)
    if message is not None:
        await prompt(message, person, desk, state)


async def edit(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext) -> None:
    keeper, message = keeper_of(person, desk), pressed_on(callback)
    entry = await _entry(callback, argument, keeper)
    if entry is None or message is None:
        return
    if entry.state is not EntryState.IN:
        await toast(callback, desk.texts.get("spend.gone"), alert=True)
        return
    await toast(callback)
    await state.set_state(Spending.line)
    await state.set_data({"edits": entry.id})
    await show(message, desk, prompt_screen(keeper.reader, entry=entry))


async def take_out(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    keeper = keeper_of(person, desk)
    entry = await _entry(callback, argument, keeper)
    if entry is None:
        return
    await keeper.entries.take_out(person.account_id, entry.id, desk.clock.now())
    await redraw(callback, desk, taken_out_screen(keeper.reader, entry))


async def bring_back(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """Checked once more: something else may stand there by now."""
    keeper = keeper_of(person, desk)
    entry = await _entry(callback, argument, keeper)
    if entry is None:
        return
    if entry.state is EntryState.IN:
        await redraw(callback, desk, await keeper.counted(entry), word=keeper.reader.say("spend.already"))
        return
    await keeper.entries.again(person.account_id, entry.id, desk.clock.now())
    if (draft := await keeper.entries.get(person.account_id, entry.id)) is not None:
        await redraw(callback, desk, await keeper.check(draft))


async def open_entry(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    keeper = keeper_of(person, desk)
    entry = await _entry(callback, argument, keeper)
    if entry is None:
        return
    if entry.state is EntryState.IN:
        head, costs = keeper.reader.say("spend.title"), await keeper.costs(entry)
        await redraw(callback, desk, entry_screen(keeper.reader, entry, head=head, found=costs))
    else:
        await redraw(callback, desk, taken_out_screen(keeper.reader, entry))


async def open_list(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    await redraw(callback, desk, await _listed(keeper_of(person, desk), number(argument) or 0))


async def open_month(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    letter, _, days = argument.partition(":")
    keeper = keeper_of(person, desk)
    figure = next((one for one in FIGURES if one == letter), Figure.SOURCE)
    await redraw(callback, desk, await _month(keeper, figure, period_off_button(days, keeper.reader.today)))


async def _listed(keeper: Bookkeeper, offset: int) -> Message:
    entries, total = await keeper.entries.listed(keeper.account, limit=PAGE, offset=offset)
    return list_screen(keeper.reader, entries, offset=offset, total=total)


async def _month(keeper: Bookkeeper, figure: Figure, period: Period | None) -> Message:
    """This month where no days are named."""
    days = period or this_month(keeper.reader.today)
    return month_screen(keeper.reader, await answers.counted(keeper.desk, keeper.person, figure, days))


async def _entry(callback: CallbackQuery, argument: str, keeper: Bookkeeper) -> SpendEntry | None:
    """The entry of a button; where it is gone the presser is told."""
    entry = await keeper.entries.get(keeper.account, number(argument) or 0)
    if entry is None:
        await toast(callback, keeper.reader.say("spend.gone"), alert=True)
    return entry
