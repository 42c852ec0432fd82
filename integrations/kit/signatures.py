"""Comparing secrets and making HMACs so that neither timing nor a strange character gives anything away."""

import hashlib
import hmac
from collections.abc import Iterable


def same_secret(given: str, expected: str) -> bool:
    """Equality in constant time. Any text is fine, lone surrogates of a hostile header included; empty never matches."""
    equal = hmac.compare_digest(_bytes(given), _bytes(expected))
    return equal and bool(expected)


def any_secret(given: str, accepted: Iterable[str]) -> bool:
    """Whether ``given`` is one of ``accepted``; every one is compared, so the time does not tell which."""
    found = False
    for expected in accepted:
        found |= same_secret(given, expected)
    return found


def hmac_sha256(secret: str, message: bytes) -> str:
    """Lower-case hex."""
    return hmac.new(_bytes(secret), message, hashlib.sha256).hexdigest()


def signed_by(signature: str, secret: str, message: bytes) -> bool:
    """Whether ``signature`` (hex, any case) is the HMAC-SHA256 of ``message``; an empty secret signs nothing."""
    return bool(secret) and same_secret(signature.strip().lower(), hmac_sha256(secret, message))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
