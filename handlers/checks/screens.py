"""An examination as people see it: what is wrong first, with what to press; the good lines folded. Pure functions."""

from collections.abc import Iterator, Sequence

from domain.messages import Button, Line, Message, Section, bold, plain
from handlers.calls.screens import ANSWER, action, say
from handlers.checks.desk import Found, Report
from handlers.wording import Reader, shortened

DETAIL_LIMIT = 160
HINT_LIMIT = 320


def begun_screen(reader: Reader, only: str) -> Message:
    return say(reader.say("checks.begun", what=_what(reader, only)))


def broken_screen(reader: Reader, only: str) -> Message:
    """A restart came between."""
    return say(reader.say("checks.broken"), (_again(reader, only),))


def summary_screen(reader: Reader, report: Report) -> Message:
    """For a group: the outcome in numbers, no names of what is wrong."""
    lines = (plain(_outcome(reader, report)), *_counted(reader, report), plain(reader.say("checks.in_private")))
    return Message(key=ANSWER, sections=(Section(title=bold(_title(reader, report)), lines=lines),))


def report_screen(reader: Reader, report: Report, *, whole: bool = False) -> Message:
    """Faults, then warnings, each with its cure; ``whole``: everything else too, part by part."""
    top = Section(title=bold(_title(reader, report)), lines=(plain(_outcome(reader, report)),))
    wrong = [
        Section(lines=tuple(_cured(reader, found)), weight=weight)
        for weight, listed in ((1, report.faults), (2, report.warnings))
        for found in listed
    ]
    rest = tuple(_good(report)) if whole else _folded(reader, report)
    return Message(key=ANSWER, sections=(top, *wrong, *rest), buttons=tuple(_rows(reader, report, whole=whole)))


def _title(reader: Reader, report: Report) -> str:
    return reader.say("checks.title", what=_what(reader, report.only))


def _what(reader: Reader, only: str) -> str:
    return reader.vendor(only) if only else reader.say("checks.everything")


def _outcome(reader: Reader, report: Report) -> str:
    counts = ((report.faults, "failure"), (report.warnings, "warning"))
    told = ", ".join(reader.count(len(listed), noun) for listed, noun in counts if listed)
    if any(found.code == f"{report.only}.off" for found in report.off):
        return reader.say("checks.not_connected")
    return reader.say("checks.wrong", told=told) if told else reader.say("checks.all_good")


def _cured(reader: Reader, found: Found) -> Iterator[Line]:
    yield plain(_line(found))
    if found.hint:
        yield plain(reader.say("checks.press", hint=shortened(found.hint, HINT_LIMIT)))


def _line(found: Found) -> str:
    mark = ("▫️" if found.off else "✅") if found.ok else "⚠️" if found.warning else "⛔"
    detail = shortened(found.detail, DETAIL_LIMIT)
    return f"{mark} {found.title} — {detail}" if detail else f"{mark} {found.title}"


def _counted(reader: Reader, report: Report) -> list[Line]:
    return [plain(reader.say("checks.good", count=len(report.good)))] if report.good else []


def _folded(reader: Reader, report: Report) -> tuple[Section, ...]:
    lines = _counted(reader, report)
    if report.off:
        lines.append(plain(reader.say("checks.off", names=_names(report.off))))
    return (Section(lines=tuple(lines)),) if lines else ()


def _names(off: Sequence[Found]) -> str:
    return ", ".join(found.title for found in off)


def _good(report: Report) -> Iterator[Section]:
    for part in report.parts:
        lines = tuple(plain(_line(found)) for found in part.found if found.ok)
        if lines:
            yield Section(title=bold(part.title), lines=lines, weight=3)


def _rows(reader: Reader, report: Report, *, whole: bool) -> Iterator[tuple[Button, ...]]:
    for vendor in dict.fromkeys(found.subscribe for found in report if found.subscribe):
        yield (action(reader.say("alert.hook_subscribe"), f"hookset:{vendor}"),)
    yield tuple(_buttons(reader, report, whole=whole))


def _buttons(reader: Reader, report: Report, *, whole: bool) -> Iterator[Button]:
    if not whole and report.good:
        yield action(reader.say("checks.show_all"), f"chkall:{report.name}")
    yield _again(reader, report.only)


def _again(reader: Reader, only: str) -> Button:
    return action(reader.say("checks.again"), f"check:{only}")
