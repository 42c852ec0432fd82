"""Exports: every list on both databases, cells as Excel and programs read them, and the process that writes them."""

import csv
import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from python_calamine import CalamineWorkbook

from domain.imports import SpendRow
from domain.roles import Role
from domain.webinars import Marks
from handlers import books
from handlers.exports import files
from handlers.exports.apart import Apart, NotWrittenError
from handlers.exports.asking import asks, understand
from handlers.exports.catalogue import EXPORTS, columns_of, find_export
from handlers.exports.columns import Column, Kind, cells_of
from handlers.exports.files import Format, Plan, Writing
from handlers.exports.ground import Ground
from handlers.exports.making import count, days_of, has_room, pour, room_needed
from handlers.texts import load_texts
from handlers.wording import Reader
from storage.directory import DirectoryStore
from storage.engine import Database
from storage.models import board_tasks, calls, employee_links, registrations
from storage.names import Names
from storage.queries.listings import Days
from storage.spending import SpendStore
from tests.handlers.seed import call_row, put, seed_accounts, summary
from tests.storage.hall import START, Hall, lead, viewer
from tests.storage.test_directory import house, tell_houses, tell_people

MOSCOW = ZoneInfo("Europe/Moscow")
NOW = START + timedelta(days=8)
TEXTS = load_texts()
NAMES = tuple(export.name for export in EXPORTS)
EVERYTHING = Days(zone=MOSCOW)


def book(path: Path) -> list[list[object]]:
    """The first sheet as a program reads it."""
    with CalamineWorkbook.from_path(path) as opened:
        return [list(row) for row in opened.get_sheet_by_index(0).to_python()]


async def rows_of(name: str, database: Database, days: Days = EVERYTHING) -> list[dict[str, object]]:
    export = find_export(name)
    assert export is not None
    ground = Ground(database=database, account_id=1, reader=Reader(texts=TEXTS, now=NOW, zone=MOSCOW))
    turn = cells_of(columns_of(export, TEXTS))
    found = [turn(row) async for rows in export.slices(ground, days) for row in rows]
    counted = await count(export, ground, days)
    assert counted in {None, len(found)}
    return [dict(zip(export.columns, row, strict=True)) for row in found]


@pytest.fixture
async def hall(database: Database) -> Hall:
    """A lead who came to a webinar, one who did not, a call, an expense."""
    await seed_accounts(database)
    await put(database, calls, call_row(1, started_at=START), call_row(2, started_at=NOW, rehearsal=True))
    hall = Hall(database)
    await hall.save(
        lead("79990000001", name="Иван", first=Marks(source="vk"), value=1_234_50, currency="RUB"),
        lead("79990000002", name="=cmd()", days=-40),
    )
    await hall.hold([viewer("79990000001", name="Ваня", minutes=(0, 45)), viewer("79990000077", minutes=(0, 1))])
    spent = SpendRow(day=date(2026, 11, 19), amount=40_000_00, currency="RUB", source="vk")
    await SpendStore(database).save(1, [spent], Names(), NOW, source="import")
    registered = {
        "account_id": 1, "dedup_key": "1", "source": "hook", "sublist_id": "111:page", "name": "Не пришла",
        "phone": "8 999 000-00-09", "phone_key": "79990000009", "webinar_datetime": START, "created_at": START,
    }  # fmt: skip
    await put(database, registrations, registered)
    directory = DirectoryStore(database)
    await tell_houses(directory, [house(100, "ул. Мира, 2", flats="40"), house(200)])
    await tell_people(directory)
    task = {"account_id": 1, "external_id": "5", "employee_id": "7", "title": "Позвонить", "state": "review"}
    await put(database, board_tasks, task | {"deadline": NOW, "may_move": True})
    link = {"user_id": 1, "account_id": 1, "employee_id": "7", "employee_name": "Анна"}
    await put(database, employee_links, link | {"linked_by": 1, "linked_at": NOW})
    return hall


async def test_every_list_is_read(hall: Hall) -> None:
    read = {name: await rows_of(name, hall.database) for name in NAMES}
    assert {name: len(rows) for name, rows in read.items()} == {
        "calls": 1, "leads": 2, "clients": 2, "webinars": 1, "attendees": 2, "registrations": 1, "no_shows": 1,
        "directions": 1, "creatives": 1, "sources": 2, "partners": 1, "top": 1, "spend": 1,
        "company": 23, "houses": 2, "employees": 3, "departments": 3, "statistics": 8, "tasks": 1,
    }  # fmt: skip
    (call,) = read["calls"]
    assert (call["started_at"], call["call_direction"], call["outcome"]) == (START, "входящий", "состоялся")
    assert call["gist"] == summary().text
    first, last = read["leads"]
    assert (first["name"], last["name"], last["value"], last["utm_source"]) == ("=cmd()", "Иван", Decimal("1234.50"), "vk")
    assert last["phone"] == "7 999 000-00-01"
    client = next(row for row in read["clients"] if row["phone"] == "7 999 000-00-01")
    assert (client["leads"], client["visits"], client["last_visit_at"]) == (1, 1, START)
    came = next(row for row in read["attendees"] if row["username"] == "Ваня")
    assert (came["watch_duration_sec"], came["attended"], came["lead_phone"]) == (2700, "да", "7 999 000-00-01")
    assert (read["webinars"][0]["came"], read["webinars"][0]["attended_count"], read["webinars"][0]["no_show"]) == (2, 1, 1)
    assert read["no_shows"][0]["phone"] == read["registrations"][0]["phone"] == "7 999 000-00-09"
    assert (read["spend"][0]["day"], read["spend"][0]["amount"]) == (date(2026, 11, 19), Decimal(40_000))
    by_source = {row["figure_name"]: (row["total_leads"], row["spend"]) for row in read["sources"]}
    assert by_source["vk"] == (1, Decimal(40_000))
    told = {row["figure"]: (row["number"], row["unit"]) for row in read["company"]}
    assert (told["Звонки"], told["Расход на рекламу"]) == ((1, "шт."), (Decimal(40_000), "RUB"))
    (near, far) = read["houses"]
    assert (near["address"], near["flats"], near["entrances"], far["address"]) == ("ул. Мира, 2", 40, None, "")
    petrova = next(row for row in read["employees"] if row["full_name"] == "Петрова Анна Сергеевна")
    assert (petrova["departments"], petrova["active"], petrova["employee_phone"]) == (
        "Продажи, Бригада 1",
        "да",
        "7 900 111-22-33",
    )
    sums = {(row["section"], row["line"]): (row["houses"], row["flats"], row["people"]) for row in read["statistics"]}
    assert sums["Дома", "Всего"] == (2, 40, None)
    assert sums["Управляющие компании", "Без управляющей компании"] == (2, 40, None)
    assert (sums["Сотрудники", "Работают"][2], sums["Отделы", "Без отдела"][2]) == (2, 1)
    task = read["tasks"][0]
    assert (task["task"], task["task_state"], task["deadline"], task["owner"]) == ("Позвонить", "ждёт проверки", NOW, "Анна")


async def test_a_period_is_days_of_the_zone(hall: Hall) -> None:
    day = date(2026, 11, 19)  # the lead was made at 19:00 of it
    one = Days(zone=MOSCOW, first=day, last=day)
    assert [len(await rows_of(name, hall.database, one)) for name in ("leads", "spend", "calls", "webinars")] == [1, 1, 0, 0]
    since = Days(zone=MOSCOW, first=date(2026, 11, 20))
    assert [len(await rows_of(name, hall.database, since)) for name in ("leads", "spend", "calls", "webinars")] == [
        0,
        0,
        1,
        1,
    ]


async def test_an_open_end_of_a_figure_is_the_first_day_there_is_and_today(hall: Hall) -> None:
    before, after = Days(zone=MOSCOW, last=date(2020, 1, 1)), Days(zone=MOSCOW, first=date(2026, 11, 25))
    assert [await rows_of("sources", hall.database, days) for days in (before, after)] == [[], []]
    await put(hall.database, calls, call_row(3, started_at=START - timedelta(days=400)))
    for days, number in ((EVERYTHING, 2), (before, 0), (after, 0), (Days(zone=MOSCOW, first=date(2026, 11, 20)), 1)):
        told = {row["figure"]: row["number"] for row in await rows_of("company", hall.database, days)}
        assert told["Звонки"] == number
    export = find_export("company")
    assert export is not None
    ground = Ground(database=hall.database, account_id=1, reader=Reader(texts=TEXTS, now=NOW, zone=MOSCOW))
    for given, first, last in ((EVERYTHING, date(2025, 10, 16), TODAY), (before, before.last, before.last)):
        days = await days_of(export, ground, given)
        assert (days.first, days.last) == (first, last)


HOSTILE = (
    "=cmd|' /C calc'!A0",
    "+7 999", "-5", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u00a0=1", "＝1", "＋1", "－1", "＠1", "\ufeff=1",
)  # fmt: skip
COLUMNS = (
    Column(name="name", title="Имя"), Column(name="count", title="Число", kind=Kind.NUMBER),
    Column(name="sum", title="Сумма", kind=Kind.MONEY), Column(name="at", title="Когда", kind=Kind.MOMENT),
    Column(name="day", title="День", kind=Kind.DAY), Column(name="phone", title="Телефон", kind=Kind.PHONE),
)  # fmt: skip


def plan(folder: Path, format_: Format = Format.XLSX, *, weight: int = 0) -> Plan:
    return Plan(
        path=folder / f"file.{format_}", room=folder, format=format_, columns=COLUMNS, zone=MOSCOW, weight=weight
    )  # fmt: skip


def written(given: Plan, rows: Sequence[Sequence[object]]) -> files.Written:
    writing = Writing(given)
    writing.write(rows)
    return writing.end()


ROW = ("Иван", 12, 123_450, "2026-11-28 21:30:15.000000", "2026-11-01", "79991234567")


def test_a_book_holds_what_things_are(tmp_path: Path) -> None:
    done = written(plan(tmp_path), [ROW, (None, 10**17, None, datetime(1850, 1, 1, tzinfo=UTC), date(1850, 1, 1), "скрыт")])
    header, row, odd = book(done.paths[0])
    assert header == ["Имя", "Число", "Сумма", "Когда", "День", "Телефон"]
    assert row == ["Иван", 12.0, 1234.5, datetime.fromisoformat("2026-11-29 00:30:15"), date(2026, 11, 1), "7 999 123-45-67"]
    assert odd == ["", "100000000000000000", "", "01.01.1850", "01.01.1850", "скрыт"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.xlsx"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_is_a_formula(tmp_path: Path, text: str) -> None:
    rows = [(text, *ROW[1:])]
    done = written(plan(tmp_path), rows)
    assert isinstance(book(done.paths[0])[1][0], str)
    with zipfile.ZipFile(done.paths[0]) as inside:
        sheet = inside.read("xl/worksheets/sheet1.xml").decode()
        assert 'quotePrefix="1"' in inside.read("xl/styles.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet
    table = written(plan(tmp_path, Format.CSV), rows).paths[0].read_text(encoding="utf-8-sig")
    assert list(csv.reader(io.StringIO(table), delimiter=";"))[1][0].startswith("'")


def test_what_a_book_cannot_hold_is_left_out_or_cut(tmp_path: Path) -> None:
    texts = [
        "a\x00b\x0bв\ud800\ufffe",
        "строка\r\nвторая",
        "<r><b>1</b></r>",
        "я" * 40_000,
        "я" + "😀" * 16_383,
        "яя" + "😀" * 20_000,
        "_x000D_",
        "&<>\"'",
        "https://a.ru",
    ]
    done = written(plan(tmp_path), [(text, *ROW[1:]) for text in texts])
    read = [str(row[0]) for row in book(done.paths[0])[1:]]
    assert read[:3] == ["abв", "строка\nвторая", " <r><b>1</b></r>"]
    assert (len(read[3]), read[3].endswith("… (обрезано)"), done.cut) == (32_767, True, 2)
    assert read[4] == texts[4]  # Excel counts an emoji twice: just as much as a cell holds
    assert read[5] == "яя" + "😀" * 16_376 + "… (обрезано)"
    assert read[6:] == texts[6:]


def test_a_full_sheet_is_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "MOST_ROWS", 3)
    done = written(plan(tmp_path), [ROW] * 7)
    with CalamineWorkbook.from_path(done.paths[0]) as opened:
        sizes = {name: len(opened.get_sheet_by_name(name).to_python()) for name in opened.sheet_names}
    assert (sizes, done.rows) == ({"Лист 1": 4, "Лист 2": 4, "Лист 3": 2}, 7)


@pytest.mark.parametrize("format_", Format)
def test_what_is_too_much_for_one_message_becomes_several_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_: Format
) -> None:
    monkeypatch.setattr(files, "MOST_SENT", 100)
    writing = Writing(plan(tmp_path, format_, weight=40))
    for _ in range(3):
        writing.write([ROW])
    done = writing.end()
    ending = "csv.zip" if format_ is Format.CSV else "xlsx"
    assert [path.name for path in done.paths] == [f"file.{ending}", f"file-2.{ending}", f"file-3.{ending}"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in done.paths)


@pytest.mark.parametrize("format_", Format)
def test_what_is_dropped_leaves_nothing(tmp_path: Path, format_: Format) -> None:
    writing = Writing(plan(tmp_path, format_, weight=10))
    writing.write([ROW])
    writing.write([ROW])
    writing.drop()
    assert list(tmp_path.iterdir()) == []


async def test_a_process_of_its_own_writes_and_clears_up(lite: Database, tmp_path: Path) -> None:
    await Hall(lite).save(lead("79990000001", name="Иван"), lead("79990000002", name="=cmd()", days=-40))
    export, told = find_export("leads"), list[tuple[int, int | None]]()
    assert export is not None
    ground = Ground(database=lite, account_id=1, reader=Reader(texts=TEXTS, now=NOW, zone=MOSCOW))

    async def tell(done: int, total: int | None) -> None:
        told.append((done, total))

    async def stop(done: int, total: int | None) -> None:
        raise InterruptedError

    folder = tmp_path / "exports"
    folder.mkdir()
    given = Plan(
        path=folder / "leads.xlsx", room=folder, format=Format.XLSX, columns=columns_of(export, TEXTS), zone=MOSCOW
    )  # fmt: skip
    done = await pour(export, ground, EVERYTHING, await Apart.begin(given), total=2, told=tell)
    assert (done.rows, told) == (2, [(2, 2)])
    assert [row[2] for row in book(done.paths[0])] == ["Имя", "=cmd()", "Иван"]
    done.paths[0].unlink()
    with pytest.raises(InterruptedError):
        await pour(export, ground, EVERYTHING, await Apart.begin(given), total=2, told=stop)
    assert list(folder.iterdir()) == []
    broken = await Apart.begin(given)
    with pytest.raises(NotWrittenError, match="zip"):
        await pour(export, ground, EVERYTHING, _Short(broken), total=2, told=tell)
    assert list(folder.iterdir()) == []


class _Short:
    """Hands over rows that are too short for their columns."""

    def __init__(self, apart: Apart) -> None:
        self._apart = apart
        self.end, self.drop = apart.end, apart.drop

    async def write(self, rows: Sequence[Sequence[object]]) -> None:
        await self._apart.write([row[:2] for row in rows])


def test_every_column_has_a_title_and_every_list_a_name() -> None:
    for export in EXPORTS:
        assert TEXTS.get(f"export.title.{export.name}")
        columns = columns_of(export, TEXTS)
        assert len({column.title for column in columns}) == len(columns), export.name
        assert [column.title for column in columns_of(export, TEXTS, named=True)] == list(export.columns)
    assert find_export("nothing") is None


def test_who_may_have_people() -> None:
    allowed = {export.name for export in EXPORTS if export.allowed(Role.MANAGER)}
    assert allowed == {
        "webinars", "directions", "creatives", "sources", "partners", "top", "houses", "departments", "statistics",
    }  # fmt: skip
    assert all(export.allowed(Role.ADMIN) for export in EXPORTS)


TODAY = date(2026, 11, 28)


@pytest.mark.parametrize(
    ("text", "what", "period", "format_", "left"),
    [
        ("звонки ноябрь excel", "calls", (1, 30), Format.XLSX, ""),
        ("выгрузи звонки за ноябрь в excel", "calls", (1, 30), Format.XLSX, ""),
        ("выгрузи мне, пожалуйста, лиды с 1 по 15 ноября в csv", "leads", (1, 15), Format.CSV, ""),
        ("конверсии по источникам за неделю", "sources", (22, 28), None, ""),
        ("конверсия", "directions", None, None, ""),
        ("скачай звонки 7", "calls", (22, 28), None, ""),
        ("звонки 0", "calls", None, None, "0"),
        ("креативы", "top", None, None, ""),
        ("не пришли на вебинар 20 ноября", "no_shows", (20, 20), None, ""),
        ("записи на вебинары", "registrations", None, None, ""),
        ("зрители вебинара", "attendees", None, None, ""),
        ("attendees xlsx", "attendees", None, Format.XLSX, ""),
        ("клиенты за все время", "clients", None, None, ""),
        ("расходы 31 февраля", "spend", None, None, "31 февраля"),
        ("звонки с 15 по 1", "calls", None, None, "15 1"),
        ("показатели компании за неделю", "company", (22, 28), None, ""),
        ("статистика", "statistics", None, None, ""),
        ("дома в эксель", "houses", None, Format.XLSX, ""),
        ("сотрудники", "employees", None, None, ""),
        ("отделы", "departments", None, None, ""),
        ("задачи csv", "tasks", None, Format.CSV, ""),
        ("погода", "", None, None, "погода"),
        ("", "", None, None, ""),
    ],
)
def test_words_say_what_and_when(
    text: str, what: str, period: tuple[int, int] | None, format_: Format | None, left: str
) -> None:
    asked = understand(text, TODAY, NAMES)
    days = (asked.period.first.day, asked.period.last.day) if asked.period else None
    assert (asked.what, days, asked.format, asked.left) == (what, period, format_, left)
    assert asked.ever == ("все время" in text)


def test_only_some_words_ask_for_a_file() -> None:
    assert asks("Выгрузи звонки")
    assert asks("экспорт лидов")
    assert not asks("звонки за ноябрь")


def test_the_disk_is_asked_first(tmp_path: Path) -> None:
    export = find_export("calls")
    assert export is not None
    assert room_needed(export, Format.XLSX, 1_000_000) > 500 * 1024**2
    assert has_room(tmp_path, 0)
    assert not has_room(tmp_path, 10**18)
