"""The API described: an OpenAPI document, and a page that shows it without any script from outside."""

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from itertools import groupby
from string import Template
from typing import TypedDict, cast

from aiohttp import web

_PLACES = {"path": "в адресе", "query": "параметр адреса", "header": "заголовок"}


class _Answer(TypedDict):
    description: str


class _Sample(TypedDict):
    label: str
    source: str


class _Operation(TypedDict, total=False):
    """What the page shows of an operation; the names are OpenAPI's."""

    tags: list[str]
    summary: str
    parameters: list[Mapping[str, str]]
    responses: dict[str, _Answer]


_Row = tuple[str, str, _Operation]


def load_openapi() -> dict[str, object]:
    """The document as it is shipped beside this module."""
    document: dict[str, object] = json.loads(_text("openapi.json"))
    return document


async def openapi(_: web.Request) -> web.Response:
    return web.json_response(load_openapi())


async def docs_page(_: web.Request) -> web.Response:
    return web.Response(text=_page(load_openapi()), content_type="text/html", charset="utf-8")


def _text(name: str) -> str:
    return resources.files("bot.http").joinpath(name).read_text(encoding="utf-8")


def _page(document: dict[str, object]) -> str:
    info = cast("dict[str, str]", document["info"])
    groups = [(name, list(rows)) for name, rows in groupby(_rows(document), key=lambda row: row[2]["tags"][0])]
    links = (f'<a href="#{place}">{html.escape(name)}</a>' for place, (name, _) in enumerate(groups))
    return Template(_text("docs.html")).substitute(
        title=html.escape(info["title"]),
        version=html.escape(info["version"]),
        about=html.escape(info["description"]),
        contents="".join(links),
        sections="".join(_section(place, name, rows) for place, (name, rows) in enumerate(groups)),
    )


def _rows(document: dict[str, object]) -> Iterator[_Row]:
    paths = cast("dict[str, dict[str, _Operation]]", document["paths"])
    return ((method, path, operation) for path, methods in paths.items() for method, operation in methods.items())


def _section(place: int, name: str, rows: Sequence[_Row]) -> str:
    return f'<section><h2 id="{place}">{html.escape(name)}</h2>{"".join(_article(*row) for row in rows)}</section>'


def _article(method: str, path: str, operation: _Operation) -> str:
    """Its address, what it is for, what it needs, how it is called; its answers can be unfolded."""
    head = f'<h3><code><span class="method">{html.escape(method.upper())}</span> {html.escape(path)}</code></h3>'
    samples = cast("list[_Sample]", operation.get("x-codeSamples", []))
    shown = "".join(map(_sample, samples))
    return (
        f"<article>{head}<p>{html.escape(operation['summary'])}</p>{_needs(operation)}{shown}{_answers(operation)}</article>"
    )


def _needs(operation: _Operation) -> str:
    """What has to be given, then what may be."""
    listed = operation.get("parameters", [])
    needed = [f"<code>{html.escape(one['name'])}</code> {_PLACES[one['in']]}" for one in listed if one.get("required")]
    free = [one for one in listed if not one.get("required")]
    rows = [f"<dt><code>{html.escape(one['name'])}</code></dt><dd>{html.escape(one['description'])}</dd>" for one in free]
    told = f'<p class="needs">Нужны: {", ".join(needed)}</p>' if needed else ""
    return told + (f'<p class="needs">Можно добавить:</p><dl class="may">{"".join(rows)}</dl>' if rows else "")


def _sample(sample: _Sample) -> str:
    label = f'<div class="label">{html.escape(sample["label"])}</div>' if sample["label"] else ""
    return f"{label}<pre><code>{html.escape(sample['source'])}</code></pre>"


def _answers(operation: _Operation) -> str:
    listed = operation["responses"].items()
    rows = "".join(f"<dt>{html.escape(code)}</dt><dd>{html.escape(answer['description'])}</dd>" for code, answer in listed)
    return f"<details><summary>Что ответит: {', '.join(operation['responses'])}</summary><dl>{rows}</dl></details>"
