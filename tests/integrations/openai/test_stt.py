"""Transcription against a server on a real socket: what is sent, what is made of the answers, what is paid."""

import asyncio
from pathlib import Path

import pytest

from domain.calls import Speaker
from domain.errors import VendorRefused, VendorUnavailable
from domain.ports import Transcriber
from integrations.kit.vendor import Ports
from integrations.openai.answers import read_reply
from integrations.openai.script import KnownCall
from integrations.openai.settings import Route, SpeechSettings
from integrations.openai.stt import OpenAITranscriber, _file_name
from tests.integrations.openai.bench import check
from tests.integrations.openai.conftest import KEY, Bench


def transcriber(bench: Bench, **env: str) -> Transcriber:
    made = bench.ports(**env).transcriber
    assert made is not None
    return made


async def test_a_usual_call(bench: Bench, recordings: Path) -> None:
    role = transcriber(bench)
    made = await role.transcribe(
        recordings / "01_complaint_incoming.mp3", check(74.35), name="звонок 17.mp3", operator_first=True
    )
    (seen,) = bench.fake.seen
    assert seen.fields == {
        "model": "whisper-1",
        "language": "ru",
        "response_format": "verbose_json",
        "timestamp_granularities[]": ["word", "segment"],
    }
    assert (seen.file_name, seen.mime) == ("звонок 17.mp3", "audio/mpeg")
    assert seen.size == (recordings / "01_complaint_incoming.mp3").stat().st_size
    assert (made.model, made.language, made.timed, len(made.segments)) == ("whisper-1", "ru", True, 13)
    assert made.segments[0].text.startswith("Добрый день, клининговая компания")
    assert made.segments[1].start == 5.17
    (cost,) = made.costs
    assert (cost.micro_usd, cost.units, cost.unit, cost.estimated) == (7500, 75.0, "s", False)
    assert (role.paid, role.model) == (True, "whisper-1")
    assert role.estimate(60).micro_usd == 6000
    assert role.estimate(60).estimated


@pytest.mark.parametrize(("operator", "left_is"), [("auto", "operator"), ("left", "operator"), ("right", "client")])
async def test_two_channels_tell_who_speaks(bench: Bench, recordings: Path, operator: str, left_is: str) -> None:
    made = await transcriber(bench, STEREO_OPERATOR=operator).transcribe(
        recordings / "05_stereo_two_channel.mp3", check(40.8, stereo=True), name="a.mp3", operator_first=True
    )
    assert len(made.segments) == 10
    assert [s.speaker for s in made.segments[::2]] == [Speaker(left_is)] * 5
    assert {s.speaker for s in made.segments[1::2]} == {Speaker.OPERATOR, Speaker.CLIENT} - {Speaker(left_is)}
    assert made.segments[0].text == "Компания Ясный Двор, Анна, добрый день."


async def test_the_port_says_which_side_is_ours(bench: Bench, recordings: Path) -> None:
    made = await transcriber(bench).transcribe(
        recordings / "05_stereo_two_channel.mp3", check(40.8, stereo=True), name="a.mp3", operator_first=False
    )
    assert made.segments[0].speaker is Speaker.CLIENT


async def test_the_new_model_takes_hints_and_gives_no_times(bench: Bench, recordings: Path) -> None:
    role = transcriber(bench, STT_MODEL="gpt-transcribe", STT_KEYWORDS="Билибина, Ясный Двор", STT_LANGUAGE="ru")
    made = await role.transcribe(recordings / "05_stereo_two_channel.mp3", check(40.8), name="a.mp3", operator_first=True)
    assert [seen.fields["response_format"] for seen in bench.fake.seen] == ["verbose_json", "verbose_json", "json"]
    assert bench.fake.paid["transcriptions"] == 1
    fields = bench.fake.seen[-1].fields
    assert fields["languages[]"] == ["ru"]
    assert fields["keywords[]"] == ["Билибина", "Ясный Двор"]
    assert "language" not in fields
    assert (made.timed, len(made.segments)) == (False, 1)
    assert made.segments[0].speaker is Speaker.UNKNOWN
    assert made.costs[0].micro_usd == 3075


async def test_a_diariser_gives_voices(bench: Bench, recordings: Path) -> None:
    role = transcriber(bench, STT_MODEL="gpt-4o-transcribe-diarize")
    made = await role.transcribe(recordings / "01_complaint_incoming.mp3", check(74.35), name="a.mp3", operator_first=True)
    assert bench.fake.seen[0].fields["chunking_strategy"] == "auto"
    assert [s.label for s in made.segments[:3]] == ["A", "B", "A"]
    assert made.timed


@pytest.mark.parametrize(
    ("refused", "tried", "timed"),
    [
        ({"timestamp_granularities"}, ["verbose_json", "verbose_json"], True),
        ({"verbose_json"}, ["verbose_json", "verbose_json", "json"], False),
        ({"verbose_json", "json"}, ["verbose_json", "verbose_json", "json", "text"], False),
    ],
)
async def test_an_unknown_model_is_found_out_once(
    bench: Bench, recordings: Path, refused: set[str], tried: list[str], timed: bool
) -> None:
    bench.fake.models |= {"our-whisper"}
    bench.fake.refuse = refused
    role = transcriber(bench, STT_MODEL="our-whisper")
    for _ in range(2):
        made = await role.transcribe(recordings / "03_very_short.mp3", check(6.0), name="a.mp3", operator_first=True)
        assert made.timed is timed
        assert "ошибся номером" in made.text
    assert [s.fields["response_format"] for s in bench.fake.seen] == [*tried, tried[-1]]
    assert bench.fake.paid["transcriptions"] == 2
    assert made.costs[0].estimated


async def test_nothing_left_to_try(bench: Bench, recordings: Path) -> None:
    bench.fake.refuse = {"verbose_json", "json"}
    role = transcriber(bench)
    for _ in range(2):
        with pytest.raises(VendorRefused) as caught:
            await role.transcribe(recordings / "03_very_short.mp3", check(6.0), name="a.mp3", operator_first=True)
        assert caught.value.code == "bad_request"
    assert bench.fake.seen[3].fields["response_format"] == "verbose_json"  # a refusal of everything teaches nothing


async def test_invented_words_over_silence_leave_an_empty_transcript(bench: Bench, recordings: Path) -> None:
    bench.fake.silence_text = "Редактор субтитров А.Синецкая Корректор А.Егорова"
    made = await transcriber(bench).transcribe(recordings / "10_silence.mp3", check(12.0), name="a.mp3", operator_first=True)
    assert made.empty
    assert made.quality.removed >= 1
    bench.fake.silence_text = ""
    made = await transcriber(bench).transcribe(
        recordings / "04_ringing_no_answer.mp3", check(15.0), name="a.mp3", operator_first=True
    )
    assert (made.empty, made.quality.removed) == (True, 0)


def small(bench: Bench, max_bytes: int) -> OpenAITranscriber:
    route = Route(
        role="STT", base_url=f"{bench.url}/v1", api_key=KEY, key_name="STT_API_KEY", url_name="STT_BASE_URL", timeout_s=5
    )
    settings = SpeechSettings(route=route, max_bytes=max_bytes)
    made = OpenAITranscriber(settings, "whisper-1", bench.workshop.run_cpu, bench.workshop.data_dir)
    bench.opened.append(Ports(transcriber=made, close=made.close))
    return made


async def test_a_recording_over_the_limit_is_sent_smaller(bench: Bench, recordings: Path) -> None:
    audio = recordings / "07_voicemail.mp3"
    made = await small(bench, 90_000).transcribe(audio, check(24.36), name="a.mp3", operator_first=True)
    (seen,) = bench.fake.seen
    assert (seen.file_name, seen.mime) == ("a-1.ogg", "audio/ogg")
    assert seen.size < 90_000
    assert not made.empty
    assert list(bench.workshop.data_dir.iterdir()) == []  # no piece is left behind


async def test_a_long_recording_goes_in_pieces_and_none_is_bought_twice(
    bench: Bench, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.kit.audio.pieces.PIECE_MAX_S", 16.0)
    audio, role = recordings / "05_stereo_two_channel.mp3", small(bench, 60_000)
    bench.fake.unknown_text = "Алло, это кусок разговора."
    bench.fake.fail(503, skip=2)
    with pytest.raises(VendorUnavailable):
        await role.transcribe(audio, check(40.8), name="a.mp3", operator_first=True)
    assert bench.fake.paid["transcriptions"] == 2
    made = await role.transcribe(audio, check(40.8), name="a.mp3", operator_first=True)
    pieces = len(made.costs)
    assert pieces >= 3
    assert bench.fake.paid["transcriptions"] == len(bench.fake.seen) == pieces
    assert [s.file_name for s in bench.fake.seen] == [f"a-{at + 1}.ogg" for at in range(pieces)]
    await role.transcribe(audio, check(40.8), name="a.mp3", operator_first=True)
    assert bench.fake.paid["transcriptions"] == 2 * pieces  # what was delivered is forgotten


async def test_pieces_without_times_become_one_text(bench: Bench, recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.kit.audio.pieces.PIECE_MAX_S", 20.0)
    bench.fake.refuse = {"verbose_json"}
    bench.fake.unknown_text = "Кусок"
    made = await small(bench, 60_000).transcribe(
        recordings / "07_voicemail.mp3", check(24.36), name="a.mp3", operator_first=True
    )
    assert (made.timed, made.text, made.segments[0].end > 24) == (False, "Кусок Кусок", True)


async def test_pieces_keep_their_times(bench: Bench, recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.kit.audio.pieces.PIECE_MAX_S", 20.0)
    texts = iter(("Первый кусок", "Второй кусок"))
    monkeypatch.setattr(
        "integrations.openai.fake.Fake._unknown",
        lambda *_: KnownCall(
            name="", sha256="", duration=20, turns=({"speaker": "client", "start": 1.0, "end": 5.0, "text": next(texts)},)
        ),
    )
    made = await small(bench, 60_000).transcribe(
        recordings / "07_voicemail.mp3", check(24.36), name="a.mp3", operator_first=True
    )
    assert [s.text for s in made.segments] == ["Первый кусок", "Второй кусок"]
    assert made.segments[0].start == 1.0
    assert 11 <= made.segments[1].start <= 21


@pytest.mark.parametrize("body", [b"<html>login</html>", b"RIFF\x00\x00\x00\x00WAVEjunk"])
async def test_a_file_that_is_no_sound_is_not_sent(bench: Bench, tmp_path: Path, body: bytes) -> None:
    (tmp_path / "a.mp3").write_bytes(body)
    with pytest.raises(VendorRefused) as caught:
        await transcriber(bench).transcribe(tmp_path / "a.mp3", check(0.0), name="a.mp3", operator_first=True)
    assert caught.value.code == "bad_audio"
    assert bench.fake.seen == []


async def test_the_loop_is_free_while_a_large_file_is_sent(bench: Bench, tmp_path: Path, recordings: Path) -> None:
    body = (recordings / "01_complaint_incoming.mp3").read_bytes()
    (tmp_path / "big.mp3").write_bytes(body * 70)  # 20 MB
    role, turns = transcriber(bench), 0
    await role.transcribe(recordings / "03_very_short.mp3", check(6.0), name="a.mp3", operator_first=True)

    async def watch() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    watching = asyncio.create_task(watch())
    await role.transcribe(tmp_path / "big.mp3", check(5200), name="a.mp3", operator_first=True)
    watching.cancel()
    assert bench.fake.seen[-1].size == len(body) * 70
    assert turns > 200  # one for each 64 KB that went, and more


@pytest.mark.parametrize(
    ("name", "mime", "sent"),
    [
        ("call.mp3", "audio/mpeg", "call.mp3"),
        ("звонок.MP3", "audio/mpeg", "звонок.MP3"),
        ("call.wav", "audio/mpeg", "call.mp3"),
        ("call", "audio/wav", "call.wav"),
        ("call.oga", "audio/ogg", "call.oga"),
        ("../../a/call.mp3", "audio/mpeg", "call.mp3"),
        ("", "audio/mpeg", "call.mp3"),
    ],
)
def test_the_name_says_what_the_file_is(name: str, mime: str, sent: str) -> None:
    assert _file_name(name, mime) == sent


@pytest.mark.parametrize(
    ("body", "plain"),
    [
        ("<html>login</html>", True),
        ("<html>login</html>", False),
        ("просто текст", False),
        ("[1, 2]", False),
        ("{}", False),
        ('{"text": 5}', False),
        ("null", True),
    ],
)
def test_what_is_no_transcription(body: str, plain: bool) -> None:
    assert read_reply(body, plain=plain) is None


def test_odd_fields_do_not_lose_the_text() -> None:
    reply = read_reply(
        """{"text": "Алло", "language": null, "duration": "abc", "words": null, "usage": {"seconds": NaN, "x": 1},
        "segments": [{"start": "1.5", "end": 1, "text": "Алло", "speaker": 7}, {"start": -1, "end": "inf", "text": " "}]}""",
        plain=False,
    )
    assert reply is not None
    assert (reply.text, reply.language, reply.duration_s, reply.billed_s, reply.tokens) == ("Алло", "", 0.0, None, None)
    assert [(s.start, s.end, s.text) for s in reply.segments] == [(1.5, 1.5, "Алло")]


@pytest.mark.parametrize("odd", ["[]", "[1, 2]", '"x"', "5", "true", "{}", '[{"start": 0, "end": 1, "text": "А"}, 1]'])
@pytest.mark.parametrize("name", ["usage", "words", "segments"])
def test_an_odd_field_is_dropped_and_not_the_call(name: str, odd: str) -> None:
    reply = read_reply(f'{{"text": "Алло", "{name}": {odd}}}', plain=False)
    assert reply is not None
    assert (reply.text, reply.words, reply.segments) == ("Алло", (), ())
    assert (reply.tokens, reply.billed_s) == (None, None)


def test_numbers_too_large_for_a_float_are_no_numbers() -> None:
    huge = "9" * 400
    reply = read_reply(
        f'{{"text": "Алло", "duration": {huge}, "usage": {{"seconds": {huge}}},'
        f' "segments": [{{"start": {huge}, "end": 1, "text": "Алло", "no_speech_prob": {huge}}}]}}',
        plain=False,
    )
    assert reply is not None
    assert (reply.duration_s, reply.billed_s) == (0.0, None)
    assert [(s.start, s.end, s.no_speech) for s in reply.segments] == [(0.0, 1.0, None)]


@pytest.mark.parametrize(
    ("model", "usage", "micro", "unit"),
    [
        ("gpt-4o-transcribe", {"type": "tokens", "input_tokens": 1000, "output_tokens": 100}, 3500, "tok"),
        ("gpt-4o-transcribe", {"type": "duration", "seconds": 60}, 6000, "s"),
        ("gpt-4o-mini-transcribe", None, 350, "s"),
    ],
)
async def test_prices(
    bench: Bench,
    recordings: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    usage: dict[str, object] | None,
    micro: int,
    unit: str,
) -> None:
    monkeypatch.setattr("integrations.openai.fake.render", lambda *_a, **_k: {"text": "Алло", "usage": usage})
    made = await transcriber(bench, STT_MODEL=model).transcribe(
        recordings / "03_very_short.mp3", check(6.0), name="a.mp3", operator_first=True
    )
    assert (made.costs[0].micro_usd, made.costs[0].unit, made.costs[0].estimated) == (micro, unit, usage is None)
