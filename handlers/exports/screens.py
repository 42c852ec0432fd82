"""What a person sees of an export: what there is, of which days, how far the file is, and what became of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from domain.messages import Button, File, Message, Section, bold, plain
from domain.plural import spaced
from domain.roles import Person
from handlers.analytics.ask import period_on_button
from handlers.calls.periods import Period
from handlers.calls.screens import ANSWER, action
from handlers.exports.catalogue import EXPORTS, Export, title_of
from handlers.exports.files import Format, Written
from handlers.webinars.segment_screens import Part
from handlers.wording import Reader
from storage.queries.listings import Days

PICKED_DAYS = (7, 30, 90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A file somebody asked for. ``id`` names the asking, "" where nothing is asked yet.

    ``about``: of which webinar and part of its people, where it is of one. ``turned``: the last of its days was named before
    the first.
    """

    export: Export
    days: Days
    format: Format = Format.XLSX
    id: str = ""
    about: str = ""
    turned: bool = False

    @property
    def key(self) -> str:
        """The key of the message that tells what becomes of it."""
        return f"export:{self.id}"


def choose_screen(reader: Reader, person: Person, *, puzzled: bool = False) -> Message:
    """Everything this person may have."""
    mine = [export for export in EXPORTS if export.allowed(person.role)]
    lines = [plain(reader.say("export.not_what"))] if puzzled else []
    lines += [plain(reader.say("export.choose_hint"))]
    lines += [plain(reader.say("export.people_hint"))] if len(mine) < len(EXPORTS) else []
    buttons = [action(title_of(export, reader.texts), f"expw:{export.name}") for export in mine]
    section = Section(title=bold(reader.say("export.choose")), lines=tuple(lines))
    return Message(key=ANSWER, sections=(section,), buttons=_in_pairs(buttons))


def days_screen(reader: Reader, export: Export, *, puzzled: str = "") -> Message:
    """``puzzled``: words that are no days."""
    lines = [plain(reader.say("export.not_days", words=puzzled))] if puzzled else []
    lines += [plain(reader.say("export.days_hint"))]
    title = bold(reader.say("export.days_title", what=title_of(export, reader.texts)))
    counts = tuple(action(reader.say("export.button.days", days=days), f"expp:{export.name}:{days}") for days in PICKED_DAYS)
    months = [
        action(reader.period(month.first, month.last), f"expp:{export.name}:{_absolute(month)}")
        for month in _months(reader.today)
    ]
    ever = (
        action(reader.say("export.button.ever"), f"expp:{export.name}:0"),
        action(reader.say("export.button.back"), "exp:0"),
    )
    return Message(
        key=ANSWER, sections=(Section(title=title, lines=tuple(lines)),), buttons=(counts, tuple(months), ever)
    )  # fmt: skip


def format_screen(reader: Reader, wish: Wish) -> Message:
    title = bold(reader.say("export.format_title", **_named(reader, wish)))
    days = button_of(wish, reader.today)
    buttons = (
        action(reader.say("export.button.excel"), f"expf:{wish.export.name}:{days}:{Format.XLSX}"),
        action(reader.say("export.button.csv"), f"expf:{wish.export.name}:{days}:{Format.CSV}"),
    )
    lines = [plain(reader.say("export.turned", when=when_of(reader, wish.days)))] if wish.turned else []
    section = Section(title=title, lines=(*lines, plain(reader.say("export.format_hint"))))
    return Message(key=ANSWER, sections=(section,), buttons=(buttons,))


def begun_screen(reader: Reader, wish: Wish, *, waits: bool = False) -> Message:
    name = "export.waits" if waits else "export.begun"
    return _under_way(reader, wish, reader.say(name, **_named(reader, wish)))


def progress_screen(reader: Reader, wish: Wish, done: int, total: int | None) -> Message:
    named = _named(reader, wish)
    if total is None:
        return _under_way(reader, wish, reader.say("export.progress_open", done=spaced(done), **named))
    if done >= total:
        return _under_way(reader, wish, reader.say("export.packing", rows=reader.count(done, "row"), **named))
    return _under_way(reader, wish, reader.say("export.progress", done=spaced(done), total=spaced(total), **named))


def ready_screen(reader: Reader, wish: Wish, written: Written, files: Sequence[File]) -> Message:
    rows = reader.count(written.rows, "row")
    lines = [reader.say("export.ready_rows", rows=rows, at=reader.moment(reader.now), zone=reader.zone.key)]
    lines += [reader.say("export.ready_parts", count=len(files))] if len(files) > 1 else []
    lines += [reader.say("export.ready_cut", count=spaced(written.cut))] if written.cut else []
    section = Section(title=bold(reader.say("export.ready", **_named(reader, wish))), lines=tuple(map(plain, lines)))
    return Message(key=wish.key, sections=(section,), files=tuple(files), kind="answer")


def ended_screen(reader: Reader, wish: Wish, name: str, **values: object) -> Message:
    """It ended without a file, as the text ``name`` says."""
    text = reader.say(name, **_named(reader, wish), **values)
    target = f"expf:{wish.export.name}:{button_of(wish, reader.today)}:{wish.format}"
    buttons = ((action(reader.say("export.button.again"), target),),) if name == "export.failed" else ()
    return Message(key=wish.key, sections=(Section(lines=(plain(text),)),), buttons=buttons, kind="answer")


def file_name(reader: Reader, wish: Wish, ending: str, *, number: int, count: int) -> str:
    """«Звонки ноябрь 2026.xlsx», «Лиды всё время (1 из 3).xlsx»."""
    part = reader.say("export.part", number=number, count=count) if count > 1 else ""
    return reader.say("export.file", part=part, ending=ending, **_named(reader, wish))


def when_of(reader: Reader, days: Days) -> str:
    """«ноябрь 2026», «1–15 ноября», «всё время»."""
    if days.first is not None and days.last is not None:
        return reader.period(days.first, days.last)
    return reader.say("export.ever")


def button_of(wish: Wish, today: date) -> str:
    """What a button carries of them: «30», «20261101-20261130», «0», or «w12a», a webinar and the letter of a part."""
    days = wish.days
    if days.webinar_id:
        return f"w{days.webinar_id}{next((part for part in Part if part.segment is days.segment), '')}"
    return period_on_button(Period(first=days.first, last=days.last), today) if days.first and days.last else "0"


def _named(reader: Reader, wish: Wish) -> dict[str, object]:
    """A list that has no dates is as it stands today."""
    now = reader.say("export.now", day=reader.day(reader.now))
    when = wish.about or (when_of(reader, wish.days) if wish.export.dated else now)
    return {"what": title_of(wish.export, reader.texts), "when": when}


def _under_way(reader: Reader, wish: Wish, text: str) -> Message:
    stop = action(reader.say("export.button.stop"), f"expstop:{wish.id}")
    return Message(key=wish.key, sections=(Section(lines=(plain(text),)),), buttons=((stop,),), silent=True, kind="answer")


def _months(today: date) -> tuple[Period, Period]:
    """This month up to today, and the one before it."""
    this = Period(first=today.replace(day=1), last=today)
    before = this.first - timedelta(days=1)
    return Period(first=before.replace(day=1), last=before), this


def _absolute(period: Period) -> str:
    return f"{period.first:%Y%m%d}-{period.last:%Y%m%d}"


def _in_pairs(buttons: Sequence[Button]) -> tuple[tuple[Button, ...], ...]:
    return tuple(tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2))


def days_of(period: Period | None, reader: Reader) -> Days:
    return Days(zone=reader.zone, first=period.first if period else None, last=period.last if period else None)
