"""What a button below a digest carries: which digest it is, so that it opens as long as the message is there. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from domain.digests import DigestKind, DigestPart
from domain.messages import Message
from handlers.calls.screens import action
from handlers.wording import Reader

ALL, FEW = "dgall", "dgfew"
_KINDS = {DigestKind.DAILY: "d", DigestKind.WEEKLY: "w", DigestKind.WEBINAR: "b"}
_SO_FAR = "t"  # a daily one
# A part's place is its bit on buttons that hang in chats for weeks: new parts come last.
_PARTS = (
    DigestPart.CALLS, DigestPart.LEADS, DigestPart.WEBINARS, DigestPart.DEBTS, DigestPart.TASKS, DigestPart.RECKONING,
)  # fmt: skip
_ARGUMENT = re.compile(r"([dwbt]):(\d{1,4}):(\d{1,10}):(\d{1,18}):(\d{1,10})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A digest to be told once more. ``now``: of when it tells; ``so_far``: of the day it is, whatever the hour."""

    kind: DigestKind
    parts: frozenset[DigestPart]
    now: datetime
    webinar_id: int = 0
    late_since: datetime | None = None
    so_far: bool = False


def with_switch(card: Message, reader: Reader, opened: Opened, *, full: bool) -> Message:
    """The card with «всё» below it, or the way back from there."""
    name, text = (FEW, "digest.button.few") if full else (ALL, "digest.button.all")
    row = (action(reader.say(text), f"{name}:{on_button(opened)}"),)
    return replace(card, buttons=(*card.buttons, row))


def on_button(opened: Opened) -> str:
    late = int(opened.late_since.timestamp()) if opened.late_since is not None else 0
    bits = bits_of(opened.parts)
    letter = _SO_FAR if opened.so_far else _KINDS[opened.kind]
    return f"{letter}:{bits}:{int(opened.now.timestamp())}:{opened.webinar_id}:{late}"


def off_button(argument: str) -> Opened | None:
    """None for what no button of ours carries."""
    found = _ARGUMENT.fullmatch(argument)
    if found is None:
        return None
    letter, bits, now, webinar_id, late = found.groups()
    kind = next((kind for kind, own in _KINDS.items() if own == letter), DigestKind.DAILY)
    late_since = datetime.fromtimestamp(int(late), UTC) if int(late) else None
    moment = datetime.fromtimestamp(int(now), UTC)
    return Opened(
        kind=kind, parts=parts_of(int(bits)), now=moment, webinar_id=int(webinar_id), late_since=late_since,
        so_far=letter == _SO_FAR,
    )  # fmt: skip


def bits_of(parts: Iterable[DigestPart]) -> int:
    return sum(1 << _PARTS.index(part) for part in parts)


def parts_of(bits: int) -> frozenset[DigestPart]:
    return frozenset(part for place, part in enumerate(_PARTS) if bits >> place & 1)
