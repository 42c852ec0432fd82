"""Server-sent events for the page: whoever listens hears every change from then on."""

import asyncio
import json
from collections.abc import AsyncIterator

from sandbox.telegram.wire import Json

_ROOM = 1000  # a listener this far behind is let go; the page then connects again and reads the whole state


class Stream:
    """Publishing never waits and never fails."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[bytes | None]] = set()

    def publish(self, kind: str, data: Json) -> None:
        """Send one event. ``data`` is JSON; line ends inside it cannot break the framing."""
        frame = f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
        for queue in list(self._listeners):
            if queue.qsize() >= _ROOM:
                self._listeners.discard(queue)
                queue.get_nowait()
                queue.put_nowait(None)
            else:
                queue.put_nowait(frame)

    def close(self) -> None:
        """End every listener's stream."""
        for queue in self._listeners:
            queue.put_nowait(None)
        self._listeners.clear()

    async def listen(self) -> AsyncIterator[bytes]:
        """Frames to write to one listener, with a comment every 15 s so that a dead connection is noticed."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield b"retry: 500\n\n"
            while True:
                try:
                    async with asyncio.timeout(15):
                        frame = await queue.get()
                except TimeoutError:
                    frame = b": still here\n\n"
                if frame is None:
                    return
                yield frame
        finally:
            self._listeners.discard(queue)
