"""Reports nobody told us of: found once, quietly at first, and begun again when they were made anew."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from bot.webinar_poll import KIND, WebinarPoll
from domain.webinars import WebinarReport
from integrations.bizon365.client import Client
from integrations.bizon365.fake import Fake
from integrations.bizon365.fake_account import FakeWebinar
from integrations.bizon365.platform import LIST, Webinars
from integrations.bizon365.settings import Settings
from storage.engine import Database
from storage.models import accounts, connections, work
from storage.queries.webinar_reckoning import WebinarReckoning, last_webinar_reckonings
from storage.webinars import WebinarStore
from storage.work import WorkStore
from tests.conftest import Serve
from tests.ground import HandClock

TOKEN = "t0ken-0f-tests"


@dataclass
class Scene:
    fake: Fake
    poll: WebinarPoll
    clock: HandClock
    database: Database

    def ended(self, *, ago: timedelta = timedelta(), hours_before: int = 2) -> FakeWebinar:
        made = self.clock.now() - ago
        return self.fake.add_webinar(viewers=0, started_at=made - timedelta(hours=hours_before), created_at=made)

    async def works(self) -> list[tuple[str, int, str]]:
        async with self.database.read() as connection:
            rows = await connection.execute(select(work).where(work.c.kind == KIND).order_by(work.c.id))
            return [(row.object.removeprefix("bizon365:"), row.generation, row.source) for row in rows]

    async def reckoned(self) -> WebinarReckoning:
        reckoning = await self.poll.reconcile()
        assert reckoning is not None
        return reckoning

    async def finish(self, webinar: FakeWebinar, *, with_report: bool = True) -> None:
        """The pipeline went through: its work is done, and the report it loaded is remembered."""
        now = self.clock.now()

        async def job(connection: object) -> None:
            if with_report:
                report = WebinarReport(external_id=webinar.webinar_id, created_at=webinar.created_at)
                store = WebinarStore(self.database)
                row = await store.register(connection, 1, "bizon365", report, source="hook", heard_at=now)  # type: ignore[arg-type]
                await store.complete(connection, row)  # type: ignore[arg-type]
            await connection.execute(update(work).values(state="done", finished_at=now))  # type: ignore[attr-defined]

        await self.database.write(job)  # type: ignore[arg-type]


@pytest.fixture
async def scene(database: Database, clock: HandClock, serve: Serve) -> AsyncIterator[Scene]:
    fake = Fake(token=TOKEN)
    settings = Settings(token=TOKEN, project_id=fake.project_id, base_url=await serve(fake.build_app()), rate=1000)
    client = Client(settings, clock)

    async def rows(connection: object) -> None:
        account = {"id": 1, "name": "default", "timezone": "Europe/Moscow", "created_at": clock.now()}
        mine = {"id": 1, "account_id": 1, "vendor": "bizon365", "public_id": "p", "created_at": clock.now()}
        await connection.execute(insert(accounts).values(**account))  # type: ignore[attr-defined]
        await connection.execute(insert(connections).values(**mine))  # type: ignore[attr-defined]

    await database.write(rows)  # type: ignore[arg-type]
    platform = Webinars(client, settings, clock)
    ids = {"account_id": 1, "connection_id": 1}
    poll = WebinarPoll(database, WorkStore(database), clock, platform, vendor="bizon365", **ids)
    yield Scene(fake, poll, clock, database)
    await client.close()


async def test_the_first_start_is_quiet(scene: Scene) -> None:
    old = [scene.ended(ago=timedelta(minutes=10 * number + 5), hours_before=number + 1) for number in range(3)]
    assert await scene.poll.poll() == 0
    scene.clock.forward(120)
    assert await scene.poll.poll() == 0
    assert (await scene.reckoned()).found == 0
    assert await scene.works() == []
    fresh = scene.ended(hours_before=9)
    assert await scene.poll.poll() == 1
    assert await scene.works() == [(fresh.webinar_id, 1, "poll")]
    assert fresh not in old


async def test_each_report_is_found_once(scene: Scene) -> None:
    await scene.poll.poll()
    made = []
    for number in range(3):
        scene.clock.forward(120)
        made.append(scene.ended(hours_before=number + 1))
        assert await scene.poll.poll() == 1
        assert await scene.poll.poll() == 0
    assert [name for name, _, _ in await scene.works()] == [webinar.webinar_id for webinar in made]


async def test_a_report_listed_after_its_time_is_found(scene: Scene) -> None:
    await scene.poll.poll()
    scene.clock.forward(7200)
    scene.ended(hours_before=1)
    await scene.poll.poll()
    late = scene.ended(ago=timedelta(minutes=40), hours_before=2)
    assert await scene.poll.poll() == 1
    assert late.webinar_id in [name for name, _, _ in await scene.works()]


async def test_what_a_hook_began_is_not_begun_again(scene: Scene) -> None:
    await scene.poll.poll()
    scene.clock.forward(120)
    webinar = scene.ended()
    assert await scene.poll.poll() == 1
    scene.clock.forward(60)
    await scene.finish(webinar)
    for _ in range(3):
        scene.clock.forward(120)
        assert await scene.poll.poll() == 0
        assert (await scene.reckoned()).found == 0
    assert len(await scene.works()) == 1


async def test_a_report_made_anew_is_loaded_again_once(scene: Scene) -> None:
    await scene.poll.poll()
    scene.clock.forward(120)
    webinar = scene.ended()
    await scene.poll.poll()
    await scene.finish(webinar)
    scene.clock.forward(7200)
    again = scene.fake.account.remake(webinar, [], scene.clock.now())
    assert await scene.poll.poll() == 1
    assert [(generation, source) for _, generation, source in await scene.works()] == [(1, "poll"), (2, "remade")]
    assert await scene.poll.poll() == 0  # it is under way
    await scene.finish(again)
    assert await scene.poll.poll() == 0
    assert (await scene.reckoned()).found == 0


async def test_a_report_that_came_after_we_gave_up_is_loaded(scene: Scene) -> None:
    await scene.poll.poll()
    scene.clock.forward(120)
    webinar = scene.ended()
    await scene.poll.poll()
    await scene.finish(webinar, with_report=False)
    assert await scene.poll.poll() == 0
    scene.clock.forward(3600)
    scene.fake.account.remake(webinar, [], scene.clock.now())
    assert await scene.poll.poll() == 1


async def test_reports_without_their_time(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await scene.poll.poll()
    scene.clock.forward(7200)
    recent, old = scene.clock.now() - timedelta(minutes=100), scene.clock.now() - timedelta(days=3)

    async def reports(_: object, *, since: datetime | None, limit: int) -> list[WebinarReport]:
        assert since is not None
        assert limit > 0
        return [
            WebinarReport(external_id="1:a*recent", started_at=recent, minutes=90),
            WebinarReport(external_id="1:a*old", started_at=old, minutes=90),
            WebinarReport(external_id="abc"),
        ]

    monkeypatch.setattr(Webinars, "reports", reports)
    assert await scene.poll.poll() == 1
    assert await scene.poll.poll() == 0
    assert [name for name, _, _ in await scene.works()] == ["1:a*recent"]


async def test_what_became_of_every_report_is_reckoned_and_kept(scene: Scene) -> None:
    await scene.poll.poll()
    scene.clock.forward(120)
    read = scene.ended()
    assert await scene.poll.poll() == 1
    await scene.finish(read)
    scene.clock.forward(120)
    lost = scene.ended(hours_before=3)
    reckoning = await scene.reckoned()
    assert (reckoning.listed, reckoning.hook, reckoning.poll, reckoning.waiting, reckoning.found) == (2, 0, 1, 1, 1)
    scene.clock.forward(60)
    await scene.finish(lost, with_report=False)
    reckoning = await scene.reckoned()
    assert (reckoning.waiting, reckoning.failed, reckoning.found) == (0, 1, 0)
    assert [one.title for one in reckoning.unread] == [lost.title]
    assert await last_webinar_reckonings(scene.database, 1) == (reckoning,)
    scene.clock.forward(25 * 3600)
    assert (await scene.reckoned()).listed == 0


async def test_a_platform_that_is_away_is_asked_again_later(scene: Scene) -> None:
    await scene.poll.poll()
    scene.clock.forward(120)
    scene.ended()
    scene.fake.fail(LIST, 503, times=2)
    assert await scene.poll.poll() == 0
    assert await scene.poll.reconcile() is None
    assert await scene.poll.poll() == 1
