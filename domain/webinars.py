"""Webinars: what a platform reports of them, who was there, and how long."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

# Two ids that look alike and are easily given for one another: a room is where people sit, a page where they register.
RoomId = NewType("RoomId", str)
PageId = NewType("PageId", str)
NO_ROOM = RoomId("")
NO_PAGE = PageId("")

SAME_SESSION = timedelta(seconds=60)  # times of a session that are written by seconds and by milliseconds
# How far the session that somebody registered for and the start of the webinar may be apart: a live one begins when people
# are ready, an automatic one on the minute, and the next is soon.
LIVE_APART, AUTOMATIC_APART = timedelta(hours=2), timedelta(minutes=5)


class Entry(StrEnum):
    """What a pasted address is for the platform."""

    COMMON = "common"  # a room or a page, the same for all: personal links are made of it
    OWN_DOMAIN = "own_domain"  # has the form of one, under a name that is not the platform's
    INDIVIDUAL = "individual"  # opens the room for one person, or is none of either
    FOREIGN = "foreign"  # nothing of this platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Where a visit or a registration came from: utm parameters and the partner's mark; empty where not given."""

    source: str = ""
    medium: str = ""
    campaign: str = ""
    term: str = ""
    content: str = ""
    keyword: str = ""
    banner: str = ""
    phrase: str = ""
    group: str = ""
    partner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A stretch of presence, aware UTC, ``start`` < ``end``."""

    start: datetime
    end: datetime


class MatchedBy(StrEnum):
    """Why an attendee is taken for a person we know; looked for in this order."""

    PHONE = "phone"
    EMAIL = "email"
    LINK = "link"  # their personal link
    HAND = "hand"  # somebody of the team said so
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebinarReport:
    """One session as the platform lists it.

    ``external_id`` is the platform's id of the session, ``room_id`` of the room. ``started_at`` aware UTC, None when it
    cannot be told; ``minutes`` its length, 0 when not told; ``live`` False for an automatic webinar; ``peak`` is viewers
    at once, ``created_at`` when the report was made: a later one means that it was made anew.
    """

    external_id: str
    room_id: RoomId = NO_ROOM
    title: str = ""
    started_at: datetime | None = None
    minutes: int = 0
    live: bool = True
    peak: int = 0
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """One record of presence as it came; one person may have several. Everything but ``raw`` may be missing.

    ``phone``, ``email`` and ``name`` are as typed. ``intervals`` are the finest known, () where the times make no sense:
    then the time watched is unknown, not zero. ``finished``: stayed to the end, by the platform. ``link_ids``: what their
    personal link carried, likeliest first. ``messages`` counts what they wrote, ``clicked`` is a banner, button or file,
    ``ordered`` an order form. ``raw`` is the whole record as JSON.
    """

    raw: str
    phone: str = ""
    email: str = ""
    name: str = ""
    chat_user_id: str = ""
    intervals: tuple[Interval, ...] = ()
    finished: bool = False
    messages: int = 0
    clicked: bool = False
    ordered: bool = False
    marks: Marks = field(default_factory=Marks)
    link_ids: tuple[str, ...] = ()
    city: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """How far a report was read. ``skip`` is the platform's own count; ``opening`` tells a page that is given once more."""

    skip: int = 0
    opening: str = ""


START = Bookmark()


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewerPage:
    """Records of a report. ``total`` is what the platform says there are, 0 when it does not; ``skipped``: not readable.

    What follows is read from ``bookmark`` on.
    """

    viewers: tuple[Viewer, ...]
    total: int = 0
    skipped: int = 0
    bookmark: Bookmark = START


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A room where webinars are held."""

    room_id: RoomId
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationPage:
    """A page where people register. ``sessions``: when it can be registered for, aware UTC, soonest first, () when not told.

    ``hook_url`` and ``marker_name`` are what is set there for forwarding data, empty when nothing is.
    """

    page_id: PageId
    title: str
    room_id: RoomId = NO_ROOM
    sessions: tuple[datetime, ...] = ()
    registered: int = 0
    enabled: bool = True
    hook_url: str = ""
    marker_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationRequest:
    """Somebody to be registered. ``at`` is the session, aware UTC, None for a page with one session only."""

    page_id: PageId
    email: str
    at: datetime | None = None
    name: str = ""
    phone: str = ""
    confirm: bool = False
    marks: Marks = field(default_factory=Marks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """Done: the platform's key of the subscriber and their personal link to the room."""

    key: str
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """Somebody registered on a page. ``came``: the platform saw them enter, None when it does not say. Times aware UTC."""

    key: str
    email: str = ""
    phone: str = ""
    name: str = ""
    confirmed: bool = False
    session_at: datetime | None = None
    registered_at: datetime | None = None
    came: bool | None = None
    secret: str = field(default="", repr=False)
    marks: Marks = field(default_factory=Marks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a registration page forwards, the 19 values of it. ``session_at`` is aware UTC, ``sublist_id`` the page's id.

    ``secret`` opens the subscriber's personal link; it is not kept in the inbox, so a replayed registration comes without
    it and must not empty a stored one. ``link_ids``: what the registration link carried, likeliest first. ``marker_name``
    names the partner's mark in ``marks``.
    """

    sublist_id: PageId = NO_PAGE
    room: RoomId = NO_ROOM
    name: str = ""
    email: str = ""
    phone: str = ""
    session_at: datetime | None = None
    secret: str = field(default="", repr=False)
    marker_name: str = ""
    marks: Marks = field(default_factory=Marks)
    link_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registrant:
    """Somebody who registered, as we know them now. ``phone`` is the key, ``phone_raw`` as typed; times aware UTC.

    ``created``: nobody was known by this phone or e-mail, so they are a new person; NONE and not created: no phone to make
    one from. ``id`` is of the row; ``other`` is who the e-mail or the link names, where the phone says it is somebody else.
    """

    id: int = 0
    name: str = ""
    email: str = ""
    phone: str = ""
    phone_raw: str = ""
    session_at: datetime | None = None
    matched_by: MatchedBy = MatchedBy.NONE
    created: bool = False
    other: str = ""
    registered_at: datetime


ALL_PAGES = NO_PAGE  # the page of a rule that is for all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is to happen when somebody registers on a page. ``message`` is for the client, sent by a person, "" for none.

    ``status``: what their lead becomes, "" leaves it as it is.
    """

    page_id: PageId = ALL_PAGES
    message: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """What a registration has set off; all empty where nothing was to happen, or had happened before.

    ``status`` is what the lead was moved to, ``lead`` its id in the system ``source`` that it came from.
    """

    message: str = ""
    status: str = ""
    source: str = ""
    lead: str = ""
