"""Answers to presses and inline queries, command lists, members, the webhook's settings."""

import aiohttp
import pytest

from sandbox.telegram import Clocks, TelegramDouble

from .conftest import Scene, Serve, build_scene

BUTTON = {"inline_keyboard": [[{"text": "Да", "callback_data": "yes"}]]}


async def test_late_answers_are_refused(serve: Serve) -> None:
    now = [0.0]
    double = TelegramDouble(clocks=Clocks(monotonic=lambda: now[0]))
    url = await serve(double.build_app())
    async with aiohttp.ClientSession() as http:
        scene = build_scene(double, url, http)
        await scene.ok("sendMessage", chat_id=scene.ivan.id, text="раз", reply_markup=BUTTON)
        old = "Bad Request: query is too old and response timeout expired or query ID is invalid"
        press = double.press(scene.ivan, double.sent[0].message, "yes")
        long = await scene.no("answerCallbackQuery", callback_query_id=press.id, text="я" * 201)
        assert long == "Bad Request: MESSAGE_TOO_LONG"
        await scene.ok("answerCallbackQuery", callback_query_id=press.id, text="я" * 200)
        assert await scene.no("answerCallbackQuery", callback_query_id=press.id) == old
        late = double.press(scene.ivan, double.sent[0].message, "Да")
        query = double.ask_inline(scene.ivan, "x")
        now[0] = 16.0
        assert await scene.no("answerCallbackQuery", callback_query_id=late.id) == old
        assert await scene.no("answerInlineQuery", inline_query_id=query.id, results=[]) == old
        for waiting in (late, query):
            with pytest.raises(TimeoutError):
                await waiting.answered(0.01)


CONTENT = {"message_text": "a"}


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ({}, "expected an Array of inline query results"),
        ({"results": [{}] * 51}, "RESULTS_TOO_MUCH"),
        ({"results": [], "next_offset": "я" * 33}, "NEXT_OFFSET_INVALID"),
        ({"results": [5]}, "can't parse inline query result: Inline query result must be an object"),
        ({"results": [{"id": "я" * 33}]}, "RESULT_ID_INVALID"),
        ({"results": [{"id": "1"}]}, "can't parse inline query result: Can't find field \"type\""),
        ({"results": [{"id": "1", "type": "article"}]}, "can't parse inline query result: Can't find field \"title\""),
        (
            {"results": [{"id": "1", "type": "article", "title": "a"}]},
            "can't parse inline query result: Input message content is not specified",
        ),
        (
            {"results": [{"id": "1", "type": "article", "title": "a", "input_message_content": {"message_text": " "}}]},
            "message text is empty",
        ),
        (
            {
                "results": [
                    {"id": "1", "type": "article", "title": "a", "input_message_content": {"message_text": "a" * 4097}}
                ]
            },
            "MESSAGE_TOO_LONG",
        ),
        ({"results": [{"id": "1", "type": "photo", "caption": "a" * 1025}]}, "MESSAGE_TOO_LONG"),
        (
            {"results": [{"id": "1", "type": "article", "title": "a", "input_message_content": CONTENT}] * 2},
            "RESULT_ID_DUPLICATE",
        ),
        ({"results": [], "button": {"x": 1}}, "can't parse inline query results button: Can't find field \"text\""),
        ({"results": [], "button": {"text": "a"}}, "InlineQueryResultsButton must have exactly one optional field"),
        ({"results": [], "button": {"text": "a", "start_parameter": "я"}}, "START_PARAM_INVALID"),
    ],
)
async def test_inline_answers_that_are_refused(scene: Scene, answer: dict[str, object], complaint: str) -> None:
    query = scene.double.ask_inline(scene.ivan, "x")
    assert await scene.no("answerInlineQuery", inline_query_id=query.id, **answer) == f"Bad Request: {complaint}"


async def test_an_inline_message_is_edited_by_its_own_id(scene: Scene) -> None:
    double = scene.double
    query = double.ask_inline(scene.ivan, "x", chat=scene.team)
    result = {"id": "1", "type": "article", "title": "a", "input_message_content": CONTENT, "reply_markup": BUTTON}
    button = {"text": "Войти", "start_parameter": "inline"}
    await scene.ok("answerInlineQuery", inline_query_id=query.id, results=[result], button=button, is_personal=True)
    assert (query.button, query.cache_time, await query.answered()) == (button, 300, (result,))
    with pytest.raises(ValueError, match="no inline result"):
        double.choose(query, "2")
    message = double.choose(query, "1", chat=scene.team)
    press = double.press(scene.olga, message, "yes")
    updates = {
        kind: update[kind]
        for update in (one.body for one in double.site.inbox.pending)
        for kind in update
        if kind != "update_id"
    }
    inline_id = updates["chosen_inline_result"]["inline_message_id"]
    assert (updates["callback_query"]["inline_message_id"], updates["callback_query"]["id"]) == (inline_id, press.id)
    assert updates["message"]["via_bot"]["username"] == "svodka_bot"
    assert await scene.ok("editMessageText", inline_message_id=inline_id, text="b") is True
    assert double.messages(scene.team)[-1].text == "b"
    plain = double.ask_inline(scene.ivan, "y")
    await scene.ok(
        "answerInlineQuery", inline_query_id=plain.id, results=[{"id": "p", "type": "photo", "caption": "подпись"}]
    )
    assert double.choose(plain, "p").text == "подпись"


async def test_menus(scene: Scene) -> None:
    calls = [{"command": "/Calls", "description": "Звонки"}]
    for scope in (
        {"type": "chat", "chat_id": scene.team.id},
        {"type": "chat_member", "chat_id": scene.team.id, "user_id": scene.ivan.id},
    ):
        await scene.ok("setMyCommands", commands=calls, scope=scope)
        assert await scene.ok("getMyCommands", scope=scope) == [{"command": "calls", "description": "Звонки"}]
    for commands, complaint in (
        (5, "expected an Array of BotCommand"),
        ([{}] * 101, "BOT_COMMANDS_TOO_MUCH"),
        ([{"command": "зв", "description": "a"}], "BOT_COMMAND_INVALID"),
        ([{"command": "a", "description": "a" * 257}], "BOT_COMMAND_DESCRIPTION_INVALID"),
    ):
        assert await scene.no("setMyCommands", commands=commands) == f"Bad Request: {complaint}"
    for scope, complaint in (
        ({"type": "odd"}, "can't parse BotCommandScope: Unsupported type specified"),
        ({"type": "chat"}, "can't parse BotCommandScope: Empty chat_id specified"),
        ({"type": "chat", "chat_id": 5}, "chat not found"),
        ({"type": "chat_member", "chat_id": scene.team.id}, "can't parse BotCommandScope: Invalid user_id specified"),
    ):
        assert await scene.no("getMyCommands", scope=scope) == f"Bad Request: {complaint}"
    app = {"type": "web_app", "text": "Отчёты", "web_app": {"url": "https://a.ru"}}
    assert await scene.ok("setChatMenuButton", menu_button=app) is True
    assert await scene.ok("getChatMenuButton", chat_id=scene.ivan.id) == app
    insecure = {**app, "web_app": {"url": "http://a.ru"}}
    for body, complaint in (
        ({"menu_button": {"type": "odd"}}, "can't parse menu button: MenuButton has unsupported type"),
        ({"menu_button": insecure}, "menu button Web App URL 'http://a.ru' is invalid: Only HTTPS links are allowed"),
        ({"chat_id": scene.team.id}, "chat must be private"),
    ):
        assert await scene.no("setChatMenuButton", **body) == f"Bad Request: {complaint}"


async def test_members(scene: Scene) -> None:
    for person, status in ((scene.ivan, "creator"), (scene.double.bot, "member"), (scene.double.person("Пётр"), "left")):
        member = await scene.ok("getChatMember", chat_id=scene.team.id, user_id=person.id)
        assert isinstance(member, dict)
        assert member["status"] == status
    assert await scene.no("getChatMember", chat_id=scene.team.id, user_id=5) == "Bad Request: invalid user_id specified"
    private = await scene.no("getChatAdministrators", chat_id=scene.ivan.id)
    assert private == "Bad Request: there are no administrators in the private chat"
    assert (
        await scene.no("leaveChat", chat_id=scene.ivan.id)
        == "Bad Request: chat member status can't be changed in private chats"
    )


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"url": "no address"}, "invalid webhook URL specified"),
        ({"url": "https://[bad"}, "invalid webhook URL specified"),
        ({"url": "http://bot.example.org/"}, "bad webhook: An HTTPS URL must be provided for webhook"),
        ({"url": "https://bot.example.org:8080/"}, "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"),
        ({"url": "http://127.0.0.1:1/", "secret_token": "a" * 257}, "secret token is too long"),
        ({"url": "http://localhost:1/", "secret_token": "я"}, "secret token contains unallowed characters"),
    ],
)
async def test_webhooks_that_are_refused(scene: Scene, body: dict[str, object], complaint: str) -> None:
    assert await scene.no("setWebhook", **body) == f"Bad Request: {complaint}"
    assert await scene.ok("setWebhook", url="") is True
