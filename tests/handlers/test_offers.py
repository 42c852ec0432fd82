"""A new lead is shown until somebody takes it: the chat, the next of the team, who runs it; once, whatever crashes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import func, select

from domain.errors import NotReady
from domain.events import LeadOffered
from domain.leads import Lead
from domain.ports import Steps, Tx
from domain.webinars import Marks
from domain.work import WorkItem
from handlers.crm.noting import NoteDesk
from handlers.desk import Desk
from handlers.leads.offering import offer_lead
from storage.leads import LeadStore
from storage.models import work
from storage.notes import NoteStore
from storage.offers import MINUTES, OfferStore
from storage.queries.settings import change_setting
from tests.calls.world import Crash, MemorySteps
from tests.ground import HandClock
from tests.handlers.chat import MANAGER, OWNER, PRIVATE_CHAT, Talk
from tests.handlers.office import ANNA, BORIS, GROUP, StoredWrites, open_office, services, shown
from tests.handlers.seed import NOON

QUARTER = timedelta(minutes=15)


@pytest.fixture
async def office(desk: Desk) -> Desk:
    return await open_office(desk)


async def arrive(desk: Desk, number: str = "1:1", phone: str = "89991234567", **values: Any) -> int:
    """How many offers it gives."""
    at = desk.clock.now()
    told = {"source": "tilda", "external_id": number, "created_at": at, "updated_at": at, "name": "Ирина Белова"}
    lead = Lead(**(told | {"phone": phone, "first": Marks(source="vk", campaign="осень")} | values))
    store, offers = LeadStore(desk.database), OfferStore(desk.database)

    async def job(connection: Any) -> int:
        tx = cast("Tx", connection)
        new = (await store.arrive(tx, 1, [lead])).new
        return await offers.begin(tx, 1, new, now=at, fresh=at - timedelta(hours=24))

    return await desk.database.write(job)


def item() -> WorkItem[LeadOffered]:
    event = LeadOffered(vendor="lead", external_id="1", occurred_at=NOON, lead_id=1)
    return WorkItem(
        id=1, account_id=1, kind="offer", object="lead:1", generation=1, event=event, source="hook", delivery_id=None,
        heard_at=NOON, failures=0,
    )  # fmt: skip


async def until_due(desk: Desk, steps: MemorySteps) -> float | None:
    """Run it; how long it wants to wait, None where it is done."""
    try:
        await offer_lead(item(), cast("Steps", steps), services(desk))
    except NotReady as waiting:
        return waiting.retry_after
    return None


async def test_nobody_takes_it_and_it_goes_to_the_next_and_to_the_head(office: Desk) -> None:
    assert await arrive(office) == 1
    steps, clock = StoredWrites(office), cast("HandClock", office.clock)
    assert await until_due(office, steps) == QUARTER.total_seconds()
    (card,) = (await shown(office)).values()
    assert "Новая заявка, сайт" in card
    assert "+7 999 ···-··-67" in card
    assert "vk / осень" in card
    clock.forward(QUARTER.total_seconds())
    assert await until_due(office, steps) == QUARTER.total_seconds()
    now = await shown(office)
    assert "Следующий: Борис" in now[GROUP, "lead:1"]
    assert "+7 999 123-45-67" in now[BORIS, "lead:1:next"]
    clock.forward(QUARTER.total_seconds())
    assert await until_due(office, steps) is None
    now = await shown(office)
    assert "Так никто и не взял" in now[GROUP, "lead:1"]
    assert set(now) == {(GROUP, "lead:1"), (BORIS, "lead:1:next"), (PRIVATE_CHAT, "lead:1:head")}


@pytest.mark.parametrize("kept", range(5))
async def test_a_crash_after_any_step_neither_forgets_nor_repeats(office: Desk, kept: int) -> None:
    await arrive(office)
    steps, clock = StoredWrites(office, die_after=kept), cast("HandClock", office.clock)
    for _ in range(4):
        try:
            await until_due(office, steps)
        except Crash:
            steps.die_after = None
        clock.forward(QUARTER.total_seconds())
    assert list(steps.results) == ["post:card", "due:next", "pass:next", "due:head", "pass:head"]
    assert set(await shown(office)) == {(GROUP, "lead:1"), (BORIS, "lead:1:next"), (PRIVATE_CHAT, "lead:1:head")}


async def test_what_a_stranger_writes_into_a_form_fills_no_screen(office: Desk) -> None:
    await arrive(office, name="х" * 5_000, form="я" * 5_000)
    await until_due(office, StoredWrites(office))
    (card,) = (await shown(office)).values()
    assert "ххх" in card
    assert len(card) < 2_000


async def test_who_presses_first_has_it_and_nobody_is_asked_any_more(office: Desk) -> None:
    await arrive(office)
    steps, clock = StoredWrites(office), cast("HandClock", office.clock)
    await until_due(office, steps)
    owner, manager = Talk(office, OWNER), Talk(office, replace(MANAGER, telegram_id=ANNA, name="Анна"))
    assert "Ваша" in await owner.press("ltake:1", chat=GROUP)
    assert "Уже взял" in await manager.press("ltake:1", chat=GROUP)
    assert "Ваша" in await owner.press("ltake:1", chat=GROUP)
    now = await shown(office)
    assert "Взял" in now[GROUP, "lead:1"]
    assert "+7 999 123-45-67" in now[OWNER.telegram_id, "lead:1:mine"]
    assert "ltake" not in now[GROUP, "lead:1"]
    clock.forward(QUARTER.total_seconds())
    assert await until_due(office, steps) is None
    assert len(await shown(office)) == 2


async def test_the_first_press_asks_for_a_note_on_the_deals_of_its_story(office: Desk) -> None:
    woken: list[int] = []
    notes = NoteDesk(vendor="amocrm", book=NoteStore(office.database), come=lambda: woken.append(1))
    office = replace(office, notes=notes)
    await arrive(office)
    await arrive(office, "77", source="amocrm", phone="+7 (999) 123-45-67")
    await until_due(office, StoredWrites(office))
    for _ in range(2):
        await Talk(office, OWNER).press("ltake:1", chat=GROUP)
    await Talk(office, replace(MANAGER, telegram_id=ANNA, name="Анна")).press("ltake:1", chat=GROUP)
    async with office.database.read() as connection:
        asked = await connection.scalars(select(work.c.object).where(work.c.kind == "note"))
        assert list(asked) == ["amocrm:take:77"]
    assert woken


async def test_the_same_story_is_one_card_and_old_news_none(office: Desk) -> None:
    assert await arrive(office) == 1
    assert await arrive(office, "77", source="amocrm", phone="+7 (999) 123-45-67") == 0
    assert await arrive(office, "1:2", "89160001122", created_at=NOON - timedelta(days=3)) == 0
    assert await arrive(office) == 0
    assert await arrive(office, "1:3", "89035556677") == 1
    async with office.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(work)) == 2


async def test_how_long_it_waits_is_set_in_the_chat_and_may_be_for_ever(office: Desk) -> None:
    await arrive(office)
    await change_setting(office.database, 1, MINUTES, "0", by=1, now=NOON)
    assert await until_due(office, StoredWrites(office)) is None
    assert len(await shown(office)) == 1
    owner = Talk(office, OWNER)
    assert "через 30 мин" in await owner.press("lwait:30")
    assert await OfferStore(office.database).minutes(1) == 30
    assert "ждёт, пока не возьмут" in await owner.press("lwait:0")
    assert "Больше" in await owner.press("lwait:99999")


async def test_a_lead_that_is_gone_is_not_offered(office: Desk) -> None:
    assert await until_due(office, StoredWrites(office)) is None
    assert await shown(office) == {}
    assert "больше нет" in await Talk(office, OWNER).press("ltake:9")
    await arrive(office)
    assert "Ирина Белова" in await Talk(office, OWNER).press("lcard:1")
