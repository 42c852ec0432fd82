"""What Bizon365 tells us by itself: «the report is made» and «somebody registered». It signs neither."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import tzinfo

from domain.errors import MalformedBody
from domain.events import WebinarEnded, WebinarRegistered
from domain.webhooks import Delivery, Parsed
from domain.webinars import Marks, PageId, Registration, RoomId
from integrations.bizon365.faults import VENDOR_NAME
from integrations.bizon365.sessions import MAX_ID, start_of
from integrations.bizon365.settings import Settings
from integrations.bizon365.viewers import given
from integrations.kit.forms import decode_form, key_path
from integrations.kit.values import moment_of, text_of

REPORT_PATH = "/api/webhooks/bizon"
REGISTRATION_PATH = "/bizon_webhook/"
REPORT_EVENT = "Вебхук после создания отчёта"
REGISTRATION_EVENT = "Пересылка данных (webhook) страницы регистрации"
REPORT_KIND, REGISTRATION_KIND = "webinarEnd", "registration"
MAX_FIELDS = 500
SHORT = 500  # characters of any value of a registration

_KEPT_HEADERS = frozenset({"content-type", "content-length", "user-agent", "date", "x-request-id"})
_SECRET_WORDS = ("secret", "token", "password", "userid", "apikey", "key")
_NOT_SECRET = frozenset({"utmkeyword"})
_OF_REGISTRATION = frozenset(
    {"sublistid", "webinartime", "webinardatetime", "email", "phone", "username", "urlmarker", "urlparam"}
)
_UTM = ("source", "medium", "campaign", "term", "content", "keyword", "banner", "phrase", "group")
_NO_LETTER = re.compile(r"[^a-z0-9]+")

Fields = Mapping[str, object]


class Receiver:
    """The address is the only proof, so a report's body is a hint: its viewers are fetched with our own token.

    A registration has no other source than its body, and is believed because of the secret in the address.
    """

    def __init__(self, settings: Settings) -> None:
        self._zone = settings.zone
        self._link_names = frozenset((*settings.url_params, settings.marker))

    def verify(self, delivery: Delivery) -> None:
        """Nothing to compare: no request without the secret in its address comes this far."""

    def parse(self, delivery: Delivery) -> Parsed:
        """WebinarEnded or WebinarRegistered, told apart by the address, else by the fields."""
        fields = _fields(delivery)
        if delivery.path.startswith(REGISTRATION_PATH):
            return self._registered(fields, delivery)
        if delivery.path.startswith(REPORT_PATH) or "webinarid" in fields or not _OF_REGISTRATION & fields.keys():
            return _ended(fields, self._zone)
        return self._registered(fields, delivery)

    def redact(self, delivery: Delivery) -> Delivery:
        """Without secrets, also a subscriber's own, and without viewers that somebody sent along: nobody reads those."""
        headers = {name: value for name, value in delivery.headers.items() if name.lower() in _KEPT_HEADERS}
        return replace(
            delivery,
            path=_without_secret(delivery.path),
            query=_form_without_secrets(delivery.query),
            headers=headers,
            body=_body_without_secrets(delivery.body),
        )

    def _registered(self, fields: Fields, delivery: Delivery) -> Parsed:
        if not _OF_REGISTRATION & fields.keys():
            raise MalformedBody("the registration has neither an e-mail nor a phone", field="email")
        registration = _registration(fields, self._zone, self._link_names)
        if not any((registration.email, registration.phone, registration.name, registration.secret, registration.link_ids)):
            raise MalformedBody("the registration is nobody's: no e-mail, no phone, no key", field="email")
        name = _fingerprint(registration)
        event = WebinarRegistered(
            vendor=VENDOR_NAME,
            external_id=name,
            occurred_at=delivery.received_at,  # Bizon365 sends it at once and does not say when
            registration=registration,
        )
        return Parsed(dedup_key=f"{REGISTRATION_KIND}:{name}", kind=REGISTRATION_KIND, events=(event,))


def _ended(fields: Fields, zone: tzinfo) -> Parsed:
    """A repeat for a session is the same fact: a report that was made anew is found by the poll, which knows its time."""
    kind = text_of(fields.get("event"))[:64] or REPORT_KIND
    webinar_id = text_of(fields.get("webinarid"))
    if not _is_report(kind):
        return Parsed(dedup_key=f"{kind}:{_hash(sorted(map(str, fields.items())))}", kind=kind, events=())
    if not 0 < len(webinar_id) <= MAX_ID:
        raise MalformedBody("webinarId is missing or too long", field="webinarId")
    event = WebinarEnded(
        vendor=VENDOR_NAME,
        external_id=webinar_id,
        occurred_at=start_of(webinar_id, zone) or moment_of(fields.get("date"), zone),
        title=text_of(fields.get("title"))[:SHORT],
    )
    return Parsed(dedup_key=f"{REPORT_KIND}:{webinar_id}", kind=REPORT_KIND, events=(event,))


def _is_report(kind: str) -> bool:
    """``webinarEnd`` is what is sent; papers also say ``webinar.ended``, and the setting is called «report»."""
    return any(word in kind.casefold() for word in ("end", "report", "отч"))


def _registration(fields: Fields, zone: tzinfo, link_names: frozenset[str]) -> Registration:
    def read(*names: str) -> str:
        return next((text for name in names if (text := text_of(fields.get(name))[:SHORT])), "")

    def real(*names: str) -> str:
        return next((text for name in names if (text := given(fields.get(name))[:SHORT])), "")

    marker_name, param_name = read("urlmarkername"), read("urlparamname")
    linked = [real("urlparam")] if not param_name or param_name.casefold() in link_names else []
    linked += [real("urlmarker")] if marker_name.casefold() in link_names else []
    linked += [real(_NO_LETTER.sub("", name)) for name in sorted(link_names)]
    return Registration(
        sublist_id=PageId(read("sublistid")),
        room=RoomId(real("room", "roomid")),
        name=real("username", "name"),
        email=real("email"),
        phone=real("phone"),
        session_at=moment_of(fields.get("webinartime"), zone) or moment_of(fields.get("webinardatetime"), zone),
        secret=real("secret"),
        marker_name=marker_name,
        marks=Marks(**{name: read(f"utm{name}") for name in _UTM}, partner=read("urlmarker")),
        link_ids=tuple(dict.fromkeys(filter(None, linked))),
    )


def _fields(delivery: Delivery) -> Fields:
    """Names (lower case, letters and digits only) → values, of the body before those of the address.

    A JSON object, a form, or, as some relays do, the query of the address alone.
    """
    return _named(decode_form(delivery.query.encode("utf-8", "replace"), max_fields=MAX_FIELDS)) | _named(
        _decoded(delivery.body)
    )


def _decoded(body: bytes) -> Mapping[str, object]:
    if not _is_json(body):
        return decode_form(body, max_fields=MAX_FIELDS)
    try:
        decoded = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedBody("the body is not JSON", field="body") from None
    if not isinstance(decoded, dict):
        raise MalformedBody("the body is not an object", field="body")
    return decoded


def _named(values: Mapping[str, object]) -> dict[str, object]:
    """Only plain values: nothing nested is ever read. ``bizon_email`` is ``email``, as a chat-bot builder names it."""
    return {_plain(name): value for name, value in values.items() if not isinstance(value, (dict, list))}


def _plain(name: str) -> str:
    return _NO_LETTER.sub("", name[:64].casefold()).removeprefix("bizon")


def _fingerprint(registration: Registration) -> str:
    """The same for the same registration, by whatever encoding it came; another phone or session makes another one."""
    return _hash(asdict(replace(registration, secret="")))


def _hash(value: object) -> str:
    written = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _without_secret(path: str) -> str:
    if path.startswith("/hooks/"):
        return f"/hooks/{VENDOR_NAME}/***"
    return f"{REGISTRATION_PATH}***" if path.startswith(REGISTRATION_PATH) else path


def _is_secret(name: str) -> bool:
    plain = _plain(name)
    return plain not in _NOT_SECRET and any(word in plain for word in _SECRET_WORDS)


def _form_without_secrets(form: str) -> str:
    return "&".join(field for field in form.split("&") if _may_stay(field.partition("=")[0]))


def _may_stay(raw_key: str) -> bool:
    path = key_path(raw_key)
    return len(path) == 1 and not _is_secret(path[0])


def _is_json(body: bytes) -> bool:
    """By its first character, whatever its header says; some writers put a byte order mark before it."""
    return body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["}


def _body_without_secrets(body: bytes) -> bytes:
    if not _is_json(body):
        return _form_without_secrets(body.decode("utf-8", "replace")).encode()
    try:
        decoded = json.loads(body)
    except (ValueError, RecursionError):
        return b""  # what cannot be read cannot be cleaned, and is not kept
    return json.dumps(_harmless(decoded), ensure_ascii=False).encode("utf-8", "replace")


def _harmless(decoded: object) -> dict[str, object]:
    values = decoded.items() if isinstance(decoded, dict) else ()
    return {name: value for name, value in values if not isinstance(value, (dict, list)) and not _is_secret(name)}
