"""Rules applied to leads that were there before them, piece by piece, and every piece taken back as it was."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.ads import AdRun, RunState
from domain.errors import BadInput
from domain.ports import Tx
from domain.roles import Person
from storage.ad_rules import AdRuleStore
from storage.assigning import Change, Judge, Standing, following, standings, these, write_standings
from storage.bulk import insert_work, new_work
from storage.engine import Database
from storage.models import ad_runs, leads
from storage.sets import BulkWrite, execute, fetch

SEEN_AT_ONCE = 2_000  # leads looked through outside of any write
CHANGED_AT_ONCE = 100  # in one write, which holds the writer for some 10 ms
UNDO_WITHIN = timedelta(days=1)  # later others have worked with the figures that came of it
UNDER_WAY = (RunState.RUNNING.value, RunState.UNDOING.value)

WorkOf = Callable[[AdRun], tuple[str, str, str]]  # its kind, object and payload
Shown = Callable[[Tx, AdRun], Awaitable[object]]

_KEEP = BulkWrite(
    table="ad_changes",
    columns=("run_id", "lead_id", "was", "now"),
    types=("int", "bigint", "text", "text"),
    conflict="(run_id, lead_id) DO NOTHING",
)
_LEFT = "SELECT lead_id, was, now FROM ad_changes WHERE run_id = :run ORDER BY lead_id LIMIT :most"
_FORGET = "DELETE FROM ad_changes WHERE run_id = :run AND lead_id IN {ids}"
_FORGET_SOME = """
DELETE FROM ad_changes WHERE run_id = :run AND lead_id IN (
    SELECT lead_id FROM ad_changes WHERE run_id = :run ORDER BY lead_id LIMIT :most)
"""


class AdRunStore:
    """Runs of all accounts; of one account one at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._judges: dict[int, Judge] = {}  # of runs that are going: what the rules say of a mark is found once

    async def begin(
        self, by: Person, version: int, work: WorkOf, shown: Shown, *, chat_id: int, now: datetime
    ) -> AdRun | None:
        """A run over all leads there are, in one commit with its work and what the chat shows of it. None: one is going."""
        mine = leads.c.account_id == by.account_id
        async with self._database.read() as connection:
            last, total = (await connection.execute(select(func.max(leads.c.id), func.count()).where(mine))).one()
        values = {"account_id": by.account_id, "version": version, "state": RunState.RUNNING.value}
        values |= {"asked_by": by.user_id, "chat_id": chat_id, "last": last or 0, "total": total, "started_at": now}

        async def job(connection: AsyncConnection) -> AdRun | None:
            busy = select(ad_runs.c.id).where(ad_runs.c.account_id == by.account_id, ad_runs.c.state.in_(UNDER_WAY))
            if await connection.scalar(busy.limit(1)) is not None:
                return None
            run = _run((await connection.execute(insert(ad_runs).values(**values).returning(ad_runs))).one())
            await self._set_going(connection, run, work(run), now)
            await shown(cast("Tx", connection), run)
            return run

        return await self._database.write(job)

    async def begin_undoing(self, by: Person, run_id: int, work: WorkOf, *, now: datetime) -> AdRun:
        """With its work. BadInput where it is too late, or another run came after this one."""
        newest = select(func.max(ad_runs.c.id)).where(
            ad_runs.c.account_id == by.account_id, ad_runs.c.state != RunState.UNDONE.value
        )

        async def job(connection: AsyncConnection) -> AdRun:
            run = await _get(connection, by.account_id, run_id)
            if run is None or run.state is not RunState.DONE:
                raise BadInput("run", "Отменять здесь уже нечего.")
            if run.ended_at is None or now - run.ended_at > UNDO_WITHIN:
                raise BadInput("run", "Отменить можно в течение суток.")
            if await connection.scalar(newest) != run_id:
                raise BadInput("run", "После этого правила применяли ещё раз: сначала отмените последнее применение.")
            going = update(ad_runs).where(ad_runs.c.id == run_id).values(state=RunState.UNDOING.value)
            await connection.execute(going)
            run = replace(run, state=RunState.UNDOING)
            await self._set_going(connection, run, work(run), now)
            return run

        return await self._database.write(job)

    async def get(self, account_id: int, run_id: int) -> AdRun | None:
        async with self._database.read() as connection:
            return await _get(connection, account_id, run_id)

    async def go_on(self, run: AdRun) -> AdRun:
        """One piece further; a run that is through has looked at its last lead. Safe to begin again."""
        judge = self._judges.get(run.id)
        if judge is None:
            judge = Judge(await AdRuleStore(self._database).version(run.account_id, run.version))
            self._judges[run.id] = judge
        async with self._database.read() as connection:
            rows = await following(connection, run.account_id, run.after, run.last, SEEN_AT_ONCE)
            changes = await judge.changes(connection, run.account_id, rows)
        for start in range(0, len(changes), CHANGED_AT_ONCE):
            ids = [change.lead_id for change in changes[start : start + CHANGED_AT_ONCE]]
            run = await self._database.write(partial(_apply, run=run, judge=judge, lead_ids=ids))
        after = rows[-1][0] if rows else run.last
        run = replace(run, after=after if len(rows) == SEEN_AT_ONCE else run.last, done=run.done + len(rows))
        return await self._database.write(partial(_keep, run=run))

    async def take_back(self, run: AdRun) -> AdRun | None:
        """Some leads as they were before the run, those that nobody has changed since; None when none are left."""

        async def job(connection: AsyncConnection) -> AdRun | None:
            told = await fetch(connection, _LEFT, {"run": run.id, "most": CHANGED_AT_ONCE})
            if not told:
                return None
            ids = [row[0] for row in told]
            stand = standings(await these(connection, run.account_id, ids))
            back = [
                Change(lead_id, stand[lead_id][0], _standing(now), _standing(was))
                for lead_id, was, now in told
                if lead_id in stand and stand[lead_id][1] == _standing(now)
            ]
            await write_standings(connection, run.account_id, back)
            await execute(connection, _FORGET, {"run": run.id, "ids": ids})
            return await _keep(connection, replace(run, restored=run.restored + len(back)))

        return await self._database.write(job)

    async def settle(self, tx: Tx, run: AdRun, state: RunState, now: datetime) -> None:
        self._judges.pop(run.id, None)
        ended = update(ad_runs).where(ad_runs.c.id == run.id).values(state=state.value, ended_at=now)
        await cast("AsyncConnection", tx).execute(ended)

    async def forget_changes(self, before: datetime) -> None:
        """Runs that ended before then cannot be undone any more, so nothing is kept of what they changed."""
        old = select(ad_runs.c.id).where(ad_runs.c.ended_at < before, ad_runs.c.state == RunState.DONE.value)
        async with self._database.read() as connection:
            ids = list(await connection.scalars(old))
        for run_id in ids:
            values = {"run": run_id, "most": CHANGED_AT_ONCE}
            while await self._database.write(partial(execute, sql=_FORGET_SOME, values=values)):
                pass

    async def _set_going(self, connection: AsyncConnection, run: AdRun, work: tuple[str, str, str], now: datetime) -> None:
        kind, object_, payload = work
        row = new_work(
            self._database, account_id=run.account_id, kind=kind, object_=object_, payload=payload, source="chat",
            delivery_id=None, now=now,
        )  # fmt: skip
        await insert_work(self._database).run(connection, [row])


async def _apply(connection: AsyncConnection, run: AdRun, judge: Judge, lead_ids: Sequence[int]) -> AdRun:
    """Within a write: looked at once more, for somebody may have said something of them meanwhile."""
    changes = await judge.changes(connection, run.account_id, await these(connection, run.account_id, lead_ids))
    await write_standings(connection, run.account_id, changes)
    kept = [(run.id, change.lead_id, json.dumps(change.was), json.dumps(change.now)) for change in changes]
    await _KEEP.run(connection, kept)
    return await _keep(connection, replace(run, changed=run.changed + len(changes)))


async def _keep(connection: AsyncConnection, run: AdRun) -> AdRun:
    values = {name: getattr(run, name) for name in ("after", "done", "changed", "restored")}
    await connection.execute(update(ad_runs).where(ad_runs.c.id == run.id).values(**values))
    return run


async def _get(connection: AsyncConnection, account_id: int, run_id: int) -> AdRun | None:
    mine = select(ad_runs).where(ad_runs.c.account_id == account_id, ad_runs.c.id == run_id)
    row = (await connection.execute(mine)).one_or_none()
    return _run(row) if row is not None else None


def _run(row: Any) -> AdRun:
    values = {name: getattr(row, name) for name in AdRun.__slots__}
    return AdRun(**values | {"state": RunState(row.state)})


def _standing(text: str) -> Standing:
    return Standing(*json.loads(text))
