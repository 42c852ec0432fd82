"""What changed since a moment: all of it and in order, also while it changes and where the order is not kept."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from domain.errors import VendorRefused
from integrations.amocrm.access import LongLived
from integrations.amocrm.client import Client
from integrations.amocrm.fake import Fake, Scripted
from integrations.amocrm.platform import Crm
from integrations.amocrm.settings import Settings
from tests.conftest import Serve
from tests.ground import HandClock

TOKEN = "t0ken-0f-tests"
BEGAN = 1_790_000_000


def at(second: int) -> datetime:
    return datetime.fromtimestamp(BEGAN + second, UTC)


@pytest.fixture
def fake() -> Fake:
    return Fake(token=TOKEN)


@pytest.fixture
async def crm(serve: Serve, fake: Fake) -> AsyncIterator[Crm]:
    settings = Settings(base_url=await serve(fake.build_app()), access_token=TOKEN)
    clock = HandClock()
    client = Client(settings, LongLived(TOKEN), clock, sleep=clock.sleep)
    yield Crm(client, settings, clock)
    await client.close()


def fill(fake: Fake, count: int, *, together: bool = False) -> None:
    for number in range(1, count + 1):
        fake.add_lead(number, updated_at=BEGAN + (0 if together else number))


async def changed(crm: Crm, since: int = 0) -> list[str]:
    return [lead.external_id async for page in crm.changed_since(at(since)) for lead in page]


async def test_everything_since_then_and_no_lead_twice(fake: Fake, crm: Crm) -> None:
    fake.page = 2
    fill(fake, 5)
    assert await changed(crm, 2) == ["2", "3", "4", "5"]
    assert await changed(crm, 6) == []


async def test_a_whole_import_of_one_second_is_read_through(fake: Fake, crm: Crm) -> None:
    fake.page = 2
    fill(fake, 5, together=True)
    fake.add_lead(6, updated_at=BEGAN + 1)
    assert await changed(crm) == ["1", "2", "3", "4", "5", "6"]


async def test_nothing_falls_between_two_pages_while_leads_change(fake: Fake, crm: Crm) -> None:
    fake.page = 2
    fill(fake, 6)
    told: list[str] = []
    async for page in crm.changed_since(at(0)):
        if not told:
            fake.account.leads[1]["updated_at"] = BEGAN + 100  # listed already: all that follow it move up by one place
        told += [lead.external_id for lead in page]
    assert told == ["1", "2", "3", "4", "5", "6", "1"]


async def test_a_list_in_another_order_or_unfiltered_is_put_in_order(
    fake: Fake, crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake, "_wanted", lambda _request, rows: list(rows.values())[::-1])
    fake.page = 2
    fill(fake, 5)
    assert await changed(crm, 2) == ["2", "3", "4", "5"]


async def test_contacts_come_the_same_way_with_their_leads(fake: Fake, crm: Crm) -> None:
    fill(fake, 1)
    fake.add_contact(70, "+79990000070", leads=(1,), updated_at=BEGAN + 5)
    fake.add_contact(71, updated_at=BEGAN - 5)
    ((contact,),) = [page async for page in crm.contacts_changed_since(at(0))]
    assert (contact.external_id, contact.lead_ids, contact.updated_at) == ("70", ("1",), at(5))


async def test_the_deleted_are_told_apart_from_those_that_are_there(fake: Fake, crm: Crm) -> None:
    fill(fake, 3)
    fake.account.leads[2]["is_deleted"] = True
    assert await changed(crm) == ["1", "3"]
    ((gone,),) = [page async for page in crm.deleted_since(at(0))]
    assert (gone.external_id, gone.updated_at) == ("2", at(2))
    assert await crm.leads(["2"]) == []


@pytest.mark.parametrize("status", [400, 403])
async def test_an_account_that_does_not_list_the_deleted_is_asked_on(fake: Fake, crm: Crm, status: int) -> None:
    fake.script("leads", Scripted(status=status))
    if status == 400:
        assert [page async for page in crm.deleted_since(at(0))] == []
        return
    with pytest.raises(VendorRefused):
        [page async for page in crm.deleted_since(at(0))]
