"""What a vendor sends us, before anybody has understood it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from domain.events import Event

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One HTTP request as it came. Header names are lower case; ``received_at`` is aware UTC."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """The meaning of a delivery.

    ``dedup_key`` is the same for a repeat of the same fact, whatever the transport did to it; ``events`` is empty when the
    delivery is genuine but of a kind nobody handles; ``kind`` is the vendor's own name for it, shown in /status. ``probe``:
    it only asks whether somebody answers, and is not kept.
    """

    dedup_key: str
    kind: str
    events: tuple[Event, ...]
    probe: bool = False


class HookState(StrEnum):
    """How it stands with the address by which a vendor tells us. LACKING: of some events it does not tell."""

    ON = "on"
    MISSING = "missing"
    DISABLED = "disabled"
    LACKING = "lacking"


@dataclass(frozen=True, slots=True, kw_only=True)
class HookStanding:
    """``lacking``: the vendor's names of the events that are not told."""

    state: HookState
    lacking: tuple[str, ...] = ()


def record(delivery: Delivery) -> bytes:
    """The delivery as a raw HTTP request: what the inbox keeps, what fixtures/*.http hold and `svodka replay` reads."""
    target = f"{delivery.path}?{delivery.query}" if delivery.query else delivery.path
    head = [f"{delivery.method} {target} HTTP/1.1", *[f"{name}: {value}" for name, value in delivery.headers.items()]]
    return "\r\n".join(head).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + delivery.body


def replayed(raw: bytes, received_at: datetime) -> Delivery:
    """A recorded request back as a delivery. Lines of ``#`` before it are comments; ValueError if it is no request."""
    while raw.startswith(b"#"):
        raw = raw.partition(b"\n")[2]
    head, *rest = _BLANK_LINE.split(raw, maxsplit=1)
    # not splitlines(): a header may hold U+2028 or another of its many line ends
    first, *lines = head.decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n")
    method, target, _version = first.split(" ", 2)
    path, _, query = target.partition("?")
    headers = {name.strip().lower(): value.strip(" \t") for name, _, value in (line.partition(":") for line in lines)}
    body = rest[0] if rest else b""
    return Delivery(method=method, path=path, query=query, headers=headers, body=body, received_at=received_at)


class Receiver(Protocol):
    """One connection's way to receive. Pure: no I/O, no clock."""

    def verify(self, delivery: Delivery) -> None:
        """Raise BadSignature unless the delivery proves where it comes from (constant time)."""
        ...

    def parse(self, delivery: Delivery) -> Parsed:
        """Total: anything but MalformedBody (or TooLarge) is a defect."""
        ...

    def redact(self, delivery: Delivery) -> Delivery:
        """The same delivery without credentials, cookies and path secrets: what is kept on disk."""
        ...
