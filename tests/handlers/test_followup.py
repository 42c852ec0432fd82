"""What became of calling a webinar's people: counted from the calls, on its page, and told once the day after."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import insert, select

from bot.settings import read_settings
from bot.webinars import build_webinar_services, webinar_runs
from domain.events import FollowUpDue
from domain.messages import Destination, Message
from domain.ports import Tx
from domain.work import WorkItem
from handlers.desk import Desk
from handlers.texts import load_texts
from handlers.webinars.services import WebinarServices
from storage.codec import loads
from storage.engine import Database
from storage.models import calls, posts, work
from storage.posts import StoredChat
from storage.queries.audience import followup
from storage.steps import StoredSteps
from storage.work import WorkStore
from tests.ground import HandClock
from tests.handlers.chat import MANAGER, Talk
from tests.handlers.conftest import Golden, look
from tests.handlers.seed import call_row, seed_accounts
from tests.handlers.seed import summary as summary_of
from tests.handlers.test_register import Platform
from tests.storage.hall import REPORT, START, Hall, after, another, lead, viewer
from tests.storage.test_audience import VIEWERS, call, register

ENDED = after(60)


async def held(database: Database) -> int:
    """Two hot ones and a warm one, one who did not come; a report twenty minutes after the end."""
    await seed_accounts(database)
    hall = Hall(database)
    await hall.save(lead("+79990000001", manager="Ирина"))
    await register(database, "Не пришла", "+79990000009", "no@p.ru")
    return await hall.hold(VIEWERS, replace(REPORT, created_at=after(80)))


async def talk_about(database: Database, phone: str, minutes: float, **changes: Any) -> None:
    row = call_row(1, client_phone=phone, started_at=after(minutes), call_id=f"s{phone}{minutes}", **changes)
    await database.write(lambda connection: connection.execute(insert(calls).values(**row)))


async def test_calls_after_the_webinar_are_counted(database: Database) -> None:
    webinar = await held(database)
    await talk_about(database, "79990000001", 102, summary=replace(summary_of(), next_steps="прислать договор"))
    await talk_about(database, "79990000002", 300)
    await call(database, "79990000003", 30)  # during the webinar
    await call(database, "79990000004", 90)  # looked in only: nobody's to call
    found = await followup(database, 1, webinar)
    assert (found.total, found.contacted, found.agreed, found.no_phone) == (4, 2, 1, 0)
    assert found.median_s == round((22 + 220) / 2) * 60
    assert [(band.speed.value, band.contacted, band.agreed) for band in found.bands] == [("half_hour", 1, 1), ("day", 1, 0)]
    assert [(share.name, share.contacted, share.total) for share in found.managers] == [("", 1, 3), ("Ирина", 1, 1)]
    assert (await followup(database, 2, webinar)).total == 0


@pytest.fixture
async def webinar(lite: Database) -> int:
    return await held(lite)


async def test_the_page_says_how_the_calling_goes(desk: Desk, webinar: int, golden: Golden) -> None:
    talk = Talk(desk, MANAGER)
    await talk_about(desk.database, "79990000001", 102, summary=replace(summary_of(), next_steps="прислать договор"))
    await talk_about(desk.database, "79990000002", 300)
    golden("followup", await talk.press(f"wsum:{webinar}"))
    assert talk.keyboard() == [[f"wlist:{webinar}"]]
    empty = await Hall(desk.database).hold([viewer("+79990000005", minutes=(0, 1))], another(days=9))
    assert desk.texts.get("summary.nobody") in await talk.press(f"wsum:{empty}")
    assert talk.keyboard() == []
    assert desk.texts.get("guests.webinar_gone") in await talk.press("wsum:999")


@pytest.fixture
def services(lite: Database, clock: HandClock, tmp_path: Path) -> WebinarServices:
    platform, nothing = cast("Any", Platform()), cast("Any", None)  # neither they nor a picture are asked for
    return build_webinar_services(
        platform, read_settings({"DATA_DIR": str(tmp_path)}), lite, chat=StoredChat(clock), clock=clock, texts=load_texts(),
        run_cpu=nothing, quiet_before=None, posted=lambda: None, digests=nothing, begun=lambda: None, funnels={},
    )  # fmt: skip


def due_for(webinar: int) -> FollowUpDue:
    return FollowUpDue(
        vendor="bizon365",
        external_id=REPORT.external_id,
        occurred_at=ENDED,
        row_id=webinar,
        title="Вебинар",
        started_at=START,
    )


async def plan(desk: Desk, services: WebinarServices, event: FollowUpDue) -> bool:
    at = desk.clock.now() + timedelta(hours=20)
    return bool(await desk.database.write(lambda connection: services.plan(cast("Tx", connection), 1, event, at)))


async def tell(desk: Desk, services: WebinarServices) -> list[str]:
    """Do what is due; what the chats are told then."""
    store = WorkStore(desk.database)
    for row in await store.claim(desk.clock.now(), 10):
        steps = await StoredSteps.load(desk.database, desk.clock, row.id, fresh=row.fresh)
        item = WorkItem(
            id=row.id, account_id=1, kind=row.kind, object=row.object, generation=1, event=loads(FollowUpDue, row.payload),
            source=row.source, delivery_id=None, heard_at=row.created_at, failures=0,
        )  # fmt: skip
        await webinar_runs(services)[row.kind](item, steps)
        await store.finish(row, desk.clock.now())
    async with desk.database.read() as connection:
        told = await connection.scalars(select(posts.c.content).where(posts.c.key.startswith("followup:")))
        return [look(loads(Message, content)) for content in told]


async def test_the_day_after_it_is_told_once(
    desk: Desk, services: WebinarServices, webinar: int, clock: HandClock, golden: Golden
) -> None:
    await desk.destinations.bind(1, Destination(chat_id=-100))
    clock.forward(7 * 3600)
    assert await plan(desk, services, due_for(webinar))
    assert not await plan(desk, services, due_for(webinar))  # the report came again
    assert await tell(desk, services) == []
    await call(desk.database, "79990000003", 400)
    clock.forward(23 * 3600)
    (told,) = await tell(desk, services)
    golden("followup_told", told)
    async with desk.database.read() as connection:
        assert list(await connection.scalars(select(work.c.state))) == ["done"]


async def test_it_is_silent_where_there_was_nobody_to_call(
    desk: Desk, services: WebinarServices, webinar: int, clock: HandClock
) -> None:
    await desk.destinations.bind(1, Destination(chat_id=-100))
    other = await Hall(desk.database).hold([viewer("+79990000005", minutes=(0, 1))], another(days=9))
    await plan(desk, services, replace(due_for(other), external_id="other"))
    clock.forward(30 * 3600)
    assert await tell(desk, services) == []


async def test_it_is_silent_when_the_day_has_long_gone_by(
    desk: Desk, services: WebinarServices, webinar: int, clock: HandClock
) -> None:
    await desk.destinations.bind(1, Destination(chat_id=-100))
    clock.forward(7 * 3600)
    await plan(desk, services, due_for(webinar))
    clock.forward(5 * 86400)
    assert await tell(desk, services) == []
