"""Answers that are mostly the same: rows as JSON made once a reading, and their compressed form beside it."""

import asyncio
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

_AT_ONCE = 500  # rows made before others get their turn: 0.1 s of JSON would hold every hook
_KEPT = 8
_LONG = 64 * 1024
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # deflate, no time, no name, no system


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
    """Keeps what was made of one reading until there is another one, and what was packed last."""

    def __init__(self) -> None:
        self._rows: dict[Hashable, tuple[Hashable, list[bytes]]] = {}
        self._packed: OrderedDict[Hashable, Packed] = OrderedDict()

    def rows(self, name: Hashable, version: Hashable) -> list[bytes] | None:
        """Those of this very reading."""
        known = self._rows.get(name)
        return known[1] if known is not None and known[0] == version else None

    def keep(self, name: Hashable, version: Hashable, rows: list[bytes]) -> None:
        self._rows[name] = (version, rows)

    async def packed(self, name: Hashable, plain: bytes) -> Packed:
        """``plain``, which is always the same under this name; a long one is packed beside the loop."""
        known = self._packed.pop(name, None)
        if known is None:
            known = pack(plain) if len(plain) < _LONG else await asyncio.to_thread(pack, plain)
        self._packed[name] = known
        while len(self._packed) > _KEPT:
            self._packed.popitem(last=False)
        return known


async def rows_of(rows: Sequence[T], encode: Callable[[T], bytes]) -> list[bytes]:
    """Each row by itself: any page of them is a join."""
    made: list[bytes] = []
    for row in rows:
        made.append(encode(row))
        if len(made) % _AT_ONCE == 0:
            await asyncio.sleep(0)
    return made
