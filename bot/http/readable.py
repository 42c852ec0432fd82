"""JSON for people and programs alike: Russian words are letters in it."""

import json
from collections.abc import Mapping
from functools import partial

from aiohttp import web

in_letters = partial(json.dumps, ensure_ascii=False)


def readable(body: Mapping[str, object], *, status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    """A browser shows it as it is to whoever has followed a link."""
    return web.json_response(body, status=status, headers=headers, dumps=in_letters)
