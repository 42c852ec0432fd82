"""Figures that are kept ready between questions: new words for old rows, and days added up."""

from zoneinfo import ZoneInfo

from sqlalchemy import insert

from bot.figures import keep_figures
from domain.attendance import Yardstick
from storage.engine import Database
from storage.models import accounts, conversion_dirty, conversion_rollups
from tests.storage.hall import Hall, after, lead, viewer

ZONE = ZoneInfo("Europe/Moscow")


async def test_what_changed_is_brought_up_once(database: Database) -> None:
    account = insert(accounts).values(id=1, name="", timezone=ZONE.key, created_at=after(0))
    await database.write(lambda connection: connection.execute(account))
    hall = Hall(database)
    await hall.save(lead("89991234567"))
    await hall.hold([viewer("89991234567", minutes=(0, 5))])
    keep = {"zone": ZONE, "now": after(200)}
    assert await keep_figures(database, 1, Yardstick(), **keep) == (1, 2)
    assert await keep_figures(database, 1, Yardstick(), **keep) == (0, 0)
    assert [row["attended"] for row in await hall.attendees()] == [True]
    measured, days = await keep_figures(database, 1, Yardstick(attended_s=600), **keep)
    assert (measured, days) == (1, 2)
    assert [row["attended"] for row in await hall.attendees()] == [False]
    assert {row["came"] for row in await hall.rows(conversion_rollups)} == {0}
    assert await hall.rows(conversion_dirty) == []
