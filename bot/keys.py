"""Keys the installation makes for itself, kept in DATA_DIR with owner-only rights."""

import hashlib
import hmac
import os
import secrets
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from bot.settings import Settings
from domain.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """``secret_keys`` newest first. ``new``: one was made just now, which beside a non-empty database stops the start."""

    secret_keys: tuple[str, ...] = field(repr=False)
    hook_secret: str = field(repr=False)
    new: bool

    def hook(self, vendor: str) -> str:
        """The secret part of /hooks/{vendor}/… of the default account: 32 hex digits."""
        return self._derived(vendor)[:32]

    def sign(self, text: str) -> str:
        """A mark that only this installation can make: 32 hex digits."""
        return self._derived(f"signed:{text}")[:32]

    def public_id(self, vendor: str) -> str:
        """The id that addresses of the papers name the default account's connection by (Bizon365's ``user_id``): a UUID."""
        return str(uuid.UUID(hex=self._derived(f"{vendor}:user_id")[:32], version=4))

    def _derived(self, name: str) -> str:
        return hmac.new(self.hook_secret.encode(), name.encode(), hashlib.sha256).hexdigest()


def load_keys(settings: Settings) -> Keys:
    """Keys from the environment, else from DATA_DIR, else new ones written there."""
    folder = settings.data_dir / "keys"
    secret, secret_new = (settings.secret_keys, False) if settings.secret_keys else _stored(folder / "secret_key")
    hook, hook_new = ((settings.hook_secret,), False) if settings.hook_secret else _stored(folder / "hook_secret")
    return Keys(secret_keys=secret, hook_secret=hook[0], new=secret_new or hook_new)


def _stored(path: Path) -> tuple[tuple[str, ...], bool]:
    try:
        lines = path.read_text(encoding="utf-8").split()
    except FileNotFoundError:
        return (_create(path),), True
    except OSError as error:
        raise ConfigError("DATA_DIR", f"не читается {path}: {error.strerror}; проверьте права на папку данных") from error
    if not lines:
        raise ConfigError("DATA_DIR", f"файл {path} пуст; верните его из резервной копии")
    return tuple(lines), False


def _create(path: Path) -> str:
    key = secrets.token_urlsafe(32)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigError("DATA_DIR", f"не пишется {path}: {error.strerror}; проверьте права на папку данных") from error
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(key + "\n")
        file.flush()
        os.fsync(file.fileno())
    return key
