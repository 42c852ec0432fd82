"""A digest as a card: a line for each part on a good day, what is wrong and why first on a bad one. Pure functions."""

from collections.abc import Iterator
from datetime import date, datetime

from domain.digests import DigestKind, DigestPart
from domain.messages import Button, Line, Message, Section, Span, Style, bold, bullet, plain
from domain.people import show_phone
from domain.plural import spaced
from handlers.admin.reckoning import reckoning_lines
from handlers.analytics.company import CompanyFigures, Indicator, shown
from handlers.analytics.company_screens import figure_lines
from handlers.calls.screens import action
from handlers.digests.causes import DAY, HOUR
from handlers.digests.facts import Debts, Deviation, DigestFacts, HeldWebinar
from handlers.digests.usual import Cause
from handlers.digests.webinar_card import KIND, TITLE_LIMIT, source_name, title_of, told_as, webinar_card
from handlers.webinars.messages import ACTIONS
from handlers.wording import Reader, shortened
from storage.queries.company import Share, Subject
from storage.queries.waiting import Waiter, Waiters

MOST_CAUSES = 3
_OF = {
    Subject.CALLS: Indicator.INCOMING,
    Subject.MISSED: Indicator.MISSED,
    Subject.NEGATIVE: Indicator.NEGATIVE,
    Subject.LEADS: Indicator.LEADS,
}


def digest_card(
    facts: DigestFacts, reader: Reader, *, full: bool, late_since: datetime | None = None, key: str
) -> Message:  # fmt: skip
    """``full``: every figure, and each debt by name.

    ``late_since``: when we stopped working, of one that comes late; its own time where we did not.
    """
    lines = [_title(facts, reader)]
    if late_since is not None:
        slot = facts.figures.counted_at
        name = "told.late" if late_since < slot else "told.late_only"
        lines.append(plain(reader.say(name, slot=_since(reader, slot), at=_since(reader, late_since))))
    lines += [line for one in facts.deviations for line in _deviation(facts, reader, one)]
    if facts.kind is DigestKind.WEBINAR and facts.webinars:
        return webinar_card(facts.webinars[0], reader, lines, full=full, key=key)
    rows = tuple(row for row in (_buttons(facts.debts, reader),) if row)
    if full:
        sections = (Section(lines=tuple(lines)), *_sections(facts, reader))
        return Message(key=key, sections=sections, buttons=rows, kind=KIND)
    return Message(key=key, sections=(Section(lines=(*lines, *_lines(facts, reader))),), buttons=rows, kind=KIND)


def _title(facts: DigestFacts, reader: Reader) -> Line:
    spans = [Span(f"{reader.say(f'told.icon.{facts.kind}')} {_when(facts, reader)}", Style.BOLD)]
    if not facts.compared:
        spans.append(Span(f" · {reader.say('told.no_usual')}"))
    elif not facts.deviations:
        spans.append(Span(f" · {reader.say('told.as_usual')}"))
    return Line(spans=tuple(spans))


def _when(facts: DigestFacts, reader: Reader) -> str:
    """«Пятница, 27 ноября», «27–29 ноября», «Суббота, 28 ноября, до 18:00»."""
    if facts.kind is DigestKind.WEBINAR and facts.webinars:
        return told_as(facts.webinars[0], reader)
    period = facts.period
    days = reader.period(period.first, period.last)
    if period.first != period.last:
        return days
    told = _weekday(period.first, reader)
    if facts.so_far:
        return reader.say("told.so_far", day=told, at=f"{facts.figures.counted_at.astimezone(reader.zone):%H:%M}")
    return told


def _weekday(day: date, reader: Reader) -> str:
    """«Пятница, 27 ноября»."""
    return f"{reader.say('told.weekdays').split('|')[day.weekday()]}, {reader.period(day, day)}"


def _since(reader: Reader, at: datetime) -> str:
    """«08:40», «28.11 08:40»."""
    local = at.astimezone(reader.zone)
    return f"{local:%H:%M}" if local.date() == reader.today else f"{local:%d.%m %H:%M}"


def _deviation(facts: DigestFacts, reader: Reader, one: Deviation) -> Iterator[Line]:
    """What is wrong in bold, then where it comes from, line by line."""
    sign = reader.say("told.worse" if one.worse else "told.other")
    values = {"number": spaced(one.found.number), "usual": spaced(one.found.usual)}
    values["incoming"] = _incoming(facts.figures, reader)
    way = "over" if one.found.far > 0 else "under"
    told = reader.say(f"told.{way}.{one.subject}", **values)
    if one.day is not None:
        told = reader.say(f"told.day.{one.subject}", day=_weekday(one.day, reader), **values)
    yield bold(f"{sign} {told}")
    yield from (bullet(_cause(facts, reader, cause)) for cause in one.causes[:MOST_CAUSES])


def _cause(facts: DigestFacts, reader: Reader, cause: Cause) -> str:
    """«с 14:00 до 16:00 — 22, обычно 1»."""
    return reader.say(
        "told.cause", what=_what(facts, reader, cause), number=spaced(cause.number), usual=spaced(cause.usual)
    )  # fmt: skip


def _what(facts: DigestFacts, reader: Reader, cause: Cause) -> str:
    if cause.by == HOUR:
        return reader.say("told.hours", first=f"{cause.first:02}:00", last=f"{(cause.last + 1) % 24:02}:00")
    if cause.by == DAY:
        first = facts.period.first.toordinal()
        days = [facts.period.first.fromordinal(first + place) for place in (cause.first, cause.last)]
        return reader.period(days[0], days[1])
    if cause.by == Share.LINE:
        line = show_phone(cause.name) if cause.name.isdigit() else shortened(cause.name, TITLE_LIMIT)
        return reader.say("told.line", line=line)
    name = source_name(reader, cause.name) if cause.by == Share.SOURCE else cause.name
    return reader.say(f"told.by.{cause.by}", name=shortened(name, TITLE_LIMIT))


def _lines(facts: DigestFacts, reader: Reader) -> Iterator[Line]:
    """One for each part that there is something to say of: who has no telephony is not told every day that nobody called."""
    figures = facts.figures
    calls, leads = any(day.incoming for day in facts.days), any(day.leads for day in facts.days)
    if facts.tells(DigestPart.CALLS) and (calls or not leads or figures.number(Indicator.CALLS)):
        yield plain(_calls(figures, reader))
    if facts.tells(DigestPart.LEADS) and (leads or not calls):
        yield plain(_leads(figures, reader))
    if facts.tells(DigestPart.WEBINARS) and facts.webinars:
        yield plain(_webinars(facts, reader))
    if debts := _debts(facts, reader):
        yield plain(debts)
    if facts.tells(DigestPart.RECKONING) and (told := _reckoned_shortly(facts, reader)):
        yield plain(told)


def _calls(figures: CompanyFigures, reader: Reader) -> str:
    if not figures.number(Indicator.CALLS):
        return reader.say("told.no_calls")
    calls = reader.count(int(figures.number(Indicator.CALLS)), "call")
    missed = shown(reader, Indicator.MISSED, figures[Indicator.MISSED])
    return reader.say("told.calls", calls=calls, missed=missed, incoming=_incoming(figures, reader))


def _incoming(figures: CompanyFigures, reader: Reader) -> str:
    return reader.count(int(figures.number(Indicator.INCOMING)), "incoming_of")


def _leads(figures: CompanyFigures, reader: Reader) -> str:
    if not figures.number(Indicator.LEADS):
        return reader.say("told.no_leads")
    leads = reader.count(int(figures.number(Indicator.LEADS)), "new_one")
    contact = figures[Indicator.CONTACT_MEDIAN]
    told = reader.say("told.leads", leads=leads)
    if contact.number is None:
        return told
    return f"{told} · {reader.say('told.contact', minutes=shown(reader, Indicator.CONTACT_MEDIAN, contact))}"


def _webinars(facts: DigestFacts, reader: Reader) -> str:
    if len(facts.webinars) == 1:
        return _webinar(facts.webinars[0], reader)
    names = (Indicator.CAME, Indicator.REGISTERED, Indicator.HOT)
    values = {name.value: shown(reader, name, facts.figures[name]) for name in names}
    return reader.say("told.webinars", webinars=reader.count(len(facts.webinars), "webinar"), **values)


def _webinar(held: HeldWebinar, reader: Reader) -> str:
    turnout = held.turnout
    values = {"title": title_of(held, reader), "came": spaced(turnout.came), "hot": spaced(turnout.hot)}
    if not turnout.registered:
        return reader.say("told.webinar_open", **values)
    return reader.say("told.webinar", **values, registered=spaced(turnout.registered))


def _debts(facts: DigestFacts, reader: Reader) -> str:
    """«Ждут: перезвонить 3 · лиды без контакта 2», or that nobody does."""
    debts = facts.debts
    counts = {"calls": debts.calls.total, "leads": debts.leads.total, "hot": debts.hot_people}
    if facts.tells(DigestPart.TASKS):
        counts["overdue"] = int(facts.figures.number(Indicator.OVERDUE))
    told = [reader.say(f"told.debt.{name}", count=spaced(count)) for name, count in counts.items() if count]
    if told:
        return reader.say("told.debts", debts=" · ".join(told))
    return reader.say("told.no_debts") if facts.tells(DigestPart.DEBTS) else ""


def _buttons(debts: Debts, reader: Reader) -> tuple[Button, ...]:
    """To those who wait."""
    targets = {"calls": (debts.calls.total, "debt:calls"), "leads": (debts.leads.total, "debt:leads")}
    if debts.hot:
        targets["hot"] = (debts.hot_people, f"{ACTIONS['list']}:{debts.hot[0].line.id}")
    return tuple(
        action(reader.say(f"told.button.{name}", count=spaced(count)), target)
        for name, (count, target) in targets.items()
        if count
    )


def _reckoned(facts: DigestFacts, reader: Reader) -> list[str]:
    """Each with its own day, which is not the digest's; a vendor that lists nothing proves nothing."""
    told = [(one.at, reckoning_lines(reader, (one,), (), ())) for one in facts.calls_reckoned if one.listed]
    told += [(one.at, reckoning_lines(reader, (), (one,), ())) for one in facts.webinars_reckoned if one.listed]
    told += [(one.at, reckoning_lines(reader, (), (), (one,))) for one in facts.crm_reckoned if one.listed]
    return [
        line
        for at, (first, *rest) in told
        for line in (reader.say("told.reckoned_until", at=_since(reader, at), what=first), *rest)
    ]


def _reckoned_shortly(facts: DigestFacts, reader: Reader) -> str:
    told = _reckoned(facts, reader)
    if len(told) == 1:
        return reader.say("told.reckoned_one", what=told[0])
    vendors = _all_there(facts, reader)
    return reader.say("told.reckoned", vendors=vendors) if vendors else ""


def _all_there(facts: DigestFacts, reader: Reader) -> str:
    """«Битрикс24 214 из 214 (до 14:05) · …»: what came here of what each lists; "" where none lists anything."""
    counts = [(one.vendor, one.listed - one.waiting, one.listed, one.at) for one in facts.calls_reckoned]
    counts += [(one.vendor, one.listed - one.waiting - one.failed, one.listed, one.at) for one in facts.webinars_reckoned]
    counts += [(one.vendor, one.listed - one.waiting, one.listed, one.at) for one in facts.crm_reckoned]
    return " · ".join(
        reader.say(
            "told.vendor", vendor=reader.vendor(vendor), here=spaced(here), listed=spaced(listed), at=_since(reader, at)
        )
        for vendor, here, listed, at in counts
        if listed
    )


def _sections(facts: DigestFacts, reader: Reader) -> Iterator[Section]:
    """«Всё»: every figure of every part."""
    if facts.tells(DigestPart.CALLS):
        yield _section(reader, "calls", tuple(figure_lines(reader, facts.figures, "calls", usual=_usual(facts))))
    if facts.tells(DigestPart.LEADS):
        yield _section(reader, "leads", tuple(figure_lines(reader, facts.figures, "leads", usual=_usual(facts))))
    if facts.tells(DigestPart.WEBINARS) and facts.webinars:
        yield _section(reader, "webinars", tuple(bullet(_webinar(one, reader)) for one in facts.webinars))
    if facts.tells(DigestPart.DEBTS):
        yield from _named(facts.debts, reader)
    if facts.tells(DigestPart.TASKS) and facts.figures[Indicator.OVERDUE].number is not None:
        yield Section(lines=tuple(figure_lines(reader, facts.figures, "tasks")))
    if facts.tells(DigestPart.RECKONING) and (told := _reckoned(facts, reader)):
        yield _section(reader, "reckoning", tuple(bullet(line) for line in told))


def _usual(facts: DigestFacts) -> dict[Indicator, int]:
    return {_OF[subject]: number for subject, number in facts.usual.items()}


def _named(debts: Debts, reader: Reader) -> Iterator[Section]:
    if debts.calls.total:
        yield _section(reader, "not_called_back", tuple(_people(reader, debts.calls)), count=debts.calls.total)
    if debts.leads.total:
        yield _section(reader, "not_contacted", tuple(_people(reader, debts.leads)), count=debts.leads.total)
    if debts.hot_people:
        lines = tuple(
            bullet(reader.say("told.hot", title=title_of(one, reader), count=spaced(one.waiting))) for one in debts.hot
        )
        yield _section(reader, "hot", lines, count=debts.hot_people)


def _people(reader: Reader, waiters: Waiters) -> Iterator[Line]:
    for one in waiters.rows:
        yield bullet(waiter_line(reader, one))
    if waiters.total > len(waiters.rows):
        yield plain(reader.say("told.more", count=spaced(waiters.total - len(waiters.rows))))


def waiter_line(reader: Reader, one: Waiter) -> str:
    """«вчера 15:55 · Елена, +7 999 123-45-67 · 2 звонка»; in groups the number is shortened."""
    phone = reader.phone(one.phone, one.phone_raw)
    who = f"{shortened(one.name, TITLE_LIMIT)}, {phone}" if one.name else phone
    times = f" · {reader.count(one.times, 'call')}" if one.times > 1 else ""
    return f"{reader.moment(one.since)} · {who}{times}"


def _section(reader: Reader, name: str, lines: tuple[Line, ...], *, count: int | None = None) -> Section:
    text = reader.say(f"told.section.{name}")
    title = text if count is None else f"{text}: {spaced(count)}"
    return Section(title=Line(spans=(Span(title, Style.BOLD),)), lines=lines)
