"""From a line about money to a draft, and from a draft to what is shown of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from domain.messages import Message
from domain.roles import Person
from domain.spending import Ad, SpendEntry
from handlers.analytics import answers
from handlers.analytics.catalogue import Counted, Figure
from handlers.calls.periods import Period
from handlers.desk import Desk
from handlers.spend.names import Kind, Known, known_names
from handlers.spend.reading import Told, read_spend
from handlers.spend.screens import Check, check_screen, entry_screen, name_key, notes_of
from handlers.wording import Reader
from storage.spend_entries import SpendEntries, Spent, known_ads, same_money, spent_between

USUAL_CURRENCY = "RUB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookkeeper:
    """Whose money it is, and where it is written down."""

    desk: Desk
    person: Person
    reader: Reader

    @property
    def entries(self) -> SpendEntries:
        return SpendEntries(self.desk.database)

    @property
    def account(self) -> int:
        return self.person.account_id

    async def known(self) -> Known:
        return known_names(await known_ads(self.desk.database, self.account, self.reader.zone))

    async def read(self, text: str, *, said: str = "", edits: SpendEntry | None = None) -> Told:
        """``said`` before, with something missing; an entry that is changed keeps what is not said anew."""
        known = await self.known()
        told = read_spend(text, known, self.reader.today)
        if said and not told.faults:
            told = told.over(read_spend(said, known, self.reader.today))
        return told.over(told_by(edits)) if edits is not None else told

    async def draft(self, told: Told, *, edits: int | None) -> SpendEntry:
        """A line without days means today, a sum without a sign roubles."""
        assert told.minor is not None  # noqa: S101 - the caller has asked for what is missing
        days = told.period or Period(first=self.reader.today, last=self.reader.today)
        entry = SpendEntry(
            amount=told.minor, currency=told.currency or USUAL_CURRENCY, first=days.first, last=days.last, ad=told.ad,
            edits=edits, told_by=self.person.user_id,
        )  # fmt: skip
        return replace(entry, id=await self.entries.draft(self.account, entry, self.desk.clock.now()))

    async def check(self, entry: SpendEntry, told: Told | None = None) -> Message:
        """Before it is counted: with what is counted already and could be the same money."""
        known = await self.known()
        check = Check(
            entry=entry,
            notes=notes_of(self.reader, told) if told is not None else (),
            likes=tuple(likes(known, entry.ad)),
            beside=await self.beside(entry),
            edits=await self.entries.get(self.account, entry.edits) if entry.edits else None,
        )
        return check_screen(self.reader, check, known)

    async def beside(self, entry: SpendEntry) -> tuple[Spent, ...]:
        spent = await spent_between(
            self.desk.database, self.account, entry.currency, first=entry.first, last=entry.last, without=entry.edits
        )
        return tuple(same_money(entry, spent))

    async def counted(self, entry: SpendEntry) -> Message:
        """An entry that is in, with what one of each thing cost on its days."""
        name = "changed" if entry.edits else "written"
        return entry_screen(self.reader, entry, head=self.reader.say(f"spend.{name}"), found=await self.costs(entry))

    async def costs(self, entry: SpendEntry) -> Counted:
        figure = Figure.SOURCE
        if not entry.ad.source and any(entry.ad.parts):
            figure = Figure.DIRECTION if entry.ad.direction else Figure.CREATIVE
        return await answers.counted(self.desk, self.person, figure, Period(first=entry.first, last=entry.last))

    async def rename(self, entry: SpendEntry, kinds: str, key: str) -> SpendEntry | None:
        """What was taken for a new name is a known one; None for a name that is there no more."""
        letters = {kind.value[0]: kind for kind in Kind}
        new, meant = (letters.get(letter) for letter in (kinds + "  ")[:2])
        names = (await self.known()).names.get(meant, {}) if meant is not None else {}
        name = next((one for one in names.values() if name_key(one) == key), None)
        if new is None or meant is None or name is None:
            return None
        parts = dict(zip(Kind, entry.ad.parts, strict=True)) | {new: ""} | {meant: name}
        ad = Ad(**{kind.value: part for kind, part in parts.items()})
        return replace(entry, ad=ad) if await self.entries.name(self.account, entry.id, ad) else None


def likes(known: Known, ad: Ad) -> Iterator[tuple[Kind, Kind, str]]:
    """Known names that a new one may have meant: of its own kind first, then of kinds that nothing was said of."""
    parts = dict(zip(Kind, ad.parts, strict=True))
    for kind, said in parts.items():
        if not said or known.exact(kind, said) is not None:
            continue
        for meant in (kind, *(other for other in Kind if other is not kind and not parts[other])):
            yield from ((kind, meant, name) for name in known.alike(meant, said))


def told_by(entry: SpendEntry) -> Told:
    """An entry as a line that says all of it."""
    period = Period(first=entry.first, last=entry.last)
    return Told(minor=entry.amount, currency=entry.currency, period=period, ad=entry.ad)
