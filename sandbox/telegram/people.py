"""What people do: come and go, write, press buttons, ask inline. Each act tells the bot what Telegram would tell it."""

from dataclasses import replace

from sandbox.telegram.happenings import bot_role_changed, edited, member_role_changed, migrate, tell
from sandbox.telegram.keyboards import buttons_of
from sandbox.telegram.params import Upload
from sandbox.telegram.queries import InlineQuery, Press
from sandbox.telegram.render import chat_json, message_json, user_json
from sandbox.telegram.site import Site
from sandbox.telegram.texts import TEXT_LIMIT, format_text
from sandbox.telegram.utf16 import units
from sandbox.telegram.wire import Json, as_object
from sandbox.telegram.world import GENERAL_TOPIC, PRESENT, Chat, ChatKind, Message, Person, Role


class People:
    """Acts of people against one site. A wrong act (a stranger writes, no such button) is a ValueError."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._next_person = 10_001
        self._next_group = 1

    # who and where

    def person(
        self,
        first_name: str,
        last_name: str = "",
        *,
        username: str = "",
        number: int | None = None,
        started: bool = False,
    ) -> Person:
        """A new person with the id ``number``; ``started``: pressed Start long ago, the bot gets no update of it."""
        number = self._next_person if number is None else number
        self._next_person = max(self._next_person, number) + 1
        person = Person(id=number, first_name=first_name, last_name=last_name, username=username)
        self.site.world.people[number] = person
        chat = Chat(id=number, kind=ChatKind.PRIVATE, members={number: Role.MEMBER})
        if started:
            chat.members[self.site.world.bot.id] = Role.MEMBER
        self.site.world.chats[number] = chat
        self.site.chats_changed()
        return person

    def group(
        self,
        title: str,
        members: dict[Person, Role],
        *,
        supergroup: bool = True,
        forum: bool = False,
        bot: Role | None = Role.MEMBER,
        number: int | None = None,
    ) -> Chat:
        """A new group with the chat id ``number``; ``bot``: its role (None: not in it), given without an update.

        A forum is a supergroup.
        """
        self._next_group += 1
        kind = ChatKind.SUPERGROUP if supergroup or forum else ChatKind.GROUP
        if number is None:
            number = -self._next_group - (1_000_000_000_000 if kind is ChatKind.SUPERGROUP else 0)
        chat = Chat(id=number, kind=kind, title=title, forum=forum, members={who.id: role for who, role in members.items()})
        if bot is not None:
            chat.members[self.site.world.bot.id] = bot
        self.site.world.chats[number] = chat
        self.site.chats_changed()
        return chat

    def topic(self, chat: Chat, name: str) -> int:
        """A new topic of a forum; its message_thread_id."""
        if not chat.forum:
            raise ValueError(f"{chat.title!r} has no topics")
        number = self.site.world.next_number(chat)
        if number == GENERAL_TOPIC:  # the number of General is never given to a topic
            number = self.site.world.next_number(chat)
        chat.topics[number] = name
        self.site.chats_changed()
        return number

    def delete_topic(self, chat: Chat, topic: int) -> None:
        """Take a topic away with its messages."""
        chat.topics.pop(topic)
        for message in [one for one in chat.messages.values() if one.thread_id == topic]:
            self.site.forget(message, chat)
        self.site.chats_changed()

    def private(self, person: Person) -> Chat:
        return self.site.world.chats[person.id]

    # writing

    def say(
        self,
        person: Person,
        text: str,
        *,
        chat: Chat | None = None,
        topic: int | None = None,
        reply_to: Message | None = None,
        anonymous: bool = False,
    ) -> Message:
        """Write in a chat (by default to the bot). Commands, links and mentions become entities by themselves.

        ``anonymous``: as the group itself, the way an anonymous administrator does. Writing to a bot one had blocked
        unblocks it first.
        """
        place = self._enter(person, chat)
        formatted = format_text(text, "", None, self.site.known_user)
        if not formatted.text or units(formatted.text) > TEXT_LIMIT:
            raise ValueError("a message has 1 to 4096 characters")
        draft = self._draft(person, place, topic=topic, reply_to=reply_to)
        return self._put(replace(draft, text=formatted.text, entities=formatted.entities, anonymous=anonymous), place)

    def start(self, person: Person, payload: str = "") -> Message:
        """Press Start, or open a t.me/bot?start=payload link."""
        return self.say(person, f"/start {payload}".strip())

    def send_file(
        self, person: Person, name: str, data: bytes, *, kind: str = "document", content_type: str, chat: Chat | None = None
    ) -> Message:
        """Send a file of ``kind`` document, audio, voice or photo."""
        place = self._enter(person, chat)
        file = self.site.shelf.keep(kind, Upload(name=name, content_type=content_type, data=data))
        return self._put(replace(self._draft(person, place), file=file), place)

    def rewrite(self, message: Message, text: str) -> Message:
        """A person edits a message of theirs."""
        formatted = format_text(text, "", None, self.site.known_user)
        changed = replace(message, text=formatted.text, entities=formatted.entities)
        return edited(self.site, self.site.world.chats[message.chat_id], changed)

    def erase(self, message: Message) -> None:
        """A person deletes a message, perhaps the bot's: Telegram tells the bot nothing."""
        self.site.forget(message, self.site.world.chats[message.chat_id])

    def react(self, person: Person, message: Message, emoji: str) -> None:
        """Put a reaction on a message."""
        chat = self._enter(person, self.site.world.chats[message.chat_id])
        body: Json = {
            "chat": chat_json(chat, self.site.world),
            "message_id": message.message_id,
            "user": user_json(person),
            "date": self.site.clocks.unix(),
            "old_reaction": [],
            "new_reaction": [{"type": "emoji", "emoji": emoji}],
        }
        self.site.replace(replace(message, reactions=(*message.reactions, emoji)), chat)
        self.site.inbox.push("message_reaction", body, chat.id)

    def _enter(self, person: Person, chat: Chat | None) -> Chat:
        place = chat if chat is not None else self.private(person)
        if not place.has(person.id) or place.migrated_to is not None:
            raise ValueError(f"{person.name} is not in the chat {place.id}")
        if place.private and not place.has(self.site.world.bot.id):
            if place.role(self.site.world.bot.id) is Role.KICKED:
                bot_role_changed(self.site, place, person, Role.MEMBER)
            place.members[self.site.world.bot.id] = Role.MEMBER
            self.site.chats_changed()
        return place

    def _draft(self, person: Person, chat: Chat, *, topic: int | None = None, reply_to: Message | None = None) -> Message:
        if topic is not None and topic not in chat.topics:
            raise ValueError(f"no topic {topic} in the chat {chat.id}")
        return Message(
            chat_id=chat.id,
            message_id=0,
            date=self.site.clocks.unix(),
            author=person,
            thread_id=topic,
            reply_to=None if reply_to is None else reply_to.message_id,
        )

    def _put(self, draft: Message, chat: Chat) -> Message:
        message = replace(draft, message_id=self.site.world.next_number(chat))
        self.site.store(message, chat)
        tell(self.site, "message", message, chat)
        return message

    # buttons and inline

    def press(self, person: Person, message: Message, button: str) -> Press:
        """Press the callback button with this text or callback_data, on the message as it is now."""
        chat = self._enter(person, self.site.world.chats[message.chat_id])
        now = chat.messages.get(message.message_id)
        found = next((one for one in buttons_of(now.keyboard if now else None) if button in _names(one)), None)
        if now is None or found is None:
            raise ValueError(f"no button {button!r} on the message {message.message_id}")
        data = str(found["callback_data"])
        press = self.site.queries.press(person, (chat.id, now.message_id), data, self.site.now())
        body: Json = {"id": press.id, "from": user_json(person), "chat_instance": str(abs(chat.id)), "data": data}
        inline = {place: name for name, place in self.site.queries.inline_messages.items()}.get((chat.id, now.message_id))
        if inline is not None:
            body["inline_message_id"] = inline
        else:
            body["message"] = message_json(now, chat, self.site.world)
        self.site.inbox.push("callback_query", body, chat.id)
        return press

    def ask_inline(self, person: Person, text: str, *, chat: Chat | None = None) -> InlineQuery:
        """Type "@bot text" in a chat; the answer is awaited with ``answered()`` of the result."""
        place = chat if chat is not None else self.private(person)
        query = self.site.queries.ask(person, text, self.site.now())
        body: Json = {"id": query.id, "from": user_json(person), "query": text, "offset": ""}
        body["chat_type"] = "sender" if place.private else place.kind.value
        self.site.inbox.push("inline_query", body, person.id)
        return query

    def choose(self, query: InlineQuery, result_id: str, *, chat: Chat | None = None) -> Message:
        """Pick an inline result: it is sent to the chat in the person's name, and the bot hears of the choice."""
        result = next((one for one in query.results or () if one.get("id") == result_id), None)
        if result is None:
            raise ValueError(f"no inline result {result_id!r}")
        place = self._enter(query.person, chat)
        content = as_object(result.get("input_message_content")) or {
            "message_text": str(result.get("caption") or result["id"])
        }
        formatted = format_text(
            str(content.get("message_text")),
            str(content.get("parse_mode") or ""),
            content.get("entities"),
            self.site.known_user,
        )
        markup = as_object(result.get("reply_markup")) or None
        draft = replace(self._draft(query.person, place), text=formatted.text, entities=formatted.entities)
        message = self._put(replace(draft, markup=markup, via_bot=True), place)
        body: Json = {"result_id": result_id, "from": user_json(query.person), "query": query.text}
        if markup is not None:
            body["inline_message_id"] = self.site.queries.inline_message((place.id, message.message_id))
        self.site.inbox.push("chosen_inline_result", body, query.person.id)
        return message

    # coming and going

    def add_bot(self, chat: Chat, by: Person, role: Role = Role.MEMBER) -> None:
        """Take the bot into a group, or give it another role there."""
        if role not in PRESENT:
            raise ValueError("a bot is added as a member or an administrator")
        bot_role_changed(self.site, chat, by, role)

    def remove_bot(self, chat: Chat, by: Person) -> None:
        bot_role_changed(self.site, chat, by, Role.KICKED)

    def block_bot(self, person: Person) -> None:
        bot_role_changed(self.site, self.private(person), person, Role.KICKED)

    def unblock_bot(self, person: Person) -> None:
        bot_role_changed(self.site, self.private(person), person, Role.MEMBER)

    def set_role(self, chat: Chat, person: Person, role: Role, *, by: Person) -> None:
        """Let a person join, leave, be promoted or thrown out."""
        member_role_changed(self.site, chat, by, person, role)

    def migrate(self, chat: Chat, by: Person) -> Chat:
        """Turn a small group into a supergroup; the new chat."""
        return migrate(self.site, chat, by)


def _names(button: Json) -> tuple[object, ...]:
    return (button["text"], button["callback_data"]) if button.get("callback_data") is not None else ()
