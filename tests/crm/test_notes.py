"""Notes on leads of a CRM: on the right lead, once, whatever breaks, and in nobody's way."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select

from domain.crm import CrmContact, CrmLead, LeadStatus
from domain.errors import NOT_CONNECTED, VendorRefused, VendorUnavailable
from domain.events import NoteAsked
from domain.ports import CrmPlatform, Tx
from domain.work import WorkItem
from handlers.calls.pipeline import summarise_call
from handlers.crm.notes import NOT_FOUND, NoteServices, marker_of, write_note
from handlers.crm.noting import NoteDesk
from handlers.texts import load_texts
from storage.engine import Database
from storage.models import lead_claims, work
from storage.notes import NotedCall, NoteStore, Taking
from tests.calls.world import FACTS, SUMMARY, Crash, MemorySteps, World
from tests.ground import HandClock
from tests.storage.hall import Hall, lead

AT = datetime(2026, 11, 20, 9, 5, tzinfo=UTC)
PHONE = "79001234567"
TAKEN = NoteAsked(vendor="amocrm", external_id="take:77", occurred_at=None, taken_id=5, lead="77")
CALLED = NoteAsked(vendor="amocrm", external_id="call:3", occurred_at=None, call_id=3)


@dataclass
class Crm:
    """A CRM that keeps notes. ``fails``: how the next additions go; ``lost``: the note is kept, its answer is not."""

    notes: list[tuple[str, str]] = field(default_factory=list)
    fails: list[Exception] = field(default_factory=list)
    lost: bool = False
    contacts: Sequence[CrmContact] = ()
    rows: Sequence[CrmLead] = ()

    async def add_note(self, lead_id: str, text: str) -> str:
        if self.fails:
            raise self.fails.pop(0)
        self.notes.append((lead_id, text))
        if self.lost:
            self.lost = False
            raise VendorUnavailable("amocrm", "notes", "timed out", uncertain=True)
        return str(len(self.notes))

    async def find_note(self, lead_id: str, marker: str) -> str | None:
        found = (str(place) for place, (lead_, text) in enumerate(self.notes, 1) if lead_ == lead_id and marker in text)
        return next(found, None)

    async def find_by_phone(self, phone: str) -> Sequence[CrmContact]:
        return self.contacts

    async def leads(self, ids: Sequence[str]) -> Sequence[CrmLead]:
        return [row for row in self.rows if row.external_id in ids]


@dataclass
class Noted:
    """What is told. ``open``: the newest lead that our rows know."""

    claim: Taking | None = field(default_factory=lambda: Taking(name="Иван Петров", at=AT))
    told: NotedCall | None = field(default_factory=lambda: NotedCall(phone=PHONE, started_at=AT, summary=SUMMARY))
    open: str = ""

    async def taking(self, account_id: int, lead_id: int) -> Taking | None:
        return self.claim

    async def call(self, account_id: int, row_id: int) -> NotedCall | None:
        return self.told

    async def newest_open(self, account_id: int, source: str, phone: str) -> str:
        return self.open


def item(event: NoteAsked) -> WorkItem[NoteAsked]:
    return WorkItem(
        id=1, account_id=1, kind="note", object="amocrm:1", generation=1, event=event, source="chat", delivery_id=None,
        heard_at=AT, failures=0,
    )  # fmt: skip


async def write(event: NoteAsked, crm: Crm | None, noted: Noted | None = None, steps: MemorySteps | None = None) -> None:
    services = NoteServices(
        store=noted or Noted(),
        platform=cast("CrmPlatform | None", crm),
        texts=load_texts(),
        timezone=ZoneInfo("Europe/Moscow"),
    )
    await write_note(item(event), steps or MemorySteps(), services)


async def test_who_took_it_is_noted_on_the_lead() -> None:
    crm = Crm()
    await write(TAKEN, crm)
    assert crm.notes == [("77", f"Взял Иван Петров, 12:05 (Сводка)\n{marker_of(TAKEN)}")]


async def test_a_summary_is_noted_on_the_newest_open_lead_that_we_know() -> None:
    crm = Crm()
    await write(CALLED, crm, Noted(open="9"))
    ((number, text),) = crm.notes
    assert number == "9"
    assert text.startswith("Саммари звонка 20.11.2026 12:05")
    assert text.endswith(marker_of(CALLED))
    assert "Перезвонить клиенту" in text


async def test_whom_only_the_crm_knows_is_asked_for_there() -> None:
    def one(number: str, *, day: int, status: str = "") -> CrmLead:
        return CrmLead(external_id=number, status=status, created_at=AT + timedelta(days=day))

    crm = Crm(contacts=[CrmContact(external_id="1", lead_ids=("4", "5")), CrmContact(external_id="2", lead_ids=("5", "6"))])
    crm.rows = [one("4", day=1), one("5", day=2), one("6", day=3, status=LeadStatus.WON)]
    await write(CALLED, crm)
    assert [number for number, _ in crm.notes] == ["5"]


@pytest.mark.parametrize(
    ("event", "noted"),
    [
        (TAKEN, Noted(claim=None)),
        (CALLED, Noted(told=None)),
        (CALLED, Noted(told=NotedCall(phone=PHONE, started_at=AT, summary=None), open="9")),
        (CALLED, Noted(told=NotedCall(phone="", started_at=AT, summary=SUMMARY), open="9")),
        (CALLED, Noted()),
    ],
)
async def test_without_something_to_tell_or_a_lead_nothing_is_written(event: NoteAsked, noted: Noted) -> None:
    crm = Crm()
    await write(event, crm, noted)
    assert crm.notes == []


async def test_switched_off_meanwhile_it_is_left() -> None:
    await write(TAKEN, None)


async def test_an_answer_that_was_lost_is_looked_up_and_nothing_is_written_twice() -> None:
    crm, steps = Crm(lost=True), MemorySteps()
    with pytest.raises(VendorUnavailable):
        await write(TAKEN, crm, steps=steps)
    await write(TAKEN, crm, steps=steps)
    assert len(crm.notes) == 1
    assert (steps.possible_repeats, steps.results["note"]) == (0, '"1"')


@pytest.mark.parametrize("kept", [0, 1])
async def test_a_crash_after_any_step_is_one_note(kept: int) -> None:
    crm, steps = Crm(), MemorySteps(die_after=kept)
    with pytest.raises(Crash):
        await write(CALLED, crm, Noted(open="9"), steps)
    steps.die_after = None
    await write(CALLED, crm, Noted(open="9"), steps)
    assert len(crm.notes) == 1
    assert list(steps.results) == ["lead", "note"]


async def test_refusals_that_nobody_can_mend_are_passed_over_and_the_others_are_told() -> None:
    for code in (NOT_FOUND, NOT_CONNECTED):
        await write(TAKEN, Crm(fails=[VendorRefused("amocrm", "notes", code, hint="")]))
    with pytest.raises(VendorRefused):
        await write(TAKEN, Crm(fails=[VendorRefused("amocrm", "notes", "forbidden", hint="")]))


@dataclass
class Book:
    """Where notes are asked for, in memory."""

    asked: list[str] = field(default_factory=list)

    async def ask(self, tx: Tx, account_id: int, asked: Sequence[NoteAsked], *, now: datetime) -> int:
        new = [event.external_id for event in asked if event.external_id not in self.asked]
        self.asked += new
        return len(new)


async def test_a_call_asks_for_its_note_once_and_before_the_other_crm_answers(tmp_path: Path) -> None:
    world, book, woken = World(clock=HandClock(), data_dir=tmp_path), Book(), []
    notes = NoteDesk(vendor="amocrm", book=book, come=lambda: woken.append(1))
    services, steps = replace(world.services(), notes=notes), MemorySteps()
    world.fails["add_comment"] = [VendorUnavailable("bitrix24", "comment", "503")]
    with pytest.raises(VendorUnavailable):
        await summarise_call(world.item(), steps, services)
    assert book.asked == ["call:1"]
    await summarise_call(world.item(), steps, services)
    assert (book.asked, bool(woken), len(world.comments)) == (["call:1"], True, 1)
    world.facts = replace(FACTS, duration_s=3)
    await summarise_call(world.item(), MemorySteps(), services)
    assert book.asked == ["call:1"]


async def test_asked_twice_it_is_one_work(database: Database) -> None:
    store = NoteStore(database)

    async def ask(connection: Any) -> int:
        return await store.ask(cast("Tx", connection), 1, [TAKEN, CALLED], now=AT)

    assert [await database.write(ask), await database.write(ask)] == [2, 0]
    async with database.read() as connection:
        found = await connection.execute(select(work.c.kind, work.c.object).order_by(work.c.id))
        assert [tuple(row) for row in found] == [("note", "amocrm:take:77"), ("note", "amocrm:call:3")]


async def test_the_newest_open_lead_of_whoever_called(database: Database) -> None:
    def one(number: str, phone: str = PHONE, **values: Any) -> Any:
        return lead(phone, number=number, **{"source": "amocrm"} | values)

    await Hall(database).save(
        one("1", days=-5), one("2", days=-4), one("3", days=-3, status=LeadStatus.WON), one("4", days=-2, deleted_at=AT),
        one("5", days=-1, source="tilda"), one("6", "79007654321"),
    )  # fmt: skip
    store = NoteStore(database)
    assert await store.newest_open(1, "amocrm", PHONE) == "2"
    assert await store.newest_open(2, "amocrm", PHONE) == ""
    assert await store.newest_open(1, "amocrm", "79000000000") == ""


async def test_who_took_a_lead_is_read_back(database: Database) -> None:
    claim = {"lead_id": 5, "account_id": 1, "taken_by": 10, "taken_by_name": "Иван Петров", "taken_at": AT}
    await database.write(lambda connection: connection.execute(insert(lead_claims).values(**claim)))
    store = NoteStore(database)
    assert await store.taking(1, 5) == Taking(name="Иван Петров", at=AT)
    assert await store.taking(2, 5) is None
    assert await store.call(1, 99) is None
