"""Rehearsals of leads: a form of Tilda and a deal of amoCRM, sent to our own address as these systems send them."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import select

from bot.hooks import Endpoint
from bot.http.ingress import seed_of
from bot.rehearsal import finished
from bot.services import Services
from bot.trial_runs import new_mark
from domain.errors import VendorUnavailable
from domain.events import CrmChanged, LeadsChanged
from domain.webhooks import Delivery
from handlers.leads.rehearsal import card_key
from integrations.kit.http import HttpClient
from storage.models import posts

WAIT_SECONDS = 40.0
SENT_SECONDS = 20.0
NAME, PHONE, EMAIL = "Проверка Сводки", "+7 900 000-00-01", "proverka@example.com"
NO_LEADS_OWN = 800_000_000_000_000  # no account counts its leads as far as this
EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - is compared, not listened on
_KIND = {"content-type": "application/x-www-form-urlencoded"}

Report = dict[str, Any]


async def rehearse_leads(services: Services) -> list[Report]:
    """One report for each connected source of leads: its steps with their milliseconds, and how it ended."""
    named = [(vendor, services.hooks.default(vendor), body) for vendor, body in BODIES.items()]
    return [await _one(services, endpoint, body) for _, endpoint, body in named if endpoint is not None]


def _form(mark: str, _now: int) -> list[tuple[str, str]]:
    ad = [("utm_source", "rehearsal"), ("utm_campaign", "svodka")]
    return [("Name", NAME), ("Phone", PHONE), ("Email", EMAIL), *ad, ("tranid", mark), ("formname", "Учебная заявка")]


def _deal(mark: str, now: int) -> list[tuple[str, str]]:
    """A contact and its deal in one hook; the name of the deal bears the mark, the contact's is shown."""
    number = NO_LEADS_OWN + secrets.randbelow(10**12)
    lead, contact = "leads[add][0]", "contacts[add][0]"
    phone = f"{contact}[custom_fields][0]"
    times = [(f"{one}[{name}]", str(now)) for one in (lead, contact) for name in ("created_at", "last_modified")]
    return [
        (f"{lead}[id]", str(number)), (f"{lead}[name]", mark), (f"{lead}[price]", "1"),
        (f"{contact}[id]", str(number)), (f"{contact}[name]", NAME), (f"{contact}[type]", "contact"),
        (f"{contact}[linked_leads_id][{number}][ID]", str(number)),
        (f"{phone}[code]", "PHONE"), (f"{phone}[values][0][value]", PHONE), *times,
    ]  # fmt: skip


BODIES: dict[str, Callable[[str, int], list[tuple[str, str]]]] = {"tilda": _form, "amocrm": _deal}


async def _one(services: Services, endpoint: Endpoint, body: Callable[[str, int], list[tuple[str, str]]]) -> Report:
    now = services.clock.now()
    fields = body(new_mark(services.keys), int(now.timestamp()))
    raw = urlencode(fields).encode()
    sent = Delivery(method="POST", path=f"/hooks/{endpoint.vendor}/", query="", headers=_KIND, body=raw, received_at=now)
    (event,) = endpoint.receiver.parse(sent).events
    assert isinstance(event, LeadsChanged | CrmChanged)  # noqa: S101 - our own form
    report: Report = {"vendor": endpoint.vendor, "state": "", "error": "", "steps": []}
    began = services.clock.monotonic()
    if problem := await _post(services, endpoint, dict(fields)):
        return report | {"error": problem}
    report["steps"].append(_step("rehearse_intake", services.clock.monotonic() - began))
    seed = seed_of(event, services.vault)
    done = await finished(services, seed.kind, seed.object, seconds=WAIT_SECONDS)
    report |= {"state": done["state"], "error": done["error"], "steps": [*report["steps"], *done["steps"]]}
    if done["state"] == "done":
        began = services.clock.monotonic()
        report["sent"] = await _sent(services, card_key(event))
        report["steps"].append(_step("rehearse_sent", services.clock.monotonic() - began, good=report["sent"] == "sent"))
    return report


async def _post(services: Services, endpoint: Endpoint, form: dict[str, str]) -> str:
    """Through the door that everybody uses; why it did not open, "" when it did."""
    host, port = services.settings.http_host, services.settings.http_port
    host = "127.0.0.1" if host in EVERYWHERE else host
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}/hooks/{endpoint.vendor}/{endpoint.secret}"
    client = HttpClient(endpoint.vendor, secrets=(endpoint.secret,), total_s=10, trust_env=False)
    try:
        answer = await client.request("rehearsal", "POST", url, form=form)
    except VendorUnavailable as failure:
        return failure.message
    finally:
        await client.close()
    return "" if answer.status == 200 else f"HTTP {answer.status}"


async def _sent(services: Services, key: str) -> str:
    """ "sent", or the state of its posts; "" where nobody runs the bot yet."""
    deadline = services.clock.monotonic() + SENT_SECONDS
    while True:
        async with services.database.read() as connection:
            states = set(await connection.scalars(select(posts.c.state).where(posts.c.key == key)))
        if states <= {"sent"} or services.clock.monotonic() > deadline:
            return ", ".join(sorted(states))
        await asyncio.sleep(0.1)


def _step(name: str, seconds: float, *, good: bool = True) -> Report:
    return {"name": name, "state": "done" if good else "failed", "ms": round(seconds * 1000)}
