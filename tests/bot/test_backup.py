"""The archive itself: consistent, whole, its owner's alone; and what is refused before anything is touched."""

import json
import shutil
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest

from bot.backup import sha256_of
from storage.migrate import HEAD
from tests.bot.terminal import Terminal
from tests.ground import lay


@pytest.fixture
async def terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Terminal:
    """An installation with a database, keys, a post that waits and a recording."""
    terminal = Terminal(monkeypatch, tmp_path)
    data = tmp_path / "data"
    terminal.set({"DATA_DIR": str(data)})
    (data / "keys").mkdir(parents=True)
    for name in ("secret_key", "hook_secret"):
        (data / "keys" / name).write_text(f"{name} of a test and long enough\n")
    await lay(data / "svodka.db")
    with closing(sqlite3.connect(data / "svodka.db")) as connection, connection:
        connection.execute(
            "INSERT INTO calls (account_id, vendor, call_id, state, direction, outcome, started_at, duration_s, heard_at, "
            "recording_path, recording_sha256, recording_size) VALUES (1, 'bitrix24', 'c', 'carded', 'incoming', "
            "'answered', '2026-11-20 10:00:00', 9, '2026-11-20 10:00:00', 'recordings/2026-11-20/a', 'ab', 3)"
        )
        connection.executemany(
            "INSERT INTO posts (account_id, chat_id, kind, content, content_sha256, revision, not_before, created_at, key, "
            "state, error) VALUES (1, -1, 'call', '{}', '', 1, '2026-11-20 10:00:00', '2026-11-20 10:00:00', ?, ?, ?)",
            [("w", "wanted", ""), ("s", "sending", ""), ("g", "dead", "gone"), ("d", "dead", "refused"), ("x", "sent", "")],
        )
    return terminal


def rows(terminal: Terminal, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(terminal.folder / "data/svodka.db")) as connection:
        return connection.execute(statement).fetchall()


def members(archive: Path) -> list[str]:
    with tarfile.open(archive) as opened:
        return opened.getnames()


async def test_a_copy_holds_everything_and_is_for_its_owner(terminal: Terminal) -> None:
    said = await terminal("backup")
    assert said.status == 0
    assert "Храните файл как пароль" in said.out
    assert "1 запись" in said.out
    (archive,) = (terminal.folder / "data/backups").iterdir()
    assert archive.stat().st_mode & 0o777 == 0o600
    assert members(archive) == ["manifest.json", "database.sqlite3", "keys/hook_secret", "keys/secret_key"]
    with tarfile.open(archive) as opened:
        manifest = json.loads(opened.extractfile("manifest.json").read())  # type: ignore[union-attr]
        assert {entry.uname for entry in opened} == {""}
    assert (manifest["revision"], manifest["dialect"], manifest["format"]) == (HEAD, "sqlite", 1)
    assert manifest["recordings"] == [{"path": "recordings/2026-11-20/a", "sha256": "ab", "size": 3}]


async def test_keys_stay_outside_when_asked_or_when_they_are_set_elsewhere(terminal: Terminal) -> None:
    said = await terminal("backup", "--without-keys", "one.tar.gz")
    assert "Ключей в копии нет" in said.out
    assert members(terminal.folder / "one.tar.gz") == ["manifest.json", "database.sqlite3"]
    shutil.rmtree(terminal.folder / "data/keys")
    said = await terminal("backup", "two.tar.gz")
    assert "сохраните .env отдельно" in said.out


async def test_where_a_copy_cannot_go(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    (terminal.folder / "there.tar.gz").write_text("mine")
    said = await terminal("backup", "there.tar.gz")
    assert said.status == 1
    assert (terminal.folder / "there.tar.gz").read_text() == "mine"
    assert "папки no/such нет" in (await terminal("backup", "no/such/copy.tar.gz")).err
    (terminal.folder / "folder").mkdir()
    assert (await terminal("backup", "folder")).status == 0
    assert len(list((terminal.folder / "folder").iterdir())) == 1
    monkeypatch.setattr("bot.commands.backup.MEGABYTE", 10**12)
    said = await terminal("backup", "full.tar.gz")
    assert said.status == 2
    assert "мало" in said.err
    assert not (terminal.folder / "full.tar.gz").exists()


async def test_deleted_rows_do_not_travel_along(terminal: Terminal) -> None:
    file = terminal.folder / "data/svodka.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("INSERT INTO notices VALUES ('gone', 0, '2026-11-20 10:00:00', 'forgotten-client')")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM notices")
    await terminal("backup", "copy.tar.gz")
    with tarfile.open("copy.tar.gz") as opened:
        assert b"forgotten-client" not in opened.extractfile("database.sqlite3").read()  # type: ignore[union-attr]


async def test_a_restore_holds_what_was_wanted_and_keeps_what_was_there(terminal: Terminal) -> None:
    await terminal("backup", "copy.tar.gz")
    with closing(sqlite3.connect(terminal.folder / "data/svodka.db")) as connection, connection:
        connection.execute("UPDATE posts SET key = 'later' WHERE key = 'w'")
    (terminal.folder / "data/keys/secret_key").write_text("another key since then, long enough\n")
    said = await terminal("restore", "copy.tar.gz")
    assert said.status == 0, said
    states = dict(rows(terminal, "SELECT key, state FROM posts"))
    assert states == {"w": "held", "s": "held", "g": "held", "d": "dead", "x": "sent"}
    assert "Придержано: 3 сообщения" in said.out
    assert "Нет 1 записи разговоров" in said.out
    assert (terminal.folder / "data/keys/secret_key").read_text().startswith("secret_key of a test")
    (aside,) = (terminal.folder / "data").glob("before-restore-*")
    assert str(aside) in said.out
    assert (aside / "keys/secret_key").read_text().startswith("another key")
    with closing(sqlite3.connect(aside / "svodka.db")) as connection:
        assert connection.execute("SELECT count(*) FROM posts WHERE key = 'later'").fetchone() == (1,)
    assert rows(terminal, "SELECT action FROM audit") == [("restore",)]
    assert not list((terminal.folder / "data").glob(".svodka-*"))
    said = await terminal("status")
    assert "чат -1: w" in said.out


async def test_a_restore_on_a_new_machine_and_over_a_broken_database(terminal: Terminal) -> None:
    await terminal("backup", "copy.tar.gz")
    await terminal("backup", "--without-keys", "bare.tar.gz")
    file = terminal.folder / "data/svodka.db"
    file.write_bytes(b"not a database at all" * 400)
    said = await terminal("restore", "copy.tar.gz")
    assert said.status == 0, said
    assert rows(terminal, "SELECT count(*) FROM posts") == [(5,)]
    shutil.rmtree(terminal.folder / "data")
    said = await terminal("restore", "bare.tar.gz")
    assert said.status == 0
    assert "Прежние данные" not in said.out
    assert "Ключей нет ни в копии, ни здесь" in said.out
    shutil.rmtree(terminal.folder / "data")
    assert (await terminal("restore", "copy.tar.gz")).status == 0
    assert (terminal.folder / "data/keys").stat().st_mode & 0o777 == 0o700
    assert (terminal.folder / "data/keys/secret_key").stat().st_mode & 0o777 == 0o600


def rewritten(archive: Path, change: Callable[[dict[str, bytes]], None], into: Path) -> None:
    """The archive with its members changed."""
    with tarfile.open(archive) as opened:
        contents = {entry.name: opened.extractfile(entry).read() for entry in opened}  # type: ignore[union-attr]
    change(contents)
    with tarfile.open(into, "w:gz") as made:
        for name, content in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            made.addfile(entry, BytesIO(content))


def _about(**values: object) -> Callable[[dict[str, bytes]], None]:
    def change(contents: dict[str, bytes]) -> None:
        contents["manifest.json"] = json.dumps(json.loads(contents["manifest.json"]) | values).encode()

    return change


def _spoilt(contents: dict[str, bytes]) -> None:
    contents["database.sqlite3"] = contents["database.sqlite3"][:-1] + b"!"


def _missing(contents: dict[str, bytes]) -> None:
    del contents["keys/secret_key"]


def _extra(contents: dict[str, bytes]) -> None:
    contents["../evil"] = b"x"


def _no_manifest(contents: dict[str, bytes]) -> None:
    del contents["manifest.json"]


def _climbing(contents: dict[str, bytes]) -> None:
    manifest = json.loads(contents["manifest.json"])
    manifest["members"][0]["name"] = "../evil"
    contents["manifest.json"] = json.dumps(manifest).encode()


def _huge(contents: dict[str, bytes]) -> None:
    manifest = json.loads(contents["manifest.json"])
    manifest["members"][0]["size"] = 10**18
    contents["manifest.json"] = json.dumps(manifest).encode()


def _too_deep(contents: dict[str, bytes]) -> None:
    manifest = json.loads(contents["manifest.json"])
    manifest["members"][0]["name"] = "keys/deeper/x"
    contents["manifest.json"] = json.dumps(manifest).encode()


def _longer_than_said(contents: dict[str, bytes]) -> None:
    contents["database.sqlite3"] += b"\0"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_spoilt, "database.sqlite3 в копии повреждён"),
        (_missing, "не хватает: keys/secret_key"),
        (_extra, "лишнее: ../evil"),
        (_no_manifest, "нет описи"),
        (_climbing, "недопустимое имя"),
        (_about(format=2), "обновите программу"),
        (_about(revision="0099"), "более новой версией"),
        (_about(dialect="postgresql"), "копия сделана с postgresql"),
        (_too_deep, "недопустимое имя"),
        (_huge, "столько места на диске нет"),
        (_longer_than_said, "размер не сходится"),
        (_about(members="many"), "опись копии не читается"),
    ],
)
async def test_a_bad_copy_changes_nothing(terminal: Terminal, change: Callable[[dict[str, bytes]], None], told: str) -> None:
    await terminal("backup", "copy.tar.gz")
    rewritten(terminal.folder / "copy.tar.gz", change, terminal.folder / "bad.tar.gz")
    before = sha256_of(terminal.folder / "data/svodka.db")
    said = await terminal("restore", "bad.tar.gz")
    assert said.status == 1
    assert told in said.err
    assert sha256_of(terminal.folder / "data/svodka.db") == before
    assert not (terminal.folder / "evil").exists()
    assert not list((terminal.folder / "data").glob("before-restore-*"))


async def test_a_file_that_is_no_copy(terminal: Terminal) -> None:
    (terminal.folder / "text.tar.gz").write_text("hello")
    assert "это не резервная копия" in (await terminal("restore", "text.tar.gz")).err
    await terminal("backup", "copy.tar.gz")
    whole = (terminal.folder / "copy.tar.gz").read_bytes()
    (terminal.folder / "half.tar.gz").write_bytes(whole[: len(whole) // 2])
    assert (await terminal("restore", "half.tar.gz")).status == 1
    assert "файла no.tar.gz нет" in (await terminal("restore", "no.tar.gz")).err
    assert (await terminal("restore")).status == 2
    assert (await terminal("restore", "copy.tar.gz", "--already")).status == 2


async def test_only_so_much_is_listed(terminal: Terminal) -> None:
    with closing(sqlite3.connect(terminal.folder / "data/svodka.db")) as connection, connection:
        connection.executemany(
            "INSERT INTO work (account_id, kind, generation, payload, source, state, due_at, created_at, object, "
            "delivery_id) VALUES (1, 'call', 1, '{}', 'hook', 'ready', '2026-11-20 10:00:00', '2026-11-20 10:00:00', ?, ?)",
            [(f"bitrix24:{number}", None if number else "d") for number in range(25)],
        )
        connection.execute(
            "INSERT INTO requests (kind, payload, state, asked_at) VALUES ('rehearse', '{}', 'asked', '2026-11-20')"
        )
        connection.execute(
            "INSERT INTO telegram_updates VALUES (1, 1, '{}', 'running:1', '2026-11-20 10:00:00'), "
            "(2, 1, '{}', 'done', '2026-11-20 10:00:00')"
        )
    said = await terminal("restore", "--already")
    assert said.status == 0, said
    assert "Остановлено: 25 дел" in said.out
    assert "bitrix24:0: svodka replay d" in said.out
    assert "bitrix24:1: кнопка в /errors" in said.out
    assert "… и ещё 5" in said.out
    assert rows(terminal, "SELECT DISTINCT state, error_code FROM work") == [("dead", "restored")]
    assert rows(terminal, "SELECT state FROM requests") == [("failed",)]
    assert rows(terminal, "SELECT state FROM telegram_updates ORDER BY update_id") == [("dropped",), ("done",)]


async def test_an_empty_database_is_nothing_to_keep(terminal: Terminal) -> None:
    (terminal.folder / "data/svodka.db").unlink()
    with closing(sqlite3.connect(terminal.folder / "data/svodka.db")):
        pass
    (terminal.folder / "data/svodka.db").touch()
    said = await terminal("backup", "copy.tar.gz")
    assert said.status == 2
    assert "пуста" in said.err
