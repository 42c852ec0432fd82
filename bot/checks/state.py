"""What the data themselves tell: when each vendor was last heard, which chats take nothing, what waits for a person."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from bot.entrance import ACCOUNT
from bot.settings import Settings
from bot.vendors import VENDORS
from domain.plural import counted
from integrations.kit.vendor import Finding, Vendor
from storage.engine import Database
from storage.held import held_posts
from storage.models import connections, inbox
from storage.queries.health import counted as counted_since
from storage.queries.health import dead_destinations, read_queue

QUIET_FOR = timedelta(days=3)


async def heard_of(database: Database) -> list[tuple[str, datetime | None]]:
    """Each connection's vendor with the moment of its newest delivery."""
    mine = select(inbox.c.received_at).where(inbox.c.connection_id == connections.c.id)
    newest = mine.order_by(inbox.c.received_at.desc()).limit(1).scalar_subquery()  # by the time index, newest first
    statement = select(connections.c.vendor, newest.label("at")).where(connections.c.account_id == ACCOUNT)
    async with database.read() as connection:
        rows = (await connection.execute(statement.order_by(connections.c.vendor))).all()
    receiving = {vendor.name for vendor in VENDORS if vendor.build_receiver is not None}
    return [(row.vendor, row.at) for row in rows if row.vendor in receiving]


async def event_finding(settings: Settings, database: Database, vendor: Vendor[Any]) -> Finding:
    """When a vendor that sends events was last heard."""
    return _event(vendor.name, vendor.title, dict(await heard_of(database)).get(vendor.name), settings)


async def connection_finding(database: Database, vendor: Vendor[Any]) -> Finding:
    """Whether there is somebody behind the vendor's address: the seeds' `user_id`."""
    code, title = f"connection.{vendor.name}", f"{vendor.title}: подключение"
    if vendor.name in dict(await heard_of(database)):
        return Finding(code=code, title=title, ok=True, detail="заведено, адрес — в svodka urls")
    hint = "Перезапустите Сводку: настройки вписаны после её запуска, и событий по этому адресу она ещё не принимает."
    return Finding(code=f"{code}.missing", title=title, ok=False, warning=True, detail="ещё не заведено", hint=hint)


async def knocking_findings(database: Database) -> AsyncIterator[Finding]:
    """Events that came since yesterday to an address nobody has, and those too large to be taken."""
    for reason, detail, hint in (
        ("UnknownHook", "на незнакомый адрес", "Адрес скопирован не целиком или устарел: вставьте заново из svodka urls."),
        ("TooLarge", "слишком большие", "Сообщите разработчикам, какой сервис прислал их: таких больших событий не ждали."),
    ):
        code, title = f"knocking.{reason.lower()}", "События, которые не приняты"
        if count := await _since_yesterday(database, reason):
            told = f"{counted(count, 'запрос', 'запроса', 'запросов')}: {detail}"
            yield Finding(code=code, title=title, ok=False, warning=True, detail=told, hint=hint)


async def _since_yesterday(database: Database, reason: str) -> int:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    return sum((await counted_since(database, f"rejected:{reason}", yesterday)).values())


async def state_findings(database: Database) -> AsyncIterator[Finding]:
    """Refused events, dead destinations, and work that was given up."""
    async for finding in _refused(database):
        yield finding
    yield await _destinations(database)
    async for finding in _waiting(database):
        yield finding


def _event(name: str, title: str, at: datetime | None, settings: Settings) -> Finding:
    code, about = f"events.{name}", f"{title}: последнее событие"
    hint = f"Вставьте адрес из svodka urls в настройки вендора ({title}): без него о новом узнаём опросом, позже."
    if at is None:
        return Finding(code=f"{code}.never", title=about, ok=False, warning=True, detail="не было ни одного", hint=hint)
    shown = f"{at.astimezone(settings.timezone):%d.%m.%Y %H:%M}"
    if datetime.now(UTC) - at > QUIET_FOR:
        return Finding(code=f"{code}.silent", title=about, ok=False, warning=True, detail=f"давно: {shown}", hint=hint)
    return Finding(code=code, title=about, ok=True, detail=shown)


async def _refused(database: Database) -> AsyncIterator[Finding]:
    """Deliveries turned away since yesterday for a wrong signature or token: most likely the token was changed."""
    count = await _since_yesterday(database, "BadSignature")
    if not count:
        return
    detail = counted(count, "отказ", "отказа", "отказов")
    hint = (
        "События приходят с чужим токеном или подписью. Администратор портала открывает «Разработчикам → Интеграции → ваш "
        "исходящий вебхук», копирует «Токен приложения» в BITRIX24_APPLICATION_TOKEN (можно два, через запятую)."
    )
    # a warning: anybody may knock with a token of their own
    yield Finding(code="events.rejected", title="Отвергнутые события", ok=False, warning=True, detail=detail, hint=hint)


async def _destinations(database: Database) -> Finding:
    dead = await dead_destinations(database, ACCOUNT)
    title = "Чаты, куда идут сообщения"
    if not dead:
        return Finding(code="destinations", title=title, ok=True)
    names = ", ".join(place.title or str(place.chat_id) for place in dead)
    hint = "Администратор чата возвращает бота в участники и разрешает ему писать; потом в чате: /bind."
    return Finding(code="destinations.dead", title=title, ok=False, detail=f"не принимают: {names}", hint=hint)


async def _waiting(database: Database) -> AsyncIterator[Finding]:
    queue = await read_queue(database, ACCOUNT, datetime.now(UTC))
    if queue.dead:
        detail = counted(queue.dead, "дело", "дела", "дел")
        hint = "Откройте в Telegram /errors: там причины и кнопка «Повторить»."
        yield Finding(code="work.dead", title="Не получилось", ok=False, warning=True, detail=detail, hint=hint)
    if held := await held_posts(database):
        detail = counted(len(held), "сообщение", "сообщения", "сообщений")
        hint = "Придержаны после восстановления из копии и сами не уйдут; список — svodka status."
        yield Finding(code="posts.held", title="Придержано", ok=False, warning=True, detail=detail, hint=hint)
