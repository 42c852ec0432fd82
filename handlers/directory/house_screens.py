"""Houses as people look at them: a list with pages, and the card of one with «—» for what is not known. Pure functions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.directory import HouseField
from domain.messages import Button, ButtonKind, Line, Message, Section, Span, Style, bold, bullet, plain
from handlers.calls.screens import ANSWER, action
from handlers.directory.ages import Sight, age_lines, refresh_row
from handlers.wording import Reader, shortened
from storage.queries.directory import HouseLine

PER_PAGE = 10
IN_A_ROW = 5
TITLE_LIMIT = 60
VALUE_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Which part of a list is shown. ``turn``: the button that turns its pages, without the offset. ``words``: asked for."""

    total: int
    offset: int
    turn: str
    words: str = ""


def houses_screen(
    reader: Reader,
    lines: Sequence[HouseLine],
    part: Slice,
    sight: Sight,
    *,
    title: str = "",
    addressless: bool = False,
    pipelines: str = "",
) -> Message:
    """``addressless``: no field says the address, so that deals' names stand for it. ``pipelines``: there are several."""
    head = [Span(title or reader.say("houses.title"), Style.BOLD)]
    head += [Span(f" · {part.total}")] if part.total else []
    below = [plain(found_line(reader, part, "house"))] if part.words else []
    numbered = list(enumerate(lines, part.offset + 1))
    below += [_item(number, name_of(house), summary(reader, house)) for number, house in numbered]
    foot = [plain(reader.say("houses.title_instead"))] if addressless and lines else []
    foot += [plain(pipelines)] if pipelines else []
    foot += [plain(line) for line in age_lines(reader, sight)]
    opening = [action(str(number), f"ho:{house.external_id}") for number, house in numbered]
    rows = (*in_rows(opening), pager(reader, part), refresh_row(reader, sight, "hs"))
    sections = (Section(title=Line(spans=tuple(head)), lines=tuple(below)), Section(lines=tuple(foot)))
    return Message(key=ANSWER, sections=sections, buttons=tuple(row for row in rows if row))


def house_screen(reader: Reader, house: HouseLine, sight: Sight) -> Message:
    """All that is known, in the order of HouseField."""
    lines = [
        bullet(f"{_label(reader, one)}: {_value(reader, house, one)}") for one in HouseField if one is not HouseField.ADDRESS
    ]
    if house.address and house.title and house.title != house.address:
        lines.append(bullet(reader.say("houses.deal", title=shortened(house.title, VALUE_LIMIT))))
    if not house.address:
        lines.insert(0, bullet(f"{_label(reader, HouseField.ADDRESS)}: {reader.say('directory.nothing')}"))
        lines.insert(1, bullet(reader.say("houses.title_instead_of_one")))
    foot = Section(lines=tuple(plain(line) for line in age_lines(reader, sight)))
    head = Section(title=bold(f"🏠 {name_of(house)}"), lines=tuple(lines))
    rows = [(link,)] if (link := crm_button(reader, sight, house.url)) is not None else []
    rows.append((action(reader.say("directory.button.houses"), "hs:0"),))
    return Message(key=ANSWER, sections=(head, foot), buttons=tuple(rows))


def name_of(house: HouseLine) -> str:
    return shortened(house.name or f"№ {house.external_id}", VALUE_LIMIT)


def summary(reader: Reader, house: HouseLine) -> str:
    """What a list says beside the address."""
    counts = ((house.flats, "houses.flats"), (house.entrances, "houses.entrances"))
    parts = [reader.say(name, count=number) for number, name in counts if number is not None]
    return ", ".join((*parts, *filter(None, (shortened(house.company, TITLE_LIMIT),))))


def found_line(reader: Reader, part: Slice, noun: str) -> str:
    return reader.say("directory.found", words=shortened(part.words, TITLE_LIMIT), count=reader.count(part.total, noun))


def crm_button(reader: Reader, sight: Sight, url: str) -> Button | None:
    if not (url.startswith("https://") and sight.crm):
        return None
    return Button(text=reader.say("directory.button.crm", crm=sight.crm), kind=ButtonKind.URL, target=url)


def in_rows(buttons: Sequence[Button]) -> Iterator[tuple[Button, ...]]:
    yield from (tuple(buttons[start : start + IN_A_ROW]) for start in range(0, len(buttons), IN_A_ROW))


def pager(reader: Reader, part: Slice, per_page: int = PER_PAGE) -> tuple[Button, ...]:
    if part.total <= per_page:
        return ()
    pages, here = -(-part.total // per_page), part.offset // per_page + 1
    newer = action(reader.say("directory.button.newer"), f"{part.turn}:{max(part.offset - per_page, 0)}")
    older = action(reader.say("directory.button.older"), f"{part.turn}:{part.offset + per_page}")
    middle = action(reader.say("directory.button.page", page=here, pages=pages), f"{part.turn}:{part.offset}")
    return (*((newer,) if here > 1 else ()), middle, *((older,) if here < pages else ()))


def _item(number: int, name: str, about: str) -> Line:
    rest = (Span(f" — {about}"),) if about else ()
    return Line(spans=(Span(f"{number}. ", Style.BOLD), Span(name), *rest))


def _label(reader: Reader, one: HouseField) -> str:
    return reader.say(f"houses.field.{one}")


def _value(reader: Reader, house: HouseLine, one: HouseField) -> str:
    return shortened(house.values.get(one, ""), VALUE_LIMIT) or reader.say("directory.nothing")
