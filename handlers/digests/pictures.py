"""The picture of a digest as a file beside the others."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import date
from functools import partial
from pathlib import Path

from domain.messages import File
from handlers.digests.services import Drawn, Told
from handlers.drawing import draw_apart
from handlers.wording import Reader

FOLDER = "pictures"
OffTheLoop = Callable[[Callable[[], object]], Awaitable[object]]


async def draw_digest(told: Told, reader: Reader, data_dir: Path, day: date, off_the_loop: OffTheLoop) -> str:
    """A file of ``day``'s folder named by what it shows, its path relative to DATA_DIR; "" where there is nothing to draw.

    Drawing blocks for a second or two, and ``off_the_loop`` does it elsewhere. NotDrawnError where it failed.
    """
    given = told.picture(reader)
    if given is None:
        return ""
    png = await off_the_loop(partial(_apart, given))
    assert isinstance(png, bytes)  # noqa: S101 - what ``draw_apart`` gives
    relative = Path(FOLDER) / f"{day:%Y-%m-%d}" / f"{hashlib.sha256(png).hexdigest()[:24]}.png"
    await asyncio.to_thread(_write, data_dir / relative, png)
    return relative.as_posix()


def picture_file(reader: Reader, path: str, day: date) -> File:
    return File(path=path, name=reader.say("digest.picture_name", day=f"{day:%Y-%m-%d}"), kind="photo")


def _apart(given: Drawn) -> bytes:
    draw, *rest = given
    assert callable(draw)  # noqa: S101 - the first of what is drawn
    return draw_apart(draw, *rest)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
