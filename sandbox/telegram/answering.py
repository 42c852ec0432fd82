"""answerCallbackQuery and answerInlineQuery."""

from sandbox.telegram.params import Params
from sandbox.telegram.queries import Press, Toast
from sandbox.telegram.site import Method, Site
from sandbox.telegram.texts import CAPTION_LIMIT, TEXT_LIMIT, format_text
from sandbox.telegram.utf16 import units
from sandbox.telegram.wire import Json, Refusal, as_object, bad_request

_START_PARAMETER = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


def _too_old() -> Refusal:
    return bad_request("query is too old and response timeout expired or query ID is invalid")


def answer_callback(site: Site, params: Params) -> bool:
    press = site.queries.presses.get(params.text("callback_query_id"))
    late = press is None or press.toast is not None or site.now() - press.at > site.queries.patience_s
    if press is None or late:
        raise _too_old()
    text = params.text("text")
    if len(text) > 200:
        raise bad_request("MESSAGE_TOO_LONG")
    press.toast = Toast(text=text, alert=params.flag("show_alert"), url=params.text("url"))
    site.stream.publish("toast", toast_json(press))
    site.pulse.beat()
    return True


def toast_json(press: Press) -> Json:
    """What the page hears of an answered press."""
    toast = press.toast or Toast()
    return {"press_id": press.id, "text": toast.text, "alert": toast.alert, "url": toast.url}


def answer_inline(site: Site, params: Params) -> bool:
    query = site.queries.inline.get(params.text("inline_query_id"))
    if query is None or site.now() - query.at > site.queries.patience_s:
        raise _too_old()
    raw = params.json("results", "can't parse inline query results JSON object")
    if not isinstance(raw, list):
        raise bad_request("expected an Array of inline query results")
    if len(raw) > 50:
        raise bad_request("RESULTS_TOO_MUCH")
    if len(params.text("next_offset").encode()) > 64:
        raise bad_request("NEXT_OFFSET_INVALID")
    results = tuple(_check_result(site, one) for one in raw)
    if len({str(one["id"]) for one in results}) != len(results):
        raise bad_request("RESULT_ID_DUPLICATE")
    query.button = _check_button(params)
    query.personal, query.next_offset = params.flag("is_personal"), params.text("next_offset")
    query.cache_time = params.bounded("cache_time", 300, 0, 86_400)
    query.results = results
    site.pulse.beat()
    return True


def _check_result(site: Site, raw: object) -> Json:
    if not isinstance(raw, dict):
        raise bad_request("can't parse inline query result: Inline query result must be an object")
    result = as_object(raw)
    identifier = result.get("id")
    if not isinstance(identifier, str) or not 1 <= len(identifier.encode()) <= 64:
        raise bad_request("RESULT_ID_INVALID")
    if not isinstance(result.get("type"), str) or not result["type"]:
        raise bad_request("can't parse inline query result: Can't find field \"type\"")
    content = result.get("input_message_content")
    if result["type"] == "article":
        if not result.get("title"):
            raise bad_request("can't parse inline query result: Can't find field \"title\"")
        if not isinstance(content, dict):
            raise bad_request("can't parse inline query result: Input message content is not specified")
    if isinstance(content, dict) and "message_text" in content:
        _check_length(site, content, "message_text", TEXT_LIMIT)
    _check_length(site, result, "caption", CAPTION_LIMIT)
    return result


def _check_length(site: Site, holder: Json, name: str, limit: int) -> None:
    raw = holder.get(name)
    if raw is None:
        return
    entities = holder.get("entities" if name == "message_text" else "caption_entities")
    formatted = format_text(str(raw), str(holder.get("parse_mode") or ""), entities, site.known_user)
    if name == "message_text" and not formatted.text:
        raise bad_request("message text is empty")
    if units(formatted.text) > limit:
        raise bad_request("MESSAGE_TOO_LONG")


def _check_button(params: Params) -> Json | None:
    raw = params.json("button", "can't parse inline query results button JSON object")
    if raw is None:
        return None
    button = as_object(raw)
    if not button.get("text"):
        raise bad_request("can't parse inline query results button: Can't find field \"text\"")
    start, app = button.get("start_parameter"), button.get("web_app")
    if (start is None) == (app is None):
        raise bad_request("InlineQueryResultsButton must have exactly one optional field")
    if start is not None and not (isinstance(start, str) and 1 <= len(start) <= 64 and set(start) <= _START_PARAMETER):
        raise bad_request("START_PARAM_INVALID")
    return button


METHODS: dict[str, Method] = {"answerCallbackQuery": answer_callback, "answerInlineQuery": answer_inline}
