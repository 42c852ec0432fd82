"""parse_mode=HTML: the tags Telegram knows, well formed or refused, turned into text and entities."""

import re
from dataclasses import dataclass, field

from sandbox.telegram.utf16 import units
from sandbox.telegram.wire import Json, Refusal, bad_request

_SIMPLE = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "code": "code",
    "pre": "pre",
}
_KNOWN = frozenset({*_SIMPLE, "a", "blockquote", "tg-emoji", "tg-time"})
_TAG = re.compile(r"<(/?)([^\s>]*)((?:[^>\"']|\"[^\"]*\"|'[^']*')*)>")
_ATTRIBUTE = re.compile(r"""([^\s=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([\w.-]*)))?""")
_REFERENCE = re.compile(r"&(#[xX][0-9a-fA-F]{1,6}|#[0-9]{1,7}|[a-zA-Z]+);?")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_TIME_FORMAT = re.compile(r"[rR]|[tTdDwW]*")


@dataclass(slots=True)
class _Open:
    name: str
    attributes: dict[str, str]
    offset: int
    position: int


@dataclass(slots=True)
class _Parser:
    source: str
    out: list[str] = field(default_factory=list)
    length: int = 0
    stack: list[_Open] = field(default_factory=list)
    entities: list[Json] = field(default_factory=list)

    def run(self) -> tuple[str, list[Json]]:
        position = 0
        while (start := self.source.find("<", position)) >= 0:
            self._text(self.source[position:start])
            match = _TAG.match(self.source, start)
            if match is None:
                raise self._complain(f"Unclosed start tag at byte offset {self._byte(start)}")
            if match[1]:
                self._close(match[2].lower(), start)
            else:
                self._start(match[2].lower(), match[3], start)
            position = match.end()
        self._text(self.source[position:])
        if self.stack:
            raise self._complain(f'Can\'t find end tag corresponding to start tag "{self.stack[-1].name}"')
        return "".join(self.out), self.entities

    def _byte(self, position: int) -> int:
        return len(self.source[:position].encode("utf-8"))

    def _complain(self, text: str) -> Refusal:
        return bad_request(f"can't parse entities: {text}")

    def _text(self, raw: str) -> None:
        text = decode_references(raw)
        self.out.append(text)
        self.length += units(text)

    def _start(self, name: str, rest: str, start: int) -> None:
        if name not in _KNOWN:
            raise self._complain(f'Unsupported start tag "{name}" at byte offset {self._byte(start)}')
        attributes = {
            match[1].lower(): decode_references(next((part for part in match.groups()[1:] if part is not None), ""))
            for match in _ATTRIBUTE.finditer(rest)
        }
        if name == "span" and attributes.get("class") != "tg-spoiler":
            raise self._complain(f'Tag "span" must have class "tg-spoiler" at byte offset {self._byte(start)}')
        self.stack.append(_Open(name, attributes, self.length, len(self.out)))

    def _close(self, name: str, start: int) -> None:
        if not self.stack:
            raise self._complain(f"Unexpected end tag at byte offset {self._byte(start)}")
        opened = self.stack.pop()
        if name not in ("", opened.name):
            raise self._complain(
                f'Unmatched end tag at byte offset {self._byte(start)}, expected "</{opened.name}>", found "</{name}>"'
            )
        if self.length > opened.offset:
            self._add(opened)

    def _add(self, opened: _Open) -> None:
        place: Json = {"offset": opened.offset, "length": self.length - opened.offset}
        inner = self.entities[-1] if self.entities else {}
        same_place = all(inner.get(key) == place[key] for key in place)
        if opened.name == "pre" and inner.get("type") == "code" and same_place and "language" in inner:
            inner["type"] = "pre"
            return
        entity = self._entity(opened)
        if entity is not None:
            self.entities.append({**entity, **place})

    def _entity(self, opened: _Open) -> Json | None:
        simple = {"type": _SIMPLE.get(opened.name, "")}
        if opened.name == "code" and opened.attributes.get("class", "").startswith("language-"):
            return {**simple, "language": opened.attributes["class"].removeprefix("language-")}
        if opened.name == "blockquote":
            return {"type": "expandable_blockquote" if "expandable" in opened.attributes else "blockquote"}
        if opened.name == "a":
            return _link(opened.attributes.get("href") or "".join(self.out[opened.position :]))
        if opened.name == "tg-emoji":
            return self._emoji(opened.attributes.get("emoji-id", ""))
        if opened.name == "tg-time":
            return self._time(opened.attributes)
        return dict(simple)

    def _emoji(self, identifier: str) -> Json:
        if not identifier.isdecimal() or int(identifier) == 0:
            raise self._complain("Invalid custom emoji identifier specified")
        return {"type": "custom_emoji", "custom_emoji_id": identifier}

    def _time(self, attributes: dict[str, str]) -> Json:
        unix, shape = attributes.get("unix", ""), attributes.get("format", "")
        if not re.fullmatch(r"-?[0-9]{1,12}", unix) or not _TIME_FORMAT.fullmatch(shape):
            raise self._complain("Invalid date-time format specified")
        entity: Json = {"type": "date_time", "unix_time": int(unix)}
        return {**entity, "date_time_format": shape} if shape else entity


def _link(url: str) -> Json | None:
    user = re.fullmatch(r"tg://user\?id=([0-9]{1,16})", url.strip())
    if user is not None:
        return {"type": "text_mention", "user": {"id": int(user[1])}}
    return {"type": "text_link", "url": url}


def decode_references(text: str) -> str:
    """``&lt; &gt; &amp; &quot;`` and numeric references; every other one stays as it is written, as Telegram does."""

    def decode(match: re.Match[str]) -> str:
        name = match[1]
        if not name.startswith("#"):
            return _NAMED.get(name, match[0])
        code = int(f"0{name[1:]}", base=16) if name[1] in "xX" else int(name[1:])
        valid = 0 < code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF
        return chr(code) if valid else match[0]

    return _REFERENCE.sub(decode, text)


def parse_html(source: str) -> tuple[str, list[Json]]:
    """Text without tags and its entities in order of closing. Refusal 400 "can't parse entities: …"."""
    text, entities = _Parser(source).run()
    for entity in entities:
        if entity["type"] == "code":
            entity.pop("language", None)
    return text, entities
