"""A digest that says what it was asked: what stands in for the counting where sending and setting are looked at."""

from dataclasses import dataclass, field
from datetime import datetime

from domain.digests import DigestKind, DigestPart
from domain.messages import Message, Section, plain
from handlers.digests.services import Drawn
from handlers.wording import Reader


def draw(text: str) -> bytes:
    """A picture, as far as anybody looks."""
    if text == "broken":
        raise RuntimeError("the library is not there")
    return text.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    kind: DigestKind
    parts: frozenset[DigestPart]
    now: datetime
    webinar_id: int
    so_far: bool
    drawn: Drawn | None

    def card(self, reader: Reader, *, full: bool, late_since: datetime | None, key: str) -> Message:
        late = f" с опозданием, нет с {late_since:%H:%M}" if late_since is not None else ""
        line = f"{self.kind} {self.now:%Y-%m-%d %H:%M} разделов {len(self.parts)}{' всё' if full else ''}{late}"
        return Message(key=key, sections=(Section(lines=(plain(line),)),))

    def picture(self, reader: Reader) -> Drawn | None:
        return self.drawn


@dataclass
class Paper:
    """``drawn``: what the picture is made with, None for none; ``asked``: every counting."""

    drawn: Drawn | None = None
    asked: list[Sheet] = field(default_factory=list)

    async def __call__(
        self, account_id: int, *, kind: DigestKind, parts: frozenset[DigestPart], now: datetime, webinar_id: int = 0,
        so_far: bool = False,
    ) -> Sheet:  # fmt: skip
        sheet = Sheet(kind=kind, parts=parts, now=now, webinar_id=webinar_id, so_far=so_far, drawn=self.drawn)
        self.asked.append(sheet)
        return sheet
