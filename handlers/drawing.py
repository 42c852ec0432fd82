"""Pictures are drawn in a process of their own: the library takes 60 MiB, and while it is imported everybody else waits."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from threading import Lock

PATIENCE_SECONDS = 60.0
_PASSED_ON = ("HOME", "TMPDIR", "MPLCONFIGDIR")  # where the library keeps what it knows of fonts; no secret of ours
_one_at_a_time = Lock()


class NotDrawnError(Exception):
    """The process ended without a picture, its last line says why; or it could not begin, or had no end."""


def draw_apart(draw: Callable[..., bytes], *given: object) -> bytes:
    """What ``draw(*given)`` gives, a PNG; ``draw`` is a module's own function. Blocks for a second or two.

    One at a time: a picture that many ask for at once must not take the machine.
    """
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    try:
        with _one_at_a_time:
            done = subprocess.run(
                [sys.executable, "-m", "handlers.drawing"],
                input=pickle.dumps((draw, given)),
                env=paths | passed_on,
                capture_output=True,
                timeout=PATIENCE_SECONDS,
                check=False,
            )
    except (OSError, subprocess.TimeoutExpired) as error:  # no memory for another process, or a machine that is too busy
        raise NotDrawnError(type(error).__name__) from error
    if done.returncode:
        raise NotDrawnError(done.stderr.decode(errors="replace").strip().rpartition("\n")[2])
    return done.stdout


def main() -> None:
    """What runs in the process."""
    draw, given = pickle.load(sys.stdin.buffer)  # noqa: S301 - from ``draw_apart`` alone
    sys.stdout.buffer.write(draw(*given))


if __name__ == "__main__":
    main()
