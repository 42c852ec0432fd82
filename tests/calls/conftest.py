"""Every test of the call pipeline has a world of its own."""

from pathlib import Path

import pytest

from tests.calls.world import World
from tests.ground import HandClock


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(clock=HandClock(), data_dir=tmp_path)
