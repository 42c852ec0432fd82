"""Tables as people and systems write them: encodings, separators, titles, cells, hostile files."""

import csv
import io
import random
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadInput
from domain.imports import AnyRow, CreativeRow, ImportKind, LeadRow, SpendRow
from handlers.leads import workbook
from handlers.leads.cells import Numbered, read_moment, read_money, read_row
from handlers.leads.columns import find_columns
from handlers.leads.reading import opened
from handlers.leads.tables import is_table
from tests.leads.books import SHEET, book

MOSCOW = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
HEADER = ["Имя", "Телефон", "E-mail", "Направление", "utm_source", "Дата создания"]
IVAN = ["Иван Петров", "8 (999) 123-45-67", "IVAN@Example.RU", "Ремонт", "vk", "01.11.2026 12:30"]
Write = Callable[[str, bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return put


async def rows_of(path: Path, kind: ImportKind | None = None) -> list[Numbered]:
    async with opened(path, kind, zone=MOSCOW, now=NOW) as reading:
        return [one async for piece in reading.pieces() for one in piece]


async def only(path: Path) -> AnyRow | None:
    (one,) = await rows_of(path)
    return one.row


def table(*rows: list[str], separator: str = ";") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
async def test_a_lead_in_any_encoding_and_with_any_separator(write: Write, encoding: str, separator: str) -> None:
    path = write("leads.csv", table(HEADER, IVAN, separator=separator).encode(encoding))
    lead = await only(path)
    assert isinstance(lead, LeadRow)
    assert (lead.name, lead.phone_key, lead.email_key) == ("Иван Петров", "79991234567", "ivan@example.ru")
    assert (lead.direction, lead.marks.source, lead.day) == ("Ремонт", "vk", date(2026, 11, 1))
    assert lead.created_at == datetime(2026, 11, 1, 9, 30, tzinfo=UTC)


async def test_a_workbook_gives_the_same_lead(write: Write) -> None:
    cells = [HEADER, ["Иван Петров", 79991234567, "IVAN@Example.RU", "Ремонт", "vk", datetime(2026, 11, 1, 12, 30)]]  # noqa: DTZ001
    from_book = await only(write("leads.xlsx", book(cells)))
    from_text = await only(write("leads.csv", table(HEADER, IVAN).encode()))
    assert isinstance(from_book, LeadRow)
    assert isinstance(from_text, LeadRow)
    assert (from_book.phone_key, from_book.created_at, from_book.key) == (
        from_text.phone_key, from_text.created_at, from_text.key,
    )  # fmt: skip


async def test_titles_above_the_names_and_empty_rows_keep_the_numbers_people_see(write: Write) -> None:
    text = table(["Выгрузка за ноябрь"], [], ["Клиент", "Тел.", "Комментарий"], [], ["Анна", "нет", "перезвонить"])
    (one,) = await rows_of(write("x.csv", text.encode()))
    assert one.number == 5
    assert [(fault.field, fault.name, fault.given) for fault in one.faults] == [("phone", "phone", "нет")]


async def test_excel_says_its_separator_itself(write: Write) -> None:
    lead = await only(write("x.csv", b"sep=;\nphone;utm_content\n79991234567;a,b\n"))
    assert isinstance(lead, LeadRow)
    assert lead.marks.content == "a,b"


@pytest.mark.parametrize(
    ("titles", "kind"),
    [
        (["ФИО", "Номер телефона"], ImportKind.LEADS),
        (["E-Mail:"], ImportKind.LEADS),
        (["chat_id", "Статус"], ImportKind.LEADS),
        (["Дата", "Расход", "Источник"], ImportKind.SPEND),
        (["Day", "Amount spent"], ImportKind.SPEND),
        (["Креатив", "utm_content"], ImportKind.CREATIVES),
        (["Направление"], ImportKind.DIRECTIONS),
        (["Дата", "Комментарий"], None),
        (["Иван", "79991234567"], None),
    ],
)
def test_a_table_is_known_by_its_names(titles: list[str], kind: ImportKind | None) -> None:
    columns = find_columns(titles)
    assert (columns.kind if columns else None) == kind


def test_a_person_may_say_what_it_is() -> None:
    assert find_columns(["Телефон", "Направление"], ImportKind.DIRECTIONS) is not None
    assert find_columns(["Телефон"], ImportKind.SPEND) is None


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.csv", b"", "пуст"),
        ("a.csv", b"\x00\x01\x02", "не таблица"),
        ("a.csv", b"just words\nand more\n", "названиями колонок"),
        ("a.csv", b'phone\n"' + b"x" * 200_000, "кавычка"),
        ("a.xlsx", b"PK\x03\x04 not a book", "не открывается"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "не открывается"),
        ("a.xlsx", book([]), "нет листа"),
        ("a.pdf", b"%PDF", ".csv и .xlsx"),
    ],
)
async def test_a_file_that_is_no_table_is_told_why(write: Write, name: str, data: bytes, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        await rows_of(write(name, data))


async def test_too_many_rows_are_told(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.leads.tables.MOST_ROWS", 3)
    with pytest.raises(BadInput, match="больше 3 строк"):
        await rows_of(write("a.csv", b"phone\n" + b"79991234567\n" * 4))
    assert len(await rows_of(write("a.csv", b"phone\n" + b"79991234567\n" * 3))) == 3


def test_a_bomb_ends_in_its_own_process(write: Write) -> None:
    """A sheet that is a thousand times larger than its file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book([["phone"]]))) as good, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bomb:
        for name in good.namelist():
            if name != SHEET:
                bomb.writestr(name, good.read(name))
        with bomb.open(SHEET, "w") as sheet:
            sheet.write(b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>')
            for number in range(1, 301):
                sheet.write(f'<row r="{number}"><c r="A{number}" t="inlineStr"><is><t>'.encode() + b"9" * 2**20)
                sheet.write(b"</t></is></c></row>")
            sheet.write(b"</sheetData></worksheet>")
    path = write("bomb.xlsx", packed.getvalue())
    assert path.stat().st_size < 2**20
    with pytest.raises(BadInput, match="слишком тяжёлая"):
        workbook.convert(path, path.with_suffix(".csv"), memory=200 * 2**20)


async def test_a_book_with_entities_is_refused_or_harmless(write: Write) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
    sheet = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><worksheet>&l8;</worksheet>'
    with pytest.raises(BadInput):
        await rows_of(write("laughs.xlsx", book([["phone"]], sheet=sheet.encode())))


async def test_the_process_that_reads_a_book_knows_no_secret(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, object] = {}
    real = workbook.subprocess.run

    def run(command: list[str], **options: object) -> object:
        seen.update(options)
        return real(command, **options)  # type: ignore[call-overload]

    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "not a token")
    monkeypatch.setattr(workbook.subprocess, "run", run)
    assert await only(write("a.xlsx", book([["phone"], [79991234567.0]]))) is not None
    assert list(seen["env"]) == ["PYTHONPATH"]  # type: ignore[call-overload]


def lead_of(**cells: str) -> Numbered:
    return read_row(ImportKind.LEADS, 1, cells, zone=MOSCOW, now=NOW)


@pytest.mark.parametrize(
    "cells",
    [
        {"phone": "79991234567.0"},
        {"phone": "79991234567@s.whatsapp.net"},
        {"chat_id": "79991234567@c.us"},
        {"phone": "тел. +7 999 123 45 67", "email": "нет"},
    ],
)
def test_one_phone_however_it_is_written(cells: dict[str, str]) -> None:
    row = lead_of(**cells).row
    assert isinstance(row, LeadRow)
    assert row.phone_key == "79991234567"


def test_a_messenger_that_hides_the_number_is_a_contact_of_its_own() -> None:
    row = lead_of(chat_id="12345@lid").row
    assert isinstance(row, LeadRow)
    assert (row.phone_key, row.contact) == ("", "whatsapp:12345@lid")


def test_a_bad_phone_beside_a_good_address_is_a_doubt_and_no_refusal() -> None:
    one = lead_of(phone="123", email="a.b@example.ru")
    assert isinstance(one.row, LeadRow)
    assert [fault.name for fault in one.doubts] == ["phone"]
    assert [fault.name for fault in lead_of(name="Иван").faults] == ["no_contact"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("28.11.2026", datetime(2026, 11, 28, 9, tzinfo=UTC)),
        ("28.11.26 00:30", datetime(2026, 11, 27, 21, 30, tzinfo=UTC)),
        ("28/11/2026 в 9:05:07", datetime(2026, 11, 28, 6, 5, 7, tzinfo=UTC)),
        ("2026-11-28T10:00:00Z", datetime(2026, 11, 28, 10, tzinfo=UTC)),
        ("2026-11-28 10:00:00+05:00", datetime(2026, 11, 28, 5, tzinfo=UTC)),
        ("2026-11-28T10:00:00.123", datetime(2026, 11, 28, 7, tzinfo=UTC)),
        ("46354", datetime(2026, 11, 28, 9, tzinfo=UTC)),
        ("46354.75", datetime(2026, 11, 28, 15, tzinfo=UTC)),
    ],
)
def test_dates(text: str, moment: datetime) -> None:
    assert read_moment(text, MOSCOW, NOW) == moment


@pytest.mark.parametrize(
    ("text", "name"),
    [("31.02.2026", "created"), ("28.11.2026 25:00", "created"), ("вчера", "created"), ("01.01.1970", "long_ago"),
     ("01.12.2026", "future"), ("28.11.2026 в обед", "created")],
)  # fmt: skip
def test_a_date_that_cannot_be_names_its_field(text: str, name: str) -> None:
    assert [(f.field, f.name, f.given) for f in lead_of(phone="79991234567", created=text).faults] == [
        ("created", name, text)
    ]


@pytest.mark.parametrize(
    ("text", "minor"),
    [("40000", 4_000_000), ("40 000,50 ₽", 4_000_050), ("1,234.5", 123_450), ("1.234,56", 123_456), ("1,234", 123_400),
     ("40.000", 4_000_000), ("12.500 ₽", 1_250_000), ("1.000.000", 100_000_000), ("1,000,000.5", 100_000_050),
     ("12.50", 1_250), ("12,5000", 1_250), ("0,05", 5), ("0", 0), ("12.5", 1_250), ("1 000 000 руб.", 100_000_000)],
)  # fmt: skip
def test_amounts(text: str, minor: int) -> None:
    assert read_money(text) == (minor, "RUB")


@pytest.mark.parametrize("text", ["0,005", "0.005 ₽", "000.005", "1234,567", "1.234,567", "12,3450", "12.34567"])
def test_more_than_kopecks_is_refused_and_says_why(text: str) -> None:
    one = read_row(ImportKind.SPEND, 3, {"created": "01.11.2026", "amount": text}, zone=MOSCOW, now=NOW)
    assert [(f.field, f.name) for f in one.faults] == [("amount", "kopecks")]


async def test_a_number_of_a_book_parts_no_thousands(write: Write) -> None:
    rows = [["Дата", "Расход"], *([["01.11.2026", paid] for paid in (12.345, 12.5, 0.1 + 0.2, 40000)])]
    numbered = await rows_of(write("spend.xlsx", book(rows)))
    assert [one.row.amount if isinstance(one.row, SpendRow) else one.faults[0].name for one in numbered] == [
        "kopecks", 1_250, 30, 4_000_000,
    ]  # fmt: skip


@given(st.integers(0, 10**12))
def test_an_amount_is_read_as_it_was_written(minor: int) -> None:
    text = f"{minor // 100:,}.{minor % 100:02}"
    assert read_money(text) == (minor, "RUB")
    russian = text.replace(",", " ").replace(".", ",")
    assert read_money(f"{russian} $") == (minor, "USD")


def test_spend_names_what_it_lacks() -> None:
    one = read_row(ImportKind.SPEND, 3, {"created": "", "amount": "-5", "currency": ""}, zone=MOSCOW, now=NOW)
    assert [(f.field, f.name) for f in one.faults] == [("amount", "negative"), ("created", "missing")]
    good = read_row(ImportKind.SPEND, 3, {"created": "01.11.2026", "amount": "5", "currency": "usd"}, zone=MOSCOW, now=NOW)
    assert good.row == SpendRow(day=date(2026, 11, 1), amount=500, currency="USD")
    odd = read_row(ImportKind.SPEND, 3, {"created": "01.11.2026", "amount": "5", "currency": "?"}, zone=MOSCOW, now=NOW)
    assert [f.name for f in odd.faults] == ["currency"]


async def test_creatives_bring_their_rule(write: Write) -> None:
    path = write("c.csv", "Креатив;Направление;utm_content\nКухня;Ремонт;ad_17\n".encode())
    assert await only(path) == CreativeRow(title="Кухня", direction="Ремонт", rule="ad_17")


@given(st.dictionaries(st.sampled_from(["phone", "email", "chat_id", "created", "id", "name", "utm_source"]), st.text()))
def test_no_cell_breaks_a_row(cells: dict[str, str]) -> None:
    one = lead_of(**cells)
    assert (one.row is None) == bool(one.faults)


@given(st.binary(max_size=400), st.randoms(use_true_random=False))
def test_no_bytes_break_a_table(tmp_path_factory: pytest.TempPathFactory, data: bytes, chance: random.Random) -> None:
    from handlers.leads.tables import open_table

    path = tmp_path_factory.getbasetemp() / f"{chance.getrandbits(64)}.csv"
    path.write_bytes(data)
    try:
        with open_table(path) as rows:
            assert all(number >= 1 for number, _ in rows)
    except BadInput:
        pass
    finally:
        path.unlink()


def test_names_of_tables() -> None:
    assert [name for name in ("a.CSV", "b.xlsx", "c.txt", "d.ods", "e.pdf", "f", "g.docx") if is_table(name)] == [
        "a.CSV", "b.xlsx", "c.txt", "d.ods",
    ]  # fmt: skip
