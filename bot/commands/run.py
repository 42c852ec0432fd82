"""`svodka run`: the real bot."""

import argparse
import asyncio
import gc
from collections.abc import Sequence

from bot.commands.ground import load_settings


def execute(_arguments: argparse.Namespace, _rest: Sequence[str]) -> int:
    """Run until a signal; the exit status of bot.app."""
    settings = load_settings()
    from bot.app import run

    _settle_memory()
    return asyncio.run(run(settings))


def _settle_memory() -> None:
    """What was imported lives as long as the process: the collector need not walk it at every pause."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
