"""A CRM's delivery on its way into rows: a hundred a write, the same ones whatever breaks, new leads told of by number."""

import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from domain.crm import ContactChange, CrmAction, CrmContact, CrmLead, CrmPerson, CrmStage, LeadChange
from domain.errors import VendorError, VendorRefused, VendorUnavailable
from domain.events import CrmChanged, DeliveryUnread
from domain.ports import CrmPlatform, Tx
from domain.work import WorkItem
from handlers.crm.pipeline import crm_changed, delivery_unread
from handlers.crm.services import CrmServices
from storage.crm import MOST_CHANGES, Applied
from storage.stages import UnknownStage
from tests.calls.world import Crash, MemorySteps
from tests.ground import HandClock
from tests.leads.news import NoOffers, news_for

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Store:
    """What was written, in the order it was."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.writes: list[int] = []

    async def contacts(self, tx: Tx, account_id: int, batch: Sequence[ContactChange], *, heard_at: datetime) -> Applied:
        return self._keep([f"contact {change.contact.external_id}" for change in batch], [""] * len(batch))

    async def leads(self, tx: Tx, account_id: int, batch: Sequence[LeadChange], *, heard_at: datetime) -> Applied:
        return self._keep([change.lead.external_id for change in batch], [change.lead.status_id for change in batch])

    def _keep(self, names: list[str], told: list[str]) -> Applied:
        new = tuple(name for name in names if name not in self.kept)
        self.kept |= dict(zip(names, told, strict=True))
        self.writes.append(len(names))
        return Applied(new=new)


class Platform:
    """A CRM that knows whose each lead is, unless it fails."""

    def __init__(self, *, failure: VendorError | None = None) -> None:
        self.failure = failure
        self.asked: list[str] = []

    async def stages(self) -> Sequence[CrmStage]:
        return [CrmStage(pipeline_id="101", status_id="9", name="Переговоры")]

    async def people(self) -> Sequence[CrmPerson] | None:
        return None

    async def leads(self, ids: Sequence[str]) -> Sequence[CrmLead]:
        if self.failure is not None:
            raise self.failure
        self.asked += ids
        return [CrmLead(external_id=one, pipeline_id="101", status_id="9", contact_ids=("70",)) for one in ids]

    async def contacts(self, ids: Sequence[str]) -> Sequence[CrmContact]:
        return [CrmContact(external_id=one, phones=("+79990000070",)) for one in ids]


def item(event: Any) -> WorkItem[Any]:
    return WorkItem(
        id=1, account_id=1, kind="crm", object="amocrm:1", generation=1, event=event, source="hook", delivery_id="d",
        heard_at=AT, failures=0,
    )  # fmt: skip


def delivery(leads: int = 0, contacts: int = 0, **lead: str) -> CrmChanged:
    return CrmChanged(
        vendor="amocrm",
        external_id="1",
        occurred_at=AT,
        leads=tuple(
            LeadChange(action=CrmAction.ADDED, lead=CrmLead(external_id=str(number), **lead)) for number in range(leads)
        ),
        contacts=tuple(
            ContactChange(action=CrmAction.ADDED, contact=CrmContact(external_id=str(number))) for number in range(contacts)
        ),
    )


class Known:
    """Stages that all have names."""

    async def unknown(self, account_id: int, numbers: Collection[str]) -> Sequence[UnknownStage]:
        return ()

    async def mark_hinted(self, tx: Tx, account_id: int, stages: Collection[int], *, now: datetime) -> None:
        raise AssertionError("nobody is to be told")

    async def behind(self, account_id: int, after: int) -> Sequence[int]:
        return ()

    async def follow(self, account_id: int, after: int) -> Sequence[int]:
        return ()


def services(store: Store, platform: Platform | None = None) -> CrmServices:
    seen = cast("CrmPlatform | None", platform)
    return CrmServices(
        store=store, stages=Known(), title="amoCRM", clock=HandClock(), news=news_for(NoOffers()), platform=seen
    )


@pytest.mark.parametrize("kept", range(6))
async def test_a_crash_after_any_step_writes_the_same_rows(kept: int) -> None:
    store, steps, event = Store(), MemorySteps(die_after=kept), delivery(2 * MOST_CHANGES + 1, 1)
    with suppress(Crash):
        await crm_changed(item(event), steps, services(store))
    steps.die_after = None
    await crm_changed(item(event), steps, services(store))
    assert len(store.kept) == 2 * MOST_CHANGES + 2
    assert list(steps.results) == ["contacts:0", "leads:0", "leads:1", "leads:2", "offers"]


async def test_a_thousand_changes_are_few_writes() -> None:
    store = Store()
    await crm_changed(item(delivery(1000)), MemorySteps(), services(store))
    assert store.writes == [200] * 5


async def test_new_leads_are_told_of_in_the_papers_words(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await crm_changed(item(delivery(25)), MemorySteps(), services(Store()))
    assert "New lead created from amoCRM: 19" in caplog.text
    assert "New lead created from amoCRM: 20" not in caplog.text
    assert "5 more leads created from amoCRM" in caplog.text


async def test_what_a_hook_does_not_tell_is_asked_for() -> None:
    store, platform = Store(), Platform()
    await crm_changed(item(delivery(2, status_id="8")), MemorySteps(), services(store, platform))
    assert platform.asked == ["0", "1"]
    assert store.kept == {"0": "9", "1": "9", "contact 70": ""}


async def test_a_crm_that_is_away_keeps_nothing_from_being_kept() -> None:
    store, platform, steps = Store(), Platform(failure=VendorUnavailable("amocrm", "leads", "HTTP 502")), MemorySteps()
    with pytest.raises(VendorUnavailable):
        await crm_changed(item(delivery(1, status_id="8")), steps, services(store, platform))
    assert store.kept == {"0": "8"}
    platform.failure = None
    await crm_changed(item(delivery(1, status_id="8")), steps, services(store, platform))
    assert store.kept["0"] == "9"


@pytest.mark.parametrize("code", ["not_connected", "bad_token"])
async def test_nobody_has_to_connect_for_hooks_to_be_kept(code: str) -> None:
    store, platform = Store(), Platform(failure=VendorRefused("amocrm", "leads", code, hint="Войдите."))
    kept = crm_changed(item(delivery(1)), MemorySteps(), services(store, platform))
    if code == "not_connected":
        await kept
    else:
        with pytest.raises(VendorRefused):
            await kept
    assert store.kept == {"0": ""}


async def test_of_what_was_deleted_nothing_is_asked() -> None:
    platform = Platform()
    gone = LeadChange(action=CrmAction.DELETED, lead=CrmLead(external_id="7"))
    event = CrmChanged(vendor="amocrm", external_id="1", occurred_at=AT, leads=(gone,))
    await crm_changed(item(event), MemorySteps(), services(Store(), platform))
    assert platform.asked == []


async def test_what_cannot_be_read_waits_for_a_person() -> None:
    event = DeliveryUnread(vendor="amocrm", external_id="1", occurred_at=None, problem="leads.add[0].id")
    with pytest.raises(VendorRefused, match=r"leads\.add") as raised:
        await delivery_unread(item(event), MemorySteps())
    assert raised.value.code == "unreadable"
    assert "leads.add[0].id" in raised.value.hint


async def test_another_accounts_event_is_called_that() -> None:
    event = DeliveryUnread(vendor="amocrm", external_id="1", occurred_at=None, problem="account.subdomain")
    with pytest.raises(VendorRefused) as raised:
        await delivery_unread(item(event), MemorySteps())
    assert "другого аккаунта" in raised.value.hint
    assert "account" not in raised.value.hint
