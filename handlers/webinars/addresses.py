"""Personal links into a webinar room: the common address with a code of ours, and with what the form would ask for. Pure."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

KNOWN_PREFIXES = ("utm_", "url_marker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A pasted link. ``suspicious``: it carries something of its own, so it may be somebody's individual one."""

    url: str
    host: str
    suspicious: bool


def read_address(text: str) -> Address | None:
    """The first http(s) address in ``text``, None when there is none with a host."""
    for word in text.split():
        if not word.lower().startswith(("http://", "https://")):
            continue
        try:
            parts = urlsplit(word)
        except ValueError:
            return None
        if not parts.hostname:
            return None
        own = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True) if not name.startswith(KNOWN_PREFIXES)]
        return Address(url=word, host=parts.hostname, suspicious=bool(own))
    return None


def personal(url: str, param: str, code: str, *, phone: str = "", email: str = "", name: str = "") -> str:
    """``url`` with the code, and with phone, e-mail and name where given; a parameter that is there already is replaced."""
    parts = urlsplit(url)
    added = {param: code, "phone": phone, "email": email, "username": name}
    kept = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if not added.get(key)]
    pairs = [*kept, *((key, value) for key, value in added.items() if value)]
    query = "&".join(f"{quote(key, safe='')}={quote(value, safe='@')}" for key, value in pairs)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))
