"""How every server of the benchmarks begins: on a free port, which it prints as a line of JSON."""

import asyncio
import json
import signal

from aiohttp import web


async def listen(app: web.Application, **more: object) -> None:
    """Serve until asked to end."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(json.dumps({"port": runner.addresses[0][1], **more}), flush=True)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await stop.wait()
    await runner.cleanup()
