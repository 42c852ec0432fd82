"""The life of a key: kept as a hash, replaced with a day's grace or at once, revoked for every process at once."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from domain.access import KeyState, Scope
from domain.errors import BadInput
from domain.roles import Person, Role
from storage.api_keys import GRACE, MOST_KEYS, ApiKeys, is_key, new_secret
from storage.engine import Database
from storage.migrate import migrate
from storage.models import api_keys, audit
from storage.updates import Updates
from tests.ground import HandClock, opened
from tests.postgres import Postgres

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BY = Person(user_id=1, account_id=1, telegram_id=10, role=Role.OWNER, name="Анна")
ALL = tuple(Scope)


@pytest.fixture
def keys(lite: Database) -> ApiKeys:
    return ApiKeys(lite)


async def state_of(keys: ApiKeys, secret: str, now: datetime = NOW) -> KeyState | None:
    shown = await keys.look_up(secret, now=now)
    return shown.state if shown is not None else None


async def test_a_key_is_known_by_its_secret_and_kept_without_it(database: Database) -> None:
    keys = ApiKeys(database)
    key, secret = await keys.make(BY, "  Сайт  компании ", [Scope.DIRECTORY, Scope.STATISTICS], now=NOW)
    shown = await keys.look_up(secret, now=NOW)
    assert shown is not None
    assert (shown.key, shown.state, shown.old) == (key, KeyState.LIVE, False)
    assert (key.name, key.scopes, key.account_id) == ("Сайт компании", {Scope.DIRECTORY, Scope.STATISTICS}, 1)
    async with database.read() as connection:
        rows = [*(await connection.execute(select(api_keys))), *(await connection.execute(select(audit)))]
    assert "api_key_made" in str(rows)
    assert secret not in str(rows)
    assert secret[12:] not in str(rows)


async def test_what_is_no_key_opens_nothing(keys: ApiKeys) -> None:
    await keys.make(BY, "Сайт", ALL, now=NOW)
    for given in ("", "svk_", "svk_short", f"svk_{'a' * 43}", f"Bearer svk_{'a' * 43}", f"svk_{'ф' * 43}"):
        assert await keys.look_up(given, now=NOW) is None


def test_keys_are_long_and_differ() -> None:
    made = {new_secret() for _ in range(50)}
    assert len(made) == 50
    assert all(is_key(secret) and len(secret) >= 4 + 32 for secret in made)


async def test_what_cannot_be_made_is_said(keys: ApiKeys) -> None:
    await keys.make(BY, "Сайт", ALL, now=NOW)
    wrong: list[tuple[str, tuple[Scope, ...], str]] = [(name, ALL, "name") for name in ("", " ", "и" * 41, "САЙТ")]
    for name, scopes, field in [*wrong, ("Другой", (), "scopes")]:
        with pytest.raises(BadInput) as problem:
            await keys.make(BY, name, scopes, now=NOW)
        assert problem.value.field == field
    assert len(await keys.all(1)) == 1


async def test_there_is_an_end_of_keys(keys: ApiKeys) -> None:
    for number in range(MOST_KEYS):
        key, _ = await keys.make(BY, f"Ключ {number}", ALL, now=NOW)
    with pytest.raises(BadInput):
        await keys.make(BY, "Ещё один", ALL, now=NOW)
    await keys.revoke(BY, key.id, now=NOW)
    await keys.make(BY, "Ещё один", ALL, now=NOW)


async def test_a_replaced_key_has_a_day(keys: ApiKeys) -> None:
    key, old = await keys.make(BY, "Сайт", ALL, now=NOW)
    made = await keys.replace(BY, key.id, now=NOW, grace=True)
    assert made is not None
    fresh, new = made
    assert (fresh.id, fresh.name, fresh.old_prefix, fresh.old_until) == (key.id, "Сайт", old[:8], NOW + GRACE)
    assert [await state_of(keys, secret, NOW + GRACE - MINUTE) for secret in (old, new)] == [KeyState.LIVE] * 2
    assert [await state_of(keys, secret, NOW + GRACE) for secret in (old, new)] == [KeyState.REPLACED, KeyState.LIVE]
    await keys.replace(BY, key.id, now=NOW, grace=True)
    assert await state_of(keys, old) is None  # two at most open the same
    assert await state_of(keys, new) is KeyState.LIVE


async def test_or_ends_at_once(keys: ApiKeys) -> None:
    key, old = await keys.make(BY, "Сайт", ALL, now=NOW)
    made = await keys.replace(BY, key.id, now=NOW, grace=False)
    assert made is not None
    assert [await state_of(keys, secret) for secret in (old, made[1])] == [KeyState.REPLACED, KeyState.LIVE]


async def test_revoked_here_is_revoked_on_the_second_node(postgres: Postgres) -> None:
    async with postgres.lent(migrate) as url, opened(url) as first, opened(url) as second:
        keys, there = ApiKeys(first), ApiKeys(second)
        key, old = await keys.make(BY, "Сайт", ALL, now=NOW)
        made = await keys.replace(BY, key.id, now=NOW, grace=True)
        assert made is not None
        assert [await state_of(there, secret) for secret in (old, made[1])] == [KeyState.LIVE] * 2
        await keys.revoke(BY, key.id, now=NOW)
        assert [await state_of(there, secret) for secret in (old, made[1])] == [KeyState.REVOKED] * 2


async def test_a_revoked_key_is_gone(keys: ApiKeys) -> None:
    key, secret = await keys.make(BY, "Сайт", ALL, now=NOW)
    assert await state_of(keys, secret) is KeyState.LIVE
    assert await state_of(keys, secret, NOW + 10 * GRACE) is KeyState.LIVE
    await ApiKeys(keys._database).revoke(BY, key.id, now=NOW)  # by somebody who has read nothing of it
    assert await state_of(keys, secret) is KeyState.REVOKED
    assert await keys.all(1) == ()
    assert await keys.revoke(BY, key.id, now=NOW) is None
    assert await keys.replace(BY, key.id, now=NOW, grace=True) is None


async def test_another_account_sees_and_changes_none_of_it(keys: ApiKeys) -> None:
    key, secret = await keys.make(BY, "Сайт", ALL, now=NOW)
    stranger = Person(user_id=5, account_id=2, telegram_id=50, role=Role.OWNER, name="Пётр")
    assert await keys.all(2) == ()
    assert await keys.find(2, key.id) is None
    assert await keys.revoke(stranger, key.id, now=NOW) is None
    assert await keys.replace(stranger, key.id, now=NOW, grace=False) is None
    assert await state_of(keys, secret) is KeyState.LIVE


async def test_use_is_noted_at_most_once_a_minute_and_apart_for_the_old_one(keys: ApiKeys, lite: Database) -> None:
    key, old = await keys.make(BY, "Сайт", ALL, now=NOW)
    made = await keys.replace(BY, key.id, now=NOW, grace=True)
    assert made is not None
    for seconds in (0, 59):
        for secret in (old, made[1]):
            shown = await keys.look_up(secret, now=NOW)
            assert shown is not None
            await keys.note_use(shown, now=NOW + timedelta(seconds=seconds))
    seen = await keys.find(1, key.id)
    assert seen is not None
    assert (seen.last_used_at, seen.old_used_at) == (NOW, NOW)
    shown = await keys.look_up(made[1], now=NOW)
    assert shown is not None
    await keys.note_use(shown, now=NOW + MINUTE)
    seen = await keys.find(1, key.id)
    assert seen is not None
    assert (seen.last_used_at, seen.old_used_at) == (NOW + MINUTE, NOW)


async def test_a_button_below_a_key_brings_no_key_into_the_database(lite: Database, clock: HandClock) -> None:
    """Telegram sends the message along with the press, its copy button too."""
    secret = new_secret()
    below = {"chat": {"id": 10}, "text": f'Ключ\n{secret}\ncurl -H "Authorization: Bearer {secret}"'}
    below |= {"reply_markup": {"inline_keyboard": [[{"text": "Скопировать", "copy_text": {"text": secret}}]]}}
    await Updates(lite, clock).add([{"update_id": 1, "callback_query": {"data": "keyseen:0", "message": below}}])
    (stored,) = await Updates(lite, clock).waiting(1, familiar=False)
    assert secret[8:] not in str(stored.body)
    assert stored.body["callback_query"]["message"]["text"].startswith("Ключ\nsvk_***\ncurl")
