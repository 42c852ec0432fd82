"""The fake refuses what a real server refuses: a test against it must be able to fail."""

import json
from io import BytesIO
from typing import Any

import aiohttp
import pytest

from integrations.openai.fake import MAX_AUDIO, Fake
from integrations.openai.fake_forms import strict_fault
from integrations.openai.script import summary_for
from tests.integrations.openai.conftest import KEY, Bench


async def post(bench: Bench, sound: bytes, key: str = KEY, **fields: str) -> tuple[int, str]:
    form = aiohttp.FormData()
    for name, value in fields.items():
        form.add_field(name, value)
    form.add_field("file", BytesIO(sound), filename="a.mp3", content_type="audio/mpeg")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{bench.url}/v1/audio/transcriptions", data=form, headers=headers) as answer,
    ):
        return answer.status, await answer.text()


@pytest.mark.parametrize(
    ("fields", "sound", "status"),
    [
        ({"model": "whisper-1"}, b"ID3...", 200),
        ({"model": "whisper-1", "response_format": "text"}, b"ID3...", 200),
        ({"model": "whisper-1", "response_format": "diarized_json"}, b"ID3...", 400),
        ({"model": "gpt-4o-transcribe", "response_format": "verbose_json"}, b"ID3...", 400),
        ({"model": "whisper-1", "keywords": "x"}, b"ID3...", 400),
        ({"model": "gpt-transcribe", "keywords": "x"}, b"ID3...", 200),
        ({"model": "nowhere"}, b"ID3...", 404),
        ({"model": "whisper-1"}, b"<html>", 400),
        ({"model": "whisper-1"}, b"", 400),
        ({"model": "whisper-1"}, None, 413),
    ],
)
async def test_transcriptions(bench: Bench, fields: dict[str, str], sound: bytes | None, status: int) -> None:
    sound = b"ID3" + bytes(MAX_AUDIO) if sound is None else sound
    assert (await post(bench, sound, **fields))[0] == status
    assert bench.fake.paid["transcriptions"] == (status == 200)


@pytest.mark.parametrize("key", ["", "wrong"])
async def test_the_key(bench: Bench, key: str) -> None:
    assert (await post(bench, b"ID3...", key, model="whisper-1"))[0] == 401


async def test_the_diariser_wants_pieces_of_long_recordings(bench: Bench, recordings: Any) -> None:
    sound = (recordings / "01_complaint_incoming.mp3").read_bytes()
    fields = {"model": "gpt-4o-transcribe-diarize", "response_format": "json"}
    assert (await post(bench, sound, **fields))[0] == 400
    assert (await post(bench, sound, **fields, chunking_strategy="auto"))[0] == 200


async def test_other_words_to_order(bench: Bench) -> None:
    bench.fake.unknown_text = "Проверка"
    assert json.loads((await post(bench, b"ID3...", model="whisper-1"))[1])["text"] == "Проверка"


async def test_completions(bench: Bench) -> None:
    bench.fake.summary = {"свой": "ответ", "tasks": []}
    loose = {"type": "json_schema", "json_schema": {"strict": True, "schema": {"type": "object", "properties": {}}}}
    url, headers = f"{bench.url}/v1/chat/completions", {"Authorization": f"Bearer {KEY}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for model, shape, status in (
            ("gpt-4o", {"type": "json_object"}, 200),
            ("nowhere", {"type": "json_object"}, 404),
            ("gpt-4o", loose, 400),
        ):
            body = {"model": model, "messages": [{"role": "user", "content": "алло"}], "response_format": shape}
            async with session.post(url, json=body) as answer:
                assert answer.status == status
                found = await answer.json()
            if status == 200:
                assert json.loads(found["choices"][0]["message"]["content"]) == bench.fake.summary


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        ({"type": "object", "properties": {}, "required": [], "additionalProperties": False}, ""),
        ({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}, "'required'"),
        ({"anyOf": [{"type": "null"}, {"type": "object", "properties": {}}]}, "'additionalProperties'"),
    ],
)
def test_strict_schemas(schema: dict[str, Any], fault: str) -> None:
    assert fault in strict_fault({"type": "json_schema", "json_schema": {"strict": True, "schema": schema}})
    assert strict_fault({"type": "json_schema", "json_schema": {"schema": schema}}) == ""


def test_days_are_counted_from_the_prompt() -> None:
    said = "Отлично. Мне нужна уборка офиса после ремонта."
    assert summary_for(said)["tasks"][1]["due_date"] is None
    assert summary_for(f"2026-11-19, четверг\n{said}")["tasks"][1]["due_date"] == "2026-11-26"
    assert summary_for(f"2026-11-18, среда\n{said}")["tasks"][0]["due_date"] == "2026-11-18"
    assert Fake().build_app() is not None
