"""`python -m benchmarks [name …] [--quick]`: run them one after another, print what came out, write it into the docs."""

import argparse
import asyncio
import tempfile
import time
from importlib import import_module
from pathlib import Path

from benchmarks.figures import Plan, Section, as_text
from benchmarks.report import write

NAMES = ("ingest", "floors", "pipelines", "lag", "sender", "kills", "start", "memory")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Замеры Сводки на этой машине.")
    parser.add_argument("name", nargs="*", help=f"что измерить: {', '.join(NAMES)}; без имён — всё")
    parser.add_argument("--quick", action="store_true", help="меньше повторов, короче нагрузка")
    parser.add_argument("--no-write", action="store_true", help="только показать, docs/performance.md не менять")
    given = parser.parse_args()
    for name in given.name:
        if name not in NAMES:
            parser.error(f"нет такого замера: {name}; есть {', '.join(NAMES)}")
    sections = [_measure(name, quick=given.quick) for name in given.name or NAMES]
    if not given.no_write:
        write(sections, quick=given.quick)


def _measure(name: str, *, quick: bool) -> Section:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="svodka-bench-") as folder:
        section: Section = asyncio.run(import_module(f"benchmarks.{name}").run(Plan(quick=quick, folder=Path(folder))))
    print(as_text(section))
    print(f"  ({time.monotonic() - started:.0f} с)", flush=True)
    return section


if __name__ == "__main__":
    main()
