"""Where a call goes: the chat, the topic, the message it answers or changes — or why not."""

from sandbox.telegram.params import Params
from sandbox.telegram.site import Site
from sandbox.telegram.wire import Refusal, as_object, bad_request, forbidden
from sandbox.telegram.world import GENERAL_TOPIC, Chat, ChatKind, Message, Role


def chat_of(site: Site, params: Params, *, write: bool) -> Chat:
    """The chat of ``chat_id``. Refusal 400 chat not found / migrate_to_chat_id, 403 blocked, kicked, not a member."""
    name = params.text("chat_id").strip()
    if not name:
        raise bad_request("chat_id is empty")
    chat = site.world.find_chat(name)
    if chat is None:
        raise bad_request("chat not found")
    if chat.migrated_to is not None and write:
        description = "Bad Request: group chat was upgraded to a supergroup chat"
        raise Refusal(400, description, {"migrate_to_chat_id": chat.migrated_to})
    if chat.private:
        _check_private(site, chat, write=write)
    elif chat.migrated_to is None:
        _check_group(site, chat, write=write)
    return chat


def _check_private(site: Site, chat: Chat, *, write: bool) -> None:
    role = chat.role(site.world.bot.id)
    if role is Role.LEFT:
        if any(True for _ in site.world.shared(chat.id)):
            raise forbidden("bot can't initiate conversation with a user")
        raise bad_request("chat not found")
    if role is Role.KICKED and write:
        raise forbidden("bot was blocked by the user")


def _check_group(site: Site, chat: Chat, *, write: bool) -> None:
    role = chat.role(site.world.bot.id)
    if not write and chat.kind is ChatKind.GROUP:
        return  # the bot may still read what it knew of a small group
    if role is Role.KICKED:
        raise forbidden(f"bot was kicked from the {chat.kind.value} chat")
    if role is Role.LEFT:
        raise forbidden(f"bot is not a member of the {chat.kind.value} chat")


def topic_of(params: Params, chat: Chat) -> int | None:
    """The topic, None for General and where there are no topics. Refusal 400 message thread not found."""
    thread = params.integer("message_thread_id")
    if not thread or not (chat.forum or chat.private):
        return None  # an ordinary group takes the number and does not look at it
    if thread == GENERAL_TOPIC or thread not in chat.topics:
        raise bad_request("message thread not found")
    return thread


def reply_of(site: Site, params: Params, chat: Chat) -> int | None:
    """The message answered to. Refusal 400 message to be replied not found, unless it may be sent without."""
    raw = params.json("reply_parameters", "can't parse reply parameters JSON object")
    if raw is None:
        raw = {
            "message_id": params.integer("reply_to_message_id"),
            "allow_sending_without_reply": params.flag("allow_sending_without_reply"),
        }
    if not isinstance(raw, dict):
        raise bad_request("object expected as reply parameters")
    number = raw.get("message_id")
    if number is None:
        return None
    if not isinstance(number, int) or isinstance(number, bool):
        raise bad_request('field "message_id" must be of type Number')
    other = raw.get("chat_id")
    source = chat if other in (None, "", chat.id, str(chat.id)) else site.world.find_chat(str(other))
    if source is None:
        raise bad_request("chat not found")
    if number not in source.messages:
        if raw.get("allow_sending_without_reply"):
            return None
        raise bad_request("message to be replied not found")
    return number if source is chat else None


def message_of(params: Params, chat: Chat, what: str) -> Message:
    """The message of ``message_id``; Refusal 400 "<what> not found"."""
    number = params.integer("message_id")
    message = chat.messages.get(number) if number is not None else None
    if message is None:
        raise bad_request(f"{what} not found")
    return message


def scope_key(site: Site, params: Params) -> tuple[str, int, int, str]:
    """Whose commands a call is about: (scope, chat id or 0, user id or 0, language). Refusal 400."""
    raw = params.json("scope", "can't parse BotCommandScope JSON object")
    scope = as_object(raw)
    kind = str(scope.get("type") or "default")
    language = params.text("language_code")
    if kind in ("default", "all_private_chats", "all_group_chats", "all_chat_administrators"):
        return kind, 0, 0, language
    if kind not in ("chat", "chat_administrators", "chat_member"):
        raise bad_request("can't parse BotCommandScope: Unsupported type specified")
    if not scope.get("chat_id"):
        raise bad_request("can't parse BotCommandScope: Empty chat_id specified")
    chat = chat_of(site, Params(values={"chat_id": scope["chat_id"]}), write=False)
    user = scope.get("user_id")
    if kind != "chat_member":
        return kind, chat.id, 0, language
    if not isinstance(user, int):
        raise bad_request("can't parse BotCommandScope: Invalid user_id specified")
    return kind, chat.id, user, language
