"""What a vendor sends us, before anybody has understood it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.events import Event


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
    delivery is genuine but of a kind nobody handles; ``kind`` is the vendor's own name for it, shown in /status.
    """

    dedup_key: str
    kind: str
    events: tuple[Event, ...]


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
