"""What the data tell of webinars: visits saved, visits joined to leads, rooms whose report no hook announces."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from bot.entrance import ACCOUNT
from bot.settings import Settings
from domain.plural import counted
from integrations.kit.vendor import Finding
from storage.engine import Database
from storage.models import connections, inbox, registrations, webinar_attendees, webinars

LOOKED_BACK = timedelta(days=30)
MOST_LOOKED_AT = 500
NAMED = 5
WITHOUT_PHONE = 0.3  # above this share somebody should look at the form
PEOPLE = ("человек", "человека", "человек")


async def webinar_findings(settings: Settings, database: Database, vendor: str) -> AsyncIterator[Finding]:
    """Nothing where nobody registered by a hook and no webinar of this vendor was loaded yet."""
    if told := await _registered(settings, database):
        yield told
    newest = await _newest(database, vendor)
    if newest is None:
        return
    at = f"{newest.ended_at.astimezone(settings.timezone):%d.%m.%Y %H:%M}"
    detail = f"«{newest.title or newest.external_id}», {at}: {counted(newest.attendees, *PEOPLE)}"
    yield Finding(code="webinars.saved", title="Вебинары: сохранённые посещения", ok=True, detail=detail)
    yield await _matched(database, newest)
    if rooms := await _unannounced(database, vendor):
        yield _without_hook(rooms)


async def _registered(settings: Settings, database: Database) -> Finding | None:
    """Whether registrations come by the hook, and with a phone: without one nobody new can be made of them."""
    lacking = func.count().filter(registrations.c.phone_key == "")
    mine = (registrations.c.account_id == ACCOUNT) & (registrations.c.source == "hook")
    recent = mine & (registrations.c.created_at >= datetime.now(UTC) - LOOKED_BACK)
    async with database.read() as connection:
        figures = select(func.count(), lacking, func.max(registrations.c.created_at)).where(recent)
        count, without, last = (await connection.execute(figures)).one()
    if not count:
        return None
    code, title = "registrations.phones", "Регистрации: телефон в вебхуке"
    at = f"{last.astimezone(settings.timezone):%d.%m.%Y %H:%M}"
    detail = f"последняя {at}, за 30 дней {count}, без телефона {without}"
    if without <= count * WITHOUT_PHONE:
        return Finding(code=code, title=title, ok=True, detail=detail)
    hint = (
        "Без телефона новый человек не заводится. Форма регистрации спрашивает его только на своём сайте: в код виджета со "
        "страницы регистрации впишите phone:1 вместо phone:0."
    )
    return Finding(code=code, title=title, ok=False, warning=True, detail=detail, hint=hint)


async def _newest(database: Database, vendor: str) -> Any:
    columns = (webinars.c.id, webinars.c.title, webinars.c.external_id, webinars.c.ended_at, webinars.c.attendees)
    mine = (webinars.c.account_id == ACCOUNT) & (webinars.c.vendor == vendor) & (webinars.c.state == "complete")
    async with database.read() as connection:
        newest = select(*columns).where(mine).order_by(webinars.c.ended_at.desc()).limit(1)
        return (await connection.execute(newest)).one_or_none()


async def _matched(database: Database, newest: Any) -> Finding:
    code, title = "webinars.matched", "Вебинары: посещения с лидом"
    found = select(func.count()).where(webinar_attendees.c.session_id == newest.id, webinar_attendees.c.lead_id.is_not(None))
    async with database.read() as connection:
        count = int(await connection.scalar(found) or 0)
    detail = f"{count} из {newest.attendees}"
    if count or not newest.attendees:
        return Finding(code=code, title=title, ok=True, detail=detail)
    hint = (
        "Ни один зритель не сопоставлен. Загрузите лиды (svodka import) и проверьте, что форма входа спрашивает телефон: "
        "svodka check bizon365."
    )
    return Finding(code=f"{code}.nobody", title=title, ok=False, warning=True, detail=detail, hint=hint)


async def _unannounced(database: Database, vendor: str) -> list[str]:
    """Rooms of the last month of whose reports we learnt only by asking. The hook is set for each webinar by itself."""
    recent = select(webinars.c.external_id, webinars.c.room_id, webinars.c.title).where(
        webinars.c.account_id == ACCOUNT,
        webinars.c.vendor == vendor,
        webinars.c.source != "rehearsal",
        webinars.c.heard_at >= datetime.now(UTC) - LOOKED_BACK,
    )
    async with database.read() as connection:
        rows = (await connection.execute(recent.order_by(webinars.c.heard_at.desc()).limit(MOST_LOOKED_AT))).all()
        keys = [f"webinarEnd:{row.external_id}" for row in rows]
        ours = select(connections.c.id).where(connections.c.account_id == ACCOUNT)
        told_of = select(inbox.c.dedup_key).where(inbox.c.connection_id.in_(ours), inbox.c.dedup_key.in_(keys))
        announced = set(await connection.scalars(told_of))
    told = {row.room_id for row in rows if f"webinarEnd:{row.external_id}" in announced}
    silent = {row.room_id: row.title or row.room_id for row in rows if row.room_id and row.room_id not in told}
    return list(silent.values())


def _without_hook(rooms: list[str]) -> Finding:
    names = ", ".join(f"«{name}»" for name in rooms[:NAMED]) + (f" и ещё {len(rooms) - NAMED}" if len(rooms) > NAMED else "")
    hint = (
        "Об этих вебинарах узнали только опросом, позже. В Бизон365 для каждого вебинара отдельно: «Интеграции» → «Вебхук "
        "после создания отчёта», POST, адрес из svodka urls."
    )
    title = "Вебинары: комнаты без вебхука"
    return Finding(code="webinars.unannounced", title=title, ok=False, warning=True, detail=names, hint=hint)
