"""What happens by the clock and on request: polls, reconciliation, tidying, replays, rehearsals, figures."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import func, insert, select, update

from bot.counting import Counters
from bot.http.ingress import seed_of
from bot.reports import health, metrics
from bot.requests import Requests, answer_of, ask
from bot.retention import Retention
from bot.schedule import Schedule
from domain.directory import DirectoryList
from domain.events import WebinarRegistered
from domain.webinars import PageId, Registration
from integrations.bitrix24.fake_portal import FakeCall
from storage.arrivals import Arrival
from storage.inbox import new_delivery_id
from storage.models import calls, connections, counters, inbox, posts, requests, work, work_steps
from storage.queries.reckoning import last_reckonings
from tests.e2e.hour import Hour, open_hour


@pytest.fixture
async def hour(tmp_path: Path) -> AsyncIterator[Hour]:
    async with open_hour(tmp_path) as opened:
        yield opened


async def count(hour: Hour, table: object, *conditions: object) -> int:
    async with hour.services.database.read() as connection:
        return int(await connection.scalar(select(func.count()).select_from(table).where(*conditions)) or 0)  # type: ignore[arg-type]


async def call_states(hour: Hour) -> list[str]:
    async with hour.services.database.read() as connection:
        return list(await connection.scalars(select(calls.c.state).order_by(calls.c.id)))


async def test_the_first_poll_is_quiet_and_the_next_finds_what_was_lost(hour: Hour) -> None:
    (poll,) = hour.services.polls
    hour.town.call()
    assert await poll.poll() == 0  # history is loaded only on request
    lost = [hour.town.call(phone=f"+7900555010{number}") for number in range(3)]
    await hour.hears_of(lost[0])
    assert await poll.poll() == 2
    assert await poll.poll() == 0
    hour.services.runner.wake()
    await hour.quiet()
    assert len(await hour.cards()) == 3
    hour.town.portal.down = True
    assert await poll.poll() == 0
    assert await poll.reconcile() is None


async def test_the_reconciliation_leaves_history_alone_too(hour: Hour) -> None:
    (poll,) = hour.services.polls
    before = hour.clock.now() - timedelta(hours=2)
    hour.town.call(started_at=before)
    await poll.poll()
    await poll.reconcile()
    assert await count(hour, work) == 0


async def test_more_calls_than_a_page_are_all_found(hour: Hour) -> None:
    (poll,) = hour.services.polls
    await poll.poll()
    for _ in range(120):
        hour.town.call(None, duration_s=0, failed_code="304")
    assert await poll.poll() == 120
    assert await count(hour, work) == 120


async def test_the_reckoning_adds_up(hour: Hour) -> None:
    (poll,) = hour.services.polls
    await poll.poll()
    heard: list[FakeCall] = [hour.town.call(), hour.town.call("03_very_short", duration_s=6)]
    for call in heard:
        await hour.hears_of(call)
    await hour.quiet()
    hour.town.call(None, duration_s=0, failed_code="304")  # its event never came
    reckoning = await poll.reconcile()
    assert reckoning is not None
    figures = (reckoning.listed, reckoning.processed, reckoning.filtered, reckoning.waiting, reckoning.found)
    assert figures == (3, 1, 1, 1, 1)
    assert await last_reckonings(hour.services.database, 1) == (reckoning,)


async def test_a_recording_that_came_after_the_wait_reopens_the_call(hour: Hour) -> None:
    (poll,) = hour.services.polls
    await poll.poll()
    call = hour.town.call(None)
    await hour.hears_of(call)
    await hour.quiet()
    await hour.pass_seconds(2430)
    assert await call_states(hour) == ["no_recording"]
    hour.town.portal.attach(call, hour.town.recording())
    await poll.reconcile()
    hour.services.runner.wake()
    await hour.quiet()
    assert await call_states(hour) == ["carded"]
    (card,) = await hour.cards()
    assert "Саммари:" in card


async def test_a_body_is_emptied_and_a_recording_dropped_when_their_days_are_over(hour: Hour) -> None:
    services = hour.services
    await services.inbox.add(
        Arrival(
            id=new_delivery_id(), account_id=1, connection_id=1, vendor="bitrix24", kind="X", dedup_key="x",
            body_sha256="0" * 64, request=b"encrypted", received_at=hour.clock.now(), seeds=(),
        )
    )  # fmt: skip
    await hour.hears_of(hour.town.call())
    await hour.quiet()
    (recording,) = (services.settings.data_dir / "recordings").glob("*/*")
    retention = Retention(services)
    await retention.tidy()
    assert recording.exists()
    hour.clock.shift += timedelta(days=31).total_seconds()
    await retention.tidy()
    assert await count(hour, inbox, inbox.c.request.is_not(None)) == 0
    assert recording.exists()
    hour.clock.shift += timedelta(days=60).total_seconds()
    await retention.tidy()
    assert not recording.exists()
    assert await count(hour, calls, calls.c.transcript.is_not(None)) == 1
    hour.clock.shift += timedelta(days=300).total_seconds()
    await retention.tidy()
    assert await count(hour, calls, calls.c.transcript.is_not(None)) == 0
    assert await count(hour, calls) == 1


async def test_what_was_said_stays_in_no_table_and_no_folder(hour: Hour) -> None:
    services = hour.services
    await hour.hears_of(hour.town.call())
    await hour.quiet()
    folder = services.settings.data_dir / "recordings"
    (recording,) = folder.glob("*/*")
    replaced = recording.with_name("first-try")
    replaced.write_bytes(b"a recording that another one took the place of")
    assert any("Саммари:" in card for card in await hour.cards())
    await services.database.write(lambda tx: tx.execute(update(posts).values(state="sent")))
    hour.clock.shift += timedelta(days=366).total_seconds()
    retention = Retention(services)
    await retention.tidy()
    await retention.tidy()
    assert await hour.cards() == [""]
    assert await count(hour, calls, calls.c.recording_path != "") == 0
    assert not list(folder.glob("*/*"))
    assert await count(hour, work_steps) == 0


async def test_the_pages_of_a_reading_are_forgotten_after_a_day(hour: Hour) -> None:
    database, now = hour.services.database, hour.clock.now()
    read = {"id": 7, "account_id": 1, "kind": "directory", "object": "x", "generation": 1, "payload": "{}", "source": "tick"}
    read |= {"state": "done", "due_at": now, "created_at": now, "finished_at": now}
    await database.write(lambda tx: tx.execute(insert(work).values(**read)))
    page = {"work_id": 7, "name": "houses:0", "state": "done", "started_at": now}
    await database.write(lambda tx: tx.execute(insert(work_steps).values(**page)))
    await Retention(hour.services).tidy()
    assert await count(hour, work_steps, work_steps.c.work_id == 7) == 1
    hour.clock.shift += timedelta(days=2).total_seconds()
    await Retention(hour.services).tidy()
    assert await count(hour, work_steps, work_steps.c.work_id == 7) == 0


async def test_a_delivery_whose_call_a_poll_found_first_is_settled(hour: Hour) -> None:
    services = hour.services
    await services.inbox.add(
        Arrival(
            id=new_delivery_id(), account_id=1, connection_id=1, vendor="bitrix24", kind="X", dedup_key="x",
            body_sha256="0" * 64, request=b"e", received_at=hour.clock.now(), seeds=(),
        )
    )  # fmt: skip
    await services.database.write(lambda tx: tx.execute(update(inbox).values(state="received")))
    hour.clock.shift += 3700
    await Retention(services).tidy()
    assert await count(hour, inbox, inbox.c.state == "done") == 1


def counters_of(hour: Hour) -> Counters:
    """A node's, which has kept nothing yet."""
    return Counters(hour.services.hooks, hour.services.database, hour.clock)


async def test_counters_outlive_the_process(hour: Hour) -> None:
    kept = counters_of(hour)
    hour.services.hooks.rejected["BadSignature"] += 2
    await kept.keep()
    await kept.keep()
    hour.services.hooks.rejected["BadSignature"] += 1
    hour.services.hooks.unknown_kinds["bitrix24:ONCRM"] += 1
    await kept.keep()
    async with hour.services.database.read() as connection:
        rows = {row.name: row.value for row in await connection.execute(select(counters))}
    assert rows == {"rejected:BadSignature": 3, "unknown:bitrix24:ONCRM": 1}
    await counters_of(hour).keep()  # another node, which has seen as much
    async with hour.services.database.read() as connection:
        assert await connection.scalar(select(func.sum(counters.c.value))) == 8


async def asked(hour: Hour, kind: str, payload: dict[str, object]) -> dict[str, object]:
    number = await ask(hour.services.database, kind, payload, hour.clock.now())
    answering = asyncio.create_task(Requests(hour.services).answer())
    answer = await answer_of(hour.services.database, number, seconds=60)
    await answering
    assert answer is not None
    return answer


async def test_a_recorded_request_goes_through_again(hour: Hour) -> None:
    call = hour.town.call()
    body = hour.town.portal.event_body(call)
    head = b"POST /hooks/bitrix24/x HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded\r\n\r\n"
    request = {"vendor": "bitrix24", "request": (head + body).hex()}
    assert await asked(hour, "deliver", request) == {"started": 1, "works": 1}
    await hour.quiet()
    assert await asked(hour, "deliver", request) == {"started": 1, "works": 1}
    await hour.quiet()
    assert await count(hour, work) == 2
    assert len(await hour.cards()) == 1
    assert hour.town.models.paid == {"transcriptions": 1, "completions": 1}


async def test_who_registered_is_forgotten_with_the_delivery(hour: Hour) -> None:
    registration = Registration(sublist_id=PageId("222:page"), email="boris@example.ru", secret="opens-the-room")
    event = WebinarRegistered(vendor="bizon365", external_id="r1", occurred_at=None, registration=registration)
    services = hour.services
    await services.inbox.add(
        Arrival(
            id="d1", account_id=1, connection_id=1, vendor="bizon365", kind="registration", dedup_key="r1",
            body_sha256="0" * 64, request=b"encrypted", received_at=hour.clock.now(),
            seeds=(seed_of(event, services.vault),),
        )
    )  # fmt: skip
    done = update(work).where(work.c.delivery_id == "d1")

    async def finish(state: str) -> None:
        values = {"state": state, "finished_at": hour.clock.now()}
        await services.database.write(lambda tx: tx.execute(done.values(**values)))

    await finish("done")
    await Retention(services).tidy()
    assert await asked(hour, "replay", {"delivery": "d1"}) == {"started": 1, "works": 1}
    await finish("dead")
    hour.clock.shift += timedelta(days=31).total_seconds()
    await Retention(services).tidy()
    assert await count(hour, work, work.c.payload != "") == 0
    assert await count(hour, work, work.c.error.contains("повторить его нельзя")) == 2
    assert await asked(hour, "replay", {"delivery": "d1"}) == {"error": "forgotten"}
    assert await services.work.replay(1, hour.clock.now()) is None
    told_again = seed_of(event, services.vault).payload
    assert await services.work.replay(1, hour.clock.now(), payload=told_again) == 1


async def test_what_cannot_be_carried_out_is_answered(hour: Hour) -> None:
    assert await asked(hour, "replay", {"delivery": "nobody"}) == {"error": "not found"}
    assert await asked(hour, "deliver", {"vendor": "tilda", "request": ""}) == {"error": "vendor is off"}
    assert await asked(hour, "dance", {}) == {"error": "unknown request dance"}
    assert await asked(hour, "replay", {}) == {"error": "KeyError"}


async def test_what_nobody_waits_for_any_more_is_not_carried_out(hour: Hour) -> None:
    await ask(hour.services.database, "rehearse", {}, hour.clock.now())
    hour.clock.shift += 600
    await Requests(hour.services).answer()
    assert await count(hour, work) == 0
    assert await count(hour, requests, requests.c.state == "failed", requests.c.payload == "{}") == 1


async def test_a_rehearsal_goes_the_whole_way_and_touches_no_crm(hour: Hour) -> None:
    report = await asked(hour, "rehearse", {})
    assert report["state"] == "done"
    steps = report["steps"]
    assert isinstance(steps, list)
    assert {"look_up", "download", "gate", "transcribe", "summarise", "post:full"} <= {step["name"] for step in steps}
    (card,) = await hour.cards()
    assert card.startswith("🧪 Проверка.")
    assert hour.town.portal.comments == []
    assert hour.town.portal.asked("voximplant.statistic.get") == []


async def test_the_figures_the_process_shows(hour: Hour) -> None:
    await hour.hears_of(hour.town.call())
    await hour.quiet()
    report = await health(hour.services, leader=True)
    assert report["status"] == "ok"
    assert report["parts"] == {"api": "ok", "bitrix24": "ok", "speech": "ok", "model": "ok", "telegram": "unknown"}
    assert {name: one["problem"] for name, one in cast("Any", report["directory"]).items()} == dict.fromkeys(DirectoryList)
    hour.services.hooks.rejected['quo"te'] += 1
    text = await metrics(hour.services, leader=True)
    assert 'svodka_work_finished_total{kind="call"} 1\n' in text
    assert 'svodka_work_seconds_total{kind="call"} ' in text
    assert "svodka_work_dead 0\n" in text
    assert "svodka_digests_missed_total 0\n" in text
    assert 'svodka_deliveries_rejected_total{reason="quo\\"te"} 1' in text
    hour.town.portal.down = True
    await hour.hears_of(hour.town.call())
    await hour.quiet()
    report = await health(hour.services, leader=False)
    assert (report["status"], report["leader"]) == ("degraded", False)
    assert cast("Any", report["parts"])["bitrix24"] == "unavailable"
    assert 'svodka_work_failed_total{code="unavailable"} 1\n' in await metrics(hour.services, leader=False)


async def test_health_without_a_database(hour: Hour) -> None:
    async def gone() -> None:
        raise OSError("no such file")

    services = replace(hour.services, database=type("Gone", (), {"ping": staticmethod(gone)})())
    assert (await health(services, leader=True))["status"] == "unhealthy"


async def test_the_schedule_polls_and_answers(hour: Hour) -> None:
    schedule = Schedule(hour.services)
    schedule.start()
    try:
        number = await ask(hour.services.database, "dance", {}, hour.clock.now())
        assert await answer_of(hour.services.database, number, seconds=60) == {"error": "unknown request dance"}
        await hour.town.until(lambda: hour.town.portal.asked("voximplant.statistic.get"))
        assert await count(hour, connections, connections.c.cursor != "") == 1
    finally:
        await schedule.stop()


async def test_a_clock_that_jumps_is_written_down(hour: Hour, caplog: pytest.LogCaptureFixture) -> None:
    schedule = Schedule(hour.services)
    real = hour.clock.monotonic()
    hour.clock.shift += 1
    await schedule._watch_clock()
    assert "clock moved" not in caplog.text
    hour.clock.__dict__["monotonic"] = lambda: real - 400
    await schedule._watch_clock()
    assert "clock moved by 40" in caplog.text


async def test_at_the_limit_it_is_said_once_and_finished_later(tmp_path: Path) -> None:
    async with open_hour(tmp_path, COST_LIMIT_DAY="0.0001") as hour:
        for number in range(2):
            await hour.hears_of(hour.town.call(phone=f"+7900555010{number}"))
        await hour.quiet()
        assert hour.town.models.paid == {"transcriptions": 0, "completions": 0}
        assert [text for text in await hour.notices() if "лимит" in text] == ["💰 Дневной лимит трат на модели исчерпан"]
        assert all("Лимит трат" in card for card in await hour.cards())
