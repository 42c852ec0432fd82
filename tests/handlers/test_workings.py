"""/queue and /metrics: what waits, what came and how fast it was done, on both databases and in the chat."""

from dataclasses import replace
from datetime import timedelta

import pytest

from handlers.desk import Desk
from handlers.routes import ROUTES
from storage.engine import Database
from storage.models import inbox
from storage.queries.workings import Accepted, Finished, Unfinished, accepted_kinds, finished_kinds, unfinished_kinds
from tests.handlers.chat import Talk
from tests.handlers.seed import NOON, put, seed_work

DELIVERY = {"account_id": 1, "connection_id": 1, "vendor": "amocrm", "body_sha256": "", "state": "done"}


async def arrive(database: Database, kind: str, *, days: int = 0, **changes: object) -> None:
    name = f"{kind}{days}{changes}"
    row = {"id": name[:20], "dedup_key": name, "kind": kind, "received_at": NOON - timedelta(days=days)}
    await put(database, inbox, DELIVERY | row | changes)


async def done(database: Database, number: int, seconds: float, **changes: object) -> None:
    times = {"created_at": NOON - timedelta(seconds=seconds), "finished_at": NOON}
    await seed_work(database, f"a:{number}", **(times | changes))


async def test_what_came_and_how_long_it_took(database: Database) -> None:
    for kind, changes in (("leads.add", {}), ("leads.add", {"vendor": "tilda"}), ("leads.add", {"account_id": 2})):
        await arrive(database, kind, **changes)
    await arrive(database, "leads.add", days=1)
    assert await accepted_kinds(database, 1, NOON - timedelta(hours=1)) == (
        Accepted(vendor="amocrm", kind="leads.add", count=1),
        Accepted(vendor="tilda", kind="leads.add", count=1),
    )
    for number, seconds in enumerate((1, 2, 3, 4, 90)):
        await done(database, number, seconds)
    await done(database, 8, 5, kind="crm")
    await done(database, 9, 5, finished_at=NOON - timedelta(days=2))
    await done(database, 10, 5, state="dead")
    assert await finished_kinds(database, 1, NOON - timedelta(hours=1)) == (
        Finished(kind="call", count=5, usual_s=3.0, slow_s=90.0),
        Finished(kind="crm", count=1, usual_s=5.0, slow_s=5.0),
    )


async def test_what_waits(database: Database) -> None:
    later = NOON + timedelta(minutes=2)
    for number, (state, kind) in enumerate((("ready", "crm"), ("ready", "crm"), ("dead", "call"), ("done", "note"))):
        await seed_work(database, str(number), state=state, kind=kind, due_at=later + timedelta(seconds=number))
    assert await unfinished_kinds(database, 1) == (
        Unfinished(kind="crm", ready=2, running=0, dead=0, due_at=later),
        Unfinished(kind="call", ready=0, running=0, dead=1, due_at=None),
    )
    assert await unfinished_kinds(database, 2) == ()


@pytest.mark.parametrize("word", ["/queue", "/очередь"])
async def test_the_queue_in_the_chat(owner: Talk, desk: Desk, word: str) -> None:
    assert "Очередь пуста." in await owner.say(word)
    await seed_work(desk.database, "a", state="ready", kind="crm", due_at=NOON + timedelta(minutes=2))
    await seed_work(desk.database, "b", state="dead")
    shown = await owner.press("queue:")
    assert "события CRM: ждут 1, ближайшая попытка сегодня" in shown
    assert "звонки: остановлены 1" in shown
    assert owner.keyboard() == [["queue:"], ["errors:7"]]


@pytest.mark.parametrize("word", ["/metrics", "/метрики"])
async def test_the_figures_in_the_chat(owner: Talk, desk: Desk, word: str) -> None:
    owner = Talk(replace(desk, started_at=NOON - timedelta(days=1, hours=3, minutes=12)), owner.person)
    assert "Программа работает без остановки 1 день 3 часа." in (empty := await owner.say(word))
    assert "Ошибок нет." in empty
    await arrive(desk.database, "leads.add")
    await done(desk.database, 1, 4)
    await seed_work(desk.database, "b", state="dead", error_code="defect")
    shown = await owner.press("metrics:7")
    assert "📈 Работа за 7 дней" in shown
    assert "leads.add: 1" in shown
    assert "звонки: 1, обычно за 4,0 с, медленные за 4,0 с" in shown
    assert "1 ошибка" in shown
    assert owner.keyboard() == [["metrics:1"], ["errors:1"]]


def test_every_kind_of_work_is_called_by_a_russian_name(desk: Desk) -> None:
    """KeyError for one that /queue would show as it is called inside."""
    assert all(desk.texts.get(f"work.{kind}") for kind in ROUTES)
