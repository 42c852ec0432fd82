"""What Telegram finds in a text by itself: links, mentions, hashtags, commands, e-mails, phones."""

import re
from collections.abc import Sequence

from sandbox.telegram.utf16 import offsets
from sandbox.telegram.wire import Json

_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("email", re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)*\.[a-zA-Z]{2,}(?!\w)")),
    (
        "url",
        re.compile(
            r"(?<![\w@/.])(?:(?:https?|tg)://[^\s<>\"'«»]+|(?:[\w-]+\.)+(?:ru|com|org|net|me|io|рф)(?:/[^\s<>\"'«»]*)?)"
        ),
    ),
    ("bot_command", re.compile(r"(?<![\w/@<>])/[a-zA-Z0-9_]{1,64}(?:@[a-zA-Z0-9_]{3,32})?(?![\w/])")),
    ("mention", re.compile(r"(?<![\w@])@[a-zA-Z][a-zA-Z0-9_]{2,31}(?!\w)")),
    ("hashtag", re.compile(r"(?<![\w#])#\w*[^\W\d]\w*")),
    ("phone_number", re.compile(r"(?<![\w+])\+\d[\d ()-]{8,16}\d(?!\w)")),
)
_TAIL = ".,:;!?)]}"


def find_links(text: str) -> list[Json]:
    """Entities that do not overlap, in text order. The first kind of the list wins a place."""
    at = offsets(text)
    taken: list[tuple[int, int]] = []
    found: list[Json] = []
    for kind, pattern in _KINDS:
        for match in pattern.finditer(text):
            start = match.start()
            end = start + (len(match[0].rstrip(_TAIL)) if kind == "url" else len(match[0]))
            if all(end <= low or start >= high for low, high in taken):
                taken.append((start, end))
                found.append({"type": kind, "offset": at[start], "length": at[end] - at[start]})
    return sorted(found, key=start_of)


def start_of(entity: Json) -> int:
    """The offset of an entity, for sorting."""
    value = entity["offset"]
    return value if isinstance(value, int) else 0


def end_of(entity: Json) -> int:
    """The UTF-16 offset just after an entity."""
    length = entity["length"]
    return start_of(entity) + (length if isinstance(length, int) else 0)


def overlaps(entity: Json, others: Sequence[Json]) -> bool:
    """True when ``entity`` shares a character with one of ``others``."""
    return any(start_of(entity) < end_of(other) and start_of(other) < end_of(entity) for other in others)
