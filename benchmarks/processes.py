"""Processes that are measured: started, waited for, asked how much processor and memory they took, and ended."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")
_READY_SECONDS = 40
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A process that said it is ready. ``said`` is the JSON object it printed."""

    process: asyncio.subprocess.Process
    said: Mapping[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.said['port']}"

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.process.pid)


@asynccontextmanager
async def serving(module: str, *arguments: str, env: Mapping[str, str] | None = None) -> AsyncIterator[Server]:
    """``python -m module arguments`` from its first line of JSON on; ended with the block."""
    process = await start("-m", module, *arguments, env=env or {}, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(_READY_SECONDS):
            line = await process.stdout.readline()
        if not line:
            raise RuntimeError(f"{module} ended before it was ready")
        yield Server(process=process, said=json.loads(line))
    finally:
        await end(process)


async def start(
    *arguments: str, env: Mapping[str, str], stdout: int | None = None, stderr: int | None = None, folder: Path = ROOT
) -> asyncio.subprocess.Process:
    """Python with ``arguments`` and with ``env`` alone, so that no setting of the user's gets in."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env={**inherited, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **env},
        cwd=folder,
        stdout=stdout,
        stderr=stderr,
    )


async def end(process: asyncio.subprocess.Process, *, seconds: float = 10.0) -> None:
    """Ask it to end, then make it."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(seconds):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def cpu_seconds(pid: int) -> float:
    """Processor time of all threads since the start of the process, user and system."""
    stat = _PROC / str(pid) / "stat"
    if stat.exists():
        fields = stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    told = subprocess.run(["ps", "-o", "time=", "-p", str(pid)], capture_output=True, text=True, check=True).stdout
    return _clock(told.strip())


def memory_mib(pid: int, what: str = "VmRSS") -> float:
    """Resident memory now, or with ``VmHWM`` the most there ever was (where the system tells it)."""
    status = _PROC / str(pid) / "status"
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith(what))
        return int(line.split()[1]) / 1024
    told = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True).stdout
    return int(told) / 1024


def forget_peak(pid: int) -> bool:
    """Start VmHWM anew; False where the system cannot."""
    try:
        (_PROC / str(pid) / "clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _clock(text: str) -> float:
    """``[[dd-]hh:]mm:ss[.cc]`` of ps in seconds."""
    seconds = 0.0
    for part in text.replace("-", ":").split(":"):
        seconds = seconds * 60 + float(part)
    return seconds
