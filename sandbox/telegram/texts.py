"""From a call's text, parse_mode and entities to what a chat keeps: checked, trimmed, with links found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sandbox.telegram.autolinks import end_of, find_links, overlaps, start_of
from sandbox.telegram.html_markup import parse_html
from sandbox.telegram.utf16 import offsets, units
from sandbox.telegram.wire import Json, as_object, bad_request

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
FORMATTING_LIMIT = 100  # the server keeps this many formatting entities and drops the rest without a word

_FORMATTING = frozenset({"bold", "italic", "underline", "strikethrough", "spoiler"})
_QUOTES = frozenset({"blockquote", "expandable_blockquote"})
_SOLID = frozenset({"code", "pre", "text_link", "text_mention", "custom_emoji", "date_time"})
_FOUND_ANEW = frozenset({"mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bank_card_number"})
_REQUIRED = {"text_link": "url", "text_mention": "user", "custom_emoji": "custom_emoji_id", "date_time": "unix_time"}
_OPTIONAL = {"pre": "language", "date_time": "date_time_format"}

KnownUser = Callable[[int], Json | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Formatted:
    """Text after parsing with its entities, sorted by offset, longest first. Offsets in UTF-16 code units."""

    text: str
    entities: tuple[Json, ...] = ()


def format_text(raw: str, parse_mode: str, entities: object, known_user: KnownUser) -> Formatted:
    """What the chat would keep of ``raw``; may be empty. Refusal 400 for bad markup or entities.

    ``entities`` is looked at only without a parse_mode. Control characters become spaces, both ends are trimmed.
    """
    if len(raw.encode("utf-8", "surrogatepass")) > 1 << 15:
        raise bad_request("text is too long")
    mode = parse_mode.lower()
    if mode in ("", "none"):
        text, given = raw, _given(entities)
    elif mode == "html":
        text, given = parse_html(raw)
    else:
        raise bad_request("unsupported parse_mode")
    given = [entity for entity in given if end_of(entity) > start_of(entity)]
    _check_places(text, given)
    cleaned = "".join(" " if char < " " and char not in "\n\r" else char for char in text)
    return _finish(cleaned, [known for entity in given if (known := _known(entity, known_user)) is not None])


def _given(entities: object) -> list[Json]:
    if not isinstance(entities, list):
        return []
    return [entity for raw in entities if (entity := _read_entity(raw)) is not None]


def _read_entity(raw: object) -> Json | None:
    """One MessageEntity; None for kinds that Telegram always finds anew."""
    if not isinstance(raw, dict):
        raise bad_request("can't parse MessageEntity: expected an Object")
    kind = str(raw.get("type"))
    place: Json = {name: _read_number(raw, name) for name in ("offset", "length")}
    if kind in _FOUND_ANEW:
        return None
    if kind not in _FORMATTING | _QUOTES | _SOLID:
        raise bad_request("can't parse MessageEntity: Unsupported type specified")
    needed = _REQUIRED.get(kind)
    if needed is not None and needed not in raw:
        raise bad_request(f"can't parse MessageEntity: Can't find field \"{needed}\"")
    kept = (needed, _OPTIONAL.get(kind))
    return {"type": kind, **place, **{name: raw[name] for name in kept if name is not None and raw.get(name)}}


def _read_number(raw: Json, name: str) -> int:
    value = raw.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise bad_request(f"can't parse MessageEntity: Can't find field \"{name}\"")
    if not 0 <= value <= 1_000_000:
        raise bad_request(f"receive an entity with incorrect {name} {value}")
    return value


def _check_places(text: str, entities: Sequence[Json]) -> None:
    at = offsets(text)
    places = {offset: position for position, offset in enumerate(at)}
    for entity in entities:
        start, end = start_of(entity), end_of(entity)
        if start >= at[-1]:
            raise bad_request(f"entity begins after the end of the text at UTF-16 offset {start}")
        if start not in places:
            raise bad_request(f"entity begins in a middle of a UTF-16 symbol at UTF-16 offset {start}")
        if end > at[-1]:
            raise bad_request(
                f"entity beginning at UTF-16 offset {start} ends after the end of the text at UTF-16 offset {end}"
            )
        if end not in places:
            raise bad_request(f"entity beginning at UTF-16 offset {start} ends in a middle of a UTF-16 symbol")


def _known(entity: Json, known_user: KnownUser) -> Json | None:
    """The entity as it is kept: links get a scheme, mentions their user; None when Telegram drops it."""
    if entity["type"] == "text_mention":
        identifier = as_object(entity["user"]).get("id")
        user = known_user(identifier) if isinstance(identifier, int) else None
        return None if user is None else {**entity, "user": user}
    if entity["type"] == "text_link":
        url = checked_url(str(entity["url"]))
        return None if url is None else {**entity, "url": url}
    return entity


def checked_url(url: str) -> str | None:
    """The address as Telegram keeps it (http:// is put before a bare one), None when it is not one."""
    full = url.strip() if "://" in url else f"http://{url.strip()}"
    try:
        parts = urlsplit(full)
        host = parts.hostname or ""
    except ValueError:
        return None
    if parts.scheme == "tg":
        return full if host else None
    dotted = "." in host and not host.startswith(".") and not host.endswith(".")
    fine = parts.scheme in ("http", "https") and dotted and not any(char.isspace() for char in full)
    return full if fine else None


def _finish(text: str, entities: list[Json]) -> Formatted:
    right = text.rstrip(" \n\r")
    first = min((start_of(entity) for entity in entities), default=units(right))
    left = 0
    while left < min(first, len(right)) and right[left] in " \n\r":
        left += 1
    trimmed, limit = right[left:], units(right)
    kept: list[Json] = []
    for entity in entities:
        end = min(end_of(entity), limit)
        if end > start_of(entity):
            kept.append({**entity, "offset": start_of(entity) - left, "length": end - start_of(entity)})
    formatting = untangle(kept)[:FORMATTING_LIMIT]
    solid = [entity for entity in formatting if entity["type"] in _SOLID]
    found = [entity for entity in find_links(trimmed) if not overlaps(entity, solid)]
    return Formatted(text=trimmed, entities=tuple(untangle([*formatting, *found])))


def _order(entity: Json) -> tuple[int, int, str]:
    return start_of(entity), -end_of(entity), str(entity["type"])


def untangle(entities: Sequence[Json]) -> list[Json]:
    """Entities nested properly: what crosses another is split when it is mere formatting, else dropped."""
    waiting = sorted(entities, key=_order)
    kept: list[Json] = []
    while waiting:
        entity = waiting.pop(0)
        crossed = next((other for other in kept if start_of(entity) < end_of(other) < end_of(entity)), None)
        if crossed is not None and entity["type"] in _FORMATTING:
            middle = end_of(crossed)
            parts = ((start_of(entity), middle), (middle, end_of(entity)))
            waiting = sorted(
                [*waiting, *({**entity, "offset": low, "length": high - low} for low, high in parts)], key=_order
            )
        elif crossed is None and not _forbidden_inside(entity, kept):
            kept.append(entity)
    return kept


def _forbidden_inside(entity: Json, kept: Sequence[Json]) -> bool:
    around = [other["type"] for other in kept if start_of(other) <= start_of(entity) and end_of(entity) <= end_of(other)]
    if entity["type"] in around or "code" in around or "pre" in around:
        return True
    if entity["type"] in _QUOTES:
        return any(kind in _QUOTES for kind in around)
    return entity["type"] not in _FORMATTING and any(kind in _SOLID for kind in around)
