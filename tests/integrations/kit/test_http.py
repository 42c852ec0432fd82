"""The HTTP client against real sockets: what is certain, what is not, and what never gets out."""

import asyncio
import hashlib
import logging
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from domain.errors import VendorError, VendorRefused, VendorUnavailable
from integrations.kit.http import HEAD_BYTES, Answer, Downloaded, HttpClient, Target
from tests.integrations.kit.conftest import ServeTls

SECRET = "s3cret-in-the-path"
CONTENT = bytes(range(256)) * 1024

Serve = Callable[[web.Application], Awaitable[str]]


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    made = HttpClient("acme", secrets=(SECRET, "", SECRET + "/long"), connect_s=30, read_s=1, total_s=60, trust_env=False)
    yield made
    await made.close()


async def served(serve: Serve, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> str:
    app = web.Application()
    app.router.add_route("*", f"/{SECRET}/{{tail:.*}}", handler)
    return f"{await serve(app)}/{SECRET}/"


async def raw_server(reply: bytes, *, wait: bool = False) -> tuple[asyncio.Server, str]:
    """A server that reads a request, writes ``reply`` and hangs up; ``wait`` keeps silent instead."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        if wait:
            await reader.read()
        writer.write(reply)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    return server, f"http://127.0.0.1:{port}/{SECRET}/x"


def says_nothing(error: BaseException) -> bool:
    """Neither the error nor anything chained to it knows the secret."""
    seen: BaseException | None = error
    while seen is not None:
        if SECRET in str(seen) or SECRET in repr(seen):
            return False
        seen = seen.__cause__ or seen.__context__
    return True


async def failure_of(request: Awaitable[object]) -> VendorUnavailable:
    with pytest.raises(VendorUnavailable) as caught:
        await request
    assert says_nothing(caught.value)
    return caught.value


async def test_json_form_and_headers_go_and_come(serve: Serve, client: HttpClient) -> None:
    async def echo(request: web.Request) -> web.Response:
        body = (await request.read()).decode()
        return web.json_response({"body": body, "q": request.query_string, "x": request.headers.get("X-Key")}, status=418)

    url = await served(serve, echo)
    answer = await client.request("say", "POST", url, json={"a": 1}, query={"b": "2"}, headers={"X-Key": "k"})
    assert answer.status == 418
    assert answer.json() == {"body": '{"a":1}', "q": "b=2", "x": "k"}
    assert answer.headers["content-type"].startswith("application/json")
    form = await client.request("say", "POST", url, form={"a": "б"})
    assert form.json() == {"body": "a=%D0%B1", "q": "", "x": None}


async def test_nothing_is_repeated_or_followed_and_no_cookie_is_kept(serve: Serve, client: HttpClient) -> None:
    seen: list[str | None] = []

    async def redirect(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Cookie"))
        return web.Response(status=302, headers={"Location": "/elsewhere", "Set-Cookie": "PHPSESSID=1; Path=/"})

    url = await served(serve, redirect)
    for _ in range(2):
        assert (await client.request("go", "GET", url)).status == 302
    assert seen == [None, None]


@pytest.mark.parametrize("writes", [False, True])
async def test_no_connection_is_certain(client: HttpClient, writes: bool) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/{SECRET}/"
        failure = await failure_of(client.request("go", "POST", url, writes=writes))
    assert (failure.uncertain, failure.message) == (False, "no connection")


@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize(
    ("reply", "wait", "message"),
    [
        (b"", False, "connection broken (ServerDisconnectedError)"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", False, "connection broken (ContentLengthError)"),
        (b"", True, "no answer in time"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
            False,
            "connection broken (ContentEncodingError)",
        ),
    ],
)
async def test_a_broken_answer_is_uncertain_for_a_write(
    client: HttpClient, reply: bytes, wait: bool, message: str, writes: bool
) -> None:
    server, url = await raw_server(reply, wait=wait)
    async with server:
        failure = await failure_of(client.request("go", "POST", url, json={}, writes=writes))
    assert (failure.uncertain, failure.message) == (writes, message)


async def test_a_trickle_ends_with_the_whole_time(serve: Serve) -> None:
    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(5000):
            await response.write(b".")
            await asyncio.sleep(0.02)
        return response

    client = HttpClient("acme", read_s=30, total_s=1, trust_env=False)
    failure = await failure_of(client.request("go", "POST", await served(serve, trickle), writes=True))
    assert (failure.uncertain, failure.message) == (True, "no answer in time")
    await client.close()


async def test_an_endless_answer_is_cut(serve: Serve, client: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.kit.http.MAX_ANSWER", 1000)

    async def much(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 2000)

    await failure_of(client.request("go", "GET", await served(serve, much)))


async def test_a_name_that_does_not_exist_is_told(client: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nowhere(*_args: object, **_options: object) -> None:
        raise socket.gaierror(-2, SECRET)

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nowhere)
    failure = await failure_of(client.request("go", "GET", f"http://portal.example/{SECRET}/", writes=True))
    assert (failure.uncertain, failure.message) == (False, "host name not found")


async def test_a_certificate_that_does_not_fit_is_told(serve_tls: ServeTls, client: HttpClient) -> None:
    url = (await serve_tls(content())).replace("records.example", "127.0.0.1")
    failure = await failure_of(client.request("go", "GET", url, writes=True))
    assert (failure.uncertain, failure.message) == (False, "TLS certificate not accepted")


async def test_a_get_whose_connection_broke_is_not_repeated(client: HttpClient) -> None:
    asked = 0

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.read(65536)
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await failure_of(client.request("go", "GET", f"http://127.0.0.1:{port}/{SECRET}/"))
    assert asked == 1


async def test_an_address_that_is_none(client: HttpClient) -> None:
    failure = await failure_of(client.request("go", "POST", f"http://[{SECRET}/", writes=True))
    assert not failure.uncertain


async def test_the_libraries_keep_the_address_out_of_the_log(
    serve: Serve, client: HttpClient, caplog: pytest.LogCaptureFixture
) -> None:
    async def fine(request: web.Request) -> web.Response:
        return web.Response(text="ok")

    url = await served(serve, fine)
    with caplog.at_level(logging.DEBUG):
        await client.request("go", "GET", url)
    assert not [record for record in caplog.records if record.name.startswith(("httpx", "httpcore"))]


def test_masking_takes_the_longest_secret_first() -> None:
    client = HttpClient("acme", secrets=("xyz", "", "xyzklm"))
    assert client.masked("1 xyzklm 2 xyz 3") == "1 *** 2 *** 3"
    assert "xyz" not in repr(client)


@pytest.mark.parametrize(
    ("value", "seconds"), [("3", 3.0), (" 7 ", 7.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("٣", None), ("", None)]
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert Answer(status=429, headers={"retry-after": value}, body=b"").retry_after == seconds


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        Answer(status=200, headers={}, body=body).json()


async def anywhere(url: str) -> Target:
    return Target(url=url)


def anything(_answer: Answer) -> VendorError | None:
    return None


async def fetched(
    client: HttpClient, url: str, into: Path, *, max_bytes: int = 10**7, whole_size: int | None = None
) -> Downloaded | None:
    return await client.download(
        "fetch", url, into, approve=anywhere, classify=anything, max_bytes=max_bytes, whole_size=whole_size
    )


def content(body: bytes = CONTENT, **options: object) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def give(request: web.Request) -> web.Response:
        return web.Response(body=body, **options)  # type: ignore[arg-type]

    return give


async def test_a_download_appears_whole(serve: Serve, client: HttpClient, tmp_path: Path) -> None:
    into = tmp_path / "deep" / "file"
    got = await fetched(client, await served(serve, content()), into, whole_size=len(CONTENT))
    assert got == Downloaded(size=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest(), head=CONTENT[:HEAD_BYTES])
    assert into.read_bytes() == CONTENT
    assert [path.name for path in into.parent.iterdir()] == ["file"]


async def test_a_download_larger_than_memory_may_hold_is_the_same(
    serve: Serve, client: HttpClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.kit.http.HELD_BYTES", 1000)
    got = await fetched(client, await served(serve, content()), tmp_path / "file")
    assert got is not None
    assert got.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert await fetched(client, await served(serve, content()), tmp_path / "more", max_bytes=len(CONTENT) - 1) is None
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


async def test_too_much_leaves_nothing(serve: Serve, client: HttpClient, tmp_path: Path) -> None:
    async def undeclared(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(CONTENT)
        return response

    for handler in (content(), undeclared):
        assert await fetched(client, await served(serve, handler), tmp_path / "file", max_bytes=len(CONTENT) - 1) is None
        assert list(tmp_path.iterdir()) == []
    assert await fetched(client, await served(serve, content()), tmp_path / "file", max_bytes=len(CONTENT)) is not None


async def test_another_size_than_promised_leaves_nothing(serve: Serve, client: HttpClient, tmp_path: Path) -> None:
    url = await served(serve, content())
    failure = await failure_of(fetched(client, url, tmp_path / "file", whole_size=len(CONTENT) + 1))
    assert failure.message == "the file is not whole"
    assert list(tmp_path.iterdir()) == []


async def test_a_transfer_that_breaks_leaves_nothing(client: HttpClient, tmp_path: Path) -> None:
    server, url = await raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf")
    async with server:
        failure = await failure_of(fetched(client, url, tmp_path / "file"))
    assert not failure.uncertain
    assert list(tmp_path.iterdir()) == []


async def test_the_classifier_stops_a_download_at_its_first_bytes(serve: Serve, client: HttpClient, tmp_path: Path) -> None:
    judged: list[Answer] = []

    def refuse(answer: Answer) -> VendorError:
        judged.append(answer)
        return VendorRefused("acme", "fetch", "nope", hint="")

    for body in (CONTENT, b"short", b""):
        url = await served(serve, content(body, status=203))
        with pytest.raises(VendorRefused, match="nope"):
            await client.download("fetch", url, tmp_path / "f", approve=anywhere, classify=refuse, max_bytes=10**7)
    assert [(answer.status, answer.body) for answer in judged] == [(203, CONTENT[:HEAD_BYTES]), (203, b"short"), (203, b"")]
    assert list(tmp_path.iterdir()) == []


async def test_each_redirect_is_approved_and_loops_end(serve: Serve, client: HttpClient, tmp_path: Path) -> None:
    asked: list[str] = []

    async def note(url: str) -> Target:
        asked.append(re.sub(r"^.*/", "", url))
        if url.endswith("forbidden"):
            raise VendorRefused("acme", "fetch", "foreign", hint="")
        return Target(url=url)

    async def hop(request: web.Request) -> web.Response:
        following = {"a": "b", "b": "file", "evil": "forbidden", "loop": "loop"}.get(request.match_info["tail"])
        return web.Response(body=b"file") if following is None else web.Response(status=302, headers={"Location": following})

    base = await served(serve, hop)

    async def follow(start: str) -> Downloaded | None:
        return await client.download(
            "fetch", base + start, tmp_path / "f", approve=note, classify=anything, max_bytes=99, headers={"X": "1"}
        )

    got = await follow("a")
    assert got is not None
    assert (got.head, asked) == (b"file", ["a", "b", "file"])
    with pytest.raises(VendorRefused, match="foreign"):
        await follow("evil")
    failure = await failure_of(follow("loop"))
    assert failure.message == "too many redirects"


async def test_a_pinned_address_is_where_the_connection_goes(serve: Serve, client: HttpClient, tmp_path: Path) -> None:
    hosts: list[str] = []

    async def note(request: web.Request) -> web.Response:
        hosts.append(request.host)
        return web.Response(body=b"x")

    url = (await served(serve, note)).replace("127.0.0.1", "records.invalid")

    async def pin(url: str) -> Target:
        return Target(url=url, pinned="127.0.0.1")

    got = await client.download("fetch", url, tmp_path / "f", approve=pin, classify=anything, max_bytes=9)
    assert got is not None
    assert hosts == [urlsplit(url).netloc]


async def test_a_pinned_address_shows_the_certificate_of_its_name(
    serve_tls: ServeTls, client: HttpClient, tmp_path: Path
) -> None:
    hosts: list[str] = []

    async def note(request: web.Request) -> web.Response:
        hosts.append(request.host)
        return web.Response(body=b"x")

    async def pin(url: str) -> Target:
        return Target(url=url, pinned="127.0.0.1")

    url = await serve_tls(note)
    got = await client.download("fetch", url, tmp_path / "f", approve=pin, classify=anything, max_bytes=9)
    assert got is not None
    assert hosts == [urlsplit(url).netloc]


async def test_the_query_of_a_download_is_left_as_it_is(serve: Serve, client: HttpClient, tmp_path: Path) -> None:
    seen: list[str] = []

    async def note(request: web.Request) -> web.Response:
        seen.append(request.raw_path)
        return web.Response(body=b"x")

    url = await served(serve, note)
    odd = "?token=disk%7CaWQ9%2c1+%7e~%2F/=&x=%D0%B9"
    await fetched(client, url + odd, tmp_path / "f")
    assert seen == [f"/{SECRET}/{odd}"]
