"""Reading, cutting and re-encoding of recordings, and what their first bytes say."""

import struct
from array import array
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.kit.audio.decode import RATE, Reader, Unreadable
from integrations.kit.audio.loudness import is_tone, power
from integrations.kit.audio.pieces import Limits, Span, cut_at_pauses, encode, plan
from integrations.kit.audio.sniff import EXTENSIONS, extension_for, sniff
from integrations.kit.audio.stereo import SideTrack, side_track
from tests.integrations.audio.sounds import gated, mixed, noise, sine, write_wav

ANY = frozenset(EXTENSIONS)


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (b"ID3\x04\x00", "audio/mpeg"),
        (b"\xff\xfb\x90\x64", "audio/mpeg"),
        (b"\xff\xe3\x18\xc4", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "audio/aac"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", ""),
        (b"OggS\x00\x02", "audio/ogg"),
        (b"\x00\x00\x00\x20ftypM4A ", "audio/mp4"),
        (b"fLaC\x00", "audio/flac"),
        (b"\x1aE\xdf\xa3", "audio/webm"),
        (b"#!AMR\n", "audio/amr"),
        (b"<!DOCTYPE html>", ""),
        (b'{"result": []}', ""),
        (b"\xff\xfe<\x00h\x00t\x00", ""),
        (b"\xff\xeb\x90\x64", ""),
        (b"\xff\xfb", ""),
        (b"", ""),
    ],
)
def test_magic_bytes(head: bytes, mime: str) -> None:
    assert sniff(head) == mime
    assert bool(extension_for(mime)) == bool(mime)


@given(st.binary(max_size=64))
def test_sniffing_is_total(head: bytes) -> None:
    assert sniff(head) in {"", *EXTENSIONS}


@pytest.mark.parametrize("channels", [1, 2])
def test_blocks_are_small_and_complete(recordings: Path, channels: int) -> None:
    with Reader(recordings / "05_stereo_two_channel.mp3") as reader:
        sizes = [len(block) for block in reader.blocks(channels=channels)]
    assert max(sizes) <= RATE * channels
    assert sum(sizes) / RATE / channels == pytest.approx(40.83, abs=0.05)


def test_a_part_can_be_read(recordings: Path) -> None:
    with Reader(recordings / "01_complaint_incoming.mp3") as reader:
        seconds = sum(len(block) for block in reader.blocks(start=30.0, end=40.0)) / RATE
    assert seconds == pytest.approx(10.0, abs=0.2)


def test_a_file_without_audio_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"nothing")
    with pytest.raises(Unreadable):
        Reader(tmp_path / "x")


@pytest.mark.parametrize("rate", [1, 3999, 4_000_000_000])
def test_a_rate_nobody_records_at_is_refused(tmp_path: Path, rate: int) -> None:
    """At one sample a second these 200 kB would be a day of sound."""
    form = struct.pack("<HHIIHH", 1, 1, rate, min(rate * 2, 2**32 - 1), 2, 16)
    (tmp_path / "x").write_bytes(b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\0\0\0" + form + b"data\xf0\xff\xff\x7f" + bytes(200_000))
    with pytest.raises(Unreadable):
        Reader(tmp_path / "x")


def test_sides_over_time(recordings: Path) -> None:
    track = side_track(recordings / "05_stereo_two_channel.mp3")
    assert track.is_left(0.5, 2.5) is True
    assert track.is_left(3.2, 10.0) is False
    assert track.is_left(26.3, 30.3) is True
    assert track.is_left(500.0, 501.0) is None
    assert SideTrack(left=[4.0], right=[4.0]).is_left(0.0, 0.0) is None


def limits(**changes: object) -> Limits:
    return Limits(**{"max_bytes": 25_000_000, "max_seconds": None, "mimes": ANY, **changes})  # type: ignore[arg-type]


def test_a_recording_that_fits_goes_as_it_is(recordings: Path) -> None:
    made = plan(recordings / "01_complaint_incoming.mp3", limits())
    assert (made.as_is, made.mime, made.spans) == (True, "audio/mpeg", (Span(start=0.0, end=None),))
    assert made.duration_s == pytest.approx(74.35, abs=0.05)


@pytest.mark.parametrize(
    "changes", [{"max_bytes": 90_000}, {"mimes": frozenset({"audio/ogg"})}], ids=["too large", "a type not taken"]
)
def test_one_that_does_not_fit_is_encoded_smaller(recordings: Path, tmp_path: Path, changes: dict[str, object]) -> None:
    audio = recordings / "07_voicemail.mp3"
    made = plan(audio, limits(**changes))
    assert not made.as_is
    assert len(made.spans) == 1
    seconds = encode(audio, made.spans[0], tmp_path / "small.ogg")
    small = (tmp_path / "small.ogg").read_bytes()
    assert sniff(small) == "audio/ogg"
    assert len(small) < 90_000
    assert seconds == pytest.approx(24.36, abs=0.1)
    with Reader(tmp_path / "small.ogg") as reader:
        assert reader.facts.duration_s == pytest.approx(24.36, abs=0.1)
        assert (reader.facts.rate, reader.facts.channels) == (48_000, 1)


def test_a_long_one_is_cut_at_pauses_without_loss(recordings: Path, tmp_path: Path) -> None:
    audio = recordings / "07_voicemail.mp3"
    made = plan(audio, limits(max_seconds=8.0))
    assert len(made.spans) >= 4
    assert [span.end for span in made.spans[:-1]] == [span.start for span in made.spans[1:]]
    assert made.spans[-1].end is None
    lengths = [encode(audio, span, tmp_path / f"{i}.ogg") for i, span in enumerate(made.spans)]
    assert max(lengths) <= 8.1
    assert min(lengths) >= 1.5
    assert sum(lengths) == pytest.approx(24.36, abs=0.5)


def test_the_cut_falls_into_the_pause(tmp_path: Path) -> None:
    talk = mixed(gated(noise(4000), on=3.5, every=4.2), sine(300, 50))
    spans = cut_at_pauses(write_wav(tmp_path / "talk.wav", talk, seconds=11), 5.0)
    assert [3.4 < span.start % 4.2 <= 4.2 for span in spans[1:]] == [True, True]
    assert all(span.end is None or span.end - span.start <= 5.0 for span in spans)


def test_the_original_stays_untouched(recordings: Path, tmp_path: Path) -> None:
    audio = tmp_path / "call.mp3"
    audio.write_bytes((recordings / "03_very_short.mp3").read_bytes())
    before = audio.read_bytes()
    encode(audio, Span(start=1.0, end=3.0), tmp_path / "part.ogg")
    assert audio.read_bytes() == before


def test_a_film_without_sound_is_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "film.mp4"), "w") as out:
        stream = out.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 16
        out.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
        out.mux(stream.encode(None))
    with pytest.raises(Unreadable, match="no audio stream"):
        Reader(tmp_path / "film.mp4")


def test_damage_costs_only_its_own_packets(recordings: Path, tmp_path: Path) -> None:
    with Reader(recordings / "07_voicemail.mp3") as reader, av.open(str(tmp_path / "a.flac"), "w") as out:
        stream = out.add_stream("flac", rate=8000, layout="mono")
        for frame in reader.frames(end=10.0):
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    body = bytearray((tmp_path / "a.flac").read_bytes())
    body[len(body) // 2 : len(body) // 2 + 9000] = b"\xff\xf8" * 4500
    (tmp_path / "a.flac").write_bytes(body)
    with Reader(tmp_path / "a.flac") as reader:
        seconds = sum(len(block) for block in reader.blocks()) / RATE
    assert 4.0 < seconds < 10.0


def test_silence_is_no_tone() -> None:
    assert not is_tone(array("h", [0] * 512))
    assert power(array("h")) == 0.0
    assert is_tone(array("h", [int(sine(425)(i / RATE)) for i in range(512)]))
