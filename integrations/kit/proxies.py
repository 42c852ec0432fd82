"""Which proxy a request goes through: one that was set, or HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY."""

from collections.abc import Mapping
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

_LIBRARIES = frozenset(("python_socks", "aiohttp_socks"))


class Proxies:
    """Read once. ``trusted`` is False where a proxy of the environment must not be used, ``given`` goes before them all."""

    def __init__(self, *, trusted: bool, given: str = "") -> None:
        self._given = given
        self._known: Mapping[str, str] = getproxies() if trusted else {}

    def of(self, address: URL) -> str:
        """The proxy's address with its scheme, empty when the request goes straight."""
        if self._given or not self._known:
            return self._given
        proxy = self._known.get(address.scheme) or self._known.get("all", "")
        if not proxy or proxy_bypass(address.host or ""):
            return ""
        return proxy if "://" in proxy else f"http://{proxy}"


def is_socks(proxy: str) -> bool:
    return proxy.startswith("socks")


def socks_connector(proxy: str) -> aiohttp.BaseConnector:
    """Connections through a SOCKS proxy, which also looks the names up."""
    from aiohttp_socks import ProxyConnector

    return ProxyConnector.from_url(proxy.replace("socks5h://", "socks5://", 1), rdns=True)


def is_refusal(error: Exception) -> bool:
    """A SOCKS proxy did not connect us."""
    return type(error).__module__.partition(".")[0] in _LIBRARIES
