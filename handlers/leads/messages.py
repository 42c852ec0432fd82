"""What people see of a table they sent: what it holds before it is loaded, and what became of it. Pure functions."""

from collections.abc import Iterator

from domain.imports import AnyRow, CreativeRow, Import, ImportKind, LeadRow, SpendRow, Undone
from domain.messages import Button, Line, Message, Section, Span, Style, bold, bullet, plain
from handlers.calls.screens import ANSWER, action, say
from handlers.leads.cells import Fault
from handlers.leads.survey import Survey
from handlers.spend.screens import beside_lines
from handlers.wording import Reader, shortened
from storage.leads import Saved

CELL = 40
FILE_NAME = 60


def survey_screen(reader: Reader, name: str, survey: Survey, import_id: int, *, before: Import | None) -> Message:
    """Before anything is written. ``before``: this very file was loaded already, so there is nothing to press."""
    head = reader.say(f"import.title.{survey.kind}", name=shortened(name, FILE_NAME))
    sections = [Section(title=bold(head), lines=tuple(_count_lines(reader, survey)))]
    sections.append(Section(title=bold(reader.say("import.columns")), lines=tuple(_column_lines(reader, survey)), weight=2))
    if survey.first:
        rows = tuple(bullet(row_line(reader, row)) for row in survey.first)
        sections.append(Section(title=bold(reader.say("import.first")), lines=rows, weight=3))
    if survey.faults:
        faults = tuple(bullet(fault_line(reader, survey, number, fault)) for number, fault in survey.faults)
        sections.append(Section(title=bold(reader.say("import.faults")), lines=faults, weight=1))
    if survey.beside:
        told = (*beside_lines(reader, survey.beside), plain(reader.say("import.beside")))
        sections.append(Section(title=bold(reader.say("spend.beside")), lines=told))
    if before is not None:
        when = reader.moment(before.loaded_at or before.shown_at)
        sections.append(Section(lines=(plain(reader.say("import.same_file", when=when)),)))
    if before is not None or not survey.rows:
        return Message(key=ANSWER, sections=tuple(sections))
    go = reader.say("import.button.load", count=survey.new) if survey.new else reader.say("import.button.update")
    buttons = (action(go, f"imp:{import_id}"), action(reader.say("import.button.leave"), f"impno:{import_id}"))
    return Message(key=ANSWER, sections=tuple(sections), buttons=(buttons,))


def _count_lines(reader: Reader, survey: Survey) -> Iterator[Line]:
    rows = reader.count(survey.rows + survey.refused, "row")
    yield plain(reader.say("import.rows", rows=rows, new=survey.new))
    counts = {
        "stored": survey.stored, "known": survey.known, "repeats": survey.repeats, "refused": survey.refused,
        "doubt_phone": survey.doubts["phone"], "doubt_email": survey.doubts["email"], "undated": survey.undated,
        "replaced": survey.replaced,
    }  # fmt: skip
    yield from (bullet(reader.say(f"import.count.{name}", count=count)) for name, count in counts.items() if count)
    if survey.days:
        yield bullet(reader.say("import.days", period=reader.period(min(survey.days), max(survey.days))))
    for currency, amount in sorted(survey.sums.items()):
        yield bullet(reader.say("import.sum", amount=reader.money(amount, currency)))


def _column_lines(reader: Reader, survey: Survey) -> Iterator[Line]:
    known = [f"{title} → {reader.say(f'import.field.{field}')}" for field, title in survey.titles.items()]
    yield plain(", ".join(known))
    if survey.unknown:
        left = ", ".join(f"«{shortened(title, CELL)}»" for title in survey.unknown[:10])
        yield plain(reader.say("import.left_out", titles=left))


def row_line(reader: Reader, row: AnyRow) -> str:
    """A row as it was understood."""
    return " · ".join(part for part in _parts(reader, row) if part)


def _parts(reader: Reader, row: AnyRow) -> tuple[str, ...]:
    if isinstance(row, LeadRow):
        contact = reader.phone(row.phone_key) if row.phone_key else row.email_key or row.chat_id
        when = f"{row.day:%d.%m.%Y}" if row.day else ""
        return (row.name, contact, row.direction, row.creative, row.marks.source, when)
    if isinstance(row, SpendRow):
        return (f"{row.day:%d.%m.%Y}", reader.money(row.amount, row.currency), row.direction, row.creative, row.source)
    if isinstance(row, CreativeRow):
        return (row.title, row.direction, f"utm_content={row.rule}" if row.rule else "")
    return (row.title,)


def fault_line(reader: Reader, survey: Survey, number: int, fault: Fault) -> str:
    """«строка 14, «Дата»: «31.02.2026» — такой даты нет»."""
    title = survey.titles.get(fault.field) or reader.say(f"import.field.{fault.field}")
    return reader.say("import.fault_line", row=number, title=title, reason=reason_of(reader, fault))


def reason_of(reader: Reader, fault: Fault) -> str:
    """What is wrong with a cell, with its text."""
    reason = reader.say(f"import.fault.{fault.name}")
    return f"«{shortened(fault.given, CELL)}» — {reason}" if fault.given else reason


def started_screen(reader: Reader, table: Import) -> Message:
    return say(reader.say("import.started", name=shortened(table.name, FILE_NAME)), *_stop(reader, table))


def progress_screen(reader: Reader, table: Import, done: int) -> Message:
    text = reader.say("import.progress", name=shortened(table.name, FILE_NAME), done=done, rows=table.rows)
    sections = (Section(lines=(plain(text),)),)
    return Message(key=key_of(table), sections=sections, buttons=_stop(reader, table), silent=True)


def _stop(reader: Reader, table: Import) -> tuple[tuple[Button, ...], ...]:
    return ((action(reader.say("import.button.stop"), f"impstop:{table.id}"),),) if table.kind is ImportKind.LEADS else ()


def loaded_screen(reader: Reader, table: Import, saved: Saved) -> Message:
    """What became of it, and a way back."""
    head = Line(spans=(Span(reader.say("import.loaded", name=shortened(table.name, FILE_NAME)), Style.BOLD),))
    counts = {"added": saved.added, "changed": saved.changed, "same": saved.same}
    lines = [bullet(reader.say(f"import.result.{name}", count=count)) for name, count in counts.items() if count]
    lines = lines or [plain(reader.say("import.result.nothing"))]
    lines.append(plain(reader.say(f"import.next.{table.kind}")))
    row: tuple[tuple[Button, ...], ...] = ()
    if can_be_undone(table, saved):
        row = ((action(reader.say("import.button.undo"), f"impundo:{table.id}"),),)
    return Message(key=key_of(table), sections=(Section(title=head, lines=tuple(lines)),), buttons=row)


def can_be_undone(table: Import, saved: Saved) -> bool:
    """Names of directions and creatives stay: others may have been called so meanwhile."""
    return table.kind in {ImportKind.LEADS, ImportKind.SPEND} and bool(saved.added or saved.changed)


def undone_screen(reader: Reader, table: Import, undone: Undone) -> Message:
    """What went away, what is as before, and what stays, with the reason."""
    head = bold(reader.say("import.undone", name=shortened(table.name, FILE_NAME)))
    counts = {name: getattr(undone, name) for name in Undone.__slots__}
    lines = [bullet(reader.say(f"import.out.{name}", count=count)) for name, count in counts.items() if count]
    return Message(key=key_of(table), sections=(Section(title=head, lines=tuple(lines)),))


def stopped_screen(reader: Reader, table: Import) -> Message:
    text = reader.say("import.stopped", name=shortened(table.name, FILE_NAME))
    return Message(key=key_of(table), sections=(Section(lines=(plain(text),)),))


def failed_screen(reader: Reader, table: Import, hint: str) -> Message:
    text = reader.say("import.failed", name=shortened(table.name, FILE_NAME), hint=hint)
    return Message(key=key_of(table), sections=(Section(lines=(plain(text),)),))


def help_screen(reader: Reader) -> Message:
    """/help таблицы."""
    steps = tuple(bullet(step) for step in reader.say("help.tables.steps").split("|"))
    top = Section(title=bold(reader.say("help.tables.title")), lines=(plain(reader.say("help.tables.intro")), *steps))
    foot = Section(lines=tuple(plain(reader.say(f"help.tables.{name}")) for name in ("again", "limits")))
    return Message(key=ANSWER, sections=(top, foot))


def key_of(table: Import) -> str:
    """The key of the message that tells what becomes of a table."""
    return f"import:{table.id}"
