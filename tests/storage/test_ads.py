"""Directions and creatives by rule: new leads, earlier leads, and the way back, against a plain reckoning."""

import json
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from domain.ads import AdRule, AdRules, AdRun, How, Part, RunState, Sign
from domain.errors import BadInput
from domain.imports import CreativeRow
from domain.roles import Person, Role
from domain.webinars import Marks
from storage import ad_runs as runs_module
from storage import assigning
from storage.ad_rules import AdRuleStore
from storage.ad_runs import AdRunStore
from storage.engine import Database
from storage.models import ad_changes, conversion_dirty, crm_stages, leads, work
from storage.names import NameStore
from storage.queries import marks as marks_module
from storage.queries.marks import commonest_nameless, count_fitting, count_without_direction
from tests.handlers.seed import NOON
from tests.storage.hall import Hall, lead

OWNER = Person(user_id=1, account_id=1, telegram_id=10, role=Role.OWNER, name="Анна")


@pytest.fixture
async def hall(database: Database) -> Hall:
    """Directions 1 «Кухни» and 2 «Ремонт»; creatives 1 «Белая» (ad_1, of «Кухни») and 2 «Серая»."""
    ads = [CreativeRow(title="Белая", direction="Кухни", rule="ad_1"), CreativeRow(title="Серая")]
    await NameStore(database).add(1, ["Кухни", "Ремонт"], [], NOON)
    await NameStore(database).add(1, [], ads, NOON)
    return Hall(database)


def rule(
    value: str, name_id: int, *, how: How = How.EQUALS, sign: Sign = Sign.CAMPAIGN, part: Part = Part.DIRECTION
) -> AdRule:
    return AdRule(sign=sign, how=how, value=value, part=part, name_id=name_id)


async def decide(database: Database, *rules: AdRule) -> int:
    store = AdRuleStore(database)
    since = (await store.read(1)).version
    assert await store.change(OWNER, rules, since=since, now=NOON)
    return since + 1


async def given(database: Database) -> dict[str, tuple[Any, ...]]:
    """What each lead has, by its number at its source."""
    columns = (leads.c.external_id, leads.c.direction_id, leads.c.direction_by, leads.c.creative_id, leads.c.creative_by)
    async with database.read() as connection:
        return {row[0]: tuple(row[1:]) for row in await connection.execute(select(*columns))}


def as_work(run: AdRun) -> tuple[str, str, str]:
    return "ads", f"svodka:{run.id}:{run.state}", "{}"


async def begin(database: Database, version: int) -> AdRun | None:
    async def shown(_tx: object, _run: AdRun) -> None:
        """Nobody looks."""

    return await AdRunStore(database).begin(OWNER, version, as_work, shown, chat_id=10, now=NOON)


async def applied(database: Database, version: int) -> AdRun:
    run = await begin(database, version)
    assert run is not None
    store = AdRunStore(database)
    while run.after < run.last:
        run = await store.go_on(run)
    return await settled(database, run, RunState.DONE)


async def settled(database: Database, run: AdRun, state: RunState) -> AdRun:
    await database.write(lambda connection: AdRunStore(database).settle(connection, run, state, NOON))  # type: ignore[arg-type]
    ended = await AdRunStore(database).get(1, run.id)
    assert ended is not None
    return ended


async def taken_back(database: Database, run: AdRun) -> AdRun:
    store = AdRunStore(database)
    going = await store.begin_undoing(OWNER, run.id, as_work, now=NOON)
    while (further := await store.take_back(going)) is not None:
        going = further
    return await settled(database, going, RunState.UNDONE)


async def test_without_rules_names_that_are_there_are_found_and_none_is_made(hall: Hall) -> None:
    await hall.save(
        lead("79990000001", first=Marks(campaign="Ремонт", content="ad_1")),
        lead("79990000002", first=Marks(campaign="other", content="ad_1")),
        lead("79990000003", first=Marks(content="Серая")),
        lead("79990000004", first=Marks(campaign="other", content="other")),
    )
    assert await given(hall.database) == {
        "79990000001": (2, "name", 1, "name"),
        "79990000002": (1, "name", 1, "name"),  # the direction of its creative
        "79990000003": (None, "", 2, "name"),
        "79990000004": (None, "", None, ""),
    }
    assert len((await NameStore(hall.database).titles(1))[Part.DIRECTION]) == 2


async def test_the_first_rule_that_fits_wins_in_the_write_that_brings_the_lead(hall: Hall) -> None:
    await decide(
        hall.database, rule("KUH", 2, how=How.BEGINS), rule("kuh_spb", 1),
        rule("баннер", 2, how=How.CONTAINS, sign=Sign.FORM),
        rule("x", 2, sign=Sign.CONTENT, part=Part.CREATIVE),
    )  # fmt: skip
    await hall.save(
        lead("79990000001", first=Marks(campaign="kuh_spb", content="X")),
        lead("79990000002", source="tilda", form="Большой Баннер"),
        lead("79990000003", direction_id=1, creative_id=1, first=Marks(campaign="kuh_spb", content="x")),
        lead("79990000004", source="chat", direction_id=1, first=Marks(campaign="kuh_spb")),
    )
    assert await given(hall.database) == {
        "79990000001": (2, "rule", 2, "rule"),
        "79990000002": (2, "rule", None, ""),
        "79990000003": (1, "table", 1, "table"),
        "79990000004": (1, "hand", None, ""),
    }


async def test_marks_that_are_told_later_count_and_what_stands_does_not_drift(hall: Hall) -> None:
    await decide(hall.database, rule("kuh", 1))
    first = lead("79990000001", source="amocrm", number="5")
    await hall.save(first)
    assert (await given(hall.database))["5"] == (None, "", None, "")
    await hall.save(replace(first, first=Marks(campaign="kuh")))
    assert (await given(hall.database))["5"] == (1, "rule", None, "")
    await decide(hall.database, rule("kuh", 2))
    await hall.save(replace(first, status="новый"))
    assert (await given(hall.database))["5"] == (1, "rule", None, "")  # earlier leads wait to be asked for
    await hall.save(replace(first, direction_id=2))
    assert (await given(hall.database))["5"] == (2, "table", None, "")


async def test_a_pipeline_is_known_by_its_name_and_by_its_number_before_that(hall: Hall) -> None:
    stage = {"account_id": 1, "source": "amocrm", "pipeline_id": "101", "status_id": "7", "pipeline": "Ремонт", "status": ""}
    await hall.database.write(lambda connection: connection.execute(insert(crm_stages).values(**stage)))
    await decide(hall.database, rule("ремонт", 2, sign=Sign.PIPELINE), rule("102", 1, sign=Sign.PIPELINE))
    await hall.save(
        lead("79990000001", source="amocrm", number="1", pipeline_id="101", status_id="7"),
        lead("79990000002", source="amocrm", number="2", pipeline_id="102", status_id="8"),
        lead("79990000003", source="amocrm", number="3"),
    )
    found = {number: row[:2] for number, row in (await given(hall.database)).items()}
    assert found == {"1": (2, "rule"), "2": (1, "rule"), "3": (None, "")}
    fitting = await count_fitting(hall.database, 1, rule("Ремонт", 2, sign=Sign.PIPELINE))
    assert fitting.leads == 1


async def test_two_who_change_the_rules_at_once_do_not_undo_one_another(database: Database) -> None:
    store = AdRuleStore(database)
    assert await store.change(OWNER, [rule("a", 1)], since=0, now=NOON)
    assert not await store.change(OWNER, [rule("b", 1)], since=0, now=NOON)
    assert (await store.read(1)).rules == (rule("a", 1),)
    assert (await store.version(1, 0)).rules == ()
    assert (await store.read(2)).version == 0


async def crowd(hall: Hall, seed: int) -> None:
    random = Random(seed)
    campaigns, contents = ["", "kuh_1", "KUH_2", "rem", "Ремонт", "прочее"], ["", "ad_1", "Серая", "x"]
    batch = [
        lead(
            f"7999{number:07d}", days=-number % 9,
            first=Marks(campaign=random.choice(campaigns), content=random.choice(contents)),
            form=random.choice(["", "Заявка"]), direction_id=random.choice([None, None, None, 1, 2]),
            creative_id=random.choice([None, None, 1]), source=random.choice(["import", "chat", "tilda"]),
        )
        for number in range(1, 120)
    ]  # fmt: skip
    await hall.save(*batch)


def reckoned(row: Any, rules: tuple[AdRule, ...]) -> tuple[int | None, int | None]:
    """What a lead is to have, in plain words."""
    said = {Sign.CAMPAIGN: row.first_utm_campaign, Sign.CONTENT: row.first_utm_content, Sign.FORM: row.form}

    def ruled(part: Part) -> int | None:
        for one in rules:
            text, value = said[one.sign].casefold(), one.value.casefold()
            fit = {How.EQUALS: text == value, How.BEGINS: text.startswith(value), How.CONTAINS: value in text}[one.how]
            if one.part is part and text and fit:
                return one.name_id
        return None

    named = {"ad_1": 1, "Серая": 2}.get(row.first_utm_content)
    creative = row.creative_id if row.creative_by in {"table", "hand"} else ruled(Part.CREATIVE) or named
    direction = ruled(Part.DIRECTION) or {"Ремонт": 2}.get(row.first_utm_campaign) or (1 if creative == 1 else None)
    return (row.direction_id if row.direction_by in {"table", "hand"} else direction), creative


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_earlier_leads_get_what_the_rules_say_and_undone_are_exactly_as_before(
    hall: Hall, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs_module, "SEEN_AT_ONCE", 30)
    monkeypatch.setattr(runs_module, "CHANGED_AT_ONCE", 7)
    await crowd(hall, seed)
    before = await given(hall.database)
    random = Random(seed)
    choices = [
        rule("kuh", 1, how=How.BEGINS),
        rule("rem", 2),
        rule("о", 2, how=How.CONTAINS),
        rule("заявка", 1, sign=Sign.FORM),
    ]
    choices.append(rule("x", 2, sign=Sign.CONTENT, part=Part.CREATIVE))
    rules = tuple(random.sample(choices, len(choices)))
    async with hall.database.read() as connection:
        stood = {row.external_id: reckoned(row, rules) for row in await connection.execute(select(leads))}
    run = await applied(hall.database, await decide(hall.database, *rules))
    after = await given(hall.database)
    assert {number: (row[0], row[2]) for number, row in after.items()} == stood
    assert run.changed == sum(after[number] != before[number] for number in before) > 0
    assert (run.done, run.total) == (119, 119)
    again = await applied(hall.database, run.version)
    assert again.changed == 0
    assert (await taken_back(hall.database, again)).restored == 0
    assert (await taken_back(hall.database, run)).restored == run.changed
    assert await given(hall.database) == before
    async with hall.database.read() as connection:
        assert (await connection.execute(select(ad_changes))).all() == []


async def test_a_run_that_was_cut_off_goes_on_and_loses_nothing(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_module, "SEEN_AT_ONCE", 50)
    monkeypatch.setattr(runs_module, "CHANGED_AT_ONCE", 10)
    await crowd(hall, 4)
    before = await given(hall.database)
    begun = await begin(hall.database, await decide(hall.database, rule("kuh", 2, how=How.BEGINS)))
    assert begun is not None
    kept = runs_module._keep

    async def dies(connection: Any, run: AdRun) -> AdRun:
        if run.after > 0:
            raise ConnectionError
        return await kept(connection, run)

    monkeypatch.setattr(runs_module, "_keep", dies)
    with pytest.raises(ConnectionError):  # its changes are committed, how far it was is not
        await AdRunStore(hall.database).go_on(begun)
    monkeypatch.setattr(runs_module, "_keep", kept)
    run = await AdRunStore(hall.database).get(1, begun.id)
    assert run is not None
    assert (run.after, run.changed > 0) == (0, True)
    assert await begin(hall.database, 1) is None  # one at a time
    while run.after < run.last:
        run = await AdRunStore(hall.database).go_on(run)
    run = await settled(hall.database, run, RunState.DONE)
    after = await given(hall.database)
    assert run.changed == sum(after[number] != before[number] for number in before)
    await taken_back(hall.database, run)
    assert await given(hall.database) == before


async def test_what_somebody_says_after_the_run_stays_when_it_is_undone(hall: Hall) -> None:
    await hall.save(lead("79990000001", first=Marks(campaign="kuh")), lead("79990000002", first=Marks(campaign="kuh")))
    run = await applied(hall.database, await decide(hall.database, rule("kuh", 1)))
    said = update(leads).where(leads.c.external_id == "79990000001").values(direction_id=2, direction_by="hand")
    await hall.database.write(lambda connection: connection.execute(said))
    back = await taken_back(hall.database, run)
    assert (back.changed, back.restored) == (2, 1)
    assert [row[:2] for row in (await given(hall.database)).values()] == [(2, "hand"), (None, "")]


async def test_days_are_added_up_again_and_the_work_is_one_commit_with_the_run(hall: Hall) -> None:
    await hall.save(lead("79990000001", days=-3, first=Marks(campaign="kuh")), lead("79990000002", days=-2))
    await hall.database.write(lambda connection: connection.execute(conversion_dirty.delete()))
    run = await applied(hall.database, await decide(hall.database, rule("kuh", 1)))
    async with hall.database.read() as connection:
        assert list(await connection.scalars(select(conversion_dirty.c.day))) == ["2026-11-17"]
        assert list(await connection.scalars(select(work.c.object))) == [f"svodka:{run.id}:running"]


async def test_it_is_not_undone_too_late_or_under_a_later_run(hall: Hall) -> None:
    await hall.save(lead("79990000001", first=Marks(campaign="kuh")))
    store = AdRunStore(hall.database)
    first = await applied(hall.database, await decide(hall.database, rule("kuh", 1)))
    later = await applied(hall.database, await decide(hall.database, rule("kuh", 2)))
    for run_id, after in ((first.id, timedelta()), (later.id, timedelta(days=1, seconds=1)), (99, timedelta())):
        with pytest.raises(BadInput):
            await store.begin_undoing(OWNER, run_id, as_work, now=NOON + after)
    await store.forget_changes(NOON + timedelta(seconds=1))
    async with hall.database.read() as connection:
        assert (await connection.execute(select(ad_changes))).all() == []


async def test_what_a_rule_would_fit_and_which_marks_lead_nowhere(hall: Hall) -> None:
    await hall.save(
        lead("79990000001", first=Marks(campaign="Кух_1")), lead("79990000002", first=Marks(campaign="КУХ_1")),
        lead("79990000003", first=Marks(campaign="Кух_1")), lead("79990000004", first=Marks(campaign="rem"), direction_id=2),
        lead("79990000005"), lead("79990000006", first=Marks(campaign="rem"), deleted_at=NOON),
    )  # fmt: skip
    database = hall.database
    fitting = await count_fitting(database, 1, rule("кух", 1, how=How.BEGINS))
    assert (fitting.leads, fitting.said) == (3, 0)
    fitting = await count_fitting(database, 1, rule("rem", 1))
    assert (fitting.leads, fitting.said) == (1, 1)
    counts = await commonest_nameless(database, 1, Sign.CAMPAIGN, most=5)
    assert [(one.value, one.leads) for one in counts] == [("Кух_1", 3)]
    assert await count_without_direction(database, 1) == 4


def test_what_is_kept_of_a_change_is_read_back() -> None:
    assert runs_module._standing(json.dumps([None, "", 3, "rule"])) == (None, "", 3, "rule")


def test_a_mark_of_each_leads_own_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assigning, "MOST_KNOWN", 10)
    judge = assigning.Judge(AdRules(version=1, rules=(rule("ad", 7, how=How.BEGINS),)))
    for number in range(100):
        name = "ad" if number % 3 else "other"
        campaign = ("", "", f"{name}-{number}", "", "", "", "")
        assert judge._ruled(Part.DIRECTION, campaign) == (7 if name == "ad" else None)
        assert len(judge._known) <= 10


async def test_the_most_frequent_marks_are_found_among_many_of_one_lead(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks_module, "SPELLINGS", 2)
    campaigns = ("a1", "a2", "Весна", "a3", "весна", "весна", "a4")
    await hall.save(*(lead(f"7999000000{at}", first=Marks(campaign=name)) for at, name in enumerate(campaigns)))
    found = await commonest_nameless(hall.database, 1, Sign.CAMPAIGN, most=8)
    assert (found[0].value, found[0].leads) == ("весна", 2)
    assert len(found) == 2
