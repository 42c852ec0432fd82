"""What the command line asks of the leader: a row in ``requests``, answered in the row."""

import asyncio
import json
import logging
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.entrance import ACCOUNT
from bot.http.ingress import seed_of
from bot.rehearsal import rehearse
from bot.services import Services
from bot.table_loads import go_on_with
from bot.trials import rehearse_leads
from domain.webhooks import replayed
from storage.arrivals import WorkSeed
from storage.engine import Database
from storage.imports import ImportStore
from storage.models import inbox, requests, work

log = logging.getLogger(__name__)

ANSWERED_WITHIN = timedelta(minutes=5)  # who asked before a restart waits no more, and may have asked again


async def ask(database: Database, kind: str, payload: dict[str, Any], now: datetime) -> int:
    """Write a request; its id. The caller holds no leadership."""

    async def job(connection: AsyncConnection) -> int:
        values = {"kind": kind, "payload": json.dumps(payload), "state": "asked", "asked_at": now}
        return int((await connection.execute(insert(requests).values(**values).returning(requests.c.id))).scalar_one())

    return await database.write(job)


async def answer_of(database: Database, request_id: int, *, seconds: float) -> dict[str, Any] | None:
    """The leader's answer, or None when it did not come in time."""
    for _ in range(int(seconds / 0.2)):
        async with database.read() as connection:
            row = (await connection.execute(select(requests).where(requests.c.id == request_id))).one()
        if row.state != "asked":
            answer: dict[str, Any] = json.loads(row.answer)
            return answer
        await asyncio.sleep(0.2)
    return None


class Requests:
    """Answers in the leader. A rehearsal takes minutes, so it goes on by itself while others are answered."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._rehearsal: asyncio.Task[None] | None = None
        self._rehearsing = 0

    async def answer(self) -> None:
        """Carry out what was asked, oldest first; rehearsals one at a time, begun here and answered later."""
        services = self._services
        async with services.database.read() as connection:
            open_ones = select(requests).where(requests.c.state == "asked", requests.c.id != self._rehearsing)
            asked = (await connection.execute(open_ones.order_by(requests.c.id))).all()
        for row in asked:
            if services.clock.now() - row.asked_at > ANSWERED_WITHIN:
                await _answer(services, row.id, "failed", {"error": "too late"})
            elif row.kind != "rehearse":
                await _settle(services, row.id, row.kind, row.payload)
            elif self._rehearsal is None:
                self._rehearsing = row.id
                self._rehearsal = asyncio.create_task(self._rehearse(row.id, row.payload), name=f"rehearsal-{row.id}")

    async def stop(self) -> None:
        """End the rehearsal under way: its asker is told, and the next start does not pay for another."""
        task, request_id = self._rehearsal, self._rehearsing
        if task is None:
            return
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if task.cancelled():
            await _answer(self._services, request_id, "failed", {"error": "stopped"})

    async def _rehearse(self, request_id: int, payload: str) -> None:
        try:
            await _settle(self._services, request_id, "rehearse", payload)
        except Exception:  # the answer could not be written: it is carried out again, or too late
            log.exception("request %d could not be answered", request_id)
        finally:
            self._rehearsal, self._rehearsing = None, 0


async def _settle(services: Services, request_id: int, kind: str, payload: str) -> None:
    try:
        answer = await _carry_out(services, kind, json.loads(payload))
        state = "done"
    except Exception as error:  # the asker is told, the schedule goes on
        log.exception("request %s", kind)
        answer, state = {"error": type(error).__name__}, "failed"
    await _answer(services, request_id, state, answer)


async def _answer(services: Services, request_id: int, state: str, answer: dict[str, Any]) -> None:
    values = {"state": state, "answer": json.dumps(answer, ensure_ascii=False), "answered_at": services.clock.now()}
    values["payload"] = "{}"  # a recorded request may hold a vendor's token

    async def job(connection: AsyncConnection) -> None:
        await connection.execute(update(requests).where(requests.c.id == request_id).values(**values))

    await services.database.write(job)


async def _carry_out(services: Services, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    if kind == "replay":
        return await _replay(services, str(payload["delivery"]))
    if kind == "deliver":
        return await _deliver(services, str(payload["vendor"]), bytes.fromhex(payload["request"]))
    if kind == "import":
        return await _load(services, int(payload["import"]))
    if kind == "rehearse":
        call, leads = await rehearse(services), await rehearse_leads(services)
        return {**call, "leads": leads} if leads else call
    return {"error": f"unknown request {kind}"}


async def _replay(services: Services, delivery_id: str) -> dict[str, Any]:
    """Every work the delivery gave runs again: dead ones from their failed step, done ones as a new generation."""
    async with services.database.read() as connection:
        known = await connection.scalar(select(inbox.c.id).where(inbox.c.id == delivery_id))
        rows = await connection.execute(
            select(work.c.kind, work.c.object, work.c.id, (work.c.payload == "").label("emptied"))
            .where(work.c.delivery_id == delivery_id)
            .order_by(work.c.generation)
        )
        newest = {(row.kind, row.object): row for row in rows}
    if known is None:
        return {"error": "not found"}
    if newest and all(row.emptied for row in newest.values()):
        return {"error": "forgotten"}
    started = [row.id for row in newest.values() if await services.work.replay(row.id, services.clock.now())]
    services.runner.wake()
    return {"started": len(started), "works": len(newest)}


async def _load(services: Services, import_id: int) -> dict[str, Any]:
    """A table that the command line put beside ours."""
    table = await ImportStore(services.database).get(ACCOUNT, import_id)
    if table is None:
        return {"error": "not found"}
    await go_on_with(services, table)
    return {"started": 1}


async def _deliver(services: Services, vendor: str, request: bytes) -> dict[str, Any]:
    """A recorded request, parsed as if it came now; its work runs again when it was known already."""
    endpoint = services.hooks.default(vendor)
    if endpoint is None:
        return {"error": "vendor is off"}
    parsed = endpoint.receiver.parse(replayed(request, services.clock.now()))
    started = 0
    for seed in [seed_of(event, services.vault) for event in parsed.events]:
        now = services.clock.now()
        account = endpoint.account_id
        added = await services.work.add(
            account_id=account, kind=seed.kind, object_=seed.object, payload=seed.payload, source="replay", now=now
        )
        started += added or await _again(services, account, seed)
    services.runner.wake()
    return {"started": started, "works": len(parsed.events)}


async def _again(services: Services, account_id: int, seed: WorkSeed) -> bool:
    newest = (
        select(work.c.id)
        .where(work.c.account_id == account_id, work.c.kind == seed.kind, work.c.object == seed.object)
        .order_by(work.c.generation.desc())
        .limit(1)
    )
    async with services.database.read() as connection:
        work_id = await connection.scalar(newest)
    now = services.clock.now()
    return work_id is not None and await services.work.replay(work_id, now, payload=seed.payload) is not None
