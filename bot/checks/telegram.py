"""What `svodka check telegram` finds: the token, the way to Telegram, the chat, the topic, and how updates come."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from bot.checks.bot_api import BotApi, Reply, Unreached
from bot.settings import Settings, TelegramSettings
from domain.messages import Destination
from integrations.kit.vendor import Finding

PROBE = "Проверка темы: это сообщение сейчас исчезнет."
FRESH_ERROR = timedelta(hours=1)

_BOTFATHER = "Владелец бота открывает @BotFather → /mybots → ваш бот"
_UNREACHED = {
    "proxy": (
        "telegram.proxy",
        "прокси не пропускает",
        "Прокси из TELEGRAM_PROXY не отвечает или не пускает: проверьте адрес, логин и пароль.",
    ),
    "tls": (
        "telegram.tls",
        "сертификат не принят",
        "Связь подменяют, или нет корневых сертификатов: поставьте ca-certificates; своему серверу Bot API нужен настоящий.",
    ),
    "name": (
        "telegram.unreachable",
        "имя сервера не находится",
        "Проверьте DNS и выход в интернет, а если задан TELEGRAM_API_BASE_URL — его имя.",
    ),
    "stranger": (
        "telegram.stranger",
        "отвечает не Bot API",
        "Вместо Telegram отвечает что-то другое: проверьте TELEGRAM_API_BASE_URL и прокси.",
    ),
}
_SILENT = (
    "telegram.unreachable",
    "Telegram не отвечает",
    "Проверьте выход в интернет; если Telegram закрыт, впишите TELEGRAM_PROXY.",
)


async def telegram_findings(settings: Settings) -> AsyncIterator[Finding]:
    """Findings in the order they matter; after a token that is refused nothing else can be asked."""
    telegram = settings.telegram
    if telegram is None:
        hint = "Откройте @BotFather, пошлите /newbot, впишите полученный токен в TELEGRAM_BOT_TOKEN."
        yield _bad("telegram.no_token", "Telegram: токен", "не задан", hint)
        return
    async with BotApi(telegram) as api:
        try:
            async for finding in _all(api, settings, telegram):
                yield finding
        except Unreached as failure:
            code, detail, hint = _UNREACHED.get(failure.why, _SILENT)
            yield _bad(code, "Telegram: связь", detail, hint)


async def _all(api: BotApi, settings: Settings, telegram: TelegramSettings) -> AsyncIterator[Finding]:
    me = await api.call("getMe")
    yield _token(me)
    if not me.ok:
        return
    if not me.row.get("supports_inline_queries"):
        hint = f"{_BOTFATHER} → Bot Settings → Inline Mode → Turn on."
        yield _bad("telegram.inline", "Telegram: вызов через @", "выключен", hint, warning=True)
    if telegram.target is None:
        hint = "Впишите в TELEGRAM_TARGET_CHAT_ID номер чата или добавьте бота в чат и пошлите там /bind."
        yield _bad("telegram.no_target", "Telegram: чат", "не задан", hint, warning=True)
    else:
        async for finding in _place(api, telegram.target, int(me.row.get("id", 0))):
            yield finding
    yield _reception(await api.call("getWebhookInfo"), settings, telegram)


def _token(me: Reply) -> Finding:
    title = "Telegram: токен"
    if me.ok:
        return Finding(code="telegram.token", title=title, ok=True, detail=f"@{me.row.get('username', '')}")
    if me.status in {401, 404}:
        hint = f"{_BOTFATHER} → API Token и копирует токен в TELEGRAM_BOT_TOKEN целиком."
        return _bad("telegram.token", title, "отозван или с ошибкой", hint)
    hint = "Telegram просит подождать или не в порядке: повторите через минуту."
    return _bad("telegram.answer", title, me.description, hint)


async def _place(api: BotApi, target: Destination, bot_id: int) -> AsyncIterator[Finding]:
    chat = await api.call("getChat", chat_id=target.chat_id)
    title = "Telegram: чат"
    if not chat.ok:
        yield _no_chat(chat, target)
        return
    member = await api.call("getChatMember", chat_id=target.chat_id, user_id=bot_id)
    name = str(chat.row.get("title") or chat.row.get("first_name") or target.chat_id)
    refusal = None if chat.row.get("type") == "private" else _membership(chat, member, name)
    if refusal is not None:
        yield refusal
        return
    yield Finding(code="telegram.chat", title=title, ok=True, detail=f"«{name}»")
    if target.topic_id is not None:
        yield await _topic(api, target, topics=bool(chat.row.get("is_forum")) or chat.row.get("type") == "private")


def _no_chat(chat: Reply, target: Destination) -> Finding:
    title = "Telegram: чат"
    moved = chat.parameters.get("migrate_to_chat_id")
    if moved is not None:
        hint = f"Группа стала супергруппой: впишите в TELEGRAM_TARGET_CHAT_ID новый номер {moved}."
        return _bad("telegram.moved", title, "переехал", hint)
    if chat.status == 403 or chat.says("not a member", "kicked", "blocked"):
        return _outside(str(target.chat_id))
    if target.chat_id > 0:
        hint = "Получатель открывает бота в Telegram и нажимает «Старт»: первым бот писать не может."
        return _bad("telegram.no_start", title, "человек ещё не начал разговор с ботом", hint)
    hint = (
        "Такого чата нет, или бота в нём никогда не было. Добавьте бота в чат и сверьте номер в TELEGRAM_TARGET_CHAT_ID "
        "(у супергрупп он начинается с -100)."
    )
    return _bad("telegram.chat_not_found", title, chat.description, hint)


def _membership(chat: Reply, member: Reply, name: str) -> Finding | None:
    """What keeps the bot from writing, None if nothing does."""
    row = member.row
    status = str(row.get("status", "")) if member.ok else "left"
    if status in {"left", "kicked"}:
        return _outside(f"«{name}»")
    permissions = chat.row.get("permissions")
    silenced = status == "member" and isinstance(permissions, dict) and permissions.get("can_send_messages") is False
    restricted = status == "restricted" and row.get("can_send_messages") is False
    muted_channel = chat.row.get("type") == "channel" and row.get("can_post_messages") is not True and status != "creator"
    if not (silenced or restricted or muted_channel):
        return None
    hint = "Администратор чата открывает его настройки → «Администраторы», добавляет бота и разрешает ему писать."
    return _bad("telegram.no_write", "Telegram: чат", f"в «{name}» боту нельзя писать", hint)


def _outside(name: str) -> Finding:
    hint = f"Администратор чата {name} открывает «Добавить участников» и возвращает бота."
    return _bad("telegram.not_in_chat", "Telegram: чат", "бота нет в чате", hint)


async def _topic(api: BotApi, target: Destination, *, topics: bool) -> Finding:
    """Typing leaves nothing behind, but not every server looks at the topic then: a silent message settles it."""
    title = "Telegram: тема"
    if not topics:
        hint = "В этом чате нет тем: уберите «:номер» из TELEGRAM_TARGET_CHAT_ID или включите темы в настройках группы."
        return _bad("telegram.no_topics", title, "в чате нет тем", hint)
    where = {"chat_id": target.chat_id, "message_thread_id": target.topic_id}
    reply = await api.call("sendChatAction", **where, action="typing")
    if reply.ok:
        reply = await api.call("sendMessage", **where, text=PROBE, disable_notification=True)
        if reply.ok:
            await api.call("deleteMessage", chat_id=target.chat_id, message_id=reply.row.get("message_id"))
            return Finding(code="telegram.topic", title=title, ok=True)
    if reply.says("thread", "topic_deleted", "topic_id"):
        hint = (
            "Темы больше нет, карточки уходят в общую. Откройте нужную тему, скопируйте ссылку на сообщение: число после "
            "номера чата — номер темы; впишите его в TELEGRAM_TARGET_CHAT_ID после двоеточия."
        )
        return _bad("telegram.topic_gone", title, "темы нет", hint)
    if reply.says("topic_closed"):
        hint = "Администратор чата открывает тему снова или делает бота администратором."
        return _bad("telegram.topic_closed", title, "тема закрыта", hint)
    hint = "Администратор чата открывает его настройки → «Администраторы», добавляет бота и разрешает ему писать."
    return _bad("telegram.no_write", title, reply.description, hint)


def _reception(info: Reply, settings: Settings, telegram: TelegramSettings) -> Finding:
    """Webhook and polling exclude each other; an address that is not ours belongs to another program."""
    title, url = "Telegram: приём сообщений", str(info.row.get("url") or "")
    by_webhook = telegram.mode == "webhook" or (telegram.mode == "auto" and bool(settings.public_url))
    own = f"{settings.public_url}/telegram/webhook" if settings.public_url else ""
    if telegram.mode == "webhook" and not settings.public_url:
        hint = "Впишите внешний адрес в PUBLIC_URL или уберите TELEGRAM_MODE=webhook: бот сам спросит Telegram о новом."
        return _bad("telegram.no_public_url", title, "вебхуку нужен PUBLIC_URL", hint)
    if url and url != own:
        host = urlsplit(url).hostname or ""
        hint = (
            "Этим же ботом пользуется другая программа. Остановите её или заведите для Сводки своего бота: "
            "@BotFather → /newbot. Чужой вебхук Сводка снимет при запуске."
        )
        return _bad("telegram.foreign_webhook", title, f"сообщения уходят на {host}", hint)
    failed_at = info.row.get("last_error_date")
    if url and isinstance(failed_at, int) and datetime.now(UTC) - datetime.fromtimestamp(failed_at, UTC) < FRESH_ERROR:
        hint = f"Telegram не может достучаться до {own}: проверьте PUBLIC_URL, nginx и сертификат."
        return _bad("telegram.webhook_error", title, str(info.row.get("last_error_message", "")), hint)
    if not by_webhook:
        return Finding(code="telegram.reception", title=title, ok=True, detail="опрос")
    detail = "вебхук" if url else "вебхук, Сводка поставит его при запуске"
    return Finding(code="telegram.reception", title=title, ok=True, detail=detail)


def _bad(code: str, title: str, detail: str, hint: str, *, warning: bool = False) -> Finding:
    return Finding(code=code, title=title, ok=False, detail=detail, hint=hint, warning=warning)
