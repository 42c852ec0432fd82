"""Two processes whose token has ended ask for another at once: the refresh token works once, so one asks and both go on."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from domain.ports import TokenPair
from integrations.amocrm.fake import Fake
from storage.engine import Database
from storage.tokens import StoredTokens
from storage.vault import Vault
from tests.conftest import Serve
from tests.ground import database
from tests.integrations.amocrm.renewing import CONNECTION, KEY

__all__ = ["database"]

ROOT = Path(__file__).parents[3]


async def begin(url: str, base_url: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integrations.amocrm.renewing", url, base_url,
        cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def said(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(120):
        return (await process.stdout.readline()).decode().strip()


async def test_one_of_two_processes_renews_and_both_have_the_new_token(database: Database, serve: Serve) -> None:
    fake = Fake()
    fake.refresh_tokens, fake.answers_after_s = {"refresh-0"}, 0.3  # long enough for the other to find it claimed
    store, now = StoredTokens(database, Vault([KEY]), CONNECTION), datetime.now(UTC)
    ended = TokenPair(access="access-0", refresh="refresh-0", expires_at=now - timedelta(hours=1))
    await store.save(ended, now=now, after=None)
    url, base_url = database.url.render_as_string(hide_password=False), await serve(fake.build_app())
    processes = [await begin(url, base_url) for _ in range(2)]
    try:
        assert [await said(process) for process in processes] == ["ready", "ready"]
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(b"now\n")
        assert [await said(process) for process in processes] == ["access-1", "access-1"]
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
            await process.communicate()
    assert fake.refreshed == 1
    assert len(fake.asked("oauth2/access_token")) == 1
    stored = await store.read()
    assert stored is not None
    assert (stored.pair.refresh, stored.version, stored.revoked) == ("refresh-1", 2, False)
