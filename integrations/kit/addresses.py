"""Which hosts a download may go to: no stranger may point us at a machine of our own network."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

Resolve = Callable[[str], Awaitable[list[str]]]

# "com.ru", "co.uk", "msk.ru": a second level this short is usually a public suffix, not a company.
_SHORTEST_COMPANY_LABEL = 4
_NAT64 = IPv6Network("64:ff9b::/96")


async def resolve(host: str) -> list[str]:
    """The addresses of a host name, empty when it has none."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(item[4][0]) for item in found))


def literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address a host name spells out, if it does."""
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    address = literal(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def is_public(address: str) -> bool:
    """Neither private, loopback, link-local, reserved nor multicast; an IPv4 inside an IPv6 is judged as itself."""
    found = literal(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or found.sixtofour or _behind_nat64(found) or found
    return found is not None and found.is_global and not found.is_multicast


def _behind_nat64(address: IPv6Address) -> IPv4Address | None:
    return IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else None


def same_domain(host: str, home: str) -> bool:
    """``host`` is ``home``, below it, or beside it under the same company domain (pbx.firma.ru and portal.firma.ru)."""
    host, home = host.lower().rstrip("."), home.lower().rstrip(".")
    if host == home or literal(home) is not None:
        return host == home
    if host.endswith("." + home):
        return True
    _, _, parent = home.partition(".")
    label, dot, _ = parent.partition(".")
    return bool(dot) and len(label) >= _SHORTEST_COMPANY_LABEL and (host == parent or host.endswith("." + parent))
