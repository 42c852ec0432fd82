"""Bizon365 as a webinar platform: reports with their viewers, rooms, registration pages, subscribers, registration."""

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain, pairwise

from domain.errors import NotReady, VendorError, VendorRefused, VendorUnavailable
from domain.ports import Clock
from domain.webinars import (
    SAME_SESSION,
    START,
    Bookmark,
    Entry,
    PageId,
    Registered,
    RegistrationPage,
    RegistrationRequest,
    Room,
    Subscriber,
    Viewer,
    ViewerPage,
    WebinarReport,
)
from integrations.bizon365.client import Client
from integrations.bizon365.entries import entry_of
from integrations.bizon365.faults import NOT_FOUND, VENDOR_NAME
from integrations.bizon365.records import (
    bare_report,
    read_page,
    read_report,
    read_rooms,
    read_single_report,
    read_subscriber,
)
from integrations.bizon365.sessions import iso, room_of, start_of
from integrations.bizon365.settings import Settings
from integrations.bizon365.viewers import Reading, read_viewer
from integrations.kit.ahead import ahead
from integrations.kit.values import count_of, list_of, mapping_of, text_of

LIST, REPORT, VIEWERS = "reports/getlist", "reports/get", "reports/getviewers"
SUBPAGES, SUBSCRIBERS, ADD = "subpages/getSubpages", "subpages/getSubscribers", "subpages/addSubscriber"
REPORTS_A_PAGE, VIEWERS_A_PAGE, SUBPAGES_A_PAGE, SUBSCRIBERS_A_PAGE = 100, 1000, 50, 1000
MAX_PAGES = 1000  # a million viewers; no platform holds more in a room
MAX_LIST_PAGES = 50
PAGES_AHEAD = 2
PAGES_ASKED_FOR_SESSIONS = 6  # a request each, and whoever chooses a page waits for them
AT_ONCE = 100  # records read before other work gets the loop
LOOK_AGAIN_S = 300.0
BEFORE_START = timedelta(days=1)  # nobody has said whether minDate is of the session or of its report

Rows = Sequence[Mapping[str, object]]


class Webinars:
    """Implements WebinarPlatform of domain.ports."""

    def __init__(self, client: Client, settings: Settings, clock: Clock) -> None:
        self._client = client
        self._zone = settings.zone
        self._url_params = settings.url_params
        self._clock = clock
        self._one_report = asyncio.Lock()

    async def reports(self, *, since: datetime | None, limit: int) -> Sequence[WebinarReport]:
        """By when each report was made, newest first; a report without that time comes last and is never left out."""
        kept: list[WebinarReport] = []
        async for page in self._report_pages(since):
            fresh = [report for report in page if since is None or not report.created_at or report.created_at >= since]
            kept += fresh
            if _newest_first(page) and (len(fresh) < len(page) or len(kept) >= limit):
                break
        return sorted(kept, key=_made_at, reverse=True)[:limit]

    async def report(self, external_id: str) -> WebinarReport | None:
        """From the list, which knows most of it; else by itself; else, with viewers there, what the id tells."""
        report = await self._listed(external_id) or await self._single(external_id)
        if report is not None:
            return report
        rows, _ = await self._viewer_rows(external_id, 0, limit=1)
        return bare_report(external_id, self._zone) if rows else None

    async def viewers(self, external_id: str, *, since: Bookmark = START) -> AsyncGenerator[ViewerPage, None]:
        """See WebinarPlatform. One report at a time: Bizon365 does not like several downloads with one token."""
        async with self._one_report:
            async for page in ahead(self._viewer_pages(external_id, since), by=PAGES_AHEAD):
                yield page

    def reread(self, external_id: str, raw: Sequence[str]) -> Sequence[Viewer]:
        """See WebinarPlatform."""
        reading = self._reading(external_id)
        return [read_viewer(mapping_of(json.loads(record)), reading) for record in raw]

    def entry_of(self, url: str) -> Entry:
        return entry_of(url)

    async def rooms(self) -> Sequence[Room]:
        """Bizon365 has no list of rooms: they come beside the reports and the registration pages, and in reports."""
        listed = await self._client.get(LIST, skip=0, limit=REPORTS_A_PAGE)
        reports = [read_report(mapping_of(item), self._zone) for item in list_of(listed.get("list"))]
        held = (Room(room_id=one.room_id, title=one.title or one.room_id) for one in reports if one and one.room_id)
        found: dict[str, Room] = {}
        for room in chain(read_rooms(listed.get("rooms")), read_rooms(await self._rooms_of_pages()), held):
            found.setdefault(room.room_id, room)
        return tuple(found.values())

    async def pages(self) -> Sequence[RegistrationPage]:
        """Bizon365 does not list the sessions of a page: those somebody is registered for are known to be there."""
        now = self._clock.now()
        pages = [
            page
            async for rows in self._rows(SUBPAGES, "pages", SUBPAGES_A_PAGE)
            for row in rows
            if (page := read_page(row, now, self._zone)) is not None
        ]
        silent = [page.page_id for page in pages if page.enabled and page.registered and not page.sessions]
        asked = silent[:PAGES_ASKED_FOR_SESSIONS]
        found = dict(zip(asked, await asyncio.gather(*(self._sessions(page_id, now) for page_id in asked)), strict=True))
        return [replace(page, sessions=found.get(page.page_id, page.sessions)) for page in pages]

    async def subscribers(
        self, page_id: PageId, *, session_at: datetime | None = None, apart: timedelta = SAME_SESSION
    ) -> AsyncIterator[Sequence[Subscriber]]:
        """The filter by session is checked here too: a server that does not know it would send everybody."""
        asked: dict[str, str] = {"pageId": page_id}
        if session_at is not None:
            asked["webinarTimeMin"] = iso(session_at - apart)
            asked["webinarTimeMax"] = iso(session_at + apart)
        async for rows in self._rows(SUBSCRIBERS, "list", SUBSCRIBERS_A_PAGE, **asked):
            found = (read_subscriber(row, self._zone) for row in rows)
            yield [one for one in found if session_at is None or _is_within(one, session_at, apart)]

    async def register(self, request: RegistrationRequest) -> Registered:
        """Only what was given is sent, the time in UTC. No key makes a repeat harmless; it is believed an update."""
        answer = await self._client.post(ADD, _body_of(request))
        key = text_of(answer.get("hash"))
        link = text_of(answer.get("url_userdomain")) or text_of(answer.get("url_default"))
        if not key and not link:
            raise VendorUnavailable(VENDOR_NAME, ADD, "no key of the subscriber in the answer", uncertain=True)
        return Registered(key=key, link=link)

    async def find_subscriber(self, page_id: PageId, email: str, *, session_at: datetime | None) -> Subscriber | None:
        wanted = email.strip().casefold()
        async for page in self.subscribers(page_id, session_at=session_at):
            for subscriber in page:
                if subscriber.email.casefold() == wanted:
                    return subscriber
        return None

    async def _sessions(self, page_id: PageId, now: datetime) -> tuple[datetime, ...]:
        try:
            answer = await self._client.get(
                SUBSCRIBERS, pageId=page_id, skip=0, limit=SUBSCRIBERS_A_PAGE, webinarTimeMin=iso(now)
            )
        except VendorError:
            return ()  # the page is worth choosing without them
        people = (read_subscriber(mapping_of(one), self._zone) for one in list_of(answer.get("list")))
        return tuple(sorted({one.session_at for one in people if one.session_at is not None and one.session_at >= now}))

    async def _rooms_of_pages(self) -> object:
        """None for a token that may see reports only: its rooms are still worth listing."""
        try:
            return (await self._client.get(SUBPAGES, skip=0, limit=SUBPAGES_A_PAGE)).get("rooms")
        except VendorRefused:
            return None

    async def _report_pages(self, since: datetime | None) -> AsyncIterator[list[WebinarReport]]:
        asked = {} if since is None else {"minDate": iso(since - BEFORE_START)}
        async for rows in self._rows(LIST, "list", REPORTS_A_PAGE, **asked):
            yield [report for row in rows if (report := read_report(row, self._zone)) is not None]

    async def _listed(self, external_id: str) -> WebinarReport | None:
        start = start_of(external_id, self._zone)
        async for page in self._report_pages(start):
            for report in page:
                if report.external_id == external_id:
                    return report
            oldest = page[-1].created_at if page and _newest_first(page) else None
            if start and oldest and oldest < start:
                return None  # what follows was made before this session began
        return None

    async def _single(self, external_id: str) -> WebinarReport | None:
        try:
            return read_single_report(await self._client.get(REPORT, webinarId=external_id), external_id, self._zone)
        except VendorRefused as refusal:
            if refusal.code == NOT_FOUND:
                return None
            raise

    def _reading(self, external_id: str) -> Reading:
        return Reading(url_params=self._url_params, session_start=start_of(external_id, self._zone))

    async def _viewer_pages(self, external_id: str, since: Bookmark) -> AsyncIterator[ViewerPage]:
        reading = self._reading(external_id)
        skip, previous = since.skip, since.opening
        for _ in range(MAX_PAGES):
            listed, answer = await self._viewer_rows(external_id, skip, limit=VIEWERS_A_PAGE)
            if not listed and skip == 0:
                await self._refuse_if_too_early(external_id)
                yield ViewerPage(viewers=())
                return
            page = await _read_viewers(listed, answer, reading)
            opening = _opening(page)
            if not listed or (opening and opening == previous):  # a server that repeats its last page for ever
                return
            previous = opening
            skip += _loaded(answer, len(listed))
            yield replace(page, bookmark=Bookmark(skip=skip, opening=opening))
            if len(listed) < VIEWERS_A_PAGE and skip >= page.total > 0:
                return

    async def _viewer_rows(
        self, external_id: str, skip: int, *, limit: int
    ) -> tuple[Sequence[object], Mapping[str, object]]:
        try:
            answer = await self._client.get(VIEWERS, webinarId=external_id, skip=skip, limit=limit)
        except VendorRefused as refusal:
            if refusal.code == NOT_FOUND and skip == 0:  # so is a report answered that has not been made yet
                return (), {}
            raise
        if not isinstance(answer.get("viewers"), list):
            raise VendorUnavailable(VENDOR_NAME, VIEWERS, "no list of viewers in the answer")
        return list_of(answer["viewers"]), answer

    async def _refuse_if_too_early(self, external_id: str) -> None:
        """An empty list is «nobody came» only when the report is there and says so too."""
        report = await self._listed(external_id)
        if report is None or report.peak > 0:
            raise NotReady(f"report of {room_of(external_id) or external_id}", retry_after=LOOK_AGAIN_S)

    async def _rows(self, action: str, member: str, limit: int, **asked: str) -> AsyncIterator[Rows]:
        """Lists page after page, by what was loaded: their totals have been seen to lie."""
        skip, previous = 0, None
        for _ in range(MAX_LIST_PAGES if action == LIST else MAX_PAGES):
            answer = await self._client.get(action, skip=skip, limit=limit, **asked)
            listed = answer.get(member)
            if not isinstance(listed, list):
                raise VendorUnavailable(VENDOR_NAME, action, f"no «{member}» in the answer")
            if not listed or listed[0] == previous:
                return
            yield [row for row in listed if isinstance(row, dict)]
            previous = listed[0]
            skip += len(listed)
            if len(listed) < limit and skip >= (count_of(answer.get("total")) or count_of(answer.get("count"))) > 0:
                return


async def _read_viewers(listed: Sequence[object], answer: Mapping[str, object], reading: Reading) -> ViewerPage:
    records = [record for record in listed if isinstance(record, dict)]
    viewers = []
    for begin in range(0, len(records), AT_ONCE):
        viewers += [read_viewer(record, reading) for record in records[begin : begin + AT_ONCE]]
        await asyncio.sleep(0)
    total = count_of(answer.get("total")) or count_of(answer.get("count"))
    return ViewerPage(viewers=tuple(viewers), total=total, skipped=len(listed) - len(records))


def _opening(page: ViewerPage) -> str:
    """The first record of a page in a few characters, "" where none can be read."""
    return hashlib.blake2b(page.viewers[0].raw.encode(), digest_size=12).hexdigest() if page.viewers else ""


def _loaded(answer: Mapping[str, object], got: int) -> int:
    """How far to go on. ``loaded`` counts records the server has left out too, but is believed only within a page."""
    loaded = count_of(answer.get("loaded"))
    return loaded if got <= loaded <= VIEWERS_A_PAGE else got


def _body_of(request: RegistrationRequest) -> dict[str, object]:
    marks = request.marks
    utm = ("source", "medium", "campaign", "term", "content", "keyword", "banner", "phrase", "group")
    body: dict[str, object] = {
        "pageId": request.page_id,
        "email": request.email,
        "time": iso(request.at) if request.at else "",
        "username": request.name,
        "phone": request.phone,
        "confirm": 1 if request.confirm else "",
        "url_marker": marks.partner,
    }
    body |= {f"utm_{name}": getattr(marks, name) for name in utm}
    return {name: value for name, value in body.items() if value != ""}


def _newest_first(page: Sequence[WebinarReport]) -> bool:
    made = [_made_at(report) for report in page]
    return all(earlier >= later for earlier, later in pairwise(made))


def _made_at(report: WebinarReport) -> float:
    return report.created_at.timestamp() if report.created_at else 0.0


def _is_within(subscriber: Subscriber, session_at: datetime, apart: timedelta) -> bool:
    at = subscriber.session_at
    return at is not None and abs(at - session_at) < apart
