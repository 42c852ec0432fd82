"""What an address of Bizon365 opens: a room or a page for everybody, or the room for one person only."""

from urllib.parse import urlsplit

from domain.webinars import Entry

_ROOMS, _PAGES = ".bizon365.ru", ".bizonpages.ru"
_COMMON = ("room", "page")  # start.bizon365.ru/room/198436/e123a8, …/page/222222/name; a room also without the word
_PERSONAL = "click"  # …/click/key, as addSubscriber tells it


def entry_of(url: str) -> Entry:
    """By its form alone: an account may have a domain of its own, with the same paths."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if host.endswith(_PAGES):  # name.222222.bizonpages.ru is the page itself
        return Entry.COMMON
    first, *rest = [*filter(None, parts.path.split("/")), ""]
    path = [part for part in (rest if first in _COMMON else [first, *rest]) if part]
    ours, is_room = host.endswith(_ROOMS), bool(path) and path[0].isascii() and path[0].isdigit()
    if is_room and len(path) == 2:
        return Entry.COMMON if ours else Entry.OWN_DOMAIN
    if ours or first == _PERSONAL or (is_room and first in _COMMON):
        return Entry.INDIVIDUAL
    return Entry.FOREIGN
