"""Money told in words as people see it: what was understood, what is there already, what it comes to. Pure functions."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from domain.messages import Button, Line, Message, Section, Span, Style, bold, bullet, plain
from domain.spending import Ad, SpendEntry
from handlers.analytics.catalogue import Counted, costs_of
from handlers.calls.screens import ANSWER, action, say
from handlers.spend.names import Kind, Known
from handlers.spend.reading import Fault, Told
from handlers.wording import Reader, shortened
from storage.spend_entries import Spent

TITLE = 48
BUTTON = 28
MOST_BESIDE = 4
PAGE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A draft before it is counted.

    ``likes``: (kind of a new name, kind and known name that may have been meant). ``beside``: amounts that could be the same
    money. ``edits``: what it takes the place of.
    """

    entry: SpendEntry
    notes: tuple[str, ...] = ()
    likes: Sequence[tuple[Kind, Kind, str]] = ()
    beside: Sequence[Spent] = ()
    edits: SpendEntry | None = None


def ad_in_words(ad: Ad, *, limit: int = TITLE) -> str:
    """«google · Ремонт»."""
    return " · ".join(shortened(part, limit) for part in ad.parts if part)


def entry_in_words(reader: Reader, entry: SpendEntry, *, each: bool = False) -> str:
    """«40 000 ₽ на google, 1–7 ноября: по 5 714,29 ₽ в день»."""
    ad = ad_in_words(entry.ad)
    told = f"{reader.money(entry.amount, entry.currency)}{reader.say('spend.on', ad=ad) if ad else ''}"
    told = f"{told}, {reader.period(entry.first, entry.last)}"
    if not each or entry.days == 1:
        return told
    share = int((Decimal(entry.amount) / entry.days).quantize(Decimal(1), ROUND_HALF_UP))
    return told + reader.say("spend.each", amount=reader.money(share, entry.currency))


def prompt_screen(reader: Reader, *, entry: SpendEntry | None = None) -> Message:
    """One question, with lines that would do. ``entry``: the one being changed."""
    if entry is not None:
        lines = [plain(reader.say("spend.editing", entry=entry_in_words(reader, entry)))]
        lines.append(plain(reader.say("spend.edit_prompt")))
    else:
        lines = [plain(reader.say("spend.prompt")), *_examples(reader)]
    return Message(key=ANSWER, sections=(Section(lines=tuple(lines)),), buttons=((_cancel(reader),),))


def _examples(reader: Reader) -> Iterator[Line]:
    for example in reader.say("spend.prompt_examples").split("|"):
        yield Line(spans=(Span(example, Style.CODE),), bullet=True)


def _cancel(reader: Reader, entry_id: int = 0) -> Button:
    return action(reader.say("spend.button.cancel"), f"spno:{entry_id}")


def wrong_screen(reader: Reader, faults: Sequence[Fault]) -> Message:
    """What will not do and why; the next message is taken for the line put right."""
    lines = tuple(bullet(fault_in_words(reader, fault)) for fault in faults)
    again = Section(lines=(plain(reader.say("spend.again")), *_examples(reader)))
    sections = (Section(title=bold(reader.say("spend.wrong")), lines=lines), again)
    return Message(key=ANSWER, sections=sections, buttons=((_cancel(reader),),))


def fault_in_words(reader: Reader, fault: Fault) -> str:
    reason = reader.say(f"spend.fault.{fault.name}")
    return f"«{shortened(fault.given, TITLE)}» — {reason}" if fault.given else reason


def notes_of(reader: Reader, told: Told) -> tuple[str, ...]:
    """What was added to the words, and what was left out of them."""
    period, notes = told.period, []
    if period is None:
        notes.append(reader.say("spend.no_day"))
    elif period.turned:
        notes.append(reader.say("spend.turned", period=reader.period(period.first, period.last)))
    if period is not None and told.cut:
        notes.append(reader.say("spend.cut", period=reader.period(period.first, period.last)))
    if period is not None and period.last.year < reader.today.year:
        notes.append(reader.say("spend.last_year", year=period.last.year))
    notes += [reader.say("spend.left", words=shortened(words, TITLE)) for words in told.left]
    return tuple(notes)


def check_screen(reader: Reader, check: Check, known: Known) -> Message:
    """What was understood, with names nobody has met and money that may be the same."""
    entry = check.entry
    lines = [Line(spans=(Span(entry_in_words(reader, entry, each=True), Style.BOLD),))]
    if check.edits is not None:
        lines.append(plain(reader.say("spend.editing", entry=entry_in_words(reader, check.edits))))
    lines += [plain(note) for note in (*check.notes, *_names(reader, entry.ad, known))]
    sections = [Section(title=bold(reader.say("spend.title")), lines=tuple(lines))]
    sections += _beside(reader, check)
    rows: list[tuple[Button, ...]] = [
        (action(reader.say("spend.button.like", name=shortened(name, BUTTON)), like_of(entry.id, kind, meant, name)),)
        for kind, meant, name in check.likes
    ]
    rows += _decisions(reader, check)
    return Message(key=ANSWER, sections=tuple(sections), buttons=tuple(rows))


def _names(reader: Reader, ad: Ad, known: Known) -> Iterator[str]:
    if not any(ad.parts):
        yield reader.say("spend.no_ad")
    for kind, name in zip(Kind, ad.parts, strict=True):
        if name and known.exact(kind, name) is None:
            yield reader.say(f"spend.new_{kind}", name=shortened(name, TITLE))


def _decisions(reader: Reader, check: Check) -> Iterator[tuple[Button, ...]]:
    at, cancel = str(check.entry.id), _cancel(reader, check.entry.id)
    if check.beside:
        at = f"{at}:{beside_key(check.beside)}"
        yield (action(reader.say("spend.button.replace"), f"spr:{at}"), action(reader.say("spend.button.add"), f"spa:{at}"))
        yield (cancel,)
    else:
        yield (action(reader.say("spend.button.save"), f"spw:{at}"), cancel)


def _beside(reader: Reader, check: Check) -> Iterator[Section]:
    if not check.beside:
        return
    lines = beside_lines(reader, check.beside)
    sum_of_all = check.entry.amount + sum(one.amount for one in check.beside)
    money = {"sum": reader.money(sum_of_all, check.entry.currency)}
    money["amount"] = reader.money(check.entry.amount, check.entry.currency)
    yield Section(
        title=bold(reader.say("spend.beside")), lines=(*lines, plain(reader.say("spend.would_be", **money)))
    )  # fmt: skip


def beside_lines(reader: Reader, beside: Sequence[Spent]) -> list[Line]:
    """Each earlier entry, and each ad of a table, in a line."""
    together: dict[tuple[int | None, Ad, str], list[Spent]] = {}
    for one in beside:
        together.setdefault((one.entry_id, one.ad, one.currency), []).append(one)
    lines = [bullet(_told_before(reader, some)) for some in list(together.values())[:MOST_BESIDE]]
    if len(together) > MOST_BESIDE:
        lines.append(plain(reader.say("spend.beside_more", count=len(together) - MOST_BESIDE)))
    return lines


def _told_before(reader: Reader, some: Sequence[Spent]) -> str:
    first = some[0]
    ad = ad_in_words(first.ad)
    return reader.say(
        "spend.beside_line" if ad else "spend.beside_line_bare",
        amount=reader.money(sum(one.amount for one in some), first.currency),
        ad=ad,
        period=reader.period(first.day, some[-1].day),
        where=reader.say("spend.beside_table" if first.entry_id is None else "spend.beside_words"),
    )


def entry_screen(reader: Reader, entry: SpendEntry, *, head: str, found: Counted | None = None) -> Message:
    """An entry that is counted, and what one of each thing cost on its days."""
    lines = [plain(entry_in_words(reader, entry, each=True))]
    if entry.replaced:
        lines.append(plain(_replaced(reader, entry)))
    sections = [Section(title=bold(head), lines=tuple(lines))]
    if found is not None:
        costs = tuple(plain(line) for line in _costs(reader, entry, found))
        sections.append(Section(title=bold(reader.say("spend.results")), lines=costs))
    edit = action(reader.say("spend.button.edit"), f"spe:{entry.id}")
    drop = action(reader.say("spend.button.drop"), f"spx:{entry.id}")
    rows = (
        (edit, drop),
        (action(reader.say("spend.button.all"), "spm:s:0"), action(reader.say("spend.button.list"), "spl:0")),
    )
    return Message(key=ANSWER, sections=tuple(sections), buttons=rows)


def _costs(reader: Reader, entry: SpendEntry, found: Counted) -> Iterator[str]:
    """Of the row that the money belongs to, else of all; where nobody came there is no price."""
    mine = {name.casefold() for name in entry.ad.parts if name}
    row = next((row for row in found.rows if row.name.casefold() in mine), found.total)
    if row is not None:
        yield from costs_of(reader, found, row)
    if row is None or not row.leads:
        yield reader.say("spend.results_none")


def _replaced(reader: Reader, entry: SpendEntry) -> str:
    return reader.say("spend.replaced", amount=reader.money(entry.replaced, entry.currency))


def taken_out_screen(reader: Reader, entry: SpendEntry) -> Message:
    sections = (Section(lines=(plain(entry_in_words(reader, entry)), plain(reader.say("spend.taken_out")))),)
    back = (action(reader.say("spend.button.back"), f"spb:{entry.id}"), action(reader.say("spend.button.list"), "spl:0"))
    return Message(key=ANSWER, sections=sections, buttons=(back,))


def list_screen(reader: Reader, entries: Sequence[SpendEntry], *, offset: int, total: int) -> Message:
    """The newest first; a number opens one."""
    new = action(reader.say("spend.button.new"), "spnew:0")
    month = action(reader.say("spend.button.all"), "spm:s:0")
    if not entries:
        return say(reader.say("spend.list_none"), (new, month))
    lines = [
        plain(f"{at}. {entry_in_words(reader, entry)}{f'; {_replaced(reader, entry)}' if entry.replaced else ''}")
        for at, entry in enumerate(entries, offset + 1)
    ]
    lines.append(plain(reader.say("spend.list_tables")))
    numbers = [action(str(at), f"spc:{entry.id}") for at, entry in enumerate(entries, offset + 1)]
    pages = []
    if offset:
        pages.append(action(reader.say("spend.button.newer"), f"spl:{max(offset - PAGE, 0)}"))
    if offset + PAGE < total:
        pages.append(action(reader.say("spend.button.older"), f"spl:{offset + PAGE}"))
    rows = [tuple(numbers[:4]), tuple(numbers[4:]), tuple(pages), (new, month)]
    title = bold(f"{reader.say('spend.list_title')}: {reader.count(total, 'spend_entry')}")
    return Message(
        key=ANSWER, sections=(Section(title=title, lines=tuple(lines)),), buttons=tuple(row for row in rows if row)
    )  # fmt: skip


def like_of(entry_id: int, kind: Kind, meant: Kind, name: str) -> str:
    """What the button carries: «spn:17:sd:1a2b…» makes a direction of what was taken for a new source."""
    return f"spn:{entry_id}:{kind[0]}{meant[0]}:{name_key(name)}"


def beside_key(beside: Sequence[Spent]) -> str:
    """What a person was shown beside a draft, on the buttons that decide of it; "" where nothing was there."""
    return name_key(" ".join(f"{one.id}:{one.amount}" for one in beside)) if beside else ""


def name_key(name: str) -> str:
    """A name on a button: of any length, and in few bytes."""
    return hashlib.sha256(name.encode()).hexdigest()[:12]
