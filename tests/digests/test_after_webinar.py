"""The digest of a webinar: who was there against the usual of its room, what brought them, what that cost."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from domain.digests import DigestKind, DigestPart
from domain.messages import Message, as_text
from domain.webinars import Marks
from handlers.analytics.company import Indicator
from handlers.digests.content import DigestFacts, DigestSources, digest_card, gather
from handlers.texts import load_texts
from handlers.wording import Reader
from storage.engine import Database
from storage.models import calls, spend
from tests.digests.company import MORNING, MOSCOW, call
from tests.handlers.conftest import Golden
from tests.storage.hall import START, Hall, after, another, lead, viewer

NOW = after(16 * 60)
READER = Reader(texts=load_texts(), now=NOW, zone=MOSCOW)
DAYS = (-28, -21, -14, -7)


async def told(database: Database, webinar_id: int, kind: DigestKind = DigestKind.WEBINAR) -> DigestFacts:
    return await gather(
        DigestSources(database=database), 1, kind=kind, parts=frozenset(DigestPart), now=NOW, zone=MOSCOW,
        webinar_id=webinar_id,
    )  # fmt: skip


def card(facts: DigestFacts, *, full: bool = False) -> Message:
    return digest_card(facts, READER, full=full, key="digest:1")


@pytest.fixture
async def hall(lite: Database) -> Hall:
    """Four webinars with twenty people each."""
    hall = Hall(lite)
    await hall.save(*(lead(f"7999000000{n}", first=Marks(source="VK" if n % 3 else "yandex")) for n in range(6)))
    for days in DAYS:
        await hall.hold([viewer(f"7999000{n:04}") for n in range(100, 120)], another(days=days))
    return hall


async def spent(database: Database, day: date, amount: int) -> None:
    row = {"account_id": 1, "key": str(day), "day": day.isoformat(), "utm_source": "vk", "amount": amount}
    await database.write(
        lambda connection: connection.execute(insert(spend).values(**row, currency="RUB", source="chat", created_at=MORNING))
    )


async def test_what_is_unusual_comes_first(hall: Hall, golden: Golden) -> None:
    seen = [viewer(f"7999000000{n}", minutes=(0, 59) if n < 4 else (0, 20)) for n in range(6)]
    webinar_id = await hall.hold([*seen, viewer("79990000099", minutes=(0, 1))])
    await spent(hall.database, START.date(), 3_000_00)
    await spent(hall.database, START.date() - timedelta(days=7), 9_000_00)  # the webinar before

    async def talked(connection: Any) -> None:
        at = after(120)
        await connection.execute(insert(calls).values(**call(at, 1, client_phone="79990000000", direction="outgoing")))

    await hall.database.write(talked)
    facts = await told(hall.database, webinar_id)
    message = card(facts)
    golden("digest_after_webinar", as_text(message))
    assert as_text(message).splitlines()[1] == "⚠️ Смотрели всего 6, обычно 20"
    assert [button.target for row in message.buttons for button in row] == [f"wlist:{webinar_id}"]
    assert as_text(card(facts, full=True)).endswith("📣 Откуда смотревшие\n• vk 4\n• yandex 2")


async def test_money_is_of_no_webinar_where_two_rooms_share_it(hall: Hall) -> None:
    people = [viewer(f"7999000000{n}") for n in range(4)]
    webinar_id = await hall.hold(people)
    await spent(hall.database, START.date(), 3_000_00)
    assert (await told(hall.database, webinar_id)).webinars[0].ads is not None
    await hall.hold(people, replace(another(days=-1), room_id="another room"))
    assert (await told(hall.database, webinar_id)).webinars[0].ads is None


async def test_the_first_webinar_has_no_usual(lite: Database) -> None:
    webinar_id = await Hall(lite).hold([viewer("79990000001")])
    assert "пока не с чем сравнить" in as_text(card(await told(lite, webinar_id)))


async def test_a_day_with_webinars_tells_of_them(hall: Hall) -> None:
    """The day's own figures are those of its webinars together, and hot people wait in its debts."""
    await hall.hold([viewer(f"7999000000{n}", minutes=(0, 59)) for n in range(4)])
    facts = await told(hall.database, 0, DigestKind.DAILY)
    assert "🎓 «Вебинар»: пришли 4, горячих 4" in as_text(card(facts))
    assert "горячие 4" in as_text(card(facts))
    assert {name: facts.figures.number(name) for name in (Indicator.WEBINARS, Indicator.CAME, Indicator.HOT_WAITING)} == {
        Indicator.WEBINARS: 1, Indicator.CAME: 4, Indicator.HOT_WAITING: 4,
    }  # fmt: skip
