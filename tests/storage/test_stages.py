"""Stages of a CRM: leads keep their numbers, names outlive the CRM's silence, and leads follow what stages mean."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crm import StagedFunnel
from domain.crm import CrmAction, CrmLead, CrmStage, LeadChange, StageMap
from domain.errors import BadInput
from domain.ports import Tx
from domain.roles import Person, Role
from storage import stages as stages_module
from storage.crm import CrmStore
from storage.engine import Database
from storage.leads import LeadStore
from storage.models import audit, conversion_dirty, crm_stages, leads, work
from storage.stages import StageStore

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ADMIN = Person(user_id=1, account_id=1, telegram_id=10, role=Role.ADMIN, name="Анна")
USUAL = {"1": "new", "2": "contacted", "142": "won", "143": "lost"}
MAP = StageMap(fixed={"101/9": "deal", "7": "Бронь"}, usual=USUAL, everywhere=frozenset({"142", "143"}))
LISTED = (
    CrmStage(pipeline_id="101", status_id="58", name="Переговоры", pipeline="Продажи"),
    CrmStage(pipeline_id="101", status_id="9", name="Сделка", pipeline="Продажи"),
    CrmStage(pipeline_id="101", status_id="142", name="Успешно реализовано", pipeline="Продажи"),
    CrmStage(pipeline_id="102", status_id="60", name="Показ", pipeline="Аренда"),
)


@pytest.fixture
def store(database: Database) -> StageStore:
    return StageStore(database, "amocrm", MAP)


async def save(database: Database, *told: tuple[str, str, str], stage_map: StageMap = MAP, minutes: int = 0) -> None:
    """Leads (number, pipeline, stage) as an update tells of them."""
    crm, at = CrmStore("amocrm", LeadStore(database), stage_map), NOW + timedelta(minutes=minutes)
    changes = [
        LeadChange(
            action=CrmAction.UPDATED,
            lead=CrmLead(external_id=number, pipeline_id=pipeline, status_id=stage, created_at=NOW, updated_at=at),
        )
        for number, pipeline, stage in told
    ]

    async def job(connection: AsyncConnection) -> Any:
        return await crm.leads(cast("Tx", connection), 1, changes, heard_at=NOW)

    await database.write(job)


async def rows(database: Database, table: Any) -> Sequence[Any]:
    async with database.read() as connection:
        return (await connection.execute(select(table).order_by(*table.primary_key.columns))).all()


async def statuses(database: Database) -> dict[str, str]:
    return {row.external_id: row.status for row in await rows(database, leads)}


async def stage_id(database: Database, number: str) -> int:
    return next(row.id for row in await rows(database, crm_stages) if row.status_id == number)


async def follow_all(store: StageStore) -> list[int]:
    moved: list[int] = []
    while some := await store.follow(1, moved[-1] if moved else 0):
        moved += some
    return moved


async def test_a_lead_keeps_the_numbers_of_its_stage_and_says_what_they_mean(database: Database) -> None:
    told = [("1", "101", "2"), ("2", "101", "142"), ("3", "101", "9"), ("4", "102", "9"), ("5", "", "7"), ("6", "101", "8")]
    await save(database, *told)
    found = {row.external_id: (row.pipeline_id, row.status_id) for row in await rows(database, leads)}
    assert found == {number: (pipeline, stage) for number, pipeline, stage in told}
    assert list((await statuses(database)).values()) == ["contacted", "won", "deal", "9", "Бронь", "8"]


async def test_a_stage_told_without_its_pipeline_is_of_the_one_the_lead_is_in(database: Database) -> None:
    await save(database, ("1", "101", "2"))
    await save(database, ("1", "", "9"), minutes=1)
    (row,) = await rows(database, leads)
    assert (row.pipeline_id, row.status_id, row.status) == ("101", "9", "deal")


async def test_a_name_that_was_told_once_never_turns_back_into_a_number(database: Database, store: StageStore) -> None:
    assert not await store.learn(1, LISTED, now=NOW)
    assert await store.heard_at(1) == NOW
    assert not await store.learn(1, LISTED[:1], now=NOW + timedelta(days=1))  # the others are not listed any more
    await save(database, ("1", "102", "60"), ("2", "101", "58"))
    assert await statuses(database) == {"1": "Показ", "2": "Переговоры"}
    assert await store.nameless(1, [("102", "60"), ("101", "8")]) == {("101", "8")}


async def test_leads_follow_the_name_that_comes_after_them(database: Database, store: StageStore) -> None:
    await save(database, ("1", "101", "58"), ("2", "101", "2"))
    assert await store.learn(1, LISTED, now=NOW)
    assert [row.kind for row in await rows(database, work)] == ["stages"]
    async with database.read() as connection:
        before = set(await connection.scalars(select(conversion_dirty.c.stamp)))
    assert await follow_all(store) == [1]
    assert await statuses(database) == {"1": "Переговоры", "2": "contacted"}
    assert {row.stamp for row in await rows(database, conversion_dirty)} != before


@pytest.mark.parametrize(
    ("choice", "status"), [("reserved", "reserved"), ("lost", "lost"), ("own", "Переговоры"), ("", "Переговоры")]
)
async def test_what_is_chosen_holds_for_leads_before_and_after(
    database: Database, store: StageStore, choice: str, status: str
) -> None:
    await store.learn(1, LISTED, now=NOW)
    await save(database, ("1", "101", "58"))
    follows = await store.choose(ADMIN, await stage_id(database, "58"), choice, now=NOW)
    assert follows is (status != "Переговоры")
    await save(database, ("2", "101", "58"))
    await follow_all(store)
    assert set((await statuses(database)).values()) == {status}
    assert len([row for row in await rows(database, audit) if row.action == "stage"]) == 1
    assert not await store.learn(1, LISTED, now=NOW)
    assert set((await statuses(database)).values()) == {status}


async def test_its_own_name_may_be_chosen_where_a_number_has_a_usual_meaning(database: Database, store: StageStore) -> None:
    await save(database, ("1", "101", "2"))
    await store.learn(1, [CrmStage(pipeline_id="101", status_id="2", name="Встреча")], now=NOW)
    assert await statuses(database) == {"1": "contacted"}
    assert await store.choose(ADMIN, await stage_id(database, "2"), "own", now=NOW)
    await follow_all(store)
    assert await statuses(database) == {"1": "Встреча"}


@pytest.mark.parametrize("number", ["142", "9", "gone"])
async def test_what_is_the_same_everywhere_or_set_elsewhere_is_not_chosen(
    database: Database, store: StageStore, number: str
) -> None:
    await store.learn(1, LISTED, now=NOW)
    id_ = 999 if number == "gone" else await stage_id(database, number)
    with pytest.raises(BadInput):
        await store.choose(ADMIN, id_, "deal", now=NOW)
    with pytest.raises(BadInput):
        await store.choose(ADMIN, await stage_id(database, "58"), "nonsense", now=NOW)


async def test_settings_that_change_are_followed_after_the_next_start(database: Database, store: StageStore) -> None:
    await store.learn(1, LISTED, now=NOW)
    await save(database, ("1", "101", "58"), ("2", "101", "9"))
    assert not await store.settle(1, now=NOW)
    later = StageStore(database, "amocrm", StageMap(fixed={"58": "reserved"}, usual=USUAL))
    assert await later.settle(1, now=NOW)
    await follow_all(later)
    assert await statuses(database) == {"1": "reserved", "2": "Сделка"}
    assert not await later.settle(1, now=NOW)


async def test_leads_of_nobody_and_of_others_stay(database: Database, store: StageStore) -> None:
    await save(database, ("1", "101", "58"), ("2", "101", "58"), ("3", "101", "58"))

    async def job(connection: AsyncConnection) -> None:
        await connection.execute(update(leads).where(leads.c.external_id == "1").values(source="other"))
        await connection.execute(update(leads).where(leads.c.external_id == "2").values(status="Записан", status_id=""))

    await database.write(job)
    await store.learn(1, LISTED, now=NOW)
    await follow_all(store)
    assert await statuses(database) == {"1": "58", "2": "Записан", "3": "Переговоры"}


async def test_pieces_go_on_where_a_crash_left_off(
    database: Database, store: StageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages_module, "A_PIECE", 10)
    await save(database, *((str(number), "101", "58") for number in range(25)))
    await store.learn(1, LISTED, now=NOW)
    assert len(await store.follow(1, 0)) == 10
    assert len(await follow_all(store)) == 15  # from the beginning, as after a crash
    assert set((await statuses(database)).values()) == {"Переговоры"}


async def test_a_stage_that_changes_once_more_meanwhile_is_what_it_is_now(database: Database, store: StageStore) -> None:
    """Between the look and the write another word may come."""
    await save(database, ("1", "101", "58"))
    await store.learn(1, LISTED, now=NOW)
    real = database.write

    async def write(job: Any) -> Any:
        await real(lambda c: c.execute(update(crm_stages).where(crm_stages.c.status_id == "58").values(status="deal")))
        return await real(job)

    database.write = write  # type: ignore[method-assign]
    await store.follow(1, 0)
    assert await statuses(database) == {"1": "deal"}


async def test_who_is_to_be_told_of_a_stage_that_nobody_knows_is_told_once(database: Database, store: StageStore) -> None:
    await save(database, ("1", "101", "8"), ("2", "101", "2"))
    (unknown,) = await store.unknown(1, ["8", "2", ""])
    assert (unknown.pipeline_id, unknown.status_id) == ("101", "8")
    assert await store.unknown(1, ["2"]) == ()
    await database.write(lambda c: store.mark_hinted(cast("Tx", c), 1, [unknown.id], now=NOW))
    assert await store.unknown(1, ["8"]) == ()


async def test_nothing_is_followed_where_all_is_said(database: Database, store: StageStore) -> None:
    await database.write(lambda c: c.execute(delete(crm_stages)))
    await database.write(
        lambda c: c.execute(insert(leads).values(account_id=1, source="amocrm", created_at=NOW, updated_at=NOW))
    )
    assert await store.follow(1, 0) == ()


async def test_a_status_is_moved_to_the_stages_the_team_has_said_it_is(database: Database, store: StageStore) -> None:
    await store.learn(1, LISTED, now=NOW)
    await store.choose(ADMIN, await stage_id(database, "58"), "reserved", now=NOW)
    moves: list[tuple[str, str, Any]] = []

    class Funnel:
        async def move(self, lead_id: str, status: str, *, also: Any = ()) -> None:
            moves.append((lead_id, status, also))

    for status in ("reserved", "", "deal"):
        await StagedFunnel(Funnel(), store, 1).move("7", status)
    assert moves == [("7", "reserved", (("101", "58"),)), ("7", "", ()), ("7", "deal", ())]
