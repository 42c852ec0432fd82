"""The shapes that the fake model server answers in, and the strictness of a real one about schemas."""

import math
from typing import Any

from integrations.openai.script import KnownCall

_LETTERS = {"operator": "A", "client": "B", "unknown": "C"}


def render(call: KnownCall, response_format: str, *, words: bool) -> dict[str, Any]:
    """The answer to a transcription in ``json``, ``verbose_json`` or ``diarized_json``."""
    usage = {"type": "duration", "seconds": math.ceil(call.duration)}
    if response_format == "verbose_json":
        verbose = {
            "task": "transcribe",
            "language": "russian",
            "duration": call.duration,
            "text": call.text,
            "segments": [_segment(at, turn) for at, turn in enumerate(call.turns)],
            "usage": usage,
        }
        return verbose | ({"words": [word for turn in call.turns for word in _words(turn)]} if words else {})
    if response_format == "diarized_json":
        segments = [_voice(at, turn) for at, turn in enumerate(call.turns)]
        return {"task": "transcribe", "duration": call.duration, "text": call.text, "segments": segments, "usage": usage}
    return {"text": call.text, "usage": usage}


def _segment(at: int, turn: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": at,
        "seek": 0,
        "start": turn["start"],
        "end": turn["end"],
        "text": f" {turn['text']}",
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": -0.2,
        "compression_ratio": 1.3,
        "no_speech_prob": 0.01,
    }


def _voice(at: int, turn: dict[str, Any]) -> dict[str, Any]:
    letter = _LETTERS[turn["speaker"]]
    times = {"start": turn["start"], "end": turn["end"]}
    return {"id": f"seg_{at}", "type": "transcript.text.segment", "speaker": letter, "text": turn["text"], **times}


def _words(turn: dict[str, Any]) -> list[dict[str, Any]]:
    """Words spread over the turn by their length, without punctuation, as whisper-1 gives them."""
    tokens = turn["text"].split()
    letters = sum(len(token) for token in tokens) or 1
    pace = (turn["end"] - turn["start"]) / letters
    at, found = turn["start"], []
    for token in tokens:
        end = at + pace * len(token)
        found.append({"word": token.strip(".,?"), "start": round(at, 3), "end": round(end, 3)})
        at = end
    return found


def strict_fault(response_format: dict[str, Any]) -> str:
    """What a real server would refuse in a strict schema; empty when it is fine."""
    shape = response_format.get("json_schema") or {}
    if response_format.get("type") != "json_schema" or not shape.get("strict"):
        return ""
    return _fault(shape.get("schema") or {}, "root")


def _fault(schema: dict[str, Any], where: str) -> str:
    if schema.get("type") == "object":
        fields = schema.get("properties", {})
        if schema.get("additionalProperties") is not False:
            return f"Invalid schema: 'additionalProperties' is required to be false in {where}"
        if set(schema.get("required", [])) != set(fields):
            return f"Invalid schema: 'required' must list every key of 'properties' in {where}"
        inner = [(fields[name], f"{where}.{name}") for name in fields]
    else:
        inner = [(schema["items"], f"{where}[]")] if "items" in schema else []
        inner += [(option, where) for option in schema.get("anyOf", [])]
    return next((fault for part, at in inner if (fault := _fault(part, at))), "")
