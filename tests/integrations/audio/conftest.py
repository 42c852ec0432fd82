"""The synthetic calls."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def recordings() -> Path:
    return Path(__file__).parent / "recordings"
