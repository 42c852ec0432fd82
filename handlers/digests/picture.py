"""The picture of a digest: day by day how many called and how many of them were missed, and how many leads came."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.digests import DigestPart
from domain.plural import spaced
from handlers.digests.facts import DigestFacts
from handlers.webinars.charts import BAR, DPI, INK, TEXT_SIZE, TITLE_SIZE, WIDTH, plain_axes, wrapped
from handlers.wording import Reader

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MISSED = "#d1242f"
HEIGHT_OF_ROW, HEIGHT_OF_REST = 2.9, 0.9
TALL = 0.09  # of the highest bar: a red part that has room for its number
GAP = 1.18  # above the highest bar, for what stands on it


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Bars side by side, ``low`` the part of each that is painted red; "" for ``low_name`` where there is no such part."""

    name: str
    low_name: str
    bars: Sequence[int]
    low: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """``names`` of the days below the bars."""

    title: str
    names: Sequence[str]
    rows: Sequence[Row]


def digest_picture(facts: DigestFacts, reader: Reader) -> tuple[Callable[[Days], bytes], Days] | None:
    """What ``draw_apart`` is given; None where there is nothing to see."""
    days, rows = facts.days, []
    if facts.tells(DigestPart.CALLS) and any(day.incoming for day in days):
        bars, missed = [day.incoming for day in days], [day.missed for day in days]
        rows.append(
            Row(name=reader.say("told.chart.calls"), low_name=reader.say("told.chart.missed"), bars=bars, low=missed)
        )
    if facts.tells(DigestPart.LEADS) and any(day.leads for day in days):
        bars = [day.leads for day in days]
        rows.append(Row(name=reader.say("told.chart.leads"), low_name="", bars=bars, low=[0] * len(bars)))
    if not rows:
        return None
    short = reader.say("told.chart.weekdays").split("|")
    names = [f"{short[day.day.weekday()]}\n{day.day.day}" for day in days]
    title = reader.say("told.chart.title", days=reader.period(days[0].day, days[-1].day))
    return draw_days, Days(title=title, names=names, rows=rows)


def draw_days(days: Days) -> bytes:
    """A PNG. Through ``draw_apart`` only: what it imports stays in memory."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    height = HEIGHT_OF_REST + HEIGHT_OF_ROW * len(days.rows)
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1)
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white", layout=layout)
    figure.suptitle(wrapped(days.title), fontsize=TITLE_SIZE, fontweight="bold", color=INK)
    for axes, row in zip(figure.subplots(len(days.rows), 1, squeeze=False)[:, 0], days.rows, strict=True):
        _row(axes, row, days.names)
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()


def _row(axes: "Axes", row: Row, names: Sequence[str]) -> None:
    plain_axes(axes)
    axes.set_title(row.name, fontsize=TEXT_SIZE, color=INK, loc="left")
    if row.low_name:
        axes.set_title(row.low_name, fontsize=TEXT_SIZE, color=MISSED, loc="right")
    axes.yaxis.set_visible(False)
    places = range(len(row.bars))
    axes.bar(places, row.bars, color=BAR, width=0.72)
    axes.bar(places, row.low, color=MISSED, width=0.72)
    axes.set_xticks(places, names, fontsize=TEXT_SIZE - 2, color=INK)
    axes.set_ylim(0, max([*row.bars, 1]) * GAP)
    for place, (number, low) in enumerate(zip(row.bars, row.low, strict=True)):
        if low >= max(row.bars) * TALL:
            axes.annotate(spaced(low), (place, low), xytext=(0, -3), textcoords="offset points", ha="center", va="top",
                          fontsize=TEXT_SIZE - 2, color="white")  # fmt: skip
        axes.annotate(spaced(number), (place, number), xytext=(0, 3), textcoords="offset points", ha="center",
                      fontsize=TEXT_SIZE - 2, color=INK)  # fmt: skip
