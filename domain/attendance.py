"""Who was at a webinar: records of presence joined into people, and what each of them did, in the account's words."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from sys import intern

from domain.people import email_key, personal_key
from domain.webinars import Interval, Marks, Viewer

_NO_MARKS = Marks()
_SHELF = len("phone:79991")
LONGEST_ID = 200


class Presence(StrEnum):
    """How much of it somebody saw."""

    STAYED = "stayed"  # to the end, or 90 % of it
    ATTENDED = "attended"  # long enough to count
    LEFT_EARLY = "left_early"  # attended, gone before half of it
    LOOKED_IN = "looked_in"  # less than that
    UNKNOWN = "unknown"  # was there; how long cannot be told


class Warmth(StrEnum):
    """How soon to call."""

    HOT = "hot"
    WARM = "warm"
    COLD = "cold"  # looked in only
    NO_SHOW = "no_show"  # registered and never seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """Words that are figures. Seconds; shares of the webinar's length, 0 … 1."""

    attended_s: int = 120
    stayed_share: float = 0.9
    early_share: float = 0.5
    hot_share: float = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """All records of one person at one webinar as one.

    ``person`` is what the records share, ``phone`` and ``email`` keys to be looked for, "" where there are none, and
    ``phone_raw`` as typed. ``watched_s`` is the length of the union of their intervals, None when no record says it;
    ``joined_at`` and ``left_at`` are its ends. ``positions`` are the places of the records in the report, from 0.
    """

    person: str
    phone: str
    phone_raw: str
    email: str
    name: str
    joined_at: datetime | None
    left_at: datetime | None
    watched_s: int | None
    finished: bool
    messages: int
    clicked: bool
    ordered: bool
    marks: Marks
    link_ids: tuple[str, ...]
    city: str
    country: str
    intervals: tuple[Interval, ...]
    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnout:
    """The figures of one webinar: people, each counted once, however often they came in.

    ``came`` is ``matched`` and ``unmatched`` together; ``no_phone`` are those among them who left none. ``long`` watched
    more than 30 minutes. ``registered`` is 0 where no registration is known, and then so is ``no_show``. ``skipped`` are
    records of the report that could not be read, ``missing`` those the platform says there are and did not give.
    """

    registered: int = 0
    came: int = 0
    attended: int = 0
    stayed: int = 0
    long: int = 0
    matched: int = 0
    unmatched: int = 0
    no_phone: int = 0
    hot: int = 0
    warm: int = 0
    no_show: int = 0
    skipped: int = 0
    missing: int = 0


def united(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The union, in order: what overlaps or touches is one."""
    if isinstance(intervals, tuple) and len(intervals) < 2:
        return intervals
    merged: list[Interval] = []
    for interval in sorted(intervals, key=lambda one: one.start):
        if merged and interval.start <= merged[-1].end:
            if interval.end > merged[-1].end:
                merged[-1] = Interval(start=merged[-1].start, end=interval.end)
        else:
            merged.append(interval)
    return tuple(merged)


def seconds_of(intervals: Sequence[Interval]) -> int | None:
    """The whole seconds of a union; None for none at all: the time is unknown, not zero."""
    if not intervals:
        return None
    watched = intervals[0].end - intervals[0].start
    for one in intervals[1:]:
        watched += one.end - one.start
    return watched.days * 86400 + watched.seconds


def presence_of(visit: Visit, length_s: int, yardstick: Yardstick) -> Presence:
    """``length_s`` is the webinar's, 0 when unknown: then nobody stayed but who finished, and nobody left early."""
    if visit.watched_s is None:
        return Presence.STAYED if visit.finished else Presence.UNKNOWN
    share = visit.watched_s / length_s if length_s > 0 else None
    if visit.finished or (share is not None and share >= yardstick.stayed_share):
        return Presence.STAYED if visit.watched_s >= yardstick.attended_s else Presence.LOOKED_IN
    if visit.watched_s < yardstick.attended_s:
        return Presence.LOOKED_IN
    return Presence.LEFT_EARLY if share is not None and share < yardstick.early_share else Presence.ATTENDED


def warmth_of(visit: Visit, length_s: int, yardstick: Yardstick) -> Warmth:
    """Hot: stayed, watched ``hot_share`` of it, clicked, asked or ordered. Warm: attended, or nobody knows how long."""
    return judged(visit, length_s, yardstick)[1]


def judged(visit: Visit, length_s: int, yardstick: Yardstick) -> tuple[Presence, Warmth]:
    """``presence_of`` and ``warmth_of`` at once."""
    presence = presence_of(visit, length_s, yardstick)
    if presence is Presence.STAYED or visit.clicked or visit.ordered or visit.messages > 0:
        return presence, Warmth.HOT
    if presence is Presence.LOOKED_IN:
        return presence, Warmth.COLD
    enough = visit.watched_s is not None and length_s > 0 and visit.watched_s / length_s >= yardstick.hot_share
    return presence, Warmth.HOT if enough else Warmth.WARM


def attended(visit: Visit, yardstick: Yardstick) -> bool:
    """Watched long enough, by the account's word for it; where no time can be read, who was there at the end did."""
    return visit.finished if visit.watched_s is None else visit.watched_s >= yardstick.attended_s


class Gathering:
    """Records of one report on their way to being people.

    Records with one phone are one person, whatever else they say. One without a phone is the person whose phone came with
    the same e-mail, one without either the person seen with the same id of the platform; where several could be meant
    it is nobody else's, so that no stranger's minutes are counted for anybody. One that says nothing is a person alone.
    """

    def __init__(self) -> None:
        self._firsts: dict[str, Visit] = {}  # the first record of each key; most have no other
        self._others: dict[str, list[Visit]] = {}
        self._shelves: dict[str, list[str]] = {}  # keys by their beginning: to sort them all at once takes too long
        self._owners: dict[str, str] = {}  # a weaker key → the stronger one it came with first
        self._rivals: dict[str, list[str]] = {}  # → those it came with later
        self._alike: dict[str, int] = {}  # how many records say nothing in the same words, from the second on
        self._count = 0

    def add(self, viewers: Iterable[Viewer]) -> None:
        """The next records, in the order of the report. Their ``raw`` is not kept."""
        for position, viewer in enumerate(viewers, self._count):
            self._count = position + 1
            phone, email = personal_key(viewer.phone), email_key(viewer.email)
            by_email = f"email:{email}" if email else ""
            by_user = f"user:{viewer.chat_user_id}" if _is_id(viewer.chat_user_id) else ""
            key = f"phone:{phone}" if phone else by_email or by_user or self._alone(viewer.raw)
            visit = _visit(key, viewer, position, phone=phone, email=email)
            if self._firsts.setdefault(key, visit) is not visit:
                self._others.setdefault(key, []).append(visit)
            else:
                self._shelves.setdefault(key[:_SHELF], []).append(key)
            if phone and email:
                self._claim(by_email, key)
            if by_user and by_user is not key:
                self._claim(by_user, key)

    def people(self) -> Iterator[str]:
        """Their keys, in order."""
        for shelf in sorted(self._shelves):
            yield from sorted(key for key in self._shelves[shelf] if self._root(key) == key)

    def visits(self) -> Iterator[Visit]:
        """One per person, in the order of their keys: an index takes them in as they come."""
        others: dict[str, list[Visit]] = {}
        for key in self._owners:
            if key in self._firsts and (root := self._root(key)) != key:
                others.setdefault(root, []).extend(self._of(key))
        for key in self.people():
            visits = [*self._of(key), *others.get(key, ())]
            yield visits[0] if len(visits) == 1 else _joined(key, sorted(visits, key=lambda visit: visit.positions))

    def _of(self, key: str) -> list[Visit]:
        return [self._firsts[key], *self._others.get(key, ())]

    def _alone(self, raw: str) -> str:
        """Of a record that says nothing of whose it is: the same wherever in the report it stands when it is made anew."""
        key = f"row:{hashlib.blake2b(raw.encode('utf-8', 'replace'), digest_size=12).hexdigest()}"
        if key not in self._firsts:
            return key
        number = self._alike[key] = self._alike.get(key, 1) + 1
        return f"{key}:{number}"

    def _claim(self, weaker: str, stronger: str) -> None:
        if self._owners.setdefault(weaker, stronger) != stronger:
            rivals = self._rivals.setdefault(weaker, [])
            if stronger not in rivals:
                rivals.append(stronger)

    def _root(self, key: str) -> str:
        owner = self._owners.get(key)
        if owner is None:
            return key
        roots = {self._root(one) for one in (owner, *self._rivals.get(key, ()))}
        return roots.pop() if len(roots) == 1 else key


def _is_id(text: str) -> bool:
    """Of the platform's: a longer one would be kept by its beginning, which others may share."""
    return 0 < len(text) <= LONGEST_ID and text.isprintable()


def visits_of(viewers: Iterable[Viewer]) -> list[Visit]:
    """The people behind the records of one report, as ``Gathering`` tells them apart."""
    gathering = Gathering()
    gathering.add(viewers)
    return list(gathering.visits())


def _visit(person: str, viewer: Viewer, position: int, *, phone: str, email: str) -> Visit:
    intervals = united(viewer.intervals)
    return Visit(
        person=person,
        phone=phone,
        phone_raw=viewer.phone,
        email=email,
        name=viewer.name,
        joined_at=intervals[0].start if intervals else None,
        left_at=intervals[-1].end if intervals else None,
        watched_s=seconds_of(intervals),
        finished=viewer.finished,
        messages=viewer.messages,
        clicked=viewer.clicked,
        ordered=viewer.ordered,
        marks=viewer.marks if _is_marked(viewer.marks) else _NO_MARKS,
        link_ids=tuple(link for link in viewer.link_ids if link.isprintable()) if viewer.link_ids else (),
        city=intern(viewer.city),
        country=intern(viewer.country),
        intervals=intervals,
        positions=(position,),
    )


def _is_marked(marks: Marks) -> bool:
    """Says anything of what a visit keeps of them."""
    utm = marks.source or marks.medium or marks.campaign or marks.term or marks.content
    return bool(utm or marks.partner)


def _joined(person: str, visits: Sequence[Visit]) -> Visit:
    """Several as one: of texts the first that is given, of all else all of it."""
    intervals = united([interval for visit in visits for interval in visit.intervals])
    phone = _first(visit.phone for visit in visits)
    return Visit(
        person=person,
        phone=phone,
        phone_raw=_first(visit.phone_raw for visit in visits if visit.phone == phone) or _first(v.phone_raw for v in visits),
        email=_first(visit.email for visit in visits),
        name=_first(visit.name for visit in visits),
        joined_at=intervals[0].start if intervals else None,
        left_at=intervals[-1].end if intervals else None,
        watched_s=seconds_of(intervals),
        finished=any(visit.finished for visit in visits),
        messages=sum(visit.messages for visit in visits),
        clicked=any(visit.clicked for visit in visits),
        ordered=any(visit.ordered for visit in visits),
        marks=next((visit.marks for visit in visits if visit.marks is not _NO_MARKS), _NO_MARKS),
        link_ids=tuple(dict.fromkeys(link for visit in visits for link in visit.link_ids)),
        city=_first(visit.city for visit in visits),
        country=_first(visit.country for visit in visits),
        intervals=intervals,
        positions=tuple(position for visit in visits for position in visit.positions),
    )


def _first(texts: Iterable[str]) -> str:
    return next((text for text in texts if text), "")
