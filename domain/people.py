"""Phone numbers and e-mails as people, forms, CRMs and messengers really write them, and the keys they are compared by."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, islice

import phonenumbers

LONGEST_TEXT = 100  # the search below is bounded by it: hostile text of any length costs the same
LONGEST_EMAIL = 254
_LONGEST_NUMBER = 15
_SHORTEST_BARE = 10  # digits of a number written without "+": a Russian one without its country code
_SHORTEST_PLUS = 8
_LONGEST_INNER = 5  # digits of an inner number, which is nobody's secret
_MOST_TRIES = 60  # a run of single digits has hundreds of windows, and 20 µs is spent on each

_DIGITS = {
    **{ord("０") + n: str(n) for n in range(10)},
    **{ord("٠") + n: str(n) for n in range(10)},
    **{ord("۰") + n: str(n) for n in range(10)},
}
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u2060\ufeff\u00ad"))
_SPACES = dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f\t\r\n"), " ")
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")
_TIDY = _DIGITS | _INVISIBLE | _SPACES | _DASHES | {ord("＋"): "+", ord("（"): "(", ord("）"): ")"}
_SQUEEZE = _TIDY | dict.fromkeys([*_SPACES, *_DASHES, *map(ord, " -().（）")])

_WHATSAPP = re.compile(r"\b([0-9]{7,15})(?:[.:][0-9]+)*@(?:s\.whatsapp\.net|c\.us)\b", re.IGNORECASE)
_OF_WHATSAPP = ("@s.whatsapp.net", "@c.us")
_ADDRESS = re.compile(r"\S+@\S*")  # e-mails, and WhatsApp's opaque @lid and @g.us: their digits are no phone
_EXCEL = re.compile(r"(?<![0-9.])([0-9]{10,15})\.0+(?![0-9])")
_SCIENTIFIC = re.compile(r"[0-9][.,][0-9]+e\+?[0-9]+", re.IGNORECASE)  # the last digits are lost for ever
_RUN = re.compile(r"\+?[ (]*[0-9][0-9 ().-]*")
_GROUP = re.compile(r"[0-9]+")
_CUT_NUMBER = re.compile(r"[0-9 ().+-]+\Z")
_EMAIL = re.compile(r"[^\s@,;<>\"']+@[^\s@.,;<>\"']+(?:\.[^\s@.,;<>\"']+)+")
_JUNK_EMAILS = frozenset(
    {*(f"{name}@{host}" for name in ("test", "mail", "email", "no", "net", "a", "1", "123", "qwerty", "asd")
       for host in ("test.ru", "test.com", "mail.ru", "email.ru", "no.ru", "a.ru", "1.ru"))}
)  # fmt: skip
_JUNK = frozenset({*(str(n) * 10 for n in range(10)), "1234567890", "0123456789", "9876543210", "9000000000"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """``key``: E.164 without the plus, "79991234567"; ``raw``: the piece of text it was read from."""

    key: str
    raw: str

    @property
    def personal(self) -> bool:
        """Can be one person's number. A toll-free line such as 8-800 is valid, and nobody's."""
        return not self.key.startswith(("7800", "800"))


def find_phones(text: str) -> tuple[Phone, ...]:
    """Every valid number in ``text`` in reading order, each once; () when there is none. Never raises.

    Numbers with no country code are read as Russian. Placeholders people type to get past a form (9999999999) are left
    out: they would join strangers. Only the first LONGEST_TEXT characters are read.
    """
    mobile = _mobile_at_once(text)
    if mobile is not None:
        return () if _is_junk(mobile) else (Phone(key=mobile, raw=text.strip()),)
    found: dict[str, Phone] = {}
    for run in _RUN.findall(_tidy(text)):
        for phone in _phones_in(run):
            found.setdefault(phone.key, phone)
    return tuple(found.values())


def phone_key(text: str) -> str | None:
    """The key of the first number in ``text``, or None."""
    mobile = _mobile_at_once(text)
    if mobile is not None:
        return None if _is_junk(mobile) else mobile
    phones = find_phones(text)
    return phones[0].key if phones else None


def personal_key(text: str) -> str:
    """The key of the first number in ``text`` that can be one person's, or "": what people are told apart by."""
    mobile = _mobile_at_once(text)
    if mobile is not None:
        return "" if _is_junk(mobile) else mobile
    return next((phone.key for phone in find_phones(text) if phone.personal), "")


def email_key(text: str) -> str:
    """An address as it is compared, or "" for what is none, and for placeholders typed to get past a form."""
    email = text.strip().casefold()
    if not _EMAIL.fullmatch(email) or len(email) > LONGEST_EMAIL or email in _JUNK_EMAILS:
        return ""
    return email if email.isprintable() else ""


def show_phone(key: str) -> str:
    """A key for reading: «+7 999 123-45-67»; other countries in their own grouping."""
    if len(key) == 11 and key[0] == "7":
        return f"+7 {key[1:4]} {key[4:7]}-{key[7:9]}-{key[9:]}"
    number = _parse(f"+{key}", None)
    if number is None:
        return f"+{key}"
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def shorten_phone(key: str) -> str:
    """A key for a group chat: «+7 999 ···-··-67». Abroad only the country and the last two digits stay."""
    shown = show_phone(key)
    if len(key) == 11 and key[0] == "7":
        return f"{shown[:6]} ···-··-{shown[-2:]}"
    country, space, rest = shown.partition(" ")
    if not space:
        country, rest = "+", shown[1:]
    return country + space + "".join("·" if c.isdigit() else c for c in rest[:-2]) + rest[-2:]


def shorten_contact(raw: str) -> str:
    """What was given in place of a number, for a group chat: «8 (···) ···-··-·5», «a···@···»; an inner number as it is."""
    name, at, _ = raw.partition("@")
    if at:
        return f"{name[:1]}···@···"
    places = [place for place, c in enumerate(raw) if c.isdigit()]
    if len(places) <= _LONGEST_INNER:
        return raw
    hidden = frozenset(places[1:-1])
    return "".join("·" if place in hidden else c for place, c in enumerate(raw))


def _mobile_at_once(text: str) -> str | None:
    """The key, if the whole text is one Russian mobile in any usual spelling: what nearly every call here is about."""
    if len(text) > LONGEST_TEXT:
        return None
    if text.endswith(_OF_WHATSAPP):
        text = text[: text.rindex("@")]
    squeezed = text.translate(_SQUEEZE)
    if squeezed[:1] == "+":
        squeezed = squeezed[1:]
        if len(squeezed) != 11:
            return None
    return _russian_mobile(squeezed)


def _russian_mobile(digits: str) -> str | None:
    """Lenient about sub-blocks that the metadata calls unassigned: it lags behind the numbering plan."""
    size = len(digits)
    if not (digits.isascii() and digits.isdigit()):
        return None
    if size == 11 and digits[0] in "78" and digits[1] == "9":
        return f"7{digits[1:]}"
    return f"7{digits}" if size == 10 and digits[0] == "9" else None


def _tidy(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        # half a number at the cut could read as another person's
        text = _CUT_NUMBER.sub("", text[:LONGEST_TEXT])
    text = _WHATSAPP.sub(r" +\1 ", text.translate(_TIDY))
    text = _ADDRESS.sub("|", text)
    return _SCIENTIFIC.sub("|", _EXCEL.sub(r"\1", text))


def _phones_in(run: str) -> Iterator[Phone]:
    """Numbers in a run of digits, spaces, dots, dashes and brackets: the longest that is valid, then on after it."""
    groups = list(_GROUP.finditer(run))
    plus = run.startswith("+")
    free_from = 0
    for start, end in islice(_windows(groups, plus=plus), _MOST_TRIES):
        if start < free_from:
            continue
        signed = plus and start == 0
        piece = run[groups[start].start() : groups[end].end()]
        key = _key_of("".join(_GROUP.findall(piece)), plus=signed)
        if key is None:
            continue
        free_from = end + 1
        if not _is_junk(key):
            yield Phone(key=key, raw=f"+{piece}" if signed else piece)


def _windows(groups: list[re.Match[str]], *, plus: bool) -> Iterator[tuple[int, int]]:
    """(first, last) of the groups that together can be a number by their count of digits; of one start the longest first."""
    for start in range(len(groups)):
        shortest = _SHORTEST_PLUS if plus and start == 0 else _SHORTEST_BARE
        sizes = accumulate(len(group.group()) for group in groups[start : start + _LONGEST_NUMBER])
        fitting = [end for end, size in enumerate(sizes, start) if shortest <= size <= _LONGEST_NUMBER]
        yield from ((start, end) for end in reversed(fitting))


def _key_of(digits: str, *, plus: bool) -> str | None:
    """The readings of ``digits`` from the likeliest to the least; the first valid one."""
    if plus:
        abroad = _valid(f"+{digits}", None)
        # «+8 999 …»: a trunk prefix after a plus
        return abroad or (_key_of(digits, plus=False) if digits.startswith("8") else _lenient_plus(digits))
    if digits.startswith("00"):
        return _key_of(digits[2:], plus=True)
    at_home = _russian_mobile(digits) or _valid(digits, "RU")
    if at_home is not None or len(digits) < 11:
        return at_home
    if digits.startswith("80"):
        return _valid(digits, "BY")
    return _valid(f"+{digits}", None)


def _lenient_plus(digits: str) -> str | None:
    return _russian_mobile(digits) if len(digits) == 11 else None


def _valid(text: str, region: str | None) -> str | None:
    number = _parse(text, region)
    if number is None or not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]


def _parse(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _is_junk(key: str) -> bool:
    return key[-10:] in _JUNK
