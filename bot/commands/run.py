"""`svodka run`: the real bot."""

import argparse
import asyncio
import gc
from collections.abc import Sequence

from bot.loading import lasting


def execute(_arguments: argparse.Namespace, _rest: Sequence[str]) -> int:
    """Run until a signal; the exit status of bot.app."""
    gc.set_threshold(50_000, 20, 50)
    with lasting():
        from bot.commands.ground import load_settings

        settings = load_settings()
        from bot.app import run

    return asyncio.run(run(settings))
