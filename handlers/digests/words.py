"""When a digest comes and where to, in words. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from domain.messages import Destination
from domain.schedules import EVERY_DAY, WORKDAYS, Schedule, next_slot
from handlers.digests.typed import zone_title
from handlers.wording import Reader
from storage.destinations import BoundChat

MOST_COMING = 3
WEEKENDS = frozenset({5, 6})


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where digests may go. ``people`` are names by private chat; ``here`` the chat that reads, ``me`` its reader's own."""

    bound: Sequence[BoundChat]
    people: dict[int, str]
    here: Destination | None
    me: int


def digest_lines(reader: Reader, schedules: Sequence[Schedule], places: Places) -> list[str]:
    """The next ones by their time, and those that cannot be sent: for /status and `svodka status`."""
    clocked = [one for one in schedules if one.active and one.by_the_clock]
    slots = ((next_slot(one.timetable(reader.zone), reader.now), one) for one in clocked)
    coming = sorted((slot.moment, one.id, one) for slot, one in slots if slot is not None)
    shut = [one for one in schedules if one.enabled and one.obstacle is not None]
    return [
        reader.say("digest.status", what=what_of(reader, one), where=where_to(reader, one.destination, places),
                   standing=standing_of(reader, one))
        for one in [*(one for _, _, one in coming[:MOST_COMING]), *shut]
    ]  # fmt: skip


def what_of(reader: Reader, one: Schedule) -> str:
    return reader.say(f"digest.kind.{one.kind}")


def when_of(reader: Reader, one: Schedule) -> str:
    """«по будням в 09:00», «пн, ср в 18:30 (Омск)», «после каждого вебинара»."""
    if not one.by_the_clock:
        return reader.say("digest.after_webinar")
    told = reader.say("digest.at_days", days=_of_days(reader, one.days), time=f"{one.at:%H:%M}")
    return _with_zone(reader, told, one)


def next_time(reader: Reader, one: Schedule) -> str:
    """«завтра в 09:00», by the schedule's own clocks."""
    when = one.timetable(reader.zone)
    slot = next_slot(when, max(reader.now, one.handled_at))
    return reader.say("digest.never") if slot is None else _with_zone(reader, _moment(reader, slot.moment, when.zone), one)


def standing_of(reader: Reader, one: Schedule, *, texts: str = "digest") -> str:
    """When it comes next, or why it does not. ``texts``: where its words are, «digest.row» for a line of one."""
    if one.obstacle is not None:
        return reader.say(f"{texts}.shut", why=reader.say(f"digest.obstacle.{one.obstacle}"))
    if not one.enabled:
        return reader.say(f"{texts}.paused")
    if not one.by_the_clock:
        return reader.say(f"{texts}.after_webinar")
    return reader.say(f"{texts}.next", when=next_time(reader, one))


def where_to(reader: Reader, place: Destination, places: Places) -> str:
    if place == places.here:
        return reader.say("digest.to_here")
    if place.chat_id == places.me:
        return reader.say("digest.to_me")
    if place.chat_id > 0:
        name = places.people.get(place.chat_id)
        return reader.say("digest.to_somebody") if name is None else reader.say("digest.to_person", name=name)
    bound = next((one for one in places.bound if (one.chat_id, one.topic_id) == (place.chat_id, place.topic_id)), None)
    bound = bound or next((one for one in places.bound if one.chat_id == place.chat_id), None)
    if bound is None:
        return reader.say("digest.to_unbound", chat=place.chat_id)
    title = bound.title or reader.say("status.unnamed_chat", chat=place.chat_id)
    name = "digest.to_chat" if place.topic_id is None else "digest.to_topic"
    return reader.say(name, title=title, topic=place.topic_id)


def names_of_days(reader: Reader) -> list[str]:
    return reader.say("digest.days").split("|")


def _of_days(reader: Reader, days: frozenset[int]) -> str:
    for known, name in ((EVERY_DAY, "every_day"), (WORKDAYS, "workdays"), (WEEKENDS, "weekends")):
        if days == known:
            return reader.say(f"digest.{name}")
    if len(days) == 1:
        return reader.say("digest.on_one").split("|")[min(days)]
    names = names_of_days(reader)
    return ", ".join(names[day] for day in sorted(days))


def _with_zone(reader: Reader, when: str, one: Schedule) -> str:
    """The zone is named where it is not the team's."""
    if not one.zone or one.zone == reader.zone.key:
        return when
    return reader.say("digest.in_zone", when=when, zone=zone_title(reader.texts, one.zone))


def _moment(reader: Reader, at: datetime, zone: ZoneInfo) -> str:
    local, today = at.astimezone(zone), reader.now.astimezone(zone).date()
    values = {"time": f"{local:%H:%M}"}
    if local.date() == today:
        return reader.say("digest.today", **values)
    if local.date() == today + timedelta(days=1):
        return reader.say("digest.tomorrow", **values)
    return reader.say("digest.on_day", weekday=names_of_days(reader)[local.weekday()], day=f"{local:%d.%m}", **values)
