"""Svodka's way in, whole: addresses, secrets, Bitrix24's receiver, the vault, the inbox. What it takes, no one works on."""

import asyncio
import gc
import sys
from pathlib import Path

from aiohttp import web

from benchmarks.load import TOKEN
from benchmarks.servers.listen import listen
from bot.http.api.routes import Api
from bot.http.app import Site, build_app
from bot.http.ingress import Ingress
from bot.http.limits import RateLimit
from bot.keys import load_keys
from bot.loading import collect_rarely
from bot.logs import configure_logging
from bot.services import build_services
from bot.settings import read_settings
from storage.engine import Database
from storage.migrate import migrate


async def _nothing() -> dict[str, object]:
    return {"status": "healthy"}


async def _no_metrics() -> str:
    return ""


async def _no_telegram(_body: bytes, _secret: str | None) -> int:
    return 404


async def _no_link(_: web.Request) -> web.Response:
    return web.Response(status=404)


async def main(folder: Path, db_url: str) -> None:
    settings = read_settings(
        {
            "DATA_DIR": str(folder),
            "LOG_LEVEL": "WARNING",
            "BITRIX24_WEBHOOK_URL": "http://127.0.0.1:9/rest/1/secretofabenchmark/",
            "BITRIX24_APPLICATION_TOKEN": TOKEN,
        }
        | ({"DB_URL": db_url} if db_url else {})
    )
    keys = load_keys(settings)
    configure_logging(settings, [])
    await migrate(settings.db_url)
    database = Database(settings.db_url)
    database.open()
    services = await build_services(settings, keys, database)
    ingress = Ingress(
        hooks=services.hooks,
        inbox=services.inbox,
        vault=services.vault,
        stored=lambda: None,
        strangers=RateLimit(services.clock, per_minute=120, burst=60),
        trusted=(),
    )
    site = Site(
        ingress=ingress, api=Api(database, services.clock), health=_nothing, metrics=_no_metrics, metrics_key="",
        update=_no_telegram, follow=_no_link,
    )  # fmt: skip
    try:
        await listen(build_app(site), hook=f"/hooks/bitrix24/{keys.hook('bitrix24')}")
    finally:
        await services.close()


if __name__ == "__main__":
    collect_rarely()  # as `svodka run` does, and what is imported by now is out of the collector's sight there too
    gc.freeze()
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""))
