"""The questions asked of the database, on SQLite and PostgreSQL."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from handlers.calls.ask import understand
from storage.engine import Database
from storage.held import count_held, held_posts
from storage.models import charges, connections, counters, destinations, inbox, posts, settings
from storage.queries import calls as calls_query
from storage.queries.call import find_call, find_call_of, post_key_of
from storage.queries.calls import CallPage, CallQuery, Slice, find_calls
from storage.queries.failures import failed_works, failure_kinds
from storage.queries.health import (
    counted,
    dead_destinations,
    last_events,
    read_queue,
    spent,
    unknown_kinds,
)
from storage.queries.journal import find_work, read_journal
from storage.queries.questions import KEPT, Question, keep_question, kept_question
from storage.queries.repeats import possible_repeats
from storage.queries.rhythm import usual_gap, usual_gaps
from storage.queries.settings import MIN_DURATION, change_setting, min_duration_s, setting
from storage.queries.workings import accepted_kinds, finished_kinds, unfinished_kinds
from tests.handlers.conftest import MOSCOW
from tests.handlers.seed import NOON, bare, call_row, put, seed_accounts, seed_calls, seed_post, seed_steps, seed_work


async def ids(database: Database, query: CallQuery, **more: int) -> list[int]:
    return [row.id for row in (await find_calls(database, 1, query, limit=50, **more)).rows]


async def test_calls_by_each_thing_one_can_ask_for(database: Database) -> None:
    short_talk, short, missed, unrecorded, heard, sale, silent = await seed_calls(database)
    every = [short_talk, short, missed, unrecorded, heard, sale, silent]
    assert await ids(database, CallQuery()) == every
    assert await ids(database, CallQuery(phone="74951112233")) == [sale]
    assert await ids(database, CallQuery(phone_tail="4567")) == [short_talk, short, missed, silent]
    assert await ids(database, CallQuery(words=("ПЕСОК",))) == [short_talk, sale]
    assert await ids(database, CallQuery(words=("песок", "пятниц"))) == [short_talk, sale]
    assert await ids(database, CallQuery(words=("небылица",))) == []
    assert await ids(database, CallQuery(names=("алешин",))) == [unrecorded]
    assert await ids(database, CallQuery(names=("Ёлкин",))) == [silent]
    assert await ids(database, CallQuery(anywhere=("петров",))) == [sale]
    assert await ids(database, CallQuery(anywhere=("песок",))) == [short_talk, sale]
    assert await ids(database, CallQuery(kind="sale")) == [sale]
    assert await ids(database, CallQuery(since=NOON - timedelta(hours=3))) == [short_talk, short, missed]
    assert await ids(database, CallQuery(until=NOON - timedelta(hours=50))) == [silent]
    assert await ids(database, CallQuery(phone="79991234567", words=("песок",))) == [short_talk]


@pytest.mark.parametrize(
    ("part", "numbers"),
    [
        (Slice.INCOMING, [0, 1, 2, 4, 6]),
        (Slice.OUTGOING, [3, 5]),
        (Slice.MISSED, [2]),
        (Slice.SHORT, [1]),
        (Slice.NO_RECORDING, [3]),
        (Slice.NEGATIVE, [0]),
    ],
)
async def test_parts_of_the_calls(lite: Database, part: Slice, numbers: list[int]) -> None:
    every = await seed_calls(lite)
    assert await ids(lite, CallQuery(slices=(part,))) == [every[number] for number in numbers]


@pytest.mark.parametrize("sign", ["%", "_", "\\", "50%", "a_b"])
async def test_signs_of_like_stand_for_themselves(database: Database, sign: str) -> None:
    marked, _ = await seed_calls(database, (call_row(1, client_name=f"x{sign}y"), call_row(2, client_name="x1y")))
    assert await ids(database, CallQuery(names=(sign,))) == [marked]


async def test_another_account_sees_nothing(lite: Database) -> None:
    (id_,) = await seed_calls(lite, (call_row(1),))
    assert (await find_calls(lite, 2, CallQuery(), limit=5)).total == 0
    assert await find_call(lite, 2, id_) is None
    assert await find_call_of(lite, 2, "bitrix24:externalCall.1") is None


async def test_pages_add_up(database: Database) -> None:
    every = await seed_calls(database)
    for query in (CallQuery(), CallQuery(slices=(Slice.INCOMING,))):
        whole = await find_calls(database, 1, query, limit=50)
        pages = [await find_calls(database, 1, query, limit=2, offset=offset) for offset in range(0, whole.total + 2, 2)]
        assert [row for page in pages for row in page.rows] == list(whole.rows)
        assert {page.total for page in pages} == {len(whole.rows)}
    assert len(every) == 7


async def test_a_search_that_spans_too_much_says_from_when(lite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls_query, "MOST_ROWS_READ", 3)
    every = await seed_calls(lite)
    first = await find_calls(lite, 1, CallQuery(anywhere=("анна",)), limit=5)
    assert first.searched_from == NOON - timedelta(hours=4)
    assert [row.id for row in first.rows] == [every[0], every[1], every[3]]
    older = await find_calls(lite, 1, CallQuery(anywhere=("анна",), until=first.searched_from), limit=5)
    assert [row.id for row in older.rows] == [every[4], every[5], every[6]]
    assert older.searched_from is None
    assert (await find_calls(lite, 1, CallQuery(), limit=1)).searched_from is None  # an index knows the answer
    assert (await find_calls(lite, 1, CallQuery(phone="79991234567", words=("а",)), limit=1)).searched_from is None


async def test_a_line_carries_what_a_list_shows(database: Database) -> None:
    await seed_calls(database)
    page: CallPage = await find_calls(database, 1, CallQuery(), limit=3)
    card, short, missed = page.rows
    assert (card.gist[:16], card.kind, card.has_recording) == ("Клиент жалуется ", "complaint", True)
    assert card.started_at == NOON - timedelta(hours=1)
    assert (short.gist, short.state, short.has_recording) == ("", "short", False)
    assert missed.outcome == "missed"


@contextmanager
def statements(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """What is asked of the database inside the block."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    engine = database._reader.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda d: find_calls(d, 1, CallQuery(), limit=5), "ix_calls_account_id_started_at"),
        (lambda d: find_calls(d, 1, CallQuery(since=NOON, words=("песок",)), limit=5), "ix_calls_account_id_started_at"),
        (lambda d: find_calls(d, 1, CallQuery(phone="79991234567"), limit=5), "ix_calls_account_id_client_phone"),
        (
            lambda d: find_calls(d, 1, CallQuery(phone_tail="4567"), limit=5),
            "COVERING INDEX ix_calls_account_id_client_phone",
        ),
        (lambda d: find_call(d, 1, 5), "INTEGER PRIMARY KEY"),
        (lambda d: find_call_of(d, 1, "bitrix24:a"), "(account_id=? AND vendor=? AND call_id=?)"),
        (lambda d: read_journal(d, 1, "bitrix24:a"), "(account_id=? AND kind=? AND object=?)"),
        (lambda d: read_queue(d, 1, NOON), "ix_work_state_finished_at|ix_posts_wanted"),
        (lambda d: failure_kinds(d, 1, NOON), "ix_work_state_finished_at"),
        (lambda d: failed_works(d, 1, "defect", NOON, limit=5), "ix_work_state_finished_at|INTEGER PRIMARY KEY"),
        (lambda d: spent(d, 1, NOON), "ix_charges_account_id_at (account_id=? AND at>?)"),
        (lambda d: unknown_kinds(d, 1, NOON), "ix_inbox_received_at"),
        (lambda d: accepted_kinds(d, 1, NOON), "ix_inbox_received_at"),
        (lambda d: finished_kinds(d, 1, NOON), "ix_work_state_finished_at (state=? AND finished_at>?)"),
        (lambda d: unfinished_kinds(d, 1), "ix_work_state_finished_at"),
        (lambda d: possible_repeats(d, 1, NOON), "ix_charges_account_id_at (account_id=? AND at>?)|ix_posts_repeated"),
        (lambda d: count_held(d, 1), "ix_posts_held (account_id=?)"),
        (held_posts, "ix_posts_held"),
        (lambda d: kept_question(d, 1, "a", NOON), "(key=?)"),
    ],
)
async def test_questions_use_their_index(lite: Database, ask: Callable[[Database], Awaitable[Any]], index: str) -> None:
    with statements(lite) as asked:
        await ask(lite)
    assert asked
    async with lite.read() as connection:
        for statement, parameters in asked:
            plan = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)).all()
            read = [row.detail for row in plan if row.detail.startswith(("SEARCH", "SCAN")) and "subquery" not in row.detail]
            used = [*index.split("|"), "USING INTEGER PRIMARY KEY", "SCAN CONSTANT ROW"]
            assert all(any(name in line for name in used) for line in read), (statement, read)


async def test_one_call_by_each_of_its_names(database: Database) -> None:
    first, *_ = await seed_calls(database)
    by_id = await find_call(database, 1, first)
    assert by_id is not None
    assert by_id == await find_call_of(database, 1, "bitrix24:externalCall.1")
    assert by_id.object == "bitrix24:externalCall.1"
    assert by_id.transcript is not None
    assert by_id.transcript.segments[0].text.startswith("Добрый день")
    assert by_id.summary is not None
    assert by_id.summary.text.startswith("Клиент жалуется")
    assert await find_call(database, 1, 10**15) is None


async def test_the_newest_post_of_a_message_is_meant(lite: Database) -> None:
    await seed_post(lite, "call:bitrix24:a", chat_id=-100, message_id=7)
    assert await post_key_of(lite, 1, -100, 7) == "call:bitrix24:a"
    assert await post_key_of(lite, 1, -100, 8) is None
    assert await post_key_of(lite, 2, -100, 7) is None


async def test_the_journal_of_a_call(database: Database) -> None:
    first = await seed_work(database, "bitrix24:a")
    await seed_steps(database, first, "bitrix24:a")
    second = await seed_work(database, "bitrix24:a", generation=2, state="ready", source="replay", finished_at=None)
    await seed_work(database, "bitrix24:b")
    journal = await read_journal(database, 1, "bitrix24:a")
    assert [line.id for line in journal.works] == [second, first]
    assert [step.name for step in journal.works[1].steps] == ["look_up", "download", "transcribe", "summarise", "post:full"]
    assert (journal.micro_usd, journal.possible_repeats) == (9300, 1)
    assert journal.latest is not None
    assert journal.latest.source == "replay"
    none = await read_journal(database, 2, "bitrix24:a")
    assert (none.latest, none.micro_usd) == (None, 0)
    work = await find_work(database, 1, first)
    assert work is not None
    assert (work.state, work.object) == ("done", "bitrix24:a")
    assert await find_work(database, 2, first) is None


async def test_the_queue(database: Database) -> None:
    for number, (state, due) in enumerate(
        [("ready", -300), ("ready", -5), ("ready", 60), ("ready", 600), ("running", 0), ("dead", 0), ("done", 0)]
    ):
        await seed_work(database, f"bitrix24:{number}", state=state, due_at=NOON + timedelta(seconds=due))
    row = {"account_id": 1, "chat_id": 5, "kind": "call", "content": "{}", "content_sha256": "", "revision": 1}
    row |= {"not_before": NOON, "created_at": NOON}
    await put(database, posts, row | {"key": "a", "state": "wanted"}, row | {"key": "b", "state": "sent"})
    queue = await read_queue(database, 1, NOON)
    assert (queue.ready, queue.waiting, queue.late, queue.running, queue.dead, queue.posts) == (2, 2, 1, 1, 1, 1)
    assert queue.next_due == NOON + timedelta(seconds=60)
    empty = await read_queue(database, 2, NOON)
    assert (empty.ready, empty.dead, empty.next_due) == (0, 0, None)


def test_the_usual_gap_is_the_one_in_the_middle() -> None:
    times = [NOON - timedelta(minutes=minutes) for minutes in (0, 10, 15, 600)]
    assert usual_gap(times) == timedelta(minutes=10)
    assert usual_gap(times[:1]) is None


async def test_last_events_dead_chats_and_unknown_kinds(database: Database) -> None:
    await seed_accounts(database)
    known = {"account_id": 1, "vendor": "bitrix24", "public_id": "p", "created_at": NOON}
    await put(database, connections, known | {"polled_at": None})
    (last,) = await last_events(database, 1)
    assert (last.vendor, last.heard_at, last.polled_at) == ("bitrix24", None, None)
    place = {"account_id": 1, "kinds": "call", "source": "chat", "created_at": NOON, "title": "Продажи"}
    await put(
        database, destinations, place | {"chat_id": 1, "state": "dead", "error": "kicked"},
        place | {"chat_id": 2, "state": "active", "error": ""},
    )  # fmt: skip
    (dead,) = await dead_destinations(database, 1)
    assert (dead.chat_id, dead.error, dead.topic_id) == (1, "kicked", None)
    delivery = {"account_id": 1, "connection_id": 1, "vendor": "bitrix24", "body_sha256": ""}
    seen = [
        ("ONCRM", "ignored", 1),
        ("ONCRM", "ignored", 2),
        ("ONTASK", "ignored", 1),
        ("ONCALL", "done", 1),
        ("OLD", "ignored", 9),
    ]
    for number, (kind, state, days) in enumerate(seen):
        about = {"id": str(number), "dedup_key": str(number), "kind": kind, "state": state}
        await put(database, inbox, delivery | about | {"received_at": NOON - timedelta(days=days)})
    assert await usual_gaps(database, 1, NOON + timedelta(days=5, hours=12)) == {"bitrix24": timedelta()}
    assert await usual_gaps(database, 1, NOON + timedelta(days=30)) == {}
    kinds = await unknown_kinds(database, 1, NOON - timedelta(days=7))
    assert [(kind.kind, kind.count) for kind in kinds] == [("ONCRM", 2), ("ONTASK", 1)]
    assert kinds[0].last_at == NOON - timedelta(days=1)


async def test_money_and_counters(database: Database) -> None:
    paid = {"account_id": 1, "kind": "stt", "model": "m", "object": "o", "units": 1.0, "unit": "s", "estimated": False}
    paid |= {"possible_repeat": False}
    await put(
        database, charges, paid | {"at": NOON, "micro_usd": 5}, paid | {"at": NOON - timedelta(days=2), "micro_usd": 7}
    )  # fmt: skip
    assert await spent(database, 1, NOON - timedelta(days=1)) == 5
    assert await spent(database, 1, NOON - timedelta(days=9)) == 12
    assert await spent(database, 2, NOON - timedelta(days=9)) == 0
    await put(
        database, counters, {"day": "2026-11-20", "name": "rejected:a", "value": 2},
        {"day": "2026-11-19", "name": "rejected:a", "value": 3}, {"day": "2026-11-01", "name": "rejected:a", "value": 9},
        {"day": "2026-11-20", "name": "other", "value": 1},
    )  # fmt: skip
    assert await counted(database, "rejected:", "2026-11-19") == {"rejected:a": 5}


async def test_possible_repeats_of_a_period(database: Database) -> None:
    paid = {"account_id": 1, "kind": "stt", "model": "m", "object": "o", "units": 1.0, "unit": "s", "estimated": True}
    paid |= {"micro_usd": 7}
    twice, old = {"possible_repeat": True, "at": NOON}, {"possible_repeat": True, "at": NOON - timedelta(days=40)}
    await put(database, charges, paid | twice, paid | old, paid | {"possible_repeat": False, "at": NOON})
    post = {"account_id": 1, "chat_id": 1, "kind": "call", "content": "{}", "content_sha256": "", "revision": 1}
    post |= {"state": "sent", "not_before": NOON, "created_at": NOON}
    await put(database, posts, post | {"key": "a", "possible_repeats": 1}, post | {"key": "b", "possible_repeats": 0})
    found = await possible_repeats(database, 1, NOON - timedelta(days=30))
    assert (found.payments, found.micro_usd, found.messages, found.any) == (1, 7, 1, 2)
    assert (await possible_repeats(database, 2, NOON - timedelta(days=30))).any == 0
    assert (await possible_repeats(database, 1, NOON - timedelta(days=50))).payments == 2


async def test_failures_by_kind(database: Database) -> None:
    dead = {"state": "dead", "error_code": "insufficient_scope", "finished_at": NOON}
    one = await seed_work(database, "bitrix24:1", **dead, error="old")
    two = await seed_work(database, "bitrix24:2", **dead, error="new")
    await seed_work(database, "bitrix24:3", **(dead | {"finished_at": NOON - timedelta(days=3), "error_code": "defect"}))
    trying = {"state": "ready", "finished_at": None, "error_code": "unavailable"}
    await seed_work(database, "bitrix24:4", **trying, attempts=3, error="HTTP 503")
    await seed_work(database, "bitrix24:5", **trying, attempts=2)
    today = await failure_kinds(database, 1, NOON - timedelta(hours=12))
    assert [(kind.code, kind.dead, kind.trying, kind.error, kind.count) for kind in today] == [
        ("insufficient_scope", 2, 0, "new", 2), ("unavailable", 0, 1, "HTTP 503", 1),
    ]  # fmt: skip
    week = await failure_kinds(database, 1, NOON - timedelta(days=7))
    assert [kind.code for kind in week] == ["insufficient_scope", "defect", "unavailable"]
    works = await failed_works(database, 1, "insufficient_scope", NOON - timedelta(days=7), limit=5)
    assert [row.id for row in works] == [one, two]
    assert await failure_kinds(database, 2, NOON - timedelta(days=7)) == ()


async def test_settings_hold_at_once_and_are_noted(database: Database) -> None:
    await seed_accounts(database)
    assert await min_duration_s(database, 1, 10) == 10
    await change_setting(database, 1, MIN_DURATION, "25", by=7, now=NOON)
    await change_setting(database, 1, MIN_DURATION, "30", by=7, now=NOON)
    assert await min_duration_s(database, 1, 10) == 30
    assert await setting(database, 2, MIN_DURATION) is None
    async with database.read() as connection:
        notes = (await connection.execute(text("SELECT actor, action, detail FROM audit ORDER BY id"))).all()
    assert [tuple(note) for note in notes] == [(7, "setting", f"{MIN_DURATION}={value}") for value in (25, 30)]
    await put(database, settings, {"account_id": 2, "name": MIN_DURATION, "value": "много", "changed_at": NOON})
    assert await min_duration_s(database, 2, 10) == 10


async def test_a_question_is_kept_for_weeks(database: Database) -> None:
    question = Question(account_id=1, text="жалобы вчера", asked_at=NOON, until=NOON - timedelta(days=5))
    name = await keep_question(database, question)
    assert await keep_question(database, question) == name
    assert await keep_question(database, Question(account_id=1, text="жалобы вчера", asked_at=NOON)) != name
    assert await kept_question(database, 1, name, NOON + KEPT - timedelta(days=1)) == question
    assert await kept_question(database, 1, name, NOON + KEPT + timedelta(days=1)) is None
    assert await kept_question(database, 2, name, NOON) is None
    assert await kept_question(database, 1, "nothing", NOON) is None


async def test_what_is_understood_is_what_is_found(lite: Database) -> None:
    every = await seed_calls(
        lite, (call_row(1), call_row(2, employee_name="Пётр Ёжиков", transcript=None), bare(30, "short"))
    )
    now = datetime(2026, 11, 20, 13, tzinfo=UTC)
    for question, found in (
        ("звонки сегодня", every[:2]),
        ("звонки вчера", every[2:]),
        ("уборка", every[:1]),
        ("ежиков", every[1:2]),
        ("сотрудник Ёжиков", every[1:2]),
        ("жалобы за неделю", every[:2]),
        ("короткие", every[2:]),
        ("8 (999) 123-45-67 сегодня", every[:2]),
    ):
        asked = understand(question, now=now, zone=MOSCOW)
        assert await ids(lite, asked.query) == found, question
