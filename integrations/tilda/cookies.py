"""The one cookie of a site that is of use here: TILDAUTM, where Tilda remembers the ad a visitor came by."""

import re
from urllib.parse import quote, unquote

from integrations.kit.values import clean

MOST_TIMES = 3  # it is written coded once or twice, and a form codes it once more
_SPLIT = re.compile(r"\|\|\|(?:amp;)?")
_COOKIE = re.compile(r"(?:\A|[;\s])TILDAUTM=((?:\|\|\|amp;|[^;])*)", re.IGNORECASE)  # «|||amp;» is no end of it
_CODED = re.compile(r"%[0-9A-Fa-f]{2}")
_UTM = "utm_"


def utm_in(cookies: str) -> dict[str, str]:
    """``source``, ``medium`` and so on out of the whole cookie string; {} where the cookie is not there."""
    value = _raw(cookies)
    for _ in range(MOST_TIMES):
        if "|||" in value or not _CODED.search(value):
            break
        value = unquote(value)
    pairs = (pair.removeprefix("amp;").partition("=") for pair in _SPLIT.split(value))
    named = {name.strip().casefold(): clean(unquote(text)) for name, _, text in pairs}
    return {name.removeprefix(_UTM): text for name, text in named.items() if name.startswith(_UTM) and text}


def only_utm(cookies: str) -> str:
    """The cookie string without all the others: sessions and people are none of ours."""
    value = _raw(cookies)
    return f"TILDAUTM={value}" if value else ""


def _raw(cookies: str) -> str:
    """As it is written; a string that was coded as a whole is decoded first."""
    for _ in range(MOST_TIMES):
        if found := _COOKIE.search(cookies):
            return found[1].strip()
        if not _CODED.search(cookies):
            break
        cookies = unquote(cookies)
    return ""


def coded(text: str) -> str:
    """As a value of a form."""
    return quote(text, safe="")
