"""The control API: what the page and tests of other processes do to the local Telegram, as JSON over HTTP.

Bodies are JSON with that content type, which also keeps pages of other sites from posting here.
"""

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.client_exceptions import ClientConnectionResetError

from sandbox.telegram.answering import toast_json
from sandbox.telegram.faults import Fault, FaultKind
from sandbox.telegram.limits import Limits
from sandbox.telegram.params import Params
from sandbox.telegram.render import chat_json, user_json
from sandbox.telegram.wire import Json, Refusal, as_object
from sandbox.telegram.world import LEADING, Chat, Message, Person, Role

if TYPE_CHECKING:
    from sandbox.telegram.double import TelegramDouble

Act = Callable[["TelegramDouble", Params], Awaitable[Json]]
_INLINE_TYPES = ("audio/", "image/png", "image/jpeg", "image/webp")
_LONGEST_WAIT_S = 20


class _Wrong(ValueError):
    """The body names something that is not there."""


def _person(double: "TelegramDouble", params: Params, name: str = "person_id") -> Person:
    person = double.site.world.people.get(params.integer(name) or 0)
    if person is None:
        raise _Wrong(f"{name}: no such person")
    return person


def _chat(double: "TelegramDouble", params: Params, person: Person | None = None) -> Chat:
    """The chat of ``chat_id``, or the person's private chat with the bot."""
    number = params.integer("chat_id")
    if number is None and person is not None:
        return double.private(person)
    chat = double.site.world.chats.get(number or 0)
    if chat is None:
        raise _Wrong("chat_id: no such chat")
    return chat


def _message(params: Params, chat: Chat, name: str = "message_id") -> Message | None:
    number = params.integer(name)
    if number is None:
        return None
    message = chat.messages.get(number)
    if message is None:
        raise _Wrong(f"{name}: no such message")
    return message


async def say(double: "TelegramDouble", params: Params) -> Json:
    person = _person(double, params)
    chat = _chat(double, params, person)
    message = double.say(
        person,
        params.text("text"),
        chat=chat,
        topic=params.integer("topic"),
        reply_to=_message(params, chat, "reply_to"),
        anonymous=params.flag("anonymous"),
    )
    return double.site.page_message(message, chat)


async def start(double: "TelegramDouble", params: Params) -> Json:
    person = _person(double, params)
    return double.site.page_message(double.start(person, params.text("payload")), double.private(person))


async def press(double: "TelegramDouble", params: Params) -> Json:
    """Waits up to ``wait`` seconds (default 0) for the answer: {press_id, answered, text, alert, url}."""
    person, chat = _person(double, params), _chat(double, params)
    message = _message(params, chat)
    if message is None:
        raise _Wrong("message_id is missing")
    made = double.press(person, message, params.text("button"))
    wait = params.bounded("wait", 0, 0, _LONGEST_WAIT_S)
    answered = await double.site.pulse.until(lambda: made.toast is not None, wait)
    return {**toast_json(made), "answered": answered}


async def inline(double: "TelegramDouble", params: Params) -> Json:
    """Waits up to ``wait`` seconds (default 0): {query_id, results, button}; results null when not answered."""
    person = _person(double, params)
    query = double.ask_inline(person, params.text("text"), chat=_chat(double, params, person))
    wait = params.bounded("wait", 0, 0, _LONGEST_WAIT_S)
    await double.site.pulse.until(lambda: query.results is not None, wait)
    results = None if query.results is None else list(query.results)
    return {"query_id": query.id, "results": results, "button": query.button}


async def choose(double: "TelegramDouble", params: Params) -> Json:
    query = double.site.queries.inline.get(params.text("query_id"))
    if query is None:
        raise _Wrong("query_id: no such query")
    chat = _chat(double, params, query.person)
    return double.site.page_message(double.choose(query, params.text("result_id"), chat=chat), chat)


async def bot_role(double: "TelegramDouble", params: Params) -> Json:
    """``role``: member, administrator or kicked, given by the person ``by``."""
    by, chat = _person(double, params, "by"), _chat(double, params)
    role = Role(params.text("role"))
    if role is Role.KICKED:
        double.remove_bot(chat, by)
    else:
        double.add_bot(chat, by, role)
    return {}


async def block(double: "TelegramDouble", params: Params) -> Json:
    act = double.block_bot if params.flag("blocked") else double.unblock_bot
    act(_person(double, params))
    return {}


async def migrate(double: "TelegramDouble", params: Params) -> Json:
    return {"chat_id": double.migrate(_chat(double, params), _person(double, params, "by")).id}


async def add_person(double: "TelegramDouble", params: Params) -> Json:
    person = double.person(
        params.text("first_name"), params.text("last_name"), username=params.text("username"), started=params.flag("started")
    )
    return user_json(person)


async def add_group(double: "TelegramDouble", params: Params) -> Json:
    """``members``: {person id: role}; ``bot``: its role, absent when it is not in the group; ``topics``: names."""
    world = double.site.world
    members = {world.people[int(key)]: Role(str(role)) for key, role in as_object(params.values.get("members")).items()}
    bot = Role(params.text("bot")) if params.has("bot") else None
    chat = double.group(
        params.text("title"), members, supergroup=params.flag("supergroup"), forum=params.flag("forum"), bot=bot
    )
    topics = params.values.get("topics")
    numbers = [double.topic(chat, str(name)) for name in topics] if isinstance(topics, list) else []
    return {"chat_id": chat.id, "topics": numbers}


async def fault(double: "TelegramDouble", params: Params) -> Json:
    """``kind``: refuse, bad_gateway, drop_before, drop_after, hold, garble; the fields of a Fault beside it."""
    rule = Fault(
        kind=FaultKind(params.text("kind")),
        method=params.text("method") or "*",
        chat_id=params.integer("chat_id"),
        times=params.bounded("times", 1, 1, 10**6),
        status=params.bounded("status", 400, 100, 599),
        description=params.text("description") or None,
        parameters=as_object(params.values.get("parameters")) or None,
    )
    double.site.faults.add(rule)
    return {}


async def clear_faults(double: "TelegramDouble", _params: Params) -> Json:
    double.clear_faults()
    return {}


async def limits(double: "TelegramDouble", params: Params) -> Json:
    double.keep_limits(Limits() if params.flag("on") else None)
    return {}


_ACTS: dict[str, Act] = {
    "say": say,
    "start": start,
    "press": press,
    "inline": inline,
    "choose": choose,
    "bot": bot_role,
    "block": block,
    "migrate": migrate,
    "person": add_person,
    "group": add_group,
    "fault": fault,
    "clear_faults": clear_faults,
    "limits": limits,
}


def state_json(double: "TelegramDouble") -> Json:
    """Everything the page shows."""
    world = double.site.world
    return {
        "bot": user_json(world.bot),
        "people": [user_json(person) for person in world.people.values()],
        "chats": [_chat_state(double, chat) for chat in world.chats.values() if chat.migrated_to is None],
    }


def _chat_state(double: "TelegramDouble", chat: Chat) -> Json:
    messages = list(chat.messages.values())[-300:]
    return {
        **chat_json(chat, double.site.world),
        "members": {str(number): role.value for number, role in chat.members.items()},
        "topics": [{"id": number, "name": name} for number, name in chat.topics.items()],
        "pinned": list(chat.pinned),
        "messages": [double.site.page_message(message, chat) for message in messages],
    }


def journal_json(double: "TelegramDouble") -> Json:
    """What the bot did: sent messages, edits with what was before, calls, and the busiest second."""
    world = double.site.world

    def shown(message: Message) -> Json:
        return double.site.page_message(message, world.chats[message.chat_id])

    return {
        "sent": [{"at": one.at, "method": one.method, "message": shown(one.message)} for one in double.sent],
        "edits": [{"at": one.at, "before": shown(one.before), "after": shown(one.after)} for one in double.edits],
        "calls": [
            {"at": one.at, "method": one.method, "status": one.status, "chat_id": one.chat_id} for one in double.calls
        ],
        "busiest_second": double.busiest(1.0),
    }


def commands_for(double: "TelegramDouble", chat: Chat, person: Person) -> list[Json]:
    """The menu this person sees in this chat: the narrowest scope that has a list, their language before none."""
    leading = chat.role(person.id) in LEADING
    wide = "all_private_chats" if chat.private else "all_group_chats"
    scopes = [("chat_member", chat.id, person.id)] if not chat.private else []
    scopes += [("chat_administrators", chat.id, 0)] if leading else []
    scopes += [("chat", chat.id, 0)]
    scopes += [("all_chat_administrators", 0, 0)] if leading else []
    known = double.site.menus.commands
    keys = [(*scope, language) for scope in [*scopes, (wide, 0, 0), ("default", 0, 0)] for language in (person.language, "")]
    return next((known[key] for key in keys if known.get(key)), [])


def add_routes(app: web.Application, double: "TelegramDouble") -> None:
    """/control/…: state, events, journal, commands, file, and one POST route for each act."""

    async def state(_request: web.Request) -> web.Response:
        return _json(state_json(double))

    async def journal(_request: web.Request) -> web.Response:
        return _json(journal_json(double))

    async def commands(request: web.Request) -> web.Response:
        params = Params(values=dict(request.query))
        try:
            person = _person(double, params)
            return _json({"commands": commands_for(double, _chat(double, params, person), person)})
        except _Wrong as wrong:
            return _json({"error": str(wrong)}, 400)

    async def act(request: web.Request) -> web.Response:
        return await _act(double, request)

    async def events(request: web.Request) -> web.StreamResponse:
        return await _events(double, request)

    async def file(request: web.Request) -> web.Response:
        return _file(double, request.match_info["file_id"])

    app.router.add_get("/control/state", state)
    app.router.add_get("/control/journal", journal)
    app.router.add_get("/control/commands", commands)
    app.router.add_get("/control/events", events)
    app.router.add_get("/control/file/{file_id}", file)
    app.router.add_post("/control/{act}", act)


def _json(body: Json, status: int = 200) -> web.Response:
    text = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return web.Response(status=status, body=text, content_type="application/json")


async def _act(double: "TelegramDouble", request: web.Request) -> web.Response:
    known = _ACTS.get(request.match_info["act"])
    if known is None:
        return _json({"error": "no such act"}, 404)
    if request.content_type != "application/json":
        return _json({"error": "a JSON body is expected"}, 415)
    try:
        body: object = await request.json()
        return _json(await known(double, Params(values=as_object(body))))
    except (ValueError, KeyError, Refusal) as wrong:
        return _json({"error": str(wrong)}, 400)


async def _events(double: "TelegramDouble", request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    try:
        async for frame in double.site.stream.listen():
            await response.write(frame)
    except ClientConnectionResetError:
        pass  # the page was closed
    return response


def _file(double: "TelegramDouble", file_id: str) -> web.Response:
    """Audio and pictures are shown in place, anything else is only ever saved: a document may be a page with a script."""
    stored = double.site.shelf.get(file_id)
    if stored is None:
        return web.Response(status=404, text="Not Found")
    shown = stored.content_type.startswith(_INLINE_TYPES) and stored.kind != "document"
    headers = {
        "Content-Type": stored.content_type if shown else "application/octet-stream",
        "Content-Disposition": "inline" if shown else _attachment(stored.name),
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(body=stored.data, headers=headers)


def _attachment(name: str) -> str:
    from urllib.parse import quote

    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"
