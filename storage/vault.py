"""Encryption at rest: AES-256-GCM under keys derived from SECRET_KEY, newest first while a key is being rotated."""

import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12
NONCES = 256
KEY_ID = 4


class UnknownKeyError(Exception):
    """What is stored was encrypted under a key that is no longer configured, or was changed on disk."""


class Vault:
    """Encrypts with the first key and reads with any. The stored form is key id, nonce, ciphertext."""

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets:
            raise ValueError("a vault needs a key")
        keys = [hashlib.sha256(b"svodka vault\0" + secret.encode()).digest() for secret in secrets]
        self._ciphers = {hashlib.sha256(key).digest()[:KEY_ID]: AESGCM(key) for key in keys}
        self._nonces: list[bytes] = []
        self._newest = next(iter(self._ciphers))

    def encrypt(self, plain: bytes) -> bytes:
        nonce = self._nonce()
        return self._newest + nonce + self._ciphers[self._newest].encrypt(nonce, plain, None)

    def _nonce(self) -> bytes:
        """Random, drawn from the system a few hundred at a time: that costs as much as one."""
        if not self._nonces:
            drawn = os.urandom(NONCE * NONCES)
            self._nonces = [drawn[start : start + NONCE] for start in range(0, len(drawn), NONCE)]
        return self._nonces.pop()

    def decrypt(self, stored: bytes) -> bytes:
        """The bytes that were encrypted; UnknownKeyError if no configured key fits."""
        cipher = self._ciphers.get(stored[:KEY_ID])
        if cipher is None:
            raise UnknownKeyError("no configured key fits")
        try:
            return cipher.decrypt(stored[KEY_ID : KEY_ID + NONCE], stored[KEY_ID + NONCE :], None)
        except InvalidTag as error:
            raise UnknownKeyError("the stored bytes were changed") from error
