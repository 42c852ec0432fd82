"""Leads that a source tells of: kept once whatever breaks, and what a person has to look at is said after they are."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from domain.errors import VendorRefused
from domain.events import LeadsChanged
from domain.leads import Arrived, Lead
from domain.ports import Tx
from domain.work import WorkItem
from handlers.leads.arriving import leads_changed
from handlers.leads.services import ArrivalServices
from handlers.texts import load_texts
from storage.leads import MOST_LEADS
from tests.calls.world import Crash, MemorySteps
from tests.leads.news import NoOffers, news_for

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Keeper:
    """The rows there would be, by id."""

    def __init__(self) -> None:
        self.kept: dict[str, Lead] = {}
        self.writes = 0

    async def arrive(self, tx: Tx, account_id: int, some: Sequence[Lead]) -> Arrived:
        self.writes += 1
        new = [lead.external_id for lead in some if lead.external_id not in self.kept]
        self.kept |= {lead.external_id: lead for lead in some}
        return Arrived(added=len(new), same=len(some) - len(new))


def lead(number: int) -> Lead:
    return Lead(source="tilda", external_id=f"1:{number}", created_at=AT, updated_at=AT, phone=f"8999{number:07}")


def item(count: int, problem: str = "") -> WorkItem[LeadsChanged]:
    event = LeadsChanged(
        vendor="tilda", external_id="1", occurred_at=AT, leads=tuple(map(lead, range(count))), problem=problem
    )
    return WorkItem(
        id=1, account_id=1, kind="leads", object="tilda:1", generation=1, event=event, source="hook", delivery_id="d",
        heard_at=AT, failures=0,
    )  # fmt: skip


def services(keeper: Keeper) -> ArrivalServices:
    return ArrivalServices(leads=keeper, news=news_for(NoOffers()), texts=load_texts())


@pytest.mark.parametrize("kept", range(4))
async def test_a_crash_after_any_step_writes_the_same_rows(kept: int) -> None:
    keeper, steps, many = Keeper(), MemorySteps(die_after=kept), 2 * MOST_LEADS + 1
    if kept < 3:
        with pytest.raises(Crash):
            await leads_changed(item(many), steps, services(keeper))
        steps.die_after = None
    await leads_changed(item(many), steps, services(keeper))
    assert list(steps.results) == ["save:0", f"save:{MOST_LEADS}", f"save:{2 * MOST_LEADS}"]
    assert len(keeper.kept) == many


async def test_a_thousand_leads_of_one_telling_are_ten_writes() -> None:
    keeper = Keeper()
    await leads_changed(item(1000), MemorySteps(), services(keeper))
    assert keeper.writes == 10


async def test_what_cannot_be_used_is_kept_first_and_said_afterwards() -> None:
    keeper = Keeper()
    with pytest.raises(VendorRefused) as refused:
        await leads_changed(item(1, problem="contact"), MemorySteps(), services(keeper))
    assert len(keeper.kept) == 1
    assert (refused.value.vendor, refused.value.code) == ("tilda", "contact")
    assert "ни телефона, ни почты" in refused.value.hint
