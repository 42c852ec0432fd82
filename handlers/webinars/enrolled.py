"""Who registered for a webinar, asked of the platform: its pages tell us by themselves only where their hook is set."""

import logging
from collections.abc import Sequence
from datetime import datetime

from domain.errors import VendorRefused
from domain.ports import Tx
from domain.webinars import AUTOMATIC_APART, LIVE_APART, PageId, Registration, RoomId, Subscriber, WebinarReport
from handlers.webinars.run import WebinarRun

log = logging.getLogger(__name__)

AT_ONCE = 10  # in one write: each is a look-up of a person, and hooks are waiting


async def take_registered(run: WebinarRun) -> int:
    """Those registered for this session on the pages of its room are kept; how many. Whom a hook told of is the same row.

    They are joined with people who are known; of the others no leads are made, or every conversion would fall at once.
    """
    report = run.report
    if report is None or report.started_at is None or not report.room_id:
        return 0
    taken = 0
    try:
        pages = [page.page_id for page in await run.services.catalogue.pages() if page.room_id == report.room_id]
        taken = await _of_session(run, pages, report.room_id, report.started_at)
        if not taken and (session_at := await _nearest(run, pages, report)) is not None:
            taken = await _of_session(run, pages, report.room_id, session_at)
    except VendorRefused as refusal:  # a token may be allowed to see reports only
        log.info("%s does not tell who registered for %s: %s", run.item.event.vendor, run.webinar_id, refusal)
    return taken


async def _nearest(run: WebinarRun, pages: Sequence[PageId], report: WebinarReport) -> datetime | None:
    """The session that this was planned as: a report may carry the moment somebody pressed the button. One and no other."""
    start = report.started_at
    assert start is not None  # noqa: S101 - nobody asks without it
    apart = LIVE_APART if report.live else AUTOMATIC_APART
    planned: set[datetime] = set()
    for page_id in pages:
        async for people in run.services.platform.subscribers(page_id, session_at=start, apart=apart):
            planned |= {one.session_at for one in people if one.session_at is not None}
    return min(planned, key=lambda at: (abs(at - start), at), default=None)


async def _of_session(run: WebinarRun, pages: Sequence[PageId], room: RoomId, session_at: datetime) -> int:
    taken = 0
    for page_id in pages:
        async for people in run.services.platform.subscribers(page_id, session_at=session_at):
            for begin in range(0, len(people), AT_ONCE):
                taken += await _keep(run, page_id, room, people[begin : begin + AT_ONCE])
    return taken


async def _keep(run: WebinarRun, page_id: PageId, room: RoomId, people: Sequence[Subscriber]) -> int:
    item, registrations = run.item, run.services.registrations

    async def write(tx: Tx) -> int:
        for one in people:
            heard_at = one.registered_at or item.heard_at
            registration = _registration(page_id, room, one)
            await registrations.add_registration(
                tx, item.account_id, item.event.vendor, registration, source="api", heard_at=heard_at
            )
        return len(people)

    return await run.services.write(write)


def _registration(page_id: PageId, room: RoomId, one: Subscriber) -> Registration:
    return Registration(
        sublist_id=page_id, room=room, name=one.name, email=one.email, phone=one.phone, session_at=one.session_at,
        secret=one.secret, marks=one.marks,
    )  # fmt: skip
