"""What a backup may bring: our own tables and indexes. A trigger or a view in it would go on acting in our name."""

import sqlite3
from contextlib import closing
from pathlib import Path

from bot.backup import BadBackupError
from storage.migrate import migrate

MOST_NAMED = 5


async def check_schema(database: Path, folder: Path, revision: str) -> None:
    """BadBackupError when the SQLite file holds anything that ``revision``, made anew in ``folder``, does not."""
    model = folder / "model.sqlite3"
    await migrate(f"sqlite:///{model.as_posix()}", revision)
    try:
        foreign = sorted(_objects(database) - _objects(model))
    except sqlite3.DatabaseError as error:
        raise BadBackupError("база в копии повреждена") from error
    if foreign:
        named = ", ".join(f"{kind} {name}" for kind, name in foreign[:MOST_NAMED])
        raise BadBackupError(f"в базе копии есть не наше: {named}. Такую копию сделала не Сводка")


def _objects(file: Path) -> set[tuple[str, str]]:
    """Kind and name of all that the file defines, but for what SQLite keeps for itself."""
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT type, name, rootpage FROM sqlite_master").fetchall()
    # a virtual table calls itself a table, and has no page of its own
    kinds = {(kind if root or kind in {"view", "trigger"} else f"virtual {kind}", name) for kind, name, root in rows}
    return {(kind, name) for kind, name in kinds if kind not in {"table", "index"} or not name.startswith("sqlite_")}
