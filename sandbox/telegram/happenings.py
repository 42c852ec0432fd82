"""What happens in chats, told to the bot as updates: messages, members coming and going, a group that moves."""

from dataclasses import replace

from sandbox.telegram.autolinks import start_of
from sandbox.telegram.render import chat_json, is_leading, member_json, message_json, user_json
from sandbox.telegram.site import Site
from sandbox.telegram.utf16 import cut
from sandbox.telegram.wire import Json
from sandbox.telegram.world import PRESENT, Chat, ChatKind, Message, Person, Role


def tell(site: Site, kind: str, message: Message, chat: Chat) -> None:
    """A message as an update of ``kind``, when the bot may see it at all."""
    if chat.has(site.world.bot.id) and (message.service is not None or sees(site, message, chat)):
        site.inbox.push(kind, message_json(message, chat, site.world), chat.id)


def sees(site: Site, message: Message, chat: Chat) -> bool:
    """Privacy mode: in a group an ordinary member bot sees commands, mentions of it, answers to it, its inline messages."""
    bot = site.world.bot
    if chat.private or not site.privacy or is_leading(chat, bot.id) or message.via_bot:
        return True
    replied = chat.messages.get(message.reply_to or 0)
    return (replied is not None and replied.author == bot) or any(
        _calls(entity, message, bot) for entity in message.entities
    )


def _calls(entity: Json, message: Message, bot: Person) -> bool:
    length = entity["length"]
    said = cut(message.text, start_of(entity), length if isinstance(length, int) else 0).lower()
    name = f"@{bot.username.lower()}"
    if entity["type"] == "bot_command":
        return "@" not in said or said.endswith(name)
    return entity["type"] == "mention" and said == name


def service(site: Site, chat: Chat, author: Person, fields: Json) -> Message:
    """A service message ("so-and-so joined") put into the chat; telling the bot is the caller's choice."""
    message = Message(
        chat_id=chat.id,
        message_id=site.world.next_number(chat),
        date=site.clocks.unix(),
        author=author,
        service=fields,
    )
    site.store(message, chat)
    return message


def bot_role_changed(site: Site, chat: Chat, by: Person, role: Role) -> None:
    """Give the bot a new role in a chat: my_chat_member, and a line in a group that it came into."""
    bot = site.world.bot
    before = chat.role(bot.id)
    if before is role:
        return
    chat.members[bot.id] = role
    site.inbox.push("my_chat_member", _change(site, chat, by, (bot, before, role)), chat.id)
    if not chat.private and before not in PRESENT and role in PRESENT:
        fields: Json = {"new_chat_members": [user_json(bot)]}
        tell(site, "message", service(site, chat, by, fields), chat)
    site.chats_changed()


def member_role_changed(site: Site, chat: Chat, by: Person, person: Person, role: Role) -> None:
    """Give a person a new role: chat_member for a leading bot that asked for it, and a line for coming and going."""
    before = chat.role(person.id)
    if before is role:
        return
    chat.members[person.id] = role
    if is_leading(chat, site.world.bot.id):
        site.inbox.push("chat_member", _change(site, chat, by, (person, before, role)), chat.id)
    if (before in PRESENT) != (role in PRESENT):
        came = role in PRESENT
        fields: Json = {"new_chat_members": [user_json(person)]} if came else {"left_chat_member": user_json(person)}
        tell(site, "message", service(site, chat, by, fields), chat)
    site.chats_changed()


def _change(site: Site, chat: Chat, by: Person, change: tuple[Person, Role, Role]) -> Json:
    person, before, after = change
    return {
        "chat": chat_json(chat, site.world),
        "from": user_json(by),
        "date": site.clocks.unix(),
        "old_chat_member": member_json(person, before),
        "new_chat_member": member_json(person, after),
    }


def migrate(site: Site, chat: Chat, by: Person) -> Chat:
    """Turn a small group into a supergroup with a new id, members and title kept; both service messages are sent."""
    new = Chat(
        id=-1_000_000_000_000 + chat.id * 1000 - 1,
        kind=ChatKind.SUPERGROUP,
        title=chat.title,
        members=dict(chat.members),
        migrated_from=chat.id,
    )
    site.world.chats[new.id] = new
    farewell = service(site, chat, by, {"migrate_to_chat_id": new.id})
    tell(site, "message", farewell, chat)
    chat.migrated_to = new.id
    tell(site, "message", service(site, new, by, {"migrate_from_chat_id": chat.id}), new)
    site.chats_changed()
    return new


def edited(site: Site, chat: Chat, change: Message) -> Message:
    """A person's own message changed to ``change``: kept, shown as edited, told as edited_message."""
    after = replace(change, edited_at=site.clocks.unix())
    site.replace(after, chat)
    tell(site, "edited_message", after, chat)
    return after
