"""Leads nobody told us of: found once, together with what hooks tell, and counted apart from it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from aiohttp.web import Response
from sqlalchemy import func, insert, select, update

from bot import crm_poll
from bot.crm_poll import BEFORE_CONNECTED, HOOKS_FIRST, OVERLAP, CrmPoll, Cursor
from bot.finds import Finds
from bot.http.ingress import seed_of
from domain.crm import CrmAction, CrmLead, LeadChange, StageMap
from domain.errors import VendorError
from domain.events import CrmChanged
from domain.work import WorkItem
from handlers.crm.directory import Directory
from handlers.crm.pipeline import crm_changed
from handlers.crm.services import CrmServices
from integrations.amocrm.access import LongLived
from integrations.amocrm.client import Client
from integrations.amocrm.fake import Fake, Scripted
from integrations.amocrm.platform import Crm
from integrations.amocrm.settings import Settings
from storage.codec import loads
from storage.crm import CrmStore
from storage.engine import Database
from storage.leads import LeadStore
from storage.models import accounts, connections, crm_contacts, leads, work
from storage.offers import OfferStore
from storage.queries.crm_reckoning import CrmReckoning, last_crm_reckonings
from storage.sealed import unseal
from storage.staff import StaffStore
from storage.stages import StageStore
from storage.steps import StoredSteps
from storage.vault import Vault
from storage.work import WorkStore
from tests.conftest import Serve
from tests.ground import HandClock
from tests.leads.news import news_for

TOKEN = "t0ken-0f-tests"
VAULT = Vault(["a key long enough to be one"])
MINUTE = 60


class Offers(OfferStore):
    """Offers whose cards nobody draws."""

    async def shown(self, *_: Any) -> tuple[int, ...]:
        return ()


@dataclass
class Scene:
    fake: Fake
    crm: Crm
    clock: HandClock
    database: Database

    def __post_init__(self) -> None:
        self.poll = self.process()

    def process(self) -> CrmPoll:
        """The poll of a process that starts now."""
        finds = Finds(self.database, self.clock, account_id=1, connection_id=1, vault=VAULT)
        opened = partial(unseal, VAULT)
        return CrmPoll(self.database, finds, self.clock, self.crm, opened, account_id=1, vendor="amocrm")

    def seconds(self, ago: float = 0) -> int:
        return int((self.clock.now() - timedelta(seconds=ago)).timestamp())

    def at(self, ago: float = 0) -> datetime:
        return datetime.fromtimestamp(self.seconds(ago), UTC)

    def changed(self, number: int, ago: float = HOOKS_FIRST.total_seconds() + 1, **values: Any) -> None:
        """A lead that is there since its change, unless it was there before."""
        at = self.seconds(ago)
        known = self.fake.account.leads.get(number)
        if known is None:
            self.fake.add_lead(number, **{"created_at": at, "updated_at": at} | values)
        else:
            known.update(updated_at=at, **values)

    async def told(self, number: int, action: CrmAction = CrmAction.UPDATED, **values: Any) -> None:
        """A hook came, and was worked off."""
        lead = CrmLead(external_id=str(number), **values)
        event = CrmChanged(
            vendor="amocrm", external_id=f"{number}:{action}:{self.clock.now()}", occurred_at=None,
            leads=(LeadChange(action=action, lead=lead),),
        )  # fmt: skip
        seed, now = seed_of(event, VAULT), self.clock.now()
        await WorkStore(self.database).add(
            account_id=1, kind=seed.kind, object_=seed.object, payload=seed.payload, source="hook", now=now
        )
        await self.work_off()

    async def work_off(self) -> None:
        """All that is to be done about leads and contacts, as the runner would; a CRM that is away changes nothing."""
        store, services = WorkStore(self.database), self._services()
        for row in await store.claim(self.clock.now(), 100):
            if row.kind != "crm":
                continue
            item: WorkItem[CrmChanged] = WorkItem(
                id=row.id, account_id=1, kind=row.kind, object=row.object, generation=1, source=row.source,
                event=loads(CrmChanged, unseal(VAULT, row.payload)), delivery_id=None, heard_at=row.created_at, failures=0,
            )  # fmt: skip
            with suppress(VendorError):
                await crm_changed(item, await StoredSteps.load(self.database, self.clock, row.id, fresh=row.fresh), services)
            await store.finish(row, self.clock.now())

    def _services(self) -> CrmServices:
        news = news_for(Offers(self.database), clock=self.clock)
        means = StageMap(usual={"6": "deal"})
        stages = StageStore(self.database, "amocrm", means)
        names = Directory(self.crm, stages, StaffStore(self.database, "amocrm"), self.clock, lambda: None)
        return CrmServices(
            store=CrmStore("amocrm", LeadStore(self.database), means), stages=stages, title="amoCRM", clock=self.clock,
            news=news, platform=self.crm, directory=names,
        )  # fmt: skip

    async def polled(self) -> list[str]:
        """What one poll finds, worked off."""
        before = await self._newest()
        await self.poll.poll()
        async with self.database.read() as connection:
            rows = await connection.scalars(select(work.c.payload).where(work.c.id > before, work.c.source == "poll"))
            events = [loads(CrmChanged, unseal(VAULT, row)) for row in rows]
        await self.work_off()
        return [
            *(f"{change.action} {change.lead.external_id}" for event in events for change in event.leads),
            *(f"contact {change.contact.external_id}" for event in events for change in event.contacts),
        ]

    async def _newest(self) -> int:
        async with self.database.read() as connection:
            return int(await connection.scalar(select(func.max(work.c.id))) or 0)

    async def rows(self) -> list[tuple[str, str, bool]]:
        """(number, stage, whether it is there) of every lead."""
        async with self.database.read() as connection:
            found = await connection.execute(select(leads).order_by(leads.c.id))
            return [(row.external_id, row.status, row.deleted_at is None) for row in found]

    async def offered(self) -> int:
        async with self.database.read() as connection:
            return int(await connection.scalar(select(func.count()).where(work.c.kind == "offer")) or 0)

    async def cursor(self) -> Cursor:
        async with self.database.read() as connection:
            return loads(Cursor, str(await connection.scalar(select(connections.c.cursor))))

    async def reckoned(self) -> CrmReckoning:
        reckoning = await self.poll.reconcile()
        assert reckoning is not None
        return reckoning


@asynccontextmanager
async def open_scene(database: Database, clock: HandClock, serve: Serve) -> AsyncIterator[Scene]:
    fake = Fake(token=TOKEN)
    fake.add_pipeline(101, "Продажи", {8: "Переговоры"})
    settings = Settings(base_url=await serve(fake.build_app()), access_token=TOKEN)
    client = Client(settings, LongLived(TOKEN), clock, sleep=clock.sleep)

    async def job(connection: Any) -> None:
        account = {"id": 1, "name": "default", "timezone": "Europe/Moscow", "created_at": clock.now()}
        mine = {"id": 1, "account_id": 1, "vendor": "amocrm", "public_id": "p", "created_at": clock.now()}
        await connection.execute(insert(accounts).values(**account))
        await connection.execute(insert(connections).values(**mine))

    await database.write(job)
    yield Scene(fake, Crm(client, settings, clock), clock, database)
    await client.close()


@pytest.fixture
async def scene(lite: Database, clock: HandClock, serve: Serve) -> AsyncIterator[Scene]:
    async with open_scene(lite, clock, serve) as opened:
        yield opened


@pytest.fixture
async def either(database: Database, clock: HandClock, serve: Serve) -> AsyncIterator[Scene]:
    """On SQLite and on PostgreSQL, where the question is about SQL."""
    async with open_scene(database, clock, serve) as opened:
        yield opened


async def test_the_first_start_asks_for_what_changed_while_it_was_being_connected(scene: Scene) -> None:
    scene.changed(1, ago=(BEFORE_CONNECTED + OVERLAP).total_seconds() + 1)
    scene.changed(2, ago=BEFORE_CONNECTED.total_seconds() - 1)
    assert await scene.polled() == ["update 2"]
    assert await scene.offered() == 1


async def test_a_lead_no_hook_told_of_is_found_once_and_gets_its_card(scene: Scene) -> None:
    await scene.polled()
    scene.clock.forward(10 * MINUTE)
    scene.changed(7, pipeline_id=101, status_id=8)
    scene.fake.add_contact(70, "+79990000070", leads=(7,), updated_at=scene.seconds(40))
    assert await scene.polled() == ["update 7", "contact 70"]
    assert await scene.polled() == []
    assert (await scene.rows(), await scene.offered()) == ([("7", "Переговоры", True)], 1)
    async with scene.database.read() as connection:
        assert await connection.scalar(select(leads.c.phone)) == "+79990000070"


async def test_after_an_hour_of_silence_all_of_it_is_there_once_and_the_line_adds_up(either: Scene) -> None:
    await either.polled()
    either.clock.forward(10 * MINUTE)
    for number in range(1, 6):
        either.changed(number, ago=100)
        await either.told(number, created_at=either.clock.now(), updated_at=either.at(100))
    either.clock.forward(60 * MINUTE)
    either.fake.page = 4
    for number in range(100, 120):
        either.changed(number, ago=60 * MINUTE - number)
    either.poll = either.process()
    assert len(await either.polled()) == 20
    assert await either.polled() == []
    assert (len(await either.rows()), await either.offered()) == (25, 25)
    reckoning = await either.reckoned()
    assert (reckoning.listed, reckoning.hook, reckoning.poll, reckoning.waiting) == (25, 5, 20, 0)
    assert await last_crm_reckonings(either.database, 1) == (reckoning,)


async def test_an_old_lead_is_kept_without_a_card(scene: Scene) -> None:
    await scene.polled()
    scene.clock.forward(10 * MINUTE)
    scene.changed(7, created_at=scene.seconds(25 * 60 * MINUTE))
    assert await scene.polled() == ["update 7"]
    assert (len(await scene.rows()), await scene.offered()) == (1, 0)


async def test_hooks_come_first_unless_nobody_was_there(scene: Scene) -> None:
    await scene.polled()
    scene.clock.forward(10 * MINUTE)
    scene.changed(7, ago=1)
    assert await scene.polled() == []
    scene.poll = scene.process()
    scene.changed(8, ago=1)
    assert await scene.polled() == ["update 7", "update 8"]


@pytest.mark.parametrize("late", [False, True], ids=["hook first", "poll first"])
async def test_a_hook_and_a_poll_of_one_lead_are_one_card(scene: Scene, late: bool) -> None:
    await scene.polled()
    scene.clock.forward(10 * MINUTE)
    scene.changed(7)
    if late:
        await scene.polled()
    await scene.told(7, CrmAction.ADDED)
    if not late:
        assert await scene.polled() == []
    assert (len(await scene.rows()), await scene.offered()) == (1, 1)


async def test_what_is_older_than_known_overwrites_nothing(scene: Scene) -> None:
    await scene.polled()
    scene.clock.forward(10 * MINUTE)
    scene.changed(7, ago=200, pipeline_id=101, status_id=8)
    await scene.poll.poll()  # found, and not got round to when the hook of a later change comes
    scene.fake.down = True
    await scene.told(7, status="deal", status_id="6", updated_at=scene.clock.now())
    scene.fake.down = False
    await scene.work_off()
    assert await scene.rows() == [("7", "deal", True)]


async def test_what_was_found_and_waits_is_not_found_again(scene: Scene) -> None:
    await scene.polled()
    scene.clock.forward(10 * MINUTE)
    scene.changed(7)
    assert await scene.poll.poll() == 1
    scene.changed(8)
    assert await scene.polled() == ["update 8"]
    assert (await scene.reckoned()).waiting == 0


async def test_a_deletion_no_hook_told_of_and_the_way_back(either: Scene) -> None:
    await either.polled()
    either.clock.forward(10 * MINUTE)
    either.changed(7)
    await either.polled()
    either.clock.forward(5 * MINUTE)
    either.changed(7, is_deleted=True)
    either.changed(8, is_deleted=True)  # was never seen here
    assert await either.polled() == ["delete 7"]
    assert await either.rows() == [("7", "", False)]
    either.clock.forward(5 * MINUTE)
    either.changed(7, is_deleted=False)
    assert await either.polled() == ["restore 7"]
    assert await either.rows() == [("7", "", True)]
    assert await either.offered() == 1


async def test_a_deletion_told_by_a_hook_is_not_taken_back_by_an_older_page(scene: Scene) -> None:
    await scene.polled()
    scene.clock.forward(10 * MINUTE)
    scene.changed(7, ago=200)
    await scene.told(7, CrmAction.ADDED, updated_at=scene.at(200))
    await scene.told(7, CrmAction.DELETED)
    scene.changed(7, ago=100)
    assert await scene.polled() == ["update 7"]
    assert [there for _, _, there in await scene.rows()] == [False]


async def test_a_poll_goes_on_where_it_broke_off(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await scene.polled()
    scene.clock.forward(60 * MINUTE)
    scene.fake.page = 2
    for number in range(1, 7):
        scene.changed(number, ago=3000 - 100 * number)
    second = scene.at(2800)  # before the poll: keeping its pace moves the clock
    breaks_at = len(scene.fake.asked("leads")) + 3  # after the deleted and the first page
    answers = scene.fake._answer

    def breaking(request: Any, path: str, body: Any) -> Any:
        breaks = path == "leads" and len(scene.fake.asked("leads")) == breaks_at
        return Response(status=502) if breaks else answers(request, path, body)

    monkeypatch.setattr(scene.fake, "_answer", breaking)
    assert await scene.polled() == ["update 1", "update 2"]
    assert (await scene.cursor()).leads == second
    assert await scene.polled() == [f"update {number}" for number in range(3, 7)]


async def test_a_long_way_is_gone_in_parts(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crm_poll, "PAGES_A_POLL", 2)
    await scene.polled()
    scene.clock.forward(60 * MINUTE)
    scene.fake.page = 2
    for number in range(1, 6):
        scene.changed(number, ago=3500 - 600 * number)
    assert await scene.polled() == ["update 1", "update 2", "update 3"]
    assert await scene.polled() == ["update 4", "update 5"]


@pytest.mark.parametrize("status", [401, 403, 429, 502])
async def test_an_account_that_does_not_answer_is_asked_again_later(scene: Scene, status: int) -> None:
    scene.changed(7)
    scene.fake.script("leads", Scripted(status=status))
    assert await scene.polled() == []
    assert await scene.rows() == []
    scene.clock.forward(3700)
    assert await scene.polled() == ["update 7"]


async def test_403_is_asked_no_more_and_the_reckoning_waits(scene: Scene) -> None:
    scene.fake.blocked = True
    await scene.polled()
    await scene.polled()
    assert await scene.poll.reconcile() is None
    assert len(scene.fake.requests) == 1
    assert await last_crm_reckonings(scene.database, 1) == ()


async def test_the_reconciliation_finds_what_the_cursor_has_passed(scene: Scene) -> None:
    await scene.polled()
    scene.clock.forward(60 * MINUTE)
    scene.changed(1)
    await scene.polled()
    scene.changed(2, ago=3000)  # listed far later than its time says
    assert await scene.polled() == []
    assert (await scene.reckoned()).waiting == 1
    await scene.work_off()
    reckoning = await scene.reckoned()
    assert (reckoning.listed, reckoning.hook, reckoning.poll, reckoning.waiting) == (2, 0, 2, 0)


async def test_a_contact_that_changed_while_nobody_listened(scene: Scene) -> None:
    await scene.polled()
    scene.clock.forward(10 * MINUTE)
    scene.changed(7)
    scene.fake.add_contact(70, "+79990000070", leads=(7,), updated_at=scene.seconds(300))
    await scene.polled()
    scene.fake.account.contacts[70]["custom_fields_values"][0]["values"][0]["value"] = "+79990000071"
    scene.fake.account.contacts[70]["updated_at"] = scene.seconds(60)
    assert await scene.polled() == ["contact 70"]
    async with scene.database.read() as connection:
        assert await connection.scalar(select(leads.c.phone)) == "+79990000071"
        assert await connection.scalar(select(func.count()).select_from(crm_contacts)) == 1


async def test_an_emptied_event_of_a_poll_tells_nothing(scene: Scene) -> None:
    await scene.polled()
    scene.clock.forward(10 * MINUTE)
    scene.changed(7)
    await scene.polled()
    await scene.database.write(lambda tx: tx.execute(update(work).values(payload="")))
    assert (await scene.reckoned()).hook == 1
