"""A rule for directions or creatives in a dialogue: each part is asked once, then shown whole with whom it would fit."""

from dataclasses import replace

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.ads import How, Part, Sign
from domain.imports import CreativeRow
from domain.messages import Message
from domain.roles import Person
from handlers.ads.drafts import Draft, Step, draft_from, draft_of
from handlers.ads.screens import LONGEST_TITLE, LONGEST_VALUE, MOST_RULES, check_screen, mark_ref, question_screen
from handlers.ads.telegram import MOST_MARKS, OFFERED, Buttons, listed, rule_at
from handlers.calls.screens import say
from handlers.desk import Desk
from handlers.talk.telegram import ADMINS, Pressed, in_private, number, redraw, show, toast
from storage.ad_rules import AdRuleStore
from storage.names import NameStore
from storage.queries.marks import commonest_nameless, count_fitting

_CHOICES = {"adsign": (Step.SIGN, Sign), "adhow": (Step.HOW, How), "adpart": (Step.PART, Part)}


class Drafting(StatesGroup):
    """What the next message is, if it is anything; or the press that saves the rule is awaited."""

    value = State()
    title = State()
    pressing = State()


def build_router() -> Router:
    router = Router(name="ad rule drafts")
    words = (F.text, ~F.text.startswith("/"), ~F.via_bot, in_private)
    router.message.register(typed, StateFilter(Drafting.value, Drafting.title), *words, flags=ADMINS)
    buttons: Buttons = {"adadd": begin, "adedit": edit, "adnew": begin_for_mark, "adname": choose_name}
    buttons |= {"adask": ask_again, "adsave": save, "adsign": choose, "adhow": choose, "adpart": choose}
    for name, handler in buttons.items():
        router.callback_query.register(handler, Pressed(name), flags=ADMINS)
    return router


async def begin(callback: CallbackQuery, person: Person, desk: Desk, state: FSMContext) -> None:
    draft = await _new(callback, person, desk)
    if draft is not None:
        await redraw(callback, desk, await _next(desk, person, state, draft))


async def begin_for_mark(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext) -> None:
    """A mark of leads without a direction: all but what it means is known."""
    sign, _, ref = argument.partition(":")
    counts = []
    if sign in OFFERED:
        counts = await commonest_nameless(desk.database, person.account_id, Sign(sign), most=MOST_MARKS)
    value = next((one.value for one in counts if mark_ref(one.value) == ref), "")
    if not value:
        await toast(callback, desk.texts.get("ads.mark_gone"), alert=True)
        return
    draft = await _new(callback, person, desk)
    if draft is not None:
        draft = replace(draft, sign=sign, how=How.EQUALS.value, value=value, part=Part.DIRECTION.value)
        await redraw(callback, desk, await _next(desk, person, state, draft))


async def _new(callback: CallbackQuery, person: Person, desk: Desk) -> Draft | None:
    rules = await AdRuleStore(desk.database).read(person.account_id)
    if len(rules.rules) >= MOST_RULES:
        await toast(callback, desk.texts.get("ads.too_many", most=MOST_RULES), alert=True)
        return None
    return Draft(version=rules.version)


async def edit(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext) -> None:
    found = await rule_at(callback, argument, person, desk)
    if found is not None:
        rules, place = found
        rule = rules.rules[place]
        title = (await NameStore(desk.database).titles(person.account_id))[rule.part].get(rule.name_id, "")
        draft = draft_from(rule, title, place=place, version=rules.version)
        await redraw(callback, desk, await _next(desk, person, state, draft))


async def choose(
    callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext, *, action: str
) -> None:
    step, known = _CHOICES[action]
    draft = await _draft(callback, desk, state)
    if draft is None or argument not in set(known):
        return
    await redraw(callback, desk, await _next(desk, person, state, draft.saying(step, argument)))


async def choose_name(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext) -> None:
    draft = await _draft(callback, desk, state)
    if draft is None or not draft.part:
        return
    title = (await NameStore(desk.database).titles(person.account_id))[Part(draft.part)].get(number(argument) or 0)
    if title is None:
        await toast(callback, desk.texts.get("ads.gone"), alert=True)
        return
    await redraw(callback, desk, await _next(desk, person, state, replace(draft, title=title)))


async def ask_again(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext) -> None:
    draft = await _draft(callback, desk, state)
    if draft is not None and argument in set(Step):
        await redraw(callback, desk, await _ask(desk, person, state, draft, Step(argument)))


async def typed(message: ChatMessage, person: Person, desk: Desk, state: FSMContext) -> None:
    """A value, or the name of a direction or creative."""
    draft = draft_of(await state.get_data())
    if draft is None:
        await state.clear()
        await show(message, desk, say(desk.texts.get("ads.ended")))
        return
    step = Step.VALUE if await state.get_state() == Drafting.value.state else Step.TITLE
    text, limit = " ".join((message.text or "").split()), LONGEST_VALUE if step is Step.VALUE else LONGEST_TITLE
    if len(text) > limit:
        await show(message, desk, say(desk.texts.get("ads.value_long", given=len(text), limit=limit)))
        return
    await show(message, desk, await _next(desk, person, state, draft.saying(step, text)))


async def save(callback: CallbackQuery, person: Person, desk: Desk, state: FSMContext) -> None:
    """Its direction or creative is there first: a rule that names nothing would be worse than a name without a rule."""
    draft = await _draft(callback, desk, state)
    if draft is None or draft.missing is not None:
        return
    store, now, part = AdRuleStore(desk.database), desk.clock.now(), Part(draft.part)
    rules = list((await store.version(person.account_id, draft.version)).rules)
    titles = [draft.title] if part is Part.DIRECTION else []
    ads = [CreativeRow(title=draft.title)] if part is Part.CREATIVE else []
    names, _ = await NameStore(desk.database).add(person.account_id, titles, ads, now)
    name_id = names.direction(draft.title) if part is Part.DIRECTION else names.creative(draft.title)
    assert name_id is not None  # noqa: S101 - it was added just now
    place = len(rules) if draft.place < 0 else draft.place
    rules[place : place + 1] = [draft.rule(name_id)]
    await state.clear()
    if not await store.change(person, rules, since=draft.version, now=now):
        await toast(callback, desk.texts.get("ads.stale"), alert=True)
        return
    await redraw(callback, desk, await listed(desk, person, "ads.saved"))


async def _draft(callback: CallbackQuery, desk: Desk, state: FSMContext) -> Draft | None:
    """The rule under way; where the conversation has ended the presser is told."""
    draft = draft_of(await state.get_data())
    if draft is None:
        await toast(callback, desk.texts.get("ads.ended"), alert=True)
    return draft


async def _next(desk: Desk, person: Person, state: FSMContext, draft: Draft) -> Message:
    """What is not known yet is asked; a rule that is complete is shown."""
    if draft.missing is not None:
        return await _ask(desk, person, state, draft, draft.missing)
    await state.set_state(Drafting.pressing)
    await state.set_data(draft.kept())
    part = Part(draft.part)
    names = (await NameStore(desk.database).titles(person.account_id))[part].values()
    fitting = await count_fitting(desk.database, person.account_id, draft.rule())
    new = draft.title.casefold() not in {name.casefold() for name in names}
    return check_screen(desk.reader(person.account_id, private=True), draft, fitting, new_name=new)


async def _ask(desk: Desk, person: Person, state: FSMContext, draft: Draft, step: Step) -> Message:
    waits = {Step.VALUE: Drafting.value, Step.TITLE: Drafting.title}
    await state.set_state(waits.get(step, Drafting.pressing))
    await state.set_data(draft.kept())
    names = (await NameStore(desk.database).titles(person.account_id))[Part(draft.part)] if step is Step.TITLE else {}
    return question_screen(desk.reader(person.account_id, private=True), step, draft, names)
