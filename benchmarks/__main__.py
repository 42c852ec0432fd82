"""`python -m benchmarks [name …] [--quick]`: run them one after another, print what came out, write it into the docs."""

import argparse
import asyncio
import sys
import tempfile
import time
import traceback
from importlib import import_module
from pathlib import Path

from benchmarks.figures import Plan, Section, as_text
from benchmarks.report import write

NAMES = (
    "ingest",
    "floors",
    "pipelines",
    "lag",
    "sender",
    "kills",
    "crm_kills",
    "start",
    "memory",
    "phones",
    "matching",
    "webinar",
    "conversions",
    "exports",
    "digest",
    "api",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Замеры Сводки на этой машине.")
    parser.add_argument("name", nargs="*", help=f"что измерить: {', '.join(NAMES)}; без имён — всё")
    parser.add_argument("--quick", action="store_true", help="меньше повторов, короче нагрузка")
    parser.add_argument("--no-write", action="store_true", help="только показать, docs/performance.md не менять")
    given = parser.parse_args()
    for name in given.name:
        if name not in NAMES:
            parser.error(f"нет такого замера: {name}; есть {', '.join(NAMES)}")
    failed = [name for name in given.name or NAMES if not _measured(name, quick=given.quick, keep=not given.no_write)]
    if failed:
        print(f"\nне измерено: {', '.join(failed)}")
        sys.exit(1)


def _measured(name: str, *, quick: bool, keep: bool) -> bool:
    """Run it, show it and keep it; what goes wrong in one does not stop the others."""
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="svodka-bench-") as folder:
            plan = Plan(quick=quick, folder=Path(folder))
            section: Section = asyncio.run(import_module(f"benchmarks.{name}").run(plan))
    except (RuntimeError, TimeoutError, OSError):
        traceback.print_exc()
        return False
    print(as_text(section))
    print(f"  ({time.monotonic() - started:.0f} с)", flush=True)
    if keep:
        write(section, quick=quick)
    return True


if __name__ == "__main__":
    main()
