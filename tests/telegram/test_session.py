"""One request to the Bot API: every failure is named, and no token is in any of them."""

import asyncio
import json
import socket
import traceback
from pathlib import Path
from typing import Any

import pytest
from aiogram import Bot
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import GetUpdates
from aiohttp import web

from bot.telegram.courier import BotCourier
from bot.telegram.failures import Verdict, classify
from bot.telegram.session import AnswerLost, GatewayFailed, NotDelivered, Session, UnreadableAnswer
from domain.errors import ConfigError
from domain.messages import File, Message
from storage.outbox import ClaimedPost
from tests.conftest import Serve
from tests.telegram.bench import hang_up

TOKEN = "123456:not-a-real-token"
MESSAGE = {"message_id": 7, "date": 1, "chat": {"id": 5, "type": "private"}}


class Line:
    """A server that answers one thing, and a bot on its line."""

    def __init__(self, url: str, *, proxy: str | None = None, seconds: float = 60.0) -> None:
        self.session = Session(base_url=url, proxy=proxy, timeout=seconds)
        self.bot = Bot(TOKEN, session=self.session)

    async def fails(self) -> Exception:
        try:
            await self.bot.send_message(5, "x")
        except Exception as error:
            told = "".join(traceback.format_exception(error))
            assert TOKEN.split(":")[1] not in told
            return error
        finally:
            await hang_up(self.session)
        raise AssertionError("it did not fail")


async def answering(serve: Serve, status: int, body: object) -> str:
    app = web.Application()

    async def answer(_request: web.Request) -> web.Response:
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(status=status, text=text)

    app.router.add_post("/{path:.*}", answer)
    return await serve(app)


def refused(code: int, description: str | None = None, **parameters: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"ok": False, "error_code": code}
    if description is not None:
        body["description"] = description
    return body | ({"parameters": parameters} if parameters else {})


@pytest.mark.parametrize(
    ("status", "body", "kind", "verdict"),
    [
        (429, refused(429, "Too Many Requests", retry_after=3), TelegramRetryAfter, Verdict.FLOOD),
        (429, refused(429, "Too Many Requests", retry_after=0), TelegramRetryAfter, Verdict.FLOOD),
        (429, refused(429), TelegramRetryAfter, Verdict.FLOOD),
        (429, "slow down", TelegramRetryAfter, Verdict.FLOOD),
        (400, refused(400, "Bad Request: upgraded", migrate_to_chat_id=-100), TelegramMigrateToChat, Verdict.MOVED),
        (400, refused(400, "Bad Request: message is not modified: x"), TelegramBadRequest, Verdict.DONE),
        (400, refused(400, "Bad Request: message thread not found"), TelegramBadRequest, Verdict.TOPIC_GONE),
        (400, refused(400, "Bad Request: message to edit not found"), TelegramBadRequest, Verdict.MESSAGE_GONE),
        (400, refused(400, "Bad Request: chat not found"), TelegramBadRequest, Verdict.GONE),
        (400, refused(400, "Bad Request: not enough rights to send text messages"), TelegramBadRequest, Verdict.GONE),
        (400, refused(400, "Bad Request: can't parse entities"), TelegramBadRequest, Verdict.REFUSED),
        (200, refused(400, "Bad Request: chat not found"), TelegramBadRequest, Verdict.GONE),
        (400, refused(400, "x", retry_after="soon"), TelegramAPIError, Verdict.REFUSED),
        (401, refused(401, "Unauthorized"), TelegramUnauthorizedError, Verdict.TOKEN),
        (404, refused(404, "Not Found"), TelegramNotFound, Verdict.TOKEN),
        (404, refused(404, "Not Found: method not found"), TelegramNotFound, Verdict.REFUSED),
        (404, "nothing here", TelegramNotFound, Verdict.TOKEN),
        (403, refused(403, "Forbidden: bot was kicked"), TelegramForbiddenError, Verdict.GONE),
        (403, "a proxy's page", TelegramAPIError, Verdict.REFUSED),
        (409, refused(409, "Conflict"), TelegramConflictError, Verdict.LATER),
        (413, "too large", TelegramEntityTooLarge, Verdict.REFUSED),
        (500, refused(500), TelegramServerError, Verdict.LATER),
        (502, "<html>502 Bad Gateway</html>", GatewayFailed, Verdict.GATEWAY),
        (504, "", GatewayFailed, Verdict.GATEWAY),
        (200, "<html>captive portal</html>", UnreadableAnswer, Verdict.UNREADABLE),
        (200, "[1]", UnreadableAnswer, Verdict.UNREADABLE),
        (200, {"ok": True, "result": {"message_id": "x"}}, UnreadableAnswer, Verdict.UNREADABLE),
    ],
)
async def test_what_an_answer_means(
    serve: Serve, status: int, body: object, kind: type[Exception], verdict: Verdict
) -> None:
    error = await Line(await answering(serve, status, body)).fails()
    assert isinstance(error, kind)
    failure = classify(error)
    assert failure.verdict is verdict
    if verdict is Verdict.FLOOD:
        assert failure.retry_after > 0
    if verdict is Verdict.MOVED:
        assert failure.chat_id == -100


async def test_the_number_of_an_unreadable_message_is_saved(serve: Serve) -> None:
    body = {"ok": True, "result": {"message_id": 77, "date": "not a date", "chat": 1}}
    failure = classify(await Line(await answering(serve, 200, body)).fails())
    assert (failure.verdict, failure.message_id) == (Verdict.UNREADABLE, 77)


async def test_nobody_listens() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening
        error = await Line(f"http://127.0.0.1:{held.getsockname()[1]}").fails()
    assert isinstance(error, NotDelivered)
    assert classify(error).verdict is Verdict.OFFLINE


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_a_proxy_that_is_away_delivers_nothing(scheme: str) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        error = await Line("http://127.0.0.1:1", proxy=f"{scheme}://127.0.0.1:{held.getsockname()[1]}").fails()
    assert classify(error).verdict is Verdict.OFFLINE


async def test_requests_go_through_an_http_proxy(serve: Serve) -> None:
    asked: list[str] = []
    app = web.Application()

    async def relay(request: web.Request) -> web.Response:
        asked.append(request.headers["Host"])
        return web.json_response({"ok": True, "result": MESSAGE})

    app.router.add_route("*", "/{path:.*}", relay)
    line = Line("http://telegram.invalid", proxy=await serve(app))
    assert (await line.bot.send_message(5, "x")).message_id == 7
    await hang_up(line.session)
    assert asked == ["telegram.invalid"]


async def test_a_proxy_address_that_is_none() -> None:
    with pytest.raises(ConfigError, match="TELEGRAM_PROXY"):
        Session(base_url="http://127.0.0.1:1", proxy="socks5//oops")


async def test_no_answer_in_time(serve: Serve) -> None:
    app = web.Application()

    over = asyncio.Event()

    async def late(_request: web.Request) -> web.Response:
        await over.wait()
        return web.Response()

    app.router.add_post("/{path:.*}", late)
    error = await Line(await serve(app), seconds=1.0).fails()  # on a busy machine the question itself takes its time
    over.set()
    assert isinstance(error, AnswerLost)
    assert classify(error).verdict is Verdict.UNCERTAIN


def test_an_error_nobody_foresaw_is_uncertain() -> None:
    assert classify(RuntimeError("odd")).verdict is Verdict.UNCERTAIN


async def test_updates_come_as_they_were_written(serve: Serve) -> None:
    odd = [{"update_id": 1, "not_invented_yet": {}}, "x"]
    line = Line(await answering(serve, 200, {"ok": True, "result": odd}))
    assert await line.session.get_updates(line.bot, GetUpdates(), seconds=5) == odd
    await hang_up(line.session)
    line = Line(await answering(serve, 200, {"ok": True, "result": None}))
    assert await line.session.get_updates(line.bot, GetUpdates(), seconds=5) == []
    await hang_up(line.session)
    line = Line(await answering(serve, 409, refused(409, "Conflict: terminated by other getUpdates request")))
    with pytest.raises(TelegramConflictError):
        await line.session.get_updates(line.bot, GetUpdates(), seconds=5)
    await hang_up(line.session)


@pytest.mark.parametrize("kind", ["document", "audio"])
async def test_a_sent_file_is_replaced_in_place(serve: Serve, tmp_path: Path, kind: str) -> None:
    asked: list[dict[str, str]] = []
    app = web.Application()

    async def edit(request: web.Request) -> web.Response:
        form = await request.post()
        asked.append({key: str(value) for key, value in form.items() if isinstance(value, str)})
        asked[-1]["path"] = request.path.rsplit("/", 1)[1]
        return web.json_response({"ok": True, "result": MESSAGE})

    app.router.add_post("/{path:.*}", edit)
    line = Line(await serve(app))
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "a.bin").write_bytes(b"new")
    message = Message(
        key="f", sections=(), files=(File(path="recordings/a.bin", name="a.bin", kind=kind, caption="подпись"),)
    )
    post = ClaimedPost(
        id=1,
        account_id=1,
        key="f",
        chat_id=5,
        topic_id=None,
        message=message,
        revision=2,
        message_id=7,
        reply_to_message_id=None,
        silent=False,
        attempts=1,
        repeats=0,
        plain=False,
    )
    assert await BotCourier(line.bot, tmp_path).deliver(post) == 7
    await hang_up(line.session)
    assert asked[0]["path"] == "editMessageMedia"
    media = json.loads(asked[0]["media"])
    assert (media["type"], media["caption"]) == (kind, "подпись")
