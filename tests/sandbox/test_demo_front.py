"""The demo's site and CRM, and the story of one client, with a stand-in for the bot's process."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import aiohttp
import pytest

from domain.crm import CrmAction
from domain.events import CrmChanged, Event, LeadsChanged
from domain.people import personal_key
from domain.webhooks import Delivery, Receiver
from integrations.amocrm.settings import Settings as CrmSettings
from integrations.amocrm.webhook import Receiver as CrmReceiver
from integrations.tilda.settings import Settings as TildaSettings
from integrations.tilda.webhook import Receiver as TildaReceiver
from sandbox.demo import front as front_module
from sandbox.demo import stage as stage_module
from sandbox.demo.front import TILDA_SECRET, Front
from sandbox.demo.hall import Hall
from sandbox.demo.people import HEROINE, OTHERS
from sandbox.demo.stage import NO_DEAL, story_of
from sandbox.demo.thread import CALL, STEPS
from sandbox.demo.told import Told
from sandbox.demo.weights import Weights
from tests.ground import until
from tests.sandbox.test_demo import Scene, opened

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEY = personal_key(HEROINE.phone)
RECEIVERS: dict[str, Receiver] = {
    "tilda": TildaReceiver(TildaSettings(secrets=(TILDA_SECRET,))),
    "amocrm": CrmReceiver(CrmSettings(base_url="http://127.0.0.1")),
}


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Scene]:
    stage = await opened(tmp_path, Weights(tmp_path / "weights", lambda: None), fetch=False)
    async with aiohttp.ClientSession() as http:
        yield Scene(stage, http)
    await stage.close()


def event_of(told: Told) -> Event:
    """What the product reads of a request."""
    headers = {name.lower(): value for name, value in told.headers.items()}
    delivery = Delivery(method="POST", path=told.path, query="", headers=headers, body=told.body, received_at=AT)
    receiver = RECEIVERS[told.path.split("/")[2]]
    receiver.verify(delivery)
    (event,) = receiver.parse(delivery).events
    return event


def test_every_system_writes_her_phone_its_own_way_and_it_is_one() -> None:
    call = story_of(CALL)
    assert call is not None
    written = [HEROINE.phone, HEROINE.phone_in_crm, HEROINE.phone_in_room, call.phone]
    assert len(set(written)) == 4
    assert {personal_key(one) for one in written} == {KEY}
    assert " ".join(call.client) == HEROINE.name
    for other in OTHERS:
        assert other.phone != other.phone_in_crm
        assert personal_key(other.phone) == personal_key(other.phone_in_crm) != KEY


def test_a_form_carries_its_ad_in_a_cookie() -> None:
    (lead,) = cast("LeadsChanged", event_of(Front().send_form(HEROINE))).leads
    assert (lead.name, lead.phone, lead.email) == (HEROINE.name, HEROINE.phone, HEROINE.email)
    assert (lead.first.source, lead.first.medium, lead.first.campaign) == HEROINE.utm
    assert lead.form == front_module.FORM


def test_a_deal_is_two_hooks_and_its_changes_are_newer() -> None:
    front = Front()
    contact, deal = (cast("CrmChanged", event_of(told)) for told in front.add_deal(HEROINE))
    assert personal_key(contact.contacts[0].contact.phones[0]) == KEY
    assert contact.contacts[0].contact.lead_ids == (deal.leads[0].lead.external_id,)
    assert deal.leads[0].action is CrmAction.ADDED
    assert deal.leads[0].lead.value == 1_800_000
    row = front.deal_of(HEROINE)
    assert row is not None
    update, stage = (cast("CrmChanged", event_of(told)).leads[0] for told in front.move_deal(row))
    assert (update.action, stage.action) == (CrmAction.UPDATED, CrmAction.STAGE)
    assert update.lead.status_id == stage.lead.status_id != deal.leads[0].lead.status_id
    assert cast("datetime", stage.lead.updated_at) > cast("datetime", deal.leads[0].lead.updated_at)
    changed = cast("CrmChanged", event_of(front.change_contact(row))).contacts[0].contact
    assert changed.emails
    assert personal_key(changed.phones[0]) == KEY


def test_the_heroine_sits_among_the_viewers() -> None:
    hall = Hall()
    *_, report = hall.end_webinar()
    (webinar,) = hall.platform.account.webinars.values()
    assert webinar.webinar_id.encode() in report.body
    theirs = [viewer for viewer in webinar.viewers if personal_key(str(viewer.get("phone"))) == KEY]
    assert [viewer["username"] for viewer in theirs] == ["Ирина"]
    assert len(webinar.viewers) == 300


async def test_forms_and_deals_of_others_come_in_turns(demo: Scene) -> None:
    assert "Сделок в amoCRM пока нет" in await demo.lines()
    off = [one["id"] for one in cast("list[dict[str, object]]", (await demo.panel())["buttons"]) if one["disabled"]]
    assert {"stage", "contact"} <= set(off)
    assert (await demo.press("stage"))[1] == (await demo.press("contact"))[1] == NO_DEAL
    assert await demo.press("form") == (200, "Тильда прислала заявку.")
    assert await demo.press("deal") == (200, "amoCRM сообщила о контакте и о сделке.")
    assert await demo.press("stage") == (200, "amoCRM сообщила о новом этапе.")
    assert await demo.press("contact") == (200, "amoCRM сообщила о контакте: у него новая почта.")
    assert f"последняя — {front_module.FORM}: {OTHERS[0].name}, этап «Расчёт отправлен»" in await demo.lines()
    assert [path.split("/")[2] for path in demo.bot.paths] == ["tilda", *["amocrm"] * 5]
    assert demo.bot.environment["TILDA_SECRET"] == TILDA_SECRET
    assert demo.bot.environment["AMOCRM_BASE_URL"] == demo.stage.urls["crm"]


async def test_the_story_ticks_what_is_told_and_shows_what_is_next(demo: Scene) -> None:
    async def steps() -> list[tuple[bool, bool]]:
        buttons = cast("list[dict[str, object]]", (await demo.panel())["buttons"])
        return [(bool(one["done"]), bool(one["next"])) for one in buttons if str(one["id"]).startswith("thread-")]

    assert await steps() == [(False, True), *[(False, False)] * 5]
    for step in STEPS:
        assert (await demo.press(step.id))[0] == 200
    assert await steps() == [(True, False)] * 6
    (call,) = demo.stage.portal.portal.calls
    assert personal_key(call.phone) == KEY
    private = demo.stage.telegram.private(demo.stage.owner)
    assert [message.text for message in demo.stage.telegram.messages(private)] == [f"/client {HEROINE.phone}"]


async def test_the_last_step_leads_to_the_chat_of_its_answer(demo: Scene) -> None:
    url = demo.stage.urls["telegram"] + "/demo/press/"
    async with demo.http.post(url + "thread-card") as answer:
        assert (await answer.json())["chat"] == demo.stage.telegram.private(demo.stage.owner).id
    async with demo.http.post(url + "thread-form") as answer:
        assert "chat" not in await answer.json()


async def test_what_nobody_took_is_sent_again(demo: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_module, "AGAIN_FORM", (0.05,) * 2000)
    monkeypatch.setattr(stage_module, "STARTING_SECONDS", 0.0)
    await demo.stage.child.killed()
    assert (await demo.press("form"))[1] == "Бот не работает: Тильда пришлёт это ещё раз через минуту. Запустите его."
    assert "amoCRM пришлёт это ещё раз через 5 минут" in (await demo.press("deal"))[1]
    assert demo.bot.posted == []
    demo.bot.status = 503
    await demo.press("start")
    await until(lambda: len(demo.bot.posted) > 1)  # refused, and sent once more
    demo.bot.status = 200
    taken = len(demo.bot.posted)
    await until(lambda: len(demo.bot.posted) > taken)
    assert len(set(demo.bot.posted)) == 1
    assert OTHERS[0].email.partition("@")[0] in demo.bot.posted[0]
