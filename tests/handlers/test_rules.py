"""The rules for registrations in the chat: what an admin presses and types, and who may not."""

from dataclasses import replace

import pytest

from domain.attendance import Yardstick
from domain.errors import VendorUnavailable
from domain.webinars import ALL_PAGES, PageId, Rule
from handlers.commands import READING_BUTTONS
from handlers.desk import Desk
from handlers.webinars.catalogue import Catalogue
from handlers.webinars.desk import WebinarDesk
from handlers.webinars.rules import status_ref
from storage.rules import RuleStore
from tests.handlers.chat import GROUP, MANAGER, OWNER, Talk
from tests.handlers.conftest import Golden
from tests.handlers.seed import seed_accounts
from tests.handlers.test_register import Asked, Platform
from tests.storage.hall import Hall, lead

PAGE = "111:page"


@pytest.fixture
async def talk(desk: Desk) -> Talk:
    await seed_accounts(desk.database)
    await Hall(desk.database).save(lead("89990000001", status="Новый"), lead("89990000002", status="Записан"))
    catalogue = Catalogue(Platform(), desk.clock)  # type: ignore[arg-type]  # all that is asked of it
    webinars = WebinarDesk(vendor="bizon365", catalogue=catalogue, ask=Asked(), yardstick=Yardstick())
    return Talk(replace(desk, webinars=webinars), OWNER)


async def rules(desk: Desk) -> list[Rule]:
    return await RuleStore(desk.database).all(1)


async def test_a_rule_is_made_by_presses_and_one_text(talk: Talk, desk: Desk, golden: Golden) -> None:
    assert "rules:0" in str((await talk.say("/settings")) and talk.keyboard())
    shown = [await talk.press("rules:0")]
    assert talk.keyboard() == [["rule:*"], [f"rule:{PAGE}"], ["rule:111:other"], ["rule:111:off"], ["settings:0"]]
    shown.append(await talk.press("rule:*"))
    shown.append(await talk.press("rtext:*"))
    assert "Не знаю {ссылка}" in await talk.say("Ждём {имя} {ссылка}")
    shown.append(await talk.say("Здравствуйте, {имя}!\nЖдём вас {дата} в {время}."))
    shown.append(await talk.press(f"rstat:*:{status_ref('Записан')}"))
    shown.append(await talk.press("rules:0"))
    golden("rules", "\n\n".join(shown))
    assert await rules(desk) == [Rule(message="Здравствуйте, {имя}!\nЖдём вас {дата} в {время}.", status="Записан")]


async def test_a_page_has_a_rule_of_its_own_until_it_is_taken_away(talk: Talk, desk: Desk) -> None:
    await RuleStore(desk.database).keep(OWNER, Rule(message="Общий", status="Записан"), desk.clock.now())
    assert "действует общее" in await talk.press(f"rule:{PAGE}")
    await talk.press(f"rstat:{PAGE}:0")
    assert await rules(desk) == [
        Rule(message="Общий", status="Записан"),
        Rule(page_id=PageId(PAGE), message="Общий", status=""),
    ]
    assert f"rdrop:{PAGE}" in str(talk.keyboard())
    await talk.press(f"rclear:{PAGE}")
    assert (await rules(desk))[1] == Rule(page_id=PageId(PAGE))
    assert "перевести в «Записан»" in await talk.press(f"rdrop:{PAGE}")
    assert [rule.page_id for rule in await rules(desk)] == [ALL_PAGES]


async def test_a_status_can_be_typed(talk: Talk, desk: Desk) -> None:
    await talk.press("rtype:*")
    assert "длиннее 60" in await talk.say("я" * 61)
    assert "перевести в «Ждёт вебинар»" in await talk.say("Ждёт  вебинар")
    assert await rules(desk) == [Rule(status="Ждёт вебинар")]
    assert "✓ Ждёт вебинар" in str(talk.session.calls)


async def test_a_long_text_is_refused(talk: Talk, desk: Desk) -> None:
    await talk.press("rtext:*")
    assert "1001 знаков, помещается 1000" in await talk.say("я" * 1001)
    assert await rules(desk) == []


@pytest.mark.parametrize("data", ["rules:0", "rule:*", "rtext:*", "rclear:*", "rstat:*:0", "rtype:*", "rdrop:*"])
async def test_a_manager_may_not(talk: Talk, desk: Desk, data: str) -> None:
    talk.person = MANAGER
    await talk.press(data)
    assert talk.shown() == []
    assert await rules(desk) == []


async def test_in_a_group_they_are_not_opened(talk: Talk, desk: Desk) -> None:
    assert desk.texts.get("settings.private_only") in await talk.press("rules:0", chat=GROUP)


async def test_what_is_gone_is_said(talk: Talk, desk: Desk) -> None:
    assert desk.texts.get("register.page_gone") in await talk.press("rule:111:nowhere")
    assert desk.texts.get("rule.status_gone") in await talk.press("rstat:*:12345678")


async def test_while_the_platform_is_away_known_pages_keep_their_rules(
    talk: Talk, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def pages(_: object) -> None:
        raise VendorUnavailable("bizon365", "getSubpages", "503")

    await RuleStore(desk.database).keep(OWNER, Rule(page_id=PageId(PAGE), message="Своё"), desk.clock.now())
    monkeypatch.setattr(Catalogue, "pages", pages)
    await talk.press("rules:0")
    assert talk.keyboard() == [["rule:*"], [f"rule:{PAGE}"], ["settings:0"]]


def test_a_press_that_changes_a_rule_is_never_too_late() -> None:
    assert not {"rtext", "rclear", "rstat", "rtype", "rdrop"} & set(READING_BUTTONS)
