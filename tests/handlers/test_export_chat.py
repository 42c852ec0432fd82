"""/export in the chat: what is asked step by step, what buttons and words lead to, and what becomes of the file."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select, update

from domain.events import ExportAsked
from domain.messages import Message, as_text
from domain.work import WorkItem
from handlers.desk import Desk
from handlers.exports import pipeline
from handlers.exports.apart import NotWrittenError
from handlers.exports.desk import ExportDesk
from handlers.exports.files import Plan, Writing, Written
from handlers.exports.pipeline import make_export
from handlers.exports.services import ExportServices
from storage.codec import loads
from storage.models import calls, posts, users, work
from storage.posts import StoredChat
from storage.queries.underway import is_under_way
from tests.ground import HandClock
from tests.handlers.chat import GROUP, MANAGER, OWNER, PRIVATE_CHAT, Talk
from tests.handlers.conftest import Golden, Stage
from tests.handlers.seed import call_row, put, seed_accounts, seed_work
from tests.handlers.test_tables import Writing as Steps
from tests.storage.hall import Hall, lead, viewer

NOVEMBER = ExportAsked(
    vendor="svodka", external_id="1:q1", occurred_at=None, what="leads", format="xlsx", chat_id=10,
    first=date(2026, 11, 1), last=date(2026, 11, 30),
)  # fmt: skip

ROLES = {PRIVATE_CHAT: "owner", PRIVATE_CHAT + 1: "manager"}


class Here:
    """Writes in this process. ``fail`` is what goes wrong; ``stop`` is called with each slice."""

    def __init__(self, plan: Plan, *, fail: Exception | None = None, stop: Any = None) -> None:
        self.writing, self.fail, self.stop, self.dropped = Writing(plan), fail, stop, False

    async def write(self, rows: Sequence[Sequence[object]]) -> None:
        if self.fail is not None:
            raise self.fail
        self.writing.write(rows)
        if self.stop is not None:
            self.stop()

    async def end(self) -> Written:
        return self.writing.end()

    async def drop(self) -> None:
        self.dropped = True
        self.writing.drop()


@pytest.fixture
def services(desk: Desk) -> ExportServices:
    async def write(job: Any) -> int:
        return int(await desk.database.write(job))

    async def begin(plan: Plan) -> Here:
        return Here(plan)

    return ExportServices(
        database=desk.database, data_dir=desk.data_dir, chat=StoredChat(desk.clock), clock=desk.clock, texts=desk.texts,
        timezone=desk.timezone(1), write=write, posted=desk.wake, begin=begin,
        short_s=10, attended_s=120,
    )  # fmt: skip


@pytest.fixture
async def owner(desk: Desk, services: ExportServices) -> Talk:
    async def busy(account_id: int, prefix: str) -> bool:
        return await is_under_way(desk.database, account_id, "export", prefix)

    await seed_accounts(desk.database)
    known = [{"account_id": 1, "telegram_id": n, "role": role, "created_at": desk.clock.now()} for n, role in ROLES.items()]
    await put(desk.database, users, *known)
    return Talk(replace(desk, exports=ExportDesk(busy=busy, stop=services.stopped.add)), OWNER)


async def do(services: ExportServices, event: ExportAsked = NOVEMBER, *, failures: int = 0) -> None:
    item = WorkItem(
        id=1, account_id=1, kind="export", object=f"svodka:{event.external_id}", generation=1, event=event, source="chat",
        delivery_id=None, heard_at=services.clock.now(), failures=failures,
    )  # fmt: skip
    await make_export(item, Steps(services.database), services)


async def make(services: ExportServices, event: ExportAsked = NOVEMBER, *, failures: int = 0) -> Message:
    """Do it; the message that tells of it in the end."""
    await do(services, event, failures=failures)
    return next(one for one in await shown(services) if one.key == f"export:{event.external_id}")


async def shown(services: ExportServices) -> list[Message]:
    async with services.database.read() as connection:
        rows = await connection.scalars(select(posts.c.content).order_by(posts.c.id))
        return [loads(Message, content) for content in rows]


async def test_the_steps_to_a_file(owner: Talk, stage: Stage, services: ExportServices, golden: Golden) -> None:
    told = [await owner.say("/export"), await owner.press("expw:leads")]
    assert owner.keyboard()[0] == ["expp:leads:7", "expp:leads:30", "expp:leads:90"]
    told += [await owner.say("31 февраля"), await owner.say("с 1 по 30 ноября")]
    assert owner.keyboard() == [["expf:leads:20261101-20261130:xlsx", "expf:leads:20261101-20261130:csv"]]
    await owner.press("expf:leads:20261101-20261130:xlsx")
    assert stage.submitted == [NOVEMBER]
    told.append(as_text((await shown(services))[0]))
    golden("export_steps", "\n\n".join(told))


async def test_words_about_something_else_end_the_question(owner: Talk) -> None:
    await owner.press("expw:leads")
    assert "Не понял «погода»" in await owner.say("погода")
    assert "Excel" not in await owner.say("звонки за ноябрь")
    await owner.press("expw:leads")
    assert "Звонки, ноябрь 2026" in await owner.say("выгрузи звонки за ноябрь")


@pytest.mark.parametrize("text", ["/export лиды с 1 по 30 ноября excel", "Выгрузи лиды с 1 по 30 ноября в эксель"])
async def test_all_in_one_line(owner: Talk, stage: Stage, text: str) -> None:
    await owner.say(text)
    assert stage.submitted == [replace(NOVEMBER, external_id="1:m7")]


async def test_days_the_wrong_way_round_are_said(owner: Talk, stage: Stage) -> None:
    for words in ("/export лиды с 20 по 1 ноября", "выгрузи лиды с 20 по 1 ноября в эксель"):
        assert "Начало названо позже конца: взял 1–20 ноября" in await owner.say(words)
        assert owner.keyboard()[0][0] == "expf:leads:20:xlsx"
    assert stage.submitted == []
    assert "Начало" not in await owner.say("/export лиды с 1 по 20 ноября")
    assert "Начало" not in await owner.say("/export дома с 20 по 1 ноября")


async def test_words_that_leave_something_open_are_asked_on(owner: Talk, stage: Stage) -> None:
    assert "Не понял, что выгрузить" in await owner.say("/выгрузка погода")
    assert "Звонки: за какие дни?" in await owner.say("/export звонки")
    assert "Не понял «31 февраля»" in await owner.say("/export звонки 31 февраля")
    assert "Excel открывается" in await owner.say("/export расходы за октябрь")
    assert owner.keyboard()[0][0] == "expf:spend:20261001-20261031:xlsx"
    assert await owner.say("/export звонки csv за все время") == ""
    assert (stage.submitted[-1].first, stage.submitted[-1].format) == (None, "csv")  # type: ignore[attr-defined]
    assert stage.submitted[1:] == []


async def test_what_has_no_dates_is_not_asked_for_them(owner: Talk, stage: Stage, services: ExportServices) -> None:
    assert "Дома, на 20.11.2026" in await owner.press("expw:houses")
    assert owner.keyboard() == [["expf:houses:0:xlsx", "expf:houses:0:csv"]]
    await owner.say("/export дома excel")
    (event,) = stage.submitted
    assert isinstance(event, ExportAsked)
    assert "ничего нет, файла не будет" in as_text(await make(services, event))


async def test_people_are_for_those_who_run_the_bot(desk: Desk, owner: Talk, stage: Stage) -> None:
    manager = Talk(desk, MANAGER)
    assert "выгружает владелец или администратор" in await manager.say("/export")
    assert "expw:leads" not in str(manager.keyboard())
    assert "Не понял" not in (told := await manager.say("/export лиды ноябрь excel"))
    assert "выгружает владелец" in told
    assert "выгружает владелец" in await manager.press("expf:leads:30:xlsx")
    await manager.press("expf:webinars:30:xlsx")
    assert [event.what for event in stage.submitted] == ["webinars"]  # type: ignore[attr-defined]
    assert "только в личном чате" in await manager.say("/export", chat=GROUP)
    assert "только в личном чате" in await owner.press("expf:webinars:30:xlsx", chat=GROUP)


async def test_one_file_at_a_time_and_only_ones_own_is_stopped(owner: Talk, desk: Desk, services: ExportServices) -> None:
    assert desk.texts.get("export.over") in await owner.press("expstop:1:q1")
    await seed_work(desk.database, "svodka:1:q1", kind="export", state="running")
    assert desk.texts.get("export.busy") in await owner.press("expf:leads:30:xlsx")
    assert desk.texts.get("export.busy") in await owner.say("/export лиды ноябрь excel")
    assert desk.texts.get("export.over") in await owner.press("expstop:2:q1")
    assert desk.texts.get("export.stopping") in await owner.press("expstop:1:q1")
    assert services.stopped == {"1:q1"}
    await desk.database.write(lambda tx: tx.execute(work.update().values(state="done")))
    assert desk.texts.get("export.over") in await owner.press("expstop:1:q1")


async def test_a_file_is_made_and_told_of(owner: Talk, services: ExportServices) -> None:
    await Hall(services.database).save(lead("79990000001", name="Иван"), lead("79990000002", name="Анна"))
    told = await make(services)
    assert as_text(told) == "📄 Лиды, ноябрь 2026\n2 строки, данные на сегодня 15:00, время — Europe/Moscow."
    (file,) = told.files
    assert file.name == "Лиды ноябрь 2026.xlsx"
    with CalamineWorkbook.from_path(services.data_dir / file.path) as book:
        assert len(book.get_sheet_by_index(0).to_python()) == 3
    told = await make(services, replace(NOVEMBER, external_id="1:q2", what="company", first=None, last=None))
    assert as_text(told).startswith("📄 Показатели компании, 19–20 ноября\n")


async def test_what_is_too_much_comes_in_parts(
    owner: Talk, services: ExportServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "PART_WEIGHT", 10)
    monkeypatch.setattr("storage.queries.listings.SLICE", 1)
    await Hall(services.database).save(lead("79990000001"), lead("79990000002"))
    told = await make(services, replace(NOVEMBER, format="csv"))
    assert [file.name for file in told.files] == ["Лиды ноябрь 2026 (1 из 2).csv", "Лиды ноябрь 2026 (2 из 2).csv"]
    assert "Файлов 2" in as_text(told)


async def test_how_far_it_is_is_said_now_and_then(owner: Talk, services: ExportServices, clock: HandClock) -> None:
    said: list[str] = []

    async def begin(plan: Plan) -> Here:
        return Here(plan, stop=lambda: clock.forward(2))

    async def write(job: Any) -> int:
        number = int(await services.database.write(job))
        said.append(as_text((await shown(services))[0]))
        return number

    await put(services.database, calls, *(call_row(n) for n in range(1, 1301)))
    event = replace(NOVEMBER, what="calls", first=None, last=None)
    await make(replace(services, begin=begin, write=write), event)
    assert said == [
        "⏳ Звонки, всё время: готово 1\u00a0000 из 1\u00a0300.", "⏳ Звонки, всё время: 1\u00a0300 строк, собираю файл.",
    ]  # fmt: skip


async def test_what_ends_without_a_file(
    owner: Talk, services: ExportServices, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "ничего нет" in as_text(await make(services))
    await Hall(services.database).save(lead("79990000001"))

    async def broken(plan: Plan) -> Here:
        return Here(plan, fail=NotWrittenError("OSError: [Errno 28] No space left on device"))

    async def stopped(plan: Plan) -> Here:
        return Here(plan, stop=lambda: services.stopped.add("1:q1"))

    told = await make(replace(services, begin=broken))
    assert ("не записался (на диске Сводки кончилось место)" in as_text(told), told.buttons[0][0].target) == (
        True, "expf:leads:20261101-20261130:xlsx",
    )  # fmt: skip
    assert "остановлено" in as_text(await make(replace(services, begin=stopped)))
    assert services.stopped == set()
    monkeypatch.setattr(pipeline, "has_room", lambda *_: False)
    assert "мало места, нужно 500 МБ" in as_text(await make(services))
    monkeypatch.undo()
    monkeypatch.setattr(pipeline, "MOST_SENT", 10)
    assert "больше 50 МБ" in as_text(await make(services))
    assert [path for path in (tmp_path / "exports").rglob("*") if path.is_file()] == []


async def test_after_a_crash_the_same_file_is_made_again(owner: Talk, services: ExportServices, tmp_path: Path) -> None:
    await Hall(services.database).save(lead("79990000001"))
    first = await make(services)  # its end was never remembered
    again = await make(services)
    assert (first, len(await shown(services))) == (again, 2)  # one message, and its file
    assert len([path for path in (tmp_path / "exports").rglob("*") if path.is_file()]) == 1


async def test_a_failure_is_tried_again_before_it_is_said(owner: Talk, services: ExportServices) -> None:
    async def away(plan: Plan) -> Here:
        return Here(plan, fail=ConnectionError())

    await Hall(services.database).save(lead("79990000001"))
    with pytest.raises(ConnectionError):
        await make(replace(services, begin=away))
    assert "не записался (почему — в журнале Сводки)" in as_text(await make(replace(services, begin=away), failures=5))


async def test_another_file_waits_for_its_turn(owner: Talk, services: ExportServices) -> None:
    await Hall(services.database).save(lead("79990000001"))
    said: list[str] = []

    async def write(job: Any) -> int:
        number = int(await services.database.write(job))
        said.append(as_text((await shown(services))[0]))
        if len(said) == 1:
            services.turn.release()
        return number

    await services.turn.acquire()
    told = await make(replace(services, write=write))
    assert (said, len(told.files)) == (["⏳ Лиды, ноябрь 2026: в очереди, сейчас пишется другой файл."], 1)


async def test_no_file_leaves_for_whoever_may_have_it_no_more(owner: Talk, services: ExportServices, tmp_path: Path) -> None:
    await Hall(services.database).save(lead("79990000001"))
    told = await make(services, replace(NOVEMBER, external_id="2:q1"))  # who was an admin when they asked
    assert (told.files, "файла нет" in as_text(told)) == ((), True)
    shut_out = update(users).where(users.c.id == 1).values(disabled_at=services.clock.now())
    await services.database.write(lambda tx: tx.execute(shut_out))
    before = await shown(services)
    await do(services)
    assert await shown(services) == before
    assert [path for path in (tmp_path / "exports").rglob("*") if path.is_file()] == []


async def test_a_list_that_is_no_more_is_left(owner: Talk, services: ExportServices) -> None:
    item = WorkItem(
        id=1, account_id=1, kind="export", object="svodka:1:q1", generation=1, event=replace(NOVEMBER, what="gone"),
        source="chat", delivery_id=None, heard_at=services.clock.now(), failures=0,
    )  # fmt: skip
    await make_export(item, Steps(services.database), services)
    assert await shown(services) == []


async def test_excel_below_a_figure_and_a_part_of_a_webinar(
    owner: Talk, desk: Desk, stage: Stage, services: ExportServices
) -> None:
    came = [viewer("79990000001", name="Иван", minutes=(0, 50)), viewer("79990000002", name="Заглянул", minutes=(0, 1))]
    held = await Hall(desk.database).hold(came)
    manager = Talk(owner.dispatcher["desk"], MANAGER)
    assert "Отправляю" not in await manager.press("expn:directions:30:xlsx", chat=GROUP)
    assert "личный чат" in await manager.press(f"expn:attendees:w{held}a:xlsx", chat=GROUP)
    figure, people = stage.submitted
    assert isinstance(figure, ExportAsked)
    assert isinstance(people, ExportAsked)
    assert (figure.what, figure.chat_id, people.chat_id) == ("directions", GROUP, MANAGER.telegram_id)
    assert (people.webinar_id, people.segment, people.about) == (held, "attended", "20.11.2026, были")
    await make(services, replace(people, external_id="1:q2"))
    told = next(message for message in await shown(services) if message.key == "export:1:q2")
    assert told.files[0].name == "Зрители вебинаров 20.11.2026, были.xlsx"
    with CalamineWorkbook.from_path(services.data_dir / told.files[0].path) as book:
        assert [row[3] for row in book.get_sheet_by_index(0).to_python()] == ["Имя зрителя", "Иван"]
    assert desk.texts.get("guests.webinar_gone") in await manager.press("expn:attendees:w999:xlsx")
    assert "выгружает владелец" in await manager.press("expn:attendees:30:xlsx")
    await seed_work(desk.database, "svodka:2:q1", kind="export", state="running")
    assert desk.texts.get("export.busy") in await manager.press("expn:directions:30:xlsx")
