"""Every way of failing becomes its own error, tried once, with a cure and without the key."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from domain.calls import CallContext
from domain.errors import UNHEARABLE, VendorError, VendorRefused, VendorUnavailable
from integrations.kit.vendor import Ports
from integrations.openai.fake import Fake
from tests.integrations.openai.bench import check, self_signed, transcript
from tests.integrations.openai.conftest import KEY, Bench

Serve = Callable[[web.Application], Awaitable[str]]


async def failure(ports: Ports, context: CallContext) -> VendorError:
    assert ports.summariser is not None
    with pytest.raises(VendorError) as caught:
        await ports.summariser.summarise(transcript("алло, это разговор"), context)
    return caught.value


@pytest.mark.parametrize(
    ("status", "details", "code", "hint"),
    [
        (401, {"code": "invalid_api_key", "message": f"Incorrect API key provided: {KEY}"}, "bad_key", "OPENAI_API_KEY"),
        (402, {}, "quota", "деньги"),
        (403, {"code": "unsupported_country_region_territory"}, "region", "LLM_PROXY"),
        (403, {}, "forbidden", "владелец"),
        (404, {"code": "model_not_found"}, "no_model", "LLM_MODEL"),
        (404, {"message": "Not Found"}, "bad_url", "OPENAI_BASE_URL"),
        (429, {"code": "insufficient_quota"}, "quota", "деньги"),
        (400, {"message": "bad", "times": 9}, "bad_request", "LLM_MODEL"),
        (413, {}, "too_large", "STT_MAX_MB"),
        (418, {}, "http_418", "OPENAI_BASE_URL"),
        (302, {}, "http_302", "OPENAI_BASE_URL"),
    ],
)
async def test_refusals(
    bench: Bench, context: CallContext, status: int, details: dict[str, object], code: str, hint: str
) -> None:
    bench.fake.fail(status, **details)  # type: ignore[arg-type]
    error = await failure(bench.ports(), context)
    assert isinstance(error, VendorRefused)
    assert error.code == code
    assert hint in error.hint
    assert KEY not in f"{error!r} {error} {error.hint} {error.__context__!r} {error.__cause__!r}"


@pytest.mark.parametrize(
    ("status", "details", "retry_after", "uncertain"),
    [
        (429, {"retry_after": 7}, 7.0, False),
        (429, {}, None, False),
        (408, {}, None, False),
        (409, {}, None, False),
        (500, {}, None, True),
        (503, {"retry_after": 200}, 200.0, True),
        (529, {}, None, True),
    ],
)
async def test_outages_are_tried_once(
    bench: Bench, context: CallContext, status: int, details: dict[str, float], retry_after: float | None, uncertain: bool
) -> None:
    bench.fake.fail(status, **details)  # type: ignore[arg-type]
    error = await failure(bench.ports(), context)
    assert isinstance(error, VendorUnavailable)
    assert (error.message, error.retry_after, error.uncertain) == (f"HTTP {status}", retry_after, uncertain)
    assert bench.fake.faults == []
    assert bench.fake.paid["completions"] == 0  # a second request would have been answered


async def test_nobody_listens(bench: Bench, context: CallContext) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error = await failure(bench.ports(LLM_BASE_URL=f"http://127.0.0.1:{port}/v1"), context)
    assert isinstance(error, VendorUnavailable)
    assert (error.message, error.uncertain) == ("no connection", False)


async def test_no_such_host(bench: Bench, context: CallContext, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nowhere(*_: object, **__: object) -> object:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nowhere)
    error = await failure(bench.ports(LLM_BASE_URL="http://models.internal/v1"), context)
    assert isinstance(error, VendorUnavailable)
    assert (error.message, error.uncertain) == ("host name not found", False)


async def test_a_connection_broken_after_sending_is_uncertain(bench: Bench, context: CallContext) -> None:
    bench.fake.fail(0)
    error = await failure(bench.ports(), context)
    assert isinstance(error, VendorUnavailable)
    assert (error.message, error.uncertain) == ("broken connection", True)


async def test_an_answer_that_never_comes_is_uncertain(bench: Bench, context: CallContext) -> None:
    bench.fake.hold()
    error = await failure(bench.ports(LLM_TIMEOUT="1.5"), context)
    assert isinstance(error, VendorUnavailable)
    assert (error.message, error.uncertain) == ("timeout", True)
    assert bench.fake.paid["completions"] == 1


async def test_a_trickle_ends_too(serve: Serve, bench: Bench, context: CallContext) -> None:
    async def trickle(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b" ")
            await asyncio.sleep(0.05)

    app = web.Application()
    app.router.add_post("/v1/chat/completions", trickle)
    error = await failure(bench.ports(LLM_BASE_URL=f"{await serve(app)}/v1", LLM_TIMEOUT="1"), context)
    assert isinstance(error, VendorUnavailable)
    assert error.uncertain


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<html>Sign in</html>", "text/html"),
        ("[1]", "application/json"),
        ("", "text/plain"),
        ('{"ok":1}', "application/json"),
    ],
)
async def test_a_page_instead_of_an_answer(
    serve: Serve, bench: Bench, context: CallContext, recordings: Path, body: str, kind: str
) -> None:
    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=body, content_type=kind)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", page)
    ports = bench.ports(OPENAI_BASE_URL=await serve(app))
    error = await failure(ports, context)
    assert isinstance(error, VendorRefused)
    assert error.code == "bad_answer"
    assert "OPENAI_BASE_URL" in error.hint
    assert ports.transcriber is not None
    with pytest.raises(VendorRefused, match="bad_answer"):
        await ports.transcriber.transcribe(recordings / "03_very_short.mp3", check(6), name="a.mp3", operator_first=True)


async def test_a_certificate_of_ones_own(bench: Bench, context: CallContext, tmp_path: Path) -> None:
    certificate, key = self_signed()
    (tmp_path / "ca.pem").write_bytes(certificate)
    (tmp_path / "both.pem").write_bytes(certificate + key)
    secure = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    secure.load_cert_chain(tmp_path / "both.pem")
    server = TestServer(bench.fake.build_app(), host="127.0.0.1", scheme="https")
    await server.start_server(ssl=secure)
    url = str(server.make_url("/v1"))
    error = await failure(bench.ports(LLM_BASE_URL=url), context)
    assert isinstance(error, VendorUnavailable)
    assert (error.message, error.uncertain) == ("certificate not accepted", False)
    role = bench.ports(LLM_BASE_URL=url, LLM_CA_BUNDLE=str(tmp_path / "ca.pem")).summariser
    assert role is not None
    assert (await role.summarise(transcript("алло"), context)).meaningful
    await server.close()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("Audio file could not be decoded or its format is not supported.", "bad_audio"),
        ("Invalid file format. Supported formats: ['flac', 'mp3', 'ogg', 'wav']", "bad_audio"),
        ("Audio file might be corrupted or unsupported", "bad_audio"),
        ("Audio file is too short. Minimum audio length is 0.1 seconds.", "bad_audio"),
        ("Maximum content size limit (26214400) exceeded", "too_large"),
        ("audio duration 1500 seconds is longer than 1400 seconds which is the maximum for this model", "too_long"),
    ],
)
async def test_what_is_wrong_with_a_recording(bench: Bench, recordings: Path, message: str, code: str) -> None:
    bench.fake.fail(400, message=message)
    role = bench.ports().transcriber
    assert role is not None
    with pytest.raises(VendorRefused) as caught:
        await role.transcribe(recordings / "03_very_short.mp3", check(6), name="a.mp3", operator_first=True)
    assert caught.value.code == code
    assert code in UNHEARABLE
    assert bench.fake.seen == []  # asked once, not in simpler ways


async def test_nothing_of_the_key_or_the_texts_is_logged(
    bench: Bench, context: CallContext, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    bench.fake.fail(401)
    ports = bench.ports()
    await failure(ports, context)
    assert ports.summariser is not None
    await ports.summariser.summarise(transcript("тайный разговор"), context)
    assert KEY not in caplog.text
    assert "тайный" not in caplog.text


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After-Ms": "1500"}, 1.5),
        ({"Retry-After": "Sat, 21 Nov 2026 10:01:00 GMT", "Date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 60.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "-5"}, None),
    ],
)
async def test_how_long_to_wait(
    serve: Serve, bench: Bench, context: CallContext, headers: dict[str, str], seconds: float | None
) -> None:
    async def busy(_request: web.Request) -> web.Response:
        return web.json_response({"error": {"message": "slow down"}}, status=429, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", busy)
    error = await failure(bench.ports(OPENAI_BASE_URL=await serve(app)), context)
    assert isinstance(error, VendorUnavailable)
    assert error.retry_after == seconds


async def test_the_route_is_used(serve: Serve, bench: Bench, context: CallContext) -> None:
    """Extra headers, another key and a proxy in between."""
    seen: list[tuple[str, str, str]] = []

    async def proxy(request: web.Request) -> web.Response:
        seen.append((request.path_qs, request.headers["X-Folder"], request.headers["Authorization"]))
        return web.json_response({"choices": []}, status=403)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", proxy)
    address = await serve(app)
    ports = bench.ports(
        LLM_BASE_URL="http://models.internal/v1",
        LLM_PROXY=address,
        LLM_API_KEY="other-key",
        LLM_EXTRA_HEADERS='{"X-Folder": "b1g"}',
    )
    await failure(ports, context)
    assert seen == [("/v1/chat/completions", "b1g", "Bearer other-key")]


async def test_the_fake_goes_down_and_up(serve: Serve, bench: Bench, context: CallContext) -> None:
    bench.fake.up = False
    ports = bench.ports()
    assert isinstance(await failure(ports, context), VendorUnavailable)
    bench.fake.up = True
    assert ports.summariser is not None
    assert (await ports.summariser.summarise(transcript("алло"), context)).meaningful
    other = Fake(keys=frozenset({"another"}), latency_s=0.01)
    error = await failure(bench.ports(LLM_BASE_URL=f"{await serve(other.build_app())}/v1"), context)
    assert str(error) == "openai summarise: bad_key"
