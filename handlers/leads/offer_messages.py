"""The card of a new lead that waits for somebody; pure functions."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from domain.messages import Button, ButtonKind, Line, Message, Section, Span, Style, Texts, bullet, plain
from domain.people import shorten_phone, show_phone
from domain.plural import counted
from handlers.wording import colleague_name, shortened, stage_name
from storage.offers import OfferedLead, copy_key

KIND = "lead"
WRITTEN = 100  # characters of what anybody may write into a form


def offer_card(lead: OfferedLead, texts: Texts, zone: ZoneInfo, *, private: bool = False, key: str = "") -> Message:
    """In a chat the phone is shortened and the e-mail left out; who takes the lead has both in private."""
    origins = list(dict.fromkeys(_one_of(texts, "client.source", source) for source in lead.sources))
    head = Line(spans=(Span(texts.get("offer.title", source=_listed(origins, texts)), Style.BOLD),))
    name = shortened(lead.name, WRITTEN) or texts.get("client.nameless")
    lines = [plain(", ".join(filter(None, (name, *_reached(lead, private=private)))))]
    lines += [plain(shortened(lead.form, WRITTEN))] if lead.form else []
    lines += [plain(texts.get("offer.stage", stage=stage_name(texts, lead.stage)))] if lead.stage else []
    lines += [plain(texts.get("stages.responsible", name=colleague_name(texts, lead.manager)))] if lead.manager else []
    lines += [bullet(texts.get("client.ad", ad=shortened(lead.ad, WRITTEN)))] if lead.ad else []
    lines += [plain(said)] if (said := _standing(lead, texts, zone, private=private)) else []
    rows = tuple(row for row in (_take(lead, texts), _more(lead, texts), _crm(lead, texts)) if row)
    return Message(
        key=key or copy_key(lead.id), sections=(Section(title=head, lines=tuple(lines)),), buttons=rows, kind=KIND
    )


def crowd_card(count: int, source: str, first: int, texts: Texts) -> Message:
    """Of leads that came in one delivery and are too many for cards of their own; ``first`` names it."""
    one, few, many = texts.get("noun.new_lead").split("|")
    said = {"source": _one_of(texts, "client.source", source), "count": counted(count, one, few, many)}
    title = Line(spans=(Span(texts.get("offer.crowd", **said), Style.BOLD),))
    return Message(
        key=f"leads:{first}", sections=(Section(title=title, lines=(plain(texts.get("offer.no_cards")),)),), kind=KIND
    )


def _listed(names: Sequence[str], texts: Texts) -> str:
    """«сайт и amoCRM»"""
    return texts.get("offer.both", first=", ".join(names[:-1]), last=names[-1]) if len(names) > 1 else "".join(names)


def _one_of(texts: Texts, family: str, name: str) -> str:
    known = f"{family}.{name}"
    return texts.get(known if known in texts.entries else f"{family}.other")


def _standing(lead: OfferedLead, texts: Texts, zone: ZoneInfo, *, private: bool) -> str:
    """Who has it, which card counts, or whom it was passed on to."""
    somebody = texts.get("offer.somebody")
    if lead.taken is not None:
        return texts.get("offer.taken", name=lead.taken.name or somebody, at=f"{lead.taken.at.astimezone(zone):%H:%M}")
    if lead.follows:
        return texts.get("offer.follows")
    return texts.get(f"offer.{lead.passed}", name=", ".join(lead.asked) or somebody) if lead.passed and not private else ""


def _reached(lead: OfferedLead, *, private: bool) -> list[str]:
    if private:
        return [show_phone(lead.phone) if lead.phone else shortened(lead.phone_raw, WRITTEN), shortened(lead.email, WRITTEN)]
    return [shorten_phone(lead.phone)] if lead.phone else []


def _take(lead: OfferedLead, texts: Texts) -> tuple[Button, ...]:
    if lead.taken is not None:
        return ()
    return (Button(text=texts.get("offer.button.take"), kind=ButtonKind.ACTION, target=f"ltake:{lead.id}"),)


def _more(lead: OfferedLead, texts: Texts) -> tuple[Button, ...]:
    if lead.person_id is None:
        return ()
    return (Button(text=texts.get("offer.button.card"), kind=ButtonKind.ACTION, target=f"lcard:{lead.person_id}"),)


def _crm(lead: OfferedLead, texts: Texts) -> tuple[Button, ...]:
    if not lead.url.startswith("https://"):
        return ()
    return (Button(text=texts.get("client.button.crm"), kind=ButtonKind.URL, target=lead.url),)
