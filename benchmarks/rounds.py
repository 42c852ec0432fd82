"""Rounds of load over several servers, one after another within each round, so that noise falls on all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.load import Shot, flood
from benchmarks.processes import Server

WARM_UP_SECONDS = 1.0


@dataclass(slots=True)
class Runner:
    """A server in the rounds, and what came of each."""

    server: Server
    path: str = "/hooks/bitrix24/secret"
    shots: list[Shot] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)

    @property
    def rps(self) -> tuple[float, ...]:
        return tuple(shot.rps for shot in self.shots)

    @property
    def p99_ms(self) -> tuple[float, ...]:
        return tuple(shot.p99_ms for shot in self.shots)

    async def shoot(self, seconds: float) -> None:
        before = self.server.cpu_seconds()
        shot = await flood(self.server.url + self.path, seconds=seconds)
        if shot.errors:
            raise RuntimeError(f"{shot.errors} answers were not 200")
        self.shots.append(shot)
        self.cpu_us.append((self.server.cpu_seconds() - before) / max(shot.requests, 1) * 1e6)


async def rounds(runners: Sequence[Runner], *, repeats: int, seconds: float) -> None:
    """Warm each up, then ``repeats`` rounds over all of them."""
    for runner in runners:
        await flood(runner.server.url + runner.path, seconds=WARM_UP_SECONDS)
    for _ in range(repeats):
        for runner in runners:
            await runner.shoot(seconds)


def hook_of(server: Server) -> str:
    """The address that a node of Svodka printed."""
    said: Mapping[str, object] = server.said
    return str(said["hook"])
