"""The picture of a webinar: a real image of the right size, whatever the figures."""

import io
from typing import Any

import pytest
from matplotlib.image import imread

from handlers.texts import load_texts
from handlers.webinars.charts import DPI, HEIGHT, WIDTH, Curve, draw

STEPS = (("Записались", 2350), ("Пришли", 1402), ("30 минут и больше", 810))


def opened(curve: Curve) -> Any:
    """Rows of pixels, each (red, green, blue, alpha) from 0 to 1."""
    return imread(io.BytesIO(draw(curve, load_texts())), format="png")


def is_white(pixel: Any) -> bool:
    return bool((pixel[:3] == 1.0).all())


@pytest.mark.parametrize(
    "curve",
    [
        Curve(title="Как выбрать квартиру", present=[0, 40, 70, 65, 12], steps=STEPS),
        Curve(title="Цена $5 и $10, " + "очень длинное название " * 20, present=[1] * 5000, steps=STEPS),
        Curve(title="", present=(), steps=(("Пришли", 0),)),
    ],
)
def test_a_picture_on_white(curve: Curve) -> None:
    picture = opened(curve)
    assert picture.shape[:2] == (round(HEIGHT * DPI), round(WIDTH * DPI))
    assert is_white(picture[3, 3])


def test_the_curve_is_drawn_where_people_were() -> None:
    """The area below a full house is filled, below an empty one it is not."""
    full, empty = (opened(Curve(title="Т", present=present, steps=STEPS)) for present in ([50] * 60, [50] + [0] * 59))
    middle = (full.shape[0] // 2 - 100, full.shape[1] // 2 + 20)
    assert not is_white(full[middle])
    assert is_white(empty[middle])
