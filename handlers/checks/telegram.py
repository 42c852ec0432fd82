"""/check in Telegram: the running bot examines itself, says so at once and shows what it found in the same message."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aiogram import F, Router
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.messages import Destination, Message
from domain.roles import Person
from handlers.calls.screens import action, say
from handlers.checks.asked import read_asked, read_plain
from handlers.checks.desk import Rehearsed, Report
from handlers.checks.hooks import subscribed
from handlers.checks.rehearsal import asks_for_rehearsal, offer_screen, rehearsed_screen
from handlers.checks.screens import begun_screen, broken_screen, report_screen, summary_screen
from handlers.desk import Desk
from handlers.talk.telegram import ADMINS, Pressed, in_private, place_of, pressed_on, redraw, show, toast
from handlers.wording import Reader, shortened

WORD_LIMIT = 30


def build_router() -> Router:
    """For those who run the bot; its plain words stand before those about calls."""
    router = Router(name="checks")
    router.message.register(check_command, Command("check", "проверка", "проверить", ignore_case=True), flags=ADMINS)
    router.message.register(check_in_words, F.text, in_private, ~F.via_bot, asked_in_words, flags=ADMINS)
    router.callback_query.register(check_button, Pressed("check"), flags=ADMINS)
    router.callback_query.register(subscribe_button, Pressed("hookset"), flags=ADMINS)
    router.callback_query.register(rehearse_button, Pressed("rehearse"), flags=ADMINS)
    router.callback_query.register(show_all, Pressed("chkall"), flags=ADMINS)
    return router


def asked_in_words(message: ChatMessage) -> bool | dict[str, str]:
    """A filter: the handler gets ``only``."""
    only = read_plain(message.text or "")
    return False if only is None else {"only": only}


async def check_command(message: ChatMessage, command: CommandObject, person: Person, desk: Desk) -> None:
    words = (command.args or "").strip()
    if asks_for_rehearsal(words):
        await offer_rehearsal(message, person, desk)
        return
    only = read_asked(words)
    if only is None:
        await show(message, desk, say(desk.texts.get("checks.unknown", word=shortened(words, WORD_LIMIT))))
    elif not _begin(message, only, person, desk, name=str(message.message_id)):
        await show(message, desk, say(desk.texts.get("checks.running")))


async def offer_rehearsal(message: ChatMessage, person: Person, desk: Desk) -> None:
    """Its price first. In private: the cards of its leads come there, and nobody else is to wonder at them."""
    if not in_private(message):
        await show(message, desk, say(desk.texts.get("rehearsal.private_only")))
        return
    await show(message, desk, offer_screen(desk.reader(person.account_id, private=True), await desk.doctor.price()))


async def rehearse_button(callback: CallbackQuery, person: Person, desk: Desk) -> None:
    message = pressed_on(callback)
    if message is None or not in_private(message):
        await toast(callback, desk.texts.get("checks.gone"), alert=True)
        return
    key = f"rehearse:{message.chat.id}:{callback.id}"
    asker = Asker(desk=desk, person=person, place=place_of(message), private=True, only="", key=key)
    if desk.doctor.rehearse(person.account_id, asker):
        await toast(callback)
    else:
        await toast(callback, desk.texts.get("rehearsal.running"), alert=True)


async def check_in_words(message: ChatMessage, only: str, person: Person, desk: Desk) -> None:
    if not _begin(message, only, person, desk, name=str(message.message_id)):
        await show(message, desk, say(desk.texts.get("checks.running")))


async def check_button(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    message, only = pressed_on(callback), read_asked(argument)
    if message is None or only is None:
        await toast(callback, desk.texts.get("checks.gone"), alert=True)
    elif _begin(message, only, person, desk, name=callback.id):
        await toast(callback)
    else:
        await toast(callback, desk.texts.get("checks.running"), alert=True)


async def subscribe_button(callback: CallbackQuery, argument: str, desk: Desk) -> None:
    """Pressed twice it is done once: the vendor keeps one hook an address."""
    await toast(callback)  # the vendor may take longer than a press waits for
    told = await subscribed(desk, argument)
    if (message := pressed_on(callback)) is not None:
        await show(message, desk, say(told, (action(desk.texts.get("checks.again"), f"check:{argument}"),)))


async def show_all(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """Only where the details are: in private."""
    message = pressed_on(callback)
    report = desk.doctor.report(person.account_id, argument)
    if report is None or message is None or not in_private(message):
        await toast(callback, desk.texts.get("checks.gone"), alert=True)
        return
    await redraw(callback, desk, report_screen(desk.reader(person.account_id, private=True), report, whole=True))


def _begin(message: ChatMessage, only: str, person: Person, desk: Desk, *, name: str) -> bool:
    """``name``: of the command or press, so that the same update handled twice keeps to one message."""
    key = f"check:{message.chat.id}:{name}"
    asker = Asker(desk=desk, person=person, place=place_of(message), private=in_private(message), only=only, key=key)
    return desk.doctor.begin(person.account_id, only, asker)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asked, and where. Told through the outbox: the result comes even where Telegram is away meanwhile."""

    desk: Desk
    person: Person
    place: Destination
    private: bool
    only: str
    key: str

    async def begun(self) -> None:
        await self._tell(begun_screen(self._reader, self.only))

    async def ended(self, report: Report) -> None:
        """In a group the outcome alone is shown, the details go to who asked."""
        details = report_screen(self._reader, report)
        if self.private:
            await self._tell(details)
            return
        await self._tell(summary_screen(self._reader, report))
        own = Destination(chat_id=self.person.telegram_id)
        await self.desk.send(self.person.account_id, own, replace(details, key=f"{self.key}:own"))

    async def rehearsing(self) -> None:
        await self._tell(say(self._reader.say("rehearsal.begun")))

    async def rehearsed(self, parts: Sequence[Rehearsed] | None) -> None:
        told = rehearsed_screen(self._reader, parts) if parts else say(self._reader.say("rehearsal.broken"))
        await self._tell(told)

    async def broken(self) -> None:
        await self._tell(broken_screen(self._reader, self.only))

    @property
    def _reader(self) -> Reader:
        return self.desk.reader(self.person.account_id, private=self.private)

    async def _tell(self, screen: Message) -> None:
        await self.desk.send(self.person.account_id, self.place, replace(screen, key=self.key))
