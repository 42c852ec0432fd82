"""editMessageText, editMessageCaption, editMessageReplyMarkup, deleteMessage, reactions and pins."""

from dataclasses import replace

from sandbox.telegram.addressing import chat_of, message_of
from sandbox.telegram.params import Params
from sandbox.telegram.render import is_leading, message_json
from sandbox.telegram.sending import read_caption, read_markup, read_preview, read_text
from sandbox.telegram.site import Method, Site
from sandbox.telegram.wire import NOT_MODIFIED, Json, as_list, as_object, bad_request
from sandbox.telegram.world import Chat, Message

_TWO_DAYS_S = 48 * 3600
_REACTIONS = frozenset(
    "👍👎❤🔥🥰👏😁🤔🤯😱🤬😢🎉🤩🤮💩🙏👌🕊🤡🥱🥴😍🐳🌚🌭💯🤣⚡🍌🏆💔🤨😐🍓🍾💋🖕😈😴😭🤓👻👀🎃🙈😇😨🤝✍🤗🫡🎅🎄☃💅🤪🗿🆒💘🙉🦄😘💊🙊😎👾😡"
)


def _find(site: Site, params: Params, what: str) -> tuple[Message, Chat]:
    """The message to change and its chat, by chat and number or by inline_message_id."""
    inline = params.text("inline_message_id")
    if inline:
        place = site.queries.inline_messages.get(inline)
        chat = site.world.chats.get(place[0]) if place is not None else None
        message = chat.messages.get(place[1]) if chat is not None and place is not None else None
        if chat is None or message is None:
            raise bad_request("MESSAGE_ID_INVALID")
        return message, chat
    chat = chat_of(site, params, write=True)
    message = message_of(params, chat, what)
    if message.author != site.world.bot or message.service is not None:
        raise bad_request("message can't be edited")
    return message, chat


def _apply(site: Site, method: str, change: tuple[Message, Message], chat: Chat, params: Params) -> Json | bool:
    before, after = change
    same = (before.text, before.entities, before.keyboard) == (after.text, after.entities, after.keyboard)
    if same:
        raise bad_request(NOT_MODIFIED)
    after = replace(after, edited_at=site.clocks.unix())
    site.edit(method, before, after, chat)
    return True if params.text("inline_message_id") else message_json(after, chat, site.world)


def edit_text(site: Site, params: Params) -> Json | bool:
    formatted = read_text(site, params)
    before, chat = _find(site, params, "message to edit")
    if before.file is not None:
        raise bad_request("there is no text in the message to edit")
    after = replace(
        before,
        text=formatted.text,
        entities=formatted.entities,
        markup=read_markup(params, chat, inline_only=True),  # an edit without a keyboard takes it away
        preview=read_preview(params),
    )
    return _apply(site, "editMessageText", (before, after), chat, params)


def edit_caption(site: Site, params: Params) -> Json | bool:
    formatted = read_caption(site, params)
    before, chat = _find(site, params, "message to edit")
    if before.file is None:
        raise bad_request("there is no caption in the message to edit")
    markup = read_markup(params, chat, inline_only=True)
    after = replace(before, text=formatted.text, entities=formatted.entities, markup=markup)
    return _apply(site, "editMessageCaption", (before, after), chat, params)


def edit_reply_markup(site: Site, params: Params) -> Json | bool:
    before, chat = _find(site, params, "message to edit")
    after = replace(before, markup=read_markup(params, chat, inline_only=True))
    return _apply(site, "editMessageReplyMarkup", (before, after), chat, params)


def delete_message(site: Site, params: Params) -> bool:
    chat = chat_of(site, params, write=True)
    message = message_of(params, chat, "message to delete")
    own = message.author == site.world.bot
    allowed = own or chat.private or is_leading(chat, site.world.bot.id)
    fresh = site.clocks.unix() - message.date < _TWO_DAYS_S or (not chat.private and is_leading(chat, site.world.bot.id))
    if not allowed or not fresh:
        raise bad_request("message can't be deleted")
    site.remove(message, chat)
    return True


def set_reaction(site: Site, params: Params) -> bool:
    chat = chat_of(site, params, write=True)
    message = message_of(params, chat, "message to react")
    raw = as_list(params.json("reaction", "can't parse reaction types JSON object"))
    emojis = tuple(str(as_object(one).get("emoji", "")).rstrip("\ufe0f") for one in raw)
    if len(emojis) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    if any(emoji not in _REACTIONS for emoji in emojis):
        raise bad_request("REACTION_INVALID")
    site.replace(replace(message, reactions=emojis), chat)
    return True


def pin(site: Site, params: Params) -> bool:
    chat = chat_of(site, params, write=True)
    message = message_of(params, chat, "message to pin")
    if not chat.private and not is_leading(chat, site.world.bot.id):
        raise bad_request("not enough rights to manage pinned messages in the chat")
    chat.pinned = [*(number for number in chat.pinned if number != message.message_id), message.message_id]
    site.chats_changed()
    return True


def unpin(site: Site, params: Params) -> bool:
    chat = chat_of(site, params, write=True)
    number = params.integer("message_id") or (chat.pinned[-1] if chat.pinned else 0)
    if number not in chat.pinned:
        raise bad_request("message to unpin not found")
    chat.pinned.remove(number)
    site.chats_changed()
    return True


METHODS: dict[str, Method] = {
    "editMessageText": edit_text,
    "editMessageCaption": edit_caption,
    "editMessageReplyMarkup": edit_reply_markup,
    "deleteMessage": delete_message,
    "setMessageReaction": set_reaction,
    "pinChatMessage": pin,
    "unpinChatMessage": unpin,
}
