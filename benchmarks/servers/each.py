"""A webhook kept the usual way: one commit with synchronous=FULL for every request, through aiosqlite."""

import asyncio
import hashlib
import sys
from pathlib import Path

import aiosqlite
from aiohttp import web

from benchmarks.servers.listen import listen

SCHEMA = "CREATE TABLE inbox (key TEXT PRIMARY KEY, body BLOB NOT NULL)"
INSERT = "INSERT INTO inbox VALUES (?, ?) ON CONFLICT DO NOTHING"


async def main(folder: Path) -> None:
    async with aiosqlite.connect(folder / "each.db", isolation_level=None) as database:
        await database.execute("PRAGMA journal_mode=WAL")
        await database.execute("PRAGMA synchronous=FULL")
        await database.execute(SCHEMA)

        async def answer(request: web.Request) -> web.Response:
            body = await request.read()
            await database.execute(INSERT, (hashlib.sha256(body).hexdigest(), body))
            return web.Response(text="ok")

        app = web.Application()
        app.router.add_post("/hooks/{vendor}/{secret}", answer)
        await listen(app)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
