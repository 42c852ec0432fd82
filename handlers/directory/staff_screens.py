"""People and departments as people look at them: lists, a card, the tree with its heads. Pure functions."""

from collections.abc import Sequence

from domain.messages import Line, Message, Section, Span, Style, bold, bullet, plain
from domain.people import phone_key
from handlers.calls.screens import ANSWER, action
from handlers.directory.ages import Sight, age_lines, refresh_row
from handlers.directory.house_screens import Slice, found_line, in_rows, pager
from handlers.wording import Reader, shortened
from storage.queries.directory import DepartmentLine, EmployeeLine

NAME_LIMIT = 100
DEPARTMENTS_PER_PAGE = 20
DEEPEST = 6  # levels that are set in; a phone's screen has no room for more
_STEP = "\u2003"  # a space as wide as it is high: Telegram keeps it


def staff_screen(reader: Reader, lines: Sequence[EmployeeLine], part: Slice, sight: Sight, *, title: str = "") -> Message:
    head = [Span(title or reader.say("staff.title"), Style.BOLD)]
    head += [Span(f" · {part.total}")] if part.total else []
    below = [plain(found_line(reader, part, "employee"))] if part.words else []
    numbered = list(enumerate(lines, part.offset + 1))
    below += [_item(reader, number, one) for number, one in numbered]
    foot = Section(lines=tuple(plain(line) for line in age_lines(reader, sight)))
    opening = [action(str(number), f"eo:{one.external_id}") for number, one in numbered]
    rows = (*in_rows(opening), pager(reader, part), refresh_row(reader, sight, "em"))
    top = Section(title=Line(spans=tuple(head)), lines=tuple(below))
    return Message(key=ANSWER, sections=(top, foot), buttons=tuple(row for row in rows if row))


def employee_screen(reader: Reader, one: EmployeeLine, sight: Sight, *, calls: str = "") -> Message:
    """In a group the phone is shortened and the e-mail left out: guests read along. ``calls``: the button of theirs."""
    nothing = reader.say("directory.nothing")
    among = "staff.departments" if len(one.departments) > 1 else "staff.department"
    lines = [
        bullet(reader.say("staff.state", value=reader.say("staff.works" if one.active else "staff.fired"))),
        bullet(reader.say("staff.position", value=shortened(one.position, NAME_LIMIT) or nothing)),
        bullet(reader.say(among, value=shortened(", ".join(one.departments), 2 * NAME_LIMIT) or nothing)),
        bullet(reader.say("staff.phone", value=_phone(reader, one.phone) or nothing)),
    ]
    if one.extension:
        lines.append(bullet(reader.say("staff.extension", value=one.extension)))
    if reader.private:
        lines.append(bullet(reader.say("staff.email", value=one.email or nothing)))
    head = Section(title=bold(f"👤 {name_of(reader, one)}"), lines=tuple(lines))
    foot = Section(lines=tuple(plain(line) for line in age_lines(reader, sight)))
    lists = (action(reader.say("directory.button.staff"), "em:0"), action(reader.say("directory.button.tree"), "dp:0"))
    rows = ((action(reader.say("staff.calls"), calls),), lists) if calls else (lists,)
    return Message(key=ANSWER, sections=(head, foot), buttons=rows)


def departments_screen(reader: Reader, tree: Sequence[DepartmentLine], offset: int, sight: Sight) -> Message:
    """Each below its parent; a button a department opens its people."""
    shown = list(enumerate(tree, 1))[offset : offset + DEPARTMENTS_PER_PAGE]
    head = [Span(reader.say("departments.title"), Style.BOLD)]
    head += [Span(f" · {len(tree)}")] if tree else []
    top = Section(title=Line(spans=tuple(head)), lines=tuple(_branch(reader, number, one) for number, one in shown))
    foot = Section(lines=tuple(plain(line) for line in age_lines(reader, sight)))
    opening = [action(str(number), f"emd:{one.external_id}:0") for number, one in shown]
    part = Slice(total=len(tree), offset=offset, turn="dp")
    rows = (*in_rows(opening), pager(reader, part, DEPARTMENTS_PER_PAGE), refresh_row(reader, sight, "dp"))
    return Message(key=ANSWER, sections=(top, foot), buttons=tuple(row for row in rows if row))


def name_of(reader: Reader, one: EmployeeLine) -> str:
    return shortened(one.full_name, NAME_LIMIT) or reader.say("staff.nameless", number=one.external_id)


def summary(reader: Reader, one: EmployeeLine) -> str:
    """What a list says beside the name."""
    fired = "" if one.active else reader.say("staff.fired")
    return ", ".join(shortened(part, NAME_LIMIT) for part in (fired, one.position, *one.departments) if part)


def _item(reader: Reader, number: int, one: EmployeeLine) -> Line:
    about = summary(reader, one)
    rest = (Span(f" — {about}"),) if about else ()
    return Line(spans=(Span(f"{number}. ", Style.BOLD), Span(name_of(reader, one)), *rest))


def _branch(reader: Reader, number: int, one: DepartmentLine) -> Line:
    name = shortened(one.name, NAME_LIMIT) or f"№ {one.external_id}"
    text = reader.say("departments.line", name=name, head=_head(reader, one), people=reader.count(one.people, "employee"))
    return Line(spans=(Span(f"{_STEP * min(one.depth, DEEPEST)}{number}. ", Style.BOLD), Span(text)))


def _head(reader: Reader, one: DepartmentLine) -> str:
    if not one.head:
        return reader.say("departments.no_head")
    return reader.say(
        "departments.head" if one.head_active else "departments.fired_head", name=shortened(one.head, NAME_LIMIT)
    )


def _phone(reader: Reader, phone: str) -> str:
    """As it is written in private; in a group the end of it alone."""
    if not phone or reader.private:
        return phone
    return reader.phone(phone_key(phone) or "")
