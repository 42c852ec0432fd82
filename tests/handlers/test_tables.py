"""A table sent to the bot: what is shown, what is asked, what the buttons do, and what goes wrong."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from domain.events import TableAsked
from domain.imports import ImportKind, State
from domain.messages import Message, as_text
from domain.work import WorkItem
from handlers.desk import Desk
from handlers.leads.loading import Loader
from handlers.leads.pipeline import LAST_TRY, load_table
from handlers.leads.services import LeadServices
from storage.codec import loads
from storage.engine import Database
from storage.imports import ImportStore
from storage.models import leads, posts
from storage.posts import StoredChat
from tests.calls.world import MemorySteps
from tests.handlers.chat import GROUP, MANAGER, Talk
from tests.handlers.conftest import Golden, Stage

TABLE = (
    "Имя;Телефон;Почта;Направление;utm_source;Дата;Город\n"
    "Иван Петров;8 999 000 00 01;;Ремонт;vk;01.11.2026;Москва\n"
    "Анна;;anna@example.ru;Ремонт;google;02.11.2026 10:00;Тверь\n"
    "Пётр;123;;;;31.02.2026;\n"
    "Анна;;ANNA@example.ru;Ремонт;google;02.11.2026 10:00;Тверь\n"
).encode()


class Writing(MemorySteps):
    """Steps whose writes are real."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database

    async def write(self, name: str, fn: Any, returns: Any) -> Any:
        return await self.database.write(fn)


async def count(database: Database) -> int:
    async with database.read() as connection:
        return int(await connection.scalar(select(func.count()).select_from(leads)) or 0)


@pytest.fixture
def services(desk: Desk) -> LeadServices:
    async def write(job: Any) -> int:
        return int(await desk.database.write(job))

    zone = desk.timezone(1)
    return LeadServices(
        imports=ImportStore(desk.database),
        loader=Loader(database=desk.database, data_dir=desk.data_dir, zone=zone),
        chat=StoredChat(desk.clock),
        clock=desk.clock,
        texts=desk.texts,
        timezone=zone,
        write=write,
        posted=desk.wake,
    )


async def run(stage: Stage, desk: Desk, services: LeadServices, *, failures: int = 0) -> str:
    """Do what was asked last; what the bot says of it."""
    event = stage.submitted[-1]
    assert isinstance(event, TableAsked)
    item = WorkItem(
        id=1, account_id=1, kind="table", object=event.external_id, generation=1, event=event, source="chat",
        delivery_id=None, heard_at=desk.clock.now(), failures=failures,
    )  # fmt: skip
    await load_table(item, Writing(desk.database), services)
    async with desk.database.read() as connection:
        content = await connection.scalar(select(posts.c.content).order_by(posts.c.id.desc()).limit(1))
    return as_text(loads(Message, str(content)))


async def test_a_table_is_shown_then_loaded_then_taken_out(
    owner: Talk, desk: Desk, stage: Stage, services: LeadServices, golden: Golden
) -> None:
    shown = await owner.send("Лиды.csv", TABLE)
    golden("table", shown.removeprefix("> "))
    assert owner.keyboard() == [["imp:1", "impno:1"]]
    assert await count(desk.database) == 0
    assert "Загружаю «Лиды.csv»" in await owner.press("imp:1")
    await owner.press("imp:1")  # pressed twice it is one load
    assert [event.external_id for event in stage.submitted] == ["1"]
    stage.submitted.clear()  # the process died before the work was made
    await owner.press("imp:1")
    assert [event.external_id for event in stage.submitted] == ["1"]
    assert "добавлено: 2" in await run(stage, desk, services)
    assert await count(desk.database) == 2
    assert "уже загружен" in await owner.send("Лиды.csv", TABLE)
    assert owner.keyboard() == []
    await owner.press("impundo:1")
    stage.submitted.clear()
    await owner.press("impundo:1")
    assert [event.external_id for event in stage.submitted] == ["1:undo"]
    said = await run(stage, desk, services)
    assert "отменена" in said
    assert "убрано: 2" in said
    assert await count(desk.database) == 0


async def test_a_load_cannot_be_taken_back_days_later(
    owner: Talk, desk: Desk, stage: Stage, services: LeadServices, clock: Any
) -> None:
    await owner.send("Лиды.csv", TABLE)
    await owner.press("imp:1")
    await run(stage, desk, services)
    clock.forward(timedelta(days=2).total_seconds())
    assert "в течение суток" in await owner.press("impundo:1")
    assert len(stage.submitted) == 1


async def test_what_is_not_wanted_is_not_loaded(owner: Talk, stage: Stage) -> None:
    await owner.send("Лиды.csv", TABLE)
    assert "не загружен" in await owner.press("impno:1")
    await owner.press("imp:1")
    assert stage.submitted == []
    assert "пришлите его ещё раз" in await owner.press("imp:77")


async def test_a_caption_says_what_it_is(owner: Talk, desk: Desk) -> None:
    shown = await owner.send("x.csv", "Дата;Телефон;Расход\n01.11.2026;79990000001;40 000,50\n".encode(), caption="расходы")
    assert "расходы" in shown
    assert "40\u00a0000,50\u00a0₽" in shown
    table = await ImportStore(desk.database).get(1, 1)
    assert table is not None
    assert table.kind is ImportKind.SPEND


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [("a.csv", b"", "файл пуст"), ("a.xlsx", b"PK", "не открывается"), ("a.csv", b"1;2\n3;4\n", "названиями колонок")],
)
async def test_a_file_that_will_not_do(owner: Talk, name: str, data: bytes, said: str) -> None:
    assert said in await owner.send(name, data)


async def test_what_is_too_large_or_does_not_come(owner: Talk, stage: Stage) -> None:
    assert "больше 20 МБ" in await owner.send("a.csv", TABLE, size=21 * 2**20)
    owner.session.refuse["getFile"] = "Bad Request: file is too big"
    assert "не скачался" in await owner.send("a.csv", TABLE)
    stage.full = True
    assert "мало места" in await owner.send("a.csv", TABLE)


async def test_who_may_send_tables(owner: Talk, desk: Desk) -> None:
    manager = Talk(desk, MANAGER)
    assert "только администратор" in await manager.send("Лиды.csv", TABLE)
    assert await owner.send("Лиды.csv", TABLE, chat=GROUP) == ""
    assert "Лиды.csv" not in await owner.send("Лиды.docx", TABLE)


async def test_a_file_that_is_gone_by_then_is_told(owner: Talk, desk: Desk, stage: Stage, services: LeadServices) -> None:
    await owner.send("Лиды.csv", TABLE)
    await owner.press("imp:1")
    for path in (desk.data_dir / "imports").iterdir():
        path.unlink()
    assert "файла уже нет" in await run(stage, desk, services)
    table = await ImportStore(desk.database).get(1, 1)
    assert table is not None
    assert table.state == "failed"


@pytest.mark.parametrize(("unreadable", "revisions"), [("", 3), ("нет\n", 2)])
async def test_progress_is_told_in_the_message_of_the_result(
    owner: Talk, desk: Desk, stage: Stage, services: LeadServices, monkeypatch: pytest.MonkeyPatch, unreadable: str,
    revisions: int,
) -> None:  # fmt: skip
    monkeypatch.setattr("handlers.leads.pipeline.TOLD_EVERY", 100)
    await owner.send("Лиды.csv", f"Телефон\n{unreadable}".encode() + b"".join(b"7999%07d\n" % n for n in range(250)))
    await owner.press("imp:1")
    assert "добавлено: 250" in await run(stage, desk, services)
    async with desk.database.read() as connection:
        assert list(await connection.scalars(select(posts.c.key))) == ["import:1"]
        assert await connection.scalar(select(posts.c.revision)) == revisions


async def test_a_load_is_stopped_by_a_button(owner: Talk, desk: Desk, stage: Stage, services: LeadServices) -> None:
    await owner.send("Лиды.csv", TABLE)
    await owner.press("imp:1")
    assert owner.keyboard() == [["impstop:1"]]
    assert "Останавливаю" in await owner.press("impstop:1")
    assert "ничего из неё не записано" in await run(stage, desk, services)
    assert await count(desk.database) == 0
    table = await ImportStore(desk.database).get(1, 1)
    assert table is not None
    assert table.state is State.FAILED
    await owner.send("Лиды.csv", TABLE)
    await owner.press("imp:2")
    await run(stage, desk, services)
    assert "уже закончилась" in await owner.press("impstop:2")
    assert await count(desk.database) == 2


async def test_work_on_a_table_that_is_in_changes_nothing(
    owner: Talk, desk: Desk, stage: Stage, services: LeadServices
) -> None:
    await owner.send("Лиды.csv", TABLE)
    await owner.press("imp:1")
    for _ in range(2):  # replayed from the journal
        assert "добавлено: 2" in await run(stage, desk, services)
    assert await count(desk.database) == 2


async def test_a_load_that_fails_to_the_last_leaves_nothing(
    owner: Talk, desk: Desk, stage: Stage, services: LeadServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_off(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr("handlers.leads.pipeline._tell", break_off)
    await owner.send("Лиды.csv", TABLE)
    await owner.press("imp:1")
    with pytest.raises(ConnectionError):
        await run(stage, desk, services, failures=LAST_TRY - 1)
    assert await count(desk.database) == 2, "it goes on with the next try"
    with pytest.raises(ConnectionError):
        await run(stage, desk, services, failures=LAST_TRY)
    assert await count(desk.database) == 0
    async with desk.database.read() as connection:
        content = str(await connection.scalar(select(posts.c.content)))
    assert "не удалось записать" in as_text(loads(Message, content))
