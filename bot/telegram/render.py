"""A domain Message as Telegram takes it: text with entities, a keyboard, and never more than fits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiogram.types import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup, MessageEntity

from bot.telegram.shorten import fit, units
from domain.messages import Button, ButtonKind, Line, Message, Quote, Section, Span, Style

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
CALLBACK_BYTES = 64
REPEAT_MARK = "возможен повтор"
IN_FILE = "Полный текст — в файле."
CUT = "Показано не всё."
_DATE_TIME_FORMAT = "dt"
_SIMPLE = {Style.BOLD: "bold", Style.ITALIC: "italic", Style.CODE: "code"}

# What Telegram's own clean-up drops or turns into spaces: done here first, or the offsets of entities would be wrong.
_DROPPED = dict.fromkeys([0x0D, 0x030A, 0x0333, 0x033F, *range(0x2028, 0x202F)])
_SPACED = dict.fromkeys([n for n in range(32) if n not in {0x0A, 0x0D}], " ")
_CLEAN = _SPACED | _DROPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """Ready for sendMessage and editMessageText. Entity offsets count UTF-16 units."""

    text: str
    entities: list[MessageEntity]
    keyboard: InlineKeyboardMarkup | None


def render(message: Message, *, repeated: bool = False, plain: bool = False) -> Rendered:
    """``repeated`` adds a line saying that this may be a repeat; ``plain`` leaves markup and buttons out."""
    mark = Section(lines=(Line(spans=(Span(REPEAT_MARK, Style.ITALIC),)),)) if repeated else None
    room = TEXT_LIMIT - (units(REPEAT_MARK) + 2 if mark else 0)
    has_text_file = any(file.kind == "document" for file in message.files)
    sections = fit(_cleaned(message.sections), room, note=IN_FILE if has_text_file else CUT, whole_quotes=has_text_file)
    writer = _Writer()
    writer.sections((*sections, mark) if mark else sections)
    if not writer.text.strip():
        return Rendered(text="—", entities=[], keyboard=None)
    if plain:
        return Rendered(text=writer.text, entities=[], keyboard=None)
    return Rendered(text=writer.text, entities=writer.entities, keyboard=_keyboard(message.buttons))


def as_kwargs(message: Message) -> dict[str, Any]:
    """For ``message.answer(**…)`` and ``message.edit_text(**…)`` of handlers."""
    rendered = render(message)
    shown = {"text": rendered.text, "entities": rendered.entities, "reply_markup": rendered.keyboard}
    return shown | {"parse_mode": None}


def render_caption(caption: str, *, repeated: bool = False) -> str:
    """A file's caption, plain, within its limit."""
    mark = f"\n{REPEAT_MARK}" if repeated else ""
    section = Section(lines=(Line(spans=(Span(_clean(caption)),)),))
    writer = _Writer()
    writer.sections(fit((section,), CAPTION_LIMIT - units(mark), note=CUT, whole_quotes=False))
    return (writer.text + mark).strip()


class _Writer:
    """Text and entities grow together, so an offset is always the length so far."""

    def __init__(self) -> None:
        self.text = ""
        self.entities: list[MessageEntity] = []
        self._length = 0

    def sections(self, sections: Sequence[Section]) -> None:
        for number, section in enumerate(s for s in sections if s.title is not None or s.lines):
            self._add("\n\n" if number else "")
            self._section(section)

    def _section(self, section: Section) -> None:
        items: list[Line | Quote] = [*([section.title] if section.title is not None else []), *section.lines]
        for number, item in enumerate(items):
            self._add("\n" if number else "")
            if isinstance(item, Quote):
                self._quote(item)
            else:
                self._line(item)

    def _quote(self, quote: Quote) -> None:
        start = self._length
        for number, line in enumerate(quote.lines):
            self._add("\n" if number else "")
            self._line(line)
        self._mark("expandable_blockquote" if quote.expandable else "blockquote", start)

    def _line(self, line: Line) -> None:
        self._add("• " if line.bullet else "")
        for span in line.spans:
            start = self._length
            self._add(span.text)
            self._style(span, start)

    def _style(self, span: Span, start: int) -> None:
        if span.style in _SIMPLE:
            self._mark(_SIMPLE[span.style], start)
        elif span.style is Style.LINK:
            self._mark("text_link", start, url=span.target)
        elif span.style is Style.TIME:
            moment = datetime.fromisoformat(span.target)
            self._mark("date_time", start, unix_time=int(moment.timestamp()), date_time_format=_DATE_TIME_FORMAT)

    def _add(self, text: str) -> None:
        self.text += text
        self._length += units(text)

    def _mark(self, kind: str, start: int, **more: str | int) -> None:
        if self._length > start:
            entity = {"type": kind, "offset": start, "length": self._length - start, **more}
            self.entities.append(MessageEntity.model_validate(entity))


def _clean(text: str) -> str:
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.translate(_CLEAN)


def _cleaned(sections: Sequence[Section]) -> tuple[Section, ...]:
    return tuple(
        Section(
            title=_clean_line(section.title) if section.title is not None else None,
            lines=tuple(_clean_item(item) for item in section.lines),
            weight=section.weight,
        )
        for section in sections
    )


def _clean_item(item: Line | Quote) -> Line | Quote:
    if isinstance(item, Quote):
        return Quote(lines=tuple(_clean_line(line) for line in item.lines), expandable=item.expandable)
    return _clean_line(item)


def _clean_line(line: Line) -> Line:
    spans = tuple(Span(_clean(span.text), span.style, span.target) for span in line.spans)
    return Line(spans=spans, bullet=line.bullet)


def _keyboard(rows: Sequence[Sequence[Button]]) -> InlineKeyboardMarkup | None:
    built = [[_button(button) for button in row] for row in rows if row]
    return InlineKeyboardMarkup(inline_keyboard=built) if built else None


def _button(button: Button) -> InlineKeyboardButton:
    if button.kind is ButtonKind.URL:
        return InlineKeyboardButton(text=button.text, url=button.target)
    if button.kind is ButtonKind.COPY:
        return InlineKeyboardButton(text=button.text, copy_text=CopyTextButton(text=button.target[:256]))
    if len(button.target.encode()) > CALLBACK_BYTES:
        raise ValueError(f"a button carries more than {CALLBACK_BYTES} bytes: {button.text}")
    return InlineKeyboardButton(text=button.text, callback_data=button.target)
