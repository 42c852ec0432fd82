"""`svodka run` with a sampler on its event loop: how late the loop is, every 5 ms, written to a file."""

import asyncio
import os
import sys
from pathlib import Path

from bot.app import run
from bot.settings import read_settings

EVERY_SECONDS = 0.005


async def sample(path: Path) -> None:
    """One line a sample: the moment (monotonic) and how late the loop came back, both in seconds."""
    loop = asyncio.get_running_loop()
    with path.open("w", buffering=1) as file:
        while True:
            due = loop.time() + EVERY_SECONDS
            await asyncio.sleep(EVERY_SECONDS)
            now = loop.time()
            file.write(f"{now:.6f} {max(0.0, now - due):.6f}\n")


async def main() -> int:
    sampling = asyncio.create_task(sample(Path(sys.argv[1])))
    try:
        return await run(read_settings(dict(os.environ)))
    finally:
        sampling.cancel()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
