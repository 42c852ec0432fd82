"""The cells of a row read into what they mean; each that cannot be read is named, with the reason."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal, InvalidOperation

from domain.imports import AnyRow, CreativeRow, DirectionRow, ImportKind, LeadRow, SpendRow
from domain.people import email_key, personal_key
from domain.webinars import Marks

LONGEST_NAME = 200
LONGEST_MARK = 250
FIRST_DAY = date(2000, 1, 1)
MOST_MINOR = 10**15
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](.+))?\Z")
_RUSSIAN = re.compile(r"(\d{1,2})[./](\d{1,2})[./](\d{4}|\d{2})(?:\s*г\.?)?(?:[, ]+(?:в\s+)?(.+))?\Z")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?\Z")
_SERIAL = re.compile(r"(\d{5})(?:[.,](\d+))?\Z")  # a day as a spreadsheet counts it
_SERIAL_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a day of no zone
_AMOUNT = re.compile(r"-?\d+(?:\.\d+)?\Z")
_THOUSANDS = re.compile(r"-?[1-9]\d{0,2}(?:(?:\.\d{3})+|(?:,\d{3})+)\Z")
_KOPECKS = 2
_CURRENCIES = {
    "": "RUB", "₽": "RUB", "р": "RUB", "руб": "RUB", "рублей": "RUB", "rur": "RUB", "rub": "RUB",
    "$": "USD", "usd": "USD", "€": "EUR", "eur": "EUR", "₸": "KZT", "kzt": "KZT", "byn": "BYN",
}  # fmt: skip
_MONEY = re.compile(r"(?P<sign>[₽$€₸])?\s*(?P<number>-?[\d .,'\u00a0\u202f]*\d)\s*(?P<word>[^\d\s].*)?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """``field`` of the row cannot be used; ``name`` of the text that says why, ``given`` is what stands there."""

    field: str
    name: str
    given: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A row of the table by its number: what it says, or why it cannot be used. ``doubts`` are fields left out of it."""

    number: int
    row: AnyRow | None = None
    faults: tuple[Fault, ...] = ()
    doubts: tuple[Fault, ...] = ()


class _Bad(Exception):
    def __init__(self, name: str) -> None:
        self.name = name


class _Cells:
    """The cells of one row; what cannot be read is remembered."""

    def __init__(self, cells: dict[str, str]) -> None:
        self._cells = cells
        self.faults: list[Fault] = []

    def text(self, field: str, longest: int = LONGEST_NAME) -> str:
        value = " ".join(self._cells.get(field, "").split())[:longest]
        return "".join(c for c in value if c.isprintable())

    def read(self, field: str, reading: Callable[[str], "datetime | int | str | tuple[int, str]"]) -> object:
        """None where the cell is empty or cannot be read."""
        text = self.text(field)
        if not text:
            return None
        try:
            return reading(text)
        except (_Bad, ValueError, OverflowError, InvalidOperation) as error:
            self.faults.append(Fault(field=field, name=error.name if isinstance(error, _Bad) else field, given=text))
            return None


def read_row(kind: ImportKind, number: int, cells: dict[str, str], *, zone: tzinfo, now: datetime) -> Numbered:
    """``cells`` by field, as ``Columns.of`` gives them; dates without a zone are of ``zone``."""
    readers = {ImportKind.LEADS: _lead, ImportKind.SPEND: _spend, ImportKind.CREATIVES: _creative}
    given = _Cells(cells)
    row, doubts = readers.get(kind, _direction)(given, zone, now)
    if given.faults or row is None:
        return Numbered(number=number, faults=tuple(given.faults))
    return Numbered(number=number, row=row, doubts=doubts)


def _lead(cells: _Cells, zone: tzinfo, now: datetime) -> tuple[LeadRow | None, tuple[Fault, ...]]:
    phone, email, chat = (cells.text(field, 300) for field in ("phone", "email", "chat_id"))
    phone_key, mail_key = personal_key(phone) or personal_key(chat), email_key(email)
    created = cells.read("created", lambda text: read_moment(text, zone, now))
    lead = LeadRow(
        name=cells.text("name"),
        phone=phone or chat,
        phone_key=phone_key,
        email=email[:254],
        email_key=mail_key,
        chat_id="" if phone_key else chat[:LONGEST_NAME].casefold(),
        direction=cells.text("direction"),
        creative=cells.text("creative"),
        marks=_marks(cells),
        status=cells.text("status"),
        manager=cells.text("manager"),
        created_at=created if isinstance(created, datetime) else None,
        day=created.astimezone(zone).date() if isinstance(created, datetime) else None,
        external_id=cells.text("id", 120),
    )
    doubts = []
    if phone and not personal_key(phone):
        doubts.append(Fault(field="phone", name="phone", given=phone))
    if email and not mail_key:
        doubts.append(Fault(field="email", name="email", given=email))
    if not lead.contact:
        cells.faults += doubts or [Fault(field="phone", name="no_contact")]
    return lead, tuple(doubts)


def _marks(cells: _Cells) -> Marks:
    source, medium, campaign, term, content = (
        cells.text(f"utm_{name}", LONGEST_MARK) for name in ("source", "medium", "campaign", "term", "content")
    )
    partner = cells.text("url_marker", LONGEST_MARK)
    return Marks(source=source, medium=medium, campaign=campaign, term=term, content=content, partner=partner)


def _spend(cells: _Cells, zone: tzinfo, now: datetime) -> tuple[SpendRow | None, tuple[Fault, ...]]:
    day = cells.read("created", lambda text: read_moment(text, zone, now))
    paid = cells.read("amount", lambda text: read_money(text, cells.text("currency")))
    for field, value in (("created", day), ("amount", paid)):
        if value is None and not cells.text(field):
            cells.faults.append(Fault(field=field, name="missing"))
    if not isinstance(day, datetime) or not isinstance(paid, tuple):
        return None, ()
    return SpendRow(
        day=day.astimezone(zone).date(),
        amount=paid[0],
        currency=paid[1],
        direction=cells.text("direction"),
        creative=cells.text("creative"),
        source=cells.text("utm_source", LONGEST_MARK),
    ), ()


def _creative(cells: _Cells, _zone: tzinfo, _now: datetime) -> tuple[CreativeRow | None, tuple[Fault, ...]]:
    title = cells.text("creative")
    if not title:
        cells.faults.append(Fault(field="creative", name="missing"))
    return CreativeRow(title=title, direction=cells.text("direction"), rule=cells.text("utm_content", 160)), ()


def _direction(cells: _Cells, _zone: tzinfo, _now: datetime) -> tuple[DirectionRow | None, tuple[Fault, ...]]:
    title = cells.text("direction")
    if not title:
        cells.faults.append(Fault(field="direction", name="missing"))
    return DirectionRow(title=title), ()


def read_moment(text: str, zone: tzinfo, now: datetime) -> datetime:
    """«28.11.2026 14:05», «2026-11-28T14:05:00Z», 46354 of a spreadsheet; a day alone is its noon. Aware UTC."""
    if (serial := _SERIAL.match(text)) is not None:
        days = Decimal(f"{serial[1]}.{serial[2] or 0}")
        naive = _SERIAL_ZERO + timedelta(days=float(days) if serial[2] else int(days) + 0.5)
        moment = naive.replace(tzinfo=zone)
    elif (iso := _ISO.match(text)) is not None:
        moment = _moment(int(iso[1]), int(iso[2]), int(iso[3]), iso[4], zone)
    elif (russian := _RUSSIAN.match(text)) is not None:
        year = int(russian[3]) + (2000 if len(russian[3]) == 2 else 0)
        moment = _moment(year, int(russian[2]), int(russian[1]), russian[4], zone)
    else:
        raise _Bad("created")
    if moment.date() < FIRST_DAY:
        raise _Bad("long_ago")
    if moment > now + timedelta(days=1):
        raise _Bad("future")
    return moment.astimezone(UTC)


def _moment(year: int, month: int, day: int, at: str | None, zone: tzinfo) -> datetime:
    the_day = date(year, month, day)
    if not at:
        return datetime.combine(the_day, time(12), tzinfo=zone)
    found = _TIME.match(at.strip())
    if found is None:
        raise _Bad("created")
    clock = time(int(found[1]), int(found[2]), int(found[3] or 0))
    if not found[4]:
        return datetime.combine(the_day, clock, tzinfo=zone)
    return datetime.fromisoformat(f"{the_day}T{clock}{found[4]}")


def read_money(text: str, currency: str = "") -> tuple[int, str]:
    """«40 000,50 ₽» as minor units and an ISO code; what stands in ``currency`` goes before what stands by the number."""
    found = _MONEY.match(text)
    if found is None:
        raise _Bad("amount")
    code = _currency(currency or found["sign"] or found["word"] or "")
    number = _plain_number(re.sub(r"[\s'\u00a0\u202f]", "", found["number"]))
    if not _AMOUNT.match(number):
        raise _Bad("amount")
    if len(number.partition(".")[2].rstrip("0")) > _KOPECKS:
        raise _Bad("kopecks")
    minor = int(Decimal(number) * 100)
    if minor < 0:
        raise _Bad("negative")
    if minor > MOST_MINOR:
        raise _Bad("amount")
    return minor, code


def _currency(word: str) -> str:
    tidy = word.strip(" .").casefold()
    code = _CURRENCIES.get(tidy)
    if code is None and re.fullmatch(r"[a-z]{3}", tidy):
        code = tidy.upper()
    if code is None:
        raise _Bad("currency")
    return code


def _plain_number(number: str) -> str:
    """The last of «.» and «,» parts the kopecks, all others part thousands.

    Three digits after the only kind of separator are thousands: «40.000» and «40,000» are forty thousand. «0,005» and
    «1234,567» are nobody's way of writing thousands, and money has no such part: the three digits stay, to be refused.
    """
    last = max(number.rfind("."), number.rfind(","))
    if last < 0:
        return number
    whole, rest = re.sub(r"[.,]", "", number[:last]), number[last + 1 :]
    thousands = _THOUSANDS.match(number) is not None
    return f"{whole}{rest}" if thousands else f"{whole}.{rest}"
