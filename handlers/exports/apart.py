"""Files are written in a process of their own: it takes a minute of a processor, and hooks must not wait for it."""

import asyncio
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import BinaryIO

from handlers.exports.columns import Row
from handlers.exports.files import Plan, Writing, Written

PATIENCE_SECONDS = 900.0  # a million rows are packed in a tenth of it
CLEARING_SECONDS = 10.0
KINDNESS = 10  # how far it stands back for everybody else
_END = ()


# How the last line of a process tells it → the text that people read of it.
_REASONS = {
    "[Errno 28]": "full", "[Errno 122]": "full", "[Errno 12]": "memory", "MemoryError": "memory",
    "[Errno 30]": "refused", "PermissionError": "refused", "FileExistsError": "folder", "NotADirectoryError": "folder",
    "NotWrittenError: timeout": "time",
}  # fmt: skip


class NotWrittenError(Exception):
    """The process ended without its files; its last line says why."""


class Apart:
    """``Writing`` in another process. Rows go to it as fast as it takes them; ``end`` or ``drop`` is always called."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._ending = False

    @property
    def pid(self) -> int:
        return self._process.pid

    @classmethod
    async def begin(cls, plan: Plan) -> "Apart":
        return await asyncio.to_thread(cls._begun, plan)

    @classmethod
    def _begun(cls, plan: Plan) -> "Apart":
        paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}  # and nothing else: no secret of ours
        command = [sys.executable, "-m", "handlers.exports.apart"]
        pipe = subprocess.PIPE
        try:
            # our own interpreter and our own module
            process = subprocess.Popen(command, env=paths, stdin=pipe, stdout=pipe, stderr=pipe)  # noqa: S603
        except OSError as error:  # no memory for another process
            raise NotWrittenError(f"{type(error).__name__}: {error}") from error
        apart = cls(process)
        apart._hand_over(plan)
        return apart

    async def write(self, rows: Sequence[Row]) -> None:
        if rows:
            await asyncio.to_thread(self._hand_over, rows)

    async def end(self) -> Written:
        return await asyncio.to_thread(self._ended)

    async def drop(self) -> None:
        """Nothing stays of it. A process whose rows break off clears up after itself, also where we are gone."""
        await asyncio.to_thread(self._dropped)

    def _hand_over(self, what: object) -> None:
        given = self._process.stdin
        assert given is not None  # noqa: S101 - a pipe was asked for
        try:
            pickle.dump(what, given, pickle.HIGHEST_PROTOCOL)
            given.flush()
        except OSError as error:  # it is gone
            raise self._failure() from error

    def _ended(self) -> Written:
        self._hand_over(_END)
        self._ending = True
        try:
            out, said = self._process.communicate(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired as error:
            self._dropped()
            raise NotWrittenError("timeout") from error
        if self._process.returncode:
            raise NotWrittenError(_last_line(said))
        written: Written = pickle.loads(out)  # noqa: S301 - from our own process
        return written

    def _failure(self) -> NotWrittenError:
        _, said = self._process.communicate()
        return NotWrittenError(_last_line(said))

    def _dropped(self) -> None:
        """It is told by the end of its rows, and given a while to clear up; one that packs its files hears nothing more."""
        process = self._process
        if not self._ending:
            with suppress(subprocess.TimeoutExpired, OSError, ValueError):  # ValueError: it had ended, and was heard out
                process.communicate(timeout=CLEARING_SECONDS)
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def reason_of(error: Exception) -> str:
    """The name of the text that says why there is no file."""
    told = f"{type(error).__name__}: {error}"
    return next((name for sign, name in _REASONS.items() if sign in told), "other")


def _last_line(said: bytes) -> str:
    return said.decode(errors="replace").strip().rpartition("\n")[2]


def main() -> None:
    """What runs in the process: a plan, then slices of rows, then nothing; EOF before that means that it is off."""
    os.nice(KINDNESS)
    given = sys.stdin.buffer
    writing = Writing(pickle.load(given))  # noqa: S301 - from ``Apart`` alone
    try:
        while rows := pickle.load(given):  # noqa: S301
            writing.write(rows)
        written = writing.end()
    except BaseException:
        writing.drop()
        raise
    _answer(sys.stdout.buffer, written)


def _answer(out: BinaryIO, written: Written) -> None:
    pickle.dump(written, out)


if __name__ == "__main__":
    main()
