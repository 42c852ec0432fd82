"""`svodka demo`: the sandbox as a child process; bot never imports it."""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType


def execute(arguments: argparse.Namespace, rest: Sequence[str]) -> int:
    """Run `python -m sandbox` with what was asked for until it ends; its exit status."""
    command = [sys.executable, "-m", "sandbox", *_passed_on(arguments), *rest]
    child = subprocess.Popen(command, process_group=0)  # noqa: S603 - our own interpreter and module
    # a process group of its own: Ctrl-C reaches the child once, through us, and it ends in its own order

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if child.poll() is None:
            os.kill(child.pid, number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        status = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return status if status >= 0 else 128 - status


def _passed_on(arguments: argparse.Namespace) -> list[str]:
    flags = [
        name for name, given in (("--real-model", arguments.real_model), ("--no-browser", arguments.no_browser)) if given
    ]
    return [*flags, *(["--port", arguments.port] if arguments.port is not None else [])]
