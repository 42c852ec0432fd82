"""A backup: one .tar.gz with a consistent copy of the database, the keys, and a manifest that proves both.

`manifest.json` comes first: the program's version, the schema's revision, the moment, SHA-256 and size of each member,
and the list of recordings, which stay where they are (they are many, large, and never change).
"""

import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "database.sqlite3"
TABLES = "tables"
KEYS = "keys"
_BLOCK = 1024 * 1024
_LARGEST_MANIFEST = 256 * _BLOCK  # a million recordings


class BadBackupError(Exception):
    """The file is no backup of ours, or not whole. The text is Russian."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file inside the archive."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFile:
    """A recording the database knows of; ``path`` is relative to DATA_DIR."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an archive holds. ``dialect``: sqlite or postgresql; ``made_at`` is aware UTC."""

    format: int
    version: str
    revision: str
    dialect: str
    made_at: datetime
    members: tuple[Member, ...]
    recordings: tuple[RecordingFile, ...]

    @property
    def with_keys(self) -> bool:
        return any(member.name.startswith(f"{KEYS}/") for member in self.members)


def copy_sqlite(source: Path, into: Path) -> None:
    """A consistent copy while others write, without the remains of deleted rows."""
    with closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=rw", uri=True, timeout=30)) as connection:
        connection.execute("VACUUM INTO ?", (str(into),))


def copy_keys(data_dir: Path, into: Path) -> int:
    """The key files that DATA_DIR holds; how many there are."""
    files = sorted(path for path in (data_dir / "keys").glob("*") if path.is_file())
    for path in files:
        (into / KEYS).mkdir(mode=0o700, exist_ok=True)
        shutil.copyfile(path, into / KEYS / path.name)
    return len(files)


def pack(
    folder: Path,
    into: Path,
    *,
    version: str,
    revision: str,
    dialect: str,
    made_at: datetime,
    recordings: tuple[RecordingFile, ...],
) -> Manifest:
    """Everything in ``folder`` as an archive that only its owner may read; it appears under its name when it is whole."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    members = tuple(
        Member(name=path.relative_to(folder).as_posix(), sha256=sha256_of(path), size=path.stat().st_size) for path in paths
    )
    manifest = Manifest(
        format=FORMAT,
        version=version,
        revision=revision,
        dialect=dialect,
        made_at=made_at,
        members=members,
        recordings=recordings,
    )
    about = folder / MANIFEST
    about.write_text(_as_json(manifest), encoding="utf-8")
    part = into.with_name(f".{into.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as archive:
            for path in (about, *paths):
                archive.add(path, path.relative_to(folder).as_posix(), filter=_anonymous)
        file.flush()
        os.fsync(file.fileno())
    part.replace(into)
    sync_folder(into.parent)
    return manifest


def unpack(archive: Path, into: Path) -> Manifest:
    """The members into ``into``, each checked by its SHA-256; BadBackupError when anything is not as the manifest says."""
    try:
        with tarfile.open(archive, mode="r:gz") as opened:
            return _unpack(opened, into)
    except FileNotFoundError:
        raise BadBackupError(f"файла {archive} нет") from None
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise BadBackupError(f"{archive.name} не читается: это не резервная копия, или она повреждена") from error


def _unpack(archive: tarfile.TarFile, into: Path) -> Manifest:
    manifest = _first_member(archive)
    _check_room(manifest, into)
    wanted = {member.name: member for member in manifest.members}
    for entry in archive:
        if entry.name == MANIFEST:
            continue
        member = wanted.pop(entry.name, None)
        source = archive.extractfile(entry) if entry.isreg() else None
        if member is None or source is None:
            raise BadBackupError(f"в копии лишнее: {_shown(entry.name)}")
        if entry.size != member.size:
            raise BadBackupError(f"{member.name} в копии повреждён: размер не сходится")
        target = into / member.name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as sink:
            shutil.copyfileobj(source, sink, _BLOCK)
            sink.flush()
            os.fsync(sink.fileno())
        if sha256_of(target) != member.sha256:
            raise BadBackupError(f"{member.name} в копии повреждён: контрольная сумма не сходится")
    if wanted:
        raise BadBackupError(f"в копии не хватает: {', '.join(sorted(wanted))}")
    return manifest


def _first_member(archive: tarfile.TarFile) -> Manifest:
    first = archive.next()
    if first is None or first.name != MANIFEST or (file := archive.extractfile(first)) is None:
        raise BadBackupError("в файле нет описи: он сделан не командой svodka backup")
    if first.size > _LARGEST_MANIFEST:
        raise BadBackupError("опись копии не читается")
    return _read_manifest(file.read())


def _check_room(manifest: Manifest, folder: Path) -> None:
    """A few kilobytes of archive can unpack to terabytes: what it says of itself must fit, and is held to its word."""
    size = sum(member.size for member in manifest.members)
    if min((member.size for member in manifest.members), default=0) < 0 or size > shutil.disk_usage(folder).free:
        raise BadBackupError(f"для копии нужно {size // 1024**2} МБ: столько места на диске нет")


def _read_manifest(text: bytes) -> Manifest:
    try:
        manifest = TypeAdapter(Manifest).validate_json(text)
    except ValidationError:
        raise BadBackupError("опись копии не читается") from None
    if manifest.format != FORMAT:
        raise BadBackupError(f"копия другого вида ({manifest.format}): обновите программу")
    for member in manifest.members:
        path = Path(member.name)
        if path.is_absolute() or ".." in path.parts or len(path.parts) > 2:
            raise BadBackupError(f"в копии недопустимое имя: {_shown(member.name)}")
    return manifest


def _shown(name: str) -> str:
    """A foreign name as a terminal may see it."""
    return "".join(character if character.isprintable() else "?" for character in name[:200])


def _as_json(manifest: Manifest) -> str:
    return json.dumps({**asdict(manifest), "made_at": manifest.made_at.isoformat()}, ensure_ascii=False, indent=1)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Nobody's file, readable by its owner alone: the name of a system user is nothing a backup should tell."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o600
    return entry


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Renames in ``folder`` survive a power cut from here on."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def workroom(beside: Path) -> Iterator[Path]:
    """A folder of our own on the same disk as ``beside``, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=".svodka-", dir=beside) as folder:
        yield Path(folder)
