"""A form that Tilda sends: who may send it, whose lead it is, and what of it is kept."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, unquote

from domain.errors import BadSignature, RejectedDelivery, TooLarge
from domain.events import LeadsChanged
from domain.leads import Lead
from domain.people import email_key, personal_key
from domain.webhooks import Delivery, Parsed
from domain.webinars import Marks
from integrations.kit.forms import decode_form, key_path, split_form
from integrations.kit.signatures import any_secret
from integrations.tilda.cookies import coded, only_utm, utm_in
from integrations.tilda.fields import (
    MAX_FIELDS,
    Fields,
    email_of,
    extra_of,
    flat,
    name_of,
    own,
    phone_of,
    utm_of,
)
from integrations.tilda.settings import VENDOR_NAME, Settings

MAX_BODY = 64 * 1024
LONGEST_ID = 120
PATH = "/hooks/tilda/"
PROBE = {"test": "test"}

_KEPT_HEADERS = frozenset({"content-type", "content-length", "user-agent", "date"})
_BEARER = re.compile(r"bearer\s+", re.IGNORECASE)
_COOKIES = re.compile(r"cookies.*", re.IGNORECASE | re.DOTALL)


class Receiver:
    """The secret is in the address, or a key in a header, a parameter or a field: Tilda signs nothing."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def verify(self, delivery: Delivery) -> None:
        """Any of the places that Tilda's settings offer will do. TooLarge before anything is read."""
        if len(delivery.body) > MAX_BODY:
            raise TooLarge("the form is larger than 64 KiB")
        given = [unquote(delivery.path.removeprefix(PATH))] if delivery.path.startswith(PATH) else []
        given += [_BEARER.sub("", value) for name, value in delivery.headers.items() if self._is_key(name)]
        given += [value for name, value in parse_qsl(delivery.query) if self._is_key(name)]
        given += [value for name, value in _read(delivery.body).items() if self._is_key(name)]
        if not sum(any_secret(one, self._settings.secrets) for one in given):
            raise BadSignature("no key")

    def parse(self, delivery: Delivery) -> Parsed:
        """One lead. What cannot be read is an event too: a refusal would lose it, for Tilda asks only three times."""
        fields = {name: value for name, value in _read(delivery.body).items() if not self._is_key(name)}
        if fields == PROBE:
            return Parsed(dedup_key="test", kind="test", events=(), probe=True)
        name = _name(fields, delivery)
        lead = _lead(fields, name, delivery)
        problem = "" if _contactable(lead) else ("contact" if fields else "body")
        event = LeadsChanged(
            vendor=VENDOR_NAME,
            external_id=name,
            occurred_at=delivery.received_at,
            leads=(lead,) if fields else (),
            problem=problem,
        )
        return Parsed(dedup_key=f"form:{name}", kind="form", events=(event,))

    def redact(self, delivery: Delivery) -> Delivery:
        """Without the secret wherever it was, and of the cookies only the one that names the ad."""
        headers = {name: value for name, value in delivery.headers.items() if name in _KEPT_HEADERS}
        path = f"{PATH}***" if delivery.path.startswith(PATH) else delivery.path
        return replace(delivery, path=path, query="", headers=headers, body=self._clean(delivery.body))

    def _is_key(self, name: str) -> bool:
        return name.casefold() in self._settings.key_names or name.casefold() == "authorization"

    def _clean(self, body: bytes) -> bytes:
        decoded = _decoded(body)
        if decoded is None:
            return self._as_text(body)
        if _is_json(body):
            kept = {name: self._kept(name, value) for name, value in decoded.items() if not self._is_key(name)}
            return json.dumps(kept, ensure_ascii=False).encode("utf-8", "replace")
        fields = [self._field(*field) for field in split_form(body)]
        return "&".join(filter(None, fields)).encode()

    def _kept(self, name: str, value: object) -> object:
        if name.casefold() == "cookies":
            return only_utm(value) if isinstance(value, str) else ""
        return "***" if isinstance(value, str) and any_secret(value, self._settings.secrets) else value

    def _field(self, key: str, equals: str, value: str) -> str:
        path = key_path(key)
        if not path or self._is_key(path[0]):
            return ""
        text = unquote(value.replace("+", " "))
        kept = self._kept(path[0], text)
        return f"{key}{equals}{value}" if kept == text else f"{key}{equals}{coded(str(kept))}"

    def _as_text(self, body: bytes) -> bytes:
        """What cannot be read is kept for a person, without what may not be."""
        text = _COOKIES.sub("", body.decode("utf-8", "replace"))
        for secret in self._settings.secrets:
            text = text.replace(secret, "***")
        return text.encode("utf-8", "replace")


def _read(body: bytes) -> Fields:
    decoded = _decoded(body)
    return flat(decoded) if decoded is not None else {}


def _decoded(body: bytes) -> Mapping[str, object] | None:
    """An object or a form; None for what is neither."""
    if not _is_json(body):
        try:
            return decode_form(body, max_fields=MAX_FIELDS)
        except RejectedDelivery:
            return None
    try:
        decoded = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return {str(name): value for name, value in decoded.items()} if isinstance(decoded, dict) else None


def _is_json(body: bytes) -> bool:
    """By its first character, whatever its header says."""
    return body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["}


def _name(fields: Fields, delivery: Delivery) -> str:
    """Tilda's own id; without one the same fields within a minute are the same form."""
    tranid = own(fields, "tranid")
    if tranid and len(tranid) <= LONGEST_ID:
        return tranid
    told = sorted((name, value) for name, value in fields.items() if name.casefold() != "cookies")
    written = json.dumps(told, ensure_ascii=False) if told else delivery.body.decode("utf-8", "replace")
    digest = hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return digest if tranid else f"{digest}:{delivery.received_at:%Y%m%d%H%M}"


def _lead(fields: Fields, name: str, delivery: Delivery) -> Lead:
    phone, email, person = phone_of(fields), email_of(fields), name_of(fields)
    marks = Marks(**(_known(utm_of(fields)) or _known(utm_in(own(fields, "cookies")))))
    form = own(fields, "formname") or own(fields, "formid")
    return Lead(
        source=VENDOR_NAME,
        external_id=name,
        created_at=delivery.received_at,
        updated_at=delivery.received_at,
        name=person,
        phone=phone,
        email=email,
        first=marks,
        last=marks,
        form=form,
        extra=extra_of(fields, (phone, email, person)),
    )


def _known(utm: Mapping[str, str]) -> dict[str, str]:
    return {name: utm[name] for name in ("source", "medium", "campaign", "term", "content") if utm.get(name)}


def _contactable(lead: Lead) -> bool:
    return bool(personal_key(lead.phone) or email_key(lead.email))
