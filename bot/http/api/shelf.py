"""Answers that are mostly the same: what was made of one reading is kept, and only the end of an answer is new each time."""

import asyncio
import zlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

_AT_ONCE = 500  # rows made before others get their turn: 0.1 s of JSON would hold every hook
_MOST_BYTES = 32 * 1024 * 1024
_LEAST_BYTES = 1024  # what the smallest one takes
_LONG = 64 * 1024
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # deflate, no time, no name, no system


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The beginning of the JSON, which is the same until the next reading; ``counted`` and the age come after it."""

    head: bytes
    counted: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """The beginning of an answer as the beginning of a gzip stream; ``check`` and ``size`` are of what was packed."""

    stream: bytes
    check: int
    size: int

    def whole(self, end: bytes) -> bytes:
        """One gzip stream of all, of which only ``end`` is compressed now: what is before it stops at a whole byte."""
        press = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        tail = zlib.crc32(end, self.check).to_bytes(4, "little") + (self.size + len(end)).to_bytes(4, "little")
        return b"".join((_GZIP_HEAD, self.stream, press.compress(end), press.flush(), tail))


def pack(plain: bytes) -> Packed:
    press = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = press.compress(plain) + press.flush(zlib.Z_SYNC_FLUSH)
    return Packed(stream=packed, check=zlib.crc32(plain), size=len(plain))


class Shelf:
    """Keeps the rows of each list's last reading, and the bodies that were asked for last, packed ones too."""

    def __init__(self) -> None:
        self._rows: dict[Hashable, tuple[Hashable, list[bytes]]] = {}
        self._bodies: OrderedDict[Hashable, Body] = OrderedDict()
        self._packed: dict[Hashable, Packed] = {}
        self._size = 0

    async def rows(self, name: Hashable, version: Hashable, make: Callable[[], Awaitable[list[bytes]]]) -> list[bytes]:
        """Those of this very reading."""
        known = self._rows.get(name)
        if known is None or known[0] != version:
            known = self._rows[name] = (version, await make())
        return known[1]

    async def body(self, asked: Hashable, make: Callable[[], Awaitable[Body]]) -> Body:
        """What ``make`` gives, which is always the same for what is ``asked``."""
        body = self._bodies.get(asked)
        if body is None:
            body = await make()
            self._keep(asked, body)
        else:
            self._bodies.move_to_end(asked)
        return body

    async def packed(self, asked: Hashable, body: Body) -> Packed:
        """A long one is packed beside the loop."""
        packed = self._packed.get(asked)
        if packed is None:
            packed = pack(body.head) if len(body.head) < _LONG else await asyncio.to_thread(pack, body.head)
            if asked in self._bodies:
                self._packed[asked] = packed
        return packed

    def _keep(self, asked: Hashable, body: Body) -> None:
        if asked not in self._bodies:
            self._size += len(body.head) + _LEAST_BYTES
        self._bodies[asked] = body
        while self._size > _MOST_BYTES:
            gone, dropped = self._bodies.popitem(last=False)
            self._size -= len(dropped.head) + _LEAST_BYTES
            self._packed.pop(gone, None)


async def rows_of(rows: Sequence[T], encode: Callable[[T], bytes]) -> list[bytes]:
    """Each row by itself: any page of them is a join."""
    made: list[bytes] = []
    for row in rows:
        made.append(encode(row))
        if len(made) % _AT_ONCE == 0:
            await asyncio.sleep(0)
    return made
