"""reply_markup as Telegram checks it: the shape of buttons, 64 bytes of callback data, addresses that can be opened."""

from sandbox.telegram.texts import checked_url
from sandbox.telegram.wire import Json, as_list, as_object, bad_request

_ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
    "disabled",
)
_STYLES = frozenset({"", "default", "primary", "danger", "success"})
_OTHER = frozenset({"keyboard", "remove_keyboard", "force_reply"})


def check_markup(raw: object, *, private: bool, inline_only: bool) -> Json | None:
    """The markup as it is kept, None when there is none. Refusal 400 for a shape Telegram would not take."""
    if raw is None or raw == {}:
        return None
    if not isinstance(raw, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" in raw:
        return _inline(raw["inline_keyboard"], private=private)
    if not _OTHER & set(raw):
        raise bad_request("can't parse reply keyboard markup JSON object")
    if inline_only:
        raise bad_request("inline keyboard expected")
    if "keyboard" in raw:
        _check_reply_keyboard(raw["keyboard"])
    return as_object(raw)


def _rows(raw: object, name: str) -> list[list[object]]:
    if not isinstance(raw, list):
        raise bad_request(f'field "{name}" must be of type Array')
    if not all(isinstance(row, list) for row in raw):
        raise bad_request(f'field "{name}" must be an Array of Arrays')
    return [as_list(row) for row in raw if row]


def _inline(raw: object, *, private: bool) -> Json | None:
    rows = _rows(raw, "inline_keyboard")
    if max(map(len, rows), default=0) > 8 or sum(map(len, rows)) > 100:
        raise bad_request("reply markup is too long")
    for row in rows:
        for button in row:
            _check_button(button, private=private)
    return {"inline_keyboard": rows} if rows else None


def _check_button(raw: object, *, private: bool) -> None:
    if not isinstance(raw, dict):
        raise bad_request("can't parse inline keyboard button: InlineKeyboardButton must be an Object")
    if not isinstance(raw.get("text"), str) or not raw["text"].strip():
        raise bad_request("can't parse inline keyboard button: Can't find field \"text\"")
    if str(raw.get("style") or "").lower() not in _STYLES:
        raise bad_request("can't parse inline keyboard button: invalid button style specified")
    actions = [name for name in _ACTIONS if raw.get(name) is not None]
    if not actions:
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise bad_request(f"can't parse inline keyboard button: {actions[0]} and {actions[1]} exclude each other")
    _check_action(actions[0], raw[actions[0]], private=private)


def _check_action(name: str, value: object, *, private: bool) -> None:
    match name:
        case "callback_data":
            fine = isinstance(value, str) and 1 <= len(value.encode("utf-8", "replace")) <= 64
            complaint = "BUTTON_DATA_INVALID"
        case "url":
            fine = isinstance(value, str) and checked_url(value) is not None
            complaint = f"inline keyboard button URL '{value}' is invalid: Wrong HTTP URL"
        case "copy_text":
            fine = 1 <= len(str(as_object(value).get("text") or "")) <= 256
            complaint = "BUTTON_COPY_TEXT_INVALID"
        case "web_app":
            return _check_web_app(value, private=private)
        case _:
            return None
    if not fine:
        raise bad_request(complaint)
    return None


def _check_web_app(value: object, *, private: bool) -> None:
    url = as_object(value).get("url")
    if not isinstance(url, str) or not url.startswith("https://") or checked_url(url) is None:
        raise bad_request(f"inline keyboard button Web App URL '{url}' is invalid: Only HTTPS links are allowed")
    if not private:
        raise bad_request("BUTTON_TYPE_INVALID")


def _check_reply_keyboard(raw: object) -> None:
    for row in _rows(raw, "keyboard"):
        for button in row:
            text = button if isinstance(button, str) else as_object(button).get("text")
            if not isinstance(text, str) or not text.strip():
                raise bad_request("can't parse keyboard button: KeyboardButton must be a String or an Object")


def buttons_of(markup: Json | None) -> list[Json]:
    """Every inline button in reading order."""
    rows = as_list((markup or {}).get("inline_keyboard"))
    return [as_object(button) for row in rows for button in as_list(row)]
