"""Pictures drawn in a process of their own: the same picture, no library in ours, a failure that says why."""

import os
import sys

import pytest

from handlers.analytics.charts import Bars, draw_bars
from handlers.drawing import NotDrawnError, draw_apart


def where_it_runs() -> bytes:
    secrets = sorted(name for name in os.environ if "TOKEN" in name)
    return f"{os.getpid()} {secrets}".encode()


def crash(why: str) -> bytes:
    raise ValueError(why)


def test_a_picture_is_drawn_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "1:secret")
    pid, _, secrets = draw_apart(where_it_runs).decode().partition(" ")
    assert int(pid) != os.getpid()
    assert secrets == "[]"


def test_what_comes_back_is_the_picture() -> None:
    bars = Bars(title="Конверсия", rows=(("Ипотека", 0.5, "50 %"),), note="за месяц")
    assert draw_apart(draw_bars, bars) == draw_bars(bars)


def test_a_failure_says_why() -> None:
    with pytest.raises(NotDrawnError, match="ValueError: no such font"):
        draw_apart(crash, "no such font")
    assert sys.exc_info() == (None, None, None)


def test_where_no_process_can_be_begun_there_is_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(NotDrawnError, match="FileNotFoundError"):
        draw_apart(where_it_runs)
