"""Local recognition with a stand-in for the engine: what it is given, what is made of it, what is said without it."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from domain.calls import Speaker, VoiceCheck, VoiceVerdict
from domain.errors import ConfigError, VendorRefused
from integrations.kit.vendor import Workshop
from integrations.whisper import VENDOR
from integrations.whisper.settings import Settings
from integrations.whisper.stt import WhisperTranscriber
from tests.ground import HandClock

RECORDINGS = Path(__file__).parents[1] / "audio" / "recordings"


@dataclass
class Word:
    start: float
    end: float
    word: str


@dataclass
class Segment:
    start: float
    end: float
    text: str
    words: list[Word] | None = None
    no_speech_prob: float = 0.01
    avg_logprob: float = -0.2


@dataclass
class Engine:
    """Stands where faster_whisper.WhisperModel would: notes what it was given and says what it was told to."""

    says: list[list[Segment]] = field(default_factory=list)
    loads: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)
    busy: int = 0
    most_busy: int = 0

    def load(self, model: str, **options: Any) -> "Engine":
        if model == "broken":
            raise RuntimeError("no such model")
        self.loads.append({"model": model, **options})
        return self

    def transcribe(self, sound: Any, **options: Any) -> tuple[Iterator[Segment], None]:
        self.threads.add(threading.get_ident())
        # a file would be decoded by the engine, which then collects the garbage of the whole process
        assert isinstance(sound, np.ndarray)
        assert (sound.dtype, sound.ndim) == (np.float32, 1)
        assert float(abs(sound).max()) <= 1.0
        self.asked.append((len(sound) / 16000, options))
        said = self.says[(len(self.asked) - 1) % len(self.says)] if self.says else []

        def lazily() -> Iterator[Segment]:
            self.busy += 1
            self.most_busy = max(self.most_busy, self.busy)
            yield from said
            self.busy -= 1

        return lazily(), None


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    module = ModuleType("faster_whisper")
    module.WhisperModel = made.load  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "faster_whisper", module)
    return made


def check(duration_s: float, *, stereo: bool = False) -> VoiceCheck:
    return VoiceCheck(verdict=VoiceVerdict.SPEECH, duration_s=duration_s, speech_s=1.0, stereo=stereo)


def role(**changes: str) -> WhisperTranscriber:
    return WhisperTranscriber(Settings(**{"model": "base", **changes}))


async def test_one_recording(engine: Engine) -> None:
    engine.says = [[Segment(0.4, 2.2, " Компания Ясный Двор, слушаю."), Segment(2.6, 4.9, " Ой, ошибся номером.")]]
    made = await role().transcribe(RECORDINGS / "03_very_short.mp3", check(6.0), name="a.mp3", operator_first=True)
    assert [s.text for s in made.segments] == ["Компания Ясный Двор, слушаю.", "Ой, ошибся номером."]
    assert (made.timed, made.costs, made.model, made.language) == (True, (), "local:base", "ru")
    assert engine.loads == [{"model": "base", "device": "cpu", "compute_type": "int8", "cpu_threads": 1, "num_workers": 1}]
    ((seconds, options),) = engine.asked
    assert seconds == pytest.approx(6.0, abs=0.1)
    assert (options["language"], options["vad_filter"], options["word_timestamps"]) == ("ru", True, False)
    assert threading.get_ident() not in engine.threads


async def test_nothing_is_paid() -> None:
    assert not role().paid
    assert role().estimate(60).micro_usd == 0


@pytest.mark.parametrize(
    ("setting", "first", "speaker"),
    [("auto", True, Speaker.OPERATOR), ("auto", False, Speaker.CLIENT), ("right", True, Speaker.CLIENT)],
)
async def test_each_channel_by_itself(engine: Engine, setting: str, first: bool, speaker: Speaker) -> None:
    engine.says = [
        [Segment(0, 9, "", [Word(0.5, 1, " Добрый"), Word(1, 2, " день."), Word(8, 8.5, " Что"), Word(8.5, 9, "-нибудь")])],
        [Segment(0, 9, "", [Word(3, 4, " Алло"), Word(4, 5, " это я.")]), Segment(9, 10, "", None)],
    ]
    made = await role(stereo_operator=setting).transcribe(
        RECORDINGS / "05_stereo_two_channel.mp3", check(40.8, stereo=True), name="a.mp3", operator_first=first
    )
    other = {Speaker.OPERATOR: Speaker.CLIENT, Speaker.CLIENT: Speaker.OPERATOR}[speaker]
    assert [(s.text, s.speaker) for s in made.segments] == [
        ("Добрый день.", speaker),
        ("Алло это я.", other),
        ("Что-нибудь", speaker),
    ]
    assert [options["word_timestamps"] for _, options in engine.asked] == [True, True]


async def test_a_long_recording_in_pieces(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.whisper.stt.PIECE_S", 15.0)
    engine.says = [[Segment(1.0, 2.0, " Кусок один")], [Segment(1.0, 2.0, " Кусок два")], [Segment(1.0, 2.0, " Кусок три")]]
    made = await role().transcribe(RECORDINGS / "05_stereo_two_channel.mp3", check(40.8), name="a.mp3", operator_first=True)
    assert max(seconds for seconds, _ in engine.asked) <= 15.1
    assert sum(seconds for seconds, _ in engine.asked) == pytest.approx(40.8, abs=0.5)
    starts = [s.start for s in made.segments]
    assert starts == sorted(starts)
    assert starts[0] == 1.0
    assert starts[1] > 8


async def test_one_at_a_time_and_loaded_once(engine: Engine) -> None:
    engine.says = [[Segment(0.4, 2.2, " Слушаю.")]]
    one = role()
    audio = RECORDINGS / "03_very_short.mp3"
    await asyncio.gather(*(one.transcribe(audio, check(6.0), name="a.mp3", operator_first=True) for _ in range(3)))
    assert (len(engine.loads), len(engine.asked), engine.most_busy) == (1, 3, 1)


async def test_inventions_are_dropped(engine: Engine) -> None:
    engine.says = [
        [Segment(0, 5, "Редактор субтитров А.Синецкая Корректор А.Егорова"), Segment(5, 9, "бу", None, 0.9, -1.4)]
    ]
    made = await role().transcribe(RECORDINGS / "10_silence.mp3", check(12.0), name="a.mp3", operator_first=True)
    assert made.empty
    assert made.quality.removed >= 2


async def test_a_file_that_is_no_sound(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(b"<html>")
    for duration in (0.0, 5.0):
        with pytest.raises(VendorRefused, match="bad_audio"):
            await role().transcribe(tmp_path / "a.mp3", check(duration), name="a.mp3", operator_first=True)
    assert engine.asked == []


async def test_a_very_short_piece_is_padded(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.whisper.stt.Reader.blocks", lambda *_a, **_k: iter(()))
    await role().transcribe(RECORDINGS / "03_very_short.mp3", check(6.0), name="a.mp3", operator_first=True)
    assert engine.asked[0][0] == 0.1


async def test_the_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(VendorRefused) as caught:
        await role().transcribe(RECORDINGS / "03_very_short.mp3", check(6.0), name="a.mp3", operator_first=True)
    assert (caught.value.code, "svodka[local]" in caught.value.hint) == ("no_extra", True)


async def test_the_check_says_what_is_missing(engine: Engine, tmp_path: Path) -> None:
    async def found(model: str, *, inside: bool = False) -> list[tuple[str, bool]]:
        assert VENDOR.diagnose is not None
        workshop = Workshop(clock=HandClock(), data_dir=tmp_path, run_cpu=asyncio.to_thread, inside=inside)
        return [(f.code, f.ok) async for f in VENDOR.diagnose(Settings(model=model), workshop)]

    assert await found("base") == [("whisper.route", True), ("whisper.model", True)]
    assert await found("broken") == [("whisper.route", True), ("whisper.no_model", False)]
    assert await found("broken", inside=True) == [("whisper.route", True)]  # the model at work is not loaded twice


def test_settings(tmp_path: Path) -> None:
    read = VENDOR.read_settings
    assert read({}) is None
    assert read({"STT_PROVIDER": "openai", "STT_MODEL": "whisper-1"}) is None
    (tmp_path / "model.bin").write_bytes(b"")
    local = {"STT_PROVIDER": "local"}
    assert read({**local, "STT_MODEL": str(tmp_path), "STEREO_OPERATOR": "right"}) == Settings(
        model=str(tmp_path), stereo_operator="right"
    )
    assert read({**local, "STT_MODEL": "small", "STT_LANGUAGE": "EN"}) == Settings(model="small", language="en")
    assert read({**local, "STT_MODEL": "owner/model"}) == Settings(model="owner/model")
    made = VENDOR.build_ports
    assert made is not None
    transcriber = made(Settings(model="/some/where/base"), None).transcriber  # type: ignore[arg-type]
    assert transcriber is not None
    assert transcriber.model == "local:base"


@pytest.mark.parametrize(
    ("env", "variable"),
    [
        ({}, "STT_MODEL"),
        ({"STT_MODEL": "/no/such/folder"}, "STT_MODEL"),
        ({"STT_MODEL": "./nowhere"}, "STT_MODEL"),
        ({"STT_MODEL": "small", "STEREO_OPERATOR": "up"}, "STEREO_OPERATOR"),
    ],
)
def test_wrong_settings(env: dict[str, str], variable: str) -> None:
    with pytest.raises(ConfigError) as caught:
        VENDOR.read_settings({"STT_PROVIDER": "local", **env})
    assert caught.value.variable == variable
