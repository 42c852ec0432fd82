"""`python -m sandbox`: the keyless demo. `svodka demo` starts exactly this."""

import argparse
import asyncio
import contextlib
import logging
import os
import shutil
import signal
import webbrowser
from pathlib import Path

from sandbox.demo.panel import Panel
from sandbox.demo.stage import Stage, scratch_folder
from sandbox.demo.weights import Weights


def main() -> int:
    arguments = _arguments()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    return asyncio.run(_run(arguments))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="svodka demo", description="Демонстрация без ключей и учётных записей.")
    parser.add_argument("--port", type=int, default=8700, help="порт страницы (8700)")
    parser.add_argument("--no-browser", action="store_true", help="не открывать браузер")
    parser.add_argument("--real-model", action="store_true", help="взять OPENAI_*, STT_* и LLM_* из окружения")
    parser.add_argument("--scripts", action="store_true", help="не загружать веса, звонки из набора — по сценариям")
    parser.add_argument("--empty", action="store_true", help="без прошлого: ни звонков, ни вебинаров за месяц")
    parser.add_argument("--weights", type=Path, help="папка с весами whisper для faster-whisper")
    parser.add_argument("--data", type=Path, help="папка данных; без неё — временная, убирается в конце")
    return parser.parse_args()


async def _run(arguments: argparse.Namespace) -> int:
    folder = arguments.data or scratch_folder()
    folder.mkdir(parents=True, exist_ok=True)
    stage: Stage | None = None

    def changed() -> None:
        if stage is not None:
            stage.changed()

    weights = Weights(arguments.weights or _cache() / "whisper-base", changed)
    real = _real_model() if arguments.real_model else None
    stage = Stage(folder, weights, real_model=real, fetch=not arguments.scripts, past=not arguments.empty)
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    try:
        await stage.open(arguments.port, Panel(stage).add_routes)
        address = stage.urls["telegram"]
        print(f"Демонстрация: {address}  (остановить: Ctrl+C)", flush=True)  # noqa: T201
        if not arguments.no_browser:
            with contextlib.suppress(webbrowser.Error):
                webbrowser.open(address)
        await stop.wait()
    except OSError as error:
        print(f"Порт {arguments.port} занят: {error.strerror}. Укажите другой: --port 8701", flush=True)  # noqa: T201
        return 1
    finally:
        await stage.close()
        if arguments.data is None:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


def _real_model() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(("OPENAI_", "STT_", "LLM_"))}


def _cache() -> Path:
    """Where the weights stay between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "svodka"


if __name__ == "__main__":
    raise SystemExit(main())
