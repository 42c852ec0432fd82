"""The version, as the package's metadata has it, or the project file of a checkout that was never installed."""

import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def read_version(project: Path = Path(__file__).parent.parent / "pyproject.toml") -> str:
    """0.0.0 where neither knows it."""
    try:
        return version("svodka")
    except PackageNotFoundError:
        pass
    try:
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
    except (OSError, ValueError, KeyError):
        return "0.0.0"


VERSION = read_version()
