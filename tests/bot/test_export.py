"""`svodka export`: what there is, what was asked wrongly, and files a program opens."""

import asyncio
import csv
import io
import sys
import time
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from bot.cli import main
from bot.commands import export as command
from handlers.exports.catalogue import EXPORTS
from tests.bot.terminal import Terminal
from tests.ground import lay, opened
from tests.handlers.seed import seed_accounts
from tests.storage.hall import Hall, lead


@pytest.fixture
async def terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Terminal:
    terminal = Terminal(monkeypatch, tmp_path)
    terminal.set({"DATA_DIR": str(tmp_path / "data")})
    (tmp_path / "data").mkdir()
    url = await lay(tmp_path / "data/svodka.db")
    async with opened(url) as database:
        await seed_accounts(database)
        await Hall(database).save(lead("79990000001", name="=cmd()"), lead("79990000002", name="Анна", days=-40))
    return terminal


async def test_a_book_is_written_and_nothing_is_overwritten(terminal: Terminal) -> None:
    said = await terminal("export", "лиды", "--out", "leads.xlsx")
    assert (said.status, said.out, said.err) == (0, f"Строк: 2: {terminal.folder / 'leads.xlsx'}\n", "")
    with CalamineWorkbook.from_path(terminal.folder / "leads.xlsx") as opened_book:
        rows = opened_book.get_sheet_by_index(0).to_python()
    assert [row[2:4] for row in rows] == [["Имя", "Телефон"], ["Анна", "7 999 000-00-02"], ["=cmd()", "7 999 000-00-01"]]
    again = await terminal("export", "лиды", "--out", "leads.xlsx")
    assert (again.status, "уже есть" in again.err) == (1, True)
    assert list((terminal.folder / "data/exports").iterdir()) == []
    said = await terminal("export", "company", "--to", "2026-11-19", "--out", "company.csv")
    assert said.out.startswith("Строк с 11.10.2026 по 19.11.2026: ")


async def test_csv_goes_to_the_standard_output(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, write_through=True))
    asked = ["export", "leads", "--from", "2026-11-01", "--to", "30.11.2026", "--out", "-", "--names"]
    assert await asyncio.to_thread(main, asked) == 0
    table = out.getvalue()
    assert table.startswith("\ufefflead_id;created_at;name;phone".encode())
    (row,) = csv.DictReader(io.StringIO(table.decode("utf-8-sig")), delimiter=";")
    assert (row["name"], row["phone"], row["created_at"]) == ("'=cmd()", "7 999 000-00-01", "19.11.2026 19:00:00")


async def test_without_words_it_says_what_there_is(terminal: Terminal) -> None:
    said = await terminal("export")
    assert said.status == 0
    assert all(f"  {export.name} " in said.out for export in EXPORTS)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("погода", "нет такого списка"),
        ("звонки 31 февраля", "непонятно: «31 февраля»"),
        ("звонки с 15 по 1", "непонятно: «15 1»"),
        ("звонки --from 2026-11-15 --to 2026-11-01", "период наоборот: 15.11.2026 позже 01.11.2026"),
        ("звонки с 15 по 1 ноября", "период наоборот: 15."),
        ("звонки --from вчера", "--from: «вчера» не дата"),
        ("звонки --format doc", "«doc» не бывает"),
        ("звонки --format xlsx --out -", "только csv"),
    ],
)
async def test_what_is_asked_wrongly_is_said(terminal: Terminal, asked: str, told: str) -> None:
    said = await terminal("export", *asked.split())
    assert (said.status, told in said.err) == (2, True), said.err


async def test_a_file_that_cannot_be_written_is_said(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    said = await terminal("export", "лиды", "--out", "data/svodka.db/leads.csv")
    assert (said.status, said.err.endswith("файл не записан: на месте папки файл\n")) == (1, True), said.err
    monkeypatch.setattr(command, "has_room", lambda *_: False)
    said = await terminal("export", "лиды")
    assert (said.status, "на диске мало места: нужно 500 МБ" in said.err) == (1, True)


async def test_a_terminal_sees_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, seconds = _Tty(), [100.0]
    monkeypatch.setattr(sys, "stderr", seen)
    monkeypatch.setattr(time, "monotonic", lambda: seconds[0])
    progress = command.Progress()
    await progress.tell(1, 4)  # too soon
    seconds[0] += 2
    await progress.tell(2, 4)
    await progress.tell(4, 4)
    seconds[0] += 2
    await progress.tell(5, None)
    lines = seen.getvalue().replace("\033[K", "").split("\r")
    assert lines == ["", "2 из 4 (50 %), 1 строк в секунду", "4 из 4 (100 %), 2 строк в секунду\n", "5, 1 строк в секунду"]


class _Tty(io.StringIO):
    def isatty(self) -> bool:
        return True
