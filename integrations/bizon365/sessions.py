"""The id of a session, ``<account>:<room>*<start>``, and the times in it."""

from datetime import UTC, datetime, tzinfo

from domain.webinars import NO_ROOM, RoomId
from integrations.kit.values import FIRST_YEAR, LAST_YEAR

MAX_ID = 160  # what the columns of keys have room for; a real one has about 45 characters


def room_of(webinar_id: str) -> RoomId:
    """The room, empty when the id has no such part."""
    room, star, _ = webinar_id.rpartition("*")
    return RoomId(room) if star else NO_ROOM


def start_of(webinar_id: str, zone: tzinfo) -> datetime | None:
    """Aware UTC. The id carries the wall time of the account (Moscow by default), while all else of Bizon365 is UTC."""
    _, star, written = webinar_id.rpartition("*")
    try:
        start = datetime.fromisoformat(written) if star else None
        start = start and (start if start.tzinfo else start.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return start if start and FIRST_YEAR <= start.year <= LAST_YEAR else None


def iso(moment: datetime) -> str:
    """As Bizon365 writes and wants it: UTC, milliseconds, Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
