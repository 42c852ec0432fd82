"""The image and its compose file, as far as they can be tried without a Docker engine."""

import asyncio
import json
import re
import shlex
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from aiohttp import web

from tests.conftest import Serve

ROOT = Path(__file__).resolve().parent.parent
SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|KEY")


class Instruction(NamedTuple):
    word: str
    rest: str


def _instructions() -> list[Instruction]:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    split = [line.split(maxsplit=1) for line in lines if line.strip() and not line.startswith("#")]
    return [Instruction(word, rest) for word, rest in split]


def _last_stage() -> list[Instruction]:
    every = _instructions()
    start = max(index for index, instruction in enumerate(every) if instruction.word == "FROM")
    return every[start:]


def _health_command() -> list[str]:
    (check,) = (i for i in _last_stage() if i.word == "HEALTHCHECK")
    command: list[str] = json.loads(check.rest[check.rest.index("CMD") + 3 :])
    assert command[0] == "python"
    return [sys.executable, *command[1:]]


def test_two_stages_on_a_named_python() -> None:
    stages = [i.rest.split()[0] for i in _instructions() if i.word == "FROM"]
    assert stages == ["python:3.11-slim-bookworm"] * 2


def test_everything_is_installed_by_hash() -> None:
    installs = [part for i in _instructions() if i.word == "RUN" for part in i.rest.split("&&") if "pip install" in part]
    assert installs
    assert all("--require-hashes" in part or "--no-deps --no-build-isolation ." in part for part in installs)


def test_nothing_in_it_runs_as_root_or_holds_a_secret() -> None:
    stage = _last_stage()
    (user,) = (i.rest for i in stage if i.word == "USER")
    assert int(user.split(":")[0]) > 0
    words = [i.word for i in stage]
    assert words.index("USER") < words.index("ENTRYPOINT")
    names = [name.split("=")[0] for i in _instructions() if i.word in {"ENV", "ARG"} for name in i.rest.split()]
    assert [name for name in names if SECRET.search(name)] == []


def test_it_listens_outside_and_keeps_its_data_in_a_volume() -> None:
    environment = dict(pair.split("=", 1) for i in _last_stage() if i.word == "ENV" for pair in shlex.split(i.rest))
    assert environment["HTTP_HOST"] == "0.0.0.0"
    assert [environment["DATA_DIR"]] == [i.rest for i in _last_stage() if i.word == "VOLUME"]


def test_every_copied_path_is_let_in() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = [line[1:] for line in lines if line.startswith("!")]
    assert "*" in lines
    sources = [s for i in _instructions() if i.word == "COPY" and "--from" not in i.rest for s in i.rest.split()[:-1]]
    for source in (name.replace("${LOCK}", "run") for name in sources):
        assert any(fnmatch(source, pattern) for pattern in let_in), source
    assert {"bot", "domain", "handlers", "integrations", "sandbox", "storage", "alembic"} <= set(sources)


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
async def test_the_health_check_believes_the_answer(serve: Serve, status: int, code: int) -> None:
    async def health(request: web.Request) -> web.Response:
        return web.json_response({}, status=status)

    app = web.Application()
    app.router.add_get("/api/health", health)
    port = (await serve(app)).rsplit(":", 1)[1]
    assert await _run_check({"HTTP_PORT": port}) == code
    assert await _run_check({"PORT": port}) == code


async def test_the_health_check_fails_where_nobody_listens(unused_tcp_port: int) -> None:
    assert await _run_check({"HTTP_PORT": str(unused_tcp_port), "HTTP_PROXY": "http://127.0.0.1:9"}) == 1


async def _run_check(environment: dict[str, str]) -> int:
    program, *arguments = _health_command()
    process = await asyncio.create_subprocess_exec(program, *arguments, env=environment, stderr=asyncio.subprocess.DEVNULL)
    return await process.wait()


def _compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


def test_compose_starts_svodka_alone_and_postgres_on_request() -> None:
    services = _compose()["services"]
    assert [name for name, service in services.items() if "profiles" not in service] == ["svodka"]
    assert services["postgres"]["profiles"] == ["postgres"]
    assert services["svodka"]["depends_on"]["postgres"] == {"condition": "service_healthy", "required": False}


def test_compose_limits_the_logs_and_publishes_on_the_loopback_only() -> None:
    services = _compose()["services"]
    for service in services.values():
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert all(port.startswith("127.0.0.1:") for service in services.values() for port in service.get("ports", []))


def test_compose_reads_the_settings_file_and_has_every_volume() -> None:
    compose = _compose()
    assert compose["services"]["svodka"]["env_file"] == [{"path": ".env", "required": False}]
    used = {volume.split(":")[0] for service in compose["services"].values() for volume in service.get("volumes", [])}
    assert used == compose["volumes"].keys()
    assert not SECRET.search(" ".join(compose["services"]["svodka"]["environment"]))
