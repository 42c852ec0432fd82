"""The demo's month: there before the bot starts, believable, the same but for its dates, and told to nobody."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from domain.digests import DigestKind, DigestPart
from domain.messages import as_text
from handlers.digests.content import DigestSources, digest_card, gather
from handlers.texts import load_texts
from handlers.wording import Reader
from integrations.bitrix24.fake import Fake as Portal
from integrations.bitrix24.fake_company import company
from sandbox.demo.history import WEBINARS_AGO, History
from sandbox.demo.past import remember
from sandbox.demo.people import answering
from storage.engine import Database
from storage.queries.spend import spending
from storage.rollups import Dimension
from storage.sets import fetch

MOSCOW = ZoneInfo("Europe/Moscow")


@pytest.mark.parametrize("now", [datetime(2026, 11, 28, 8, tzinfo=UTC), datetime(2027, 1, 4, 20, tzinfo=UTC)])
def test_a_month_that_ends_now(now: datetime) -> None:
    history, again = History(now, MOSCOW, 5), History(now, MOSCOW, 5)
    assert history.calls == again.calls
    assert max(call.at for call in history.calls) < now
    assert max(lead.at for lead in history.leads) < now
    assert len(history.webinars) == len(WEBINARS_AGO) == 4
    missed = Counter(call.at.astimezone(MOSCOW).date() for call in history.calls if call.outcome == "missed")
    assert missed.most_common(1)[0][0] == history.bad
    assert history.bad >= now.astimezone(MOSCOW).date() - timedelta(days=1)


async def test_what_the_bot_begins_with(tmp_path: Path) -> None:
    portal = Portal()
    company(portal)
    people = list(answering(portal))
    environment = {"DATA_DIR": str(tmp_path), "HOOK_SECRET": "the root of the addresses of a test"}
    await remember(environment, people)
    database = Database(f"sqlite:///{tmp_path / 'svodka.db'}")
    database.open()
    try:
        first = await counts(database)
        await remember(environment, people)
        assert await counts(database) == first
        assert (first["posts"], first["work"], first["webinars"]) == (0, 0, 4)
        assert first["calls"] > 1000
        now = datetime.now(UTC)
        period = {"first": (now - timedelta(days=30)).date(), "last": now.date()}
        assert len((await spending(database, 1, Dimension.SOURCE, **period)).by) == 4
        sources = DigestSources(database=database)
        facts = await gather(
            sources, 1, kind=DigestKind.WEEKLY, parts=frozenset(DigestPart), now=now, zone=MOSCOW
        )  # fmt: skip
        reader = Reader(texts=load_texts(), now=now, zone=MOSCOW)
        assert "🎓 «Чистый офис" in as_text(digest_card(facts, reader, full=True, key="x"))
    finally:
        await database.close()


async def counts(database: Database) -> dict[str, int]:
    tables = ("calls", "leads", "webinars", "registrations", "spend", "posts", "work")
    async with database.read() as connection:
        return {table: (await fetch(connection, f"SELECT count(*) FROM {table}", {}))[0][0] for table in tables}
