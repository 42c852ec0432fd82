"""The local Telegram as tests and the demo hold it: people, chats, what the bot did, faults, and the web application."""

from collections.abc import Callable, Sequence

from aiohttp import web

from sandbox.telegram.clock import Clocks, Pulse
from sandbox.telegram.courier import Courier
from sandbox.telegram.faults import Fault, FaultKind
from sandbox.telegram.inbox import Inbox
from sandbox.telegram.journal import Call, Edit, Removal, Sent
from sandbox.telegram.limits import Limits
from sandbox.telegram.people import People
from sandbox.telegram.queries import Queries
from sandbox.telegram.site import Site
from sandbox.telegram.wire import Json, too_many
from sandbox.telegram.world import Chat, Message, Person, World

DEFAULT_TOKEN = "700700:local-telegram"  # noqa: S105  # opens nothing but this double


class TelegramDouble(People):
    """A Bot API server for one bot. Everything runs on one event loop; acts of people and faults are plain calls.

    ``callback_patience_s``: an answer to a press or an inline query later than this is refused as too old.
    ``webhook_pause_s``: the pause before a failed webhook delivery is repeated, doubled each time.
    """

    def __init__(
        self,
        *,
        token: str = DEFAULT_TOKEN,
        username: str = "svodka_bot",
        name: str = "Сводка",
        clocks: Clocks | None = None,
        privacy: bool = True,
        inline: bool = True,
        callback_patience_s: float = 15.0,
        webhook_pause_s: float = 1.0,
    ) -> None:
        times, pulse = clocks or Clocks(), Pulse()
        inbox = Inbox(pulse)
        bot = Person(id=int(token.split(":", 1)[0]), first_name=name, username=username, is_bot=True)
        super().__init__(
            Site(
                token=token,
                world=World(bot=bot),
                clocks=times,
                pulse=pulse,
                inbox=inbox,
                courier=Courier(inbox, times, webhook_pause_s),
                queries=Queries(pulse=pulse, patience_s=callback_patience_s),
                privacy=privacy,
                inline=inline,
            )
        )

    @property
    def token(self) -> str:
        return self.site.token

    @property
    def bot(self) -> Person:
        return self.site.world.bot

    # what the bot did

    @property
    def sent(self) -> Sequence[Sent]:
        """Every message the bot sent, in order, as it was when sent."""
        return self.site.journal.sent

    @property
    def edits(self) -> Sequence[Edit]:
        """Every edit by the bot with the message before and after, in order."""
        return self.site.journal.edits

    @property
    def removed(self) -> Sequence[Removal]:
        return self.site.journal.removed

    @property
    def calls(self) -> Sequence[Call]:
        """Every request with its outcome, in order of answering."""
        return self.site.journal.calls

    def calls_of(self, method: str) -> list[Call]:
        """Requests of one method, written in any case."""
        return [call for call in self.calls if call.method.lower() == method.lower()]

    def messages(self, chat: Chat) -> list[Message]:
        """What the chat shows now, oldest first."""
        return list(chat.messages.values())

    def history(self, message: Message) -> list[Message]:
        """Every version of a message of the bot, the first one first."""
        return self.site.journal.history(message.chat_id, message.message_id)

    def per_second(self, chat: Chat | None = None) -> dict[int, int]:
        """Messages and edits of the bot in each whole second of the monotonic clock."""
        return self.site.journal.per_second(None if chat is None else chat.id)

    def busiest(self, seconds: float, chat: Chat | None = None) -> int:
        """The most messages and edits of the bot in any stretch of ``seconds``."""
        return self.site.journal.busiest(seconds, None if chat is None else chat.id)

    async def until(self, ready: Callable[[], bool], timeout_s: float = 60.0) -> None:
        """Wait for ``ready``, looked at on every change; TimeoutError after ``timeout_s`` seconds."""
        if not await self.site.pulse.until(ready, timeout_s):
            raise TimeoutError("the bot did not do it in time")

    async def sent_next(self, count: int = 1, timeout_s: float = 60.0) -> Sequence[Sent]:
        """The next ``count`` messages the bot sends from now on."""
        before = len(self.sent)
        await self.until(lambda: len(self.sent) >= before + count, timeout_s)
        return self.sent[before : before + count]

    # faults and limits

    def keep_limits(self, limits: Limits | None) -> None:
        """Refuse by the published limits from now on; None takes everything (the state at the start)."""
        self.site.gate.set(limits)

    def flood(self, seconds: int, chat: Chat | None = None) -> None:
        """Answer every message and edit (of one chat) with 429 until ``seconds`` have passed."""
        self.site.gate.ban(None if chat is None else chat.id, self.site.now() + seconds)

    def refuse(
        self,
        status: int,
        description: str | None,
        *,
        method: str = "*",
        chat: Chat | None = None,
        times: int = 1,
        parameters: Json | None = None,
    ) -> Fault:
        """Answer the next calls with a JSON error; ``description`` None leaves that field out, as a bare 500 does."""
        rule = Fault(kind=FaultKind.REFUSE, method=method, chat_id=_id(chat), times=times, status=status)
        rule.description, rule.parameters = description, parameters
        return self.site.faults.add(rule)

    def too_many(self, retry_after: int, *, method: str = "send*", chat: Chat | None = None, times: int = 1) -> Fault:
        """Answer the next calls with 429; ``retry_after`` in seconds."""
        refusal = too_many(retry_after)
        return self.refuse(429, refusal.description, method=method, chat=chat, times=times, parameters=refusal.parameters)

    def bad_gateway(self, *, method: str = "*", times: int = 1) -> Fault:
        """Answer with 502 and an HTML page; nothing is done."""
        return self._break(FaultKind.BAD_GATEWAY, method, None, times)

    def drop(self, *, method: str = "send*", chat: Chat | None = None, times: int = 1, accepted: bool = True) -> Fault:
        """Cut the connection instead of answering, after the work is done (``accepted``) or before."""
        kind = FaultKind.DROP_AFTER if accepted else FaultKind.DROP_BEFORE
        return self._break(kind, method, chat, times)

    def hold(self, *, method: str = "send*", chat: Chat | None = None, times: int = 1) -> Fault:
        """Do the work and keep the answer back until ``release()`` of the result; ``reached`` says the work is done."""
        return self._break(FaultKind.HOLD, method, chat, times)

    def garble(self, *, method: str = "send*", times: int = 1) -> Fault:
        """Do the work and answer 200 with something that is not JSON."""
        return self._break(FaultKind.GARBLE, method, None, times)

    def clear_faults(self) -> None:
        """Forget every fault and let held answers go."""
        self.site.faults.clear()

    def _break(self, kind: FaultKind, method: str, chat: Chat | None, times: int) -> Fault:
        return self.site.faults.add(Fault(kind=kind, method=method, chat_id=_id(chat), times=times))

    # the web side

    def publish(self, kind: str, data: Json) -> None:
        """Tell the open pages something; "panel" makes them read /demo/panel.json again."""
        self.site.stream.publish(kind, data)

    def build_app(self, extra: Callable[[web.Application], None] | None = None) -> web.Application:
        """The Bot API, the control API and the page in one application; ``extra`` may add routes of its own."""
        from sandbox.telegram.server import build_app

        return build_app(self, extra)


def _id(chat: Chat | None) -> int | None:
    return None if chat is None else chat.id
