"""The same calls to our double and to an independent emulator end in the same class of answer."""

import io
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from lo_bot_api_emulator import LoBotApiEmulator

from sandbox.telegram import TelegramDouble

from .conftest import Serve

PERSON = 10_001
BUTTON = {"inline_keyboard": [[{"text": "Да", "callback_data": "yes"}]]}
ARTICLE = {"type": "article", "id": "1", "title": "a", "input_message_content": {"message_text": "a"}}


def keyboard(**button: object) -> dict[str, object]:
    return {"inline_keyboard": [[{"text": "a", **button}]]}


CALLS: list[tuple[str, str, dict[str, object]]] = [
    ("me", "getMe", {}),
    ("text", "sendMessage", {"chat_id": PERSON, "text": "привет"}),
    ("text of 4096", "sendMessage", {"chat_id": PERSON, "text": "я" * 4096}),
    ("text of 4097", "sendMessage", {"chat_id": PERSON, "text": "я" * 4097}),
    ("2048 emoji", "sendMessage", {"chat_id": PERSON, "text": "👍" * 2048}),
    ("2049 emoji", "sendMessage", {"chat_id": PERSON, "text": "👍" * 2049}),
    ("no text", "sendMessage", {"chat_id": PERSON}),
    ("blank text", "sendMessage", {"chat_id": PERSON, "text": "  "}),
    ("no chat", "sendMessage", {"text": "a"}),
    ("odd chat", "sendMessage", {"chat_id": "x", "text": "a"}),
    ("button", "sendMessage", {"chat_id": PERSON, "text": "a", "reply_markup": BUTTON}),
    ("64 bytes", "sendMessage", {"chat_id": PERSON, "text": "a", "reply_markup": keyboard(callback_data="я" * 32)}),
    ("66 bytes", "sendMessage", {"chat_id": PERSON, "text": "a", "reply_markup": keyboard(callback_data="я" * 33)}),
    ("no bytes", "sendMessage", {"chat_id": PERSON, "text": "a", "reply_markup": keyboard(callback_data="")}),
    ("no action", "sendMessage", {"chat_id": PERSON, "text": "a", "reply_markup": keyboard()}),
    (
        "two actions",
        "sendMessage",
        {"chat_id": PERSON, "text": "a", "reply_markup": keyboard(callback_data="x", url="https://a.ru")},
    ),
    ("url button", "sendMessage", {"chat_id": PERSON, "text": "a", "reply_markup": keyboard(url="https://a.ru/x")}),
    ("script button", "sendMessage", {"chat_id": PERSON, "text": "a", "reply_markup": keyboard(url="javascript:1")}),
    (
        "app button",
        "sendMessage",
        {"chat_id": PERSON, "text": "a", "reply_markup": keyboard(web_app={"url": "https://a.ru"})},
    ),
    (
        "plain app button",
        "sendMessage",
        {"chat_id": PERSON, "text": "a", "reply_markup": keyboard(web_app={"url": "http://a.ru"})},
    ),
    ("copy button", "sendMessage", {"chat_id": PERSON, "text": "a", "reply_markup": keyboard(copy_text={"text": "a"})}),
    ("empty copy button", "sendMessage", {"chat_id": PERSON, "text": "a", "reply_markup": keyboard(copy_text={"text": ""})}),
    ("markup is a number", "sendMessage", {"chat_id": PERSON, "text": "a", "reply_markup": 5}),
    (
        "nine in a row",
        "sendMessage",
        {"chat_id": PERSON, "text": "a", "reply_markup": {"inline_keyboard": [BUTTON["inline_keyboard"][0] * 9]}},
    ),
    ("reply keyboard", "sendMessage", {"chat_id": PERSON, "text": "a", "reply_markup": {"keyboard": [["Да"]]}}),
    ("edit", "editMessageText", {"chat_id": PERSON, "message_id": 1, "text": "иначе"}),
    ("edit without a number", "editMessageText", {"chat_id": PERSON, "text": "иначе"}),
    ("edit of keys", "editMessageReplyMarkup", {"chat_id": PERSON, "message_id": 1, "reply_markup": BUTTON}),
    ("typing", "sendChatAction", {"chat_id": PERSON, "action": "typing"}),
    ("sleeping", "sendChatAction", {"chat_id": PERSON, "action": "sleep"}),
    ("commands", "setMyCommands", {"commands": [{"command": "a", "description": "b"}]}),
    ("101 commands", "setMyCommands", {"commands": [{"command": "a", "description": "b"}] * 101}),
    ("commands read", "getMyCommands", {}),
    ("commands dropped", "deleteMyCommands", {}),
    ("menu button", "setChatMenuButton", {"menu_button": {"type": "commands"}}),
    ("unknown file", "getFile", {"file_id": "x"}),
    ("webhook info", "getWebhookInfo", {}),
    ("plain webhook", "setWebhook", {"url": "http://bot.example.org/"}),
    ("bad secret", "setWebhook", {"url": "https://bot.example.org/", "secret_token": "я"}),
    ("webhook dropped", "deleteWebhook", {}),
    ("updates", "getUpdates", {"timeout": 0}),
    ("toast of 201", "answerCallbackQuery", {"callback_query_id": "x", "text": "я" * 201}),
    ("51 results", "answerInlineQuery", {"inline_query_id": "x", "results": [ARTICLE] * 51}),
    ("equal ids", "answerInlineQuery", {"inline_query_id": "x", "results": [ARTICLE, ARTICLE]}),
    ("delete", "deleteMessage", {"chat_id": PERSON, "message_id": 1}),
    ("delete without a number", "deleteMessage", {"chat_id": PERSON}),
    ("unknown method", "sendNothing", {}),
]


@pytest.fixture
async def both(serve: Serve) -> AsyncIterator[tuple[aiohttp.ClientSession, str, str]]:
    """A session, our address and the emulator's, each with a first message of the bot to a person it knows."""
    double = TelegramDouble()
    double.person("Иван", number=PERSON, started=True)
    ours, theirs = await serve(double.build_app()), await serve(LoBotApiEmulator().app())
    async with aiohttp.ClientSession() as http:
        for address in (ours, theirs):
            assert await outcome(http, address, "sendMessage", {"chat_id": PERSON, "text": "первое"}) == 2
        yield http, ours, theirs


async def outcome(http: aiohttp.ClientSession, address: str, method: str, params: dict[str, object]) -> int:
    """2 for success, 4 for a refusal."""
    async with http.post(f"{address}/bot700700:local-telegram/{method}", json=params) as response:
        body = json.loads(await response.text())
        assert body["ok"] is (response.status == 200)
        return response.status // 100


@pytest.mark.parametrize(("method", "params"), [call[1:] for call in CALLS], ids=[call[0] for call in CALLS])
async def test_same_answer(both: tuple[aiohttp.ClientSession, str, str], method: str, params: dict[str, object]) -> None:
    http, ours, theirs = both
    assert await outcome(http, ours, method, params) == await outcome(http, theirs, method, params)


@pytest.mark.parametrize("caption", ["a" * 1024, "a" * 1025])
@pytest.mark.parametrize("kind", ["photo", "document"])  # the emulator takes no caption of a voice message
async def test_same_answer_to_files(both: tuple[aiohttp.ClientSession, str, str], kind: str, caption: str) -> None:
    http, *addresses = both
    statuses = []
    for address in addresses:
        form = aiohttp.FormData({"chat_id": str(PERSON), "caption": caption, kind: "attach://part"})
        form.add_field("part", io.BytesIO(b"1"), filename="a.bin")
        async with http.post(f"{address}/bot700700:local-telegram/send{kind.capitalize()}", data=form) as response:
            statuses.append(response.status)
    assert statuses == [200 if len(caption) == 1024 else 400] * 2
