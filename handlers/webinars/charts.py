"""The picture of a webinar: how many were there at each minute, and how many got how far."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.messages import Texts
from domain.plural import spaced

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT, DPI = 6.4, 7.2, 180  # inches: 1152 x 1296, sharp on a phone
LINE, FILL, BAR, INK, PALE = "#1f6feb", "#d6e6ff", "#5b9cf5", "#1f2328", "#d0d7de"
TITLE_SIZE, TEXT_SIZE = 15, 12.5
MOST_POINTS = 600  # a curve has no more pixels to show


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """``present``: people there at the beginning of each minute from the start; ``steps``: (name, people) of the funnel."""

    title: str
    present: Sequence[int]
    steps: Sequence[tuple[str, int]]


def draw(curve: Curve, texts: Texts) -> bytes:
    """A PNG. Through ``draw_apart`` only: what it imports stays in memory.

    The font is the one the library brings (DejaVu Sans): no system font is needed for Cyrillic.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(
        figsize=(WIDTH, HEIGHT), dpi=DPI, facecolor="white", layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1)
    )
    grid = figure.add_gridspec(2, 1, height_ratios=(3, 2))
    figure.suptitle(wrapped(curve.title), fontsize=TITLE_SIZE, fontweight="bold", color=INK)
    _retention(figure.add_subfigure(grid[0]).subplots(), curve.present, texts)
    _funnel(figure.add_subfigure(grid[1]).subplots(), curve.steps)
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()


def _retention(axes: "Axes", present: Sequence[int], texts: Texts) -> None:
    from matplotlib.ticker import MaxNLocator

    plain_axes(axes)
    axes.set_title(texts.get("webinar.chart.retention"), fontsize=TEXT_SIZE, color=INK, loc="left")
    if not any(present):
        axes.set_axis_off()
        axes.text(0.5, 0.5, texts.get("webinar.chart.empty"), fontsize=TEXT_SIZE, ha="center", transform=axes.transAxes)
        return
    axes.set_xlabel(texts.get("webinar.chart.minutes"), fontsize=TEXT_SIZE, color=INK)
    stride = -(-len(present) // MOST_POINTS)
    minutes, counts = range(0, len(present), stride), list(present[::stride])
    axes.fill_between(minutes, counts, step="mid", color=FILL)
    axes.step(minutes, counts, where="mid", color=LINE, linewidth=2.5)
    axes.set_ylim(bottom=0, top=max(counts) * 1.18)
    axes.set_xlim(0, max(len(present) - 1, 1))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.yaxis.set_major_formatter(lambda value, _: spaced(int(value)))
    axes.grid(axis="y", color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    peak = max(range(len(present)), key=present.__getitem__)
    label = texts.get("webinar.chart.peak", people=spaced(present[peak]), minute=peak)
    side = "left" if peak <= len(present) / 2 else "right"
    axes.annotate(label, (peak, present[peak]), fontsize=TEXT_SIZE, color=INK, ha=side, va="bottom", xytext=(0, 4),
                  textcoords="offset points")  # fmt: skip


def _funnel(axes: "Axes", steps: Sequence[tuple[str, int]]) -> None:
    plain_axes(axes)
    axes.spines["bottom"].set_visible(False)
    axes.xaxis.set_visible(False)
    names = [name for name, _ in steps]
    counts = [count for _, count in steps]
    places = range(len(steps))
    axes.barh(places, counts, color=BAR, height=0.64)
    axes.set_yticks(places, names, fontsize=TEXT_SIZE, color=INK)
    axes.invert_yaxis()
    axes.set_xlim(0, max([*counts, 1]) * 1.2)
    for place, count in zip(places, counts, strict=True):
        axes.annotate(spaced(count), (count, place), xytext=(6, 0), textcoords="offset points", va="center",
                      fontsize=TEXT_SIZE, color=INK)  # fmt: skip


def plain_axes(axes: "Axes") -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(PALE)
    axes.tick_params(length=0, labelsize=TEXT_SIZE, labelcolor=INK)


def wrapped(title: str) -> str:
    """Two lines at most."""
    import textwrap

    return "\n".join(textwrap.wrap(drawable(title), width=42, max_lines=2, placeholder="…"))


def drawable(text: str) -> str:
    """Without what the font has not, pictures in words above all; a dollar sign would begin a formula."""
    return "".join(c for c in text if ord(c) < 0x2E80).strip().replace("$", r"\$")
