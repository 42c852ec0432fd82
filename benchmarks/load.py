"""Load from a third process: as fast as it goes (wrk where it is, else our own client), or at a steady rate."""

import asyncio
import json
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import start

TOKEN = "application-token-of-a-benchmark"
CONNECTIONS = 64
CALL_ENDED = "ONVOXIMPLANTCALLEND"
CALL_BEGAN = "ONVOXIMPLANTCALLSTART"  # stored and answered like any other, and nobody works on it
_SCRIPT = Path(__file__).with_name("call_ended.lua")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One load: what was answered with 200, for how long, and how late the answers came. ``errors`` are all others."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    errors: int

    @property
    def rps(self) -> float:
        return self.requests / self.seconds if self.seconds else 0.0


def has_wrk() -> bool:
    return shutil.which("wrk") is not None


async def flood(url: str, *, seconds: float, connections: int = CONNECTIONS) -> Shot:
    """As many finished calls as get through over so many connections."""
    prefix = secrets.token_hex(4)
    if not has_wrk():
        return await _client("flood", url, seconds, "--connections", str(connections))
    process = await asyncio.create_subprocess_exec(
        "wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", str(_SCRIPT), url, "--", prefix, TOKEN,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    told, _ = await process.communicate()
    line = next(line for line in told.decode().splitlines() if line.startswith("RESULT"))
    return _shot(line.removeprefix("RESULT"))


async def steady(url: str, *, rate: float, seconds: float, event: str = CALL_ENDED) -> Shot:
    """So many a second, whatever the answers do: latency counts from when a request was due."""
    return await _client("steady", url, seconds, "--rate", str(rate), "--event", event)


async def _client(how: str, url: str, seconds: float, *more: str) -> Shot:
    arguments = ["-m", "benchmarks.client", how, url, "--seconds", str(seconds), "--token", TOKEN, *more]
    process = await start(*arguments, env={}, stdout=subprocess.PIPE)
    told, _ = await process.communicate()
    return _shot(told.decode())


def _shot(told: str) -> Shot:
    found = json.loads(told)
    good = found["requests"] - found["errors"]
    return Shot(
        requests=good,
        seconds=found["seconds"],
        p50_ms=found["p50_ms"],
        p99_ms=found["p99_ms"],
        errors=found["errors"],
    )
