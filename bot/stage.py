"""The stage of a rehearsal: a call only we know of, its bundled recording, and the real services around it."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import timedelta
from importlib import resources
from pathlib import Path

from domain.calls import CallFacts, Recording
from domain.errors import VendorRefused
from domain.events import CallOutcome, Direction
from domain.ports import Clock
from handlers.calls.services import CallServices

LENGTH_S = 24
CLIENT = "+7 900 000-00-00"


class BundledCall:
    """The RecordingSource of a rehearsal: one call that only we know of."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def find_call(self, call_id: str) -> CallFacts | None:
        return CallFacts(
            call_id=call_id,
            vendor_row_id="",
            direction=Direction.INCOMING,
            outcome=CallOutcome.ANSWERED,
            failed_code="200",
            client_phone=CLIENT,
            line="",
            employee_id="",
            started_at=self._clock.now() - timedelta(seconds=LENGTH_S),
            duration_s=LENGTH_S,
            recording_ref="bundled",
        )

    async def download(self, facts: CallFacts, into: Path, *, max_bytes: int) -> Recording:
        """The recording that is shipped with the program; ``max_bytes`` is far above it."""
        if max_bytes <= 0 or not facts.has_recording:
            raise VendorRefused("rehearsal", "download", "gone", hint="запись проверки не найдена: переустановите программу")
        content = resources.files("bot").joinpath("rehearsal.mp3").read_bytes()
        await asyncio.to_thread(into.write_bytes, content)
        digest = hashlib.sha256(content).hexdigest()
        return Recording(path=str(into), size=len(content), sha256=digest, mime="audio/mpeg", name="rehearsal.mp3")


def on_stage(services: CallServices) -> CallServices:
    """The services of a rehearsal: real recognition, model, money and chat; no telephony and nothing in the CRM."""
    return replace(services, recordings=BundledCall(services.clock), timeline=None, notes=None)
