"""The Bot API over HTTP: bodies of every kind, addresses, replies, topics, edits, answers, menus, settings."""

import io
import json

import aiohttp
import pytest

from sandbox.telegram import Clocks, Role, TelegramDouble
from sandbox.telegram.wire import NOT_MODIFIED

from .conftest import Scene, Serve, build_scene

BUTTON = {"inline_keyboard": [[{"text": "Да", "callback_data": "yes"}]]}


async def test_a_call_may_be_a_query_a_form_or_json(scene: Scene) -> None:
    address = f"{scene.url}/bot{scene.double.token}/SENDMESSAGE"
    async with scene.http.get(address, params={"chat_id": scene.ivan.id, "text": "раз"}) as response:
        assert (await response.json())["result"]["text"] == "раз"
    markup = json.dumps(BUTTON)
    async with scene.http.post(address, data={"chat_id": scene.ivan.id, "text": "два", "reply_markup": markup}) as response:
        assert (await response.json())["result"]["reply_markup"] == BUTTON
    await scene.ok("sendMessage", chat_id=scene.ivan.id, text=3, disable_notification=True, protect_content=True)
    assert [one.text for one in scene.double.sent] == ["раз", "два", "3"]
    assert (scene.double.sent[2].message.silent, scene.double.sent[2].message.protected) == (True, True)
    assert await scene.ok("sendMessage", chat_id=scene.ivan.id, text=True)
    assert [call.method for call in scene.double.calls_of("sendmessage")] == ["sendMessage"] * 4
    async with scene.http.post(address) as response:
        assert (await response.json())["description"] == "Bad Request: chat_id is empty"


@pytest.mark.parametrize(
    ("body", "kind", "complaint"),
    [
        (b"{", "application/json", "can't parse request body as JSON"),
        (b"[]", "application/json", "JSON object expected as request body"),
        (b"nonsense", "multipart/form-data; boundary=x", "can't parse the multipart body"),
        (b"--x\r\n\r\n1\r\n--x--\r\n", "multipart/form-data; boundary=x", "every part of the body must have a name"),
    ],
)
async def test_bodies_that_cannot_be_read(scene: Scene, body: bytes, kind: str, complaint: str) -> None:
    address = f"{scene.url}/bot{scene.double.token}/getMe"
    async with scene.http.post(address, data=body, headers={"Content-Type": kind}) as response:
        assert (response.status, (await response.json())["description"]) == (400, f"Bad Request: {complaint}")


async def test_too_large_an_upload(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.telegram.params.UPLOAD_LIMIT", 1000)
    form = aiohttp.FormData({"chat_id": str(scene.ivan.id)})
    form.add_field("document", b"0" * 1001, filename="big.bin")
    async with scene.http.post(f"{scene.url}/bot{scene.double.token}/sendDocument", data=form) as response:
        assert (response.status, (await response.json())["description"]) == (413, "Request Entity Too Large")


async def test_tokens(scene: Scene) -> None:
    for token, status in (("1:x", 401), ("nothing", 404), ("a:b", 404)):
        async with scene.http.get(f"{scene.url}/bot{token}/getMe") as response:
            assert response.status == status
    async with scene.http.get(f"{scene.url}/file/bot1:x/documents/1.bin") as response:
        assert response.status == 404


async def test_where_a_message_may_go(scene: Scene) -> None:
    double = scene.double
    assert await scene.no("sendMessage", chat_id=5, text="a") == "Bad Request: chat not found"
    assert await scene.no("sendMessage", chat_id="@nobody", text="a") == "Bad Request: chat not found"
    stranger = double.person("Пётр")
    assert await scene.no("sendMessage", chat_id=stranger.id, text="a") == "Bad Request: chat not found"
    status, body = await scene.call("sendMessage", chat_id=scene.olga.id, text="a")
    assert (status, body["description"]) == (403, "Forbidden: bot can't initiate conversation with a user")
    scene.team.username = "sales"
    assert await scene.ok("sendMessage", chat_id="@Sales", text="a")
    small = double.group("Малая", {scene.ivan: Role.CREATOR}, supergroup=False, bot=None)
    status, body = await scene.call("sendMessage", chat_id=small.id, text="a")
    assert body["description"] == "Forbidden: bot is not a member of the group chat"
    assert await scene.ok("getChat", chat_id=small.id)


@pytest.mark.parametrize(("length", "taken"), [(4096, True), (4097, False)])
async def test_text_limit_counts_utf16_after_parsing(scene: Scene, length: int, taken: bool) -> None:
    text = "<b>👍</b>" + "я" * (length - 2)
    status, body = await scene.call("sendMessage", chat_id=scene.ivan.id, text=text, parse_mode="HTML")
    assert (status == 200) is taken
    assert taken or body["description"] == "Bad Request: message is too long"


@pytest.mark.parametrize(("length", "taken"), [(1024, True), (1025, False)])
async def test_caption_limit(scene: Scene, length: int, taken: bool) -> None:
    form = aiohttp.FormData({"chat_id": str(scene.ivan.id), "caption": "я" * length})
    form.add_field("document", b"1", filename="a.txt")
    async with scene.http.post(f"{scene.url}/bot{scene.double.token}/sendDocument", data=form) as response:
        assert (response.status == 200) is taken
        assert taken or (await response.json())["description"] == "Bad Request: message caption is too long"


async def test_empty_texts(scene: Scene) -> None:
    assert await scene.no("sendMessage", chat_id=scene.ivan.id) == "Bad Request: message text is empty"
    assert await scene.no("sendMessage", chat_id=scene.ivan.id, text=" \n ") == "Bad Request: text must be non-empty"
    broken = await scene.no("sendMessage", chat_id=scene.ivan.id, text="a", entities="[")
    assert broken == "Bad Request: can't parse entities JSON object"
    assert not scene.double.sent


async def test_previews(scene: Scene) -> None:
    await scene.ok("sendMessage", chat_id=scene.ivan.id, text="ya.ru", link_preview_options={"is_disabled": True})
    await scene.ok("sendMessage", chat_id=scene.ivan.id, text="ya.ru", disable_web_page_preview=True)
    assert [one.message.preview for one in scene.double.sent] == [{"is_disabled": True}] * 2
    refused = await scene.no("sendMessage", chat_id=scene.ivan.id, text="a", link_preview_options=[1])
    assert refused == "Bad Request: object expected as link preview options"


async def test_replies(scene: Scene) -> None:
    asked = scene.double.say(scene.ivan, "вопрос")
    reply = {"message_id": asked.message_id}
    sent = await scene.ok("sendMessage", chat_id=scene.ivan.id, text="ответ", reply_parameters=reply)
    assert isinstance(sent, dict)
    assert sent["reply_to_message"]["text"] == "вопрос"
    await scene.ok("sendMessage", chat_id=scene.ivan.id, text="ответ", reply_to_message_id=asked.message_id)
    missing = await scene.no("sendMessage", chat_id=scene.ivan.id, text="a", reply_parameters={"message_id": 99})
    assert missing == "Bad Request: message to be replied not found"
    lenient = {"message_id": 99, "allow_sending_without_reply": True}
    assert "reply_to_message" not in str(
        await scene.ok("sendMessage", chat_id=scene.ivan.id, text="a", reply_parameters=lenient)
    )
    elsewhere = {"message_id": asked.message_id, "chat_id": scene.ivan.id}
    assert await scene.ok("sendMessage", chat_id=scene.team.id, text="a", reply_parameters=elsewhere)
    unknown = {"message_id": 1, "chat_id": 5}
    assert (
        await scene.no("sendMessage", chat_id=scene.team.id, text="a", reply_parameters=unknown)
        == "Bad Request: chat not found"
    )
    for raw, complaint in (
        ([1], "object expected as reply parameters"),
        ({"message_id": "x"}, 'field "message_id" must be of type Number'),
    ):
        assert (
            await scene.no("sendMessage", chat_id=scene.ivan.id, text="a", reply_parameters=raw)
            == f"Bad Request: {complaint}"
        )
    assert await scene.ok("sendMessage", chat_id=scene.ivan.id, text="a", reply_parameters={"quote": "x"})


async def test_topics(scene: Scene) -> None:
    double = scene.double
    forum = double.group("Форум", {scene.ivan: Role.CREATOR}, forum=True)
    calls = double.topic(forum, "Звонки")
    sent = await scene.ok("sendMessage", chat_id=forum.id, text="a", message_thread_id=calls)
    assert isinstance(sent, dict)
    assert (sent["message_thread_id"], sent["is_topic_message"], sent["chat"]["is_forum"]) == (calls, True, True)
    general = await scene.ok("sendMessage", chat_id=forum.id, text="a")
    assert "message_thread_id" not in str(general)
    for thread in (1, 999):
        refused = await scene.no("sendMessage", chat_id=forum.id, text="a", message_thread_id=thread)
        assert refused == "Bad Request: message thread not found"
    assert (
        await scene.no("sendMessage", chat_id=scene.ivan.id, text="a", message_thread_id=9)
        == "Bad Request: message thread not found"
    )
    plain = await scene.ok("sendMessage", chat_id=scene.team.id, text="a", message_thread_id=9)
    assert "message_thread_id" not in str(plain), "an ordinary group does not look at the number"
    double.delete_topic(forum, calls)
    assert [one.text for one in double.messages(forum)] == ["a"]
    assert (
        await scene.no("sendMessage", chat_id=forum.id, text="a", message_thread_id=calls)
        == "Bad Request: message thread not found"
    )
    with pytest.raises(ValueError, match="has no topics"):
        double.topic(scene.team, "Нет")


async def test_edits(scene: Scene) -> None:
    chat = scene.ivan.id
    await scene.ok("sendMessage", chat_id=chat, text="раз", reply_markup=BUTTON)
    number = scene.double.sent[0].message.message_id
    place = {"chat_id": chat, "message_id": number}
    same = await scene.no("editMessageText", **place, text=" раз ", reply_markup=BUTTON)
    assert same == f"Bad Request: {NOT_MODIFIED}"
    edited = await scene.ok("editMessageText", **place, text="раз")
    assert isinstance(edited, dict)
    assert "reply_markup" not in edited, "an edit without a keyboard takes it away"
    assert edited["edit_date"] >= edited["date"]
    await scene.ok("editMessageReplyMarkup", **place, reply_markup=BUTTON)
    assert await scene.no("editMessageReplyMarkup", **place, reply_markup=BUTTON) == f"Bad Request: {NOT_MODIFIED}"
    assert (
        await scene.no("editMessageCaption", **place, caption="x")
        == "Bad Request: there is no caption in the message to edit"
    )
    assert (
        await scene.no("editMessageText", chat_id=chat, message_id=99, text="x") == "Bad Request: message to edit not found"
    )
    assert await scene.no("editMessageText", chat_id=chat, text="x") == "Bad Request: message to edit not found"
    assert await scene.no("editMessageText", inline_message_id="x", text="x") == "Bad Request: MESSAGE_ID_INVALID"
    force = await scene.no("editMessageReplyMarkup", **place, reply_markup={"force_reply": True})
    assert force == "Bad Request: inline keyboard expected"
    theirs = scene.double.say(scene.ivan, "моё")
    assert (
        await scene.no("editMessageText", chat_id=chat, message_id=theirs.message_id, text="x")
        == "Bad Request: message can't be edited"
    )
    assert [(one.method, one.before.text) for one in scene.double.edits] == [
        ("editMessageText", "раз"),
        ("editMessageReplyMarkup", "раз"),
    ]


async def test_caption_edits(scene: Scene) -> None:
    scene.double.send_file(scene.ivan, "a.txt", b"1", content_type="text/plain")
    known = scene.double.messages(scene.double.private(scene.ivan))[0].file
    assert known is not None
    await scene.ok("sendDocument", chat_id=scene.ivan.id, document=known.file_id, caption="раз")
    place = {"chat_id": scene.ivan.id, "message_id": scene.double.sent[0].message.message_id}
    edited = await scene.ok("editMessageCaption", **place, caption="<b>два</b>", parse_mode="HTML")
    assert isinstance(edited, dict)
    assert (edited["caption"], edited["caption_entities"][0]["type"]) == ("два", "bold")
    assert await scene.no("editMessageText", **place, text="x") == "Bad Request: there is no text in the message to edit"


async def test_files_that_are_refused(scene: Scene) -> None:
    assert await scene.no("sendDocument", chat_id=scene.ivan.id) == "Bad Request: there is no document in the request"
    for kind, data, complaint in (
        ("document", b"", "file must be non-empty"),
        ("photo", b"0" * (10 * 1024 * 1024 + 1), "file is too big"),
    ):
        form = aiohttp.FormData({"chat_id": str(scene.ivan.id)})
        form.add_field(kind, io.BytesIO(data), filename="a.bin")
        async with scene.http.post(f"{scene.url}/bot{scene.double.token}/send{kind.capitalize()}", data=form) as response:
            assert (await response.json())["description"] == f"Bad Request: {complaint}"
    assert await scene.no("getFile") == "Bad Request: file_id not specified"
    assert await scene.no("getFile", file_id="x") == "Bad Request: wrong file_id or the file is temporarily unavailable"
    large = scene.double.send_file(scene.ivan, "big.wav", b"0" * (20 * 1024 * 1024 + 1), content_type="audio/x-wav").file
    assert large is not None
    assert await scene.no("getFile", file_id=large.file_id) == "Bad Request: file is too big"


async def test_deleting(serve: Serve) -> None:
    now = [1_800_000_000.0]
    double = TelegramDouble(clocks=Clocks(wall=lambda: now[0]))
    url = await serve(double.build_app())
    async with aiohttp.ClientSession() as http:
        scene = build_scene(double, url, http)
        team = scene.team
        theirs = double.say(scene.olga, "моё", chat=team)
        refused = "Bad Request: message can't be deleted"
        assert await scene.no("deleteMessage", chat_id=team.id, message_id=theirs.message_id) == refused
        assert await scene.no("deleteMessage", chat_id=team.id, message_id=99) == "Bad Request: message to delete not found"
        await scene.ok("sendMessage", chat_id=team.id, text="моё")
        own = double.sent[0].message.message_id
        now[0] += 48 * 3600
        assert await scene.no("deleteMessage", chat_id=team.id, message_id=own) == refused
        now[0] -= 1
        assert await scene.ok("deleteMessage", chat_id=team.id, message_id=own) is True
        double.add_bot(team, scene.ivan, Role.ADMIN)
        now[0] += 10**6
        assert await scene.ok("deleteMessage", chat_id=team.id, message_id=theirs.message_id) is True
        gone = await scene.no("editMessageText", chat_id=team.id, message_id=own, text="x")
        assert gone == "Bad Request: message to edit not found"


async def test_reactions_and_pins(scene: Scene) -> None:
    place = {"chat_id": scene.team.id, "message_id": scene.double.say(scene.ivan, "раз", chat=scene.team).message_id}
    assert await scene.ok("setMessageReaction", **place, reaction=[{"type": "emoji", "emoji": "❤️"}]) is True
    two = [{"type": "emoji", "emoji": "👍"}, {"type": "emoji", "emoji": "👎"}]
    assert await scene.no("setMessageReaction", **place, reaction=two) == "Bad Request: REACTIONS_TOO_MANY"
    odd = [{"type": "emoji", "emoji": "🥶x"}]
    assert await scene.no("setMessageReaction", **place, reaction=odd) == "Bad Request: REACTION_INVALID"
    assert await scene.ok("setMessageReaction", **place, reaction=[]) is True
    refused = await scene.no("pinChatMessage", **place)
    assert refused == "Bad Request: not enough rights to manage pinned messages in the chat"
    scene.double.add_bot(scene.team, scene.ivan, Role.ADMIN)
    await scene.ok("pinChatMessage", **place)
    assert scene.team.pinned == [place["message_id"]]
    await scene.ok("unpinChatMessage", **place)
    assert await scene.no("unpinChatMessage", chat_id=scene.team.id) == "Bad Request: message to unpin not found"


async def test_actions(scene: Scene) -> None:
    assert await scene.ok("sendChatAction", chat_id=scene.ivan.id, action="typing") is True
    assert (
        await scene.no("sendChatAction", chat_id=scene.ivan.id, action="sleep")
        == "Bad Request: wrong parameter action in request"
    )
