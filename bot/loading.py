"""Importing what the process is made of: out of the collector's sight, and in a thread once hooks are accepted."""

import asyncio
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType


def collect_rarely() -> None:
    """What a delivery or a call leaves behind is freed without the collector: it need not look every few hundred objects."""
    gc.set_threshold(50_000, 20, 50)


@contextmanager
def lasting() -> Iterator[None]:
    """What is made inside lives as long as the process: the collector does not look at it, neither now nor later."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


async def load(module: str) -> ModuleType:
    """``module``, imported in a thread: on the loop its seconds would be every hook's seconds."""
    return await asyncio.to_thread(_import, module)


def _import(module: str) -> ModuleType:
    if module in sys.modules:  # there, or half there in another thread, for which this waits
        return import_module(module)
    with lasting():
        return import_module(module)
