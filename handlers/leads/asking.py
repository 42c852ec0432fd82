"""A table that was kept on disk, and the work that its load is."""

import hashlib
from pathlib import Path

from domain.events import TableAsked
from domain.imports import Import

FOLDER = "imports"


def named_by_content(part: Path, name: str) -> Path:
    """The file renamed to the hash of what is in it, so that the same one is known again. Blocks."""
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return part.rename(part.with_name(f"{digest}{Path(name).suffix.lower()}"))


def asking(table: Import, *, undo: bool = False) -> TableAsked:
    """The event that sets the load, or its undoing, going."""
    what = f"{table.id}:undo" if undo else str(table.id)
    return TableAsked(vendor="svodka", external_id=what, occurred_at=None, import_id=table.id, undo=undo)
