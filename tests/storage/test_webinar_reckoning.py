"""Every report a platform lists has one fate here, and the figures add up."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from domain.webinars import WebinarReport
from storage.engine import Database
from storage.models import webinars, work, work_steps
from storage.queries.webinar_reckoning import (
    UnreadReport,
    WebinarReckoning,
    keep_webinar_reckoning,
    last_webinar_reckonings,
    reckon_webinars,
)
from tests.storage.hall import START, after

# name → (works as (state, source, quiet or None), state of the webinar or "")
REPORTS: dict[str, tuple[list[tuple[str, str, bool | None]], str]] = {
    "told": ([("done", "hook", False)], "complete"),
    "asked": ([("done", "poll", False)], "complete"),
    "remade": ([("done", "hook", False), ("done", "remade", True)], "complete"),
    "old": ([("done", "poll", True)], "complete"),
    "late": ([("ready", "hook", None)], ""),
    "running": ([("running", "poll", False)], "loading"),
    "again": ([("done", "hook", False), ("ready", "remade", None)], "complete"),
    "refused": ([("dead", "hook", None)], ""),
    "never": ([("done", "poll", None)], ""),
    "new": ([], ""),
}


async def seed(database: Database) -> None:
    async def job(connection: Any) -> None:
        for name, (works, state) in REPORTS.items():
            for generation, (how, source, quiet) in enumerate(works, 1):
                row = {"account_id": 1, "kind": "webinar", "object": f"bizon365:{name}", "generation": generation}
                row |= {"payload": "{}", "source": source, "state": how, "due_at": START, "created_at": START}
                added = await connection.execute(insert(work).values(**row).returning(work.c.id))
                step = {"work_id": added.scalar_one(), "name": "sort", "state": "done", "started_at": START}
                if quiet is not None:
                    await connection.execute(insert(work_steps).values(**step, result="true" if quiet else "false"))
            if state:
                held = {"account_id": 1, "vendor": "bizon365", "external_id": name, "state": state, "source": "hook"}
                await connection.execute(insert(webinars).values(**held, ended_at=START, heard_at=START, live=True))

    await database.write(job)


def listed() -> list[WebinarReport]:
    return [WebinarReport(external_id=name, title=name.title(), started_at=START) for name in REPORTS]


@pytest.fixture
async def reckoning(database: Database) -> WebinarReckoning:
    await seed(database)
    return await reckon_webinars(database, 1, "bizon365", listed(), now=after(600), found=1)


async def test_every_report_has_one_fate(database: Database, reckoning: WebinarReckoning) -> None:
    assert (reckoning.hook, reckoning.poll, reckoning.waiting, reckoning.skipped, reckoning.failed) == (2, 1, 4, 1, 2)
    assert reckoning.listed == sum((2, 1, 4, 1, 2))
    assert [(one.title, one.started_at) for one in reckoning.unread] == [("Refused", START), ("Never", START)]
    assert all(isinstance(one, UnreadReport) and one.work_id for one in reckoning.unread)
    others = await reckon_webinars(database, 2, "bizon365", listed(), now=after(600), found=0)
    assert others.waiting == others.listed == len(REPORTS)


async def test_the_newest_is_kept(database: Database, reckoning: WebinarReckoning) -> None:
    assert await last_webinar_reckonings(database, 1) == ()
    await keep_webinar_reckoning(database, 1, reckoning)
    later = WebinarReckoning(vendor="bizon365", at=reckoning.at + timedelta(hours=1))
    await keep_webinar_reckoning(database, 1, later)
    assert await last_webinar_reckonings(database, 1) == (later,)
    assert await last_webinar_reckonings(database, 11) == ()
