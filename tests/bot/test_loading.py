"""What is loaded when: hooks wait for nothing that they do not need."""

import asyncio
import sys
import threading
from pathlib import Path

import pytest

from bot.loading import load
from tests.bot.test_cli import python


def test_hooks_are_accepted_before_anything_they_do_not_need_is_loaded(tmp_path: Path) -> None:
    settings = {
        "DATA_DIR": str(tmp_path),
        "TELEGRAM_BOT_TOKEN": "1:a-bot-of-a-test",
        "BITRIX24_WEBHOOK_URL": "http://127.0.0.1:9/rest/1/code-of-a-hook/",
        "OPENAI_API_KEY": "sk-a-key-of-a-test",
        "HTTP_PORT": "0",
        "SECRET_KEY": "a-key-of-a-test-of-the-start",
        "HOOK_SECRET": "a root of secrets for a test",
    }
    assert python("-m", "bot", "migrate", **settings).returncode == 0
    probe = (
        "import sys\n"
        "from bot import app\n"
        "from bot.cli import main\n"
        "async def listening(self):\n"
        "    print(*sys.modules)\n"
        "    sys.exit(9)\n"
        "app.Process._furnish = listening\n"
        "main(['run'])\n"
    )
    done = python("-c", probe, **settings)
    assert done.returncode == 9, done.stderr
    loaded = set(done.stdout.split())
    assert {"aiohttp", "sqlalchemy", "bot.http.ingress", "storage.inbox"} <= loaded
    later = {"aiogram", "openai", "httpx", "apscheduler", "phonenumbers", "rapidfuzz", "av", "alembic", "psycopg"}
    ours = {"bot.services", "bot.schedule", "integrations.kit.http", "integrations.extractive", "handlers.calls.pipeline"}
    assert loaded & (later | ours) == set()


def test_the_sdk_of_models_is_loaded_whole_before_it_is_used() -> None:
    """Its parts load themselves at their first use, which would be on the event loop; it is built in a thread."""
    probe = (
        "import sys\n"
        "from integrations.openai import wire\n"
        "from integrations.openai.settings import read_settings\n"
        "wire._build(read_settings({'OPENAI_API_KEY': 'sk-a-key-of-a-test'}).llm.route)\n"
        "before = set(sys.modules)\n"
        "from openai.resources.audio import AsyncTranscriptions\n"
        "from openai.resources.chat.completions import AsyncCompletions\n"
        "print(*(set(sys.modules) - before))\n"
    )
    done = python("-c", probe)
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


async def test_a_module_on_its_way_in_another_thread_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, gate = "a_module_of_this_test_that_takes_long", threading.Event()
    (tmp_path / f"{name}.py").write_text(f"import sys\nsys.modules['{name}.gate'].wait(20)\nlast = 1\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, f"{name}.gate", gate)  # type: ignore[arg-type]
    try:
        first = asyncio.create_task(load(name))
        while name not in sys.modules:
            await asyncio.sleep(0.001)
        second = asyncio.create_task(load(name))
        await asyncio.sleep(0.01)
        assert not second.done()
        gate.set()
        assert (await second).last == (await first).last == 1
    finally:
        gate.set()
        sys.modules.pop(name, None)
