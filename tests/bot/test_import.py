"""`svodka import`: a table shown, agreed to, and loaded by who leads, or here."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.keys import load_keys
from bot.settings import read_settings
from tests.bot.terminal import Terminal
from tests.e2e.town import open_town
from tests.ground import lay

TABLE = "Имя;Телефон;Направление\nИван;8 999 000 00 01;Ремонт\nАнна;79990000002;Ремонт\nПётр;123;\n"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Terminal:
    terminal = Terminal(monkeypatch, tmp_path)
    terminal.set({"DATA_DIR": str(tmp_path / "data")})
    (tmp_path / "data").mkdir()
    (tmp_path / "leads.csv").write_text(TABLE, encoding="cp1251")
    return terminal


async def prepared(terminal: Terminal) -> None:
    await lay(terminal.folder / "data/svodka.db")


def stored(terminal: Terminal, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(terminal.folder / "data" / "svodka.db")) as database:
        return database.execute(sql).fetchall()


def write(terminal: Terminal, *statements: str) -> None:
    with closing(sqlite3.connect(terminal.folder / "data" / "svodka.db")) as database, database:
        for statement in statements:
            database.execute(statement)


async def test_a_table_is_loaded_where_nobody_leads(terminal: Terminal) -> None:
    await prepared(terminal)
    said = await terminal("import", "leads.csv", "--yes")
    assert said.status == 0, said.err
    assert "новых 2" in said.out
    assert "строка 4, Телефон: «123» — это не номер телефона" in said.out
    assert "добавлено: 2" in said.out
    assert stored(terminal, "SELECT phone_key FROM leads ORDER BY id") == [("79990000001",), ("79990000002",)]
    again = await terminal("import", "leads.csv", "--yes")
    assert (again.status, "уже загружен" in again.out) == (0, True)
    assert stored(terminal, "SELECT state, added FROM imports") == [("complete", 2)]


async def test_a_data_folder_may_be_named_from_where_we_stand(terminal: Terminal) -> None:
    await prepared(terminal)
    terminal.set({"DATA_DIR": "data"})  # what it is when nobody sets it
    said = await terminal("import", "leads.csv", "--yes")
    assert (said.status, "добавлено: 2" in said.out) == (0, True), said.err


async def test_nothing_is_loaded_without_a_yes(terminal: Terminal) -> None:
    await prepared(terminal)
    said = await terminal("import", "leads.csv")
    assert said.status == 1
    assert "--yes" in said.err
    assert stored(terminal, "SELECT count(*) FROM leads") == [(0,)]
    assert stored(terminal, "SELECT count(*) FROM imports") == [(0,)]


async def test_a_load_that_is_stopped_by_hand_leaves_nothing(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    await prepared(terminal)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("bot.commands.load.Progress.tell", stop)
        assert (await terminal("import", "leads.csv", "--yes")).status == 130
    assert stored(terminal, "SELECT state FROM imports") == [("failed",)]
    for table in ("leads", "people", "identities", "import_leads"):
        assert stored(terminal, f"SELECT count(*) FROM {table}") == [(0,)]
    said = await terminal("import", "leads.csv", "--yes")
    assert (said.status, "добавлено: 2" in said.out) == (0, True), said.out


async def test_a_load_is_undone_by_its_number(terminal: Terminal) -> None:
    await prepared(terminal)
    said = await terminal("import", "leads.csv", "--yes")
    assert "svodka import --undo 1" in said.out
    said = await terminal("import", "--undo", "1")
    assert (said.status, "убрано: 2" in said.out) == (0, True), said.err
    assert stored(terminal, "SELECT count(*) FROM leads") == [(0,)]
    for number in ("1", "7"):
        said = await terminal("import", "--undo", number)
        assert (said.status, "уже отменена" in said.err) == (1, True)
    write(terminal, "UPDATE imports SET state = 'complete', added = 0, changed = 0")
    assert "отменять нечего" in (await terminal("import", "--undo", "1")).err
    write(terminal, "UPDATE imports SET added = 1, loaded_at = '2026-01-01 00:00:00.000000'")
    assert "в течение суток" in (await terminal("import", "--undo", "1")).err


async def test_how_far_a_long_load_is_is_told(terminal: Terminal) -> None:
    await prepared(terminal)
    rows = "".join(f"7999{number:07}\n" for number in range(10_000))
    (terminal.folder / "long.csv").write_text(f"Телефон\n{rows}", encoding="utf-8")
    said = await terminal("import", "long.csv", "--yes")
    told = [line for line in said.out.splitlines() if line.startswith("Прочитано")]
    assert (told[0], told[-1], len(told)) == (
        "Прочитано 1\u00a0000 из 10\u00a0000 строк.", "Прочитано 10\u00a0000 из 10\u00a0000 строк.", 10,
    )  # fmt: skip


async def test_what_will_not_do_is_told(terminal: Terminal) -> None:
    await prepared(terminal)
    (terminal.folder / "words.csv").write_text("просто слова\n", encoding="utf-8")
    said = await terminal("import", "words.csv", "--yes")
    assert (said.status, "названиями колонок" in said.err) == (1, True)
    said = await terminal("import", "leads.csv", "--kind", "сделки")
    assert (said.status, "--kind" in said.err, "leads, spend" in said.err) == (2, True, True)
    said = await terminal("import", "nothing.csv")
    assert (said.status, "nothing.csv" in said.err) == (2, True)
    said = await terminal("import", "leads.csv", "--kind", "spend", "--yes")
    assert said.status == 1


async def test_a_load_that_a_crash_left_without_work_goes_on(terminal: Terminal, tmp_path: Path) -> None:
    await prepared(terminal)
    await terminal("import", "leads.csv", "--yes")
    write(terminal, "UPDATE imports SET state = 'loading'", "DELETE FROM leads")
    async with open_town(tmp_path) as town:
        load_keys(read_settings(town.environment))  # as a first start leaves them
        await town.start()
        await town.until(lambda: stored(terminal, "SELECT state FROM imports") == [("complete",)])
        assert stored(terminal, "SELECT count(*) FROM leads") == [(2,)]


async def test_a_load_whose_work_was_given_up_is_taken_away(terminal: Terminal, tmp_path: Path) -> None:
    await prepared(terminal)
    await terminal("import", "leads.csv", "--yes")
    write(
        terminal,
        "UPDATE imports SET state = 'loading'",
        """INSERT INTO work (account_id, kind, object, generation, payload, source, state, due_at, created_at)
           VALUES (1, 'table', 'svodka:1', 1,
                   '{"vendor": "svodka", "external_id": "1", "occurred_at": null, "import_id": 1}',
                   'chat', 'dead', '2026-11-01 00:00:00.000000', '2026-11-01 00:00:00.000000')""",
    )
    async with open_town(tmp_path) as town:
        load_keys(read_settings(town.environment))
        await town.start()
        await town.until(lambda: stored(terminal, "SELECT state FROM imports") == [("failed",)])
        assert stored(terminal, "SELECT count(*) FROM leads") == [(0,)]


async def test_who_leads_loads_it(terminal: Terminal, tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        terminal.set(town.environment)
        await town.start()
        said = await terminal("import", "leads.csv", "--yes")
        assert (said.status, "добавлено: 2" in said.out) == (0, True), said.err + said.out
        assert stored(terminal, "SELECT state FROM work WHERE kind = 'table'") == [("done",)]
        assert stored(terminal, "SELECT state FROM imports") == [("complete",)]
        said = await terminal("import", "--undo", "1")
        assert (said.status, "убрано: 2" in said.out) == (0, True), said.err + said.out
        assert stored(terminal, "SELECT count(*) FROM leads") == [(0,)]
