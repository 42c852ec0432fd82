"""What a tap or a typed word makes of a schedule. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import time

from domain.digests import DigestKind
from domain.errors import BadInput
from domain.messages import Destination, Texts
from domain.schedules import EVERY_DAY, WORKDAYS, Schedule
from handlers.digests.buttons import parts_of
from handlers.digests.screens import USUAL_ZONES
from handlers.digests.typed import find_time, find_zone

MONDAY = frozenset({0})
WORDS_LIMIT = 64
LONGEST_NUMBER = 10
Alter = Callable[[Schedule], Schedule]


def move_to(place: Destination) -> Alter:
    """A changed place is tried anew."""
    return lambda old: replace(old, destination=place, obstacle=None)


def typed_time(words: str, texts: Texts) -> Alter:
    """BadInput for what is no time."""
    at, _ = find_time(words.lower(), texts)
    if at is None:
        raise BadInput("time", texts.get("digest.typed.what_time"))
    return lambda old: replace(old, at=at)


def typed_zone(words: str, texts: Texts) -> Alter:
    """BadInput for what is no zone."""
    zone = find_zone(words, texts)
    if zone is None:
        raise BadInput("zone", texts.get("digest.typed.no_zone", words=words[:WORDS_LIMIT]))
    return lambda old: replace(old, zone=zone)


def _days(value: str) -> Alter | None:
    """A schedule without days would never come: it is paused instead."""
    days = frozenset(day for day in EVERY_DAY if _number(value) >> day & 1)
    return (lambda old: replace(old, days=days)) if days else None


def _time(value: str) -> Alter:
    hours, minutes = divmod(_number(value) % (24 * 60), 60)
    return lambda old: replace(old, at=time(hours, minutes))


def _zone(value: str) -> Alter:
    """One of those that are offered, else the account's own."""
    zone = USUAL_ZONES[_number(value)] if value.isascii() and value.isdigit() and _number(value) < len(USUAL_ZONES) else ""
    return lambda old: replace(old, zone=zone)


def _parts(value: str) -> Alter | None:
    parts = parts_of(_number(value))
    return (lambda old: replace(old, parts=parts)) if parts else None


def _kind(value: str) -> Alter:
    """A weekly one comes on one day; one of each day, that was weekly, on all working days."""
    kind = DigestKind(value) if value in set(DigestKind) else DigestKind.DAILY

    def alter(old: Schedule) -> Schedule:
        days = old.days
        if kind is DigestKind.WEEKLY and len(days) != 1:
            days = MONDAY
        elif kind is DigestKind.DAILY and old.kind is DigestKind.WEEKLY:
            days = WORKDAYS
        return replace(old, kind=kind, days=days)

    return alter


def _picture(value: str) -> Alter:
    return lambda old: replace(old, picture=value == "1")


def _on(value: str) -> Alter:
    """Switched on again it is tried anew, also where it could not be sent."""
    return lambda old: replace(old, enabled=value == "1", obstacle=None)


ALTERATIONS: Mapping[str, Callable[[str], Alter | None]] = {
    "dgd": _days, "dgt": _time, "dgz": _zone, "dgp": _parts, "dgk": _kind, "dgpic": _picture, "dgon": _on,
}  # fmt: skip


def _number(value: str) -> int:
    """0 for what is none: a button can carry anything."""
    return int(value) if value.isascii() and value.isdigit() and len(value) < LONGEST_NUMBER else 0
