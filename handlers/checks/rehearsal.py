"""A rehearsal as people see it: its price before, every step with its time after. Pure functions."""

from collections.abc import Iterator, Sequence

from domain.messages import Line, Message, Section, bold, plain
from handlers.calls.screens import ANSWER, action, say
from handlers.checks.desk import Rehearsed
from handlers.wording import Reader, shortened

FAULT_LIMIT = 200
WORDS = frozenset({"учебный", "учебная", "репетиция", "репетицию", "прогон", "учебный прогон", "rehearse"})


def asks_for_rehearsal(words: str) -> bool:
    return words.strip().lower() in WORDS


def offer_screen(reader: Reader, micro_usd: int) -> Message:
    """What will be done and what it costs; nothing is begun before the press."""
    price = reader.say("rehearsal.price", sum=reader.dollars(micro_usd)) if micro_usd else reader.say("rehearsal.free")
    return say(f"{reader.say('rehearsal.offer')} {price}", (action(reader.say("rehearsal.go"), "rehearse:0"),))


def rehearsed_screen(reader: Reader, parts: Sequence[Rehearsed]) -> Message:
    sections = [Section(title=bold(_title(reader, part)), lines=tuple(_lines(reader, part))) for part in parts]
    head = Section(title=bold(reader.say("rehearsal.title")))
    again = (action(reader.say("rehearsal.again"), "rehearse:0"),)
    return Message(key=ANSWER, sections=(head, *sections), buttons=(again,))


def _title(reader: Reader, part: Rehearsed) -> str:
    name = reader.vendor(part.vendor) if part.vendor else reader.say("rehearsal.call")
    return f"{'⛔' if part.fault else '✅'} {name}"


def _lines(reader: Reader, part: Rehearsed) -> Iterator[Line]:
    for step, took_ms in part.steps:
        known = f"why.step.{step.partition(':')[0]}"
        title = reader.say(known) if known in reader.texts.entries else step
        yield plain(f"✗ {title}" if took_ms is None else f"✓ {title} · {reader.took(took_ms)}")
    if part.micro_usd:
        yield plain(reader.say("rehearsal.spent", sum=reader.dollars(part.micro_usd)))
    if part.fault:
        yield plain(reader.say("rehearsal.fault", what=shortened(part.fault, FAULT_LIMIT)))
