"""Whose address it is, and how much a stranger may."""

from ipaddress import ip_network

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from bot.http.limits import RateLimit, client_ip, is_loopback
from tests.ground import HandClock

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("127.0.0.0/8"))


class Transport:
    def __init__(self, peer: str) -> None:
        self.peer = peer

    def get_extra_info(self, name: str, default: object = None) -> object:
        return (self.peer, 1) if name == "peername" else default

    def is_closing(self) -> bool:
        return False


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.1", None, "203.0.113.1"),
        ("203.0.113.1", "198.51.100.7", "203.0.113.1"),  # not a proxy of ours: its word counts for nothing
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.7, 10.0.0.9", "198.51.100.7"),  # the left-most one is the stranger's own word
        ("10.0.0.1", "garbage", "10.0.0.1"),
        ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("10.0.0.1", "10.1.1.1", "10.0.0.1"),
    ],
)
def test_the_address_of_the_client(peer: str, forwarded: str | None, expected: str) -> None:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = make_mocked_request("GET", "/", headers=headers, transport=Transport(peer))
    assert client_ip(request, TRUSTED) == expected


def test_a_proxy_that_adds_a_line_of_its_own_is_believed_and_the_stranger_is_not() -> None:
    headers = CIMultiDict([("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-For", "198.51.100.4")])
    request = make_mocked_request("GET", "/", headers=headers, transport=Transport("10.0.0.2"))
    assert client_ip(request, TRUSTED) == "198.51.100.4"


@pytest.mark.parametrize("mark", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
def test_the_loopback_behind_a_proxy_is_not_the_loopback(mark: str) -> None:
    direct = make_mocked_request("GET", "/", transport=Transport("127.0.0.1"))
    proxied = make_mocked_request("GET", "/", headers={mark: "1.1.1.1"}, transport=Transport("127.0.0.1"))
    assert is_loopback(direct)
    assert not is_loopback(proxied)


def test_a_bucket_refills_and_forgets_the_oldest() -> None:
    clock = HandClock()
    limit = RateLimit(clock, per_minute=60, burst=2, keys=3)
    assert [limit.allow("a") for _ in range(3)] == [True, True, False]
    assert limit.allow("b")
    clock.forward(1)
    assert [limit.allow("a") for _ in range(2)] == [True, False]
    for name in "cdef":
        limit.allow(name)
    assert limit.allow("a")


def test_many_addresses_share_one_limit_too() -> None:
    limit = RateLimit(HandClock(), per_minute=60, burst=2, total_factor=3)
    assert sum(limit.allow(f"k{number}") for number in range(20)) == 6
