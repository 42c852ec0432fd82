"""Reports, rooms, registration pages and subscribers as Bizon365 lists them, in our words."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo

from domain.webinars import NO_ROOM, PageId, RegistrationPage, Room, RoomId, Subscriber, WebinarReport
from integrations.bizon365.sessions import MAX_ID, room_of, start_of
from integrations.bizon365.viewers import given, marks_of
from integrations.kit.values import count_of, flag_of, list_of, mapping_of, moment_of, text_of

_ROOM_IDS = ("roomid", "roomId", "room_id", "id", "name", "_id")
_ROOM_TITLES = ("title", "text", "name")
LONGEST_MINUTES = 7 * 24 * 60
_MOST = 2**31 - 1  # what a column of counts holds
_SESSIONS = ("sessions", "webinarTimes", "times", "dates", "schedule")


def read_report(item: Mapping[str, object], zone: tzinfo) -> WebinarReport | None:
    """An item of ``reports/getlist``; None when it has no usable id."""
    webinar_id = text_of(item.get("webinarId"))
    if not 0 < len(webinar_id) <= MAX_ID:
        return None
    details = _details(item.get("data"))
    return WebinarReport(
        external_id=webinar_id,
        room_id=_room(details.get("roomid")) or _room(item.get("name")) or room_of(webinar_id),
        title=text_of(item.get("text")),
        started_at=moment_of(details.get("start")) or start_of(webinar_id, zone),
        minutes=min(count_of(details.get("minutes")) or count_of(item.get("count2")), LONGEST_MINUTES),
        live=text_of(item.get("type")) != "AutoWebinars",
        peak=min(count_of(item.get("count1")), _MOST),
        created_at=moment_of(item.get("created")),
    )


def read_single_report(answer: Mapping[str, object], webinar_id: str, zone: tzinfo) -> WebinarReport | None:
    """The answer of ``reports/get``; None when there is no report in it."""
    report = mapping_of(answer.get("report"))
    if not report:
        return None
    return WebinarReport(
        external_id=webinar_id,
        room_id=_room(report.get("roomid")) or room_of(webinar_id),
        title=text_of(answer.get("room_title")),
        started_at=start_of(webinar_id, zone),
        created_at=moment_of(report.get("created")),
    )


def bare_report(webinar_id: str, zone: tzinfo) -> WebinarReport:
    """What the id alone tells."""
    return WebinarReport(external_id=webinar_id, room_id=room_of(webinar_id), started_at=start_of(webinar_id, zone))


def read_rooms(listed: object) -> Iterator[Room]:
    """The ``rooms`` member, whose shape nobody has written down: a list of ids or of objects, or ids with titles."""
    if isinstance(listed, dict):
        entries = [value if isinstance(value, dict) else {"roomid": key, "title": value} for key, value in listed.items()]
    else:
        entries = [item if isinstance(item, dict) else {"roomid": item} for item in list_of(listed)]
    for entry in entries:
        ids = [text_of(entry.get(name)) for name in _ROOM_IDS]
        room_id = next((one for one in ids if ":" in one and len(one) <= MAX_ID), "")
        if room_id:
            titles = (text_of(entry.get(name)) for name in _ROOM_TITLES)
            title = next((one for one in titles if one and one != room_id), "")
            yield Room(room_id=RoomId(room_id), title=title or room_id)


def read_page(item: Mapping[str, object], now: datetime, zone: tzinfo) -> RegistrationPage | None:
    """An item of ``subpages/getSubpages``; None when it has no usable id."""
    page_id = text_of(item.get("pageId"))
    if not 0 < len(page_id) <= MAX_ID:
        return None
    moments = (moment_of(one, zone) for name in _SESSIONS for one in list_of(item.get(name)))
    return RegistrationPage(
        page_id=PageId(page_id),
        title=text_of(item.get("title")) or page_id,
        room_id=_room(item.get("room")),
        sessions=tuple(sorted({one for one in moments if one is not None and one >= now})),
        registered=min(count_of(mapping_of(item.get("stat")).get("registered")), _MOST),
        enabled=flag_of(item.get("isOn", True)),
        hook_url=text_of(item.get("webhook_url")),
        marker_name=text_of(item.get("url_marker_name")),
    )


def read_subscriber(item: Mapping[str, object], zone: tzinfo) -> Subscriber:
    """An item of ``subpages/getSubscribers``."""
    visited = item.get("vizitWebinar")
    return Subscriber(
        key=text_of(item.get("uid")),
        email=given(item.get("email")),
        phone=given(item.get("phone")),
        name=given(item.get("username")),
        confirmed=flag_of(item.get("confirmed")),
        session_at=moment_of(item.get("webinarTime"), zone),
        registered_at=moment_of(item.get("registeredTime"), zone),
        came=None if visited is None or visited == "" else flag_of(visited),
        secret=text_of(item.get("secret")),
        marks=marks_of(item),
    )


def _room(value: object) -> RoomId:
    """The id of a room, NO_ROOM for what is none: half of a long one would be another room's."""
    room_id = text_of(value)
    return RoomId(room_id) if len(room_id) <= MAX_ID else NO_ROOM


def _details(data: object) -> Mapping[str, object]:
    """``data`` of a report is a JSON text; an object is taken as well."""
    if isinstance(data, str):
        try:
            return mapping_of(json.loads(data))
        except (ValueError, RecursionError):
            return {}
    return mapping_of(data)
