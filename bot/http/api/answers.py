"""What the API answers, out of our own database alone: the CRM is never asked while somebody waits."""

import hashlib
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass

from aiohttp import web

from bot.http.api.in_json import figures, to_bytes
from bot.http.api.listings import LISTINGS
from bot.http.api.params import Page, only_known, read_page
from bot.http.api.shelf import Body, Shelf, rows_of
from bot.http.api.standing import ALL, Standing, standing_of
from domain.ports import Clock
from storage.engine import Database
from storage.queries.directory import Freshness, freshness
from storage.queries.directory_figures import statistics
from storage.remembered import Remembered

_HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "Cache-Control": "private, no-cache",
    "Vary": "Accept-Encoding, Authorization",
}
_LEAST_PACKED = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A page of ``total`` rows. ``near``: a spelling that finds something, where what was searched for does not."""

    page: Sequence[bytes]
    total: int
    near: str = ""


class Answers:
    """``connected``: there is a CRM that the company is read from."""

    def __init__(self, database: Database, clock: Clock, *, connected: bool) -> None:
        self._database = database
        self._clock = clock
        self._connected = connected
        self._fresh = Remembered[Freshness](database)
        self._shelf = Shelf()

    async def answer(self, request: web.Request, account_id: int, name: str) -> web.Response:
        """One of the lists, or «statistics»."""
        if name not in LISTINGS:
            return await self._figures(request, account_id)
        listing = LISTINGS[name]
        page = read_page(request.query, *listing.parameters)
        standing = await self._standing(account_id, (name,))
        asked = (name, account_id, page, standing.version)

        async def body() -> Body:
            rows = await self._rows(name, account_id, page, standing.version)
            counted = {"total": rows.total, "count": len(rows.page), "limit": page.limit, "offset": page.offset}
            return Body(
                head=b'{"%s":[%s],' % (name.encode(), b",".join(rows.page)),
                counted=counted | ({"near": rows.near or None} if page.words else {}),
            )

        return await self._sent(request, asked, standing, body)

    async def _rows(self, name: str, account_id: int, page: Page, version: Hashable) -> Rows:
        """Found anew, or cut out of the list that was made of this reading before."""
        listing = LISTINGS[name]
        if page.words and listing.find is not None:
            found = await listing.find(self._database, account_id, page)
            return Rows(page=await rows_of(found.lines, listing.encode), total=found.total, near=found.near)

        async def make() -> list[bytes]:
            return await rows_of(await listing.read(self._database, account_id, page), listing.encode)

        made = await self._shelf.rows((name, account_id, page.active), version, make)
        return Rows(page=made[page.offset : page.end], total=len(made))

    async def _figures(self, request: web.Request, account_id: int) -> web.Response:
        only_known(request.query, ())
        standing = await self._standing(account_id, ALL)

        async def body() -> Body:
            return Body(head=to_bytes(figures(await statistics(self._database, account_id)))[:-1] + b",")

        return await self._sent(request, ("statistics", account_id, standing.version), standing, body)

    async def _standing(self, account_id: int, lists: Sequence[str]) -> Standing:
        fresh = await self._fresh.get(account_id, lambda: freshness(self._database, account_id))
        return standing_of(fresh, lists, now=self._clock.now(), connected=self._connected)

    async def _sent(
        self, request: web.Request, asked: Hashable, standing: Standing, make: Callable[[], Awaitable[Body]]
    ) -> web.Response:
        """``asked``: what the beginning of the answer depends on; who has it already is not sent it again."""
        tag = _tag(asked, standing)
        headers = _HEADERS | {"ETag": tag}
        if _has(request, tag):
            return web.Response(status=304, headers=headers)
        body = await self._shelf.body(asked, make)
        end = to_bytes(dict(body.counted) | standing.in_json(self._clock.now()))[1:]
        if len(body.head) < _LEAST_PACKED or not _takes_gzip(request):
            return web.Response(body=body.head + end, headers=headers)
        packed = await self._shelf.packed(asked, body)
        return web.Response(body=packed.whole(end), headers=headers | {"Content-Encoding": "gzip"})


def _tag(asked: Hashable, standing: Standing) -> str:
    """Of a reading and of how it stands; the age alone makes no new answer."""
    said = repr((asked, standing)).encode()
    return f'W/"{hashlib.sha256(said).hexdigest()[:20]}"'


def _has(request: web.Request, tag: str) -> bool:
    given = request.headers.get("If-None-Match", "")
    return given.strip() == "*" or tag.removeprefix("W/") in {one.strip().removeprefix("W/") for one in given.split(",")}


def _takes_gzip(request: web.Request) -> bool:
    given = request.headers.get("Accept-Encoding", "").lower().replace(" ", "").split(",")
    return any(one == "gzip" or (one.startswith("gzip;q=") and one[7:].strip("0.") != "") for one in given)
