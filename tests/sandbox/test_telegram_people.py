"""What people do and what the bot is told of it; the same acts through the control API."""

import asyncio
import json

import aiohttp
import pytest

from sandbox.telegram import ChatKind, Person, Role
from sandbox.telegram.stream import Stream

from .conftest import Scene

BUTTONS = {"inline_keyboard": [[{"text": "Да", "callback_data": "yes"}, {"text": "Сайт", "url": "https://a.ru"}]]}


def told(scene: Scene, kind: str = "message") -> list[dict[str, object]]:
    """Updates of one kind that wait for the bot."""
    bodies = [pending.body.get(kind) for pending in scene.double.site.inbox.pending]
    return [body for body in bodies if isinstance(body, dict)]


async def test_privacy_mode(scene: Scene) -> None:
    double, team = scene.double, scene.team
    await scene.ok("sendMessage", chat_id=team.id, text="раз")
    double.say(scene.ivan, "просто слова", chat=team)
    double.say(scene.ivan, "/calls@other_bot", chat=team)
    double.say(scene.ivan, "@ivan смотри", chat=team)
    seen = ["/calls", "/calls@Svodka_Bot сегодня", "@svodka_bot привет", "ответ"]
    for text in seen[:3]:
        double.say(scene.ivan, text, chat=team)
    double.say(scene.ivan, seen[3], chat=team, reply_to=double.sent[0].message)
    assert [one["text"] for one in told(scene)] == seen
    double.add_bot(team, scene.ivan, Role.ADMIN)
    double.say(scene.olga, "теперь всё", chat=team, anonymous=True)
    last = told(scene)[-1]
    assert (last["text"], last["from"], last["sender_chat"]) == (
        "теперь всё",
        {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"},
        {"id": team.id, "type": "supergroup", "title": "Отдел продаж"},
    )


async def test_a_command_is_an_entity(scene: Scene) -> None:
    scene.double.start(scene.olga, "code-1")
    (message,) = told(scene)
    assert message["text"] == "/start code-1"
    assert message["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]
    assert message["from"] == {"id": scene.olga.id, "is_bot": False, "first_name": "Ольга", "language_code": "ru"}
    assert message["chat"] == {"id": scene.olga.id, "type": "private", "first_name": "Ольга"}


async def test_blocking_and_coming_back(scene: Scene) -> None:
    double = scene.double
    double.block_bot(scene.ivan)
    double.block_bot(scene.ivan)
    double.say(scene.ivan, "я вернулся")
    double.block_bot(scene.ivan)
    double.unblock_bot(scene.ivan)
    changes = told(scene, "my_chat_member")
    assert [(one["old_chat_member"]["status"], one["new_chat_member"]["status"]) for one in changes] == [
        ("member", "kicked"),
        ("kicked", "member"),
        ("member", "kicked"),
        ("kicked", "member"),
    ]


async def test_the_bot_comes_to_a_group_and_goes(scene: Scene) -> None:
    double = scene.double
    group = double.group("Новая", {scene.ivan: Role.CREATOR}, supergroup=False, bot=None)
    double.add_bot(group, scene.ivan)
    double.add_bot(group, scene.ivan, Role.ADMIN)
    double.remove_bot(group, scene.ivan)
    statuses = [one["new_chat_member"]["status"] for one in told(scene, "my_chat_member")]
    assert statuses == ["member", "administrator", "kicked"]
    assert [one["new_chat_members"][0]["id"] for one in told(scene)] == [double.bot.id]
    with pytest.raises(ValueError, match="member or an administrator"):
        double.add_bot(group, scene.ivan, Role.KICKED)


async def test_people_come_and_go(scene: Scene) -> None:
    double = scene.double
    peter = double.person("Пётр")
    double.set_role(scene.team, peter, Role.MEMBER, by=scene.ivan)
    double.site.inbox.allow(["message", "chat_member"])
    double.add_bot(scene.team, scene.ivan, Role.ADMIN)
    double.set_role(scene.team, peter, Role.ADMIN, by=scene.ivan)
    double.set_role(scene.team, peter, Role.ADMIN, by=scene.ivan)
    double.set_role(scene.team, peter, Role.KICKED, by=scene.ivan)
    assert [one["new_chat_member"]["status"] for one in told(scene, "chat_member")] == ["administrator", "kicked"]
    assert [sorted(set(one) & {"new_chat_members", "left_chat_member"}) for one in told(scene)] == [
        ["new_chat_members"],
        ["left_chat_member"],
    ]
    with pytest.raises(ValueError, match="is not in the chat"):
        double.say(peter, "пустите", chat=scene.team)


async def test_a_small_group_grows(scene: Scene) -> None:
    small = scene.double.group("Малая", {scene.ivan: Role.CREATOR}, supergroup=False)
    grown = scene.double.migrate(small, scene.ivan)
    assert (grown.kind, grown.title, grown.role(scene.double.bot.id)) == (ChatKind.SUPERGROUP, "Малая", Role.MEMBER)
    assert [(one.get("migrate_to_chat_id"), one.get("migrate_from_chat_id")) for one in told(scene)] == [
        (grown.id, None),
        (None, small.id),
    ]
    assert str(grown.id).startswith("-100")
    status, body = await scene.call("sendMessage", chat_id=small.id, text="a")
    assert (status, body["parameters"]) == (400, {"migrate_to_chat_id": grown.id})
    assert await scene.ok("sendMessage", chat_id=grown.id, text="a")


async def test_own_messages_are_rewritten_and_erased(scene: Scene) -> None:
    message = scene.double.say(scene.ivan, "опечтка")
    after = scene.double.rewrite(message, "опечатка")
    assert [one["text"] for one in told(scene, "edited_message")] == ["опечатка"]
    assert after.edited_at is not None
    scene.double.erase(after)
    assert scene.double.messages(scene.double.private(scene.ivan)) == []
    with pytest.raises(ValueError, match="1 to 4096"):
        scene.double.say(scene.ivan, " ")
    with pytest.raises(ValueError, match="no topic 7"):
        scene.double.say(scene.ivan, "a", chat=scene.team, topic=7)


async def test_reactions_of_people_come_only_when_asked_for(scene: Scene) -> None:
    message = scene.double.say(scene.ivan, "раз")
    scene.double.react(scene.ivan, message, "👍")
    assert told(scene, "message_reaction") == []
    scene.double.site.inbox.allow(["message_reaction"])
    scene.double.react(scene.ivan, message, "👍")
    assert told(scene, "message_reaction")[0]["new_reaction"] == [{"type": "emoji", "emoji": "👍"}]


async def test_files_of_people(scene: Scene) -> None:
    scene.double.send_file(scene.ivan, "голос.ogg", b"1", kind="voice", content_type="audio/ogg")
    scene.double.send_file(scene.ivan, "фото", b"1", kind="photo", content_type="image/png")
    voice, photo = told(scene)
    assert (voice["voice"]["mime_type"], photo["photo"][0]["width"]) == ("audio/ogg", 800)


async def test_only_callback_buttons_that_are_there_are_pressed(scene: Scene) -> None:
    await scene.ok("sendMessage", chat_id=scene.ivan.id, text="раз", reply_markup=BUTTONS)
    message = scene.double.sent[0].message
    for button in ("Сайт", "Нет"):
        with pytest.raises(ValueError, match="no button"):
            scene.double.press(scene.ivan, message, button)
    scene.double.erase(message)
    with pytest.raises(ValueError, match="no button"):
        scene.double.press(scene.ivan, message, "Да")


# the control API


async def test_state_for_the_page(scene: Scene) -> None:
    forum = await scene.act(
        "group", title="Форум", forum=True, members={str(scene.ivan.id): "creator"}, bot="member", topics=["Звонки"]
    )
    scene.double.say(scene.ivan, "раз", chat=scene.double.site.world.chats[forum["chat_id"]], topic=forum["topics"][0])
    async with scene.http.get(f"{scene.url}/control/state") as response:
        state = json.loads(await response.text())
    chat = next(one for one in state["chats"] if one["id"] == forum["chat_id"])
    assert (chat["topics"], chat["is_forum"]) == ([{"id": forum["topics"][0], "name": "Звонки"}], True)
    assert (chat["messages"][0]["text"], chat["messages"][0]["thread"]) == ("раз", forum["topics"][0])
    assert [one["first_name"] for one in state["people"]] == ["Иван", "Ольга"]
    plain = await scene.act("group", title="Без бота", supergroup=True)
    assert plain["topics"] == []


async def test_acts_over_http(scene: Scene) -> None:
    ivan = {"person_id": scene.ivan.id}
    peter = await scene.act("person", first_name="Пётр", username="peter", started=True)
    assert (await scene.act("start", person_id=peter["id"], payload="x"))["text"] == "/start x"
    said = await scene.act("say", **ivan, chat_id=scene.team.id, text="/calls")
    answer = await scene.act("say", **ivan, chat_id=scene.team.id, text="ответ", reply_to=said["message_id"])
    assert answer["reply_to_message"]["text"] == "/calls"
    await scene.ok("sendMessage", chat_id=scene.ivan.id, text="раз", reply_markup=BUTTONS)
    place = {"chat_id": scene.ivan.id, "message_id": scene.double.sent[0].message.message_id}
    silent = await scene.act("press", **ivan, **place, button="Да")
    assert silent["answered"] is False
    waiting = asyncio.create_task(scene.act("press", **ivan, **place, button="yes", wait=5))
    await scene.double.until(lambda: len(told(scene, "callback_query")) == 2)
    await scene.ok(
        "answerCallbackQuery", callback_query_id=told(scene, "callback_query")[1]["id"], text="ок", show_alert=True
    )
    pressed = await waiting
    assert (pressed["answered"], pressed["text"], pressed["alert"]) == (True, "ок", True)
    asking = asyncio.create_task(scene.act("inline", **ivan, text="x", wait=5))
    await scene.double.until(lambda: bool(told(scene, "inline_query")))
    result = {"id": "1", "type": "article", "title": "a", "input_message_content": {"message_text": "выбрано"}}
    await scene.ok("answerInlineQuery", inline_query_id=told(scene, "inline_query")[0]["id"], results=[result])
    asked = await asking
    assert asked["results"] == [result]
    assert (await scene.act("choose", query_id=asked["query_id"], result_id="1"))["text"] == "выбрано"
    assert (await scene.act("inline", **ivan, text="y"))["results"] is None


async def test_weather_over_http(scene: Scene) -> None:
    by = {"chat_id": scene.team.id, "by": scene.ivan.id}
    await scene.act("bot", **by, role="administrator")
    await scene.act("bot", **by, role="kicked")
    assert scene.team.role(scene.double.bot.id) is Role.KICKED
    await scene.act("block", person_id=scene.ivan.id, blocked=True)
    assert (await scene.call("sendMessage", chat_id=scene.ivan.id, text="a"))[0] == 403
    await scene.act("block", person_id=scene.ivan.id, blocked=False)
    await scene.act("fault", kind="refuse", method="sendMessage", status=500, description="Internal Server Error", times=5)
    assert (await scene.call("sendMessage", chat_id=scene.ivan.id, text="a"))[0] == 500
    await scene.act("clear_faults")
    await scene.act("limits", on=True)
    statuses = [(await scene.call("sendMessage", chat_id=scene.ivan.id, text="a"))[0] for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    await scene.act("limits", on=False)
    small = await scene.act("group", title="Малая", members={str(scene.ivan.id): "creator"}, bot="member")
    moved = await scene.act("migrate", chat_id=small["chat_id"], by=scene.ivan.id)
    assert str(moved["chat_id"]).startswith("-100")
    await scene.ok("sendMessage", chat_id=scene.ivan.id, text="a")
    await scene.ok("editMessageText", chat_id=scene.ivan.id, message_id=scene.double.sent[-1].message.message_id, text="b")
    async with scene.http.get(f"{scene.url}/control/journal") as response:
        journal = await response.json()
    assert (journal["edits"][0]["before"]["text"], journal["edits"][0]["after"]["text"]) == ("a", "b")
    assert len(journal["sent"]) == 4
    assert journal["busiest_second"] >= 3
    assert journal["calls"][0]["status"] == 403


@pytest.mark.parametrize(
    ("act", "body", "complaint"),
    [
        ("say", {"person_id": 5}, "person_id: no such person"),
        ("say", {"person_id": 10_001, "chat_id": 5}, "chat_id: no such chat"),
        ("say", {"person_id": 10_001, "text": "a", "reply_to": 9}, "reply_to: no such message"),
        ("press", {"person_id": 10_001, "chat_id": 10_001}, "message_id is missing"),
        ("choose", {"query_id": "x"}, "query_id: no such query"),
        ("bot", {"by": 10_001, "chat_id": 10_001, "role": "king"}, "'king' is not a valid Role"),
        ("fault", {"kind": "rain"}, "'rain' is not a valid FaultKind"),
        ("group", {"members": {"5": "member"}}, "5"),
    ],
)
async def test_wrong_acts(scene: Scene, act: str, body: dict[str, object], complaint: str) -> None:
    assert (await scene.act(act, 400, **body))["error"] == complaint


async def test_acts_need_json(scene: Scene) -> None:
    assert (await scene.act("dance", 404))["error"] == "no such act"
    async with scene.http.post(f"{scene.url}/control/say", data={"text": "a"}) as response:
        assert response.status == 415
    async with scene.http.post(
        f"{scene.url}/control/say", data=b"{", headers={"Content-Type": "application/json"}
    ) as response:
        assert response.status == 400


async def test_the_menu_of_the_narrowest_scope(scene: Scene) -> None:
    async def menu(person: Person, chat_id: int | None = None) -> list[str]:
        query = {"person_id": person.id, **({} if chat_id is None else {"chat_id": chat_id})}
        async with scene.http.get(f"{scene.url}/control/commands", params=query) as response:
            return [one["command"] for one in (await response.json())["commands"]]

    scopes: dict[str, dict[str, object]] = {
        "usual": {},
        "private": {"scope": {"type": "all_private_chats"}, "language_code": "ru"},
        "groups": {"scope": {"type": "all_group_chats"}},
        "leads": {"scope": {"type": "all_chat_administrators"}},
    }
    assert await menu(scene.ivan) == []
    for name, more in scopes.items():
        await scene.ok("setMyCommands", commands=[{"command": name, "description": "x"}], **more)
    assert await menu(scene.ivan) == ["private"]
    assert (await menu(scene.ivan, scene.team.id), await menu(scene.olga, scene.team.id)) == (["leads"], ["groups"])
    member = {"type": "chat_member", "chat_id": scene.team.id, "user_id": scene.olga.id}
    await scene.ok("setMyCommands", commands=[{"command": "mine", "description": "x"}], scope=member)
    assert await menu(scene.olga, scene.team.id) == ["mine"]
    async with scene.http.get(f"{scene.url}/control/commands") as response:
        assert response.status == 400


async def test_a_document_is_never_shown_as_a_page(scene: Scene) -> None:
    evil = scene.double.send_file(scene.ivan, "я.html", b"<script>1</script>", content_type="text/html").file
    sound = scene.double.send_file(scene.ivan, "a.mp3", b"1", kind="audio", content_type="audio/mpeg").file
    assert evil is not None
    assert sound is not None
    async with scene.http.get(f"{scene.url}/control/file/{evil.file_id}") as response:
        assert response.headers["Content-Type"] == "application/octet-stream"
        assert response.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%D1%8F.html"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    async with scene.http.get(f"{scene.url}/control/file/{sound.file_id}") as response:
        assert (response.headers["Content-Type"], response.headers["Content-Disposition"]) == ("audio/mpeg", "inline")
    async with scene.http.get(f"{scene.url}/control/file/none") as response:
        assert response.status == 404


async def test_events(scene: Scene) -> None:
    async with scene.http.get(f"{scene.url}/control/events", timeout=aiohttp.ClientTimeout(total=60)) as response:
        assert await response.content.readline() == b"retry: 500\n"
        scene.double.publish("panel", {"a": "строка\nвторая"})
        await response.content.readline()
        assert await response.content.readline() == b"event: panel\n"
        assert json.loads((await response.content.readline()).removeprefix(b"data: ")) == {"a": "строка\nвторая"}
    scene.double.publish("panel", {})


async def test_a_listener_that_does_not_read_is_let_go() -> None:
    stream = Stream()
    frames = stream.listen()
    assert await anext(frames) == b"retry: 500\n\n"
    pending = asyncio.create_task(anext(frames))
    await asyncio.sleep(0)
    for number in range(1100):
        stream.publish("x", {"n": number})
    heard = [await pending, *[frame async for frame in frames]]
    assert 900 < len(heard) <= 1000
    assert not stream._listeners


async def test_page_files(scene: Scene) -> None:
    async with scene.http.get(scene.url) as response:
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
        assert 'lang="ru"' in await response.text()
    for name, status in (("page.js", 200), ("page.css", 200), ("secret.txt", 404)):
        async with scene.http.get(f"{scene.url}/page/{name}") as response:
            assert response.status == status
