"""What became of calling a webinar's people, as a message: a pure function for the chats and for who asks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from domain.followup import Followup
from domain.messages import Button, ButtonKind, Line, Message, Section, Span, Style, Texts, bullet, plain
from domain.plural import counted, spaced
from handlers.webinars.messages import KIND
from handlers.wording import colleague_name

MOST_MANAGERS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryView:
    """``row_id`` of our table of webinars; ``started_at`` aware UTC."""

    found: Followup
    title: str
    started_at: datetime | None
    row_id: int
    timezone: ZoneInfo


def summary_card(view: SummaryView, texts: Texts, *, key: str, reply_to: str | None = None) -> Message:
    """Counts, then how soon and with what result, then by manager."""
    found = view.found
    sections = [_header(view, texts)]
    if found.total:
        sections.append(Section(lines=tuple(_counts(found, texts))))
        sections += _bands(found, texts)
        sections += _managers(found, texts)
    else:
        sections.append(Section(lines=(plain(texts.get("summary.nobody")),)))
    left = found.total - found.contacted
    on = Button(text=texts.get("summary.button.left"), kind=ButtonKind.ACTION, target=f"wlist:{view.row_id}")
    return Message(key=key, sections=tuple(sections), buttons=((on,),) if left else (), kind=KIND, reply_to=reply_to)


def _header(view: SummaryView, texts: Texts) -> Section:
    lines = [plain(view.title or texts.get("webinar.untitled"))]
    if view.started_at is not None:
        local = view.started_at.astimezone(view.timezone)
        lines.append(Line(spans=(Span(f"{local:%d.%m.%Y %H:%M}", Style.TIME, view.started_at.isoformat()),)))
    return Section(title=Line(spans=(Span(texts.get("summary.title"), Style.BOLD),)), lines=tuple(lines))


def _counts(found: Followup, texts: Texts) -> Iterator[Line]:
    yield _row(
        texts.get("summary.contacted"), texts.get("summary.of", part=spaced(found.contacted), all=spaced(found.total))
    )
    if found.median_s is not None:
        yield _row(texts.get("summary.speed"), lasting(found.median_s, texts))
    if found.contacted:
        yield _row(texts.get("summary.agreed"), spaced(found.agreed))
    if found.taken:
        yield _row(texts.get("summary.taken"), spaced(found.taken))
    if found.no_phone:
        yield _row(texts.get("webinar.row.no_phone"), spaced(found.no_phone))


def _bands(found: Followup, texts: Texts) -> Iterator[Section]:
    if not found.bands:
        return
    lines = [
        bullet(texts.get(f"summary.band.{band.speed}", contacted=spaced(band.contacted), agreed=spaced(band.agreed)))
        for band in found.bands
    ]
    lines.append(plain(texts.get("summary.note")))
    yield Section(title=Line(spans=(Span(texts.get("summary.bands"), Style.BOLD),)), lines=tuple(lines))


def _managers(found: Followup, texts: Texts) -> Iterator[Section]:
    if not found.managers:
        return
    lines = [
        _row(
            f"{colleague_name(texts, share.name) or texts.get('summary.no_manager')}:",
            texts.get("summary.of", part=spaced(share.contacted), all=spaced(share.total)),
        )
        for share in found.managers[:MOST_MANAGERS]
    ]
    yield Section(title=Line(spans=(Span(texts.get("summary.managers"), Style.BOLD),)), lines=tuple(lines))


def lasting(seconds: int, texts: Texts) -> str:
    """«22 минуты», «3 ч 5 мин», «2 дня»."""
    minutes = max(round(seconds / 60), 1)
    if minutes < 60:
        return counted(minutes, *texts.get("noun.minute").split("|"))
    if minutes < 24 * 60:
        hours, rest = divmod(minutes, 60)
        return (
            texts.get("summary.hours", hours=hours, minutes=rest) if rest else texts.get("summary.whole_hours", hours=hours)
        )
    return counted(round(minutes / (24 * 60)), *texts.get("noun.day").split("|"))


def _row(name: str, value: str) -> Line:
    return bullet(f"{name} ", Span(value, Style.BOLD))
