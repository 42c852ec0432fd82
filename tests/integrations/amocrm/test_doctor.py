"""`svodka check amocrm`: every fault has its own code and names whose it is and what to press."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from integrations.amocrm.doctor import diagnose
from integrations.amocrm.fake import Fake, Scripted
from integrations.amocrm.hooks import WANTED_EVENTS
from integrations.amocrm.settings import PAPER_FIELDS, Settings
from integrations.kit.vendor import Finding, Workshop
from tests.conftest import Serve
from tests.ground import HandClock
from tests.integrations.amocrm.conftest import House, Shelf

TOKEN = "t0ken-0f-tests"
OURS = ("https://svodka.example/hooks/amocrm/0a1b",)
CLOCK = HandClock()


@pytest.fixture
async def office(serve: Serve) -> tuple[Fake, Settings]:
    """An account where all is well."""
    fake = Fake(token=TOKEN)
    fake.account.hooks = [{"destination": OURS[0], "disabled": False, "settings": list(WANTED_EVENTS)}]
    fake.add_pipeline(101, "Продажи", {1: "Новая", 142: "Успешно"})
    fake.add_user(9001, "Пётр Орлов")
    fields = [{"id": int(number), "name": name, "code": ""} for name, number in PAPER_FIELDS.items()]
    fake.account.lead_fields, fake.account.contact_fields = fields[2:], fields[:2]
    return fake, Settings(base_url=await serve(fake.build_app()), access_token=TOKEN, domain="acme.amocrm.ru", rate=1000)


async def findings(settings: Settings, ours: tuple[str, ...] = OURS, tokens: Shelf | None = None) -> dict[str, Finding]:
    async def run_cpu(work: Callable[[], object]) -> object:
        return work()

    workshop = Workshop(clock=CLOCK, data_dir=Path(), run_cpu=run_cpu, hook_urls=ours, tokens=tokens)
    found = [finding async for finding in diagnose(settings, workshop)]
    assert len({finding.code for finding in found}) == len(found)
    for finding in found:
        assert bool(finding.hint) is not finding.ok
        assert TOKEN not in repr(finding)
    return {finding.code: finding for finding in found}


async def test_all_is_well_and_nothing_is_changed(office: tuple[Fake, Settings]) -> None:
    fake, settings = office
    found = await findings(settings)
    assert list(found) == ["amocrm.token", "amocrm.hooks", "amocrm.fields", "amocrm.stages", "amocrm.people"]
    assert all(finding.ok for finding in found.values())
    assert {seen.method for seen in fake.requests} == {"GET"}


@pytest.mark.parametrize(
    ("status", "code"), [(401, "amocrm.token.bad_token"), (402, "amocrm.token.not_paid"), (403, "amocrm.token.forbidden")]
)
async def test_a_token_that_is_refused_ends_the_questions(office: tuple[Fake, Settings], status: int, code: str) -> None:
    fake, settings = office
    fake.script("account", Scripted(status=status))
    assert list(await findings(settings)) == [code]


async def test_nobody_answers(office: tuple[Fake, Settings]) -> None:
    fake, settings = office
    fake.down = True
    assert list(await findings(settings)) == ["amocrm.unreachable"]


async def test_another_accounts_token(office: tuple[Fake, Settings]) -> None:
    _, settings = office
    assert "31234567" in (await findings(replace(settings, account_id="5")))["amocrm.account"].hint


async def test_a_token_that_ends_soon(office: tuple[Fake, Settings]) -> None:
    fake, settings = office
    ends = int((CLOCK.now() + timedelta(days=5)).timestamp())
    token = f"e30.{urlsafe_b64encode(json.dumps({'exp': ends}).encode()).decode().rstrip('=')}.x"
    fake.tokens = {token}
    found = await findings(replace(settings, access_token=token))
    assert found["amocrm.token.ends"].warning
    assert "amocrm.hooks" in found


@pytest.mark.parametrize(
    ("hooks", "code"),
    [
        ([], "amocrm.hooks.missing"),
        ([{"destination": "https://other.example", "disabled": False}], "amocrm.hooks.missing"),
        ([{"destination": OURS[0], "disabled": True}], "amocrm.hooks.disabled"),
        ([{"destination": OURS[0], "disabled": False, "settings": ["add_lead"]}], "amocrm.hooks.events"),
    ],
)
async def test_a_hook_that_tells_us_nothing(office: tuple[Fake, Settings], hooks: list[object], code: str) -> None:
    fake, settings = office
    fake.account.hooks = hooks  # type: ignore[assignment]
    assert (await findings(settings))[code].subscribe == "amocrm"
    if hooks:
        assert not (await findings(settings, ours=()))["amocrm.hooks.missing"].subscribe  # nobody could reach us


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("webhooks", "amocrm.hooks.forbidden"),
        ("leads/custom_fields", "amocrm.fields.forbidden"),
        ("leads/pipelines", "amocrm.stages.forbidden"),
        ("users", "amocrm.people.forbidden"),
    ],
)
async def test_what_is_not_ours_to_see(office: tuple[Fake, Settings], path: str, code: str) -> None:
    fake, settings = office
    fake.script(path, Scripted(status=403))
    assert code in await findings(settings)


async def test_missing_fields_are_offered_by_their_names(office: tuple[Fake, Settings]) -> None:
    fake, settings = office
    fake.account.lead_fields = [
        {"id": 752009, "name": "Метка", "code": "UTM_SOURCE"},
        {"id": 752010, "name": "utm_medium", "code": ""},
        {"id": 752011, "name": "Стоимость", "code": ""},
        {"id": 752012, "name": "UTM кампания", "code": ""},
        {"id": 752013, "name": "UTM_CONTENT", "code": "UTM_CONTENT"},
    ]
    missing = (await findings(settings))["amocrm.fields.missing"]
    assert "value=752011 («Стоимость»)" in missing.hint
    assert "utm_source" not in missing.detail
    assert "utm_medium" not in missing.detail
    assert "utm_term" in missing.detail
    assert "utm_term=" not in missing.hint  # UTM_CONTENT is like it, but has a meaning of its own


async def test_a_field_by_a_number_that_the_account_has_not_is_named(office: tuple[Fake, Settings]) -> None:
    fake, settings = office
    fake.account.lead_fields.append({"id": 752011, "name": "Стоимость", "code": ""})
    own = {**settings.fields, "value": "752099", "utm_source": "752009"}
    gone = (await findings(replace(settings, fields=own)))["amocrm.fields.gone"]
    assert (gone.ok, gone.warning, gone.detail) == (False, True, "нет: utm_source=752009, value=752099")
    assert "Похожие есть, впишите в AMOCRM_FIELDS: " in gone.hint
    fake.account.lead_fields.append({"id": 752009, "name": "Метка", "code": ""})
    assert "amocrm.fields.gone" not in await findings(replace(settings, fields={**own, "value": "752011"}))


async def test_stages_that_were_set_and_are_not_there_are_named(office: tuple[Fake, Settings]) -> None:
    _, settings = office
    own = {"101/1": "new", "142": "won", "101/77": "deal", "58": "deal"}
    assert (await findings(replace(settings, statuses=own)))["amocrm.stages.gone"].detail == "нет: 101/77, 58"


async def test_nobody_has_allowed_us_in(house: House) -> None:
    assert list(await findings(house.settings)) == ["amocrm.token.no_database"]
    assert list(await findings(house.settings, tokens=house.shelf)) == ["amocrm.token.not_connected"]


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("https://x.example/oauth", "amocrm.redirect.path"),
        ("http://localhost:8000/api/auth/amo/callback", "amocrm.redirect.http"),
    ],
)
async def test_an_address_that_amocrm_does_not_lead_back_to(house: House, address: str, code: str) -> None:
    assert code in await findings(replace(house.settings, redirect_uri=address), tokens=house.shelf)
