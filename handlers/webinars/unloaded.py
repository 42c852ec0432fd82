"""A report that the platform has and we have not: it is loaded when somebody asks about a visit there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.errors import VendorError
from domain.events import WebinarEnded
from domain.messages import Button, Line, Message, Section, Span, Style, plain
from domain.roles import Person
from domain.webinars import WebinarReport
from handlers.calls.screens import ANSWER, action
from handlers.desk import Desk
from handlers.webinars.desk import WebinarDesk
from handlers.webinars.typed import EMPTY, VisitLine
from handlers.wording import Reader
from storage.queries.awaited import report_due
from storage.queries.questions import Question, keep_question


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Of which room ("": any), and when it began: in [since, until), or the newest where nothing was said."""

    room_id: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def fits(self, report: WebinarReport) -> bool:
        if self.room_id and report.room_id != self.room_id:
            return False
        if self.since is None or self.until is None:
            return True
        return report.started_at is not None and self.since <= report.started_at < self.until


async def without_report(desk: Desk, reader: Reader, person: Person, line: VisitLine, sought: Sought) -> Message:
    """It is waited for, or the platform has it and we have not yet, or there is none: never the same as «нет»."""
    due = await report_due(desk.database, person.account_id, sought.room_id, since=sought.since, until=sought.until)
    text = reader.say("visited.not_yet", at=reader.moment(due)) if due else ""
    text = text or await _on_the_platform(desk, reader, person.account_id, sought)
    rows = ((await _same_again(desk, reader, person, line, sought),),) if text else ()
    title = Line(spans=(Span(text or _none(desk, reader, sought), Style.BOLD),))
    lines = tuple(plain(told) for told in time_alone(reader, line))
    return Message(key=ANSWER, sections=(Section(title=title, lines=lines),), buttons=rows)


async def _on_the_platform(desk: Desk, reader: Reader, account_id: int, sought: Sought) -> str:
    """What to say where the platform lists the report, whose load then begins, or does not answer; "" where it has none."""
    webinars = desk.webinars
    if webinars is None:
        return ""
    try:
        report = next(filter(sought.fits, await _listed(webinars, sought)), None)
    except VendorError:
        return reader.say("visited.platform_away")
    if report is None:
        return ""
    event = WebinarEnded(
        vendor=webinars.vendor, external_id=report.external_id, occurred_at=report.started_at, title=report.title
    )
    begun = await desk.submit(account_id, event)
    when = f"{report.started_at.astimezone(reader.zone):%d.%m.%Y %H:%M}" if report.started_at else "—"
    name = "visited.loading" if begun else "visited.in_work"
    return reader.say(name, title=report.title or reader.say("webinar.untitled"), when=when)


async def _listed(webinars: WebinarDesk, sought: Sought) -> Sequence[WebinarReport]:
    """A day that was named is looked for as far back as the platform lists; without one only the newest are meant."""
    reports = await webinars.catalogue.reports()
    return reports if sought.since is not None else reports[: webinars.report_limit]


async def _same_again(desk: Desk, reader: Reader, person: Person, line: VisitLine, sought: Sought) -> Button:
    """The same question on a button, with the room that was chosen in it."""
    day = f"{line.day:%d.%m.%Y}" if line.day else ""
    at = f"{line.at:%H:%M}" if line.at else ""
    words = (sought.room_id, line.email or EMPTY, line.phone or EMPTY, day, at)
    asked = Question(account_id=person.account_id, text=" ".join(filter(None, words)), asked_at=desk.clock.now())
    return action(reader.say("visited.again"), f"vagain:{await keep_question(desk.database, asked)}")


def _none(desk: Desk, reader: Reader, sought: Sought) -> str:
    if sought.since is not None or desk.webinars is None:
        return reader.say("visited.no_report")
    return reader.say("visited.none_lately", count=desk.webinars.report_limit)


def time_alone(reader: Reader, line: VisitLine) -> Iterator[str]:
    if line.at is not None and line.day is None:
        yield reader.say("visited.time_alone")
