"""The floor of HTTP: aiohttp that answers 200 and does nothing else. Also the Telegram of the other floor."""

import asyncio

from aiohttp import web

from benchmarks.servers.listen import listen


async def answer(_: web.Request) -> web.Response:
    return web.Response(text="ok")


def build_app() -> web.Application:
    app = web.Application()
    app.router.add_post("/hooks/{vendor}/{secret}", answer)
    app.router.add_post("/bot/sendMessage", answer)
    return app


if __name__ == "__main__":
    asyncio.run(listen(build_app()))
