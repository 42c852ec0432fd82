"""The digest of one webinar as a card. Pure functions."""

from collections.abc import Iterator, Sequence

from domain.messages import Line, Message, Section, Span, Style, bullet, plain
from domain.plural import spaced
from handlers.calls.screens import action
from handlers.digests.facts import Ads, HeldWebinar
from handlers.webinars.messages import ACTIONS
from handlers.wording import Reader, shortened

KIND = "digest"
TITLE_LIMIT = 40
MOST_SOURCES = 3


def webinar_card(held: HeldWebinar, reader: Reader, head: Sequence[Line], *, full: bool, key: str) -> Message:
    """``head``: what it is, and what is unusual about it."""
    lines = [*head, *_lines(held, reader)]
    sections = [Section(lines=tuple(lines))]
    if full and held.sources:
        title = Line(spans=(Span(reader.say("told.section.sources"), Style.BOLD),))
        sections.append(Section(title=title, lines=tuple(bullet(one) for one in _sources(held, reader))))
    row = (action(reader.say("told.button.guests"), f"{ACTIONS['list']}:{held.line.id}"),)
    return Message(key=key, sections=tuple(sections), buttons=(row,) if held.turnout.came else (), kind=KIND)


def title_of(held: HeldWebinar, reader: Reader) -> str:
    return shortened(held.line.title or reader.say("webinar.untitled"), TITLE_LIMIT)


def told_as(held: HeldWebinar, reader: Reader) -> str:
    """«Кухня за 30 дней», 20 ноября 19:00."""
    title = reader.say("told.after", title=title_of(held, reader))
    if held.line.started_at is None:
        return title
    local = held.line.started_at.astimezone(reader.zone)
    return f"{title}, {reader.period(local.date(), local.date())} {local:%H:%M}"


def source_name(reader: Reader, name: str) -> str:
    """What an ad calls it; of a lead without a mark, what brought it to us; of who is in no lead, that."""
    if not name:
        return reader.say("told.no_lead")
    known = f"client.source.{name}"
    return reader.say(known) if known in reader.texts.entries else name


def _lines(held: HeldWebinar, reader: Reader) -> Iterator[Line]:
    turnout = held.turnout
    counts = {name: spaced(getattr(turnout, name)) for name in ("registered", "came", "attended", "stayed")}
    yield plain(reader.say("told.turnout" if turnout.registered else "told.turnout_open", **counts))
    if turnout.hot:
        waiting = reader.say("told.waiting", count=spaced(held.waiting)) if held.waiting else reader.say("told.all_called")
        yield plain(reader.say("told.hot_people", hot=spaced(turnout.hot), waiting=waiting))
    if held.sources:
        told = ", ".join(list(_sources(held, reader))[:MOST_SOURCES])
        yield plain(reader.say("told.sources", sources=told))
    if held.ads is not None:
        yield plain(_ads(held.ads, held, reader))


def _sources(held: HeldWebinar, reader: Reader) -> Iterator[str]:
    for name, people in held.sources:
        yield f"{shortened(source_name(reader, name), TITLE_LIMIT)} {spaced(people)}"


def _ads(ads: Ads, held: HeldWebinar, reader: Reader) -> str:
    """«реклама с 14 ноября 40 000 ₽, один смотревший 333 ₽», of each currency."""
    parts = []
    for cost in ads.costs:
        parts.append(reader.money(cost.amount, cost.currency))
        if (each := cost.per(held.turnout.attended)) is not None:
            parts.append(reader.say("told.each", money=reader.money(each.amount, each.currency)))
    return reader.say("told.ads", since=reader.period(ads.since, ads.since), money=", ".join(parts))
