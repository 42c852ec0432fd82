"""The real aiogram against the local Telegram: polling, webhook, every method the product uses."""

import asyncio
import secrets

import aiohttp
import pytest
from aiogram import Bot, Dispatcher, F
from aiogram.enums import ChatMemberStatus
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllGroupChats,
    BufferedInputFile,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQuery,
    InlineQueryResultArticle,
    InputTextMessageContent,
    MenuButtonCommands,
    Message,
    ReactionTypeEmoji,
    ReplyParameters,
)
from aiogram.utils.formatting import Bold, Code, DateTime, ExpandableBlockQuote, Text, TextLink
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web
from aiohttp.test_utils import TestServer

from sandbox.telegram import Role, TelegramDouble

from .conftest import Scene, Serve


def keyboard(*rows: list[InlineKeyboardButton]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=list(rows))


TAKE = keyboard([InlineKeyboardButton(text="Беру", callback_data="take:1")])


def build_dispatcher() -> Dispatcher:
    """A bot that greets, answers presses by an edit, and answers inline."""
    dispatcher = Dispatcher()

    @dispatcher.message(F.text.startswith("/start"))
    async def start(message: Message) -> None:
        await message.answer(f"Готово: {message.text}", reply_markup=TAKE)

    @dispatcher.callback_query(F.data == "take:1")
    async def take(query: CallbackQuery) -> None:
        await query.answer("Записано", show_alert=True)
        assert isinstance(query.message, Message)
        await query.message.edit_text(f"Взял {query.from_user.first_name}")

    @dispatcher.inline_query()
    async def ask(query: InlineQuery) -> None:
        content = InputTextMessageContent(message_text=f"Ответ на {query.query}")
        await query.answer(
            [InlineQueryResultArticle(id="1", title="Ответ", input_message_content=content)], is_personal=True, cache_time=0
        )

    return dispatcher


async def converse(scene: Scene) -> None:
    """Start, a press with its toast and edit, an inline answer chosen: the same over polling and webhook."""
    double = scene.double
    double.start(scene.olga, "code_1")
    (sent,) = await double.sent_next()
    assert (sent.text, sent.chat_id) == ("Готово: /start code_1", scene.olga.id)
    toast = await double.press(scene.olga, sent.message, "Беру").answered()
    assert (toast.text, toast.alert) == ("Записано", True)
    await double.until(lambda: bool(double.edits))
    edit = double.edits[0]
    assert (edit.before.text, edit.after.text, edit.after.keyboard) == (sent.text, "Взял Ольга", None)
    assert [one.text for one in double.history(sent.message)] == [sent.text, "Взял Ольга"]
    query = double.ask_inline(scene.ivan, "конверсия", chat=scene.team)
    assert [one["id"] for one in await query.answered()] == ["1"]
    assert (query.personal, query.cache_time) == (True, 0)
    assert double.choose(query, "1", chat=scene.team).text == "Ответ на конверсия"


async def test_polling(scene: Scene, bot: Bot) -> None:
    dispatcher = build_dispatcher()
    polling = asyncio.create_task(dispatcher.start_polling(bot, handle_signals=False, close_bot_session=False))
    await converse(scene)
    await dispatcher.stop_polling()
    await polling
    assert scene.double.calls_of("answerCallbackQuery")[0].status == 200


async def test_webhook_with_its_secret(scene: Scene, bot: Bot, serve: Serve) -> None:
    dispatcher, app, secret = build_dispatcher(), web.Application(), secrets.token_hex(8)
    SimpleRequestHandler(dispatcher, bot, handle_in_background=False, secret_token=secret).register(app, "/hook")
    address = await serve(app)
    await bot.set_webhook(
        f"{address}/hook", secret_token=secret, allowed_updates=["message", "callback_query", "inline_query"]
    )
    await converse(scene)
    await scene.double.until(lambda: not scene.double.site.inbox.pending)
    info = await bot.get_webhook_info()
    assert (info.url, info.pending_update_count, info.last_error_message) == (f"{address}/hook", 0, None)
    assert info.allowed_updates == ["callback_query", "inline_query", "message"]
    with pytest.raises(TelegramConflictError, match="webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()
    assert (await bot.get_webhook_info()).url == ""


async def test_webhook_with_a_wrong_secret_is_tried_again(scene: Scene, bot: Bot, serve: Serve) -> None:
    seen: list[str | None] = []

    async def hook(request: web.Request) -> web.Response:
        seen.append(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        return web.Response(status=200 if len(seen) > 2 else 500)

    app = web.Application()
    app.router.add_post("/hook", hook)
    address = await serve(app)
    await bot.set_webhook(f"{address}/hook", secret_token="s-1")
    scene.double.say(scene.ivan, "раз")
    await scene.double.until(lambda: not scene.double.site.inbox.pending)
    assert seen == ["s-1", "s-1", "s-1"]
    assert (await bot.get_webhook_info()).last_error_message == "Wrong response from the webhook: 500 Internal Server Error"


async def test_a_chat_is_posted_in_order_while_another_waits(scene: Scene, bot: Bot, serve: Serve) -> None:
    order: list[str] = []
    gate = asyncio.Event()

    async def hook(request: web.Request) -> web.Response:
        message = (await request.json())["message"]
        if message["text"] == "первое":
            await gate.wait()
        order.append(message["text"])
        return web.Response()

    app = web.Application()
    app.router.add_post("/", hook)
    await bot.set_webhook(await serve(app) + "/")
    scene.double.say(scene.ivan, "первое")
    scene.double.say(scene.ivan, "второе")
    scene.double.say(scene.olga, "чужое")
    await scene.double.until(lambda: len(scene.double.site.inbox.pending) == 2)
    assert order == ["чужое"]
    gate.set()
    await scene.double.until(lambda: not scene.double.site.inbox.pending)
    assert order == ["чужое", "первое", "второе"]


async def test_webhook_that_nobody_serves(scene: Scene, bot: Bot) -> None:
    await bot.set_webhook("http://127.0.0.1:9/hook", drop_pending_updates=True)
    scene.double.say(scene.ivan, "раз")
    await scene.double.until(
        lambda: scene.double.site.inbox.webhook is not None and scene.double.site.inbox.webhook.last_error != ""
    )
    assert (await bot.get_webhook_info()).last_error_message == "Connection refused"
    await bot.set_webhook("https://bot.example.org/hook")
    await scene.double.until(
        lambda: scene.double.site.inbox.webhook is not None and scene.double.site.inbox.webhook.last_error != ""
    )
    await bot.delete_webhook(drop_pending_updates=True)
    assert (await bot.get_webhook_info()).pending_update_count == 0


async def test_second_poller(scene: Scene, bot: Bot) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=10))
    await scene.double.until(lambda: scene.double.site.inbox._poll == 1)
    second = asyncio.create_task(bot.get_updates(timeout=10))
    with pytest.raises(TelegramConflictError, match="terminated by other getUpdates"):
        await first
    scene.double.say(scene.ivan, "привет")
    assert [update.message.text for update in await second if update.message] == ["привет"]
    third = asyncio.create_task(bot.get_updates(offset=10**9, timeout=10))
    await scene.double.until(lambda: scene.double.site.inbox._poll == 3)
    await bot.set_webhook("http://127.0.0.1:9/hook")
    with pytest.raises(TelegramConflictError, match="terminated by setWebhook"):
        await third


async def test_offset_limit_and_allowed_updates(scene: Scene, bot: Bot) -> None:
    for text in "абв":
        scene.double.say(scene.ivan, text)
    updates = await bot.get_updates(limit=2)
    assert [update.message.text for update in updates if update.message] == ["а", "б"]
    assert len(await bot.get_updates()) == 3
    assert [update.update_id for update in await bot.get_updates(offset=updates[1].update_id + 1)] == [
        updates[1].update_id + 1
    ]
    scene.double.say(scene.ivan, "г")
    assert [update.message.text for update in await bot.get_updates(offset=-1) if update.message] == ["г"]
    await bot.get_updates(offset=10**9, allowed_updates=["callback_query"])
    scene.double.say(scene.ivan, "д")
    assert await bot.get_updates() == []
    await bot.get_updates(allowed_updates=[])
    scene.double.say(scene.ivan, "е")
    assert len(await bot.get_updates()) == 1
    assert await bot.get_updates(offset=10**9, timeout=0) == []


async def test_formatting_of_aiogram_keeps_its_places(scene: Scene, bot: Bot) -> None:
    text = Text(
        "👨‍👩‍👧 ",
        Bold("жирно 👍"),
        " ",
        TextLink("сделка", url="https://example.org/d/1"),
        " ",
        Code("+7 999"),
        "\n",
        DateTime("в полдень", unix_time=1_700_000_000, date_time_format="t"),
        "\n",
        ExpandableBlockQuote("долго\nи долго"),
    )
    message = await bot.send_message(scene.team.id, **text.as_kwargs())
    assert message.text is not None
    found = {entity.type: entity.extract_from(message.text) for entity in message.entities or []}
    assert found == {
        "bold": "жирно 👍",
        "text_link": "сделка",
        "code": "+7 999",
        "date_time": "в полдень",
        "expandable_blockquote": "долго\nи долго",
    }


async def test_files_go_there_and_come_back(scene: Scene, bot: Bot) -> None:
    sent = await bot.send_audio(
        scene.ivan.id,
        BufferedInputFile(b"ID3-bytes", "звонок.mp3"),
        caption="Запись",
        duration=61,
        title="Звонок",
        performer="Ольга",
    )
    assert sent.audio is not None
    assert (sent.audio.mime_type, sent.audio.duration, sent.audio.file_name) == ("audio/mpeg", 61, "звонок.mp3")
    file = await bot.get_file(sent.audio.file_id)
    assert file.file_path is not None
    data = await bot.download_file(file.file_path)
    assert data is not None
    assert data.read() == b"ID3-bytes"
    again = await bot.send_audio(scene.team.id, sent.audio.file_id)
    assert again.audio is not None
    assert again.audio.file_id == sent.audio.file_id
    for method, name in ((bot.send_document, "document"), (bot.send_voice, "voice"), (bot.send_photo, "photo")):
        message = await method(
            scene.ivan.id, BufferedInputFile(b"1", "a.bin"), reply_parameters=ReplyParameters(message_id=1)
        )
        assert getattr(message, name)
    with pytest.raises(TelegramBadRequest, match="can't use file of type Audio as Document"):
        await bot.send_document(scene.ivan.id, sent.audio.file_id)
    with pytest.raises(TelegramBadRequest, match="wrong file identifier"):
        await bot.send_document(scene.ivan.id, "https://example.org/a.pdf")


async def test_menus_members_and_small_things(scene: Scene, bot: Bot) -> None:
    me = await bot.get_me()
    assert (me.id, me.username, me.supports_inline_queries) == (700700, "svodka_bot", True)
    commands = [BotCommand(command="calls", description="Звонки")]
    await bot.set_my_commands(commands, scope=BotCommandScopeAllGroupChats(), language_code="ru")
    kept = await bot.get_my_commands(scope=BotCommandScopeAllGroupChats(), language_code="ru")
    assert [(one.command, one.description) for one in kept] == [("calls", "Звонки")]
    await bot.delete_my_commands(scope=BotCommandScopeAllGroupChats(), language_code="ru")
    assert await bot.get_my_commands(scope=BotCommandScopeAllGroupChats(), language_code="ru") == []
    await bot.set_chat_menu_button(scene.ivan.id, MenuButtonCommands())
    assert (await bot.get_chat_menu_button(scene.ivan.id)).type == "commands"
    assert (await bot.get_chat_menu_button()).type == "default"
    member = await bot.get_chat_member(scene.team.id, scene.olga.id)
    assert member.status is ChatMemberStatus.MEMBER or member.status == "member"
    assert [one.user.id for one in await bot.get_chat_administrators(scene.team.id)] == [scene.ivan.id]
    assert await bot.get_chat_member_count(scene.team.id) == 3
    message = await bot.send_message(scene.ivan.id, "раз")
    await bot.send_chat_action(scene.ivan.id, "typing")
    await bot.set_message_reaction(scene.ivan.id, message.message_id, [ReactionTypeEmoji(emoji="❤")])
    await bot.pin_chat_message(scene.ivan.id, message.message_id)
    pinned = (await bot.get_chat(scene.ivan.id)).pinned_message
    assert isinstance(pinned, Message)
    assert pinned.text == "раз"
    await bot.unpin_chat_message(scene.ivan.id)
    assert await bot.delete_message(scene.ivan.id, message.message_id)
    assert [one.message.text for one in scene.double.removed] == ["раз"]
    assert await bot.leave_chat(scene.team.id)
    with pytest.raises(TelegramForbiddenError, match="bot is not a member of the supergroup chat"):
        await bot.send_message(scene.team.id, "раз")


async def test_errors_reach_aiogram_as_its_own(scene: Scene, bot: Bot) -> None:
    double = scene.double
    small = double.group("Малая", {scene.ivan: Role.CREATOR}, supergroup=False)
    grown = double.migrate(small, scene.ivan)
    with pytest.raises(TelegramMigrateToChat) as moved:
        await bot.send_message(small.id, "раз")
    assert moved.value.migrate_to_chat_id == grown.id
    double.block_bot(scene.ivan)
    with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
        await bot.send_message(scene.ivan.id, "раз")
    double.remove_bot(scene.team, scene.ivan)
    with pytest.raises(TelegramForbiddenError, match="kicked from the supergroup"):
        await bot.send_message(scene.team.id, "раз")
    double.too_many(7)
    with pytest.raises(TelegramRetryAfter) as wait:
        await bot.send_message(grown.id, "раз")
    assert wait.value.retry_after == 7
    double.bad_gateway()
    with pytest.raises(ClientDecodeError):
        await bot.send_message(grown.id, "раз")
    double.garble()
    with pytest.raises(ClientDecodeError):
        await bot.send_message(grown.id, "принято")
    double.drop()
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(grown.id, "тоже принято")
    double.drop(accepted=False)
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(grown.id, "не принято")
    assert [one.text for one in double.sent] == ["принято", "тоже принято"]
    with pytest.raises(TelegramUnauthorizedError):
        await Bot("1:other", session=bot.session).get_me()
    assert (await scene.call("sendRichMessage", chat_id=grown.id))[0] == 404


async def test_rich_messages_are_not_known_here(scene: Scene, bot: Bot) -> None:
    from aiogram.types import InputRichMessage

    with pytest.raises(TelegramNotFound, match="method not found"):
        await bot.send_rich_message(scene.ivan.id, InputRichMessage(html="<h1>Итоги</h1>"))


async def test_hold_keeps_the_answer_not_the_work(scene: Scene, bot: Bot) -> None:
    held = scene.double.hold(method="sendMessage")
    sending = asyncio.create_task(bot.send_message(scene.ivan.id, "раз"))
    await held.reached.wait()
    assert [one.text for one in scene.double.sent] == ["раз"]
    assert not sending.done()
    held.release()
    assert (await sending).text == "раз"


async def test_a_server_that_stops_lets_its_pollers_and_pages_go() -> None:
    double = TelegramDouble()
    server = TestServer(double.build_app(), host="127.0.0.1")
    await server.start_server()
    async with aiohttp.ClientSession() as http:
        events = await http.get(server.make_url("/control/events"))
        polling = asyncio.create_task(http.get(server.make_url(f"/bot{double.token}/getUpdates"), params={"timeout": 50}))
        await double.until(lambda: double.site.inbox._poll == 1)
        async with asyncio.timeout(60):
            await server.close()
            assert await (await polling).json() == {"ok": True, "result": []}
            assert await events.read() == b"retry: 500\n\n"


async def test_an_extra_of_the_demo_shares_the_port(serve: Serve) -> None:
    async def panel(_request: web.Request) -> web.Response:
        return web.json_response({"buttons": []})

    url = await serve(TelegramDouble().build_app(lambda app: app.router.add_get("/demo/panel.json", panel) and None))
    async with aiohttp.ClientSession() as http, http.get(f"{url}/demo/panel.json") as response:
        assert await response.json() == {"buttons": []}
