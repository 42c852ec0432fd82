"""What Bitrix24 tells us by itself: the outgoing webhook, whose body is a hint that is believed only after its token."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from domain.errors import BadSignature, MalformedBody, TooLarge
from domain.events import CallEnded
from domain.webhooks import Delivery, Parsed
from integrations.bitrix24.codes import VENDOR_NAME, direction_of, outcome_of
from integrations.bitrix24.models import CallRow, present, read_row
from integrations.kit.forms import MAX_DEPTH, Field, PerKey, decode_fields, join_form, key_path, split_form
from integrations.kit.signatures import any_secret
from integrations.kit.values import clean

CALL_END = "ONVOXIMPLANTCALLEND"
MAX_FIELDS = 2_000
MAX_ID = 160  # what the columns of calls and keys have room for; a real one has about 60 characters

_KEPT_HEADERS = frozenset({"content-type", "content-length", "user-agent", "date", "x-request-id"})
_KEPT_AUTH = frozenset({"domain", "member_id", "scope", "status", "expires_in", "expires"})
_SECRET_WORDS = ("token", "secret", "password")


@dataclass(frozen=True, slots=True)
class _Body:
    """A body that was read. ``fields`` are those of a form, None where it is JSON."""

    raw: bytes
    fields: list[Field] | None
    values: Mapping[str, object]


class Receiver:
    """Bitrix24 signs nothing: ``auth[application_token]`` is the proof, compared with each accepted token.

    Without accepted tokens every delivery passes: its content is looked up with our own webhook anyway.
    """

    def __init__(self, application_tokens: tuple[str, ...] = ()) -> None:
        self._tokens = application_tokens
        self._last = _Body(b"", [], {})

    def verify(self, delivery: Delivery) -> None:
        """BadSignature for a wrong or missing token, MalformedBody or TooLarge for a body that cannot be read."""
        body = self._read(delivery.body).values
        auth = body.get("auth")
        given = auth.get("application_token") if isinstance(auth, dict) else None
        if self._tokens and not any_secret(given if isinstance(given, str) else "", self._tokens):
            raise BadSignature("application_token does not match")

    def parse(self, delivery: Delivery) -> Parsed:
        """CallEnded for ONVOXIMPLANTCALLEND, no events for another kind; MalformedBody names the missing field."""
        body = self._read(delivery.body).values
        name = body.get("event")
        kind = clean(name).upper()[:MAX_ID] if isinstance(name, str) else ""
        if not kind:
            raise MalformedBody("event is missing", field="event")
        data = body.get("data")
        if kind != CALL_END:
            return Parsed(dedup_key=f"{kind}:{_fingerprint(data)}", kind=kind, events=())
        event = _call_ended(read_row(CallRow, data) or CallRow())
        return Parsed(dedup_key=f"{kind}:{event.external_id}", kind=kind, events=(event,))

    def redact(self, delivery: Delivery) -> Delivery:
        """Without tokens, cookies, the query and the secret of the path; parses to the same events as before."""
        headers = {name: value for name, value in delivery.headers.items() if name in _KEPT_HEADERS}
        path = f"/hooks/{VENDOR_NAME}/***" if delivery.path.startswith("/hooks/") else delivery.path
        return Delivery(
            method=delivery.method,
            path=path,
            query="",
            headers=headers,
            body=self._without_secrets(delivery.body),
            received_at=delivery.received_at,
        )

    def _read(self, body: bytes) -> _Body:
        """One delivery is read once: ``verify``, ``parse`` and ``redact`` follow each other with the same bytes."""
        if self._last.raw is not body:
            self._last = _read(body)
        return self._last

    def _without_secrets(self, body: bytes) -> bytes:
        if _is_json(body):
            return _json_without_secrets(body)
        fields = self._last.fields if self._last.raw is body else None
        return join_form([field for field in fields or split_form(body) if not _secret_keys[field[0]]])


def _read(body: bytes) -> _Body:
    """A bracket form or, where somebody relays it so, a JSON object."""
    if _is_json(body):
        return _Body(body, None, _decode_json(body))
    if body.count(b"&") >= MAX_FIELDS:
        raise TooLarge("too many fields in the form")
    fields = split_form(body)
    return _Body(body, fields, decode_fields(fields, _asked))


def _is_json(body: bytes) -> bool:
    return body.lstrip()[:1] in {b"{", b"["}


def _decode_json(body: bytes) -> Mapping[str, object]:
    try:
        decoded = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedBody("the body is not JSON", field="body") from None
    if not isinstance(decoded, dict):
        raise MalformedBody("the body is not an object", field="body")
    if _deeper_than(decoded, MAX_DEPTH):
        raise MalformedBody("the body is nested too deeply", field="body")
    return decoded


def _deeper_than(value: object, levels: int) -> bool:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(_deeper_than(item, levels - 1) for item in below)


def _call_ended(row: CallRow) -> CallEnded:
    if not row.call_id or len(row.call_id) > MAX_ID:
        raise MalformedBody("CALL_ID is missing or too long", field="data[CALL_ID]")
    return call_ended(row)


def call_ended(row: CallRow) -> CallEnded:
    """The event of a row, the same whether a webhook or the statistics brought it."""
    duration_s = row.duration_s
    return CallEnded(
        vendor=VENDOR_NAME,
        external_id=row.call_id,
        occurred_at=row.started_at,
        direction=direction_of(row.call_type),
        outcome=outcome_of(row.failed_code, duration_s),
        client_phone=client_phone(row),
        line=row.line,
        employee_id=present(row.user_id),
        duration_s=duration_s,
        failed_code=row.failed_code,
        activity_id=present(row.activity_id),
    )


def client_phone(row: CallRow) -> str:
    """The number as written, empty when the caller hid it; nothing longer than a phone can be."""
    return "" if row.phone.lower() == "hidden" else row.phone[:100]


def _fingerprint(data: object) -> str:
    written = json.dumps(data, sort_keys=True, default=str)
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _json_without_secrets(body: bytes) -> bytes:
    try:
        return json.dumps(_pruned(json.loads(body), ())).encode()
    except (ValueError, RecursionError):
        return b""  # what cannot be read cannot be cleaned, and is not kept


def _pruned(value: object, path: tuple[str, ...]) -> object:
    if isinstance(value, list):
        return [_pruned(item, path) for item in value]
    if not isinstance(value, dict):
        return value
    pruned: dict[str, object] = {}
    for key, item in value.items():
        below = (*path, key)
        if isinstance(item, (dict, list)) or not _is_secret(below):
            pruned[key] = _pruned(item, below)
    return pruned


def _is_secret(path: tuple[str, ...]) -> bool:
    """In ``auth`` only what is known to be harmless stays; elsewhere whatever is called a secret goes."""
    if path and path[0].strip().lower() == "auth":
        return len(path) == 1 or path[1].lower() not in _KEPT_AUTH
    return any(word in part.lower() for word in _SECRET_WORDS for part in path)


def _asked_path(raw_key: str) -> tuple[str, ...]:
    """The path of a key that ``verify`` or ``parse`` ask about, () for all others: those are kept as they came."""
    path = key_path(raw_key)
    if path[:1] == ("auth",):
        return path if path[1:2] in {(), ("",), ("application_token",)} else ()
    return path if path[:1] in {("event",), ("data",)} else ()


_asked = PerKey(_asked_path)
_secret_keys = PerKey(lambda raw_key: _is_secret(key_path(raw_key)))
