"""What a work's event is kept as: plain JSON, or sealed where it holds somebody's contacts or what opens a room."""

from base64 import b64decode, b64encode

from storage.vault import Vault

_SEALED = "sealed:"
# kinds of work whose events are sealed, and emptied with the bodies of deliveries
PERSONAL = ("registration", "register", "leads", "crm")


def seal(vault: Vault, text: str) -> str:
    return _SEALED + b64encode(vault.encrypt(text.encode())).decode()


def unseal(vault: Vault, text: str) -> str:
    """The text again; what an older version kept in clear is as it was. UnknownKeyError."""
    return vault.decrypt(b64decode(text.removeprefix(_SEALED))).decode() if text.startswith(_SEALED) else text
