"""The log: to the console or as JSON lines, to a rotated file when asked, and never with a secret in it."""

import json
import logging
import re
import sys
import time
from collections.abc import Iterable
from logging.handlers import RotatingFileHandler

from bot.settings import Settings

# What every match holds in lower case, looked for first: most lines hold none of it; the pattern; what is put in its place.
_PATTERNS = (
    ("/rest/", re.compile(r"/rest/(\d+)/[^/\s\"']+"), r"/rest/\1/***"),
    (":", re.compile(r"\b(\d{6,12}):[A-Za-z0-9_-]{30,}"), r"\1:***"),
    ("/hooks/", re.compile(r"/hooks/([a-z0-9]+)/[^\s\"'?]+"), r"/hooks/\1/***"),
    ("/bizon_webhook/", re.compile(r"/bizon_webhook/[^\s\"'?]+"), "/bizon_webhook/***"),
    ("svk_", re.compile(r"(svk_)[A-Za-z0-9_-]{8,}"), r"\1***"),
    ("sk-", re.compile(r"\b(sk-)[A-Za-z0-9_-]{8,}"), r"\1***"),
    ("bearer", re.compile(r"(?i)\b(bearer)\s+[A-Za-z0-9._-]{8,}"), r"\1 ***"),
    ("x-token", re.compile(r"(?i)\b(x-token:?)\s+[A-Za-z0-9._-]{8,}"), r"\1 ***"),
)
_QUIET = ("httpx", "httpcore", "httpx2", "openai", "aiogram", "aiohttp.access", "apscheduler", "aiosqlite", "alembic")


class Masking(logging.Formatter):
    """Formats, then removes what looks like a secret and what is known to be one, tracebacks included."""

    def __init__(self, inner: logging.Formatter, secrets: Iterable[str]) -> None:
        super().__init__()
        self._inner = inner
        self._secrets = sorted({secret for secret in secrets if len(secret) >= 8}, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        return self.masked(self._inner.format(record))

    def masked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        lowered = text.lower()
        for sign, pattern, replacement in _PATTERNS:
            if sign in lowered:
                text = pattern.sub(replacement, text)
        return text


class JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, and the traceback when there is one."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def is_strangers_noise(record: logging.LogRecord) -> bool:
    """What aiohttp says of a request that is no HTTP: a page of log for each, and anybody can send thousands."""
    error = record.exc_info[1] if record.exc_info else None
    return isinstance(error, ConnectionError) or type(error).__module__.startswith("aiohttp.")


def configure_logging(settings: Settings, secrets: Iterable[str]) -> None:
    """Replace the root logger's handlers. Errors go to the same place as everything else."""
    inner: logging.Formatter
    if settings.log_format == "json":
        inner = JsonLines()
        inner.converter = _utc
    else:
        inner = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s %(message)s", "%Y-%m-%d %H:%M:%S")
    formatter = Masking(inner, secrets)
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if settings.log_file is not None:
        settings.log_file.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(RotatingFileHandler(settings.log_file, maxBytes=10_000_000, backupCount=5, encoding="utf-8"))
    root = logging.getLogger()
    root.handlers = handlers
    root.setLevel(settings.log_level)
    for handler in handlers:
        handler.setFormatter(formatter)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("aiohttp.server").addFilter(_without_noise)


def _without_noise(record: logging.LogRecord) -> bool:
    return not is_strangers_noise(record)


def _utc(seconds: float | None) -> time.struct_time:
    return time.gmtime(seconds)
