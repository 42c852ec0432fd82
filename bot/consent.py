"""States of OAuth: what proves that a callback answers a link of ours, not older than an hour, and only once."""

import hashlib
import secrets
from datetime import datetime, timedelta

from bot.keys import Keys
from integrations.kit.signatures import same_secret
from storage.engine import Database
from storage.tokens import use_state

LIFE = timedelta(hours=1)


def new_state(keys: Keys, vendor: str, now: datetime) -> str:
    """Any process of this installation knows it again; nothing has to be kept for that."""
    told = f"{secrets.token_hex(12)}.{int(now.timestamp())}"
    return f"{told}.{keys.sign(f'{vendor}:{told}')}"


def is_ours(state: str, keys: Keys, vendor: str, now: datetime) -> bool:
    told, _, mark = state.rpartition(".")
    _, _, made = told.partition(".")
    if not same_secret(mark, keys.sign(f"{vendor}:{told}")):
        return False
    return timedelta() <= now - datetime.fromtimestamp(int(made), now.tzinfo) + timedelta(minutes=1) <= LIFE


async def use(database: Database, state: str, now: datetime) -> bool:
    """False for a state that somebody has come with before."""
    return await use_state(database, hashlib.sha256(state.encode()).hexdigest(), now=now, life=LIFE)
