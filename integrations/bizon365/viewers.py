"""Records of presence as Bizon365 reports them. Reading one never fails: every field may be missing or of another type."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from sys import intern
from urllib.parse import parse_qsl, urlsplit

from domain.webinars import Interval, Marks, Viewer
from integrations.kit.values import count_of, flag_of, list_of, mapping_of, moment_of, number_of, text_of

LONGEST = timedelta(hours=24)  # longer is a broken clock, not a webinar
LEEWAY = timedelta(minutes=1)  # intervals are rounded
MOST_INTERVALS = 500
MOST_PARAMETERS = 50

# What people, forms and scripts write where there is nothing; «1» is the convention of a well-known chat-bot builder.
_NOTHING = frozenset({"", "0", "1", "-", "null", "none", "undefined", "false", "nan"})
_CLICKS = ("clickBanner", "clickFile", "vizitForm", "buttons", "banners")
_ORDERS = ("newOrder", "orderDetails")

_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a report is read with: the parameters of personal links, lower case, and when the session began."""

    url_params: Sequence[str]
    session_start: datetime | None = None


def read_viewer(record: Mapping[str, object], reading: Reading) -> Viewer:
    """One record; whatever makes no sense in it is empty."""
    return Viewer(
        raw=raw_of(record),
        phone=given(record.get("phone")),
        email=given(record.get("email")),
        name=given(record.get("username")) or given(record.get("name")),
        chat_user_id=given(record.get("chatUserId")) or given(record.get("uid")),
        intervals=_intervals(record, reading.session_start),
        finished=flag_of(record.get("finished")),
        messages=min(count_of(record.get("messages_num")), 1_000_000),
        clicked=any(flag_of(record.get(name)) for name in _CLICKS),
        ordered=any(flag_of(record.get(name)) for name in _ORDERS),
        marks=marks_of(record),
        link_ids=_link_ids(record, reading.url_params),
        city=intern(text_of(record.get("city"))),  # a few hundred cities among fifty thousand people
        country=intern(text_of(record.get("country")) or text_of(record.get("country_code"))),
    )


def given(value: object) -> str:
    """A text somebody really gave: "" for a placeholder."""
    text = text_of(value)
    return "" if text.casefold() in _NOTHING else text


def marks_of(record: Mapping[str, object]) -> Marks:
    """The nine utm parameters and the partner's mark; equal ones of a report are one object."""
    return _marks(*[text_of(record.get(name)) for name in _MARKS])


@lru_cache(maxsize=1024)
def _marks(*values: str) -> Marks:
    return Marks(**dict(zip(_MARK_FIELDS, values, strict=True)))


_UTM = ("source", "medium", "campaign", "term", "content", "keyword", "banner", "phrase", "group")
_MARKS = (*(f"utm_{name}" for name in _UTM), "url_marker")
_MARK_FIELDS = (*_UTM, "partner")


def raw_of(record: Mapping[str, object]) -> str:
    """The record whole, as JSON that any database can hold."""
    raw = _dump(record)
    return raw if raw.isascii() else raw.encode("utf-8", "replace").decode("utf-8")


def _link_ids(record: Mapping[str, object], url_params: Sequence[str]) -> tuple[str, ...]:
    """Our own parameter first, wherever it came back, then the room's free fields."""
    linked = {name.lower(): value for name, value in parameters_of(text_of(record.get("url")))}
    found = [given(record.get(name)) or given(linked.get(name)) for name in url_params]
    found += [given(record.get(name)) for name in ("cu1", "p1", "p2", "p3")]
    return tuple(dict.fromkeys(filter(None, found)))


def parameters_of(url: str) -> list[tuple[str, str]]:
    """Names and values of the query of an address, [] for anything that is no address."""
    if "?" not in url:
        return []
    try:
        return parse_qsl(urlsplit(url.replace("\\/", "/")).query, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        return []


def _intervals(record: Mapping[str, object], session_start: datetime | None) -> tuple[Interval, ...]:
    """The finest known: ``vi`` where it makes sense, else from ``view`` to ``viewTill``."""
    whole = _interval(moment_of(record.get("view")), moment_of(record.get("viewTill")))
    listed = list_of(record.get("vi"))[:MOST_INTERVALS]
    if not listed:
        return (whole,) if whole else ()
    spans = [
        (start, end)
        for item in map(mapping_of, listed)
        if (start := number_of(item.get("s"))) is not None and (end := number_of(item.get("e"))) is not None
    ]
    for finer in _readings(spans, whole, session_start):
        if finer and (whole is None or _lie_within(finer, whole)):
            return finer
    return (whole,) if whole else ()


def _readings(
    spans: list[tuple[float, float]], whole: Interval | None, session_start: datetime | None
) -> Iterator[tuple[Interval, ...]]:
    """What the numbers of ``vi`` may be, likeliest first: nobody has confirmed their unit or where they count from."""
    yield _all((moment_of(start), moment_of(end)) for start, end in spans)
    if whole is None:
        return
    for begin in filter(None, (session_start, whole.start)):
        for unit in (1.0, 0.001):
            yield _all((_after(begin, start * unit), _after(begin, end * unit)) for start, end in spans)


def _all(pairs: Iterator[tuple[datetime | None, datetime | None]]) -> tuple[Interval, ...]:
    found = (_interval(start, end) for start, end in pairs)
    return tuple(interval for interval in found if interval is not None)


def _after(begin: datetime, seconds: float) -> datetime | None:
    return begin + timedelta(seconds=seconds) if abs(seconds) <= LONGEST.total_seconds() else None


def _interval(start: datetime | None, end: datetime | None) -> Interval | None:
    """None when an end is missing, they are the wrong way round or equal, or a day apart: the time is then unknown."""
    if start is None or end is None or not timedelta() < end - start <= LONGEST:
        return None
    return Interval(start=start, end=end)


def _lie_within(intervals: Sequence[Interval], whole: Interval) -> bool:
    return all(whole.start - LEEWAY <= one.start and one.end <= whole.end + LEEWAY for one in intervals)
