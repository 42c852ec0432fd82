"""What a form says, whatever its fields are called: the designer of a page names them, and the same twice gets a number."""

import re
from collections.abc import Iterable, Iterator, Mapping

from domain.people import email_key, find_phones, personal_key
from integrations.kit.values import clean, text_of

MAX_FIELDS = 200
MOST_KEPT = 40  # of the fields that have no place of their own
DEEPEST = 3
LONGEST_VALUE = 1000
LONGEST_NAME = 80

_PHONE = frozenset(
    {"phone", "tel", "telephone", "phonenumber", "mobile", "whatsapp", "телефон", "номер", "номертелефона", "вашномер",
     "ваштелефон", "мобильный", "контактныйтелефон"}
)  # fmt: skip
_EMAIL = frozenset({"email", "mail", "emailaddress", "почта", "вашапочта", "электроннаяпочта", "емейл", "имейл", "вашemail"})
_NAME = frozenset({"name", "fio", "fullname", "yourname", "имя", "фио", "вашеимя", "каквасзовут"})
_SURNAME = frozenset({"surname", "lastname", "фамилия", "вашафамилия"})
_OWN = frozenset({"tranid", "formid", "formname", "cookies", "test"})
_UTM = ("utmsource", "utmmedium", "utmcampaign", "utmterm", "utmcontent")
_PLACED = {*_OWN, *_UTM, *_NAME, *_SURNAME}
_NUMBER = re.compile(r"_\d+\Z")
_NO_LETTER = re.compile(r"[^0-9a-zа-я]+")
_FREE = re.compile(r"(?:input|textarea|field|text|поле)\Z")  # names that say nothing: their values may

Fields = Mapping[str, str]  # as the form names them, in its order


def flat(values: Mapping[str, object]) -> Fields:
    """Plain values; what is nested, a cart, as ``payment[amount]``. Empty ones, and null, are left out."""
    found = ((clean(name)[:LONGEST_NAME], text) for name, text in _leaves(values, "") if text)
    return dict(pair for pair, _ in zip(found, range(MAX_FIELDS), strict=False))


def _leaves(values: Mapping[str, object], above: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        whole = f"{above}[{name}]" if above else name
        below = {str(place): one for place, one in enumerate(value)} if isinstance(value, list) else value
        if isinstance(below, dict):
            if depth < DEEPEST:
                yield from _leaves(below, whole, depth + 1)
        elif whole.casefold() == "cookies" and isinstance(below, str):
            yield whole, below  # longer than other values, and read once
        else:
            yield whole, text_of(below)


def plain_name(name: str) -> str:
    """``Phone_2`` and «Телефон *» as what they mean: letters and digits only, no number of a repeat."""
    return _NO_LETTER.sub("", _NUMBER.sub("", name.strip().casefold().replace("ё", "е")))


def own(fields: Fields, name: str) -> str:
    """A field of Tilda's own, in whatever case."""
    return next((value for key, value in fields.items() if key.casefold() == name), "")


def phone_of(fields: Fields) -> str:
    """As written. One that can be read goes before one that cannot, a field called so before one that says nothing."""
    called = list(_values(fields, _PHONE))
    readable = next((value for value in called if personal_key(value)), "")
    return readable or next(filter(find_phones, _nameless(fields)), "") or next(iter(called), "")


def email_of(fields: Fields) -> str:
    called = list(_values(fields, _EMAIL))
    readable = next((value for value in called if email_key(value)), "")
    return readable or next(filter(email_key, _nameless(fields)), "") or next(iter(called), "")


def name_of(fields: Fields) -> str:
    first, last = (next(iter(_values(fields, names)), "") for names in (_NAME, _SURNAME))
    return " ".join(filter(None, (first, last)))


def utm_of(fields: Fields) -> dict[str, str]:
    """Hidden fields, by ``source``, ``medium`` and so on."""
    named = {plain_name(name): value for name, value in reversed(list(fields.items()))}
    return {name.removeprefix("utm"): named[name] for name in _UTM if name in named}


def extra_of(fields: Fields, taken: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """What has no place of its own; ``taken`` are the values that have."""
    used = set(taken)
    left = [(name, value) for name, value in fields.items() if value not in used and plain_name(name) not in _PLACED]
    return tuple((name, value[:LONGEST_VALUE]) for name, value in left[:MOST_KEPT])


def _values(fields: Fields, names: frozenset[str]) -> Iterator[str]:
    return (value for name, value in fields.items() if plain_name(name) in names)


def _nameless(fields: Fields) -> Iterator[str]:
    return (value for name, value in fields.items() if _FREE.match(plain_name(name)))
