"""What a recording of 50 MiB adds to the process on its way from the portal to the model server."""

import asyncio
import time
import wave
from io import BytesIO
from pathlib import Path
from typing import Any

import av

from benchmarks.figures import Figure, Plan, Section
from benchmarks.ledger import Ledger
from benchmarks.processes import forget_peak, memory_mib
from benchmarks.town import Town, open_town
from sandbox.demo.recordings import recording_bytes

TITLE = "Память на запись в 50 МиБ"
SIZE = 50 * 2**20
RATE = 44_100
PATIENCE_SECONDS = 120


async def run(plan: Plan) -> Section:
    path = plan.folder / "long.wav"
    await asyncio.to_thread(_write_long, path)
    async with open_town(plan.folder / "town") as town:
        await town.started()
        for _ in range(3):
            await _worked_off(town, recording="01_complaint_incoming")
        quiet = memory_mib(town.pid)
        if not forget_peak(town.pid):
            return Section(name="memory", title=TITLE, notes=("не измерено: система не говорит наибольшую память",))
        await _worked_off(town, recording="01_complaint_incoming")
        small = memory_mib(town.pid, "VmHWM") - quiet
        forget_peak(town.pid)
        await _worked_off(town, file=str(path), suffix=".wav", own_sound=False, duration_s=290)
        large = memory_mib(town.pid, "VmHWM") - quiet
        paid = (await town.ask("/seen"))["paid"]["transcriptions"]
    return Section(
        name="memory",
        title=TITLE,
        figures=(
            Figure(title="короткий разговор, сверх покоя", values=(small,), unit="МиБ", digits=1),
            Figure(title="запись 50 МиБ, сверх покоя", values=(large,), unit="МиБ", digits=1),
            Figure(title="запись 50 МиБ, сверх короткого", values=(large - small,), unit="МиБ", digits=1, at_most=15),
        ),
        notes=(f"WAV, 44,1 кГц, стерео; по наибольшей памяти процесса (VmHWM); распознаваний всего: {paid}.",),
    )


async def _worked_off(town: Town, **call: Any) -> None:
    before = Ledger(town.database).states().get("done", 0)
    (event,) = await town.calls(1, **call)
    if await town.post(event) != 200:
        raise RuntimeError("the event was not accepted")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while Ledger(town.database).states().get("done", 0) == before:
        if time.monotonic() > deadline:
            raise TimeoutError("the call was not worked off")
        await asyncio.sleep(0.05)


def _write_long(path: Path) -> None:
    """A bundled conversation, over and over, uncompressed."""
    frames = _uncompressed(recording_bytes("01_complaint_incoming"))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        written = 0
        while written < SIZE:
            file.writeframesraw(frames[: SIZE - written])
            written += len(frames)


def _uncompressed(audio: bytes) -> bytes:
    resampler = av.AudioResampler(format="s16", layout="stereo", rate=RATE)
    with av.open(BytesIO(audio), "r") as container:
        return b"".join(
            bytes(part.planes[0])[: part.samples * 4]
            for frame in container.decode(audio=0)
            for part in resampler.resample(frame)
        )
