"""What a command prints: lines on the standard output, complaints on the error output."""

import sys


def say(text: str = "") -> None:
    """One line, or several, for the person at the terminal."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
