"""Where a download may go."""

import pytest

from integrations.kit.addresses import is_loopback, is_public, resolve, same_domain


@pytest.mark.parametrize(
    ("host", "home", "same"),
    [
        ("portal.firma.ru", "portal.firma.ru", True),
        ("PBX.firma.ru.", "portal.firma.ru", True),
        ("firma.ru", "portal.firma.ru", True),
        ("records.portal.firma.ru", "portal.firma.ru", True),
        ("deep.below.firma.ru", "portal.firma.ru", True),
        ("pbx.firma.ru", "firma.ru", True),
        ("evilfirma.ru", "portal.firma.ru", False),
        ("portal.firma.ru.evil.ru", "portal.firma.ru", False),
        ("other.ru", "firma.ru", False),
        ("other.com.ru", "firma.com.ru", False),
        ("pbx.firma.com.ru", "firma.com.ru", True),
        ("10.0.0.2", "10.0.0.1", False),
        ("1.0.0.1", "10.0.0.1", False),
        ("10.0.0.1", "10.0.0.1", True),
        ("localhost", "portal", False),
    ],
)
def test_same_domain(host: str, home: str, same: bool) -> None:
    assert same_domain(host, home) is same


PRIVATE = """127.0.0.1 10.1.2.3 192.168.0.1 172.16.0.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 ::1 fe80::1%eth0 fc00::1
::ffff:10.0.0.1 2002:0a00:0001:: 64:ff9b::a00:1 portal.firma.ru"""


@pytest.mark.parametrize("address", PRIVATE.split())
def test_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"])
def test_public(address: str) -> None:
    assert is_public(address)


def test_loopback() -> None:
    assert is_loopback("127.9.9.9")
    assert is_loopback("LOCALHOST")
    assert is_loopback("[::1]")
    assert not is_loopback("10.0.0.1")
    assert not is_loopback("portal.firma.ru")


async def test_resolving() -> None:
    assert await resolve("127.0.0.1") == ["127.0.0.1"]
    assert await resolve("a" * 70 + ".invalid") == []
