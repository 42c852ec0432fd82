"""The fake portal itself: it must be as strict as the page says, or tests against it prove nothing."""

from datetime import UTC, datetime

import httpx
import pytest

from integrations.bitrix24.fake import Fake
from integrations.bitrix24.fake_portal import local_iso
from tests.integrations.bitrix24.conftest import NOW, SECRET, WAV, Shop


async def ask(shop: Shop, method: str, params: object = None, *, secret: str = SECRET) -> tuple[int, dict[str, object]]:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{shop.base}/rest/1/{secret}/{method}", json=params or {})
    body = answer.json()
    assert isinstance(body, dict)
    return answer.status_code, body


@pytest.mark.parametrize(
    ("method", "params", "status", "code"),
    [
        ("no.such.method", {}, 404, "ERROR_METHOD_NOT_FOUND"),
        ("disk.file.get", {"id": "x"}, 400, "ERROR_NOT_FOUND"),
        ("crm.contact.get", {"id": 99}, 400, "NOT_FOUND"),
        ("crm.timeline.comment.get", {"id": 99}, 400, "NOT_FOUND"),
        ("crm.timeline.comment.add", {"fields": {"COMMENT": "x"}}, 400, "100"),
        ("crm.timeline.comment.add", {"FIELDS": {"ENTITY_ID": 1, "ENTITY_TYPE": "deal", "COMMENT": "x"}}, 400, "100"),
        (
            "crm.timeline.comment.add",
            {"fields": {"ENTITY_ID": 1, "ENTITY_TYPE": "deal", "COMMENT": ""}},
            400,
            "INVALID_ARG_VALUE",
        ),
    ],
)
async def test_refusals(shop: Shop, method: str, params: object, status: int, code: str) -> None:
    got, body = await ask(shop, method, params)
    assert (got, body["error"]) == (status, code)


async def test_a_wrong_secret_opens_nothing(shop: Shop) -> None:
    assert (await ask(shop, "profile", secret="other"))[0] == 401
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{shop.base}/rest/1/other/download/?token=disk%7C5001")
    assert answer.status_code == 401


async def test_the_suffix_and_the_envelope(shop: Shop) -> None:
    status, body = await ask(shop, "profile.json")
    assert status == 200
    assert set(body) == {"result", "time"}


async def test_comments_are_read_and_changed(shop: Shop) -> None:
    fields = {"ENTITY_ID": 1, "ENTITY_TYPE": "deal", "COMMENT": "x"}
    _, added = await ask(shop, "crm.timeline.comment.add", {"fields": fields})
    _, read = await ask(shop, "crm.timeline.comment.get", {"id": added["result"]})
    assert isinstance(read["result"], dict)
    assert (read["result"]["COMMENT"], read["result"]["ENTITY_ID"]) == ("x", "1")
    assert (await ask(shop, "crm.timeline.comment.update", {"id": added["result"], "fields": {"COMMENT": ""}}))[0] == 400
    _, listed = await ask(shop, "crm.timeline.comment.list", {"filter": {"ENTITY_ID": 1, "ENTITY_TYPE": "deal"}})
    assert (listed["total"], "next" in listed) == (1, False)


async def test_statistics_are_sorted_only_when_both_words_are_there(shop: Shop) -> None:
    for _ in range(3):
        shop.fake.add_call()

    async def order(**params: object) -> list[str]:
        _, body = await ask(shop, "voximplant.statistic.get", params)
        assert isinstance(body["result"], list)
        return [row["ID"] for row in body["result"]]

    assert await order(ORDER="DESC") == ["1", "2", "3"]
    assert await order(SORT="ID", ORDER="DESC") == ["3", "2", "1"]
    assert await order(FILTER={"ID": 2}) == ["2"]
    assert await order(FILTER={">id": "2"}) == ["3"]


async def test_a_download_that_is_no_browsers_is_a_404(shop: Shop) -> None:
    call = shop.fake.add_call(audio=WAV)
    _, file = await ask(shop, "disk.file.get", {"id": call.file_id})
    assert isinstance(file["result"], dict)
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(file["result"]["DOWNLOAD_URL"])
        assert (answer.status_code, answer.headers["content-disposition"]) == (404, "attachment")
        assert (await client.get(f"{shop.base}/pbx/none")).status_code == 404


def test_times_are_moscow_wall_time() -> None:
    assert local_iso(NOW) == "2026-03-11T15:00:00+03:00"
    assert datetime.fromisoformat(local_iso(NOW)).astimezone(UTC) == NOW


def test_only_the_newest_requests_are_remembered() -> None:
    assert Fake().requests.maxlen == 20_000
