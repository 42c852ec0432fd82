"""The card of one person: the ad, the form, the CRM, webinars and calls in the order of time; pure functions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.duration import show_duration
from domain.events import CallOutcome
from domain.messages import Button, ButtonKind, Line, Message, Section, Span, Style, bullet, plain
from domain.people import show_phone
from handlers.calls.screens import ANSWER, action
from handlers.wording import Reader, colleague_name, shortened, stage_name
from storage.queries.client import Client, ClientCall, ClientKey, ClientLead, ClientRegistration, ClientVisit, Tie, Touch
from storage.queries.viewers import Somebody

PER_PAGE = 10
TITLE_LIMIT = 60
MOST_TIES = 6
MOST_TASKS = 3
MOST_EXTRA = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened, and what is said of it."""

    at: datetime
    lines: tuple[str, ...]


def client_screen(reader: Reader, client: Client, *, offset: int = 0) -> Message:
    """``offset`` counts from the newest: the card shows the end of the story, «раньше» what was before."""
    entries = sorted(_entries(reader, client), key=lambda entry: entry.at)
    end = max(len(entries) - offset, 0)
    shown = entries[max(end - PER_PAGE, 0) : end]
    head = Section(
        title=_bold(f"👤 {client_name(reader, client)}"), lines=tuple(plain(one) for one in _known(reader, client))
    )
    sections = [head, *_touches(reader, client), *(_section(reader, entry) for entry in shown)]
    if not entries:
        sections.append(Section(lines=(plain(reader.say("client.nothing")),)))
    return Message(key=ANSWER, sections=tuple(sections), buttons=tuple(_buttons(reader, client, len(entries), end, offset)))


def ties_screen(reader: Reader, client: Client, *, word: str = "") -> Message:
    """Why all this is one person: each reason with a button that says the contrary."""
    lines = [bullet(_tie(reader, tie)) for tie in client.ties[:MOST_TIES]] or [plain(reader.say("client.no_ties"))]
    if len(client.keys) > 1:
        lines.append(plain(reader.say("client.split_hint")))
    rows = [row for tie in client.ties[:MOST_TIES] for row in _tie_rows(reader, tie)]
    if len(client.keys) > 1:
        rows += [
            (action(reader.say("client.button.split", what=_key(reader, key)), f"csplit:{key.id}:{client.person_id}"),)
            for key in client.keys[:MOST_TIES]
            if _key(reader, key)
        ]
    rows.append((action(reader.say("client.button.back"), f"cl:{client.person_id}:0"),))
    title = _bold(reader.say("client.ties_title", name=client_name(reader, client)))
    said = (Section(lines=(plain(word),)),) if word else ()
    return Message(key=ANSWER, sections=(*said, Section(title=title, lines=tuple(lines))), buttons=tuple(rows))


def choice_screen(reader: Reader, people: Sequence[Somebody], *, by_name: bool) -> Message:
    """Several people: which of them is meant."""
    rows = tuple((action(shortened(_short(reader, one), TITLE_LIMIT), f"cl:{one.person_id}:0"),) for one in people)
    text = reader.say("client.which" if by_name else "client.two_people")
    return Message(key=ANSWER, sections=(Section(lines=(plain(text),)),), buttons=rows)


def client_name(reader: Reader, client: Client) -> str:
    phone = client.key("phone")
    return client.name or (reader.phone(phone) if phone else "") or reader.say("client.nameless")


def summary_line(reader: Reader, client: Client) -> str:
    """What a list shows below the name."""
    phone = client.key("phone")
    parts = [reader.phone(phone)] if phone else []
    parts += [stage_name(reader.texts, lead.status) for lead in client.leads[:1] if lead.status]
    parts += [reader.count(len(client.calls), "call")] if client.calls else []
    return " · ".join(parts)


def _short(reader: Reader, one: Somebody) -> str:
    phone = reader.phone(one.phone) if one.phone else ""
    return ", ".join(filter(None, (one.name, phone or (one.email if reader.private else "")))) or reader.say(
        "client.nameless"
    )


def _known(reader: Reader, client: Client) -> Iterator[str]:
    """In a group phones are shortened and e-mails left out: guests read along."""
    phones = [reader.phone(key.value) for key in client.keys if key.kind == "phone"]
    emails = [key.value for key in client.keys if key.kind == "email"] if reader.private else []
    if phones or emails:
        yield ", ".join((*phones, *emails))


def _touches(reader: Reader, client: Client) -> Iterator[Section]:
    """The first ad and the last one, by the times of the leads that carry them."""
    told = [lead for lead in reversed(client.leads) if _ad(lead.first) or _ad(lead.last)]
    if not told:
        return
    first, last = _ad(told[0].first) or _ad(told[0].last), _ad(told[-1].last) or _ad(told[-1].first)
    lines = [bullet(reader.say("client.first_touch", ad=first, at=reader.moment(told[0].at)))]
    if len(told) > 1 or last != first:
        lines.append(bullet(reader.say("client.last_touch", ad=last, at=reader.moment(told[-1].at))))
    yield Section(lines=tuple(lines))


def _ad(touch: Touch) -> str:
    return " / ".join(filter(None, (touch.source, touch.medium, touch.campaign, touch.content)))


def _section(reader: Reader, entry: Entry) -> Section:
    first, *rest = entry.lines
    title = Line(spans=(reader.moment_span(entry.at), Span(f" · {first}")))
    return Section(title=title, lines=tuple(plain(line) for line in rest), weight=1)


def _entries(reader: Reader, client: Client) -> Iterator[Entry]:
    yield from (Entry(at=lead.at, lines=tuple(_of_lead(reader, lead))) for lead in client.leads)
    yield from (Entry(at=one.at, lines=tuple(_of_registration(reader, one))) for one in client.registrations)
    yield from (Entry(at=visit.at, lines=tuple(_of_visit(reader, visit))) for visit in client.visits)
    yield from (Entry(at=call.at, lines=tuple(_of_call(reader, call))) for call in client.calls)


def _of_lead(reader: Reader, lead: ClientLead) -> Iterator[str]:
    source = reader.one_of("client.source", lead.source)
    yield " · ".join(filter(None, (reader.say("client.lead", source=source), lead.form, _why(reader, lead.why))))
    ad = " · ".join(filter(None, (_ad(lead.first), lead.direction, lead.creative)))
    if ad:
        yield reader.say("client.ad", ad=ad)
    worth = reader.money(lead.value, lead.currency or "RUB") if lead.value is not None else ""
    stage = " · ".join(
        filter(None, (stage_name(reader.texts, lead.status), colleague_name(reader.texts, lead.manager), worth))
    )
    if stage:
        yield reader.say("client.stage", stage=stage, at=reader.moment(lead.changed_at))
    if reader.private:
        yield from (shortened(f"{name}: {value}", 200) for name, value in lead.extra[:MOST_EXTRA])


def _of_registration(reader: Reader, one: ClientRegistration) -> Iterator[str]:
    session = reader.say("client.session", at=reader.moment(one.session_at)) if one.session_at else ""
    yield " · ".join(filter(None, (reader.say("client.registered"), session, _why(reader, one.why))))


def _of_visit(reader: Reader, visit: ClientVisit) -> Iterator[str]:
    watched = "" if visit.seconds is None else reader.say("client.minutes", minutes=round(visit.seconds / 60))
    presence = reader.one_of("client.presence", visit.presence)
    ordered = reader.say("client.ordered") if visit.ordered else ""
    yield " · ".join(filter(None, (reader.say("client.visit"), watched or presence, ordered, _why(reader, visit.why))))
    if visit.title:
        yield visit.title


def _of_call(reader: Reader, call: ClientCall) -> Iterator[str]:
    answered = call.outcome == CallOutcome.ANSWERED
    how = show_duration(call.seconds) if answered else reader.one_of("client.outcome", call.outcome)
    yield " · ".join(filter(None, (reader.one_of("client.call", call.direction), how, call.employee)))
    if call.gist:
        yield shortened(call.gist, 200)
    for task in call.tasks[:MOST_TASKS]:
        yield reader.say("client.promise", what=" — ".join(filter(None, (task.what, task.when_text))))


def _why(reader: Reader, why: str) -> str:
    return reader.one_of("client.why", why) if why not in {"none", ""} else ""


def _buttons(reader: Reader, client: Client, total: int, end: int, offset: int) -> Iterator[tuple[Button, ...]]:
    pages = (
        [action(reader.say("client.button.earlier"), f"cl:{client.person_id}:{offset + PER_PAGE}")] if end > PER_PAGE else []
    )
    if offset:
        pages.append(action(reader.say("client.button.later"), f"cl:{client.person_id}:{max(offset - PER_PAGE, 0)}"))
    if pages:
        yield tuple(pages)
    if total:
        yield (action(reader.say("client.button.register"), f"creg:{client.person_id}"), *_crm(reader, client))
    yield (action(reader.say("client.button.ties"), f"cties:{client.person_id}"),)


def _crm(reader: Reader, client: Client) -> Iterator[Button]:
    """The newest address that opens this person at their CRM."""
    found = [(lead.at, lead.url) for lead in client.leads] + [(call.at, call.crm_url) for call in client.calls]
    url = next((url for _, url in sorted(found, reverse=True) if url.startswith("https://")), "")
    if url:
        yield Button(text=reader.say("client.button.crm"), kind=ButtonKind.URL, target=url)


def _tie(reader: Reader, tie: Tie) -> str:
    why = reader.one_of("client.reason", tie.reason, value=_value(reader, tie))
    return reader.say(f"client.tie.{tie.state}", name=tie.name or reader.say("client.nameless"), why=why)


def _value(reader: Reader, tie: Tie) -> str:
    """In a group an e-mail is not read out."""
    return tie.value if reader.private and not tie.value.isdigit() else ""


def _tie_rows(reader: Reader, tie: Tie) -> Iterator[tuple[Button, ...]]:
    name = tie.name or reader.say("client.nameless")
    part = action(shortened(reader.say("client.button.part", name=name), TITLE_LIMIT), f"cpart:{tie.id}")
    join = action(shortened(reader.say("client.button.join", name=name), TITLE_LIMIT), f"cjoin:{tie.id}")
    yield {"united": (part,), "parted": (join,)}.get(tie.state, (join, part))


def _key(reader: Reader, key: ClientKey) -> str:
    if key.kind == "phone":
        return show_phone(key.value) if reader.private else reader.phone(key.value)
    return key.value if key.kind == "email" and reader.private else ""


def _bold(text: str) -> Line:
    return Line(spans=(Span(text, Style.BOLD),))
