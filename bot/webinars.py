"""Webinars joined to the process: the services of their pipelines, and the work that people ask for in the chat."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.http.ingress import seed_of
from bot.settings import Settings
from domain.attendance import Yardstick
from domain.events import FollowUpDue, RegistrationAsked
from domain.messages import Texts
from domain.ports import Clock, Funnel, Steps, Tx, WebinarPlatform
from domain.work import WorkItem
from handlers.webinars.catalogue import Catalogue
from handlers.webinars.desk import Asking
from handlers.webinars.followup import follow_up
from handlers.webinars.pipeline import webinar_ended
from handlers.webinars.registering import register_person, registered
from handlers.webinars.services import WebinarPolicy, WebinarServices
from storage.codec import dumps
from storage.engine import Database
from storage.models import work, work_steps
from storage.posts import StoredChat
from storage.registrations import RegistrationStore
from storage.rules import RuleStore
from storage.sealed import seal
from storage.vault import Vault
from storage.webinars import WebinarStore
from storage.work import WorkStore, add_work

Run = Callable[[WorkItem[Any], Steps], Awaitable[None]]


def build_webinar_services(
    platform: WebinarPlatform,
    settings: Settings,
    database: Database,
    *,
    chat: StoredChat,
    clock: Clock,
    texts: Texts,
    run_cpu: Callable[[Callable[[], object]], Awaitable[object]],
    quiet_before: datetime | None,
    posted: Callable[[], None],
    digests: Callable[[Tx, int, int], Awaitable[int]],
    begun: Callable[[], None],
    funnels: Mapping[str, Funnel],
) -> WebinarServices:
    yardstick = Yardstick(attended_s=settings.attended_min_s)

    async def write(job: Callable[[Tx], Awaitable[int]]) -> int:
        async def within(connection: AsyncConnection) -> int:
            return await job(cast("Tx", connection))

        return await database.write(within)

    async def plan(tx: Tx, account_id: int, event: FollowUpDue, due_at: datetime) -> bool:
        seed = seed_of(event)
        return await add_work(
            cast("AsyncConnection", tx), account_id=account_id, kind=seed.kind, object_=seed.object, payload=seed.payload,
            source="tick", now=clock.now(), due_at=due_at,
        )  # fmt: skip

    return WebinarServices(
        platform=platform,
        webinars=WebinarStore(database, yardstick),
        registrations=RegistrationStore(),
        rules=RuleStore(database),
        catalogue=Catalogue(platform, clock),
        chat=chat,
        clock=clock,
        texts=texts,
        timezone=settings.timezone,
        data_dir=settings.data_dir,
        policy=WebinarPolicy(catchup_max_age=settings.catchup_max_age, quiet_before=quiet_before, yardstick=yardstick),
        plan=plan,
        digests=digests,
        begun=begun,
        write=write,
        run_cpu=run_cpu,
        posted=posted,
        funnels=funnels,
    )


def webinar_runs(services: WebinarServices | None) -> Mapping[str, Run]:
    """What is done for each kind of work; without a platform such work waits to be given up, and says why."""

    def of(pipeline: Callable[[WorkItem[Any], Steps, WebinarServices], Awaitable[None]]) -> Run:
        async def run(item: WorkItem[Any], steps: Steps) -> None:
            if services is None:
                raise RuntimeError("no webinar platform is configured")
            await pipeline(item, steps, services)

        return run

    runs: Mapping[str, Callable[[WorkItem[Any], Steps, WebinarServices], Awaitable[None]]]
    runs = {"webinar": webinar_ended, "followup": follow_up, "registration": registered, "register": register_person}
    return {kind: of(pipeline) for kind, pipeline in runs.items()}


_SETTLING_TRIES, _SETTLING_SECONDS = 100, 0.05


class Registrar:
    """Begins the durable work of registering somebody. ``wake`` is called when there is something to do."""

    def __init__(self, database: Database, store: WorkStore, vault: Vault, clock: Clock, wake: Callable[[], None]) -> None:
        self._database = database
        self._vault = vault
        self._store = store
        self._clock = clock
        self._wake = wake

    async def ask(self, account_id: int, event: RegistrationAsked) -> Asking:
        """What was given up before goes on; what is done already is not done again.

        RUNNING: it will be told wherever there was a message under its key before this was asked.
        """
        object_, now = f"{event.vendor}:{event.external_id}", self._clock.now()
        payload = seal(self._vault, dumps(RegistrationAsked, event))
        added = await self._store.add(
            account_id=account_id, kind="register", object_=object_, payload=payload, source="chat", now=now
        )
        if not added:
            row = await self._settled(account_id, object_)
            if row.state == "done" or row.told:
                return Asking.DONE
            if row.state != "dead" or not await self._store.replay(row.id, now, payload=payload):
                return Asking.RUNNING
        self._wake()
        return Asking.STARTED

    async def _settled(self, account_id: int, object_: str) -> Any:
        """The newest work on it. What has just been refused is told already and given up, or put off, in the next write."""
        for _ in range(_SETTLING_TRIES):
            row = await self._latest(account_id, object_)
            if row.state != "running" or not row.refused:
                break
            await asyncio.sleep(_SETTLING_SECONDS)
        return row

    async def _latest(self, account_id: int, object_: str) -> Any:
        mine = (work.c.account_id == account_id) & (work.c.kind == "register") & (work.c.object == object_)
        told, refused = _has_step("post:done", "done").label("told"), _has_step("register", "failed").label("refused")
        newest = select(work.c.id, work.c.state, told, refused).where(mine).order_by(work.c.generation.desc()).limit(1)
        async with self._database.read() as connection:
            return (await connection.execute(newest)).one()


def _has_step(name: str, state: str) -> ColumnElement[bool]:
    return exists().where(work_steps.c.work_id == work.c.id, work_steps.c.name == name, work_steps.c.state == state)
