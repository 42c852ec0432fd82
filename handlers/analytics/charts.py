"""A figure as a picture: a bar for each row, its value beside it."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from handlers.webinars.charts import BAR, DPI, INK, TEXT_SIZE, TITLE_SIZE, WIDTH, drawable, plain_axes, wrapped

LONGEST_NAME = 24
HEIGHT_OF_BAR, HEIGHT_OF_REST = 0.52, 1.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """``rows``: name, length, what stands beside it; ``note`` stands below."""

    title: str
    rows: Sequence[tuple[str, float, str]]
    note: str


def draw_bars(bars: Bars) -> bytes:
    """A PNG. Through ``draw_apart`` only: what it imports stays in memory."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    height = HEIGHT_OF_REST + HEIGHT_OF_BAR * max(len(bars.rows), 1)
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1)
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white", layout=layout)
    figure.suptitle(wrapped(bars.title), fontsize=TITLE_SIZE, fontweight="bold", color=INK)
    figure.supxlabel(wrapped(bars.note), fontsize=TEXT_SIZE - 2, color=INK)
    axes = figure.subplots()
    plain_axes(axes)
    axes.spines["bottom"].set_visible(False)
    axes.xaxis.set_visible(False)
    places = range(len(bars.rows))
    axes.barh(places, [length for _, length, _ in bars.rows], color=BAR, height=0.64)
    axes.set_yticks(places, [_short(name) for name, _, _ in bars.rows], fontsize=TEXT_SIZE, color=INK)
    axes.invert_yaxis()
    axes.set_xlim(0, max([*(length for _, length, _ in bars.rows), 1]) * 1.35)
    for place, (_, length, text) in enumerate(bars.rows):
        axes.annotate(text, (length, place), xytext=(6, 0), textcoords="offset points", va="center",
                      fontsize=TEXT_SIZE, color=INK)  # fmt: skip
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()


def _short(name: str) -> str:
    cut = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1].rstrip()}…"
    return drawable(cut)
