"""The client against the error table of the vendor's page: what passes by itself, what does not, what is never repeated."""

import asyncio
import logging
import socket
from collections.abc import Awaitable

import pytest
from aiohttp import web

from domain.errors import VendorError, VendorRefused, VendorUnavailable
from integrations.bizon365.client import BURST, Client
from integrations.bizon365.fake import HTML, Scripted
from integrations.bizon365.settings import Settings
from tests.conftest import Serve
from tests.ground import HandClock
from tests.integrations.bizon365.conftest import TOKEN, Shop

READ, WRITE = "reports/getlist", "subpages/addSubscriber"
BODY = {"pageId": "111222:page1", "email": "a@example.com", "time": "2026-11-25T09:00:00.000Z"}


async def error_of(call: Awaitable[object]) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await call
    seen: BaseException | None = caught.value
    while seen is not None:
        assert TOKEN not in f"{seen} {seen!r} {getattr(seen, 'hint', '')}"
        seen = seen.__cause__ or seen.__context__
    return caught.value


async def refused(call: Awaitable[object]) -> VendorRefused:
    error = await error_of(call)
    assert isinstance(error, VendorRefused)
    assert error.hint
    return error


async def unavailable(call: Awaitable[object]) -> VendorUnavailable:
    error = await error_of(call)
    assert isinstance(error, VendorUnavailable)
    return error


@pytest.mark.parametrize(("shop", "path"), [("v1", "/api/v1/webinars/"), ("v2", "/api/v2/4321/")], indirect=["shop"])
async def test_both_versions_have_the_token_in_the_header_only(shop: Shop, path: str) -> None:
    shop.fake.add_webinar()
    answer = await shop.client.get(READ, limit=1)
    assert answer["count"] == 1
    (seen,) = shop.fake.requests
    assert seen.path.startswith(f"{path}reports/getlist?")
    assert seen.token == TOKEN
    assert TOKEN not in seen.path


@pytest.mark.parametrize("shop", ["v1", "v2"], indirect=True)
@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "bad_request"), (401, "bad_token"), (402, "not_paid"), (403, "no_right"), (404, "not_found"), (302, "moved")],
)
async def test_refusals_are_told_apart(shop: Shop, status: int, code: str) -> None:
    shop.fake.fail(READ, status)
    error = await refused(shop.client.get(READ))
    assert (error.code, error.action) == (code, READ)
    assert len(shop.fake.requests) == 1
    assert (await refused(_failing(shop, 418))).code == "http_418"


async def _failing(shop: Shop, status: int) -> object:
    shop.fake.fail(READ, status)
    return await shop.client.get(READ)


async def test_hints_name_whose_it_is_and_the_menu(shop: Shop) -> None:
    shop.fake.token = "another"
    assert "Бизон ID" in (await refused(shop.client.get(READ))).hint
    shop.fake.token = TOKEN
    shop.fake.account.may_read_reports = shop.fake.account.may_register = False
    assert "отчёты" in (await refused(shop.client.get(READ))).hint
    assert "страницы регистрации" in (await refused(shop.client.post(WRITE, BODY))).hint
    shop.fake.project_id = "5"
    assert "BIZON365_PROJECT_ID" in (await refused(shop.client.get(READ))).hint


@pytest.mark.parametrize("shop", ["v1"], indirect=True)
async def test_the_old_version_switched_off_says_what_to_do(shop: Shop) -> None:
    shop.fake.versions = {"v2"}
    hint = (await refused(shop.client.get(READ))).hint
    assert "BIZON365_PROJECT_ID" in hint
    shop.fake.token = "another"
    assert "Модераторы, сотрудники" in (await refused(shop.client.get(READ))).hint


@pytest.mark.parametrize("status", [408, 500, 502, 503])
async def test_what_passes_by_itself(shop: Shop, status: int) -> None:
    shop.fake.fail(READ, status)
    assert not (await unavailable(shop.client.get(READ))).uncertain
    shop.fake.fail(WRITE, status)
    assert (await unavailable(shop.client.post(WRITE, BODY))).uncertain
    assert len(shop.fake.requests) == 2


async def test_too_many_requests_stop_all_of_them_for_a_while(shop: Shop) -> None:
    shop.fake.answer(WRITE, Scripted(status=429, headers={"Retry-After": "7"}))
    error = await unavailable(shop.client.post(WRITE, BODY))
    assert (error.retry_after, error.uncertain) == (7.0, False)
    assert (await unavailable(shop.client.get(READ))).retry_after == pytest.approx(7.0)
    assert len(shop.fake.requests) == 1
    shop.clock.forward(7.5)
    await shop.client.get(READ)
    shop.fake.fail(READ, 429)
    assert (await unavailable(shop.client.get(READ))).retry_after == 30.0


@pytest.mark.parametrize("status", [200, 404, 500])
async def test_a_page_instead_of_data(shop: Shop, status: int) -> None:
    shop.fake.answer(READ, Scripted(status=status, body=HTML, content_type="text/html"))
    error = await error_of(shop.client.get(READ))
    assert isinstance(error, VendorRefused) is (status == 404)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'"x"', b"{", b"\xff", b'{"a":' * 9000 + b"1" + b"}" * 9000])
async def test_bodies_that_are_no_object(shop: Shop, body: bytes) -> None:
    shop.fake.answer(READ, Scripted(status=200, body=body))
    assert (await unavailable(shop.client.get(READ))).message == "the answer is no JSON"
    shop.fake.answer(WRITE, Scripted(status=200, body=body))
    assert (await unavailable(shop.client.post(WRITE, BODY))).uncertain


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        (["Report not found"], "not_found"),
        (["Отчёт не найден"], "not_found"),
        ([{"message": "invalid token"}], "bad_token"),
        (["Нет доступа к модулю"], "no_right"),
        (["что-то пошло не так"], ""),
        ([None], ""),
        ([{}], ""),
        ("сломалось", ""),
        ({"code": 5}, ""),
    ],
)
async def test_errors_inside_a_200_are_a_failure(shop: Shop, errors: object, code: str) -> None:
    import json

    shop.fake.answer(READ, Scripted(status=200, body=json.dumps({"errors": errors, "list": []}).encode()))
    error = await error_of(shop.client.get(READ))
    assert getattr(error, "code", "") == code


async def test_errors_of_a_write_are_told_to_whoever_asked(shop: Shop) -> None:
    shop.fake.err(WRITE, "email уже отписан")
    error = await refused(shop.client.post(WRITE, BODY))
    assert error.code == "bad_request"
    assert "email уже отписан" in error.hint


@pytest.mark.parametrize("errors", [[], None, "", {}])
async def test_no_errors_are_no_failure(shop: Shop, errors: object) -> None:
    import json

    shop.fake.answer(READ, Scripted(status=200, body=json.dumps({"errors": errors, "list": []}).encode()))
    assert (await shop.client.get(READ))["list"] == []


async def test_two_requests_a_second(shop: Shop) -> None:
    for _ in range(BURST + 4):
        await shop.client.get(READ)
    assert shop.clock.slept == [0.5] * 4


async def test_the_account_is_asked_for_its_projects(shop: Shop) -> None:
    assert (await shop.client.projects())["projects"] == [{"id": 4321, "title": "Основной проект"}]


async def test_a_silent_and_an_absent_server(serve: Serve) -> None:
    async def silent(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", silent)
    client = Client(Settings(token=TOKEN, base_url=await serve(app)), HandClock(), answer_within_s=1.0)
    assert (await unavailable(client.post(WRITE, BODY))).uncertain
    await client.close()
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    absent = Client(Settings(token=TOKEN, base_url=f"http://127.0.0.1:{port}"), HandClock())
    assert not (await unavailable(absent.post(WRITE, BODY))).uncertain
    await absent.close()


async def test_nothing_secret_is_logged(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shop.fake.fail(READ, 500)
    await error_of(shop.client.get(READ))
    await shop.client.get(READ)
    assert TOKEN not in caplog.text
