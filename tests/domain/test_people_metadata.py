"""Our reading of phones against phonenumbers alone, over every country: equal, but for what is listed here as deliberate."""

import phonenumbers
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from domain.people import phone_key

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
TAILS = ("", " ext. 12", " доб. 123", " доб 5", " вн. 45", "#12", ",123", ";ext=5", " x12", " (раб.)", " Иван")
PLACEHOLDERS = {*(str(n) * 10 for n in range(10)), "1234567890", "0123456789", "9876543210", "9000000000"}


def by_metadata(text: str) -> str | None:
    """The whole text as one number, Russian where it names no country."""
    try:
        number = phonenumbers.parse(text, "RU")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)[1:]


def deliberate(digits: str, *, plus: bool) -> str | None:
    """The metadata's answer with our differences, each for a reason of the field."""
    found = by_metadata(f"+{digits}" if plus else digits)
    if plus and found is None and digits[0] == "8":  # «+8 999 …»: a trunk prefix after a plus
        found = by_metadata(digits)
    bare = f"7{digits[1:]}" if len(digits) == 11 and digits[:2] in {"79", "89"} else None
    if found is None and bare is not None:  # sub-blocks of mobiles that the metadata does not know yet
        found = bare
    if found is None and not plus and len(digits) > 10:  # a foreign number without its plus, or Belarus by its trunk prefix
        found = _abroad(digits)
    if len(digits) > 15:  # longer than E.164 has them
        return None
    if len(digits) < (8 if plus else 10):  # half a number is nobody's: five islands with shorter ones are given up
        return None
    return None if found is None or found[-10:] in PLACEHOLDERS else found


def _abroad(digits: str) -> str | None:
    if digits.startswith("80"):
        try:
            number = phonenumbers.parse(digits, "BY")
        except phonenumbers.NumberParseException:
            return None
        return phonenumbers.format_number(number, 0)[1:] if phonenumbers.is_valid_number(number) else None
    return by_metadata(f"+{digits}")


@st.composite
def numbers(draw: st.DrawFn, regions: tuple[str, ...] = ()) -> tuple[int, str]:
    """(country code, national number): the example of a region with its last digits made up, some cut off or added."""
    region = draw(st.sampled_from(regions or REGIONS))
    kind = draw(st.sampled_from((PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE, PhoneNumberType.TOLL_FREE)))
    example = phonenumbers.example_number_for_type(region, kind) or phonenumbers.example_number(region)
    national = phonenumbers.national_significant_number(example)
    made_up = draw(st.integers(0, min(6, len(national) - 2)))
    national = national[: len(national) - made_up] + "".join(draw(st.lists(st.sampled_from("0123456789"), min_size=made_up,
                                                                            max_size=made_up)))  # fmt: skip
    changed = draw(st.sampled_from((0, 0, 0, -1, -2, 1)))
    return example.country_code, national + "5" if changed > 0 else national[: len(national) + changed]


@given(numbers(), st.sampled_from(TAILS), st.booleans())
def test_numbers_of_every_country_and_with_extensions(number: tuple[int, str], tail: str, grouped: bool) -> None:
    code, national = number
    digits = f"{code}{national}"
    text = f"+{digits}"
    if grouped and by_metadata(text):
        text = phonenumbers.format_number(phonenumbers.parse(text), PhoneNumberFormat.INTERNATIONAL)
    assert phone_key(text + tail) == deliberate(digits, plus=True)


RUSSIAN = st.sampled_from(("8{0}", "7{0}", "{0}", "8 ({0:.3}) {1}", "8-{0:.3}-{1}", "8 {0:.3} {1}"))


@given(numbers(("RU", "KZ")), RUSSIAN, st.sampled_from(TAILS))
def test_russian_numbers_as_they_are_typed(number: tuple[int, str], spelling: str, tail: str) -> None:
    _, national = number
    text = spelling.format(national, national[3:])
    digits = "".join(sign for sign in text if sign.isdigit())
    assert phone_key(text + tail) == deliberate(digits, plus=False)
