"""What the commands about webinars stand on; built by the composition root when a webinar platform is connected."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from domain.attendance import Yardstick
from domain.events import RegistrationAsked
from domain.messages import Destination
from domain.webinars import Entry, RegistrationRequest
from handlers.webinars.catalogue import Catalogue


class Asking(StrEnum):
    """What became of asking for a registration."""

    STARTED = "started"
    RUNNING = "running"  # somebody asked for the same, and it is not through yet
    DONE = "done"  # it was made before


@dataclass(frozen=True, slots=True, kw_only=True)
class WebinarDesk:
    """``ask`` begins durable work for an account; ``again`` repeats the work on a webinar by the id of its row.

    ``link_param`` is the parameter of personal links; ``public_url`` is empty where there is none; ``report_limit``: how
    many of the newest reports are looked through when no day is named. ``entry_of``: what the platform takes an address for.
    """

    vendor: str
    catalogue: Catalogue
    ask: Callable[[int, RegistrationAsked], Awaitable[Asking]]
    yardstick: Yardstick
    link_param: str = "svodka"
    public_url: str = ""
    entry_of: Callable[[str], Entry] = lambda _: Entry.COMMON
    report_limit: int = 10


def registration_asked(
    vendor: str, request: RegistrationRequest, *, title: str, asked_by: int, place: Destination
) -> RegistrationAsked:
    """The event; page, e-mail and session together name it, so that two presses are one registration."""
    at = request.at.isoformat() if request.at else ""
    name = hashlib.sha256(f"{request.page_id}\0{request.email}\0{at}".encode()).hexdigest()[:32]
    return RegistrationAsked(
        vendor=vendor,
        external_id=name,
        occurred_at=None,
        request=request,
        asked_by=asked_by,
        chat_id=place.chat_id,
        topic_id=place.topic_id,
        title=title,
    )
