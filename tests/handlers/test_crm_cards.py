"""A CRM's new lead and a form of the same person: one card, whatever comes first, is told in parts, or crashes."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any, cast

import pytest
from sqlalchemy import select

from domain.crm import ContactChange, CrmAction, CrmContact, CrmLead, CrmPerson, CrmStage, LeadChange, StageMap
from domain.errors import NotReady, VendorError, VendorRefused, VendorUnavailable
from domain.events import CrmChanged, LeadOffered, LeadsChanged, StagesChanged
from domain.leads import Lead
from domain.messages import Destination
from domain.ports import CrmPlatform, Steps
from domain.webinars import Marks
from domain.work import WorkItem
from handlers.crm.directory import Directory
from handlers.crm.pipeline import crm_changed
from handlers.crm.services import CrmServices
from handlers.crm.staging import stages_changed
from handlers.desk import Desk
from handlers.leads.arriving import leads_changed
from handlers.leads.offering import offer_lead
from handlers.leads.services import ArrivalServices
from storage.codec import loads
from storage.crm import CrmStore
from storage.leads import LeadStore
from storage.models import work
from storage.offers import OfferStore
from storage.staff import StaffStore
from storage.stages import StageStore
from tests.calls.world import Crash
from tests.handlers.chat import OWNER, Talk
from tests.handlers.office import GROUP, StoredWrites, open_office, services, shown
from tests.handlers.seed import NOON
from tests.leads.news import news_for

PHONE, WRITTEN_OTHERWISE = "+7 (999) 123-45-67", "8 999 123 45 67"
CALLED_OFF = VendorUnavailable("amocrm", "leads", "HTTP 502")


@pytest.fixture
async def office(desk: Desk) -> Desk:
    return await open_office(desk)


class Platform:
    """A CRM whose leads are all of one contact."""

    def __init__(self, failure: VendorError | None = None) -> None:
        self.failure = failure
        self.stage = "58"

    async def stages(self) -> Sequence[CrmStage]:
        return [CrmStage(pipeline_id="1", status_id="58", name="Первичный контакт", pipeline="Продажи")]

    async def people(self) -> Sequence[CrmPerson] | None:
        return [CrmPerson(external_id="9001", name="Пётр Орлов")]

    async def leads(self, ids: Sequence[str]) -> Sequence[CrmLead]:
        if self.failure is not None:
            raise self.failure
        return [replace(whole(one), status_id=self.stage) for one in ids]

    async def contacts(self, ids: Sequence[str]) -> Sequence[CrmContact]:
        return [person(number=one) for one in ids]


def whole(number: str = "7") -> CrmLead:
    return CrmLead(
        external_id=number, name="Сделка", pipeline_id="1", status_id="58", contact_ids=("70",), created_at=NOON,
        updated_at=NOON, url=f"https://acme.amocrm.ru/leads/detail/{number}",
    )  # fmt: skip


def person(number: str = "70", leads: tuple[str, ...] = ()) -> CrmContact:
    return CrmContact(external_id=number, name="Ирина Белова", phones=(WRITTEN_OTHERWISE,), lead_ids=leads)


def told(action: CrmAction, number: str = "7", **values: Any) -> LeadChange:
    return LeadChange(action=action, lead=CrmLead(external_id=number, **values))


def hook(*changes: LeadChange | ContactChange) -> CrmChanged:
    return CrmChanged(
        vendor="amocrm", external_id="1", occurred_at=NOON,
        leads=tuple(one for one in changes if isinstance(one, LeadChange)),
        contacts=tuple(one for one in changes if isinstance(one, ContactChange)),
    )  # fmt: skip


ADDED = hook(told(CrmAction.ADDED, name="Сделка", created_at=NOON))
HOOKS = (
    ADDED,
    hook(told(CrmAction.UPDATED, updated_at=NOON)),
    hook(told(CrmAction.STAGE, status_id="58")),
    hook(ContactChange(action=CrmAction.UPDATED, contact=person(leads=("7",)))),
)


def item(event: Any, failures: int = 0) -> WorkItem[Any]:
    return WorkItem(
        id=1, account_id=1, kind="crm", object="1", generation=1, event=event, source="hook", delivery_id="d",
        heard_at=NOON, failures=failures,
    )  # fmt: skip


async def hear(
    desk: Desk, event: CrmChanged, platform: Platform | None = None, *, steps: StoredWrites | None = None, failures: int = 0
) -> None:
    await crm_changed(item(event, failures), cast("Steps", steps or StoredWrites(desk)), crm_services(desk, platform))


def crm_services(desk: Desk, platform: Platform | None = None) -> CrmServices:
    seen, stages = cast("CrmPlatform | None", platform), StageStore(desk.database, "amocrm", StageMap())
    staff = StaffStore(desk.database, "amocrm")
    return CrmServices(
        store=CrmStore("amocrm", LeadStore(desk.database)), stages=stages, title="amoCRM", clock=desk.clock,
        news=news_for(OfferStore(desk.database), desk.posts, clock=desk.clock), platform=seen,
        directory=Directory(seen, stages, staff, desk.clock, lambda: None) if seen is not None else None,
    )  # fmt: skip


async def fill_in(desk: Desk, number: str = "1:1", phone: str = PHONE) -> None:
    """A form of the site."""
    at = desk.clock.now()
    lead = Lead(
        source="tilda", external_id=number, created_at=at, updated_at=at, name="Ирина", phone=phone, form="Запись на показ",
        first=Marks(source="vk", campaign="осень"),
    )  # fmt: skip
    news = news_for(OfferStore(desk.database), desk.posts, clock=desk.clock)
    arrivals = ArrivalServices(leads=LeadStore(desk.database), news=news, texts=desk.texts)
    event = LeadsChanged(vendor="tilda", external_id=number, occurred_at=at, leads=(lead,))
    await leads_changed(item(event), cast("Steps", StoredWrites(desk)), arrivals)


async def offered(desk: Desk) -> list[int]:
    async with desk.database.read() as connection:
        rows = await connection.execute(select(work.c.payload).where(work.c.kind == "offer").order_by(work.c.id))
        return [loads(LeadOffered, row.payload).lead_id for row in rows]


async def show_all(desk: Desk) -> list[str]:
    """Let every offer be worked on; the cards in the group."""
    for lead_id in await offered(desk):
        event = LeadOffered(vendor="lead", external_id=str(lead_id), occurred_at=NOON, lead_id=lead_id)
        with suppress(NotReady):
            await offer_lead(item(event), cast("Steps", StoredWrites(desk)), services(desk))
    return await cards(desk)


async def cards(desk: Desk) -> list[str]:
    return [content for (chat, _), content in (await shown(desk)).items() if chat == GROUP]


async def test_a_new_lead_of_the_crm_has_a_card_with_its_phone_stage_and_link(office: Desk) -> None:
    await hear(office, ADDED, Platform())
    (card,) = await show_all(office)
    for part in ("Новая заявка, amoCRM", "Ирина Белова", "+7 999 ···-··-67", "Первичный контакт", "acme.amocrm.ru/leads"):
        assert part in card
    assert "ltake:1" in card


@pytest.mark.parametrize("order", list(permutations(range(4)))[::3])
@pytest.mark.parametrize("asked", [True, False], ids=["api", "hooks only"])
async def test_hooks_in_any_order_and_twice_are_one_card(office: Desk, order: tuple[int, ...], asked: bool) -> None:
    for number in (*order, *order):
        await hear(office, HOOKS[number], Platform() if asked else None)
        if await offered(office):
            await show_all(office)
    (card,) = await show_all(office)
    assert await offered(office) == [1]
    assert "+7 999 ···-··-67" in card


@pytest.mark.parametrize("kept", range(7))
async def test_a_crash_after_any_step_neither_forgets_nor_repeats_the_card(office: Desk, kept: int) -> None:
    await fill_in(office, phone="8 916 000-11-22")
    await show_all(office)
    steps = StoredWrites(office, die_after=kept)
    with suppress(Crash):
        await hear(office, ADDED, Platform(), steps=steps)
    steps.die_after = None
    await hear(office, ADDED, Platform(), steps=steps)
    assert [name for name in steps.results if name.startswith("offers")] == ["offers"]
    assert len(await offered(office)) == len(await show_all(office)) == 2


@pytest.mark.parametrize("form_first", [True, False], ids=["form first", "deal first"])
async def test_a_form_and_the_deal_made_of_it_are_one_card_that_names_both(office: Desk, form_first: bool) -> None:
    if form_first:
        await fill_in(office)
        await show_all(office)
        await hear(office, ADDED, Platform())
    else:
        await hear(office, ADDED, Platform())
        await show_all(office)
        await fill_in(office)
    (card,) = await show_all(office)
    named = "сайт и amoCRM" if form_first else "amoCRM и сайт"
    for part in (named, "Запись на показ", "vk / осень", "Первичный контакт", "acme.amocrm.ru/leads"):
        assert part in card
    assert len(await offered(office)) == 1


async def test_who_is_known_late_has_two_cards_and_one_of_them_counts(office: Desk) -> None:
    """Without the API a deal's phone comes by a hook of its own."""
    await fill_in(office)
    await show_all(office)
    await hear(office, ADDED)
    first, second = await show_all(office)
    assert "Белова" not in second
    await hear(office, HOOKS[3])
    first, second = await cards(office)
    assert "amoCRM" in first
    assert "его карточка выше" in second
    assert "Ваша" in await Talk(office, OWNER).press("ltake:2", chat=GROUP)
    first, second = await cards(office)
    assert "Взял" in first
    assert "Взял" in second
    assert "ltake" not in first + second


async def test_old_news_has_no_card(office: Desk) -> None:
    long_ago = NOON - timedelta(days=3)
    await hear(office, hook(told(CrmAction.ADDED, created_at=long_ago)))
    await hear(office, hook(told(CrmAction.UPDATED, "8", created_at=long_ago, updated_at=NOON)))
    await hear(office, hook(told(CrmAction.UPDATED, "9", updated_at=NOON)))
    assert await offered(office) == []
    await hear(office, hook(told(CrmAction.UPDATED, "10", created_at=NOON, updated_at=NOON)))
    assert len(await offered(office)) == 1


async def test_a_crowd_in_one_delivery_has_one_card_and_holds_up_no_other(office: Desk) -> None:
    crowd = hook(*(told(CrmAction.ADDED, str(number), created_at=NOON) for number in range(1_000, 1_101)))
    await hear(office, crowd)
    await hear(office, crowd)
    assert await offered(office) == []
    (card,) = await cards(office)
    assert "amoCRM: 101 новая заявка сразу" in card
    await hear(office, ADDED)
    assert len(await show_all(office)) == 2


async def test_a_busy_hour_in_one_delivery_is_no_crowd(office: Desk) -> None:
    await hear(office, hook(*(told(CrmAction.ADDED, str(number), created_at=NOON) for number in range(1_000, 1_100))))
    assert len(await offered(office)) == 100


@pytest.mark.parametrize(
    ("failure", "failures", "cards_now"),
    [(CALLED_OFF, 0, 0), (CALLED_OFF, 2, 1), (VendorRefused("amocrm", "leads", "bad_token", hint="Войдите."), 0, 1)],
)
async def test_a_crm_that_does_not_answer_keeps_nobody_waiting(
    office: Desk, failure: VendorError, failures: int, cards_now: int
) -> None:
    platform, steps = Platform(failure), StoredWrites(office)
    with pytest.raises(VendorError):
        await hear(office, ADDED, platform, steps=steps, failures=failures)
    assert len(await show_all(office)) == cards_now
    platform.failure = None
    await hear(office, ADDED, platform, steps=steps)
    (card,) = await show_all(office)
    assert "+7 999 ···-··-67" in card


async def test_a_card_that_was_passed_on_still_says_so_when_it_grows(office: Desk) -> None:
    await hear(office, ADDED)
    clock, steps = cast("Any", office.clock), StoredWrites(office)
    for _ in range(2):
        event = LeadOffered(vendor="lead", external_id="1", occurred_at=NOON, lead_id=1)
        with suppress(NotReady):
            await offer_lead(item(event), cast("Steps", steps), services(office))
        clock.forward(900)
    await hear(office, HOOKS[3])
    (card,) = await cards(office)
    assert "Следующий: Борис" in card
    assert "+7 999 ···-··-67" in card


async def notices(desk: Desk) -> list[str]:
    return [content for (_, key), content in (await shown(desk)).items() if key.startswith("notice:stage:")]


@pytest.mark.parametrize("asked", [True, False], ids=["api", "hooks only"])
async def test_a_stage_that_nobody_knows_is_told_of_once_and_shown_as_unknown(office: Desk, asked: bool) -> None:
    await office.destinations.bind(1, Destination(chat_id=GROUP), title="Отдел продаж", kinds=("lead", "notice"))
    added = hook(told(CrmAction.ADDED, pipeline_id="1", status_id="8", created_at=NOON))
    platform = Platform()
    platform.stage = "8"
    for _ in range(2):
        await hear(office, added, platform if asked else None)
    (notice,) = await notices(office)
    assert "неизвестный статус 8" in notice
    assert "stg:" in notice
    (card,) = [one for one in await show_all(office) if "Новая заявка" in one]
    assert "неизвестный статус 8" in card


async def test_a_stage_that_the_crm_names_is_nobodys_trouble(office: Desk) -> None:
    await hear(office, hook(told(CrmAction.ADDED, pipeline_id="1", status_id="58", created_at=NOON)), Platform())
    assert await notices(office) == []


async def test_cards_follow_when_a_stage_means_something_else(office: Desk) -> None:
    await hear(office, ADDED, Platform())
    assert "Первичный контакт" in (await show_all(office))[0]
    store = StageStore(office.database, "amocrm", StageMap())
    assert await store.choose(OWNER, 1, "reserved", now=NOON)
    event = StagesChanged(vendor="amocrm", external_id="stages:1", occurred_at=NOON)
    await stages_changed(item(event), cast("Steps", StoredWrites(office)), crm_services(office))
    assert "бронь" in (await cards(office))[0]


async def test_cards_follow_when_it_was_cut_off_after_their_leads_had_moved(office: Desk) -> None:
    class Dying(StageStore):
        async def follow(self, account_id: int, after: int) -> tuple[int, ...]:
            await super().follow(account_id, after)
            raise Crash

    await hear(office, ADDED, Platform())
    await show_all(office)
    store = StageStore(office.database, "amocrm", StageMap())
    assert await store.choose(OWNER, 1, "reserved", now=NOON)
    event = item(StagesChanged(vendor="amocrm", external_id="stages:1", occurred_at=NOON))
    steps, whole = cast("Steps", StoredWrites(office)), crm_services(office)
    dying = replace(whole, stages=Dying(office.database, "amocrm", StageMap()))
    with pytest.raises(Crash):
        await stages_changed(event, steps, dying)
    await stages_changed(event, steps, whole)
    assert "бронь" in (await cards(office))[0]


async def test_who_is_responsible_is_called_by_name_on_the_card_and_the_page(office: Desk) -> None:
    await hear(office, hook(told(CrmAction.ADDED, manager_id="9002", created_at=NOON)), Platform())
    assert "ответственный: неизвестный сотрудник 9002" in (await show_all(office))[0]
    await hear(office, hook(told(CrmAction.OWNER, manager_id="9001")), Platform())
    assert "ответственный: Пётр Орлов" in (await cards(office))[0]
    assert "Пётр Орлов" in await Talk(office, OWNER).say("/client 8 999 123 45 67")
