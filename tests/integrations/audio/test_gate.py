"""The gate's verdicts on the synthetic calls and on the sounds that other detectors take for speech."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.calls import VoiceVerdict
from domain.ports import VoiceGate
from integrations.kit.audio import build_gate
from integrations.kit.audio.gate import SileroGate
from integrations.kit.vendor import Workshop
from tests.integrations.audio.sounds import Wave, dtmf, gated, mixed, noise, sine, write_wav


async def in_thread(work: Callable[[], object]) -> object:
    return await asyncio.to_thread(work)


@pytest.fixture(scope="module")
def gate() -> SileroGate:
    return SileroGate(in_thread)


@pytest.mark.parametrize(
    ("name", "verdict", "stereo", "duration"),
    [
        ("01_complaint_incoming", VoiceVerdict.SPEECH, False, 74.35),
        ("02_sales_outgoing", VoiceVerdict.SPEECH, False, 70.23),
        ("03_very_short", VoiceVerdict.SPEECH, False, 6.01),
        ("04_ringing_no_answer", VoiceVerdict.NO_SPEECH, False, 15.0),
        ("05_stereo_two_channel", VoiceVerdict.SPEECH, True, 40.83),
        ("07_voicemail", VoiceVerdict.SPEECH, False, 24.36),
        ("09_fake_stereo", VoiceVerdict.SPEECH, False, 6.01),
        ("10_silence", VoiceVerdict.NO_SPEECH, False, 12.0),
    ],
)
async def test_the_synthetic_calls(
    gate: SileroGate, recordings: Path, name: str, verdict: VoiceVerdict, stereo: bool, duration: float
) -> None:
    check = await gate.check(recordings / f"{name}.mp3")
    assert (check.verdict, check.stereo) == (verdict, stereo)
    assert check.duration_s == pytest.approx(duration, abs=0.1)
    assert (check.speech_s >= 1.0) == (verdict is VoiceVerdict.SPEECH)


@pytest.mark.parametrize(
    "wave",
    [
        pytest.param(sine(50), id="mains hum"),
        pytest.param(mixed(sine(50, 4000), sine(150, 1500), noise(40)), id="hum with harmonics"),
        pytest.param(noise(3000), id="white noise"),
        pytest.param(gated(noise(4000), on=0.3, every=1.0), id="bursts of noise"),
        pytest.param(mixed(gated(sine(425), on=0.35, every=0.7), noise(20)), id="busy"),
        pytest.param(mixed(gated(sine(425), on=1.0, every=5.0), noise(40)), id="ring-back"),
        pytest.param(mixed(gated(sine(440, 4000), on=2, every=6), gated(sine(480, 4000), on=2, every=6)), id="two tones"),
        pytest.param(dtmf, id="keys"),
        pytest.param(gated(sine(1100), on=0.5, every=3.5), id="fax"),
        pytest.param(lambda _t: 0.0, id="digital silence"),
        pytest.param(lambda _t: 9000.0, id="constant offset"),
    ],
)
def test_sounds_that_are_no_speech(gate: SileroGate, tmp_path: Path, wave: Wave) -> None:
    check = gate.scan(write_wav(tmp_path / "sound.wav", wave, seconds=5))
    assert check.verdict is VoiceVerdict.NO_SPEECH
    assert check.speech_s == 0.0
    assert check.duration_s == pytest.approx(5.0, abs=0.05)


def test_tones_are_recognised_without_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = SileroGate(in_thread)
    asked: list[object] = []
    monkeypatch.setattr("integrations.kit.audio.gate._Scan._probe", lambda _self, frames: asked.append(frames))
    gate.scan(write_wav(tmp_path / "busy.wav", mixed(gated(sine(425), on=0.35, every=0.7), noise(20))))
    assert asked == []


def test_the_network_is_asked_ever_more_rarely_in_vain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("integrations.kit.audio.gate._Scan._probe", lambda _self, frames: asked.append(frames))
    monkeypatch.setattr("integrations.kit.audio.gate._PATIENCE", 5)
    SileroGate(in_thread).scan(write_wav(tmp_path / "music.wav", gated(noise(4000), on=0.5, every=1.0), seconds=25))
    assert 10 < len(asked) < 20


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<!DOCTYPE html><html><body>Log in</body></html>", id="html"),
        pytest.param(b'{"error":"expired_token"}', id="json"),
        pytest.param(b"#EXTM3U\n#EXTINF:1,\nother.mp3\n", id="playlist"),
        pytest.param(b"ffconcat version 1.0\nfile other.mp3\n", id="concat script"),
        pytest.param(b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00", id="cut header"),
    ],
)
def test_what_is_no_recording(gate: SileroGate, tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "call.mp3"
    path.write_bytes(body)
    assert gate.scan(path).verdict is VoiceVerdict.UNREADABLE


def test_a_header_without_sound(gate: SileroGate, tmp_path: Path) -> None:
    assert gate.scan(write_wav(tmp_path / "none.wav", sine(50), seconds=0)).verdict is VoiceVerdict.UNREADABLE


def test_a_damaged_recording_is_still_heard(gate: SileroGate, recordings: Path, tmp_path: Path) -> None:
    body = bytearray((recordings / "03_very_short.mp3").read_bytes())
    body[300:340] = b"\x00" * 40
    (tmp_path / "call.mp3").write_bytes(b"\x00" * 500 + bytes(body[:-777]))
    assert gate.scan(tmp_path / "call.mp3").verdict is VoiceVerdict.SPEECH


def test_one_silent_side_is_not_two_people(gate: SileroGate, tmp_path: Path) -> None:
    path = write_wav(tmp_path / "one.wav", gated(noise(4000), on=0.5, every=1.0), noise(10), seconds=6)
    assert not gate.scan(path).stereo


def test_a_second_voice_is_waited_for_only_so_long(
    recordings: Path, tmp_path: Path, gate: SileroGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.kit.audio.gate._STEREO_LOOK_S", 1.9)
    check = gate.scan(recordings / "05_stereo_two_channel.mp3")
    assert (check.verdict, check.stereo) == (VoiceVerdict.SPEECH, False)


async def test_the_loop_stays_free_and_detectors_are_reused(recordings: Path) -> None:
    threads: set[int] = set()

    async def run_cpu(work: Callable[[], object]) -> object:
        def noted() -> object:
            threads.add(threading.get_ident())
            return work()

        return await asyncio.to_thread(noted)

    gate: VoiceGate = build_gate(Workshop(clock=_NoClock(), data_dir=recordings, run_cpu=run_cpu))
    for _ in range(2):
        await gate.check(recordings / "03_very_short.mp3")
    assert threading.get_ident() not in threads
    assert isinstance(gate, SileroGate)
    assert len(gate._idle) == 1


def test_a_call_with_speech_is_cheap(gate: SileroGate, recordings: Path) -> None:
    def cost() -> float:
        started = time.process_time()
        gate.scan(recordings / "01_complaint_incoming.mp3")
        return time.process_time() - started

    assert min(cost() for _ in range(5)) < 1  # measured: 0.012 s; the whole file through the network takes 3 s


class _NoClock:
    def now(self) -> object:  # type: ignore[override]
        raise AssertionError

    def monotonic(self) -> float:
        raise AssertionError


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in /proc")
def test_the_detector_works_in_one_thread_and_leaves_no_setting_behind(recordings: Path) -> None:
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from integrations.kit.audio.gate import SileroGate\n"
        "verdict = SileroGate(lambda work: work()).scan(Path(sys.argv[1])).verdict\n"
        "print(verdict, len(os.listdir('/proc/self/task')), 'OMP_THREAD_LIMIT' in os.environ)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(recordings / "03_very_short.mp3")], capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == ["speech", "1", "False"]
