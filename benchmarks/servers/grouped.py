"""The floor of the whole job: aiohttp, a thread that commits groups with synchronous=FULL, 16 senders, a mark when sent.

It routes nothing, checks nothing and does not know what it received: a limit, not a product.
"""

import asyncio
import hashlib
import queue
import sqlite3
import sys
import threading
from pathlib import Path

import aiohttp
from aiohttp import web

from benchmarks.servers.each import INSERT, SCHEMA
from benchmarks.servers.listen import listen

SENDERS = 16
_MARK = "UPDATE inbox SET body = x'' WHERE key = ?"

Job = tuple[str, tuple[object, ...], "asyncio.Future[None] | None"]


class Writer:
    """One thread with one connection: what waits while it commits goes into the next commit together."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._path = path
        self._loop = loop
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        threading.Thread(target=self._write, daemon=True).start()

    async def stored(self, key: str, body: bytes) -> None:
        future: asyncio.Future[None] = self._loop.create_future()
        self._jobs.put((INSERT, (key, body), future))
        await future

    def mark(self, key: str) -> None:
        self._jobs.put((_MARK, (key,), None))

    def _write(self) -> None:
        database = sqlite3.connect(self._path, isolation_level=None)
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", SCHEMA):
            database.execute(statement)
        while True:
            group = [self._jobs.get()]
            while len(group) < 256 and not self._jobs.empty():
                group.append(self._jobs.get())
            database.execute("BEGIN IMMEDIATE")
            for statement, values, _ in group:
                database.execute(statement, values)
            database.execute("COMMIT")
            self._loop.call_soon_threadsafe(_answer, [future for _, _, future in group if future is not None])


def _answer(futures: "list[asyncio.Future[None]]") -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)


async def main(folder: Path, telegram: str) -> None:
    writer = Writer(folder / "grouped.db", asyncio.get_running_loop())
    to_send: asyncio.Queue[str] = asyncio.Queue()

    async def answer(request: web.Request) -> web.Response:
        body = await request.read()
        key = hashlib.sha256(body).hexdigest()
        await writer.stored(key, body)
        to_send.put_nowait(key)
        return web.Response(text="ok")

    async def send(session: aiohttp.ClientSession) -> None:
        while True:
            key = await to_send.get()
            async with session.post(f"{telegram}/bot/sendMessage", json={"chat_id": 1, "text": key}) as answered:
                await answered.read()
            writer.mark(key)

    app = web.Application()
    app.router.add_post("/hooks/{vendor}/{secret}", answer)
    async with aiohttp.ClientSession() as session:
        senders = [asyncio.create_task(send(session)) for _ in range(SENDERS)]
        await listen(app)
        for sender in senders:
            sender.cancel()
        await asyncio.gather(*senders, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
