"""Rules for directions and creatives in Telegram: those who run the bot change them in their own chat with it."""

from collections.abc import Awaitable, Callable, Sequence

from aiogram import Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery

from domain.ads import AdRule, AdRules, AdRun, Sign
from domain.errors import BadInput
from domain.events import AdRunAsked
from domain.messages import Destination, Message
from domain.ports import Tx
from domain.roles import Person
from handlers.ads.asking import asking
from handlers.ads.run_messages import progress_screen
from handlers.ads.screens import apply_screen, nameless_screen, rule_screen, rules_screen
from handlers.calls.screens import say
from handlers.desk import Desk
from handlers.talk.telegram import ADMINS, Pressed, number, pressed_in_private, pressed_on, redraw, toast
from storage.ad_rules import AdRuleStore
from storage.ad_runs import AdRunStore
from storage.codec import dumps
from storage.names import NameStore
from storage.queries.marks import commonest_nameless, count_fitting, count_without_direction

MOST_MARKS = 8  # of each sign
OFFERED = (Sign.CAMPAIGN, Sign.CONTENT)
Buttons = dict[str, Callable[..., Awaitable[None]]]


def build_router() -> Router:
    router = Router(name="ad rules")
    buttons: Buttons = {"ads": open_rules, "adrule": open_rule, "adup": move_up, "addown": move_down, "addrop": drop}
    buttons |= {"adback": bring_back, "adnone": open_nameless, "adapply": ask_to_apply, "adgo": apply, "adundo": take_back}
    for name, handler in buttons.items():
        router.callback_query.register(handler, Pressed(name), flags=ADMINS)
    return router


async def open_rules(callback: CallbackQuery, person: Person, desk: Desk, state: FSMContext) -> None:
    await state.clear()
    if await pressed_in_private(callback, desk) is None:
        return
    await redraw(callback, desk, await listed(desk, person))


async def listed(desk: Desk, person: Person, word: str = "") -> Message:
    """All rules as they are now. ``word``: the name of the text for what has just been done."""
    rules = await AdRuleStore(desk.database).read(person.account_id)
    titles = await NameStore(desk.database).titles(person.account_id)
    nameless = await count_without_direction(desk.database, person.account_id)
    said = desk.texts.get(word) if word else ""
    return rules_screen(desk.reader(person.account_id, private=True), rules, titles, nameless=nameless, word=said)


async def rule_at(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> tuple[AdRules, int] | None:
    """The rule of a button, ``version:place``; where the rules have changed since, the presser is told."""
    version, _, place = argument.partition(":")
    rules = await AdRuleStore(desk.database).read(person.account_id)
    at = number(place)
    if at is None or rules.version != number(version) or at >= len(rules.rules):
        await toast(callback, desk.texts.get("ads.gone"), alert=True)
        return None
    return rules, at


async def open_rule(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found = await rule_at(callback, argument, person, desk)
    if found is None:
        return
    rules, place = found
    fitting = await count_fitting(desk.database, person.account_id, rules.rules[place])
    titles = await NameStore(desk.database).titles(person.account_id)
    await redraw(callback, desk, rule_screen(desk.reader(person.account_id, private=True), rules, place, titles, fitting))


async def move_up(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    await _move(callback, argument, person, desk, by=-1)


async def move_down(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    await _move(callback, argument, person, desk, by=1)


async def _move(callback: CallbackQuery, argument: str, person: Person, desk: Desk, *, by: int) -> None:
    found = await rule_at(callback, argument, person, desk)
    if found is None:
        return
    rules, place = found
    some = list(rules.rules)
    some.insert(max(place + by, 0), some.pop(place))
    await _changed(callback, person, desk, some, since=rules.version, word="ads.moved")


async def drop(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found = await rule_at(callback, argument, person, desk)
    if found is not None:
        rules, place = found
        left = rules.rules[:place] + rules.rules[place + 1 :]
        await _changed(callback, person, desk, left, since=rules.version, word="ads.dropped")


async def bring_back(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """The rules as they were before their last change; pressed twice it is as it was."""
    version = number(argument) or 0
    earlier = await AdRuleStore(desk.database).version(person.account_id, version - 1)
    await _changed(callback, person, desk, earlier.rules, since=version, word="ads.back")


async def _changed(
    callback: CallbackQuery, person: Person, desk: Desk, rules: Sequence[AdRule], *, since: int, word: str
) -> None:
    if not await AdRuleStore(desk.database).change(person, rules, since=since, now=desk.clock.now()):
        await toast(callback, desk.texts.get("ads.stale"), alert=True)
        return
    await redraw(callback, desk, await listed(desk, person, word))


async def open_nameless(callback: CallbackQuery, person: Person, desk: Desk, state: FSMContext) -> None:
    await state.clear()
    total = await count_without_direction(desk.database, person.account_id)
    counts = [
        one for sign in OFFERED for one in await commonest_nameless(desk.database, person.account_id, sign, most=MOST_MARKS)
    ]
    await redraw(callback, desk, nameless_screen(desk.reader(person.account_id, private=True), total, counts))


async def ask_to_apply(callback: CallbackQuery, person: Person, desk: Desk) -> None:
    rules = await AdRuleStore(desk.database).read(person.account_id)
    await redraw(callback, desk, apply_screen(desk.reader(person.account_id, private=True), rules))


async def apply(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """The rules of the version that was shown; what becomes of it takes the place of the message under the button."""
    version, message = number(argument), pressed_on(callback)
    rules = await AdRuleStore(desk.database).read(person.account_id)
    if message is None or version != rules.version:
        await toast(callback, desk.texts.get("ads.stale"), alert=True)
        return
    await toast(callback)
    place = Destination(chat_id=message.chat.id)

    async def shown(tx: Tx, run: AdRun) -> int:
        screen = progress_screen(desk.reader(person.account_id, private=True), run)
        return await desk.posts.take_over(tx, person.account_id, place, screen, message.message_id)

    run = await AdRunStore(desk.database).begin(
        person, rules.version, _work, shown, chat_id=place.chat_id, now=desk.clock.now()
    )
    if run is None:
        await redraw(callback, desk, say(desk.texts.get("ads.busy")))
        return
    desk.wake()
    await desk.submit(person.account_id, asking(run))


async def take_back(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    run_id, store = number(argument) or 0, AdRunStore(desk.database)
    try:
        run = await store.begin_undoing(person, run_id, _work, now=desk.clock.now())
    except BadInput as error:
        await toast(callback, error.hint, alert=True)
        return
    await toast(callback)
    await desk.submit(person.account_id, asking(run))


def _work(run: AdRun) -> tuple[str, str, str]:
    """As the event would be made work of: handing it in again only wakes who runs it."""
    event = asking(run)
    return "ads", f"{event.vendor}:{event.external_id}", dumps(AdRunAsked, event)
