"""A Telegram that only listens: updates go into a real dispatcher, what the bot calls is kept."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from itertools import count
from typing import Any

from aiogram import BaseMiddleware, Bot, Dispatcher
from aiogram.client.session.base import BaseSession
from aiogram.exceptions import TelegramBadRequest
from aiogram.methods import (
    AnswerCallbackQuery,
    AnswerInlineQuery,
    EditMessageReplyMarkup,
    EditMessageText,
    GetFile,
    GetMe,
    GetWebhookInfo,
    SendMessage,
    TelegramMethod,
)
from aiogram.types import Chat, File, Message, User, WebhookInfo

from bot.telegram.direct import answered
from bot.telegram.dispatcher import AnswerAlways, RoleGuard
from domain.roles import Person, Role
from handlers.desk import Desk
from handlers.routers import build_routers

PRIVATE_CHAT, GROUP = 10, -100500
OWNER = Person(user_id=1, account_id=1, telegram_id=PRIVATE_CHAT, role=Role.OWNER, name="Анна")
MANAGER = Person(user_id=2, account_id=1, telegram_id=PRIVATE_CHAT, role=Role.MANAGER, name="Олег")
ME = User(id=42, is_bot=True, first_name="Сводка", username="svodka_bot", supports_inline_queries=False)


class Listener(BaseSession):
    """Keeps every call. ``refuse`` names methods that fail, with Telegram's words."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[TelegramMethod[Any]] = []
        self.refuse: dict[str, str] = {}
        self.webhook = WebhookInfo(url="", has_custom_certificate=False, pending_update_count=0)
        self.file: bytes | None = None  # what is downloaded, whatever is asked for
        self._ids = count(1000)

    async def make_request(self, bot: Bot, method: TelegramMethod[Any], timeout: int | None = None) -> Any:
        self.calls.append(method)
        if isinstance(method, AnswerCallbackQuery) and (taps := answered.get()) is not None:
            taps.add(method.callback_query_id)  # as bot.telegram.direct notes it
        if method.__api_method__ in self.refuse:
            raise TelegramBadRequest(method=method, message=self.refuse[method.__api_method__])
        if isinstance(method, GetMe):
            return ME
        if isinstance(method, GetWebhookInfo):
            return self.webhook
        if isinstance(method, GetFile):
            return File(file_id=method.file_id, file_unique_id="u", file_path="documents/file")
        if isinstance(method, SendMessage):
            chat = Chat(id=int(method.chat_id), type="private" if int(method.chat_id) > 0 else "supergroup")
            return Message(message_id=next(self._ids), date=datetime.now(UTC), chat=chat, text=method.text)
        return True

    async def close(self) -> None:
        """Nothing is open."""

    async def stream_content(self, *args: Any, **kwargs: Any) -> AsyncGenerator[bytes, None]:
        assert self.file is not None, "nothing is downloaded"
        yield self.file


class Introduce(BaseMiddleware):
    """Stands where the gate stands: everybody who gets through is a known person."""

    def __init__(self, talk: "Talk") -> None:
        self.talk = talk

    async def __call__(self, handler: Any, event: Any, data: dict[str, Any]) -> Any:
        data["person"] = self.talk.person
        return await handler(event, data)


class Talk:
    """One person talking to the bot. Each step returns what the bot did, in words."""

    def __init__(self, desk: Desk, person: Person) -> None:
        self.person = person
        self.session = Listener()
        self.bot = Bot("42:TEST", session=self.session)
        self.dispatcher = Dispatcher(desk=desk)
        self.dispatcher.update.outer_middleware(Introduce(self))
        for name in ("message", "callback_query", "inline_query"):
            self.dispatcher.observers[name].middleware(RoleGuard())
        self.dispatcher.callback_query.middleware(AnswerAlways())
        self.dispatcher.include_routers(*build_routers())
        self._updates = count(1)

    async def say(self, text: str, *, chat: int = PRIVATE_CHAT, topic: int | None = None, reply_to: int | None = None,
                  via_bot: bool = False) -> str:  # fmt: skip
        message = self._message(chat, topic) | {"text": text}
        if reply_to is not None:
            message["reply_to_message"] = self._message(chat, topic) | {"message_id": reply_to, "text": "карточка"}
        if via_bot:
            message["via_bot"] = ME.model_dump(exclude_none=True)
        return await self._feed({"message": message})

    async def send_contact(self, name: str, phone: str) -> str:
        contact = {"phone_number": phone, "first_name": name}
        return await self._feed({"message": self._message(PRIVATE_CHAT, None) | {"contact": contact}})

    async def send(self, name: str, data: bytes, *, caption: str = "", chat: int = PRIVATE_CHAT, size: int = 0) -> str:
        """A file."""
        self.session.file = data
        document = {"file_id": "f", "file_unique_id": "u", "file_name": name, "file_size": size or len(data)}
        return await self._feed({"message": self._message(chat, None) | {"document": document, "caption": caption}})

    async def press(
        self, data: str, *, chat: int = PRIVATE_CHAT, topic: int | None = None, gone: bool = False, keyboard: Any = None
    ) -> str:
        below = self._message(chat, topic) | {"text": "карточка"}
        if keyboard is not None:
            below["reply_markup"] = {"inline_keyboard": keyboard}
        if gone:
            below = {"chat": below["chat"], "message_id": 7, "date": 0}
        query = {"id": "q1", "from": self._user(), "chat_instance": "x", "data": data, "message": below}
        return await self._feed({"callback_query": query})

    async def inline(self, text: str, offset: str = "") -> AnswerInlineQuery:
        await self._feed({"inline_query": {"id": "i1", "from": self._user(), "query": text, "offset": offset}})
        (answer,) = [call for call in self.session.calls if isinstance(call, AnswerInlineQuery)]
        return answer

    async def _feed(self, update: dict[str, Any]) -> str:
        self.session.calls.clear()
        await self.dispatcher.feed_raw_update(self.bot, {"update_id": next(self._updates), **update})
        return "\n".join(line for call in self.session.calls if (line := _in_words(call)))

    def keyboard(self) -> list[list[str]]:
        """What the buttons of the last message carry."""
        markup = getattr(self.shown()[-1], "reply_markup", None)
        rows = markup.inline_keyboard if markup is not None else []
        return [[b.callback_data or b.url or (b.copy_text.text if b.copy_text else "") for b in row] for row in rows]

    def shown(self) -> list[TelegramMethod[Any]]:
        """What was sent and edited in the last step."""
        return [c for c in self.session.calls if isinstance(c, SendMessage | EditMessageText | EditMessageReplyMarkup)]

    def _user(self) -> dict[str, Any]:
        return {"id": self.person.telegram_id, "is_bot": False, "first_name": self.person.name}

    def _message(self, chat: int, topic: int | None) -> dict[str, Any]:
        place: dict[str, Any] = {"id": chat, "type": "private"}
        if chat < 0:
            place = {"id": chat, "type": "supergroup", "title": "Отдел продаж"}
        message = {"message_id": 7, "date": 1_795_000_000, "chat": place, "from": self._user()}
        return message | ({"message_thread_id": topic, "is_topic_message": True} if topic else {})


def _in_words(call: TelegramMethod[Any]) -> str:
    if isinstance(call, SendMessage):
        return f"> {call.text}"
    if isinstance(call, EditMessageText):
        return f"~ {call.text}"
    if isinstance(call, EditMessageReplyMarkup):
        return "~ keyboard"
    if isinstance(call, AnswerCallbackQuery):
        return f"({call.text})" if call.text else ""
    return ""
