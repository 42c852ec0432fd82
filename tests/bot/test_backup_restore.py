"""After a restore nothing old is told, asked or paid for again, and what is new is worked on: with the real process."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.clock import SystemClock
from bot.keys import load_keys
from bot.services import build_services
from bot.settings import read_settings
from storage.engine import Database
from storage.models import calls, connections, notices, posts, work
from tests.bot.terminal import Terminal
from tests.e2e.town import Town, open_town
from tests.postgres import Postgres

KEYS = {"SECRET_KEY": "a key of a test and long enough", "HOOK_SECRET": "another key of a test and long enough"}


@pytest.fixture(params=["sqlite", "postgresql"])
async def town(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Town]:
    more = {}
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        more = {"DB_URL": await server.fresh_database(), **KEYS}
    async with open_town(tmp_path, **more) as opened:
        yield opened


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Terminal:
    return Terminal(monkeypatch, tmp_path)


async def test_nothing_old_comes_back_and_what_is_new_is_worked_on(town: Town, terminal: Terminal) -> None:
    terminal.set(town.environment)
    archive = terminal.folder / "copy.tar.gz"
    await town.start()
    await town.end_call(phone="+79005550101")
    await town.until_card("Готово через", "555-01-01", seconds=60)
    await town.until(lambda: town.portal.comments)
    # half done: paid and not answered; and a card on its way to the chat
    town.models.hold()
    held = town.telegram.hold(method="sendMessage", chat=town.group)
    half = await town.end_call(phone="+79005550102")
    await town.until(lambda: town.models.paid["transcriptions"] == 2 and len(town.cards()) == 2)
    said = await terminal("backup", str(archive))
    assert said.status == 0, said
    # all that happens after the copy
    town.models.release()
    held.release()
    await town.until_card("Готово через", "555-01-02")
    await town.end_call(phone="+79005550103")
    await town.until_card("Готово через", "555-01-03")
    await town.until(lambda: len(town.portal.comments) == 3)
    await town.stop()
    before = (len(town.telegram.sent), len(town.telegram.edits), dict(town.models.paid), list(town.portal.comments))

    said = await terminal("restore", str(archive))
    assert said.status == 0, said
    assert "Придержано: 1 сообщение" in said.out
    assert "Остановлено: 1 дело" in said.out
    assert f"bitrix24:{half.call_id}: svodka replay " in said.out
    assert "Битрикс24: звонков после копии — 1" in said.out
    await looked_at_again(town)  # every poll and the daily reconciliation

    await town.start()
    await town.end_call(phone="+79005550104")
    await town.until_card("Готово через", "555-01-04")
    await town.until(lambda: len(town.portal.comments) == 4)
    await town.post_event(half)
    await asyncio.sleep(0.5)
    sent, edits, paid, comments = before
    assert all("555-01-04" in one.text for one in town.telegram.sent[sent:])
    assert all("555-01-04" in one.after.text for one in town.telegram.edits[edits:])
    assert town.models.paid == {name: count + 1 for name, count in paid.items()}
    assert town.portal.comments[:3] == comments
    status = await terminal("status")
    assert "Придержано после восстановления: 1 сообщение" in status.out
    await town.stop()


async def looked_at_again(town: Town) -> None:
    """What a leader would look for by itself, at once instead of at night."""
    settings = read_settings(town.environment)
    database = Database(settings.db_url)
    database.open()
    services = await build_services(settings, load_keys(settings), database, SystemClock())
    try:
        for poll in services.polls:
            assert await poll.poll() == 0
            result = await poll.reconcile()
            assert result is not None
            assert result.found == 0
        assert await services.work.next_due() is None
    finally:
        await services.close()


async def test_a_vendor_that_does_not_answer_does_not_stop_a_restore(town: Town, terminal: Terminal) -> None:
    terminal.set(town.environment)
    archive = terminal.folder / "copy.tar.gz"
    await town.start()
    await town.until(lambda: town.portal.asked("voximplant.statistic.get"))
    await town.stop()
    assert (await terminal("backup", str(archive))).status == 0
    town.portal.down = True
    said = await terminal("restore", str(archive))
    assert said.status == 0
    assert "Битрикс24 не ответил" in said.out
    async with opened(town) as database, database.read() as connection:
        assert set(await connection.scalars(select(connections.c.cursor))) == {""}  # a quiet first poll
        assert await connection.scalar(select(notices.c.active).where(notices.c.key == "restored")) is True
    town.portal.down = False
    town.call()
    said = await terminal("restore", "--already")
    assert said.status == 0, said
    assert "звонков после копии — 1" in said.out
    async with opened(town) as database, database.read() as connection:
        assert set(await connection.scalars(select(work.c.state))) == {"done"}  # a reading of the lists is none to mourn
        assert list(await connection.scalars(select(calls.c.state))) == ["old"]
        assert list(await connection.scalars(select(posts.c.id))) == []


def opened(town: Town) -> "Opened":
    return Opened(town)


class Opened:
    """The town's database, for looking into it."""

    def __init__(self, town: Town) -> None:
        self._database = Database(town.environment.get("DB_URL", f"sqlite:///{town.folder}/data/svodka.db"))

    async def __aenter__(self) -> Database:
        self._database.open()
        return self._database

    async def __aexit__(self, *_: object) -> None:
        await self._database.close()
