"""What the HTTP API answers: every row, senseless parameters named, and why a list is empty or old."""

import gzip
import json
from typing import Any

import pytest

from bot.http.api.routes import Api
from bot.http.documents import load_openapi
from domain.directory import DirectoryList, NotHouses
from handlers.directory.pipeline import CHOOSE
from storage.engine import Database
from storage.queries.directory_figures import statistics
from tests.bot.api_door import ALL, FIGURES, HOUSES, PEOPLE, TREE, Door, serving
from tests.conftest import Serve


async def test_the_seeds_lines(api: Door) -> None:
    await api.fill()
    status, five, headers = await api.ask(f"{HOUSES}?limit=5")
    assert (status, headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    assert [house["id"] for house in five["houses"]] == [1, 2, 3, 4, 5]
    assert (five["total"], five["count"], five["limit"], five["offset"]) == (490, 5, 5, 0)
    _, every, _ = await api.ask(HOUSES)
    assert [house["id"] for house in every["houses"]] == list(range(1, 491))
    _, last, _ = await api.ask(f"{HOUSES}?limit=10000&offset=488")
    assert [house["id"] for house in last["houses"]] == [489, 490]
    _, beyond, _ = await api.ask(f"{HOUSES}?offset=1000000")
    assert (beyond["houses"], beyond["total"], beyond["problem"]) == ([], 490, None)


async def test_a_house_has_every_field_and_null_for_what_is_missing(api: Door) -> None:
    await api.fill(2)
    _, body, _ = await api.ask(HOUSES)
    assert body["houses"] == [
        {
            "id": 1, "title": "Дом 1", "address": "ул. Ёлочная, 1", "flats": 1, "entrances": None, "floors": None,
            "management_company": "УК Север", "cleaning_schedule": None, "brigade": None, "url": "https://portal.example/1",
            "unread": {},
        },
        {
            "id": 2, "title": "Без адреса", "address": None, "flats": None, "entrances": None, "floors": None,
            "management_company": None, "cleaning_schedule": None, "brigade": None, "url": None,
            "unread": {"flats": "12 или 14"},
        },
    ]  # fmt: skip


async def test_houses_and_people_are_found_by_a_part(api: Door) -> None:
    await api.fill(30)
    _, found, _ = await api.ask(f"{HOUSES}?q=кибальч&limit=2")
    assert (found["total"], found["count"], found["near"]) == (9, 2, None)
    assert all("Кибальчича" in house["address"] for house in found["houses"])
    _, beyond, _ = await api.ask(f"{HOUSES}?q=кибальч&offset=9")
    assert (beyond["houses"], beyond["total"], beyond["near"]) == ([], 9, None)
    _, exact, _ = await api.ask(f"{HOUSES}?q=4+%D1%91%D0%BB%D0%BE%D1%87%D0%BD%D0%B0%D1%8F")
    assert exact["houses"][0]["address"] == "ул. Ёлочная, 4"
    _, near, _ = await api.ask(f"{HOUSES}?q=кибольчича")
    assert (near["houses"], near["near"], near["problem"]) == ([], "кибальчича", None)
    _, both, _ = await api.ask(f"{PEOPLE}?q=иванов")
    _, gone, _ = await api.ask(f"{PEOPLE}?q=иванов&active=false")
    assert [row["id"] for row in both["employees"]] == ["2", "3"]
    assert ([row["id"] for row in gone["employees"]], gone["total"]) == (["3"], 1)


async def test_people_departments_and_figures(api: Door) -> None:
    await api.fill(10)
    _, people, _ = await api.ask(PEOPLE)
    assert {row["id"]: (row["name"], row["departments"], row["active"]) for row in people["employees"]} == {
        "1": ("Петрова Анна", ["Компания"], True), "2": ("Иванов Олег", ["Бригада 1", "Бригада 2"], True),
        "3": ("Иванов Пётр", ["Бригада 1"], False), "4": ("Юля", [], True),
    }  # fmt: skip
    assert [(await api.ask(f"{PEOPLE}?active={value}"))[1]["total"] for value in ("true", "0")] == [3, 1]
    _, tree, _ = await api.ask(TREE)
    assert [(row["name"], row["parent"], row["depth"], row["head"], row["people"]) for row in tree["departments"]] == [
        ("Компания", None, 0, "Петрова Анна", 1),
        ("Бригада 1", "Компания", 1, "Иванов Олег", 1),
        ("Бригада 2", "Компания", 1, None, 1),
    ]
    _, told, _ = await api.ask(FIGURES)
    said = await statistics(api.database, 1)  # what /stats shows
    assert told["houses"]["total"] == said.houses == sum(one["houses"] for one in told["management_companies"]) == 10
    assert told["management_companies"][-1] == {"name": None, "houses": 1, "flats": 0, "entrances": 0}
    assert told["employees"] == {"total": 4, "active": 3, "fired": 1, "in_several": 1}
    assert told["departments"]["total"] == 3


async def test_a_senseless_parameter_is_named(api: Door) -> None:
    limits = ("0", "-1", "abc", "", "1000000000", "10001", "5.0", "%D9%A5", "1e3", "5&limit=5", "+5", "0x5")
    wrong = [(f"{path}?limit={value}", "limit") for path in (HOUSES, PEOPLE, TREE) for value in limits]
    wrong += [(f"{HOUSES}?offset={value}", "offset") for value in ("-1", "x", "1000001")]
    wrong += [(f"{HOUSES}?limitt=5", "limitt"), (f"{HOUSES}?active=true", "active"), (f"{HOUSES}?q={'и' * 201}", "q")]
    wrong += [(f"{PEOPLE}?active=yes", "active"), (f"{TREE}?q=x", "q"), (f"{FIGURES}?limit=5", "limit")]
    for path, field in wrong:
        status, body, _ = await api.ask(path)
        assert (status, body["field"], body["code"]) == (400, field, "bad_parameter"), path
        assert body["error"].startswith(f"{field}: ")


async def test_an_empty_list_says_why(api: Door, lite: Database, serve: Serve) -> None:
    async def problems() -> list[str]:
        bodies = [(await api.ask(path))[1] for path in ALL]
        assert all(body["stale"] for body in bodies)
        assert all(body["problem"]["message"] and body["problem"]["hint"] for body in bodies)
        return [body["problem"]["code"] for body in bodies]

    assert await problems() == ["never_read"] * 4
    _, body, _ = await api.ask(HOUSES)
    assert (body["houses"], body["total"], body["updated_at"], body["age_seconds"]) == ([], 0, None, None)
    for name in DirectoryList:
        await api.store.fail(1, name, problem="insufficient_scope", hint="Отметьте право в …", now=api.clock.now())
    assert await problems() == ["insufficient_scope"] * 4
    rights = [(await api.ask(path))[1]["problem"]["message"] for path in ALL[:3]]
    assert [right.partition("(")[2][:-2] for right in rights] == ["crm", "user_basic", "department"]
    api.url = await serve(serving(Api(lite, api.clock, connected=False), api.hooks))
    assert await problems() == ["not_connected"] * 4


async def test_none_found_is_no_silence(api: Door) -> None:
    await api.fill(0)
    _, body, _ = await api.ask(HOUSES)
    assert (body["houses"], body["problem"]["code"], body["stale"]) == ([], "empty", False)
    assert "CRM (crm)" in body["problem"]["hint"]
    _, body, _ = await api.ask(PEOPLE)
    assert body["problem"] is None
    await api.store.fail(1, DirectoryList.HOUSES, problem=NotHouses.UNMAPPED, hint=CHOOSE, now=api.clock.now())
    _, body, _ = await api.ask(HOUSES)
    assert (body["problem"]["code"], body["problem"]["hint"]) == ("unmapped", CHOOSE)
    assert "нет полей дома" in body["problem"]["message"]


async def test_old_rows_are_told_with_their_age_and_what_is_wrong(api: Door) -> None:
    await api.fill(5)
    api.clock.forward(720)
    _, body, _ = await api.ask(HOUSES)
    assert (body["updated_at"], body["age_seconds"], body["stale"]) == ("2026-11-20T12:00:00Z", 720, False)
    await api.store.fail(
        1, DirectoryList.HOUSES, problem="authorization_error", hint="Создайте вебхук.", now=api.clock.now()
    )
    _, body, _ = await api.ask(HOUSES)
    assert (body["count"], body["stale"], body["problem"]["hint"]) == (5, True, "Создайте вебхук.")
    _, body, _ = await api.ask(PEOPLE)
    assert (body["stale"], body["problem"]) == (False, None)
    api.clock.forward(4 * 3600)
    assert (await api.ask(PEOPLE))[1]["stale"]


async def test_packed_is_the_same_and_unchanged_is_not_sent_again(api: Door) -> None:
    await api.fill()
    for path in (HOUSES, f"{HOUSES}?limit=200&offset=7", f"{HOUSES}?q=садовый", FIGURES):
        _, plain, headers = await api.ask(path)
        async with api.session.get(
            api.url + path, headers={"Authorization": f"Bearer {api.secret}", "Accept-Encoding": "br, gzip"}
        ) as answer:
            body = await answer.read()
            packed = answer.headers.get("Content-Encoding") == "gzip"
            assert json.loads(gzip.decompress(body) if packed else body) == plain
            assert packed is (path != FIGURES)
        tag = headers["ETag"]
        assert (await api.ask(path, **{"If-None-Match": f'"other", {tag}'}))[0] == 304
        api.clock.forward(1)
        assert (await api.ask(path, **{"If-None-Match": tag}))[0] == 304
        await api.store.fail(1, DirectoryList.HOUSES, problem=path[-9:], hint="", now=api.clock.now())
        assert (await api.ask(path, **{"If-None-Match": tag}))[0] == 200
    async with api.session.get(
        api.url + HOUSES, headers={"Authorization": f"Bearer {api.secret}", "Accept-Encoding": "gzip;q=0"}
    ) as answer:
        assert "Content-Encoding" not in answer.headers


async def test_a_new_reading_is_seen_at_once(api: Door) -> None:
    await api.fill(3)
    assert (await api.ask(HOUSES))[1]["total"] == 3
    api.clock.forward(1)
    await api.fill(4)
    assert (await api.ask(HOUSES))[1]["total"] == 4
    assert (await api.ask(FIGURES))[1]["houses"]["total"] == 4


async def test_head_and_other_methods(api: Door) -> None:
    await api.fill(3)
    _, _, got = await api.ask(HOUSES)
    status, body, headers = await api.ask(HOUSES, method="HEAD")
    assert (status, body, headers["Content-Length"]) == (200, None, got["Content-Length"])
    assert (await api.ask(HOUSES, method="POST"))[0] == 405


async def test_the_database_is_asked_again_when_something_was_written(api: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody leads here, and the vendor is not there to be asked: all comes out of the database."""
    await api.fill(3)
    read, asked = api.database.read, []

    def counted() -> Any:
        asked.append(1)
        return read()

    monkeypatch.setattr(api.database, "read", counted)
    for _ in range(2):
        await api.ask(HOUSES)
    before = len(asked)
    await api.ask(HOUSES)
    assert len(asked) == before
    await api.store.begin(1, DirectoryList.HOUSES)
    await api.ask(HOUSES)
    assert len(asked) == before + 2  # the key, and how old the lists are


def _schema(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    return _schema(document, document["components"]["schemas"][node["$ref"].rpartition("/")[2]]) if "$ref" in node else node


def fits(document: dict[str, Any], node: dict[str, Any], value: Any, where: str = "$") -> None:
    """Enough of JSON Schema for our own document."""
    schema = _schema(document, node)
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
    given = schema.get("type", "object")
    allowed = tuple(kinds[kind] for kind in ([given] if isinstance(given, str) else given))
    assert isinstance(value, allowed), where
    for part in schema.get("allOf", []):
        fits(document, part, value, where)
    if isinstance(value, dict):
        assert set(schema.get("required", [])) <= value.keys(), where
        for name, one in schema.get("properties", {}).items():
            if name in value:
                fits(document, one, value[name], f"{where}.{name}")
    if isinstance(value, list):
        for place, one in enumerate(value):
            fits(document, schema["items"], one, f"{where}[{place}]")


async def test_what_is_answered_is_what_the_document_says(api: Door) -> None:
    document: dict[str, Any] = load_openapi()
    await api.fill(5)
    for path in ALL:
        operation = document["paths"][path]["get"]
        _, body, _ = await api.ask(path)
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        fits(document, schema, body)
        told = {name for part in [_schema(document, schema)] for name in part["properties"]}
        told |= {"updated_at", "age_seconds", "stale", "problem", "total", "count", "limit", "offset"}
        assert body.keys() <= told
        for sample in operation["x-codeSamples"]:
            if sample["lang"] == "JSON":
                fits(document, schema, json.loads(sample["source"]), sample["label"])
        for parameter in operation.get("parameters", []):
            value = {"integer": "1", "string": "x", "boolean": "true"}[parameter["schema"]["type"]]
            assert (await api.ask(f"{path}?{parameter['name']}={value}"))[0] == 200
