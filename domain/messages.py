"""What a chat gets, without a messenger's types.

A Message is a list of blocks; the sender of a messenger turns blocks into its own entities, so nothing said in a call can
ever break a tag, and a long text is shortened block by block, never by cutting markup.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Style(StrEnum):
    """How a span looks."""

    PLAIN = "plain"
    BOLD = "bold"
    ITALIC = "italic"
    CODE = "code"
    LINK = "link"
    TIME = "time"  # shown in each reader's own time zone where the messenger can


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text of one style. ``target`` is the address of a LINK or the ISO time (UTC) of a TIME."""

    text: str
    style: Style = Style.PLAIN
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One paragraph. ``bullet`` puts «• » before it."""

    spans: tuple[Span, ...]
    bullet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A quoted block; ``expandable`` shows a few lines and unfolds on a tap."""

    lines: tuple[Line, ...]
    expandable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A titled group of lines. ``weight`` says what is shortened first when all does not fit: the highest."""

    title: Line | None = None
    lines: tuple[Line | Quote, ...] = ()
    weight: int = 0


class ButtonKind(StrEnum):
    ACTION = "action"  # target = "name:arg", comes back to us
    URL = "url"
    COPY = "copy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """``target``: an action of ours (at most 60 bytes), an https address, or the text to copy (at most 256)."""

    text: str
    kind: ButtonKind
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file sent beside the message, as a reply to it.

    ``path`` is relative to DATA_DIR. ``kind``: document, audio or photo.
    """

    path: str
    name: str
    kind: str = "document"
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """``key`` names the place in the chat: posting the same key again edits it.

    ``not_before``: aware UTC, hold the first sending until then (a later revision may lift it). ``silent``: no sound.
    ``reply_to``: key of another message. ``kind``: what it is about, for destinations that take some kinds only.
    ``only_edits``: where somebody has deleted the message to edit, it is not sent again.
    """

    key: str
    sections: tuple[Section, ...]
    buttons: tuple[tuple[Button, ...], ...] = ()
    files: tuple[File, ...] = ()
    kind: str = "call"
    not_before: datetime | None = None
    silent: bool = False
    reply_to: str | None = None
    only_edits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a message goes: a chat and, in a forum, a topic."""

    chat_id: int
    topic_id: int | None = None


@dataclass(frozen=True, slots=True)
class Texts:
    """A catalogue of texts: dotted name → template with named fields."""

    entries: dict[str, str] = field(default_factory=dict)

    def get(self, name: str, /, **values: object) -> str:
        """The text with its fields filled in; KeyError for an unknown name is a defect that a test finds."""
        template = self.entries[name]
        return template.format(**values) if values else template


def plain(text: str) -> Line:
    return Line(spans=(Span(text),))


def bold(text: str) -> Line:
    return Line(spans=(Span(text, Style.BOLD),))


def bullet(*spans: Span | str) -> Line:
    return Line(spans=tuple(Span(s) if isinstance(s, str) else s for s in spans), bullet=True)


def iter_lines(message: Message) -> Iterator[Line]:
    """Every line in reading order, quotes unfolded."""
    for section in message.sections:
        if section.title is not None:
            yield section.title
        for item in section.lines:
            if isinstance(item, Quote):
                yield from item.lines
            else:
                yield item


def as_text(message: Message) -> str:
    """The message as plain text: logs, tests, comments without markup."""
    return "\n".join(("• " if line.bullet else "") + "".join(s.text for s in line.spans) for line in iter_lines(message))
