"""Limits for those who prove nothing, and whose address is whose behind a proxy."""

from collections import OrderedDict
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from aiohttp import web

from domain.ports import Clock

_PROXY_MARKS = (
    "X-Forwarded-For",
    "X-Real-IP",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "Forwarded",
    "Via",
    "CF-Connecting-IP",
)

Networks = Sequence[IPv4Network | IPv6Network]


class RateLimit:
    """A token bucket per key, the oldest keys forgotten first, and one for all keys together."""

    def __init__(self, clock: Clock, *, per_minute: int, burst: int, total_factor: int = 10, keys: int = 2000) -> None:
        self._clock = clock
        self._rate = per_minute / 60
        self._burst = float(burst)
        self._total_factor = total_factor
        self._keys = keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allow(self, key: str) -> bool:
        return self._take(f"key:{key}", 1) and self._take("all", self._total_factor)

    def _take(self, key: str, factor: int) -> bool:
        now = self._clock.monotonic()
        level, at = self._buckets.pop(key, (self._burst * factor, now))
        level = min(self._burst * factor, level + (now - at) * self._rate * factor)
        allowed = level >= 1
        self._buckets[key] = (level - 1 if allowed else level, now)
        while len(self._buckets) > self._keys:
            self._buckets.popitem(last=False)
        return allowed


def client_ip(request: web.Request, trusted: Networks) -> str:
    """The peer's address, or the last untrusted one of X-Forwarded-For when the peer is a trusted proxy."""
    peer = request.remote or ""
    # all lines of the header: some proxies add one of their own below the one a stranger wrote
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", []))
    if not trusted or not forwarded or not _is_in(peer, trusted):
        return peer
    for hop in reversed([part.strip() for part in forwarded.split(",")]):
        if not _is_in(hop, trusted):
            return hop if _is_address(hop) else peer
    return peer


def is_loopback(request: web.Request) -> bool:
    """The request comes from this machine and through no proxy."""
    return (
        not any(name in request.headers for name in _PROXY_MARKS)
        and _is_address(request.remote or "")
        and ip_address(request.remote or "").is_loopback
    )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_in(text: str, networks: Networks) -> bool:
    return _is_address(text) and any(ip_address(text) in network for network in networks)
