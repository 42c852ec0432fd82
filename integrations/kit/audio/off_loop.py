"""Runs blocking audio work on the shared bounded executor, with the type of its result kept."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar, cast

T = TypeVar("T")

RunCpu: TypeAlias = Callable[[Callable[[], object]], Awaitable[object]]


async def off_loop(run_cpu: RunCpu, work: Callable[[], T]) -> T:
    """What ``work`` gives, done off the event loop; its exceptions come through."""
    return cast("T", await run_cpu(work))
