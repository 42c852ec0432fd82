"""The load of a machine without wrk, and every load at a steady rate: raw HTTP over kept connections, nothing else."""

import argparse
import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from benchmarks.spread import percentile

_FORM = {
    "event_handler_id": "975",
    "ts": "1773239624",
    "data[CALL_TYPE]": "2",
    "data[PHONE_NUMBER]": "+79005550161",
    "data[PORTAL_NUMBER]": "reg133788",
    "data[PORTAL_USER_ID]": "12",
    "data[CALL_DURATION]": "135",
    "data[CALL_START_DATE]": "2026-03-11T17:28:46+03:00",
    "data[COST]": "0",
    "data[COST_CURRENCY]": "RUB",
    "data[CALL_FAILED_CODE]": "200",
    "data[CALL_FAILED_REASON]": "Success call",
    "data[CRM_ACTIVITY_ID]": "7953",
    "auth[domain]": "portal.example",
    "auth[client_endpoint]": "https://portal.example/rest/",
    "auth[server_endpoint]": "https://oauth.bitrix.info/rest/",
    "auth[member_id]": "0123456789abcdef0123456789abcdef",
}


@dataclass(slots=True)
class Target:
    """Where the calls go. Every request has a call id of its own."""

    url: str
    token: str
    event: str = "ONVOXIMPLANTCALLEND"
    prefix: str = field(default_factory=lambda: secrets.token_hex(4))
    sent: int = 0
    late_ms: list[float] = field(default_factory=list)
    errors: int = 0

    def request(self) -> bytes:
        self.sent += 1
        call = {"data[CALL_ID]": f"{self.prefix}.{self.sent}", "auth[application_token]": self.token}
        body = urlencode({"event": self.event} | _FORM | call).encode()
        parts = urlsplit(self.url)
        head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def answered(self, status: int, due: float) -> None:
        self.late_ms.append((time.perf_counter() - due) * 1000)
        self.errors += status != 200


class Line:
    """One kept connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, url: str) -> "Line":
        parts = urlsplit(url)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port))

    async def ask(self, request: bytes) -> int:
        """The status of the answer, read to its end."""
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = next((line[15:] for line in head.split("\r\n") if line.startswith("content-length:")), "0")
        await self._reader.readexactly(int(length))
        return int(head.split(" ", 2)[1])

    def close(self) -> None:
        self._writer.close()


async def flood(target: Target, *, seconds: float, connections: int) -> None:
    """Each connection asks again as soon as it is answered."""
    until = time.perf_counter() + seconds

    async def one() -> None:
        line = await Line.open(target.url)
        while (due := time.perf_counter()) < until:
            target.answered(await line.ask(target.request()), due)
        line.close()

    await asyncio.gather(*(one() for _ in range(connections)))


async def steady(target: Target, *, seconds: float, rate: float) -> None:
    """Requests on an absolute schedule, each on a connection that is free."""
    free: list[Line] = []

    async def one(due: float) -> None:
        line = free.pop() if free else await Line.open(target.url)
        target.answered(await line.ask(target.request()), due)
        free.append(line)

    await one(time.perf_counter())
    target.late_ms.clear()
    started, asked = time.perf_counter(), []
    for number in range(int(seconds * rate)):
        due = started + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        asked.append(asyncio.create_task(one(due)))
    await asyncio.gather(*asked)
    for line in free:
        line.close()


async def _timed(load: Callable[[], Awaitable[None]]) -> float:
    started = time.perf_counter()
    await load()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("how", choices=["flood", "steady"])
    parser.add_argument("url")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--token", default="")
    parser.add_argument("--event", default="ONVOXIMPLANTCALLEND")
    given = parser.parse_args()
    target = Target(given.url, given.token, given.event)
    if given.how == "flood":
        took = asyncio.run(_timed(lambda: flood(target, seconds=given.seconds, connections=given.connections)))
    else:
        took = asyncio.run(_timed(lambda: steady(target, seconds=given.seconds, rate=given.rate)))
    result = {
        "requests": len(target.late_ms),
        "seconds": took,
        "p50_ms": percentile(target.late_ms, 50),
        "p99_ms": percentile(target.late_ms, 99),
        "errors": target.errors,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
