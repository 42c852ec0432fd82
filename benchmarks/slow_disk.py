"""The slow disk of slow_fsync.c, compiled where it is needed."""

import platform
import shutil
import subprocess
from pathlib import Path

_SOURCE = Path(__file__).with_name("slow_fsync.c")


def slow_disk(folder: Path) -> dict[str, str] | None:
    """The environment that makes each sync 5 ms slower; None where there is no Linux or no compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if platform.system() != "Linux" or compiler is None:
        return None
    library = folder / "slow_fsync.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(_SOURCE), "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}
