"""What people see while they add a lead, a direction or a creative. Pure functions."""

from collections.abc import Iterator, Sequence

from domain.imports import ImportKind
from domain.messages import Line, Message, Section, Span, Style, bold, bullet, plain
from handlers.calls.screens import ANSWER, action, say
from handlers.leads.messages import reason_of, row_line
from handlers.leads.typed import Typed
from handlers.wording import Reader


def add_menu(reader: Reader, kinds: Sequence[ImportKind]) -> Message:
    """What this person may add."""
    buttons = [action(reader.say(f"add.button.{kind}"), f"add:{kind}") for kind in kinds]
    return say(reader.say("add.menu"), *(tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2)))


def prompt_screen(reader: Reader, kind: ImportKind) -> Message:
    """One question, with a line that would do."""
    lines = (plain(reader.say(f"add.prompt.{kind}")), *_example(reader, kind))
    cancel = ((action(reader.say("add.button.cancel"), "addno:0"),),)
    return Message(key=ANSWER, sections=(Section(lines=lines),), buttons=cancel)


def _example(reader: Reader, kind: ImportKind) -> Iterator[Line]:
    for example in reader.say(f"add.example.{kind}").split("|"):
        yield Line(spans=(Span(example, Style.CODE),), bullet=True)


def wrong_screen(reader: Reader, typed: Typed) -> Message:
    """Each field that will not do, by name; the next message is taken for the line put right."""
    lines = tuple(
        bullet(Span(f"{reader.say(f'import.field.{fault.field}')}: ", Style.BOLD), reason_of(reader, fault))
        for fault in typed.faults
    )
    again = Section(lines=(plain(reader.say("add.again")), *_example(reader, typed.kind)))
    cancel = ((action(reader.say("add.button.cancel"), "addno:0"),),)
    return Message(key=ANSWER, sections=(Section(title=bold(reader.say("add.wrong")), lines=lines), again), buttons=cancel)


def check_screen(reader: Reader, typed: Typed, *, known: bool) -> Message:
    """What was understood, before it is saved."""
    lines = [plain(line) for line in described(reader, typed)]
    if known:
        lines.append(plain(reader.say("add.known")))
    buttons = (action(reader.say("add.button.save"), "addgo:0"), action(reader.say("add.button.cancel"), "addno:0"))
    title = bold(reader.say(f"add.check.{typed.kind}"))
    return Message(key=ANSWER, sections=(Section(title=title, lines=tuple(lines)),), buttons=(buttons,))


def described(reader: Reader, typed: Typed) -> Iterator[str]:
    if typed.renames:
        yield f"{typed.renames} → {row_line(reader, typed.rows[0])}"
    else:
        yield from (row_line(reader, row) for row in typed.rows)


def saved_screen(reader: Reader, typed: Typed, *, changed: int) -> Message:
    if typed.renames and not changed:
        return say(reader.say("add.no_such", title=typed.renames))
    name = f"add.saved.{typed.kind}" if changed else "add.same"
    return Message(
        key=ANSWER,
        sections=(Section(title=bold(reader.say(name)), lines=tuple(plain(line) for line in described(reader, typed))),),
    )
