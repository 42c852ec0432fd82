"""A model server for tests, the demo and benchmarks: it recognises the synthetic calls, and fails and lies to order."""

import asyncio
import hashlib
import json
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from aiohttp import BodyPartReader, web

from integrations.kit.audio.sniff import sniff
from integrations.openai.fake_forms import render, strict_fault
from integrations.openai.models import CHAT, SPEECH
from integrations.openai.script import KnownCall, by_sound, is_known, summary_for

MAX_AUDIO = 26_214_400
_FORMATS = {
    "whisper-1": {"json", "text", "srt", "verbose_json", "vtt"},
    "gpt-4o-transcribe-diarize": {"json", "text", "diarized_json"},
}
_LIE_QUOTE = "я лично верну вам все деньги завтра утром"


class Lie(StrEnum):
    """What the language model does wrong."""

    NONE = "none"
    INVENTED_PROMISE = "invented_promise"
    INVENTED_NUMBER = "invented_number"
    BROKEN_ONCE = "broken_once"
    BROKEN_ALWAYS = "broken_always"
    FENCED = "fenced"
    REFUSAL = "refusal"
    LENGTH = "length"
    CONTENT_FILTER = "content_filter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An answer instead of the right one, after ``skip`` good ones. ``status`` 0 drops the connection after reading."""

    status: int
    code: str = ""
    message: str = "fault"
    retry_after: float | None = None
    path: str = ""
    skip: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request as it came: ``fields`` of the form or the JSON body, without the sound."""

    path: str
    fields: dict[str, Any]
    file_name: str = ""
    mime: str = ""
    sha256: str = ""
    size: int = 0


@dataclass(slots=True)
class Fake:
    """``build_app()`` is the server; the fields are its switches and counters, changed at any time.

    ``paid`` counts the answers that a real server would charge for, also those that never arrived.
    ``refuse`` holds parameters answered with 400, for example "json_schema" or "temperature" or "verbose_json".
    ``unknown_text`` is said of sounds it does not know, unless ``hear`` is given, which makes a text of the file's bytes;
    ``silence_text`` is invented over silence; ``timeless`` leaves the times out of a verbose answer; with
    ``unknown_refused`` it refuses to sum up a conversation it does not know.
    """

    keys: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset({row.name for row in SPEECH} | {row.name for row in CHAT})
    up: bool = True
    latency_s: float = 0.0
    lie: Lie = Lie.NONE
    refuse: set[str] = field(default_factory=set)
    unknown_text: str = "Здравствуйте, это проверка связи, до свидания."
    hear: Callable[[bytes], str] | None = None
    silence_text: str = ""
    timeless: bool = False
    unknown_refused: bool = False
    summary: dict[str, Any] | None = None
    shutdown: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    paid: dict[str, int] = field(default_factory=lambda: {"transcriptions": 0, "completions": 0})
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _broken: int = 0

    def __post_init__(self) -> None:
        self._open.set()

    def fail(self, status: int, *, times: int = 1, **details: Any) -> None:
        """The next ``times`` requests get this answer; see Fault."""
        self.faults += [Fault(status=status, **details)] * times

    def hold(self) -> None:
        """Requests are taken (and paid) but not answered until ``release``."""
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    def build_app(self) -> web.Application:
        app = web.Application(client_max_size=2 * MAX_AUDIO)
        for base in ("/v1", ""):
            app.router.add_post(f"{base}/audio/transcriptions", self._guarded(self._transcribe))
            app.router.add_post(f"{base}/chat/completions", self._guarded(self._complete))
            app.router.add_get(f"{base}/models", self._guarded(self._list))
            app.router.add_get(f"{base}/models/{{id}}", self._guarded(self._model))
        return app

    def _guarded(
        self, answer: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            if not self.up:
                return _error(503, "the server is down", "server_error")
            key = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not key or (self.keys and key not in self.keys):
                return _error(401, f"Incorrect API key provided: {key[:6]}***", "invalid_api_key")
            fault = next((f for f in self.faults if f.path in request.path), None)
            if fault is not None and fault.skip:
                self.faults[self.faults.index(fault)] = replace(fault, skip=fault.skip - 1)
            elif fault is not None:
                await request.read()
                self.faults.remove(fault)
                return self._faulty(request, fault)
            return await answer(request)

        return handle

    def _faulty(self, request: web.Request, fault: Fault) -> web.Response:
        if not fault.status:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        answer = _error(fault.status, fault.message, fault.code)
        if fault.retry_after is not None:
            answer.headers["Retry-After"] = f"{fault.retry_after:g}"
        return answer

    async def _held(self, kind: str) -> None:
        self.paid[kind] += 1
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        await self._open.wait()

    async def _transcribe(self, request: web.Request) -> web.Response:
        seen, sound = await _read_form(request, whole=self.hear is not None)
        self.seen.append(seen)
        refused = self._refuse_transcription(seen, sound[:64])
        if refused is not None:
            return refused
        await self._held("transcriptions")
        wanted = str(seen.fields.get("response_format", "json"))
        call = by_sound(seen.sha256) or self._unknown(seen, sound)
        if not call.turns and self.silence_text:
            call = KnownCall(name="", sha256="", duration=call.duration, turns=_turn(self.silence_text, call.duration))
        if wanted == "text":
            return web.Response(text=call.text)
        words = "word" in str(seen.fields.get("timestamp_granularities[]", ""))
        return web.json_response(render(call, "json" if self.timeless else wanted, words=words), dumps=_dumps)

    def _unknown(self, seen: Seen, sound: bytes) -> KnownCall:
        duration = max(round(seen.size / 4000, 1), 1.0)
        text = self.hear(sound) if self.hear else self.unknown_text
        return KnownCall(name="", sha256="", duration=duration, turns=_turn(text, duration))

    def _refuse_transcription(self, seen: Seen, head: bytes) -> web.Response | None:
        model, wanted = str(seen.fields.get("model", "")), str(seen.fields.get("response_format", "json"))
        if model not in self.models:
            return _no_model(model)
        if seen.size > MAX_AUDIO:
            return _error(413, f"Maximum content size limit ({MAX_AUDIO}) exceeded", "")
        if not sniff(head):
            return _error(400, "Invalid file format. Supported formats: flac, m4a, mp3, wav", "", param="file")
        return self._refuse_fields(seen, model, wanted)

    def _refuse_fields(self, seen: Seen, model: str, wanted: str) -> web.Response | None:
        known = any(row.name == model for row in SPEECH)
        if wanted in self.refuse or (known and wanted not in _FORMATS.get(model, {"json"})):
            return _error(400, f"response_format '{wanted}' is not compatible with model", "", param="response_format")
        given = {name.removesuffix("[]") for name in seen.fields}
        hints = {"languages", "keywords"} if model != "gpt-transcribe" else set()
        unwanted = given & (self.refuse | hints)
        if unwanted:
            return _error(400, f"Unsupported parameter {min(unwanted)}", "unsupported_parameter")
        call = by_sound(seen.sha256)
        if model.endswith("-diarize") and call and call.duration > 30 and "chunking_strategy" not in given:
            return _error(400, "chunking_strategy is required for audio over 30 seconds", "", param="chunking_strategy")
        return None

    async def _complete(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.seen.append(Seen(path=request.path, fields=body))
        refused = self._refuse_completion(body)
        if refused is not None:
            return refused
        await self._held("completions")
        conversation = "\n".join(str(message.get("content", "")) for message in body.get("messages", []))
        content, finish, refusal = self._content(conversation, body)
        message = {"role": "assistant", "content": content, "refusal": refusal}
        usage = {"prompt_tokens": math.ceil(len(conversation) / 3), "completion_tokens": math.ceil(len(content or "") / 3)}
        return web.json_response(
            {
                "id": f"chatcmpl-{self.paid['completions']}",
                "object": "chat.completion",
                "created": 0,
                "model": body["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": finish}],
                "usage": usage | {"total_tokens": sum(usage.values())},
            },
            dumps=_dumps,
        )

    def _refuse_completion(self, body: dict[str, Any]) -> web.Response | None:
        model = str(body.get("model", ""))
        if model not in self.models:
            return _no_model(model)
        shape = body.get("response_format") or {}
        wanted = {str(shape.get("type", "")), *body} & self.refuse
        if wanted:
            return _error(400, f"Unsupported parameter: '{min(wanted)}'", "unsupported_parameter")
        fault = strict_fault(shape)
        return _error(400, fault, "invalid_schema", param="response_format") if fault else None

    def _content(self, conversation: str, body: dict[str, Any]) -> tuple[str | None, str, str | None]:
        """(content, finish reason, refusal)."""
        if self.lie is Lie.REFUSAL or (self.unknown_refused and not is_known(conversation)):
            return None, "stop", "I cannot help with that."
        if self.lie is Lie.CONTENT_FILTER:
            return "", "content_filter", None
        if body.get("response_format") is None and "JSON" not in conversation:
            return "да", "stop", None
        text = _dumps(self._lied(dict(self.summary) if self.summary is not None else summary_for(conversation)))
        if self.lie is Lie.LENGTH:
            return text[: len(text) // 2], "length", None
        if self.lie is Lie.BROKEN_ALWAYS or (self.lie is Lie.BROKEN_ONCE and self._broken == 0):
            self._broken += 1
            return text[: len(text) // 2], "stop", None
        return (f"```json\n{text}\n```" if self.lie is Lie.FENCED else text), "stop", None

    def _lied(self, summary: dict[str, Any]) -> dict[str, Any]:
        if self.lie is Lie.INVENTED_PROMISE:
            empty = {"who": None, "when_text": "завтра", "due_date": None, "due_time": None}
            summary["tasks"] = [*summary["tasks"], {"what": "Вернуть деньги", "quote": _LIE_QUOTE, **empty}]
        if self.lie is Lie.INVENTED_NUMBER:
            summary["summary"] += " Скидка составит 77 процентов."
        return summary

    async def _list(self, _request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [self._row(name) for name in sorted(self.models)]})

    async def _model(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        return web.json_response(self._row(name)) if name in self.models else _no_model(name)

    def _row(self, name: str) -> dict[str, Any]:
        ends = next((row.ends for row in (*SPEECH, *CHAT) if row.name == name and row.ends), None)
        given = self.shutdown.get(name, ends.isoformat() if ends else None)
        return {"id": name, "object": "model", "created": 0, "owned_by": "openai", "shutdown_date": given}


async def _read_form(request: web.Request, *, whole: bool) -> tuple[Seen, bytes]:
    """Reads the form in pieces: of the sound the hash, the size and the beginning are kept, or all of it."""
    fields: dict[str, Any] = {}
    name = mime = None
    kept = bytearray()
    size, digest = 0, hashlib.sha256()
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        if part.filename is None:
            _add(fields, part.name or "", await part.text())
            continue
        name, mime = part.filename, part.headers.get("Content-Type", "")
        while chunk := await part.read_chunk(65536):
            kept += chunk if whole or not kept else b""
            digest.update(chunk)
            size += len(chunk)
    seen = Seen(
        path=request.path, fields=fields, file_name=name or "", mime=mime or "", sha256=digest.hexdigest(), size=size
    )
    return seen, bytes(kept)


def _add(fields: dict[str, Any], name: str, value: str) -> None:
    if name.endswith("[]"):
        fields.setdefault(name, []).append(value)
    else:
        fields[name] = value


def _turn(text: str, duration: float) -> tuple[dict[str, Any], ...]:
    return ({"speaker": "unknown", "start": 0.0, "end": duration, "text": text},)


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _no_model(model: str) -> web.Response:
    return _error(404, f"The model `{model}` does not exist or you do not have access to it.", "model_not_found")


def _error(status: int, message: str, code: str, *, param: str | None = None) -> web.Response:
    kind = "insufficient_quota" if code == "insufficient_quota" else "invalid_request_error"
    error = {"message": message, "type": kind, "param": param, "code": code or None}
    return web.json_response({"error": error}, status=status)
