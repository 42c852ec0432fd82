"""What a vendor lists of a day against what became of it, in words: the same in /status, `svodka status` and a digest."""

from collections.abc import Iterator, Sequence

from domain.messages import Button
from handlers.calls.screens import action
from handlers.wording import Reader, shortened
from storage.queries.crm_reckoning import CrmReckoning
from storage.queries.reckoning import Reckoning
from storage.queries.webinar_reckoning import UnreadReport, WebinarReckoning

MOST_UNREAD = 3  # named, with a button each
TITLE_LIMIT = 40


def reckoning_lines(
    reader: Reader, calls: Sequence[Reckoning], webinars: Sequence[WebinarReckoning], crms: Sequence[CrmReckoning]
) -> list[str]:
    """A line for each vendor, and one for each report that could not be read."""
    told = (line for one in webinars for line in _webinars(reader, one))
    return [*(_calls(reader, one) for one in calls), *told, *(_crm(reader, one) for one in crms)]


def redo_rows(reader: Reader, webinars: Sequence[WebinarReckoning]) -> Iterator[tuple[Button, ...]]:
    """What to press about the reports that could not be read."""
    for report in [report for one in webinars for report in one.unread][:MOST_UNREAD]:
        title = reader.say("status.unread_button", title=shortened(report.title, TITLE_LIMIT))
        yield (action(title, f"wredo:{report.work_id}"),)


def _calls(reader: Reader, one: Reckoning) -> str:
    figures = {name: getattr(one, name) for name in ("listed", "processed", "filtered", "waiting")}
    line = reader.say("status.reckoning_line", vendor=reader.vendor(one.vendor), **figures)
    return f"{line} {reader.say('status.reckoning_found', count=one.found)}" if one.found else line


def _webinars(reader: Reader, one: WebinarReckoning) -> Iterator[str]:
    figures = {name: getattr(one, name) for name in ("listed", "hook", "poll", "waiting", "skipped")}
    line = reader.say("status.webinars_line", vendor=reader.vendor(one.vendor), **figures)
    yield f"{line} {reader.say('status.webinars_failed', count=one.failed)}" if one.failed else line
    yield from (_unread(reader, report) for report in one.unread[:MOST_UNREAD])
    if one.failed > MOST_UNREAD:
        yield reader.say("status.unread_more", count=one.failed - MOST_UNREAD)


def _crm(reader: Reader, one: CrmReckoning) -> str:
    figures = {name: getattr(one, name) for name in ("listed", "hook", "poll", "waiting")}
    return reader.say("status.leads_line", vendor=reader.vendor(one.vendor), **figures)


def _unread(reader: Reader, report: UnreadReport) -> str:
    at = reader.moment(report.started_at) if report.started_at else "—"
    return reader.say("status.unread", title=shortened(report.title, TITLE_LIMIT), at=at)
