"""The console script: what each command prints, how it ends, and what it must never load."""

import asyncio
import json
import os
import runpy
import signal
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.cli import main
from bot.settings import VARIABLES
from bot.vendors import VENDORS
from storage.migrate import HEAD
from tests.bot.terminal import Terminal
from tests.e2e.town import Town, open_town
from tests.ground import lay

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Terminal:
    terminal = Terminal(monkeypatch, tmp_path)
    terminal.set({"DATA_DIR": str(tmp_path / "data")})
    return terminal


@pytest.fixture
async def town(tmp_path: Path, terminal: Terminal) -> AsyncIterator[Town]:
    async with open_town(tmp_path) as opened:
        terminal.set(opened.environment)
        yield opened


def python(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | environment
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=inherited, cwd=cwd, capture_output=True, text=True, timeout=200, check=False)


def test_the_version_loads_nothing_heavy() -> None:
    probe = (
        "import sys\n"
        "from bot.cli import main\n"
        "try: main(['--version'])\n"
        "except SystemExit as ended: assert ended.code == 0\n"
        "heavy = {'aiogram', 'aiohttp', 'sqlalchemy', 'httpx', 'openai', 'pydantic'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
    )
    done = python("-c", probe)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("svodka ")
    assert python("-m", "bot", "--version").stdout == done.stdout


def test_what_it_writes_is_for_its_owner_alone() -> None:
    probe = "import os; from bot.cli import main\ntry: main(['--version'])\nfinally: assert os.umask(0) == 0o077"
    assert python("-c", probe).returncode == 0


def test_no_command_but_run_loads_aiogram() -> None:
    others = ", ".join(
        f"bot.commands.{name}" for name in ("check", "status", "urls", "replay", "backup", "restore", "migrate")
    )
    done = python("-c", f"import sys, {others}; assert 'aiogram' not in sys.modules")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("chek",), "нет такой команды: chek"),
        (("replay",), "не хватает: НОМЕР|ФАЙЛ"),
        (("run", "--fast"), "лишнее: --fast"),
        (("replay", "x", "--vendor"), "у --vendor не хватает значения"),
        (("urls", "--json=1"), "--json пишется без значения"),
        ((), "не хватает: КОМАНДА"),
    ],
)
async def test_a_wrong_call_is_told_in_russian(terminal: Terminal, arguments: tuple[str, ...], told: str) -> None:
    said = await terminal(*arguments)
    assert said.status == 2
    assert said.err.splitlines()[0] == told
    assert "Как вызвать: svodka" in said.err


async def test_help_lists_every_command_in_russian(terminal: Terminal) -> None:
    said = await terminal("--help")
    assert said.status == 0
    for name in ("run", "demo", "migrate", "check (doctor, check-config)", "urls", "replay", "status", "backup", "restore"):
        assert f"    {name} " in said.out + " " or f"    {name}\n" in said.out
    assert "usage" not in said.out
    assert "usage" not in (await terminal("check", "--help")).out


async def test_a_wrong_setting_is_one_line(terminal: Terminal) -> None:
    terminal.set({"TELEGRAM_BOT_TOKEN": "nonsense"})
    said = await terminal("run")
    assert said.status == 2
    assert said.err.startswith("TELEGRAM_BOT_TOKEN: ")
    assert said.err.count("\n") == 1
    terminal.unset("TELEGRAM_BOT_TOKEN")
    assert (await terminal("run")).err.startswith("TELEGRAM_BOT_TOKEN: получите токен")


@pytest.mark.parametrize("url", ["mysql://user:pass-word@host/db", "://pass-word"])
async def test_a_database_of_another_kind_is_refused_without_its_password(terminal: Terminal, url: str) -> None:
    terminal.set({"DB_URL": url})
    for command in ("status", "migrate", "backup"):
        said = await terminal(command)
        assert said.status == 2
        assert said.err.startswith("DB_URL: ")
        assert "pass-word" not in said.err


async def test_a_terminal_without_cyrillic_gets_marks_instead(terminal: Terminal) -> None:
    done = await asyncio.to_thread(python, "-m", "bot", "--help", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0, done.stderr
    assert "????" in done.stdout


async def test_a_reader_that_has_seen_enough_makes_no_noise(terminal: Terminal) -> None:
    command = f"{sys.executable} -m bot urls | true"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATA_DIR": str(terminal.folder / "data")}
    done = await asyncio.to_thread(
        subprocess.run, command, shell=True, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert "Traceback" not in done.stderr


async def test_urls_for_people_and_for_programs(terminal: Terminal) -> None:
    terminal.set({"HOOK_SECRET": "a root of secrets for a test", "PUBLIC_URL": "https://svodka.example/"})
    said = await terminal("urls", "--json")
    assert (said.status, said.err) == (0, "")
    listed = json.loads(said.out)
    first, seed = listed["bitrix24"]
    assert first["event"] == seed["event"] == "ONVOXIMPLANTCALLEND"
    assert first["url"].startswith("https://svodka.example/hooks/bitrix24/")
    assert len(first["url"].rsplit("/", 1)[1]) == 32
    assert seed["url"] == "https://svodka.example/api/bitrix-webhook/call-finished"
    report, registration, of_the_papers = listed["bizon365"]
    assert report["url"].startswith("https://svodka.example/hooks/bizon365/")
    assert registration["url"].startswith("https://svodka.example/bizon_webhook/")
    assert report["event"] == of_the_papers["event"] != registration["event"]
    address, _, user_id = of_the_papers["url"].partition("?user_id=")
    assert address == "https://svodka.example/api/webhooks/bizon"
    assert uuid.UUID(user_id).version == 4
    said = await terminal("urls")
    assert first["url"] in said.out
    assert "Битрикс24 — пока не подключён: задайте BITRIX24_WEBHOOK_URL" in said.out
    terminal.unset("PUBLIC_URL")
    terminal.set({"BITRIX24_WEBHOOK_URL": "https://p.example/rest/1/code-of-a-hook/", "HTTP_HOST": "0.0.0.0"})
    said = await terminal("urls")
    assert "http://127.0.0.1:8080/hooks/bitrix24/" in said.out
    assert "PUBLIC_URL" in said.err
    assert "Битрикс24 — пока не подключён" not in said.out


async def test_new_keys_are_never_made_beside_data(terminal: Terminal) -> None:
    (terminal.folder / "data").mkdir()
    await lay(terminal.folder / "data/svodka.db")
    said = await terminal("urls")
    assert said.status == 2
    assert "папку keys из резервной копии" in said.err
    assert not (terminal.folder / "data/keys").exists()


async def test_migrate_makes_refuses_and_upgrades(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    said = await terminal("migrate")
    assert (said.status, said.out) == (0, f"База создана ({HEAD}).\n")
    assert "делать нечего" in (await terminal("migrate")).out
    file = terminal.folder / "data/svodka.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    said = await terminal("migrate")
    assert said.status == 2
    assert "обновите программу" in said.err
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DROP TABLE alembic_version")
    said = await terminal("migrate")
    assert said.status == 2
    assert "чужие таблицы" in said.err


async def test_migrate_keeps_a_copy_before_an_upgrade(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    await terminal("migrate")
    monkeypatch.setattr("storage.migrate.HEAD", "9999")
    said = await terminal("migrate")
    assert said.status == 0
    (copy,) = (terminal.folder / "data/backups").iterdir()
    assert copy.name.startswith("before-migrate-")
    assert str(copy) in said.out
    assert f"{HEAD} → " in said.out


async def test_status_without_a_process_and_without_data(terminal: Terminal) -> None:
    said = await terminal("status")
    assert said.status == 2
    assert "ещё нет" in said.err
    assert not (terminal.folder / "data").exists()
    await terminal("migrate")
    said = await terminal("status")
    assert said.status == 1
    assert "Сводка не запущена" in said.out
    assert "В работе 0 дел" in said.out
    with closing(sqlite3.connect(terminal.folder / "data/svodka.db")) as connection, connection:
        connection.execute("DELETE FROM alembic_version")
    assert "svodka run" in (await terminal("status")).err


async def test_status_replay_and_migrate_beside_a_running_process(town: Town, terminal: Terminal) -> None:
    await town.start()
    call = await town.end_call()
    await town.until_card("Готово через", seconds=60)
    await town.until(lambda: town.portal.comments)
    said = await terminal("status")
    assert (said.status, said.err) == (0, "")
    assert "Сводка" in said.out.splitlines()[0]
    assert "работает" in said.out.splitlines()[0]
    assert "Последнее событие bitrix24: " in said.out
    said = await terminal("migrate")
    assert said.status == 1
    assert "остановите её" in said.err
    assert (await terminal("restore", "--already")).status == 1

    with closing(sqlite3.connect(town.folder / "data/svodka.db")) as connection:
        (delivery,) = connection.execute("SELECT id FROM inbox").fetchone()
    said = await terminal("replay", delivery)
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith("Запущено: 1 дело.")
    await town.until(lambda: finished(town) == 2)
    said = await terminal("replay", call.call_id)
    assert said.out.startswith("Запущено: 1 дело.")
    await town.until(lambda: finished(town) == 3)
    assert "в журнале нет" in (await terminal("replay", "0123456789abcdef")).err

    recorded = town.folder / "event.http"
    body = town.portal.event_body(town.call())
    recorded.write_bytes(b"# source: constructed\nPOST /api/bitrix-webhook/call-finished HTTP/1.1\n\n" + body)
    said = await terminal("replay", str(recorded))
    assert said.out.startswith("Запущено: 1 дело.")
    await town.until(lambda: finished(town) == 4)
    recorded.write_bytes(b"POST /elsewhere HTTP/1.1\n\nevent=ONVOXIMPLANTCALLEND")
    assert (await terminal("replay", str(recorded))).err.startswith("--vendor: ")
    said = await terminal("replay", str(recorded), "--vendor", "bitrix24")
    assert said.status == 1
    assert "не разобрать" in said.err
    recorded.write_bytes(b"POST /hooks/bitrix24/x HTTP/1.1\n\nevent=ONCRMLEADADD&data[FIELDS][ID]=1")
    said = await terminal("replay", str(recorded))
    assert "нет события" in said.out


def finished(town: Town) -> int:
    with closing(sqlite3.connect(town.folder / "data/svodka.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM work WHERE kind = 'call' AND state = 'done'").fetchone()[0])


async def test_replay_without_a_process_leaves_nothing_to_be_done_later(terminal: Terminal) -> None:
    await terminal("migrate")
    said = await terminal("replay", "0123456789abcdef")
    assert said.status == 1
    assert "не запущена" in said.err
    with closing(sqlite3.connect(terminal.folder / "data/svodka.db")) as connection:
        assert connection.execute("SELECT count(*) FROM requests").fetchone() == (0,)


async def test_an_unanswered_request_is_taken_back(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    async def leads(*_: object) -> bool:
        return True

    await terminal("migrate")
    monkeypatch.setattr("bot.commands.asking.somebody_leads", leads)
    monkeypatch.setattr("bot.commands.replay.ANSWER_SECONDS", 0.4)
    said = await terminal("replay", "0123456789abcdef")
    assert said.status == 1
    assert "не ответила" in said.err
    with closing(sqlite3.connect(terminal.folder / "data/svodka.db")) as connection:
        assert connection.execute("SELECT state FROM requests").fetchall() == [("failed",)]


@pytest.mark.parametrize(
    ("what", "told"),
    [("no/such/file.http", "файла no/such/file.http нет"), ("event.http", "файла event.http нет")],
)
async def test_replay_of_a_file_that_is_not_there(terminal: Terminal, what: str, told: str) -> None:
    said = await terminal("replay", what)
    assert said.status == 2
    assert told in said.err


async def test_replay_of_a_file_that_is_no_request(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    (terminal.folder / "page.html").write_text("<html>")
    assert "это не записанный запрос" in (await terminal("replay", "page.html")).err
    monkeypatch.setattr("bot.commands.replay.MAX_REQUEST", 3)
    assert "слишком велик" in (await terminal("replay", "page.html")).err


def test_the_demo_is_a_child_that_gets_the_options_and_the_signals(tmp_path: Path) -> None:
    sandbox = tmp_path / "sandbox"
    sandbox.mkdir()
    (sandbox / "__init__.py").write_text("")
    (sandbox / "__main__.py").write_text(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        "print(sys.argv[1:], flush=True)\n"
        "time.sleep(100)\n"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    demo = [sys.executable, "-m", "bot", "demo", "--port", "8701", "--no-browser", "--real-model", "--scripts"]
    with subprocess.Popen(demo, env=environment, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout is not None
        told = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 7
    assert told == "['--real-model', '--no-browser', '--port', '8701', '--scripts']\n"


def test_a_demo_that_was_killed_says_so(tmp_path: Path) -> None:
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "sandbox/__init__.py").write_text("")
    (tmp_path / "sandbox/__main__.py").write_text("import os; os.kill(os.getpid(), 9)")
    assert python("-m", "bot", "demo", cwd=tmp_path, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}").returncode == 128 + 9


def test_the_example_shows_the_defaults() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    every = [*VARIABLES, *(variable for vendor in VENDORS for variable in vendor.variables)]
    missing = [v.name for v in every if not {f"{v.name}={v.default}", f"# {v.name}={v.default}"} & set(lines)]
    assert missing == []
    live = [line for line in lines if line and not line.startswith("#")]
    assert [line.split("=")[0] for line in live] == [
        "TELEGRAM_BOT_TOKEN", "TELEGRAM_TARGET_CHAT_ID", "BITRIX24_WEBHOOK_URL", "OPENAI_API_KEY",
    ]  # fmt: skip
    assert all(line.endswith("=") for line in live)


def _ending_with(error: BaseException) -> Callable[..., int]:
    def execute(*_: object) -> int:
        raise error

    return execute


def test_ctrl_c_and_a_closed_pipe_end_quietly(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("bot.commands.urls.execute", _ending_with(KeyboardInterrupt()))
    assert main(["urls"]) == 130
    monkeypatch.setattr("bot.commands.urls.execute", _ending_with(BrokenPipeError()))
    with Path(os.devnull).open("w", encoding="ascii") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        assert main(["urls"]) == 1
    assert capfd.readouterr().err == ""


def test_python_m_bot_is_the_same(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["svodka", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("bot", run_name="__main__")
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("svodka ")


def test_the_demo_ends_as_its_child_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "sandbox/__init__.py").write_text("")
    (tmp_path / "sandbox/__main__.py").write_text(
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n"
        "os.kill(os.getppid(), signal.SIGTERM)\n"
        "time.sleep(100)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    before = signal.getsignal(signal.SIGTERM)
    assert main(["demo", "--port", "1"]) == 3
    assert signal.getsignal(signal.SIGTERM) is before
    assert capfd.readouterr().err == ""


async def test_the_help_has_no_english_heading(terminal: Terminal) -> None:
    said = await terminal("import", "--help")
    assert "Что указать" in said.out
    assert "arguments" not in said.out
