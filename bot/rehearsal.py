"""A rehearsal: a marked test call with a bundled recording goes through the real chain, up to the chat."""

import asyncio
import secrets
from typing import Any

from sqlalchemy import select

from bot.entrance import ACCOUNT
from bot.services import Services
from bot.stage import LENGTH_S
from domain.calls import Cost
from domain.events import CallEnded
from storage.codec import dumps
from storage.models import charges, work, work_steps

WAIT_SECONDS = 120.0


def price(services: Services) -> list[Cost]:
    """What a rehearsal will cost, as estimated now."""
    calls = services.calls
    if calls is None:
        return []
    return [calls.transcriber.estimate(LENGTH_S)] if calls.transcriber and calls.transcriber.paid else []


async def rehearse(services: Services) -> dict[str, Any]:
    """Run one and report: each step with its milliseconds, the money, and how it ended."""
    if services.calls is None:
        return {"error": "telephony is off"}
    event = CallEnded(
        vendor="bitrix24", external_id=f"rehearsal-{secrets.token_hex(6)}", occurred_at=services.clock.now(), rehearsal=True
    )
    object_ = f"{event.vendor}:{event.external_id}"
    await services.work.add(
        account_id=ACCOUNT,
        kind="call",
        object_=object_,
        payload=dumps(CallEnded, event),
        source="rehearsal",
        now=services.clock.now(),
    )
    services.runner.wake()
    return await finished(services, "call", object_, seconds=WAIT_SECONDS)


async def finished(services: Services, kind: str, object_: str, *, seconds: float) -> dict[str, Any]:
    """How the work did, once it has ended, or as it is after ``seconds``."""
    deadline = services.clock.monotonic() + seconds
    report = await _report(services, kind, object_)
    while report["state"] not in {"done", "dead"} and services.clock.monotonic() < deadline:
        await asyncio.sleep(0.2)
        report = await _report(services, kind, object_)
    return report


async def _report(services: Services, kind: str, object_: str) -> dict[str, Any]:
    async with services.database.read() as connection:
        mine = (work.c.account_id == ACCOUNT) & (work.c.kind == kind) & (work.c.object == object_)
        row = (await connection.execute(select(work).where(mine))).one()
        made = select(work_steps).where(work_steps.c.work_id == row.id)
        steps = await connection.execute(made.order_by(work_steps.c.started_at, work_steps.c.finished_at))
        paid = (charges.c.account_id == ACCOUNT) & (charges.c.at >= row.created_at) & (charges.c.object == object_)
        spent = list(await connection.scalars(select(charges.c.micro_usd).where(paid)))
        listed = [{"name": step.name, "state": step.state, "ms": step.took_ms} for step in steps]
    return {"state": row.state, "error": row.error, "steps": listed, "micro_usd": sum(spent)}
