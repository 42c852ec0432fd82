"""The version of a checkout is the one its project file says, installed or not."""

import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from bot import version


def absent(_: str) -> str:
    raise PackageNotFoundError


def test_a_checkout_that_was_never_installed_knows_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version, "version", absent)
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    assert version.read_version() == project["project"]["version"]


@pytest.mark.parametrize("text", [None, "[project]\n", "not toml"])
def test_without_a_project_file_there_is_still_a_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    monkeypatch.setattr(version, "version", absent)
    project = tmp_path / "pyproject.toml"
    if text is not None:
        project.write_text(text, encoding="utf-8")
    assert version.read_version(project) == "0.0.0"


def test_what_is_installed_is_believed_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version, "version", lambda _: "7.8.9")
    assert version.read_version() == "7.8.9"
