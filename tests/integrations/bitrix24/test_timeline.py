"""Where a call belongs, one comment per card, names that never stop a card."""

import asyncio

import pytest

from domain.calls import Parties
from domain.errors import VendorRefused, VendorUnavailable
from domain.ports import Timeline as TimelinePort
from integrations.bitrix24.fake import Scripted
from integrations.bitrix24.timeline import ADD, REMEMBERED, Remembered, escaped, plain_text
from tests.ground import HandClock
from tests.integrations.bitrix24.conftest import Shop, facts

BINDINGS = "crm.activity.binding.list"
LIST = "crm.timeline.comment.list"
UPDATE = "crm.timeline.comment.update"


async def test_the_port_is_this(shop: Shop) -> None:
    port: TimelinePort = shop.timeline
    assert port is shop.timeline


@pytest.mark.parametrize(
    ("bound", "target"),
    [
        ([("company", "4"), ("contact", "3"), ("lead", "1"), ("deal", "2")], ("deal", "2")),
        ([("company", "4"), ("contact", "3"), ("lead", "1")], ("lead", "1")),
        ([("company", "4"), ("contact", "3")], ("contact", "3")),
        ([("company", "4")], ("company", "4")),
        ([("deal", "9"), ("deal", "10")], ("deal", "10")),
        ([("1030", "8"), ("31", "7")], ("dynamic_1030", "8")),
        ([("31", "7")], ("contact", "17")),
        ([], ("contact", "17")),
    ],
)
async def test_the_target_of_a_comment(shop: Shop, bound: list[tuple[str, str]], target: tuple[str, str]) -> None:
    shop.fake.portal.bindings["70"] = bound
    assert await shop.timeline.target(facts(activity_id="70", crm_entity=("contact", "17"))) == target
    assert shop.fake.asked(BINDINGS) == [{"activityId": 70}]


async def test_without_an_activity_the_statistics_decide(shop: Shop) -> None:
    assert await shop.timeline.target(facts(crm_entity=("lead", "5"))) == ("lead", "5")
    assert await shop.timeline.target(facts()) is None
    assert shop.fake.asked(BINDINGS) == []


@pytest.mark.parametrize("code", ["NOT_FOUND", "ACCESS_DENIED"])
async def test_an_activity_that_is_gone_leaves_the_statistics(shop: Shop, code: str) -> None:
    shop.fake.fail(BINDINGS, 400, code)
    assert await shop.timeline.target(facts(activity_id="70", crm_entity=("lead", "5"))) == ("lead", "5")


async def test_a_missing_right_is_told(shop: Shop) -> None:
    shop.fake.portal.scopes -= {"crm"}
    with pytest.raises(VendorRefused, match="insufficient_scope"):
        await shop.timeline.target(facts(activity_id="70"))


async def test_a_comment_is_added_found_and_changed(shop: Shop) -> None:
    deal = ("deal", "42")
    text = "Жалоба [b]громко[/b] & <тихо> 😀 [звонок A1.1.1]"
    comment_id = await shop.timeline.add_comment(deal, text)
    (stored,) = shop.fake.comments
    assert (comment_id, stored.entity) == (str(stored.comment_id), deal)
    assert "[b]" not in stored.text
    assert "[/b]" not in stored.text
    assert stored.text.replace("\u200b", "") == text
    assert await shop.timeline.find_comment(deal, "[звонок A1.1.1]") == comment_id
    assert await shop.timeline.find_comment(deal, "& <тихо>") == comment_id
    assert await shop.timeline.find_comment(deal, "[звонок B2]") is None
    assert await shop.timeline.find_comment(("deal", "43"), "звонок") is None
    await shop.timeline.update_comment(comment_id, deal, "Новый [url]")
    assert [comment.text for comment in shop.fake.comments] == ["Новый [\u200burl]"]
    assert shop.fake.asked(ADD)[0]["fields"] == {"ENTITY_ID": 42, "ENTITY_TYPE": "deal", "COMMENT": escaped(text)}


async def test_a_marker_far_back_is_found(shop: Shop) -> None:
    lead = ("lead", "1")
    first = await shop.timeline.add_comment(lead, "метка 1")
    for number in range(2, 122):
        await shop.timeline.add_comment(lead, f"другое {number}")
    assert await shop.timeline.find_comment(lead, "метка 1") == first
    assert [asked["start"] for asked in shop.fake.asked(LIST)] == [0, 50, 100]
    newest = shop.fake.comments[-1]
    assert await shop.timeline.find_comment(lead, "другое") == str(newest.comment_id)


async def test_comments_of_another_shape_are_passed_over(shop: Shop) -> None:
    body = b'{"result": {"5": {"ID": 5, "COMMENT": null}, "6": {"ID": 6, "COMMENT": "a &#91;m&#93; &amp;"}}}'
    shop.fake.answer(LIST, Scripted(status=200, body=body))
    assert await shop.timeline.find_comment(("lead", "1"), "[m] &") == "6"


@pytest.mark.parametrize("result", ["null", "[]", '"x"', "{}", "-1"])
async def test_no_id_means_perhaps(shop: Shop, result: str) -> None:
    shop.fake.answer(ADD, Scripted(status=200, body=b'{"result": %s}' % result.encode()))
    with pytest.raises(VendorUnavailable) as caught:
        await shop.timeline.add_comment(("deal", "1"), "x")
    assert caught.value.uncertain


@pytest.mark.parametrize(("status", "code"), [(400, "OWNER_NOT_FOUND"), (400, "ACCESS_DENIED"), (400, "INVALID_ARG_VALUE")])
async def test_a_refused_comment(shop: Shop, status: int, code: str) -> None:
    shop.fake.fail(ADD, status, code)
    with pytest.raises(VendorRefused) as caught:
        await shop.timeline.add_comment(("deal", "1"), "x")
    assert caught.value.code == code.lower()


async def test_a_comment_whose_answer_is_lost_is_found_and_not_added_twice(shop: Shop) -> None:
    deal = ("deal", "42")
    reached = shop.fake.hold(ADD)
    adding = asyncio.create_task(shop.timeline.add_comment(deal, "текст [A1.1.1]"))
    await reached.wait()
    adding.cancel()
    await asyncio.gather(adding, return_exceptions=True)
    shop.fake.release(ADD)
    assert await shop.timeline.find_comment(deal, "[A1.1.1]") == str(shop.fake.comments[0].comment_id)
    shop.fake.fail(UPDATE, 500, "INTERNAL_SERVER_ERROR", after=True)
    with pytest.raises(VendorUnavailable) as caught:
        await shop.timeline.update_comment("1001", deal, "иначе")
    assert caught.value.uncertain
    assert len(shop.fake.asked(UPDATE)) == 1


async def test_the_names_of_a_call(shop: Shop) -> None:
    shop.fake.portal.bindings["70"] = [("contact", "17"), ("deal", "42")]
    known = facts(activity_id="70", crm_entity=("contact", "17"))
    expected = Parties(
        employee_name="Анна Петрова", client_name="Елена Воронцова", crm_url=f"{shop.base}/crm/deal/details/42/"
    )
    assert await shop.timeline.parties(known) == expected
    requests = len(shop.fake.requests)
    assert requests == 3
    assert await shop.timeline.parties(known) == expected
    assert len(shop.fake.requests) == requests  # remembered
    shop.clock.forward(601)
    shop.fake.portal.people["user", "12"]["LAST_NAME"] = "Иванова"
    assert (await shop.timeline.parties(known)).employee_name == "Анна Иванова"


@pytest.mark.parametrize("bound", [[("deal", "42")], []])
async def test_all_who_ask_for_the_cards_of_a_call_share_one_answer(shop: Shop, bound: list[tuple[str, str]]) -> None:
    shop.fake.portal.bindings["70"] = bound
    known = facts(activity_id="70", crm_entity=("lead", "5"))
    await asyncio.gather(shop.timeline.parties(known), shop.timeline.target(known), shop.timeline.parties(known))
    shop.clock.forward(170)
    await shop.timeline.target(known)
    assert len(shop.fake.asked(BINDINGS)) == 1
    shop.clock.forward(20)
    await shop.timeline.target(known)
    assert len(shop.fake.asked(BINDINGS)) == 2  # somebody may have tied the call to a deal meanwhile


async def test_a_failed_or_cancelled_question_is_asked_again_by_the_next(shop: Shop) -> None:
    shop.fake.portal.bindings["70"] = [("deal", "42")]
    known = facts(activity_id="70")
    shop.fake.fail(BINDINGS, 500, "INTERNAL_SERVER_ERROR")
    first, second = await asyncio.gather(shop.timeline.target(known), shop.timeline.target(known), return_exceptions=True)
    assert isinstance(first, VendorUnavailable)
    assert second == ("deal", "42")
    shop.clock.forward(181)
    reached = shop.fake.hold(BINDINGS)
    asking, waiting = (asyncio.create_task(shop.timeline.target(known)) for _ in range(2))
    await reached.wait()
    asking.cancel()
    shop.fake.release(BINDINGS)
    assert await waiting == ("deal", "42")
    assert asking.cancelled()


@pytest.mark.parametrize(
    ("entity", "row", "name"),
    [
        (("company", "3"), {"TITLE": "ООО Двор", "NAME": ""}, "ООО Двор"),
        (("lead", "3"), {"TITLE": "Входящий звонок", "NAME": "Олег", "LAST_NAME": ""}, "Олег"),
        (("lead", "3"), {"TITLE": "Входящий звонок"}, ""),
        (("contact", "3"), {"NAME": "", "LAST_NAME": "Орлова"}, "Орлова"),
    ],
)
async def test_the_name_of_each_kind_of_card(shop: Shop, entity: tuple[str, str], row: dict[str, str], name: str) -> None:
    shop.fake.portal.people[entity] = row
    assert (await shop.timeline.parties(facts(crm_entity=entity, employee_id=""))).client_name == name


async def test_the_client_is_found_through_the_activity(shop: Shop) -> None:
    shop.fake.portal.bindings["70"] = [("deal", "42"), ("company", "3"), ("contact", "17")]
    parties = await shop.timeline.parties(facts(activity_id="70"))
    assert parties.client_name == "Елена Воронцова"
    nobody = await shop.timeline.parties(facts(employee_id="999"))
    assert nobody == Parties()


async def test_no_right_no_names_but_no_error(shop: Shop) -> None:
    shop.fake.portal.scopes = frozenset({"telephony"})
    known = facts(activity_id="70", crm_entity=("lead", "5"))
    assert await shop.timeline.parties(known) == Parties(crm_url=f"{shop.base}/crm/lead/details/5/")
    asked = len(shop.fake.asked("user.get"))
    await shop.timeline.parties(known)
    assert len(shop.fake.asked("user.get")) == asked  # a refusal is remembered like a name


async def test_the_card_of_a_dynamic_type(shop: Shop) -> None:
    shop.fake.portal.bindings["70"] = [("1030", "8")]
    assert (await shop.timeline.parties(facts(activity_id="70"))).crm_url == f"{shop.base}/crm/type/1030/details/8/"


@pytest.mark.parametrize(
    "body", [b'{"result": []}', b'{"result": null}', b'{"result": [5]}', b'{"result": [{"ID": 13, "NAME": "X"}]}']
)
async def test_people_of_another_shape(shop: Shop, body: bytes) -> None:
    shop.fake.answer("user.get", Scripted(status=200, body=body))
    shop.fake.answer("crm.contact.get", Scripted(status=200, body=b'{"result": []}'))
    assert await shop.timeline.parties(facts(crm_entity=("contact", "17"))) == Parties(
        crm_url=f"{shop.base}/crm/contact/details/17/"
    )


async def test_the_memory_is_bounded() -> None:
    clock = HandClock()
    kept: Remembered[str] = Remembered(clock, 10)
    asked: list[str] = []

    async def ask() -> str:
        asked.append("x")
        return "x"

    for number in range(REMEMBERED + 1):
        await kept.get(str(number), ask)
    await kept.get("1", ask)
    assert len(asked) == REMEMBERED + 1
    await kept.get("0", ask)
    assert len(asked) == REMEMBERED + 2


@pytest.mark.parametrize("text", ["[b]x[/b]", "a [[ b", "нет скобок", "[url=http://x]y[/url]", "\ud800"])
def test_escaping_hides_markup_and_comes_back(text: str) -> None:
    assert "[b" not in escaped(text)
    assert plain_text(escaped(text)) == text.replace("\ud800", "?")
