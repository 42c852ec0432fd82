"""The card of a new lead that waits for somebody; pure functions."""

from zoneinfo import ZoneInfo

from domain.messages import Button, ButtonKind, Line, Message, Section, Span, Style, Texts, bullet, plain
from domain.people import shorten_phone, show_phone
from storage.offers import OfferedLead

KIND = "lead"


def offer_key(lead: OfferedLead) -> str:
    return f"lead:{lead.id}"


def offer_card(
    lead: OfferedLead, texts: Texts, zone: ZoneInfo, *, private: bool = False, note: str = "", key: str = ""
) -> Message:
    """In a chat the phone is shortened and the e-mail left out; who takes the lead has both in private."""
    source = f"client.source.{lead.source}"
    origin = texts.get(source if source in texts.entries else "client.source.other")
    head = Line(spans=(Span(texts.get("offer.title", source=origin), Style.BOLD),))
    lines = [plain(", ".join(filter(None, (lead.name or texts.get("client.nameless"), *_reached(lead, private=private)))))]
    lines += [plain(lead.form)] if lead.form else []
    lines += [bullet(texts.get("client.ad", ad=lead.ad))] if lead.ad else []
    if lead.taken is not None:
        at = f"{lead.taken.at.astimezone(zone):%H:%M}"
        lines.append(plain(texts.get("offer.taken", name=lead.taken.name or texts.get("offer.somebody"), at=at)))
    elif note:
        lines.append(plain(note))
    rows = tuple(row for row in (_take(lead, texts), _more(lead, texts)) if row)
    return Message(key=key or offer_key(lead), sections=(Section(title=head, lines=tuple(lines)),), buttons=rows, kind=KIND)


def _reached(lead: OfferedLead, *, private: bool) -> list[str]:
    if private:
        return [show_phone(lead.phone) if lead.phone else lead.phone_raw, lead.email]
    return [shorten_phone(lead.phone)] if lead.phone else []


def _take(lead: OfferedLead, texts: Texts) -> tuple[Button, ...]:
    if lead.taken is not None:
        return ()
    return (Button(text=texts.get("offer.button.take"), kind=ButtonKind.ACTION, target=f"ltake:{lead.id}"),)


def _more(lead: OfferedLead, texts: Texts) -> tuple[Button, ...]:
    if lead.person_id is None:
        return ()
    return (Button(text=texts.get("offer.button.card"), kind=ButtonKind.ACTION, target=f"lcard:{lead.person_id}"),)
