"""The catalogue of texts for people: every handlers/*/*.ru.toml in one, found also when the package is installed."""

import tomllib
from importlib.resources import files

from domain.messages import Texts

LANGUAGE = "ru"


def load_texts(language: str = LANGUAGE) -> Texts:
    """All texts under dotted names ("calls.nothing"). ValueError when a name stands in two files or is no text."""
    entries: dict[str, str] = {}
    for folder in sorted(files("handlers").iterdir(), key=lambda item: item.name):
        if not folder.is_dir():
            continue
        for file in sorted(folder.iterdir(), key=lambda item: item.name):
            if file.name.endswith(f".{language}.toml"):
                _add(entries, "", tomllib.loads(file.read_text(encoding="utf-8")))
    return Texts(entries)


def _add(entries: dict[str, str], prefix: str, table: dict[str, object]) -> None:
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            _add(entries, f"{name}.", value)
        elif isinstance(value, str) and name not in entries:
            entries[name] = value
        else:
            raise ValueError(f"{name} stands twice or is no text")
