"""Who an incoming request belongs to: addresses, their secrets, and the receiver that understands the body."""

import hmac
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from bot.http.limits import RateLimit
from domain.webhooks import Receiver

MOST_KINDS = 200  # each is a line of /metrics and a row a day


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One connection's way in. ``authenticated`` is false where only a path known to everybody leads here.

    ``public_id`` names the connection in addresses that have no room for a secret part; it is as hard to guess.
    ``answer``: plain text in the place of our JSON; ``limit`` bounds what one network address may send; ``keyed``: its
    receiver proves a delivery to an address without a secret.
    ``max_body``: bytes of the largest delivery, 0 for what the server takes anyway.
    """

    account_id: int
    connection_id: int
    vendor: str
    receiver: Receiver
    secret: str = field(repr=False)
    public_id: str = field(default="", repr=False)
    authenticated: bool = True
    answer: str = ""
    limit: RateLimit | None = None
    keyed: bool = False
    max_body: int = 0


class Hooks:
    """Endpoints by vendor and secret; rebuilt when a connection changes."""

    def __init__(self, endpoints: Iterable[Endpoint] = ()) -> None:
        self._by_vendor: dict[str, list[tuple[bytes, Endpoint]]] = {}
        self.rejected: Counter[str] = Counter()
        self.unknown_kinds: Counter[str] = Counter()
        for endpoint in endpoints:
            self._by_vendor.setdefault(endpoint.vendor, []).append((endpoint.secret.encode(), endpoint))

    def count_unknown(self, vendor: str, kind: str) -> None:
        """A genuine event nobody handles; past MOST_KINDS names the rest are counted together."""
        name = f"{vendor}:{kind[:64]}"
        known = name in self.unknown_kinds or len(self.unknown_kinds) < MOST_KINDS
        self.unknown_kinds[name if known else f"{vendor}:*"] += 1

    def find(self, vendor: str, secret: str) -> Endpoint | None:
        """The endpoint whose secret this is; every candidate is compared in constant time."""
        given = secret.encode("utf-8", "surrogatepass")
        found = None
        for expected, endpoint in self._by_vendor.get(vendor, ()):
            if hmac.compare_digest(expected, given):
                found = endpoint
        return found

    def find_public(self, vendor: str, public_id: str) -> Endpoint | None:
        """The endpoint whose public id this is, letters of any size; compared like a secret."""
        given = public_id.lower().encode("utf-8", "surrogatepass")
        found = None
        for _, endpoint in self._by_vendor.get(vendor, ()):
            if endpoint.public_id and hmac.compare_digest(endpoint.public_id.encode(), given):
                found = endpoint
        return found

    def default(self, vendor: str) -> Endpoint | None:
        """The default account's endpoint, for the addresses of the seeds."""
        candidates = self._by_vendor.get(vendor)
        return candidates[0][1] if candidates else None

    def endpoints(self) -> list[Endpoint]:
        return [endpoint for listed in self._by_vendor.values() for _, endpoint in listed]
