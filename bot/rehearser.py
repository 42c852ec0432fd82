"""A rehearsal asked for in the chat: the same request that the command line makes of the leader, and its answer read."""

from collections.abc import Sequence
from typing import Any

from bot.commands.rehearsing import LEADS_SECONDS, price
from bot.rehearsal import WAIT_SECONDS
from bot.requests import answer_of, ask
from bot.settings import Settings
from domain.ports import Clock
from handlers.checks.desk import Rehearsed
from storage.engine import Database

NO_TELEPHONY = "telephony is off"
FAULTS = {"": "свой адрес вебхука не ответил", "dead": "шаг не удался, подробности в /errors"}
UNFINISHED = "время вышло, попытки продолжаются, следите в /errors"
NO_CARD = "карточка ещё не в чате"


async def cost_of(settings: Settings) -> int:
    """In micro-dollars, as estimated now."""
    return sum(one.micro_usd for one in await price(settings))


async def rehearsed(database: Database, clock: Clock) -> Sequence[Rehearsed] | None:
    """How each part went; None where nobody answered: the process was stopped meanwhile."""
    number = await ask(database, "rehearse", {}, clock.now())
    answer = await answer_of(database, number, seconds=WAIT_SECONDS + LEADS_SECONDS)
    if answer is None:
        return None
    leads = [_part(one, vendor=str(one["vendor"])) for one in answer.get("leads", [])]
    if "state" not in answer:
        off = answer.get("error") == NO_TELEPHONY
        return leads if off else None
    return [_part(answer), *leads]


def _part(report: dict[str, Any], *, vendor: str = "") -> Rehearsed:
    steps = tuple((str(one["name"]), _took(one)) for one in report["steps"])
    fault = "" if report["state"] == "done" else FAULTS.get(str(report["state"]), UNFINISHED)
    if not fault and report.get("sent", "sent") != "sent":
        fault = NO_CARD
    return Rehearsed(vendor=vendor, steps=steps, fault=fault, micro_usd=int(report.get("micro_usd", 0)))


def _took(step: dict[str, Any]) -> float | None:
    return float(step["ms"]) if step["state"] == "done" and step["ms"] is not None else None
