"""What a bot sent with a call: JSON, a form or a multipart body read into one bag of parameters."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import BodyPartReader, web
from multidict import MultiDictProxy

from sandbox.telegram.wire import Json, Refusal, as_object, bad_request

UPLOAD_LIMIT = 50 * 1024 * 1024
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_TRUE = frozenset({"true", "yes", "1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file part. ``name`` as the sender gave it."""

    name: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """Parameters by name. Values are as they came: strings from forms, JSON values from a JSON body."""

    values: Mapping[str, object] = field(default_factory=dict)
    files: Mapping[str, Upload] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        return self.values.get(name) not in (None, "")

    def text(self, name: str) -> str:
        """The parameter as text; "" when absent. A number becomes its digits, as Telegram does."""
        value = self.values.get(name)
        if value is None or isinstance(value, dict | list):
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value)

    def integer(self, name: str) -> int | None:
        """The parameter as an integer, None when absent or not one."""
        text = self.text(name).strip()
        return int(text) if _INTEGER.fullmatch(text) else None

    def bounded(self, name: str, default: int, low: int, high: int) -> int:
        """The integer moved into [low, high], as Telegram does with limits and time-outs."""
        value = self.integer(name)
        return default if value is None else max(low, min(high, value))

    def flag(self, name: str) -> bool:
        return self.text(name).strip().lower() in _TRUE

    def json(self, name: str, complaint: str) -> object:
        """The parameter as JSON, decoded when it came as text; None when absent. Refusal(400, complaint)."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            decoded: object = json.loads(value)
        except ValueError:
            raise bad_request(complaint) from None
        return decoded

    def plain(self) -> Json:
        """A copy for the journal; files appear by name."""
        return {**self.values, **{name: f"<file {upload.name}>" for name, upload in self.files.items()}}


async def read_params(request: web.Request) -> Params:
    """Query string and body of one call. Refusal(400) for a body that is not what its type says."""
    values: dict[str, object] = dict(request.query)
    if request.method != "POST" or not request.can_read_body:
        return Params(values=values)
    if request.content_type == "application/json":
        return Params(values={**values, **await _json_body(request)})
    if request.content_type.startswith("multipart/"):
        return await _multipart(request, values)
    form: MultiDictProxy[object] = await request.post()  # type: ignore[assignment]
    return Params(values={**values, **form})


async def _json_body(request: web.Request) -> Json:
    try:
        body: object = await request.json()
    except (ValueError, UnicodeDecodeError):
        raise bad_request("can't parse request body as JSON") from None
    if not isinstance(body, dict):
        raise bad_request("JSON object expected as request body")
    return as_object(body)


async def _multipart(request: web.Request, values: dict[str, object]) -> Params:
    files: dict[str, Upload] = {}
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or not part.name:
                raise bad_request("every part of the body must have a name")
            data = bytes(await part.read(decode=True))
            if part.filename is None:
                values[part.name] = data.decode("utf-8")
            else:
                kind = part.headers.get("Content-Type", "application/octet-stream")
                files[part.name] = Upload(name=part.filename, content_type=kind, data=data)
            _check_size(data)
    except (ValueError, AssertionError):
        raise bad_request("can't parse the multipart body") from None
    return Params(values=values, files=files)


def _check_size(data: bytes) -> None:
    if len(data) > UPLOAD_LIMIT:
        raise Refusal(413, "Request Entity Too Large")
