"""A report that breaks off goes on where it did: over a real server, real rows, and a process that remembers nothing."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from domain.errors import VendorUnavailable
from handlers.webinars.pipeline import webinar_ended
from integrations.bizon365.client import Client
from integrations.bizon365.fake import Fake, Scripted
from integrations.bizon365.fake_account import FakeWebinar
from integrations.bizon365.platform import VIEWERS, Webinars
from integrations.bizon365.settings import Settings
from storage.engine import Database
from storage.models import webinar_attendees, webinar_records
from storage.webinars import WebinarStore
from tests.calls.world import MemorySteps
from tests.conftest import Serve
from tests.ground import lay
from tests.storage.hall import Hall
from tests.webinars.world import World

TOKEN = "t0ken-0f-tests"
COUNT = 3500
BROKEN = Scripted(status=200, body=b"<html>gateway</html>", content_type="text/html")


@dataclass
class Scene:
    """Real platform and rows within the world of the pipeline."""

    fake: Fake
    platform: Webinars
    database: Database
    world: World
    webinar: FakeWebinar

    async def go(self, steps: MemorySteps) -> None:
        """One try, by a process that has only what is on disk."""
        webinars = WebinarStore(self.database)

        async def write(job: object) -> int:
            return await self.database.write(job)  # type: ignore[arg-type]

        services = replace(self.world.services(), platform=self.platform, webinars=webinars)
        item = self.world.item()
        item = replace(item, event=replace(item.event, external_id=self.webinar.webinar_id))
        await webinar_ended(item, WrittenSteps(self.database, steps), services)  # type: ignore[arg-type]

    def skips(self) -> list[int]:
        return [int(asked["skip"]) for asked in self.fake.asked(VIEWERS)]

    async def rows(self) -> list[dict[str, object]]:
        mine = Hall(self.database)
        kept = [*await mine.rows(webinar_attendees), *await mine.rows(webinar_records)]
        return [{name: value for name, value in row.items() if name != "id"} for row in kept]


class WrittenSteps:
    """Steps in memory whose writes reach the database."""

    def __init__(self, database: Database, steps: MemorySteps) -> None:
        self._database = database
        self._steps = steps

    def __getattr__(self, name: str) -> object:
        return getattr(self._steps, name)

    async def write(self, name: str, fn: object, returns: type) -> object:
        async def within() -> object:
            return await self._database.write(fn)  # type: ignore[arg-type]

        return await self._steps.run(name, within, returns)


@pytest.fixture
async def scene(world: World, tmp_path: Path, serve: Serve) -> AsyncIterator[Scene]:
    url = await lay(tmp_path / "svodka.db")
    database, clock = Database(url), world.clock
    database.open()
    fake = Fake(token=TOKEN)
    settings = Settings(token=TOKEN, project_id=fake.project_id, base_url=await serve(fake.build_app()), rate=1000)
    client = Client(settings, clock)
    made = clock.now()
    webinar = fake.add_webinar(viewers=COUNT, started_at=made, created_at=made)
    yield Scene(fake, Webinars(client, settings, clock), database, world, webinar)
    await client.close()
    await database.close()


def break_at(fake: Fake, page: int, answer: Scripted) -> None:
    """The request for this page is answered so, once; the pages before it are as they are."""
    whole = fake.account.carry_out
    broken: list[int] = []

    def carry_out(method: str, params: dict[str, str], *, writes: bool) -> object:
        if method == VIEWERS and int(params["skip"]) == (page - 1) * 1000:
            broken.append(page)
            if len(broken) == 1:
                fake.answer(VIEWERS, answer)
        return whole(method, params, writes=writes)

    fake.account.carry_out = carry_out  # type: ignore[method-assign, assignment]


@pytest.mark.parametrize("answer", [Scripted(status=429), Scripted(status=503), BROKEN])
async def test_the_page_that_failed_is_the_next_one_asked_for(scene: Scene, answer: Scripted) -> None:
    break_at(scene.fake, 2, answer)
    steps = MemorySteps()
    with pytest.raises(VendorUnavailable):
        await scene.go(steps)
    scene.world.clock.forward(60)
    await scene.go(steps)
    assert scene.skips() == [0, 1000, 2000, 2000, 3000]
    rows = await scene.rows()
    scene.fake.requests.clear()
    await scene.go(MemorySteps())  # from the beginning, as by «check again»
    assert scene.skips() == [0, 1000, 2000, 3000]
    assert await scene.rows() == rows
    assert "не хватает" not in str(scene.world.posts)


async def test_a_report_made_anew_meanwhile_is_read_from_its_beginning(scene: Scene) -> None:
    break_at(scene.fake, 2, Scripted(status=503))
    steps = MemorySteps()
    with pytest.raises(VendorUnavailable):
        await scene.go(steps)
    scene.webinar.viewers.pop(0)
    await scene.go(steps)
    assert scene.skips()[-4:] == [0, 1000, 2000, 3000]
    assert len([row for row in await scene.rows() if "raw" in row]) == COUNT - 1


async def test_what_the_platform_kept_to_itself_is_said(scene: Scene) -> None:
    scene.fake.account.total_says = COUNT + 40
    await scene.go(MemorySteps())
    (message,) = scene.world.posts.values()
    assert "не хватает: 40 записей" in str(message)
