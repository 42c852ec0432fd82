"""The API described: an OpenAPI document, and a page that shows it without any script from outside."""

import html
import json
from importlib import resources

from aiohttp import web


def load_openapi() -> dict[str, object]:
    """The document as it is shipped beside this module."""
    text = resources.files("bot.http").joinpath("openapi.json").read_text(encoding="utf-8")
    document: dict[str, object] = json.loads(text)
    return document


async def openapi(_: web.Request) -> web.Response:
    return web.json_response(load_openapi())


async def docs_page(_: web.Request) -> web.Response:
    return web.Response(text=_page(load_openapi()), content_type="text/html", charset="utf-8")


def _page(document: dict[str, object]) -> str:
    info, paths = document["info"], document["paths"]
    assert isinstance(info, dict)  # noqa: S101 - our own file
    assert isinstance(paths, dict)  # noqa: S101
    rows = "".join(
        f"<tr><td><code>{html.escape(method.upper())}</code></td><td><code>{html.escape(path)}</code></td>"
        f"<td>{html.escape(operation['summary'])}</td><td>{_answers(operation)}</td></tr>"
        for path, methods in paths.items()
        for method, operation in methods.items()
    )
    return _TEMPLATE.format(
        title=html.escape(info["title"]),
        version=html.escape(info["version"]),
        about=html.escape(info["description"]),
        rows=rows,
    )


def _answers(operation: dict[str, dict[str, dict[str, str]]]) -> str:
    listed = operation["responses"].items()
    return "<br>".join(f"<b>{html.escape(code)}</b> {html.escape(answer['description'])}" for code, answer in listed)


_TEMPLATE = """<!doctype html>
<html lang="ru"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
td {{ border-top: 1px solid #8884; padding: .6rem .5rem; vertical-align: top }}
code {{ font-family: ui-monospace, monospace; overflow-wrap: anywhere }}
</style></head><body><h1>{title}</h1><p>Версия {version}. {about} <a href="/docs/openapi.json">OpenAPI</a></p>
<table>{rows}</table></body></html>
"""
