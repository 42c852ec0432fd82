"""Files that our rows name: recordings, pictures, tables and the like, each in its folder of DATA_DIR and nowhere else."""

from pathlib import Path, PurePosixPath

FOLDERS = ("recordings", "transcripts", "pictures", "imports", "exports")


def kept_file(data_dir: Path, path: str) -> Path | None:
    """Where a stored ``path`` points; None where that is none of our files.

    A database may come from somebody's backup, and DATA_DIR holds the keys: what a row names is not opened for that alone.
    """
    parts = PurePosixPath(path).parts
    if len(parts) < 2 or parts[0] not in FOLDERS or ".." in parts or "\0" in path:
        return None
    return data_dir / path
