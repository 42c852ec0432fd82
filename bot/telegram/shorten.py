"""Shortening by structure: whole lines go, then a line is cut between words; markup is written only afterwards."""

from collections.abc import Sequence
from dataclasses import replace

from domain.messages import Line, Quote, Section, Span, Style
from domain.plural import counted

_SMALLEST = 40  # a line is cut rather than dropped while this many units of it stay
_LONGEST_TITLE = 200
_WORD = 20  # a cut goes back at most this far to a space


def units(text: str) -> int:
    """Length in UTF-16 code units, which is how Telegram counts."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def size(sections: Sequence[Section]) -> int:
    """Length of the written text: a line break between lines, an empty line between sections."""
    return max(sum(_taken(section) for section in sections) - 2, 0)


def fit(sections: Sequence[Section], room: int, *, note: str, whole_quotes: bool) -> tuple[Section, ...]:
    """``sections`` within ``room`` units. The heaviest gives way first, of equal weight the later one.

    ``whole_quotes``: a quote that does not fit gives way to ``note`` as a whole, since it can be read elsewhere;
    otherwise as much of it stays as fits, with ``note`` behind.
    """
    kept = list(sections)
    over = size(kept) - room
    for index in sorted(range(len(kept)), key=lambda index: (-kept[index].weight, -index)):
        if over <= 0:
            break
        before = kept[index]
        without = _without_long_quotes(before, over, note, whole=whole_quotes)
        kept[index] = _shorter(without, over - _taken(before) + _taken(without))
        over -= _taken(before) - _taken(kept[index])
    if over > 0:
        kept = [replace(section, title=_cut_title(section.title)) for section in kept]
        over = size(kept) - room
    while kept and over > 0:
        over -= _taken(kept.pop())
    return tuple(kept)


def _without_long_quotes(section: Section, over: int, note: str, *, whole: bool) -> Section:
    lines = list(section.lines)
    for index in sorted(range(len(lines)), key=lambda i: -_item_size(lines[i])):
        item = lines[index]
        if over <= 0 or not isinstance(item, Quote):
            continue
        before = _item_size(item)
        if before <= units(note):
            continue
        lines[index] = _noted(note) if whole else _shorter_quote(item, over, note)
        over -= before - _item_size(lines[index])
    return replace(section, lines=tuple(lines))


def _shorter_quote(quote: Quote, over: int, note: str) -> Line | Quote:
    kept, _ = _trimmed(quote.lines, over + units(note) + 1)
    if not kept:
        return _noted(note)
    return replace(quote, lines=(*(line for line in kept if isinstance(line, Line)), _noted(note)))


def _shorter(section: Section, over: int) -> Section:
    """Lines go from the end, and the last line says how many went."""
    if over <= 0 or not section.lines:
        return section
    kept, dropped = _trimmed(section.lines, over)
    if not dropped:
        return replace(section, lines=kept)
    rest = _noted("… ещё " + counted(dropped, "строка", "строки", "строк"))
    kept, dropped_more = _trimmed(section.lines, over + units(rest.spans[0].text) + 1)
    if not kept:
        return Section(title=section.title, weight=section.weight)
    if not dropped_more:
        return replace(section, lines=kept)
    told = _noted("… ещё " + counted(dropped_more, "строка", "строки", "строк"))
    return replace(section, lines=(*kept, told))


def _trimmed(lines: Sequence[Line | Quote], over: int) -> tuple[tuple[Line | Quote, ...], int]:
    """``lines`` shorter by ``over`` units at least, as far as that goes, and how many were dropped whole."""
    kept = list(lines)
    dropped = 0
    while kept and over > 0:
        last = kept.pop()
        length = _item_size(last)
        if isinstance(last, Line) and length - over - 1 >= _SMALLEST:
            kept.append(_cut(last, length - over))
            return tuple(kept), dropped
        over -= length + 1
        dropped += 1
    return tuple(kept), dropped


def _cut_title(title: Line | None) -> Line | None:
    """The last resort is for titles that are none: a heading of reasonable length stays."""
    return title if title is None or _item_size(title) <= _LONGEST_TITLE else _cut(title, _LONGEST_TITLE)


def _cut(line: Line, room: int) -> Line:
    """The beginning of a line within ``room`` units, its last mark an ellipsis."""
    left = room - 1 - (2 if line.bullet else 0)
    spans: list[Span] = []
    for span in line.spans:
        if units(span.text) <= left:
            spans.append(span)
            left -= units(span.text)
            continue
        spans.append(replace(span, text=_beginning(span.text, max(left, 0)) + "…"))
        break
    return replace(line, spans=tuple(spans))


def _beginning(text: str, room: int) -> str:
    """At most ``room`` units, a pair of surrogates never parted, back to a space if one is near."""
    raw = text.encode("utf-16-le", "surrogatepass")[: room * 2]
    short = raw.decode("utf-16-le", "ignore").rstrip("\u200d")
    head, space, tail = short.rpartition(" ")
    return head if space and head and len(tail) < _WORD else short


def _noted(note: str) -> Line:
    return Line(spans=(Span(note, Style.ITALIC),))


def _taken(section: Section) -> int:
    """Units a section takes with the empty line before the next one; an empty section is not written."""
    items: list[Line | Quote] = [*([section.title] if section.title is not None else []), *section.lines]
    return sum(_item_size(item) for item in items) + len(items) + 1 if items else 0


def _item_size(item: Line | Quote) -> int:
    if isinstance(item, Quote):
        return sum(_item_size(line) for line in item.lines) + max(len(item.lines) - 1, 0)
    return sum(units(span.text) for span in item.spans) + (2 if item.bullet else 0)
