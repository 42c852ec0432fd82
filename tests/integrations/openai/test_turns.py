"""Who said what where the server gives no times: a stereo recording goes turn by turn, each bought once."""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.calls import Speaker, Transcript
from domain.errors import VendorRefused, VendorUnavailable
from domain.ports import Transcriber
from integrations.openai.script import by_sound
from tests.integrations.openai.bench import check
from tests.integrations.openai.conftest import Bench
from tests.integrations.openai.hearing import Ear

STEREO = "05_stereo_two_channel.mp3"
SECONDS = 40.8


@dataclass(frozen=True)
class Day:
    """A clock that stands on one day."""

    today: datetime

    def now(self) -> datetime:
        return self.today

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture(name="ear")
def an_ear(bench: Bench, recordings: Path) -> Ear:
    audio = recordings / STEREO
    bench.fake.hear = Ear(audio, hashlib.sha256(audio.read_bytes()).hexdigest())
    return bench.fake.hear


@pytest.fixture(name="told")
def the_script(recordings: Path) -> list[tuple[str, str]]:
    call = by_sound(hashlib.sha256((recordings / STEREO).read_bytes()).hexdigest())
    assert call is not None
    return [(turn["speaker"], turn["text"]) for turn in call.turns]


def role(bench: Bench, **env: str) -> Transcriber:
    made = bench.ports(**({"STT_MODEL": "gpt-transcribe"} | env)).transcriber
    assert made is not None
    return made


async def heard(role: Transcriber, recordings: Path, *, stereo: bool = True) -> Transcript:
    return await role.transcribe(recordings / STEREO, check(SECONDS, stereo=stereo), name="a.mp3", operator_first=True)


def turns(made: Transcript) -> list[tuple[str, str]]:
    return [(segment.speaker.value, segment.text) for segment in made.segments]


def formats(bench: Bench) -> list[str]:
    return [seen.fields["response_format"] for seen in bench.fake.seen]


@pytest.mark.usefixtures("ear")
async def test_each_turn_is_asked_for_and_told_with_its_speaker_and_time(
    bench: Bench, recordings: Path, told: list[tuple[str, str]]
) -> None:
    asks = role(bench, STT_KEYWORDS="Ясный Двор")
    made = await heard(asks, recordings)
    assert turns(made) == told
    assert made.timed
    assert [round(segment.start) for segment in made.segments] == [0, 3, 11, 12, 17, 22, 26, 31, 35, 38]
    assert formats(bench) == ["verbose_json", "verbose_json"] + ["json"] * 10
    assert bench.fake.paid["transcriptions"] == 10  # nothing is paid for what was refused
    assert {tuple(seen.fields["keywords[]"]) for seen in bench.fake.seen[2:]} == {("Ясный Двор",)}
    (cost,) = made.costs
    assert (cost.unit, cost.micro_usd > 0, cost.units > 20) == ("s", True, True)
    again = await heard(asks, recordings)
    assert turns(again) == told
    assert formats(bench)[12:] == ["json"] * 10  # the way is remembered
    assert list(bench.workshop.data_dir.iterdir()) == []


@pytest.mark.parametrize(("operator", "first"), [("right", Speaker.CLIENT), ("left", Speaker.OPERATOR)])
@pytest.mark.usefixtures("ear")
async def test_the_setting_says_which_side_is_ours(bench: Bench, recordings: Path, operator: str, first: Speaker) -> None:
    made = await heard(role(bench, STEREO_OPERATOR=operator), recordings)
    assert made.segments[0].speaker is first
    assert len({segment.speaker for segment in made.segments}) == 2


@pytest.mark.parametrize(
    "today", [datetime(2026, 11, 28, tzinfo=UTC), datetime(2026, 11, 29, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC)]
)
@pytest.mark.usefixtures("ear")
async def test_the_default_model_of_any_day_tells_who_speaks(
    bench: Bench, recordings: Path, told: list[tuple[str, str]], today: datetime
) -> None:
    bench.workshop = replace(bench.workshop, clock=Day(today))
    assert turns(await heard(role(bench, STT_MODEL=""), recordings)) == told


@pytest.mark.usefixtures("ear")
async def test_one_channel_is_one_request(bench: Bench, recordings: Path) -> None:
    asks = role(bench)
    for _ in range(2):
        made = await heard(asks, recordings, stereo=False)
        assert (made.timed, len(made.segments), made.segments[0].speaker) == (False, 1, Speaker.UNKNOWN)
    assert formats(bench) == ["verbose_json", "verbose_json", "json", "json"]
    assert bench.fake.paid["transcriptions"] == 2


@pytest.mark.parametrize("skip", [0, 4])
@pytest.mark.usefixtures("ear")
async def test_a_failure_in_the_middle_buys_no_turn_twice(
    bench: Bench, recordings: Path, told: list[tuple[str, str]], skip: int
) -> None:
    asks = role(bench, STT_MODEL="gpt-4o-transcribe")
    bench.fake.fail(503, skip=skip)
    with pytest.raises(VendorUnavailable):
        await heard(asks, recordings)
    assert skip <= bench.fake.paid["transcriptions"] < 10
    made = await heard(asks, recordings)
    assert turns(made) == told
    assert bench.fake.paid["transcriptions"] == len(bench.fake.seen) == 10
    assert made.costs[0].units == sum(cost.units for cost in (await heard(asks, recordings)).costs)


async def test_a_refused_key_is_asked_with_once(bench: Bench, recordings: Path) -> None:
    asks = role(bench, STT_MODEL="gpt-4o-transcribe")
    bench.fake.fail(401, times=50)
    with pytest.raises(VendorRefused):
        await heard(asks, recordings)
    assert len(bench.fake.faults) == 49


async def test_a_server_that_takes_the_question_and_gives_no_times_is_paid_in_vain_once(
    bench: Bench, recordings: Path, ear: Ear, told: list[tuple[str, str]]
) -> None:
    bench.fake.models |= {"our-whisper"}
    bench.fake.timeless = True
    asks = role(bench, STT_MODEL="our-whisper")
    bench.fake.fail(503, skip=3)
    with pytest.raises(VendorUnavailable):
        await heard(asks, recordings)
    first = await heard(asks, recordings)
    assert turns(first) == told
    assert bench.fake.paid["transcriptions"] == 11
    second = await heard(asks, recordings)
    assert turns(second) == told
    assert bench.fake.paid["transcriptions"] == 21
    assert len(ear.heard) == 20
    assert first.costs[0].units - second.costs[0].units == 41  # what was paid in vain is in the price


@pytest.mark.usefixtures("ear")
async def test_channels_that_do_not_tell_leave_one_request_and_plain_text(
    bench: Bench, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.kit.audio.sides.MOST", 9)
    made = await heard(role(bench), recordings)
    assert (made.timed, len(made.segments)) == (False, 1)
    assert bench.fake.paid["transcriptions"] == 1


@pytest.mark.usefixtures("ear")
async def test_a_turn_that_the_server_cannot_read_leaves_plain_text(bench: Bench, recordings: Path) -> None:
    asks = role(bench, STT_MODEL="gpt-4o-transcribe")
    bench.fake.fail(400, skip=3, message="Audio file might be corrupted or unsupported")
    made = await heard(asks, recordings)
    assert (made.timed, len(made.segments), "Суворова" in made.text) == (False, 1, True)
    assert len(made.costs) == bench.fake.paid["transcriptions"] < 11  # what was paid for turns is in the price


@pytest.mark.usefixtures("ear")
async def test_a_refusal_of_everything_teaches_nothing(bench: Bench, recordings: Path, told: list[tuple[str, str]]) -> None:
    asks = role(bench)
    bench.fake.refuse = {"json"}
    with pytest.raises(VendorRefused):
        await heard(asks, recordings)
    assert bench.fake.paid["transcriptions"] == 0
    bench.fake.refuse = set()
    assert turns(await heard(asks, recordings)) == told
    assert formats(bench)[4] == "verbose_json"
