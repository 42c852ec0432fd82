"""The record that a platform keeps of a viewer: every key of it, what may be seen by whom, and how it reads. Pure."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from domain.messages import Line, Message, Section, Span, Style, bullet, plain
from handlers.calls.screens import ANSWER, action
from handlers.wording import Reader, shortened
from storage.queries.attendees import AttendeeLine

# The keys that are always named; a record may have others, and they are shown too.
KEYS = (
    "playVideo", "email", "phone", "username", "url", "ip", "mob", "useragent", "referer", "cv", "cu1", "p1", "p2", "p3",
    "roomid", "chatUserId", "city", "country", "region", "tz", "created", "webinarId", "view", "viewTill", "messages_num",
)  # fmt: skip
# From where and with what somebody came, and what opens the room as them: for who runs the bot.
GUARDED = frozenset({
    "ip", "useragent", "useragentstring", "ua", "referer", "referrer", "url", "sid", "ssid", "ticket", "secret", "token",
    "cookie", "fingerprint",
})  # fmt: skip
FOR_GROUPS = frozenset({
    "playVideo", "mob", "roomid", "city", "country", "region", "tz", "created", "webinarId", "view", "viewTill",
    "messages_num", "finished",
})  # fmt: skip
MOMENTS = frozenset({"view", "viewTill", "created"})
MOST_RECORDS = 50  # of one person who came in again and again
MOST_VALUES = 5
MOST_KEYS = 80
LONGEST_VALUE = 160
_KEY = re.compile(r"[A-Za-z_]\w{0,59}", re.ASCII)
_CALL = re.compile(r"\A\s*get\(\s*b365_viewer\s*,\s*['\"]?(\w+)['\"]?\s*\)\s*(.*)\Z", re.DOTALL | re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All records of one viewer as one: for each key its different values, () where each of them is empty."""

    values: Mapping[str, tuple[Any, ...]]

    def key(self, typed: str) -> str | None:
        """The key as the record has it, whatever its case; None when it has none."""
        named = (key for key in (*self.values, *KEYS) if key.casefold() == typed.casefold())
        return next(named, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Eyes:
    """Who looks: ``reader``, and whether they run the bot."""

    reader: Reader
    admin: bool

    def may_see(self, key: str, values: Sequence[Any] = ()) -> bool:
        if not self.reader.private and key not in FOR_GROUPS:
            return False
        return self.admin or not (_is_guarded(key) or (key not in KEYS and any(map(_is_address, values))))


def read_record(raws: Sequence[str]) -> Record:
    """The first MOST_RECORDS of them; what is no object is left out."""
    values: dict[str, list[Any]] = {key: [] for key in KEYS}
    for raw in raws[:MOST_RECORDS]:
        try:
            record = json.loads(raw)
        except (ValueError, RecursionError):
            continue
        for key, value in record.items() if isinstance(record, dict) else ():
            known = values.setdefault(str(key), [])
            if value not in (None, "", [], {}) and value not in known:
                known.append(value)
    return Record(values={key: tuple(known) for key, known in values.items()})


def split_key(text: str, reader: Reader) -> tuple[str, str]:
    """(who, key): «+7… city», «+7… город», «get(b365_viewer,'city') +7…»; key "" when none is asked for."""
    call = _CALL.match(text)
    if call:
        return call.group(2), call.group(1)
    who, _, last = text.strip().rpartition(" ")
    if not who:
        return text.strip(), ""
    known = {title.casefold(): key for key in KEYS if (title := title_of(reader, key)) != key}
    known |= {key.casefold(): key for key in KEYS}
    if last.casefold() in known:
        return who, known[last.casefold()]
    reached = "@" in who or sum(letter.isdigit() for letter in who) >= 10
    return (who, last) if reached and _KEY.fullmatch(last) else (text.strip(), "")


def title_of(reader: Reader, key: str) -> str:
    """«город»; the key itself where it has no other name."""
    return reader.texts.entries.get(f"viewer.key.{key.lower()}", key)


def key_screen(eyes: Eyes, line: AttendeeLine, record: Record, typed: str) -> Message:
    """One key of it, whole."""
    key, reader = record.key(typed), eyes.reader
    values = record.values.get(key, ()) if key else ()
    if key is None:
        lines = [plain(reader.say("viewer.no_such_key", key=typed))]
    elif not eyes.may_see(key, values):
        lines = [plain(reader.say("viewer.guarded" if reader.private else "viewer.key_in_private"))]
    else:
        lines = [plain(_shown(reader, key, value)) for value in values[:MOST_VALUES]]
        lines = lines or [plain(reader.say("viewer.empty"))]
        if len(values) > MOST_VALUES:
            lines.append(plain(reader.say("viewer.more_values", count=len(values) - MOST_VALUES)))
    who = line.username or reader.say("registration.nameless")
    title = Line(spans=(Span(f"{who} · {_named(reader, key or typed)}", Style.BOLD),))
    told = plain(report_of(reader, line))
    buttons = ((action(reader.say("viewer.button.open"), f"vw:{line.id}"),),)
    return Message(key=ANSWER, sections=(Section(title=title, lines=tuple(lines)), Section(lines=(told,))), buttons=buttons)


def record_screen(eyes: Eyes, line: AttendeeLine, record: Record) -> Message:
    """Every key that this person may see, then those that are empty, then how many are not for their eyes."""
    reader = eyes.reader
    seen = {key: values for key, values in record.values.items() if eyes.may_see(key, values)}
    told = [key for key, values in seen.items() if values]
    head = Line(spans=(Span(reader.say("viewer.record_title"), Style.BOLD),))
    who = plain(line.username or reader.say("registration.nameless"))
    sections = [Section(title=head, lines=(who, plain(report_of(reader, line))))]
    sections.append(Section(lines=tuple(_line(reader, key, seen[key]) for key in told[:MOST_KEYS])))
    sections.append(Section(lines=tuple(_left(reader, seen, told, hidden=len(record.values) - len(seen)))))
    buttons = ((action(reader.say("viewer.button.open"), f"vw:{line.id}"),),)
    return Message(key=ANSWER, sections=tuple(one for one in sections if one.lines), buttons=buttons)


def _left(reader: Reader, seen: Mapping[str, Any], told: Sequence[str], *, hidden: int) -> Iterator[Line]:
    empty = [key for key, values in seen.items() if not values]
    if len(told) > MOST_KEYS:
        yield plain(reader.say("viewer.more_keys", count=len(told) - MOST_KEYS))
    if empty:
        yield plain(reader.say("viewer.empty_keys", keys=", ".join(empty)))
    if hidden:
        yield plain(reader.say("viewer.hidden_keys", count=reader.count(hidden, "field")))


def report_of(reader: Reader, line: AttendeeLine) -> str:
    """«Отчёт: Вебинар, 20.11.2026 19:00»."""
    started = line.webinar_date
    when = f"{started.astimezone(reader.zone):%d.%m.%Y %H:%M}" if started else "—"
    return reader.say("visited.report", title=line.webinar_title or reader.say("webinar.untitled"), when=when)


def _line(reader: Reader, key: str, values: Sequence[Any]) -> Line:
    shown = [shortened(_shown(reader, key, value), LONGEST_VALUE) for value in values[:MOST_VALUES]]
    more = [reader.say("viewer.more_values", count=len(values) - MOST_VALUES)] if len(values) > MOST_VALUES else []
    return bullet(Span(f"{_named(reader, key)}: ", Style.BOLD), " · ".join([*shown, *more]))


def _named(reader: Reader, key: str) -> str:
    title = title_of(reader, key)
    return key if title == key else f"{title} ({key})"


def _shown(reader: Reader, key: str, value: object) -> str:
    moment = _moment(value) if key in MOMENTS else None
    if moment is not None:
        return f"{moment.astimezone(reader.zone):%d.%m.%Y %H:%M:%S}"
    if isinstance(value, bool):
        return reader.say("viewer.yes" if value else "viewer.no")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _moment(value: object) -> datetime | None:
    """Milliseconds, seconds in older payloads, or ISO."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if value > 1e10 else value, UTC)
        found = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _is_guarded(key: str) -> bool:
    return re.sub(r"[^a-z0-9]", "", key.casefold()) in GUARDED


def _is_address(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://"))
