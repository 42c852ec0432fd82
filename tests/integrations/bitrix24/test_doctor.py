"""`svodka check bitrix24`, and the script of the seed: every fault has its own code and names the menu to open."""

import asyncio
import dataclasses
import runpy
import socket
from pathlib import Path

import pytest

from integrations.bitrix24 import VENDOR
from integrations.bitrix24.doctor import diagnose
from integrations.bitrix24.fake import Scripted
from integrations.bitrix24.fake_company import company
from integrations.bitrix24.telephony import STATISTICS
from integrations.kit.vendor import Finding
from tests.integrations.bitrix24.conftest import SECRET, WAV, Shop

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "test_bitrix_integration.py"


async def findings(shop: Shop, **settings: object) -> dict[str, Finding]:
    changed = dataclasses.replace(shop.settings, **settings)  # type: ignore[arg-type]
    found = [finding async for finding in diagnose(changed, shop.workshop, sleep=shop.clock.sleep)]
    assert len({finding.code for finding in found}) == len(found)
    for finding in found:
        assert bool(finding.hint) is not finding.ok
        assert SECRET not in repr(finding)
    return {finding.code: finding for finding in found}


def broken(found: dict[str, Finding]) -> list[str]:
    return [code for code, finding in found.items() if not finding.ok and not finding.warning]


async def test_all_is_well(shop: Shop) -> None:
    company(shop.fake)
    shop.fake.add_call(audio=WAV)
    found = await findings(shop, application_tokens=("t",))
    assert all(finding.ok for finding in found.values())
    assert list(found) == [
        "bitrix24.webhook",
        "bitrix24.scope.telephony",
        "bitrix24.scope.crm",
        "bitrix24.scope.disk",
        "bitrix24.scope.user_basic",
        "bitrix24.scope.department",
        "bitrix24.scope.task",
        "bitrix24.scope.calendar",
        "bitrix24.deals",
        "bitrix24.fields",
        "bitrix24.people",
        "bitrix24.departments",
        "bitrix24.statistics",
        "bitrix24.recordings",
        "bitrix24.application_token",
    ]
    assert "Служебный Сотрудник" in found["bitrix24.webhook"].detail
    assert found["bitrix24.deals"].detail == "видно: 490; воронки: «Продажи» 0, «Дома на обслуживании» 490"
    assert found["bitrix24.fields"].detail == "своих: 11; одинаково названы: «Код домофона»"
    assert found["bitrix24.people"].detail == "видно: 82"
    assert found["bitrix24.departments"].detail == "6 отделов, без руководителя: 1"
    assert not [seen.method for seen in shop.fake.requests if seen.method.endswith((".add", ".update", ".delete"))]
    assert len(shop.fake.requests) == 12


async def test_no_deals_are_explained(shop: Shop) -> None:
    company(shop.fake)
    shop.fake.directory.may_read_deals = False
    found = await findings(shop)
    assert broken(found) == []
    assert found["bitrix24.deals"].warning
    assert "ни одной" in found["bitrix24.deals"].detail
    assert "«CRM → Настройки → Права доступа»" in found["bitrix24.deals"].hint


async def test_who_keeps_no_houses_is_not_warned(shop: Shop) -> None:
    found = await findings(shop, application_tokens=("t",))
    assert all(finding.ok for finding in found.values())
    assert "ни одной" in found["bitrix24.deals"].detail
    assert "«Создать поле»" in found["bitrix24.fields"].detail


async def test_people_without_contacts_are_a_warning(shop: Shop) -> None:
    shop.fake.portal.scopes = shop.fake.portal.scopes - {"user_basic"} | {"user_brief"}
    found = await findings(shop)
    assert broken(found) == []
    assert found["bitrix24.people"].warning
    assert "user_basic" in found["bitrix24.people"].hint


@pytest.mark.parametrize(
    ("method", "finding"),
    [
        ("crm.item.list", "bitrix24.deals"),
        ("crm.item.fields", "bitrix24.fields"),
        ("user.get", "bitrix24.people"),
        ("department.get", "bitrix24.departments"),
    ],
)
@pytest.mark.parametrize(("status", "code"), [(403, "ACCESS_DENIED"), (502, "")])
async def test_a_list_that_may_not_be_read(shop: Shop, method: str, finding: str, status: int, code: str) -> None:
    company(shop.fake)
    shop.fake.fail(method, status, code, times=None)
    assert broken(await findings(shop)) == [finding]


async def test_an_old_box_is_well_too(shop: Shop) -> None:
    company(shop.fake)
    shop.fake.directory.grow_old()
    del shop.fake.portal.methods["crm.dealcategory.list"]
    found = await findings(shop)
    assert broken(found) == []
    assert found["bitrix24.deals"].detail == "видно: 490"


async def test_what_tasks_and_meetings_lack_is_a_warning(shop: Shop) -> None:
    shop.fake.portal.owner_is_admin = False
    found = await findings(shop)
    assert broken(found) == []
    assert found["bitrix24.tasks"].warning
    assert "администратор" in found["bitrix24.tasks"].hint
    shop.fake.portal.scopes -= {"task", "calendar"}
    found = await findings(shop)
    assert broken(found) == []
    assert [found[f"bitrix24.scope.{scope}"].warning for scope in ("task", "calendar")] == [True, True]
    assert "/tasks" in found["bitrix24.scope.task"].detail
    assert "bitrix24.tasks" not in found


async def test_without_a_token_there_is_a_warning(shop: Shop) -> None:
    found = await findings(shop)
    assert broken(found) == []
    token = found["bitrix24.application_token"]
    assert (token.ok, token.warning) == (False, True)
    assert "BITRIX24_APPLICATION_TOKEN" in token.hint
    assert "Исходящий вебхук" in token.hint


@pytest.mark.parametrize(
    ("missing", "title"),
    [
        ("telephony", "Телефония"),
        ("crm", "CRM"),
        ("disk", "Диск"),
        ("user_basic", "Пользователи"),
        ("department", "Структура компании"),
    ],
)
@pytest.mark.parametrize("listed", [True, False])
async def test_each_missing_right_by_itself(shop: Shop, missing: str, title: str, listed: bool) -> None:
    shop.fake.add_call(audio=WAV)
    shop.fake.portal.scopes -= {missing}
    if not listed:
        shop.fake.fail("scope", 500, "INTERNAL_SERVER_ERROR")
    found = await findings(shop)
    assert broken(found) == [f"bitrix24.scope.{missing}"]
    assert title in found[f"bitrix24.scope.{missing}"].hint
    assert "«Настройке прав»" in found[f"bitrix24.scope.{missing}"].hint


@pytest.mark.parametrize("instead", ["user_brief", "user", "USER_BASIC"])
async def test_other_rights_to_names_do_too(shop: Shop, instead: str) -> None:
    shop.fake.answer(
        "scope",
        Scripted(status=200, body=b'{"result": ["crm", "telephony", "disk", "department", "%s"]}' % instead.encode()),
    )
    assert broken(await findings(shop)) == []


async def test_a_portal_that_refuses_everything_names_every_right(shop: Shop) -> None:
    for method in ("profile", "scope"):
        shop.fake.fail(method, 403, "insufficient_scope")
    shop.fake.portal.scopes = frozenset()
    needed = ("telephony", "crm", "disk", "user_basic", "department")
    assert broken(await findings(shop)) == [f"bitrix24.scope.{name}" for name in needed]


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (401, "NO_AUTH_FOUND", "вебхук удалён"),
        (401, "authorization_error", "служебного сотрудника"),
        (401, "PAYMENT_REQUIRED", "Подписка"),
        (403, "ACCESS_DENIED", "тариф"),
        (503, "OVERLOAD_LIMIT", "Поддержка24"),
    ],
)
async def test_a_webhook_that_does_not_authorise(shop: Shop, status: int, code: str, words: str) -> None:
    shop.fake.fail("profile", status, code)
    found = await findings(shop)
    assert list(found) == [f"bitrix24.webhook.{code.lower()}", "bitrix24.application_token"]
    assert words in found[f"bitrix24.webhook.{code.lower()}"].hint


@pytest.mark.parametrize(
    ("method", "code", "finding", "rights"),
    [
        ("profile", "INVALID_CREDENTIALS", "bitrix24.webhook.invalid_credentials", "нет прав"),
        ("profile", "authorization_error", "bitrix24.webhook.authorization_error", "служебного сотрудника"),
        (STATISTICS, "INVALID_CREDENTIALS", "bitrix24.statistics", "Статистика звонков — просмотр"),
        ("disk.file.get", "INVALID_CREDENTIALS", "bitrix24.recordings", "Диске"),
    ],
)
async def test_a_mistyped_webhook_is_named_beside_the_rights(
    shop: Shop, method: str, code: str, finding: str, rights: str
) -> None:
    shop.fake.add_call(audio=WAV)
    shop.fake.fail(method, 403, code)
    hint = (await findings(shop))[finding].hint
    assert "проверьте, что адрес вебхука в BITRIX24_WEBHOOK_URL скопирован целиком" in hint
    assert rights in hint


@pytest.mark.parametrize(("status", "body"), [(502, b"<html>"), (200, b"<html>")])
async def test_a_portal_that_does_not_answer(shop: Shop, status: int, body: bytes) -> None:
    shop.fake.answer("profile", Scripted(status=status, body=body, content_type="text/html"))
    found = await findings(shop)
    assert broken(found) == ["bitrix24.unreachable"]
    assert ("страницей" in found["bitrix24.unreachable"].hint) is (status == 200)


async def test_a_portal_that_is_not_there(shop: Shop) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/rest/1/{SECRET}/"
        found = await findings(shop, webhook_url=url)
    assert broken(found) == ["bitrix24.unreachable"]
    assert found["bitrix24.unreachable"].detail == "no connection"


async def test_statistics_that_may_not_be_read(shop: Shop) -> None:
    shop.fake.portal.may_read_statistics = False
    found = await findings(shop)
    assert broken(found) == ["bitrix24.statistics"]
    assert "Статистика звонков — просмотр" in found["bitrix24.statistics"].hint


async def test_recordings_that_may_not_be_read(shop: Shop) -> None:
    shop.fake.add_call(audio=WAV)
    shop.fake.portal.may_read_disk = False
    found = await findings(shop)
    assert broken(found) == ["bitrix24.recordings"]
    assert "Диске" in found["bitrix24.recordings"].hint


async def test_a_recording_that_was_deleted_proves_nothing(shop: Shop) -> None:
    shop.fake.add_call(audio=WAV)
    shop.fake.portal.files.clear()
    found = await findings(shop)
    assert broken(found) == []
    assert "удалена" in found["bitrix24.recordings"].detail


@pytest.mark.parametrize(
    ("method", "status", "code", "finding"),
    [
        (STATISTICS, 500, "INTERNAL_SERVER_ERROR", "bitrix24.statistics"),
        (STATISTICS, 400, "STRANGE", "bitrix24.statistics"),
        ("disk.file.get", 500, "INTERNAL_SERVER_ERROR", "bitrix24.recordings"),
        ("disk.file.get", 400, "STRANGE", "bitrix24.recordings"),
    ],
)
async def test_other_faults_of_a_probe(shop: Shop, method: str, status: int, code: str, finding: str) -> None:
    shop.fake.add_call(audio=WAV)
    shop.fake.fail(method, status, code)
    assert broken(await findings(shop)) == [finding]


async def test_a_probe_that_fails_is_no_proof_of_a_right(shop: Shop) -> None:
    shop.fake.fail("scope", 500, "")
    shop.fake.fail("crm.contact.list", 502, "")
    found = await findings(shop)
    assert broken(found) == ["bitrix24.scope.crm"]
    assert "добавляет право" not in found["bitrix24.scope.crm"].hint


async def test_a_portal_that_others_keep_busy_is_asked_again(shop: Shop) -> None:
    company(shop.fake)
    shop.fake.add_call(audio=WAV)
    for method in ("profile", "scope", "crm.item.list", "user.get", "department.get", STATISTICS, "disk.file.get"):
        shop.fake.fail(method, 503, "QUERY_LIMIT_EXCEEDED")
    found = await findings(shop, application_tokens=("t",))
    assert all(finding.ok for finding in found.values())


@pytest.mark.parametrize("shut", ["profile", "scope"])
async def test_what_a_busy_portal_did_not_answer_is_unknown_and_lacks_no_right(shop: Shop, shut: str) -> None:
    probes = ("scope", STATISTICS, "crm.contact.list", "disk.file.get", "user.get", "department.get")
    for method in (shut, *probes):
        shop.fake.fail(method, 503, "QUERY_LIMIT_EXCEEDED", times=None)
    found = await findings(shop)
    untold = [found[code] for code in broken(found)]
    assert len(untold) == (1 if shut == "profile" else 8)
    for finding in untold:
        assert "портал просит подождать" in finding.detail
        assert "через минуту" in finding.hint
    assert sum(shop.clock.slept) < 60


async def test_a_method_that_is_shut_for_minutes_is_not_waited_for(shop: Shop) -> None:
    shop.fake.fail("user.get", 429, "OPERATION_TIME_LIMIT", times=None)
    assert broken(await findings(shop)) == ["bitrix24.people"]
    assert shop.clock.slept == []


async def run_script(*arguments: str) -> int:
    main = runpy.run_path(str(SCRIPT))["main"]
    code = await asyncio.to_thread(main, list(arguments))
    assert isinstance(code, int)
    return code


async def test_the_script_of_the_seed_says_ok(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    company(shop.fake)
    assert await run_script(shop.settings.webhook_url.rstrip("/")) == 0
    out = capsys.readouterr().out
    said = out.splitlines()
    assert {line[:6].strip() for line in said[:-1] if not line.startswith(" ")} == {"ok", "warn"}
    assert said[0] == f"ok    Адрес вебхука — {shop.base}, код на месте"
    assert said[-1] == "Портал готов к работе, предупреждений: 1."
    for step in ("вебхук", "право", "сделки", "поля", "сотрудники", "отделы", "статистика"):
        assert any(line.startswith(f"ok    Битрикс24: {step}") for line in said)
    assert "Битрикс24: право «CRM (crm)»" in out
    assert SECRET not in out


async def test_the_script_of_the_seed_says_what_to_press(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.fake.portal.scopes -= {"disk"}
    assert await run_script(shop.settings.webhook_url) == 1
    out = capsys.readouterr().out
    assert "Диск (disk)" in out
    assert "«Разработчикам → Интеграции" in out
    assert SECRET not in out


async def test_the_script_without_a_usable_address(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("BITRIX24_WEBHOOK_URL", "BITRIX_WEBHOOK_URL"):
        monkeypatch.delenv(name, raising=False)
    assert await run_script() == 1
    assert "BITRIX24_WEBHOOK_URL" in capsys.readouterr().out
    assert await run_script("https://portal.example/rest/[USER_ID]/[TOKEN]/") == 1
    assert "BITRIX24_WEBHOOK_URL" in capsys.readouterr().out


async def test_the_script_reads_the_environment(
    shop: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BITRIX_WEBHOOK_URL", shop.settings.webhook_url)
    assert await run_script() == 0
    assert "ok" in capsys.readouterr().out


async def test_the_vendor_offers_all_of_it(shop: Shop) -> None:
    assert VENDOR.diagnose is not None
    found = {finding.code: finding async for finding in VENDOR.diagnose(shop.settings, shop.workshop)}
    assert found == await findings(shop)
    assert [hook.event for hook in VENDOR.hooks] == ["ONVOXIMPLANTCALLEND"]
    assert VENDOR.hooks[0].path == "/hooks/bitrix24/{secret}"


async def test_the_ports_share_a_client(shop: Shop) -> None:
    assert VENDOR.build_ports is not None
    ports = VENDOR.build_ports(shop.settings, shop.workshop)
    assert id(ports.recordings) == id(ports.journal)
    assert ports.recordings is not None
    assert ports.timeline is not None
    assert await ports.recordings.find_call("nobody") is None
    assert await ports.timeline.find_comment(("deal", "1"), "x") is None
    await ports.close()
