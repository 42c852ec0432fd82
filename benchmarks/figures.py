"""What a benchmark found out: figures with their spread and what was promised, and how they are shown."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of a table. ``values`` are the repeats; the promise is held against their median.

    ``at_least`` and ``at_most`` are what was promised, None where a figure is only told.
    """

    title: str
    values: tuple[float, ...]
    unit: str = ""
    digits: int = 2
    at_least: float | None = None
    at_most: float | None = None

    @property
    def holds(self) -> bool | None:
        if not self.values or (self.at_least is None and self.at_most is None):
            return None
        middle = statistics.median(self.values)
        low = self.at_least is None or middle >= self.at_least
        return low and (self.at_most is None or middle <= self.at_most)

    @property
    def spread(self) -> str:
        """min / med / max, or the value alone where it was measured once."""
        if not self.values:
            return "–"
        shown = [self.number(value) for value in (min(self.values), statistics.median(self.values), max(self.values))]
        return (shown[1] if len(self.values) == 1 else " / ".join(shown)) + (f" {self.unit}" if self.unit else "")

    @property
    def promise(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if self.at_least is not None:
            return f"≥ {self.number(self.at_least)}{unit}"
        return "" if self.at_most is None else f"≤ {self.number(self.at_most)}{unit}"

    def number(self, value: float) -> str:
        return f"{value:.{self.digits}f}".replace(".", ",")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What one benchmark found out. ``notes`` say under which conditions, and why something was left out."""

    name: str
    title: str
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a benchmark is to be run. ``folder`` is its own and goes away; ``quick`` means fewer and shorter repeats."""

    quick: bool
    folder: Path

    @property
    def repeats(self) -> int:
        return 2 if self.quick else 3

    @property
    def seconds(self) -> float:
        """How long one load lasts."""
        return 1.5 if self.quick else 3.0


def ratios(ours: Sequence[float], floor: Sequence[float]) -> tuple[float, ...]:
    """Each repeat against the floor measured beside it."""
    return tuple(mine / base for mine, base in zip(ours, floor, strict=True) if base)


_VERDICTS = {True: "да", False: "нет", None: ""}


def as_markdown(section: Section) -> str:
    """The section as docs/performance.md holds it."""
    lines = [f"### {section.title}", ""]
    if section.figures:
        lines += ["| что | мин / медиана / макс | обещано | держится |", "|---|---|---|---|"]
        lines += [f"| {f.title} | {f.spread} | {f.promise} | {_VERDICTS[f.holds]} |" for f in section.figures]
        lines.append("")
    lines += [f"- {note}" for note in section.notes]
    return "\n".join(lines).rstrip() + "\n"


def as_text(section: Section) -> str:
    """The section as the terminal shows it."""
    width = max((len(figure.title) for figure in section.figures), default=0)
    lines = [f"\n{section.title}"]
    for figure in section.figures:
        promise = f"   обещано {figure.promise}: {_VERDICTS[figure.holds]}" if figure.promise else ""
        lines.append(f"  {figure.title:<{width}}  {figure.spread}{promise}")
    return "\n".join(lines + [f"  · {note}" for note in section.notes])
