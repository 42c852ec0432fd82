"""docs/performance.md: the newest figures of each benchmark between marks, everything else as people wrote it."""

import os
import platform
import re
import sqlite3
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.figures import Section, as_markdown
from benchmarks.load import has_wrk
from benchmarks.processes import ROOT
from bot.version import VERSION

PAGE = ROOT / "docs" / "performance.md"
_PACKAGES = ("aiohttp", "aiogram", "sqlalchemy", "aiosqlite", "psycopg", "openai")
_ABOUT = "about"


def write(section: Section, *, quick: bool) -> None:
    """Put it between its marks. A benchmark that was not run keeps what was found last time."""
    page = PAGE.read_text(encoding="utf-8")
    page = _between(page, section.name, as_markdown(section))
    page = _between(page, _ABOUT, _about(quick=quick))
    page = re.sub(r"(?m)^Версия .*$", f"Версия {VERSION} · {datetime.now(UTC):%Y-%m-%d}", page, count=1)
    PAGE.write_text(page, encoding="utf-8")


def _between(page: str, name: str, text: str) -> str:
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(page):
        raise RuntimeError(f"в {PAGE.name} нет места для {name}")
    return pattern.sub(lambda found: f"{found[1]}{text}{found[2]}", page)


def _about(*, quick: bool) -> str:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    lines = [
        f"- Дата последнего замера: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC{' (коротко, --quick)' if quick else ''}.",
        f"- Машина: {os.cpu_count()} ядра, {_memory()}, {platform.system()} {platform.machine()}, {_processor()}.",
        f"- Нагрузка машины в конце замера (1, 5, 15 мин): {load}.",
        f"- Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {packages}.",
        f"- Нагрузку даёт {'wrk' if has_wrk() else 'свой клиент на asyncio'}; всё на одной машине, через 127.0.0.1.",
    ]
    return "\n".join(lines) + "\n"


def _memory() -> str:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return "память неизвестна"
    return f"{size / 2**30:.0f} ГиБ"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "процессор неизвестен"
