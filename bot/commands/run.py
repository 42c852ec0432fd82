"""`svodka run`: the real bot."""

import argparse
import asyncio
from collections.abc import Sequence

from bot.loading import collect_rarely, lasting


def execute(_arguments: argparse.Namespace, _rest: Sequence[str]) -> int:
    """Run until a signal; the exit status of bot.app."""
    collect_rarely()
    with lasting():
        from bot.commands.ground import load_settings

        settings = load_settings()
        from bot.app import run

    return asyncio.run(run(settings))
