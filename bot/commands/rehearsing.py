"""`svodka check --rehearse`: a marked test call through the running leader, its price told before."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from bot.commands.asking import NoAnswerError, ask_leader
from bot.commands.console import complain, say
from bot.commands.ground import bare_workshop, open_current_database
from bot.rehearsal import WAIT_SECONDS
from bot.settings import Settings
from bot.stage import LENGTH_S
from bot.vendors import VENDORS
from domain.calls import Cost, Quality, Segment, Transcript
from domain.errors import ConfigError
from handlers.texts import load_texts
from handlers.wording import Reader
from integrations.kit.vendor import Ports
from storage.engine import Database
from storage.models import posts, work

SENT_WITHIN_SECONDS = 20.0
_SPOKEN = "слово " * 60  # about as much as is said in the bundled recording
# cards that say that something did not work out
_POOR = ("_refused", "_later", "_limit", ":limit", ":no_speech", ":no_recording")
LEADS_SECONDS = 130  # for forms and deals beside the call
_WHY = {"telephony is off": "телефония не подключена, задайте BITRIX24_WEBHOOK_URL"}


async def rehearse(settings: Settings) -> bool:
    """Tell the price, ask the leader, tell each step. True when the card is in the chat and nothing is missing in it."""
    titles = {vendor.name: vendor.title for vendor in VENDORS}
    reader = Reader(texts=load_texts(), now=datetime.now(UTC), zone=settings.timezone, vendors=titles)
    cost = sum(cost.micro_usd for cost in await price(settings))
    say()
    say(f"Учебный звонок, {LENGTH_S} с: вся цепочка и карточка в чате с пометкой.")
    say(f"Цена: около {reader.dollars(cost)}" if cost else "Цена: бесплатно, платных шагов нет")
    try:
        async with open_current_database(settings) as database:
            report = await ask_leader(settings, database, "rehearse", {}, seconds=WAIT_SECONDS + LEADS_SECONDS)
            sent = await _sent(database) if report.get("state") == "done" else ""
    except (NoAnswerError, ConfigError) as error:
        complain(str(error))
        return False
    leads = [_tell_lead(reader, one) for one in report.get("leads", [])]
    if leads and report.get("error") == "telephony is off":
        return all(leads)
    return _tell(reader, report, sent) and all(leads)


async def price(settings: Settings) -> list[Cost]:
    """What the paid steps will cost, as estimated now; empty when nothing is paid."""
    costs: list[Cost] = []
    for vendor in VENDORS:
        own = vendor.read_settings(settings.env)
        if own is not None and vendor.build_ports is not None:
            ports = vendor.build_ports(own, bare_workshop(settings))
            costs += _estimates(ports)
            await ports.close()
    return costs


def _estimates(ports: Ports) -> list[Cost]:
    costs = []
    if ports.transcriber is not None and ports.transcriber.paid:
        costs.append(ports.transcriber.estimate(LENGTH_S))
    if ports.summariser is not None and ports.summariser.paid:
        said = (Segment(start=0, end=LENGTH_S, text=_SPOKEN),)
        heard = Transcript(segments=said, language="ru", model="", timed=True, duration_s=LENGTH_S, quality=Quality())
        costs.append(ports.summariser.estimate(heard))
    return costs


async def _sent(database: Database) -> str:
    """How the newest rehearsal's card does: "sent", or the state of its post; empty when no chat wants it."""
    newest = select(work.c.object).where(work.c.source == "rehearsal").order_by(work.c.id.desc()).limit(1)
    async with database.read() as connection:
        key = f"call:{await connection.scalar(newest)}"
    deadline = asyncio.get_running_loop().time() + SENT_WITHIN_SECONDS
    while True:
        async with database.read() as connection:
            states = set(await connection.scalars(select(posts.c.state).where(posts.c.key == key)))
        if states <= {"sent"} or asyncio.get_running_loop().time() > deadline:
            return ", ".join(sorted(states))
        await asyncio.sleep(0.2)


def _tell(reader: Reader, report: dict[str, Any], sent: str) -> bool:
    steps = report.get("steps", [])
    for step in steps:
        say(f"  {_line(reader, step)}")
    if "state" not in report:
        reason = str(report.get("error", ""))
        complain(f"Учебный звонок не проведён: {_WHY.get(reason, reason)}.")
        return False
    say(f"Потрачено: {reader.dollars(int(report.get('micro_usd', 0)))}")
    if report["state"] != "done":
        complain(f"Учебный звонок не дошёл до конца: {report.get('error') or 'время вышло'}.")
        return False
    if sent != "sent":
        complain(f"Карточка не в чате ({sent or 'чат не задан'}): смотрите svodka check telegram.")
        return False
    poor = [step["name"] for step in steps if step["name"].startswith("post:") and step["name"].endswith(_POOR)]
    say("Карточка в чате." if not poor else "Карточка в чате, но неполная: в ней сказано, чего не хватило.")
    return not poor


def _tell_lead(reader: Reader, report: dict[str, Any]) -> bool:
    """A form or a deal: its steps, and where its card is."""
    title = reader.vendor(report["vendor"])
    say(f"{title}, учебный лид: в цифры не попадёт, менеджерам не предложен.")
    for step in report["steps"]:
        say(f"  {_line(reader, step)}")
    if report["state"] != "done":
        complain(f"{title}: учебный лид не дошёл до конца: {report['error'] or 'время вышло'}. Смотрите svodka check.")
        return False
    if report.get("sent") != "sent":
        complain(f"{title}: карточки нет ({report.get('sent') or 'у бота нет владельца'}). Отправьте боту /start КОД.")
        return False
    return True


def _line(reader: Reader, step: dict[str, Any]) -> str:
    known = f"why.step.{str(step['name']).partition(':')[0]}"
    title = reader.say(known) if known in reader.texts.entries else step["name"]
    if step["state"] != "done" or step["ms"] is None:
        return f"✗ {title}"
    return f"✓ {title} · {reader.took(float(step['ms']))}"
