"""The client against the error table of the vendor's page: what passes, what does not, and what is never repeated."""

import asyncio
import logging
import socket
from collections.abc import Awaitable

import pytest
from aiohttp import web

from domain.errors import VendorError, VendorRefused, VendorUnavailable
from integrations.bitrix24.client import Client
from integrations.bitrix24.fake import Scripted
from integrations.bitrix24.settings import Settings
from tests.ground import HandClock, until
from tests.integrations.bitrix24.conftest import SECRET, Shop

READ, WRITE = "user.get", "crm.timeline.comment.add"
COMMENT = {"fields": {"ENTITY_ID": 1, "ENTITY_TYPE": "deal", "COMMENT": "x"}}


async def error_of(call: Awaitable[object]) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await call
    seen: BaseException | None = caught.value
    while seen is not None:
        assert SECRET not in f"{seen} {seen!r} {getattr(seen, 'hint', '')}"
        seen = seen.__cause__ or seen.__context__
    return caught.value


async def unavailable(call: Awaitable[object]) -> VendorUnavailable:
    error = await error_of(call)
    assert isinstance(error, VendorUnavailable)
    return error


async def refused(call: Awaitable[object]) -> VendorRefused:
    error = await error_of(call)
    assert isinstance(error, VendorRefused)
    assert error.hint
    return error


async def test_a_good_answer(shop: Shop) -> None:
    reply = await shop.client.call(READ, {"FILTER": {"ID": 12}})
    assert isinstance(reply.result, list)
    assert (reply.result[0]["NAME"], reply.next, reply.total) == ("Анна", None, 1)
    assert shop.fake.asked(READ) == [{"FILTER": {"ID": 12}}]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "NO_AUTH_FOUND"),
        (401, "INVALID_TOKEN"),
        (401, "expired_token"),
        (401, "authorization_error"),
        (403, "insufficient_scope"),
        (401, "insufficient_scope"),
        (403, "INVALID_CREDENTIALS"),
        (403, "ACCESS_DENIED"),
        (400, "ACCESS_DENIED"),
        (403, "user_access_error"),
        (401, "PAYMENT_REQUIRED"),
        (500, "PORTAL_DELETED"),
        (410, "PORTAL_DELETED"),
        (401, "METHOD_CONFIRM_WAITING"),
        (400, "ERROR_BATCH_LENGTH_EXCEEDED"),
        (405, "ERROR_BATCH_METHOD_NOT_ALLOWED"),
        (400, "INVALID_REQUEST"),
        (400, "invalid_grant"),
        (401, "invalid_client"),
        (403, "invalid_scope"),
        (404, "ERROR_METHOD_NOT_FOUND"),
        (400, "ERROR_NOT_FOUND"),
        (400, "100"),
        (200, "ERROR_ARGUMENT"),
        (400, "SOMETHING_NEW"),
    ],
)
@pytest.mark.parametrize("writes", [False, True])
async def test_refusals_need_a_person(shop: Shop, status: int, code: str, writes: bool) -> None:
    shop.fake.fail(READ, status, code)
    error = await refused(shop.client.call(READ, idempotent=not writes))
    assert error.code == code.lower()
    assert len(shop.fake.requests) == 1


@pytest.mark.parametrize(
    ("status", "code", "message", "uncertain"),
    [
        (503, "QUERY_LIMIT_EXCEEDED", "too many requests", False),
        (429, "OPERATION_TIME_LIMIT", "the method has used up its working time", False),
        (500, "INTERNAL_SERVER_ERROR", "internal error", True),
        (200, "INTERNAL_SERVER_ERROR", "internal error", True),
        (500, "ERROR_UNEXPECTED_ANSWER", "unexpected answer", True),
        (502, "", "HTTP 502", True),
        (500, "0", "HTTP 500", True),
        (503, "WHATEVER", "HTTP 503", True),
        (429, "", "HTTP 429", False),
        (408, "", "HTTP 408", True),
    ],
)
async def test_what_passes_by_itself(shop: Shop, status: int, code: str, message: str, uncertain: bool) -> None:
    shop.fake.fail(WRITE, status, code, times=2)
    written = await unavailable(shop.client.call(WRITE, COMMENT, idempotent=False))
    assert (written.message, written.uncertain) == (message, uncertain)
    shop.clock.forward(700)
    read = await unavailable(shop.client.call(WRITE, COMMENT))
    assert (read.message, read.uncertain) == (message, False)
    assert len(shop.fake.requests) == 2


@pytest.mark.parametrize(
    ("status", "body", "content_type", "code"),
    [
        (302, b"", "text/html", "moved"),
        (301, b'{"error": "X"}', "application/json", "moved"),
        (401, b"<html>", "text/html", "http_401"),
        (403, b"<html>", "text/html", "http_403"),
        (404, b"<html>", "text/html", "http_404"),
        (402, b"", "text/html", "http_402"),
        (410, b"", "text/html", "http_410"),
        (400, b'{"error": ""}', "application/json", "http_400"),
        (200, b'{"error": "", "error_description": "broken"}', "application/json", "http_200"),
    ],
)
async def test_refusals_without_a_code(shop: Shop, status: int, body: bytes, content_type: str, code: str) -> None:
    shop.fake.answer(READ, Scripted(status=status, body=body, content_type=content_type))
    assert (await refused(shop.client.call(READ))).code == code


@pytest.mark.parametrize(
    ("status", "body"), [(502, b"<html>502 Bad Gateway"), (504, b""), (200, b"<html>Login"), (200, b"[1]"), (200, b"")]
)
async def test_pages_instead_of_data(shop: Shop, status: int, body: bytes) -> None:
    shop.fake.answer(WRITE, Scripted(status=status, body=body, content_type="text/html"), times=2)
    assert (await unavailable(shop.client.call(WRITE, COMMENT, idempotent=False))).uncertain
    assert not (await unavailable(shop.client.call(WRITE, COMMENT))).uncertain


async def test_an_unknown_refusal_repeats_the_portals_words_without_the_secret(shop: Shop) -> None:
    shop.fake.fail(READ, 400, "STRANGE")  # the fake's description holds the webhook's address
    error = await refused(shop.client.call(READ))
    assert "STRANGE at /rest/1/***/" in error.hint


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("voximplant.statistic.get", "Телефония (telephony)"),
        ("telephony.call.attachTranscription", "Телефония (telephony)"),
        ("crm.contact.get", "CRM (crm)"),
        ("disk.file.get", "Диск (disk)"),
        ("user.get", "Пользователи, базовый доступ (user_basic)"),
        ("department.get", "Структура компании (department)"),
        ("tasks.task.add", "Задачи (task)"),
        ("im.notify", "недостающее право"),
    ],
)
async def test_a_missing_right_is_named(shop: Shop, method: str, words: str) -> None:
    shop.fake.fail(method, 403, "insufficient_scope")
    error = await refused(shop.client.call(method))
    assert words in error.hint
    assert "«Разработчикам → Интеграции" in error.hint


async def test_denied_statistics_and_files_name_their_own_menu(shop: Shop) -> None:
    shop.fake.portal.may_read_statistics = False
    assert "Статистика звонков — просмотр" in (await refused(shop.client.call("voximplant.statistic.get"))).hint
    shop.fake.fail("disk.file.get", 400, "ACCESS_DENIED")
    assert "Диске" in (await refused(shop.client.call("disk.file.get"))).hint


async def test_too_fast_then_fine(shop: Shop) -> None:
    shop.fake.fail(READ, 503, "QUERY_LIMIT_EXCEEDED")
    first = await unavailable(shop.client.call(READ))
    assert first.retry_after is not None
    assert 5 <= first.retry_after <= 10
    assert (await shop.client.call(READ)).result
    assert shop.clock.slept == [0.5]  # the burst is gone: others use the limit too


async def test_a_manual_block_costs_one_request(shop: Shop) -> None:
    shop.fake.fail(READ, 503, "OVERLOAD_LIMIT", times=None)
    for method in (READ, READ, "profile"):
        error = await refused(shop.client.call(method))
        assert (error.code, error.action) == ("overload_limit", method)
    assert len(shop.fake.requests) == 1
    shop.fake.heal()
    shop.clock.forward(901)
    assert (await shop.client.call(READ)).result


async def test_used_up_time_pauses_that_method_only(shop: Shop) -> None:
    shop.fake.fail(READ, 429, "OPERATION_TIME_LIMIT")
    assert (await unavailable(shop.client.call(READ))).retry_after == 60
    shop.clock.forward(20)
    assert (await unavailable(shop.client.call(READ))).retry_after == 40
    assert (await shop.client.call("profile")).result
    assert [seen.method for seen in shop.fake.requests] == [READ, "profile"]
    shop.clock.forward(41)
    assert (await shop.client.call(READ)).result


@pytest.mark.parametrize(("reset_in", "pause"), [(300, 300), (5000, 660), (-10, 60)])
async def test_the_pause_ends_when_the_last_good_answer_said(shop: Shop, reset_in: int, pause: float) -> None:
    reset_at = int(shop.clock.now().timestamp()) + reset_in
    good = b'{"result": [], "time": {"operating_reset_at": %d}}' % reset_at
    shop.fake.answer(READ, Scripted(status=200, body=good))
    await shop.client.call(READ)
    shop.fake.fail(READ, 429, "OPERATION_TIME_LIMIT")
    assert (await unavailable(shop.client.call(READ))).retry_after == pytest.approx(pause)


async def test_a_pause_that_begins_while_waiting_holds_the_waiters(shop: Shop) -> None:
    shop.fake.fail(READ, 429, "OPERATION_TIME_LIMIT", times=None)
    outcomes = await asyncio.gather(*(shop.client.call(READ) for _ in range(8)), return_exceptions=True)
    assert all(isinstance(outcome, VendorUnavailable) for outcome in outcomes)
    assert len(shop.fake.requests) == 4  # the four that were on their way


async def test_an_answer_lost_after_the_write_is_not_repeated(shop: Shop) -> None:
    shop.fake.fail(WRITE, 500, "INTERNAL_SERVER_ERROR", after=True)
    error = await unavailable(shop.client.call(WRITE, COMMENT, idempotent=False))
    assert error.uncertain
    assert (len(shop.fake.comments), len(shop.fake.asked(WRITE))) == (1, 1)


async def test_a_portal_that_is_not_there_is_certain() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/rest/1/{SECRET}/"
        client = Client(Settings(webhook_url=url, portal_url="http://127.0.0.1"), HandClock())
        assert not (await unavailable(client.call(WRITE, COMMENT, idempotent=False))).uncertain
        await client.close()


async def test_a_portal_that_is_down_comes_back(shop: Shop) -> None:
    shop.fake.down = True
    assert (await unavailable(shop.client.call(READ))).message == "HTTP 502"
    shop.fake.heal()
    assert (await shop.client.call(READ)).result


async def test_at_most_four_at_once_and_two_a_second_after_the_burst(shop: Shop) -> None:
    reached = shop.fake.hold(READ)
    calls = [asyncio.create_task(shop.client.call(READ)) for _ in range(45)]
    await reached.wait()
    await until(lambda: shop.fake.most_at_once == 4)
    await asyncio.sleep(0.02)  # no fifth comes
    shop.fake.release(READ)
    await asyncio.gather(*calls)
    assert shop.fake.most_at_once == 4
    assert sum(shop.clock.slept) == pytest.approx(2.5)  # 45 requests: 40 at once, 5 at two a second


async def test_pages_by_offset_stop_where_the_portal_stops_growing(shop: Shop) -> None:
    for number in range(120):
        shop.fake.portal.people["user", str(100 + number)] = {"NAME": str(number)}
    pages = [page async for page in shop.client.iterate(READ, {})]
    assert [len(page) for page in pages if isinstance(page, list)] == [50, 50, 21]
    assert [asked["start"] for asked in shop.fake.asked(READ)] == [0, 50, 100]
    stuck = Scripted(status=200, body=b'{"result": [1], "next": "50"}')
    shop.fake.answer("stuck.list", stuck, times=None)
    assert len([page async for page in shop.client.iterate("stuck.list", {})]) == 2
    assert len([page async for page in shop.client.iterate(READ, {}, pages=1)]) == 1


async def test_the_secret_stays_out_of_every_log(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await shop.client.call(READ)
        shop.fake.fail(READ, 500, "INTERNAL_SERVER_ERROR")
        try:
            await shop.client.call(READ)
        except VendorError:
            logging.getLogger("svodka").exception("failed")
        shop.fake.down = True
        await unavailable(shop.client.call(READ))
    ours = [record for record in caplog.records if not record.name.startswith("aiohttp.")]  # that is the fake's own log
    assert any(record.name == "svodka" for record in ours)
    text = "\n".join(logging.Formatter("%(name)s %(message)s").format(record) for record in ours)
    assert SECRET not in text
    assert SECRET not in f"{shop.client!r} {shop.settings!r} {shop.telephony!r} {shop.timeline!r}"


async def test_an_answer_that_never_comes_is_cut(serve: object, shop: Shop) -> None:
    assert callable(serve)
    app = web.Application()

    async def never(_request: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    app.router.add_post("/rest/1/{secret}/{method}", never)
    settings = Settings(webhook_url=f"{await serve(app)}/rest/1/{SECRET}/", portal_url="")
    client = Client(settings, shop.clock, answer_within_s=1.0)
    error = await unavailable(client.call(WRITE, COMMENT, idempotent=False))
    assert (error.uncertain, error.message) == (True, "no answer in time")
    await client.close()
