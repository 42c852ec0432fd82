"""The rules for registrations in Telegram: those who run the bot say what is to happen, in their own chat with it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.errors import VendorError
from domain.messages import Message
from domain.roles import Person
from domain.webinars import ALL_PAGES, PageId, RegistrationPage, Rule
from handlers.calls.screens import say
from handlers.desk import Desk
from handlers.talk.telegram import ADMINS, Pressed, in_private, pressed_in_private, redraw, show, toast
from handlers.webinars.drafts import page_ref
from handlers.webinars.reactions import unknown_placeholders
from handlers.webinars.rules import (
    EVERY,
    LONGEST_STATUS,
    MOST_STATUSES,
    rule_screen,
    rules_screen,
    status_ref,
    text_problem,
    text_question,
)
from handlers.wording import Reader
from storage.rules import RuleStore


class Ruling(StatesGroup):
    """What the next message is."""

    text = State()
    status = State()


def build_router() -> Router:
    router = Router(name="registration rules")
    words = (F.text, ~F.text.startswith("/"), ~F.via_bot, in_private)
    router.message.register(typed_text, StateFilter(Ruling.text), *words, flags=ADMINS)
    router.message.register(typed_status, StateFilter(Ruling.status), *words, flags=ADMINS)
    buttons: dict[str, Callable[..., Awaitable[None]]] = {"rules": open_rules, "rule": open_rule, "rstat": choose_status}
    buttons |= {"rtext": ask_text, "rclear": clear_text, "rtype": ask_status, "rdrop": drop_rule}
    for name, handler in buttons.items():
        router.callback_query.register(handler, Pressed(name), flags=ADMINS)
    return router


async def open_rules(callback: CallbackQuery, person: Person, desk: Desk, state: FSMContext) -> None:
    await state.clear()
    if await pressed_in_private(callback, desk) is None:
        return
    rules = await _store(desk).all(person.account_id)
    await redraw(callback, desk, rules_screen(_reader(desk, person), await _pages(desk, rules), rules))


async def open_rule(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext) -> None:
    await state.clear()
    found = await _found(callback, argument, person, desk)
    if found is not None:
        await redraw(callback, desk, await _screen(desk, person, *found))


async def choose_status(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """0 leaves the lead as it is; else one of the statuses that the screen offers."""
    ref, _, chosen = argument.rpartition(":")
    found = await _found(callback, ref, person, desk)
    if found is None:
        return
    page, rule = found
    offered = [rule.status, *await _store(desk).statuses(person.account_id, limit=MOST_STATUSES)]
    status = "" if chosen == "0" else next((one for one in offered if one and status_ref(one) == chosen), None)
    if status is None:
        await toast(callback, desk.texts.get("rule.status_gone"), alert=True)
        return
    rule = await _keep(desk, person, replace(rule, status=status))
    await redraw(callback, desk, await _screen(desk, person, page, rule))


async def clear_text(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found = await _found(callback, argument, person, desk)
    if found is not None:
        page, rule = found
        await redraw(callback, desk, await _screen(desk, person, page, await _keep(desk, person, replace(rule, message=""))))


async def drop_rule(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """The page follows the rule for all pages again."""
    found = await _found(callback, argument, person, desk)
    if found is not None:
        page, rule = found
        await _store(desk).drop(person, rule.page_id, desk.clock.now())
        common = await _store(desk).find(person.account_id, ALL_PAGES)
        await redraw(callback, desk, await _screen(desk, person, page, replace(common, page_id=rule.page_id)))


async def ask_text(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext) -> None:
    await _ask(callback, argument, person, desk, state, step=Ruling.text, screen=text_question(_reader(desk, person)))


async def ask_status(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext) -> None:
    await _ask(callback, argument, person, desk, state, step=Ruling.status, screen=say(desk.texts.get("rule.ask_status")))


async def typed_text(message: ChatMessage, person: Person, desk: Desk, state: FSMContext) -> None:
    text, reader = (message.text or "").strip(), _reader(desk, person)
    if problem := text_problem(reader, text, unknown_placeholders(text)):
        await show(message, desk, say(problem))
        return
    await _typed(message, person, desk, state, lambda rule: replace(rule, message=text))


async def typed_status(message: ChatMessage, person: Person, desk: Desk, state: FSMContext) -> None:
    status = " ".join((message.text or "").split())
    if len(status) > LONGEST_STATUS:
        await show(message, desk, say(desk.texts.get("rule.status_long", limit=LONGEST_STATUS)))
        return
    await _typed(message, person, desk, state, lambda rule: replace(rule, status=status))


async def _ask(
    callback: CallbackQuery,
    argument: str,
    person: Person,
    desk: Desk,
    state: FSMContext,
    *,
    step: State,
    screen: Message,
) -> None:
    found = await _found(callback, argument, person, desk)
    if found is None:
        return
    await state.set_data({"page": argument})
    await state.set_state(step)
    await redraw(callback, desk, screen)


async def _typed(
    message: ChatMessage, person: Person, desk: Desk, state: FSMContext, changed: Callable[[Rule], Rule]
) -> None:
    ref = str((await state.get_data()).get("page", EVERY))
    await state.clear()
    page, known = await _page(desk, person, ref)
    if not known:
        await show(message, desk, say(desk.texts.get("register.page_gone")))
        return
    rule = await _keep(desk, person, changed(await _in_force(desk, person, page)))
    await show(message, desk, await _screen(desk, person, page, rule))


async def _found(
    callback: CallbackQuery, ref: str, person: Person, desk: Desk
) -> tuple[RegistrationPage | None, Rule] | None:
    """The page of a button and what holds for it; where it is gone the presser is told."""
    page, known = await _page(desk, person, ref)
    if not known:
        await toast(callback, desk.texts.get("register.page_gone"), alert=True)
        return None
    return page, await _in_force(desk, person, page)


async def _page(desk: Desk, person: Person, ref: str) -> tuple[RegistrationPage | None, bool]:
    """The page, None for all of them; False: there is no such page."""
    if ref == EVERY:
        return None, True
    pages = await _pages(desk, await _store(desk).all(person.account_id))
    page = next((one for one in pages if page_ref(one) == ref), None)
    return page, page is not None


async def _pages(desk: Desk, rules: Sequence[Rule]) -> list[RegistrationPage]:
    """Those the platform tells, and those with a rule, also while it does not answer."""
    try:
        told = list(await desk.webinars.catalogue.pages()) if desk.webinars is not None else []
    except VendorError:
        told = []
    known = {page.page_id for page in told}
    own = [rule.page_id for rule in rules if rule.page_id and rule.page_id not in known]
    return [*told, *(RegistrationPage(page_id=page_id, title=page_id) for page_id in own)]


async def _in_force(desk: Desk, person: Person, page: RegistrationPage | None) -> Rule:
    """The page's own rule, else the common one under the page's name."""
    page_id = page.page_id if page is not None else ALL_PAGES
    rules = {rule.page_id: rule for rule in await _store(desk).all(person.account_id)}
    return replace(rules.get(page_id) or rules.get(ALL_PAGES) or Rule(), page_id=page_id)


async def _keep(desk: Desk, person: Person, rule: Rule) -> Rule:
    await _store(desk).keep(person, rule, desk.clock.now())
    return rule


async def _screen(desk: Desk, person: Person, page: RegistrationPage | None, rule: Rule) -> Message:
    rules = await _store(desk).all(person.account_id)
    own = PageId(rule.page_id) in {one.page_id for one in rules}
    statuses = await _store(desk).statuses(person.account_id, limit=MOST_STATUSES)
    return rule_screen(_reader(desk, person), page, rule, statuses, own=own)


def _store(desk: Desk) -> RuleStore:
    return RuleStore(desk.database)


def _reader(desk: Desk, person: Person) -> Reader:
    return desk.reader(person.account_id, private=True)
