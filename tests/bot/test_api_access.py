"""Who is answered by the HTTP API: a key, what it opens, and what is said to everybody else."""

import logging

import pytest

from bot.http.api.access import GUESSES_PER_MINUTE
from domain.access import Scope
from storage.api_keys import new_secret
from tests.bot.api_door import ALL, BY, FIGURES, HOUSES, PEOPLE, TREE, Door


async def test_without_a_key_it_is_said_how_to_make_one(api: Door) -> None:
    for path in ALL:
        for given in ("", "Basic dXNlcjpwYXNz", "Bearer", "Bearer  "):
            status, body, headers = await api.ask(path, Authorization=given)
            assert (status, body["code"], headers["WWW-Authenticate"]) == (401, "no_key", 'Bearer realm="svodka"')
            assert "/settings → «Ключи API»" in body["hint"]
    assert not api.hooks.rejected


async def test_wrong_keys_are_refused_and_counted(api: Door) -> None:
    for given in (new_secret(), "svk_short", api.secret[:-1], "m" * 32):
        status, body, _ = await api.ask(HOUSES, Authorization=f"Bearer {given}")
        assert (status, body["code"]) == (401, "unknown_key")
        assert given not in str(body)
    assert api.hooks.rejected["WrongKey"] == 4
    assert (await api.ask(HOUSES, Authorization=f"bearer {api.secret}"))[0] == 200


async def test_who_guesses_is_slowed_down_and_who_has_a_key_is_not(api: Door) -> None:
    answers = [await api.ask(HOUSES, Authorization=f"Bearer {new_secret()}") for _ in range(GUESSES_PER_MINUTE + 3)]
    assert [status for status, _, _ in answers] == [401] * GUESSES_PER_MINUTE + [429] * 3
    assert answers[-1][2]["Retry-After"] == "60"
    assert (await api.ask(HOUSES))[0] == 200


async def test_each_scope_opens_its_own(api: Door) -> None:
    opens = {Scope.DIRECTORY: {HOUSES, PEOPLE, TREE}, Scope.STATISTICS: {FIGURES}, Scope.METRICS: {"/metrics"}}
    for scope, paths in opens.items():
        secret = await api.key(scope, name=scope.value)
        for path in (*ALL, "/metrics"):
            headers = {"Authorization": f"Bearer {secret}", "X-Forwarded-For": "203.0.113.9"}
            async with api.session.get(api.url + path, headers=headers) as answer:
                assert answer.status == (200 if path in paths else 403), (scope, path)
                if path not in paths:
                    body = await answer.json()
                    wanted = next(one for one, listed in opens.items() if path in listed)
                    assert (body["code"], body["scope"]) == ("wrong_scope", wanted)
                    assert f'scope="{wanted}"' in answer.headers["WWW-Authenticate"]


async def test_a_key_revoked_or_replaced_in_the_chat_opens_nothing_at_once(api: Door) -> None:
    await api.fill(3)
    assert (await api.ask(HOUSES))[0] == 200
    (key,) = await api.keys.all(1)
    made = await api.keys.replace(BY, key.id, now=api.clock.now(), grace=False)
    assert made is not None
    status, body, _ = await api.ask(HOUSES)
    assert (status, body["code"]) == (401, "replaced_key")
    api.secret = made[1]
    assert (await api.ask(HOUSES))[0] == 200
    await api.keys.revoke(BY, key.id, now=api.clock.now())
    status, body, _ = await api.ask(HOUSES)
    assert (status, body["code"], body["error"]) == (401, "revoked_key", "Ключ отозван.")


async def test_its_use_is_noted_once_a_minute(api: Door) -> None:
    for _ in range(5):
        await api.ask(HOUSES)
    commits = api.database.commits
    (key,) = await api.keys.all(1)
    assert key.last_used_at == api.clock.now()
    await api.ask(HOUSES)
    assert api.database.commits == commits
    api.clock.forward(60)
    await api.ask(HOUSES)
    assert api.database.commits == commits + 1


async def test_the_key_is_in_no_line_of_the_log(
    api: Door, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is full")

    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("bot.http.api.access.ApiKeys.note_use", broken)
    assert (await api.ask(HOUSES))[0] == 200  # that its use cannot be noted hurts nobody
    monkeypatch.setattr("bot.http.api.answers.statistics", broken)
    status, body, _ = await api.ask(FIGURES)
    assert status == 503
    assert str(body["error_id"]) in caplog.text
    assert "the disk is full" in caplog.text
    assert "disk" not in str(body)
    assert api.secret[4:] not in caplog.text
