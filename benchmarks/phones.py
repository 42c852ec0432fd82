"""The key of a phone in the spellings of forms and CRMs, beside the library that knows every country's numbers."""

import time
from collections.abc import Callable, Sequence

import phonenumbers

from benchmarks import crowd
from benchmarks.figures import Figure, Plan, Section, ratios
from domain.people import phone_key
from domain.plural import spaced

TITLE = "Телефоны: обычный русский номер становится ключом"
_SPELLINGS = ("+7 ({0:.3}) {1:.3}-{2:.2}-{3}", "8{0}", "+7{0}", "8 {0:.3} {1:.3} {2:.2} {3}")


async def run(plan: Plan) -> Section:
    count = 20_000 if plan.quick else 100_000
    phones = [_spelt(number) for number in range(1, count + 1)]  # lead 0 has a number that nobody has
    few = phones[: count // 10]  # the library is slow
    if [phone_key(phone) for phone in few] != [_by_the_library(phone) for phone in few]:
        raise RuntimeError("the keys differ from the library's")
    ours, library = [], []
    for _ in range(plan.repeats):
        ours.append(_each(phone_key, phones))
        library.append(_each(_by_the_library, few))
    return Section(
        name="phones",
        title=TITLE,
        figures=(
            Figure(title="ключ телефона", values=tuple(ours), unit="мкс", at_most=1.5),
            Figure(title="phonenumbers: разобрать, проверить, записать", values=tuple(library), unit="мкс", digits=1),
            Figure(title="во столько раз быстрее", values=ratios(library, ours), digits=0),
        ),
        notes=(f"Номеров {spaced(count)} в четырёх написаниях; время процессора; ключи сверены с phonenumbers.",),
    )


def _spelt(number: int) -> str:
    digits = crowd.phone(number)
    return _SPELLINGS[number % 4].format(digits, digits[3:], digits[6:], digits[8:])


def _each(make: Callable[[str], str | None], phones: Sequence[str]) -> float:
    """Microseconds of processor for one."""
    started = time.process_time()
    for phone in phones:
        make(phone)
    return (time.process_time() - started) / len(phones) * 1e6


def _by_the_library(text: str) -> str | None:
    number = phonenumbers.parse(text, "RU")
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]
