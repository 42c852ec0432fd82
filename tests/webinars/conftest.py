"""Every test of the webinar pipelines has a world of its own."""

from pathlib import Path

import pytest

from tests.ground import HandClock
from tests.webinars.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(clock=HandClock(), data_dir=tmp_path)
