"""`svodka status`: how the running process does, in a few lines."""

import argparse
import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bot.checks.process import Heard, listen_in
from bot.checks.state import heard_of
from bot.clock import SystemClock
from bot.commands.console import say
from bot.commands.ground import load_settings, open_current_database
from bot.entrance import ACCOUNT
from bot.settings import Settings
from bot.vendors import VENDORS
from domain.duration import show_roughly
from domain.plural import counted
from handlers.admin.reckoning import reckoning_lines
from handlers.digests.desk import read_places
from handlers.digests.words import digest_lines
from handlers.texts import load_texts
from handlers.wording import Reader
from storage.destinations import Destinations
from storage.engine import Database
from storage.held import HeldPost, held_posts
from storage.people import People
from storage.queries.crm_reckoning import last_crm_reckonings
from storage.queries.health import Queue, dead_destinations, read_queue
from storage.queries.reckoning import last_reckonings
from storage.queries.rhythm import usual_gaps
from storage.queries.webinar_reckoning import last_webinar_reckonings
from storage.schedules import ScheduleStore

MOST_LISTED = 20
_STATES = {
    "ok": "работает",
    "degraded": "работает, но не всё",
    "unhealthy": "база не отвечает",
}
_PARTS = {"ok": "в порядке", "unavailable": "не отвечает", "refused": "отказывает", "off": "выключено"}


def execute(_arguments: argparse.Namespace, _rest: Sequence[str]) -> int:
    """0 while the process works, even if something outside is away; 1 when it does not run or has lost its database."""
    return asyncio.run(_status(load_settings()))


async def _status(settings: Settings) -> int:
    heard = await listen_in(settings)
    for line in _process(heard, settings):
        say(line)
    async with open_current_database(settings) as database:
        now = datetime.now(UTC)
        for line in _queue(await read_queue(database, ACCOUNT, now)):
            say(line)
        usual = await usual_gaps(database, ACCOUNT, now)
        for vendor, at in await heard_of(database):
            often = f" (обычно каждые {show_roughly(usual[vendor])})" if vendor in usual else ""
            say(f"Последнее событие {vendor}: {_moment(at, settings.timezone)}{often}")
        for line in await _reckoned(database, settings, now):
            say(line)
        for line in await _digests(database, settings, now):
            say(line)
        for place in await dead_destinations(database, ACCOUNT):
            say(f"Чат не принимает сообщения: {place.title or place.chat_id}: {place.error}")
        for line in _held(await held_posts(database)):
            say(line)
    return 0 if heard.who == "ours" and heard.report.get("status") != "unhealthy" else 1


def _process(heard: Heard, settings: Settings) -> Iterator[str]:
    where = f"{settings.http_host}:{settings.http_port}"
    if heard.who != "ours":
        yield f"Сводка не запущена: на {where} " + ("никто не отвечает" if heard.who == "nobody" else "чужая программа")
        return
    report = heard.report
    state = _STATES.get(str(report.get("status")), str(report.get("status")))
    role = "" if heard.leads else ", ведёт другой узел"
    yield f"Сводка {report['version']}: {state}{role}"
    for name, part in report["parts"].items():
        if part not in {"ok", "off"}:
            yield f"  {name}: {_PARTS.get(part, part)}"


async def _reckoned(database: Database, settings: Settings, now: datetime) -> list[str]:
    """What each vendor listed of a day against what became of it here."""
    titles = {vendor.name: vendor.title for vendor in VENDORS}
    reader = Reader(texts=load_texts(), now=now, zone=settings.timezone, vendors=titles)
    calls, webinars = await last_reckonings(database, ACCOUNT), await last_webinar_reckonings(database, ACCOUNT)
    lines = reckoning_lines(reader, calls, webinars, await last_crm_reckonings(database, ACCOUNT))
    return [f"{reader.say('status.reckoning')}: {line}" for line in lines]


async def _digests(database: Database, settings: Settings, now: datetime) -> list[str]:
    """What comes next, and what cannot be sent."""
    reader, clock = Reader(texts=load_texts(), now=now, zone=settings.timezone), SystemClock()
    places = await read_places(People(database, clock), Destinations(database, clock), ACCOUNT)
    lines = digest_lines(reader, await ScheduleStore(database).all(ACCOUNT), places)
    return [f"{reader.say('digest.title')}: {line}" for line in lines]


def _queue(queue: Queue) -> Iterator[str]:
    running = counted(queue.running, "дело", "дела", "дел")
    yield f"В работе {running}, на очереди {queue.ready}, ждут своего часа {queue.waiting}"
    if queue.late:
        yield f"Задерживаются больше минуты: {queue.late}"
    if queue.posts:
        yield f"Ждут отправки: {counted(queue.posts, 'сообщение', 'сообщения', 'сообщений')}"
    if queue.dead:
        yield f"Не получилось: {counted(queue.dead, 'дело', 'дела', 'дел')}; причины и повтор — /errors в Telegram"


def _held(posts: Sequence[HeldPost]) -> Iterator[str]:
    if not posts:
        return
    yield f"Придержано после восстановления: {counted(len(posts), 'сообщение', 'сообщения', 'сообщений')}"
    for post in posts[:MOST_LISTED]:
        yield f"  чат {post.chat_id}: {post.key}"
    if len(posts) > MOST_LISTED:
        yield f"  … и ещё {len(posts) - MOST_LISTED}"


def _moment(at: datetime | None, zone: ZoneInfo) -> str:
    return "не было" if at is None else f"{at.astimezone(zone):%d.%m.%Y %H:%M}"
