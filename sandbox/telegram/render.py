"""People, chats, members and messages as the Bot API writes them."""

from sandbox.telegram.wire import Json
from sandbox.telegram.world import GENERAL_TOPIC, LEADING, Chat, Message, Person, Role, World

_ANONYMOUS: Json = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_pin_messages",
    "can_manage_topics",
    "can_send_welcome_messages",
)


def user_json(person: Person) -> Json:
    body: Json = {"id": person.id, "is_bot": person.is_bot, "first_name": person.first_name}
    optional = (("last_name", person.last_name), ("username", person.username))
    body.update({key: value for key, value in optional if value})
    if not person.is_bot:
        body["language_code"] = person.language
    return body


def me_json(bot: Person, *, reads_all: bool, inline: bool) -> Json:
    """The answer of getMe."""
    return {
        **user_json(bot),
        "can_join_groups": True,
        "can_read_all_group_messages": reads_all,
        "supports_inline_queries": inline,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": False,
    }


def chat_json(chat: Chat, world: World) -> Json:
    body: Json = {"id": chat.id, "type": chat.kind.value}
    person = world.people.get(chat.id)
    if chat.private and person is not None:
        names = (("first_name", person.first_name), ("last_name", person.last_name), ("username", person.username))
        return {**body, **{key: value for key, value in names if value}}
    body["title"] = chat.title
    if chat.username:
        body["username"] = chat.username
    return {**body, "is_forum": True} if chat.forum else body


def full_chat_json(chat: Chat, world: World) -> Json:
    """ChatFullInfo, the answer of getChat."""
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
    body: Json = {
        **chat_json(chat, world),
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(gifts, False),
    }
    pinned = chat.messages.get(chat.pinned[-1]) if chat.pinned else None
    return body if pinned is None else {**body, "pinned_message": message_json(pinned, chat, world)}


def member_json(person: Person, role: Role) -> Json:
    """ChatMember of the role; administrators have every right."""
    body: Json = {"user": user_json(person), "status": role.value}
    if role is Role.CREATOR:
        return {**body, "is_anonymous": False}
    if role is Role.ADMIN:
        return {**body, "can_be_edited": False, "is_anonymous": False, **dict.fromkeys(_RIGHTS, True)}
    return {**body, "until_date": 0} if role is Role.KICKED else body


def _sender(message: Message, chat: Chat, world: World) -> Json:
    if message.anonymous:
        return {"from": dict(_ANONYMOUS), "sender_chat": chat_json(chat, world)}
    return {"from": user_json(message.author)}


def _content(message: Message) -> Json:
    if message.service is not None:
        return dict(message.service)
    if message.file is None:
        body: Json = {"text": message.text}
        return {**body, "entities": list(message.entities)} if message.entities else body
    media = message.file.as_json()
    body = {message.file.kind: [media] if message.file.kind == "photo" else media}
    if message.file.kind == "document":
        body["document"] = media
    if message.text:
        body["caption"] = message.text
    return {**body, "caption_entities": list(message.entities)} if message.entities else body


def message_json(message: Message, chat: Chat, world: World, *, with_reply: bool = True) -> Json:
    """Message of the Bot API. The message replied to is inside, one level deep."""
    body: Json = {
        "message_id": message.message_id,
        "date": message.date,
        "chat": chat_json(chat, world),
        **_sender(message, chat, world),
        **_content(message),
    }
    if message.thread_id is not None and message.thread_id != GENERAL_TOPIC:
        body.update(message_thread_id=message.thread_id, is_topic_message=True)
    replied = chat.messages.get(message.reply_to) if message.reply_to is not None else None
    if replied is not None and with_reply:
        body["reply_to_message"] = message_json(replied, chat, world, with_reply=False)
    more = {
        "edit_date": message.edited_at,
        "reply_markup": message.keyboard,
        "link_preview_options": message.preview,
        "has_protected_content": message.protected or None,
        "via_bot": user_json(world.bot) if message.via_bot else None,
    }
    return {**body, **{key: value for key, value in more.items() if value is not None}}


def is_leading(chat: Chat, person_id: int) -> bool:
    return chat.role(person_id) in LEADING
