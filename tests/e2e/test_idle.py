"""The whole process lets go of who opens a connection and never asks."""

import asyncio
from pathlib import Path

import pytest

from bot import app
from bot.http.connections import FirstRequests
from tests.e2e.town import open_town


async def test_half_a_request_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "FirstRequests", lambda: FirstRequests(seconds=0.2, every=0.05))
    async with open_town(tmp_path) as town:
        await town.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", town.port)
        writer.write(b"POST /hooks/bitrix24/x HTTP/1.1\r\nHost: x\r\n")
        assert await asyncio.wait_for(reader.read(), 60) == b""
        writer.close()
