"""Speech cut into words with their places, so that every quote can be given back letter for letter."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(
    r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)"  # 18 000
    r"|\d+-?(?:го|ого|й|ый|ой|ая|ое|ую|му|м|е|я|ю|х)(?![а-яё])"  # 21-го
    r"|\d+(?:[.,:]\d+)*"
    r"|[^\W\d_]+"
    r"|[%₽]",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.?!…]+[\"»)]*(?=\s|$)|\n")
_ABBREVIATION = re.compile(r"(?:^|[\s\d(])(?:ул|д|кв|стр|корп|пр|пер|руб|тыс|т|р|г|им|эт|оф|коп|млн|тел)\.$", re.IGNORECASE)
_PUNCTUATION = re.compile(r"[,;:—–.!?…()\"«»]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One word or number. ``word`` is lower case with «е» for «ё»; ``start`` and ``end`` are places in the text.

    ``parted``: a comma or another mark stands before it.
    """

    word: str
    start: int
    end: int
    parted: bool

    @property
    def is_number(self) -> bool:
        return self.word[0].isdecimal()


def plain(text: str) -> str:
    """Lower case, «е» for «ё»: the only spelling that rules compare."""
    return text.lower().replace("ё", "е")


def tokenise(text: str) -> tuple[Token, ...]:
    """Words in order; hyphens part words («кто-нибудь» is two), digits grouped by spaces are one number."""
    found: list[Token] = []
    last = 0
    for match in _WORD.finditer(text):
        parted = bool(_PUNCTUATION.search(text, last, match.start()))
        found.append(Token(word=plain(match.group()), start=match.start(), end=match.end(), parted=parted))
        last = match.end()
    return tuple(found)


def sentences(text: str) -> list[tuple[int, int]]:
    """Places of sentences, end marks included; «ул.», «руб.» and the like end none."""
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if match.group() == "." and _ABBREVIATION.search(text, max(start, match.end() - 8), match.end()):
            continue
        spans.append((start, match.end()))
        start = match.end()
    spans.append((start, len(text)))
    return [(a, b) for a, b in spans if text[a:b].strip()]


def words_of(tokens: Sequence[Token]) -> list[str]:
    return [t.word for t in tokens]


def slice_text(text: str, tokens: Sequence[Token], start: int, end: int) -> str:
    """The letters of tokens [start, end), as they stand in the text; empty for an empty range."""
    if start >= end or start >= len(tokens):
        return ""
    return text[tokens[start].start : tokens[min(end, len(tokens)) - 1].end]


def squeeze(text: str) -> str:
    """One line, single spaces."""
    return " ".join(text.split())


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters, cut between words, with an ellipsis where something is left out."""
    text = squeeze(text)
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    return (head.rsplit(" ", 1)[0] if " " in head else head).rstrip(" ,;:—–-") + "…"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]
