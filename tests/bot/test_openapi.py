"""The API described is the API there is: no address without its description, none described that nobody serves."""

import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from aiohttp import web

from bot.hooks import Hooks
from bot.http.app import Site, build_app
from bot.http.documents import load_openapi
from bot.vendors import VENDORS


@pytest.fixture
def described() -> dict[str, dict[str, dict[str, object]]]:
    return cast("dict[str, dict[str, dict[str, object]]]", load_openapi()["paths"])


def test_every_address_is_described_and_none_besides(described: dict[str, dict[str, dict[str, object]]]) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response()

    ingress = SimpleNamespace(hook=answer, keyed=answer, bitrix24_seed=answer, hooks=Hooks())
    site = SimpleNamespace(
        ingress=ingress, health=answer, metrics=answer, metrics_key="", update=answer, follow=answer, consent=answer
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
