"""sendMessage, sendDocument, sendAudio, sendVoice, sendPhoto, sendChatAction."""

from dataclasses import replace

from sandbox.telegram.addressing import chat_of, reply_of, topic_of
from sandbox.telegram.keyboards import check_markup
from sandbox.telegram.params import Params
from sandbox.telegram.render import message_json
from sandbox.telegram.site import Method, Site
from sandbox.telegram.texts import CAPTION_LIMIT, TEXT_LIMIT, Formatted, format_text
from sandbox.telegram.utf16 import units
from sandbox.telegram.wire import Json, as_object, bad_request
from sandbox.telegram.world import Chat, Message

_ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)


def read_text(site: Site, params: Params) -> Formatted:
    """The text of a call: 1-4096 UTF-16 code units after parsing, else Refusal 400."""
    raw = params.text("text")
    if not raw:
        raise bad_request("message text is empty")
    entities = params.json("entities", "can't parse entities JSON object")
    formatted = format_text(raw, params.text("parse_mode"), entities, site.known_user)
    if not formatted.text:
        raise bad_request("text must be non-empty")
    if units(formatted.text) > TEXT_LIMIT:
        raise bad_request("message is too long")
    return formatted


def read_caption(site: Site, params: Params) -> Formatted:
    """The caption of a call: 0-1024 UTF-16 code units after parsing, else Refusal 400."""
    entities = params.json("caption_entities", "can't parse entities JSON object")
    formatted = format_text(params.text("caption"), params.text("parse_mode"), entities, site.known_user)
    if units(formatted.text) > CAPTION_LIMIT:
        raise bad_request("message caption is too long")
    return formatted


def read_markup(params: Params, chat: Chat, *, inline_only: bool = False) -> Json | None:
    """The checked reply_markup of a call. Refusal 400."""
    raw = params.json("reply_markup", "can't parse reply keyboard markup JSON object")
    return check_markup(raw, private=chat.private, inline_only=inline_only)


def read_preview(params: Params) -> Json | None:
    """link_preview_options, or what the older disable_web_page_preview means."""
    raw = params.json("link_preview_options", "can't parse link preview options JSON object")
    if raw is None:
        return {"is_disabled": True} if params.flag("disable_web_page_preview") else None
    if not isinstance(raw, dict):
        raise bad_request("object expected as link preview options")
    return as_object(raw) or None


def _draft(site: Site, params: Params, chat: Chat, formatted: Formatted) -> Message:
    """The message before it gets its number; everything that can be refused is refused here."""
    return Message(
        chat_id=chat.id,
        message_id=0,
        date=site.clocks.unix(),
        author=site.world.bot,
        text=formatted.text,
        entities=formatted.entities,
        markup=read_markup(params, chat),
        thread_id=topic_of(params, chat),
        reply_to=reply_of(site, params, chat),
        silent=params.flag("disable_notification"),
        protected=params.flag("protect_content"),
    )


def commit(site: Site, method: str, draft: Message, chat: Chat) -> Json:
    """Number the message, keep it, and give its JSON. Refusal 429 (the number is then not used)."""
    site.admit(chat)
    message = replace(draft, message_id=site.world.next_number(chat))
    site.send(method, message, chat)
    return message_json(message, chat, site.world)


def send_message(site: Site, params: Params) -> Json:
    chat = chat_of(site, params, write=True)
    formatted = read_text(site, params)
    draft = _draft(site, params, chat, formatted)
    return commit(site, "sendMessage", replace(draft, preview=read_preview(params)), chat)


def file_sender(kind: str) -> Method:
    """sendDocument, sendAudio, sendVoice or sendPhoto by the kind of file."""

    def send(site: Site, params: Params) -> Json:
        chat = chat_of(site, params, write=True)
        formatted = read_caption(site, params)
        draft = _draft(site, params, chat, formatted)
        file = site.shelf.take(kind, params)
        return commit(site, f"send{kind.capitalize()}", replace(draft, file=file), chat)

    return send


def send_chat_action(site: Site, params: Params) -> bool:
    action = params.text("action")
    if action not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    chat = chat_of(site, params, write=True)
    site.stream.publish("action", {"chat_id": chat.id, "thread": params.integer("message_thread_id"), "action": action})
    return True


METHODS: dict[str, Method] = {
    "sendMessage": send_message,
    "sendDocument": file_sender("document"),
    "sendAudio": file_sender("audio"),
    "sendVoice": file_sender("voice"),
    "sendPhoto": file_sender("photo"),
    "sendChatAction": send_chat_action,
}
