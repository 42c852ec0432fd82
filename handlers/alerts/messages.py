"""Notices: one when something breaks, one when it is back; pure functions."""

from dataclasses import replace
from datetime import datetime

from domain.duration import show_duration
from domain.messages import Button, ButtonKind, Line, Message, Section, Span, Style, Texts, plain
from domain.plural import plural
from domain.webhooks import HookStanding


def part_gone(name: str, title: str, *, since: datetime, detail: str, hint: str, texts: Texts) -> Message:
    """A part of the world does not answer (no hint) or refuses (the hint says what to press)."""
    refused = bool(hint)
    heading = texts.get("alert.refused" if refused else "alert.gone", title=title)
    lines = [plain(hint if refused else texts.get(f"alert.meanwhile.{name}"))]
    if detail:
        lines.append(Line(spans=(Span(texts.get("alert.detail") + " "), Span(detail, Style.CODE))))
    return _notice(f"gone:{name}:{since.isoformat()}", heading, lines)


def part_back(name: str, title: str, *, since: datetime, now: datetime, texts: Texts) -> Message:
    lines = [plain(texts.get("alert.back_after", away=show_duration((now - since).total_seconds())))]
    return _notice(f"back:{name}:{since.isoformat()}", texts.get("alert.back", title=title), lines)


def work_failing(kind: str, code: str, *, count: int, error: str, day: str, texts: Texts) -> Message:
    """Works of one kind fail for one reason and are still tried."""
    return _troubled("failing", kind, code, count=count, error=error, day=day, texts=texts)


def work_dead(kind: str, code: str, *, count: int, error: str, day: str, texts: Texts, hint: str = "") -> Message:
    """Works of one kind were given up for one reason today: one message that counts. ``hint``: what to press first."""
    return _troubled("dead", kind, code, count=count, error=error, day=day, texts=texts, hint=hint)


def limit_reached(period: str, until: datetime, *, texts: Texts) -> Message:
    """The money limit of ``period`` ("day" or "month") is used up; ``until`` in the account's zone."""
    line = plain(texts.get("alert.limit_until", until=until.strftime("%d.%m %H:%M")))
    return _notice(f"limit:{period}:{until.isoformat()}", texts.get(f"alert.limit_{period}"), [line])


def disk_full(free_mb: int, *, day: str, texts: Texts) -> Message:
    """Recordings are no longer fetched; told once a day."""
    return _notice(f"disk:{day}", texts.get("alert.disk", free=free_mb), [plain(texts.get("alert.disk_more"))])


def hook_off(vendor: str, title: str, standing: HookStanding, *, since: datetime, texts: Texts) -> Message:
    """A vendor does not tell us, or not of everything; what it has not told is found by asking, minutes later."""
    heading = texts.get(f"alert.hook_{standing.state}", title=title)
    lines = [plain(texts.get(f"alert.hook_{standing.state}_press")), plain(texts.get("alert.hook_meanwhile"))]
    if standing.lacking:
        lines.append(Line(spans=(Span(texts.get("alert.hook_events") + " "), Span(", ".join(standing.lacking), Style.CODE))))
    message = _notice(f"hook:{vendor}:{standing.state}:{since.isoformat()}", heading, lines)
    button = Button(text=texts.get("alert.hook_subscribe"), kind=ButtonKind.ACTION, target=f"hookset:{vendor}")
    return replace(message, buttons=((button,),))


def hook_back(vendor: str, title: str, *, since: datetime, now: datetime, texts: Texts) -> Message:
    lines = [plain(texts.get("alert.hook_back_after", away=show_duration((now - since).total_seconds())))]
    return _notice(f"hook_back:{vendor}:{since.isoformat()}", texts.get("alert.hook_back", title=title), lines)


def _troubled(what: str, kind: str, code: str, *, count: int, error: str, day: str, texts: Texts, hint: str = "") -> Message:
    one, few, many = texts.get(f"alert.works.{kind}").split("|")
    named = f"{count} {plural(count, one, few, many)}"
    lines = [
        *([plain(hint)] if hint else []),
        plain(texts.get(f"alert.{what}_more")),
        Line(spans=(Span(error, Style.CODE),)),
    ]
    button = Button(text=texts.get("alert.errors"), kind=ButtonKind.ACTION, target="errors:today")
    message = _notice(f"{what}:{kind}:{code}:{day}", texts.get(f"alert.{what}", works=named), lines)
    return replace(message, buttons=((button,),))


def _notice(key: str, heading: str, lines: list[Line]) -> Message:
    title = Line(spans=(Span(heading, Style.BOLD),))
    return Message(key=f"notice:{key}"[:200], sections=(Section(title=title, lines=tuple(lines)),), kind="notice")
