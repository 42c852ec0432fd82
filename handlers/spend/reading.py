"""What a line about money says: how much, for which ad, over which days. Whatever is doubtful is said, never guessed."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from domain.spending import Ad
from handlers.calls.periods import Period, place_period
from handlers.leads.columns import field_of
from handlers.spend.amounts import MOST_MINOR, Amount, find_amounts, says_thousands, words_as_digits
from handlers.spend.names import LONGEST_NAME, Kind, Known

LONGEST_LINE = 400
LONGEST_TITLE = 120
MOST_DAYS = 366
FIRST_DAY = date(2015, 1, 1)
_TAKEN, _NAME = "\x00", "\x01"  # in place of what has been read, of the same length
_KINDS = {"utm_source": Kind.SOURCE, "direction": Kind.DIRECTION, "creative": Kind.CREATIVE}
_SPACES = re.compile(r"[\u00a0\u202f\u2009\t]")
_QUOTED = re.compile(r"«([^«»\n]{2,120})»|\"([^\"\n]{2,120})\"")
_WORD = re.compile(r"[^\s,;:=«»\"\x00\x01]+")
_MONTHS = "январь|февраль|март|апрель|май|июнь|июль|август|сентябрь|октябрь|ноябрь|декабрь"
_BARE_MONTH = re.compile(rf"(?<!\w)(?:весь\s+)?({_MONTHS})(?:\s+((?:19|20)\d\d))?(?:\s*г(?:\.|ода?)?)?(?!\w)")
_NO_DAY = re.compile(
    r"(?<!\w)\d{1,2}\s+(?:янв|фев|мар|апр|мая|июн|июл|авг|сен|окт|ноя|дек)\w*|(?<![\w.,])\d{1,2}\.\d{2}\.\d{2,4}"
)
_MAYBE_DAY = re.compile(r"(?<![\w.,])(?:0?[1-9]|[12]\d|3[01])\.(?:0[1-9]|1[0-2])(?![\w.,])")
_SINCE = re.compile(r"(?<!\w)(?:с|со)\s+начала\s+(месяца|года)(?!\w)")
_NO_MONTH = re.compile(r"(?<![\w.,])\d{1,2}\s*(?:-|–|—|по)\s*\d{1,2}(?![\w.,])")
_AHEAD = re.compile(r"(?<!\w)(?:после)?завтра(?:шн\w+)?(?!\w)|(?<!\w)следующ\w+\s+(?:недел\w*|месяц\w*|год\w*)")
_NO_FIRST = re.compile(r"(?<!\w)(?:по|до)\s*\Z")
_OPEN = re.compile(r"(?<!\w)(?:с|со)\s*\Z")
_SAID = re.compile(r"\w")
_LETTER = re.compile(r"[^\W\d_]")
_LABEL = re.compile(r"\s*([^:=\x00\x01]{2,30}?)\s*[:=]\s*")
# Words that say nothing of the ad; the last one is a Latin letter.
_FILLING = re.compile(
    r"(?<!\w)(?:расход\w*|потрат\w+|потрачено|трат\w+|реклам\w*|внес\w*|запиш\w+|на|в|во|за|по|для|из|с|со|и|от|это|c)(?!\w)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """``name`` of the text that says what is wrong; ``given`` is what stands there."""

    name: str
    given: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a line says; None and "" for what it does not. ``ad`` holds names as they will be kept.

    ``cut``: the period goes on after today, and only the days until today are taken. ``left``: words nothing was made of.
    """

    minor: int | None = None
    currency: str = ""
    period: Period | None = None
    cut: bool = False
    ad: Ad = field(default_factory=Ad)
    left: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()

    def over(self, earlier: "Told") -> "Told":
        """What is said now, the rest as it was said before."""
        ad = Ad(
            source=self.ad.source or earlier.ad.source,
            direction=self.ad.direction or earlier.ad.direction,
            creative=self.ad.creative or earlier.ad.creative,
        )
        money = self if self.minor is not None else earlier
        days = self if self.period is not None else earlier
        return replace(
            self, minor=money.minor, currency=self.currency or earlier.currency, period=days.period, cut=days.cut, ad=ad
        )  # fmt: skip


def read_spend(text: str, known: Known, today: date) -> Told:
    """``today`` in the account's zone; a line without days says none."""
    line = _Line(text, known, today)
    told = line.read()
    if told.minor is None or says_thousands(line.left):
        said = _Line(words_as_digits(line.text), known, today).read()
        if said.minor is not None:
            return said
    return told


class _Line:
    """A line being read: what has been understood is struck out, so that nothing is read twice."""

    def __init__(self, text: str, known: Known, today: date) -> None:
        self.text = _SPACES.sub(" ", unicodedata.normalize("NFC", text).strip()[:LONGEST_LINE])
        self.low = "".join(_low(letter) for letter in self.text)
        self.known, self.today = known, today
        self.names: dict[int, tuple[str, list[Kind]]] = {}
        self.faults: list[Fault] = []
        self.left = ""  # what is neither a name, a sum nor a day

    def read(self) -> Told:
        self._strike_names()
        amounts = find_amounts(self.low, signed=True)
        self._strike_all(amounts)
        period = self._period()
        if not amounts:
            amounts = find_amounts(self.low, signed=False)
            self._strike_all(amounts)
        self.left = self.low
        ad, left = self._ad()
        minor = self._minor(amounts)
        cut = period is not None and period.first <= self.today < period.last
        if period is not None and cut:
            period = replace(period, last=self.today)
        return Told(
            minor=minor, currency=amounts[0].currency if amounts else "", period=period, cut=cut, ad=ad,
            left=left, faults=tuple(self.faults),
        )  # fmt: skip

    def _strike(self, start: int, end: int, mark: str = _TAKEN) -> None:
        self.low = f"{self.low[:start]}{mark * (end - start)}{self.low[end:]}"

    def _strike_all(self, amounts: Sequence[Amount]) -> None:
        for one in amounts:
            self._strike(one.start, one.end)

    def _strike_names(self) -> None:
        """What stands in quotes, and words that are a name already, the longest first: a name may hold a number or a day."""
        for found in _QUOTED.finditer(self.low):
            said = self.text[found.start() + 1 : found.end() - 1]
            self._name(found.start(), found.end(), said, self.known.kinds_of(said))
        words = list(_WORD.finditer(self.low))
        for length in range(min(LONGEST_NAME, len(words)), 0, -1):
            for one, other in zip(words, words[length - 1 :], strict=False):
                start, end = one.start(), other.end()
                if _NAME in self.low[start:end]:
                    continue
                said = self.text[start:end].strip(" .")
                if kinds := self.known.kinds_of(said):
                    self._name(start, end, said, kinds)

    def _name(self, start: int, end: int, said: str, kinds: list[Kind]) -> None:
        self.names[start] = (said, kinds)
        self._strike(start, end, _NAME)

    def _period(self) -> Period | None:
        """«С 10 ноября» goes on until today. Days that do not exist, two periods and the future are faults."""
        placed = self._since() or place_period(self.low, self.today) or self._bare_month()
        if placed is None:
            self._no_day()
            return None
        period, start, end = placed
        if _NO_FIRST.search(self.low[:start]):
            self.faults.append(Fault(name="no_first", given=self.text[start:end].strip()))
        opened = _OPEN.search(self.low[:start])
        if opened is not None and period.first == period.last < self.today:
            period = replace(period, last=self.today)
        self._strike(opened.start() if opened else start, end)
        if (more := place_period(self.low, self.today)) is not None:
            self.faults.append(Fault(name="two_periods", given=self.text[more[1] : more[2]].strip()))
            self._strike(*more[1:])
        self._no_day()
        self._check(period)
        return period

    def _check(self, period: Period) -> None:
        if period.first > self.today:
            self.faults.append(Fault(name="future", given=f"{period.first:%d.%m.%Y}"))
        elif period.first < FIRST_DAY:
            self.faults.append(Fault(name="long_ago", given=f"{period.first:%d.%m.%Y}"))
        elif (period.last - period.first).days >= MOST_DAYS:
            self.faults.append(Fault(name="too_many_days"))

    def _since(self) -> tuple[Period, int, int] | None:
        found = _SINCE.search(self.low)
        if found is None:
            return None
        first = self.today.replace(day=1) if found[1] == "месяца" else self.today.replace(month=1, day=1)
        return Period(first=first, last=self.today), found.start(), found.end()

    def _bare_month(self) -> tuple[Period, int, int] | None:
        found = _BARE_MONTH.search(self.low)
        if found is None:
            return None
        placed = place_period(f"за {found[1]}{f' {found[2]}' if found[2] else ''}", self.today)
        return (placed[0], found.start(), found.end()) if placed is not None else None

    def _no_day(self) -> None:
        """What looks like a day and is none, or has not come: neither a day nor a sum nor a name is made of it."""
        for found in _NO_DAY.finditer(self.low):
            self.faults.append(Fault(name="no_day", given=self.text[found.start() : found.end()]))
            self._strike(*found.span())
        for name, pattern in (("day_or_amount", _MAYBE_DAY), ("no_month", _NO_MONTH), ("future", _AHEAD)):
            for found in pattern.finditer(self.low):
                self.faults.append(Fault(name=name, given=found[0]))
                self._strike(*found.span())

    def _minor(self, amounts: Sequence[Amount]) -> int | None:
        if not amounts:
            return None
        one = amounts[0]
        if len(amounts) > 1:
            self.faults.append(Fault(name="two_amounts", given=", ".join(each.given for each in amounts[:3])))
        elif one.minor is None:
            self.faults.append(Fault(name="kopecks", given=one.given))
        elif one.minor < 0:
            self.faults.append(Fault(name="negative", given=one.given))
        elif one.minor == 0:
            self.faults.append(Fault(name="nothing", given=one.given))
        elif one.minor > MOST_MINOR:
            self.faults.append(Fault(name="too_much", given=one.given))
        return one.minor

    def _ad(self) -> tuple[Ad, tuple[str, ...]]:
        """Labelled names first, then known ones, then words that nobody knows in the order of kinds."""
        found: dict[Kind, str] = {}
        loose: list[tuple[str, list[Kind]]] = []
        for said, kinds, label in self._pieces():
            if label is not None:
                found.setdefault(label, self.known.name(label, said))
            else:
                loose.append((said, kinds))
        left = []
        for said, kinds in sorted(loose, key=lambda one: not one[1]):
            kind = next((kind for kind in kinds or Kind if kind not in found), None)
            if kind is None or not _LETTER.search(said):
                left.append(said)
            else:
                found[kind] = self.known.name(kind, said)
        return Ad(**{kind.value: name[:LONGEST_TITLE] for kind, name in found.items()}), tuple(left)

    def _pieces(self) -> Iterator[tuple[str, list[Kind], Kind | None]]:
        """Names and words as they are parted by commas and by what was struck out; each with what its label says it is."""
        for part in re.finditer(r"[^,;\n]+", self.low):
            label, start = self._label(part[0], part.start())
            for stretch in re.finditer(r"[^\x00]+", self.low[start : part.end()]):
                for said, kinds in self._names_of(start + stretch.start(), start + stretch.end()):
                    yield said, kinds, label
                    label = None

    def _names_of(self, start: int, end: int) -> Iterator[tuple[str, list[Kind]]]:
        """«Ремонт квартир» beside a known «Ремонт» is a name of its own; after a source another name begins."""
        before: tuple[str, list[Kind]] | None = None
        for found in re.finditer(r"\x01+|[^\x01]+", self.low[start:end]):
            at = start + found.start()
            said, kinds = self.names[at] if at in self.names else (self._words(at, start + found.end()), [])
            if not said:
                continue
            if before is not None and _one_name(before[1], kinds):
                before = (f"{before[0]} {said}", before[1] or kinds)
                continue
            if before is not None:
                yield before
            before = (said, kinds)
        if before is not None:
            yield before

    def _label(self, part: str, start: int) -> tuple[Kind | None, int]:
        found = _LABEL.match(part)
        name = field_of(found[1]) if found is not None else None
        if found is None or name is None:
            return None, start
        return _KINDS.get(name), start + found.end()

    def _words(self, start: int, end: int) -> str:
        kept = _FILLING.sub(" ", self.text[start:end])
        kept = " ".join(kept.split()).strip(" .:=—–-!?")
        return kept if _SAID.search(kept) else ""


def _one_name(kinds: Sequence[Kind], others: Sequence[Kind]) -> bool:
    """A known name and unknown words side by side, where the known one is no source."""
    known = kinds or others
    return bool(kinds) != bool(others) and Kind.SOURCE not in known


def _low(letter: str) -> str:
    """Of one letter, so that places stay the same."""
    small = letter.casefold()
    return "е" if small == "ё" else small if len(small) == 1 else letter
