"""The card of a webinar: a pure function from how far the work is, and what was counted, to what is shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.attendance import Turnout
from domain.messages import Button, ButtonKind, File, Line, Message, Section, Span, Style, Texts, bullet, plain
from domain.plural import counted, spaced

KIND = "webinar"
ACTIONS = {"list": "wlist", "file": "wfile", "again": "wagain", "more": "wmore", "redo": "wredo"}
NO_PHONE_SHARE = 0.3  # from here on it is the room's settings, not the people


class Stage(StrEnum):
    """How far the work is; every stage is a card that stands by itself."""

    WAITING = "waiting"
    LOADING = "loading"
    MATCHING = "matching"
    NO_REPORT = "no_report"
    READY = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebinarView:
    """What a card is made of. Times are aware; ``next_look`` is when the report is asked for again.

    ``work_id`` is the work that can be done again. ``loaded`` of ``total`` records are stored; ``total`` is 0 where the
    platform does not say. ``minutes`` 0: not told.
    """

    stage: Stage
    title: str
    timezone: ZoneInfo
    row_id: int = 0
    work_id: int = 0
    started_at: datetime | None = None
    minutes: int = 0
    attended_s: int = 120
    turnout: Turnout | None = None
    loaded: int = 0
    total: int = 0
    next_look: datetime | None = None
    rehearsal: bool = False


def webinar_card(view: WebinarView, texts: Texts, *, key: str, picture: str | None = None) -> Message:
    """``picture``: the path of the drawn webinar, relative to DATA_DIR."""
    counts = _counts(view, view.turnout, texts) if view.turnout is not None else ()
    sections = (_header(view, texts), *counts, *_note(view, texts))
    name = texts.get("webinar.picture_name")
    caption = texts.get("webinar.picture_caption", title=view.title or texts.get("webinar.untitled"))
    return Message(
        key=key,
        sections=sections,
        buttons=_buttons(view, texts),
        files=(File(path=picture, name=name, kind="photo", caption=caption),) if picture else (),
        kind=KIND,
    )


def _header(view: WebinarView, texts: Texts) -> Section:
    title = texts.get("webinar.title")
    if view.rehearsal:
        title = f"{texts.get('card.rehearsal')} {title}"
    lines = [plain(view.title or texts.get("webinar.untitled"))]
    when = _when(view, texts)
    if when is not None:
        lines.append(when)
    return Section(title=Line(spans=(Span(title, Style.BOLD),)), lines=tuple(lines))


def _when(view: WebinarView, texts: Texts) -> Line | None:
    """The day and hour in the account's zone, and how long it was."""
    if view.started_at is None:
        return None
    local = view.started_at.astimezone(view.timezone)
    spans = [Span(f"{local:%d.%m.%Y %H:%M}", Style.TIME, view.started_at.isoformat())]
    if view.minutes:
        spans.append(Span(" · " + texts.get("webinar.length", minutes=view.minutes)))
    return Line(spans=tuple(spans))


def _counts(view: WebinarView, turnout: Turnout, texts: Texts) -> Iterator[Section]:
    if not turnout.came:
        yield Section(lines=(plain(texts.get("webinar.nobody")),))
        return
    rows = [("came", turnout.came), ("attended", turnout.attended), ("stayed", turnout.stayed), ("long", turnout.long)]
    if turnout.registered:
        rows.insert(0, ("registered", turnout.registered))
    minimum = f"{view.attended_s / 60:g}".replace(".", ",")
    yield Section(title=_title(texts, "webinar.people"), lines=tuple(_row(texts, *row, minimum=minimum) for row in rows))
    found = [("matched", turnout.matched), ("unmatched", turnout.unmatched), ("no_phone", turnout.no_phone)]
    yield Section(title=_title(texts, "webinar.base"), lines=tuple(_row(texts, *row) for row in found))
    yield Section(title=_title(texts, "webinar.to_call"), lines=tuple(_warmth(turnout, texts)))
    yield from _warnings(turnout, texts)


def _row(texts: Texts, name: str, number: int, **values: object) -> Line:
    return bullet(texts.get(f"webinar.row.{name}", **values) + " ", Span(spaced(number), Style.BOLD))


def _warmth(turnout: Turnout, texts: Texts) -> Iterator[Line]:
    for name, number in (("hot", turnout.hot), ("warm", turnout.warm), ("no_show", turnout.no_show)):
        if number:
            yield _row(texts, name, number)
    if not turnout.hot + turnout.warm + turnout.no_show:
        yield plain(texts.get("webinar.nobody_to_call"))


def _warnings(turnout: Turnout, texts: Texts) -> Iterator[Section]:
    """Whoever left no phone cannot be found: past a third of them it is named which setting asks for it."""
    share = turnout.no_phone / turnout.came
    if share > NO_PHONE_SHARE:
        yield Section(lines=(plain(texts.get("webinar.no_phones", percent=round(share * 100))),))
    for name, number in (("skipped", turnout.skipped), ("missing", turnout.missing)):
        if number:
            one, few, many = texts.get("noun.record").split("|")
            yield Section(lines=(plain(texts.get(f"webinar.{name}", count=counted(number, one, few, many))),))


def _note(view: WebinarView, texts: Texts) -> Iterator[Section]:
    """What is still to come, or why nothing more is."""
    if view.stage is Stage.READY:
        return
    if view.stage is Stage.WAITING and view.next_look is not None:
        text = texts.get("webinar.stage.waiting", at=f"{view.next_look.astimezone(view.timezone):%H:%M}")
    elif view.stage is Stage.LOADING and view.total:
        text = texts.get("webinar.stage.loading_of", loaded=spaced(view.loaded), total=spaced(view.total))
    elif view.stage is Stage.LOADING:
        text = texts.get("webinar.stage.loading", loaded=spaced(view.loaded))
    else:
        text = texts.get(f"webinar.stage.{view.stage}")
    yield Section(lines=(plain(text),))


def _buttons(view: WebinarView, texts: Texts) -> tuple[tuple[Button, ...], ...]:
    def button(name: str) -> Button:
        target = f"{ACTIONS[name]}:{view.work_id if name == 'redo' else view.row_id}"
        return Button(text=texts.get(f"webinar.button.{name}"), kind=ButtonKind.ACTION, target=target)

    if view.stage not in {Stage.READY, Stage.NO_REPORT}:
        return ()
    turnout = view.turnout or Turnout()
    if not turnout.came and not turnout.registered:
        return ((button("redo"),),) if view.work_id else ()
    again = (button("again"),) if turnout.no_show else ()
    return ((button("list"), button("file")), (*again, button("more")))


def _title(texts: Texts, name: str) -> Line:
    return Line(spans=(Span(texts.get(name), Style.BOLD),))
