"""`svodka replay`: a stored delivery or a recorded request through the pipeline again, by the running leader."""

import argparse
import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.commands.asking import NoAnswerError, ask_leader
from bot.commands.console import complain, say
from bot.commands.ground import load_settings, open_current_database
from bot.settings import Settings
from bot.vendors import VENDORS
from domain.errors import ConfigError
from domain.plural import counted
from domain.webhooks import replayed
from storage.engine import Database
from storage.models import work

ANSWER_SECONDS = 20.0
MAX_REQUEST = 2 * 1024 * 1024
_OWNERS = (
    (re.compile(r"/hooks/([a-z0-9]+)(?:/|$)"), ""),
    (re.compile(r"/api/bitrix-webhook/"), "bitrix24"),
    (re.compile(r"/api/webhooks/amo(?:/|$)"), "amocrm"),
)
_REFUSALS = {
    "not found": (
        "Такого события в журнале нет. Подойдёт код звонка в телефонии, его показывает /why. "
        "Что нашлось опросом, повторяют кнопкой в /errors и /why."
    ),
    "forgotten": "Данные этого события уже стёрты (INBOX_DAYS): повторить его нельзя.",
    "vendor is off": "Этот вендор не подключён: задайте его настройки и перезапустите Сводку.",
    "MalformedBody": "Запрос из файла не разобрать: тело не такое, какое присылает вендор.",
}


def execute(arguments: argparse.Namespace, _rest: Sequence[str]) -> int:
    """0 when work was started; 1 when there was none, or nobody to ask."""
    settings = load_settings()
    kind, payload = _request(arguments.what, arguments.vendor)
    try:
        answer = asyncio.run(_ask(settings, kind, payload))
    except NoAnswerError as error:
        complain(str(error))
        return 1
    return _tell(answer)


async def _ask(settings: Settings, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    async with open_current_database(settings) as database:
        if kind == "replay":
            payload = {"delivery": await _delivery_of(database, str(payload["delivery"]))}
        return await ask_leader(settings, database, kind, payload, seconds=ANSWER_SECONDS)


async def _delivery_of(database: Database, given: str) -> str:
    """The delivery of the journal that a number means: its own, or that of the vendor's object (a call's id)."""
    of_object = select(work.c.delivery_id).where(
        work.c.delivery_id.is_not(None), work.c.object.in_([f"{vendor.name}:{given}" for vendor in VENDORS])
    )
    async with database.read() as connection:
        found = await connection.scalar(of_object.order_by(work.c.id.desc()).limit(1))
    return str(found) if found is not None else given


def _request(what: str, vendor: str | None) -> tuple[str, dict[str, Any]]:
    path = Path(what)
    if not path.is_file():
        if "/" in what or path.suffix == ".http":  # a call's id may have dots of its own
            raise ConfigError("ФАЙЛ", f"файла {what} нет")
        return "replay", {"delivery": what}
    if path.stat().st_size > MAX_REQUEST:
        raise ConfigError("ФАЙЛ", "файл слишком велик для записанного запроса")
    raw = path.read_bytes()
    try:
        delivery = replayed(raw, datetime.now(UTC))
    except ValueError:
        raise ConfigError("ФАЙЛ", "это не записанный запрос: первая строка вида «POST /hooks/bitrix24/… HTTP/1.1»") from None
    return "deliver", {"vendor": _owner(delivery.path, vendor), "request": raw.hex()}


def _owner(path: str, given: str | None) -> str:
    """Whose request it is, by --vendor or by its path."""
    found = given or next((name or match[1] for pattern, name in _OWNERS if (match := pattern.match(path))), "")
    names = [vendor.name for vendor in VENDORS if vendor.build_receiver is not None]
    if found not in names:
        raise ConfigError("--vendor", f"укажите, чей это запрос: {', '.join(names)}")
    return found


def _tell(answer: dict[str, Any]) -> int:
    if "error" in answer:
        reason = str(answer["error"])
        complain(_REFUSALS.get(reason, f"Не получилось ({reason}): подробности в журнале Сводки."))
        return 1
    started, works = int(answer["started"]), int(answer["works"])
    if works == 0:
        say("В этом запросе нет события, по которому что-то делается.")
        return 1
    if started == 0:
        say("По этому событию работа уже идёт: повторять пока нечего.")
        return 1
    say(f"Запущено: {counted(started, 'дело', 'дела', 'дел')}. Как идёт — /why в Telegram и svodka status.")
    return 0
