"""A path that a row names is opened only where our files lie."""

from pathlib import Path

import pytest

from domain.files import kept_file

DATA = Path("/data")


@pytest.mark.parametrize("path", ["recordings/2026-11-20/a", "transcripts/b.txt", "pictures/c.png"])
def test_our_own_files(path: str) -> None:
    assert kept_file(DATA, path) == DATA / path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "recordings",
        "keys/secret_key",
        "svodka.db",
        "/etc/passwd",
        "recordings/../keys/secret_key",
        "recordings/a\0b",
        "../x",
    ],
)
def test_everything_else(path: str) -> None:
    assert kept_file(DATA, path) is None
