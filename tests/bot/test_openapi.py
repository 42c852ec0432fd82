"""The API described is the API there is: no address without its description, none described that nobody serves."""

import asyncio
import html
import shutil
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from aiohttp import web

from bot.hooks import Hooks
from bot.http.api.routes import Api
from bot.http.app import Site, build_app
from bot.http.documents import docs_page, load_openapi
from bot.vendors import VENDORS
from storage.engine import Database
from tests.ground import HandClock
from tests.integrations.amocrm.conftest import ACCOUNT, CLIENT, SECRET, signature


@pytest.fixture
def described() -> dict[str, dict[str, dict[str, object]]]:
    return cast("dict[str, dict[str, dict[str, object]]]", load_openapi()["paths"])


def test_every_address_is_described_and_none_besides(described: dict[str, dict[str, dict[str, object]]]) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response()

    ingress = SimpleNamespace(hook=answer, keyed=answer, bitrix24_seed=answer, hooks=Hooks())
    site = SimpleNamespace(
        ingress=ingress,
        api=Api(cast("Database", None), HandClock()),
        health=answer,
        metrics=answer,
        metrics_key="",
        update=answer,
        follow=answer,
        consent=answer,
    )
    app = build_app(cast("Site", site))
    served = {(str(route.resource.canonical), route.method.lower()) for route in app.router.routes() if route.resource}
    told = {(path, method) for path, methods in described.items() for method in methods}
    assert {row for row in served if row[1] != "head"} == told


def test_what_the_page_shows_is_there(described: dict[str, dict[str, dict[str, object]]]) -> None:
    for path, methods in described.items():
        for method, operation in methods.items():
            assert operation["summary"], path
            assert {"200", "302"} & cast("dict[str, object]", operation["responses"]).keys(), (path, method)


def test_the_version_and_the_vendors_are_the_projects() -> None:
    document = load_openapi()
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    assert cast("dict[str, str]", document["info"])["version"] == project["project"]["version"]
    hook = cast("dict[str, dict[str, dict[str, list[dict[str, dict[str, list[str]]]]]]]", document["paths"])
    vendor = hook["/hooks/{vendor}/{secret}"]["post"]["parameters"][0]
    assert vendor["schema"]["enum"] == [v.name for v in VENDORS if v.build_receiver is not None]


async def test_the_page_shows_every_address_with_how_to_call_it(described: dict[str, dict[str, dict[str, object]]]) -> None:
    page = (await docs_page(cast("web.Request", None))).text or ""
    for path, methods in described.items():
        assert html.escape(path) in page
        for operation in methods.values():
            assert html.escape(str(operation["summary"])) in page
            for sample in cast("list[dict[str, str]]", operation.get("x-codeSamples", [])):
                assert html.escape(sample["source"]) in page
    assert page.count("<article>") == sum(map(len, described.values()))
    tags = {str(cast("list[str]", operation["tags"])[0]) for methods in described.values() for operation in methods.values()}
    assert page.count("<h2") == len(tags)  # each section once
    assert "<script" not in page


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl on this machine")
async def test_what_the_page_says_of_signing_is_what_is_accepted(described: dict[str, dict[str, dict[str, object]]]) -> None:
    signing = cast("list[dict[str, str]]", described["/api/webhooks/amo"]["post"]["x-codeSamples"])[0]["source"]
    names, sign, _ = signing.split("\n", 2)
    assert names == "UUID=ID-интеграции ACCOUNT=номер-аккаунта"
    shell = await asyncio.create_subprocess_exec(
        "sh", "-c", f'{sign}\nprintf %s "$SIGN"', stdout=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "UUID": CLIENT, "ACCOUNT": ACCOUNT, "AMOCRM_CLIENT_SECRET": SECRET},
    )  # fmt: skip
    out, _ = await shell.communicate()
    assert out.decode() == signature()
