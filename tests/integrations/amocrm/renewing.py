"""A process of its own that needs a token: told when to ask, it prints the token it got. Run by test_two_processes."""

import asyncio
import sys
from functools import partial

from bot.clock import SystemClock
from domain.ports import TokenPair
from integrations.amocrm.access import Pairs
from integrations.amocrm.oauth import exchange
from integrations.amocrm.settings import Settings
from storage.engine import Database
from storage.tokens import StoredTokens
from storage.vault import Vault

KEY = "a key of a test, long enough"
CONNECTION = 7


async def ask(url: str, base_url: str) -> None:
    settings = Settings(
        base_url=base_url, client_id="fake-id", client_secret="fake-secret", redirect_uri="https://s.example"
    )
    database, clock = Database(url), SystemClock()
    database.open()

    async def renew(refresh_token: str) -> TokenPair:
        return await exchange(settings, clock, base_url, refresh_token=refresh_token)

    pairs = Pairs(StoredTokens(database, Vault([KEY]), CONNECTION), renew, clock, sleep=partial(asyncio.sleep, 0.05))
    _say("ready")
    await asyncio.to_thread(sys.stdin.readline)
    _say(await pairs.token())
    await database.close()


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(ask(sys.argv[1], sys.argv[2]))
