"""getMe, chats and members, files, command lists, menu buttons, webhook settings."""

import re

from sandbox.telegram.addressing import chat_of, scope_key
from sandbox.telegram.courier import check_webhook
from sandbox.telegram.files import DOWNLOAD_LIMIT
from sandbox.telegram.happenings import bot_role_changed
from sandbox.telegram.inbox import Webhook
from sandbox.telegram.params import Params
from sandbox.telegram.render import full_chat_json, me_json, member_json
from sandbox.telegram.site import Method, Site
from sandbox.telegram.wire import Json, as_object, bad_request
from sandbox.telegram.world import LEADING, PRESENT, Role

_COMMAND = re.compile(r"[a-z0-9_]{1,32}")


def get_me(site: Site, _params: Params) -> Json:
    return me_json(site.world.bot, reads_all=not site.privacy, inline=site.inline)


def get_chat(site: Site, params: Params) -> Json:
    return full_chat_json(chat_of(site, params, write=False), site.world)


def get_member(site: Site, params: Params) -> Json:
    chat = chat_of(site, params, write=False)
    person = site.world.user(params.integer("user_id") or 0)
    if person is None:
        raise bad_request("invalid user_id specified")
    return member_json(person, chat.role(person.id))


def get_administrators(site: Site, params: Params) -> list[Json]:
    chat = chat_of(site, params, write=False)
    if chat.private:
        raise bad_request("there are no administrators in the private chat")
    people = ((site.world.user(number), role) for number, role in chat.members.items() if role in LEADING)
    return [member_json(person, role) for person, role in people if person is not None]


def get_member_count(site: Site, params: Params) -> int:
    return sum(role in PRESENT for role in chat_of(site, params, write=False).members.values())


def leave_chat(site: Site, params: Params) -> bool:
    chat = chat_of(site, params, write=True)
    if chat.private:
        raise bad_request("chat member status can't be changed in private chats")
    bot_role_changed(site, chat, site.world.bot, Role.LEFT)
    return True


def get_file(site: Site, params: Params) -> Json:
    identifier = params.text("file_id")
    if not identifier:
        raise bad_request("file_id not specified")
    file = site.shelf.get(identifier)
    if file is None:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    if len(file.data) > DOWNLOAD_LIMIT:
        raise bad_request("file is too big")
    keys = ("file_id", "file_unique_id", "file_size")
    return {**{key: value for key, value in file.as_json().items() if key in keys}, "file_path": file.path}


def set_commands(site: Site, params: Params) -> bool:
    raw = params.json("commands", "can't parse commands JSON object")
    if not isinstance(raw, list):
        raise bad_request("expected an Array of BotCommand")
    if len(raw) > 100:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    commands = [_check_command(one) for one in raw]
    site.menus.commands[scope_key(site, params)] = commands
    site.chats_changed()
    return True


def _check_command(raw: object) -> Json:
    command, description = (str(as_object(raw).get(key) or "") for key in ("command", "description"))
    name = command.removeprefix("/").lower()
    if not _COMMAND.fullmatch(name):
        raise bad_request("BOT_COMMAND_INVALID")
    if not 1 <= len(description) <= 256:
        raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": name, "description": description}


def get_commands(site: Site, params: Params) -> list[Json]:
    return site.menus.commands.get(scope_key(site, params), [])


def delete_commands(site: Site, params: Params) -> bool:
    site.menus.commands.pop(scope_key(site, params), None)
    site.chats_changed()
    return True


def set_menu_button(site: Site, params: Params) -> bool:
    button = as_object(params.json("menu_button", "can't parse menu button JSON object")) or {"type": "default"}
    if button.get("type") not in ("default", "commands", "web_app"):
        raise bad_request("can't parse menu button: MenuButton has unsupported type")
    if button["type"] == "web_app":
        url = str(as_object(button.get("web_app")).get("url") or "")
        if not url.startswith("https://") or not button.get("text"):
            raise bad_request(f"menu button Web App URL '{url}' is invalid: Only HTTPS links are allowed")
    site.menus.buttons[_private_id(site, params)] = button
    return True


def get_menu_button(site: Site, params: Params) -> Json:
    fallback: Json = {"type": "default"}
    return site.menus.buttons.get(_private_id(site, params), site.menus.buttons.get(0, fallback))


def _private_id(site: Site, params: Params) -> int:
    if not params.has("chat_id"):
        return 0
    chat = chat_of(site, params, write=False)
    if not chat.private:
        raise bad_request("chat must be private")
    return chat.id


def set_webhook(site: Site, params: Params) -> bool:
    url, secret = params.text("url"), params.text("secret_token")
    site.inbox.allow(params.json("allowed_updates", "can't parse allowed_updates JSON object"))
    if not url:
        return delete_webhook(site, params)
    check_webhook(url, secret)
    webhook = Webhook(url=url, secret=secret, max_connections=params.bounded("max_connections", 40, 1, 100))
    site.inbox.set_webhook(webhook, drop_pending=params.flag("drop_pending_updates"))
    site.courier.start()
    return True


def delete_webhook(site: Site, params: Params) -> bool:
    site.inbox.set_webhook(None, drop_pending=params.flag("drop_pending_updates"))
    return True


def webhook_info(site: Site, _params: Params) -> Json:
    webhook = site.inbox.webhook
    body: Json = {
        "url": webhook.url if webhook is not None else "",
        "has_custom_certificate": False,
        "pending_update_count": len(site.inbox.pending),
    }
    if site.inbox.allowed is not None:
        body["allowed_updates"] = sorted(site.inbox.allowed)
    if webhook is not None:
        body["max_connections"] = webhook.max_connections
        if webhook.last_error:
            body.update(last_error_date=webhook.last_error_at, last_error_message=webhook.last_error)
    return body


METHODS: dict[str, Method] = {
    "getMe": get_me,
    "getChat": get_chat,
    "getChatMember": get_member,
    "getChatAdministrators": get_administrators,
    "getChatMemberCount": get_member_count,
    "leaveChat": leave_chat,
    "getFile": get_file,
    "setMyCommands": set_commands,
    "getMyCommands": get_commands,
    "deleteMyCommands": delete_commands,
    "setChatMenuButton": set_menu_button,
    "getChatMenuButton": get_menu_button,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": webhook_info,
}
