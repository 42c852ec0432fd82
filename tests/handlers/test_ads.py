"""Rules for directions and creatives in the chat: a dialogue, marks without a rule, earlier leads and the way back."""

from typing import Any, cast

import pytest

from domain.ads import AdRule, How, Part, RunState, Sign
from domain.events import AdRunAsked
from domain.imports import CreativeRow
from domain.webinars import Marks
from domain.work import WorkItem
from handlers.ads import pipeline
from handlers.ads.asking import asking
from handlers.ads.screens import mark_ref
from handlers.ads.services import AdServices
from handlers.desk import Desk
from storage.ad_rules import AdRuleStore
from storage.ad_runs import AdRunStore
from storage.names import NameStore
from tests.calls.world import Crash
from tests.handlers.chat import GROUP, MANAGER, OWNER, PRIVATE_CHAT, Talk
from tests.handlers.conftest import MOSCOW, Golden, Stage
from tests.handlers.office import StoredWrites, shown
from tests.handlers.seed import NOON, seed_accounts
from tests.storage.hall import Hall, lead


@pytest.fixture
async def talk(desk: Desk) -> Talk:
    await seed_accounts(desk.database)
    await NameStore(desk.database).add(1, ["Кухни"], [CreativeRow(title="Белая")], NOON)
    await Hall(desk.database).save(
        *(lead(f"7999000000{n}", first=Marks(campaign="kuh_spb", content="ad_7")) for n in range(3)),
        lead("79990000009", direction_id=1, first=Marks(campaign="KUH_msk")),
    )
    return Talk(desk, OWNER)


async def rules(desk: Desk) -> tuple[AdRule, ...]:
    return (await AdRuleStore(desk.database).read(1)).rules


async def make(talk: Talk, value: str, name: str = "Кухни") -> None:
    for data in ("adadd:0", "adsign:utm_campaign", "adhow:begins"):
        await talk.press(data)
    await talk.say(value)
    await talk.press("adpart:direction")
    await talk.say(name)
    await talk.press("adsave:0")


async def test_a_rule_is_made_in_a_dialogue_that_shows_whom_it_fits(talk: Talk, desk: Desk, golden: Golden) -> None:
    assert "ads:0" in str((await talk.say("/settings")) and talk.keyboard())
    said = [await talk.press(data) for data in ("ads:0", "adadd:0", "adsign:utm_campaign", "adhow:begins")]
    said += [await talk.say("Kuh"), await talk.press("adpart:direction")]
    assert talk.keyboard()[0] == ["adname:1"]
    said += [await talk.press("adname:1")]
    assert "Подойдёт к 4 лидам" in said[-1]
    said += [await talk.press("adsave:0"), await talk.press("adrule:1:0")]
    golden("ad_rules", "\n\n".join(said))
    assert await rules(desk) == (AdRule(sign=Sign.CAMPAIGN, how=How.BEGINS, value="Kuh", part=Part.DIRECTION, name_id=1),)


async def test_a_name_that_is_not_there_comes_with_its_rule(talk: Talk, desk: Desk) -> None:
    for data in ("adadd:0", "adsign:utm_content", "adhow:equals"):
        await talk.press(data)
    await talk.say("ad_7")
    await talk.press("adpart:creative")
    assert "Креатива «Синяя» ещё нет" in await talk.say("Синяя")
    await talk.press("adsave:0")
    (made,) = await rules(desk)
    assert (await NameStore(desk.database).titles(1))[Part.CREATIVE][made.name_id] == "Синяя"


async def test_a_part_is_changed_before_and_after_it_is_saved(talk: Talk, desk: Desk) -> None:
    await make(talk, "kuh")
    await talk.press("adedit:1:0")
    await talk.press("adask:how")
    assert "содержит «kuh»" in await talk.press("adhow:contains")
    await talk.press("adask:value")
    assert "содержит «spb»" in await talk.say("spb")
    await talk.press("adask:part")
    assert "Выберите креатив" in await talk.press("adpart:creative")
    assert "креатив «Белая»" in await talk.press("adname:1")
    await talk.press("adsave:0")
    assert await rules(desk) == (AdRule(sign=Sign.CAMPAIGN, how=How.CONTAINS, value="spb", part=Part.CREATIVE, name_id=1),)


async def test_rules_are_moved_dropped_and_brought_back(talk: Talk, desk: Desk) -> None:
    await make(talk, "a")
    await make(talk, "b")
    assert "1. utm_campaign начинается с «b»" in await talk.press("adup:2:1")
    assert "1. utm_campaign начинается с «a»" in await talk.press("addown:3:0")
    assert desk.texts.get("ads.dropped") in await talk.press("addrop:4:0")
    assert [one.value for one in await rules(desk)] == ["b"]
    assert desk.texts.get("ads.back") in await talk.press("adback:5")
    assert [one.value for one in await rules(desk)] == ["a", "b"]
    assert desk.texts.get("ads.gone") in await talk.press("addrop:4:0")  # a button of an earlier version
    assert desk.texts.get("ads.stale") in await talk.press("adback:5")


async def test_a_draft_does_not_overwrite_what_somebody_else_has_saved(talk: Talk, desk: Desk) -> None:
    for data in ("adadd:0", "adsign:utm_campaign", "adhow:equals"):
        await talk.press(data)
    await talk.say("x")
    await talk.press("adpart:direction")
    await talk.press("adname:1")
    other = AdRule(sign=Sign.TERM, how=How.EQUALS, value="y", part=Part.DIRECTION, name_id=1)
    await AdRuleStore(desk.database).change(OWNER, [other], since=0, now=NOON)
    assert desk.texts.get("ads.stale") in await talk.press("adsave:0")
    assert await rules(desk) == (other,)


async def test_a_mark_without_a_direction_is_a_tap_away_from_a_rule(talk: Talk, desk: Desk, golden: Golden) -> None:
    said = [await talk.press("adnone:0")]
    button = f"adnew:utm_campaign:{mark_ref('kuh_spb')}"
    assert talk.keyboard()[0] == [button]
    said += [await talk.press(button), await talk.press("adname:1")]
    golden("ad_nameless", "\n\n".join(said))
    await talk.press("adsave:0")
    assert [(one.how, one.value) for one in await rules(desk)] == [(How.EQUALS, "kuh_spb")]
    assert desk.texts.get("ads.mark_gone") in await talk.press("adnew:utm_campaign:00000000")


async def test_what_is_too_long_or_over_is_said(talk: Talk, desk: Desk) -> None:
    assert desk.texts.get("ads.ended") in await talk.press("adhow:equals")
    for data in ("adadd:0", "adsign:form", "adhow:equals"):
        await talk.press(data)
    assert "201 знаков, помещается 200" in await talk.say("я" * 201)


@pytest.mark.parametrize(
    "data", ["ads:0", "adadd:0", "adnone:0", "adapply:0", "adgo:0", "adundo:1", "adback:1", "addrop:1:0"]
)
async def test_a_manager_may_not(talk: Talk, data: str) -> None:
    talk.person = MANAGER
    await talk.press(data)
    assert talk.shown() == []


async def test_in_a_group_they_are_not_opened(talk: Talk, desk: Desk) -> None:
    assert desk.texts.get("settings.private_only") in await talk.press("ads:0", chat=GROUP)


def services(desk: Desk) -> AdServices:
    async def write(job: Any) -> int:
        return cast("int", await desk.database.write(job))

    return AdServices(
        runs=AdRunStore(desk.database), chat=cast("Any", desk.posts), clock=desk.clock, texts=desk.texts, timezone=MOSCOW,
        write=write, posted=lambda: None,
    )  # fmt: skip


def item(event: AdRunAsked) -> WorkItem[AdRunAsked]:
    return WorkItem(
        id=1, account_id=1, kind="ads", object="svodka:ads:1", generation=1, event=event, source="chat", delivery_id=None,
        heard_at=NOON, failures=0,
    )  # fmt: skip


async def test_earlier_leads_follow_and_come_back_in_the_place_of_the_press(
    talk: Talk, desk: Desk, stage: Stage, golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "TOLD_EVERY", 1)
    await make(talk, "kuh")
    assert "1 правило" in await talk.press("adapply:0")
    assert desk.texts.get("ads.stale") in await talk.press("adgo:7")
    await talk.press("adgo:1")
    await talk.press("adgo:1")
    assert "Правила уже применяются" in str(talk.session.calls)
    (event,) = stage.submitted
    assert isinstance(event, AdRunAsked)
    texts = [(await shown(desk))[PRIVATE_CHAT, "ads:1"]]
    await pipeline.apply_rules(item(event), StoredWrites(desk), services(desk))
    texts.append((await shown(desk))[PRIVATE_CHAT, "ads:1"])
    run = await AdRunStore(desk.database).get(1, 1)
    assert run is not None
    assert (run.state, run.changed) == (RunState.DONE, 3)
    await talk.press("adundo:1")
    back = cast("AdRunAsked", stage.submitted[-1])
    await pipeline.apply_rules(item(back), StoredWrites(desk), services(desk))
    texts.append((await shown(desk))[PRIVATE_CHAT, "ads:1"])
    golden("ad_run", "\n".join(texts))
    assert "Отменять здесь уже нечего" in await talk.press("adundo:1")


async def test_a_crash_at_the_end_is_one_end(talk: Talk, desk: Desk, stage: Stage) -> None:
    await make(talk, "kuh")
    await talk.press("adgo:1")
    (event,) = stage.submitted
    assert isinstance(event, AdRunAsked)
    with pytest.raises(Crash):
        await pipeline.apply_rules(item(event), StoredWrites(desk, die_after=0), services(desk))
    left = await AdRunStore(desk.database).get(1, 1)
    assert left is not None
    assert (left.state, left.changed, asking(left)) == (RunState.RUNNING, 3, event)
    for _ in range(2):  # and once more, after it has ended
        await pipeline.apply_rules(item(event), StoredWrites(desk), services(desk))
        run = await AdRunStore(desk.database).get(1, 1)
        assert run is not None
        assert (run.state, run.changed) == (RunState.DONE, 3)
