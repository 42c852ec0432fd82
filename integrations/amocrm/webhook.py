"""What amoCRM tells us by itself: hooks in bracket forms that nobody signs, and the papers' JSON that is signed.

A real hook comes to /hooks/amocrm/{secret}: the secret is the proof, and whatever the body holds is taken, for a hundred
refusals switch a hook off. The papers' address takes what three headers prove, and says what it does not understand.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace

from domain.crm import CrmAction
from domain.errors import BadSignature, MalformedBody, RejectedDelivery
from domain.events import CrmChanged, DeliveryUnread, Event
from domain.webhooks import Delivery, Parsed
from integrations.amocrm.changes import Changes, Reader
from integrations.amocrm.faults import VENDOR_NAME
from integrations.amocrm.settings import Settings
from integrations.kit.forms import MAX_DEPTH, decode_form
from integrations.kit.signatures import signed_by
from integrations.kit.values import clean, mapping_of, text_of

SIGNED_PATH = "/api/webhooks/amo"
MAX_BODY = 1_572_864  # a thousand leads with all their fields; amoCRM itself names no limit
UNREAD = "unread"
MOST_NAMED = 200  # characters of a field's name

_UUID, _SIGNATURE, _ACCOUNT = "x-client-uuid", "x-signature", "x-account-id"
_REQUEST = "x-amocrm-requestid"
_KEPT_HEADERS = frozenset({"content-type", "content-length", "user-agent", "date", "x-request-id", _REQUEST})
_UNDOING = frozenset({CrmAction.DELETED, CrmAction.RESTORED})  # each takes the other back
_REAL_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Receiver:
    """``verify`` looks at the three headers of the papers' address; elsewhere the secret of the address was the proof."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._reader = Reader(settings)

    def verify(self, delivery: Delivery) -> None:
        """The signature covers the two other headers only: no body, no time. It is a password that can be replayed."""
        if not delivery.path.startswith(SIGNED_PATH):
            return
        uuid, signature, account = (delivery.headers.get(name, "") for name in (_UUID, _SIGNATURE, _ACCOUNT))
        message = f"{uuid}|{account}".encode("utf-8", "surrogateescape")
        good = signed_by(signature, self._settings.client_secret, message)
        if not (good and uuid and account) or self._is_foreign(uuid, account):
            raise BadSignature("Invalid signature")

    def parse(self, delivery: Delivery) -> Parsed:
        """CrmChanged with all that the delivery tells of leads and contacts; of other kinds only their names are kept.

        MalformedBody only at the papers' address. Elsewhere what makes no sense becomes a DeliveryUnread.
        """
        strict = delivery.path.startswith(SIGNED_PATH)
        try:
            body = _decoded(delivery.body)
            self._check_account(body)
            changes = self._reader.read(body, strict=strict)
        except RejectedDelivery as error:
            if strict:
                raise
            return _unread(delivery.body, error)
        return _parsed(delivery, changes)

    def redact(self, delivery: Delivery) -> Delivery:
        """Without the secret of the address and the headers that prove; amoCRM puts no secret into a body."""
        headers = {name: value for name, value in delivery.headers.items() if name in _KEPT_HEADERS}
        path = f"/hooks/{VENDOR_NAME}/***" if delivery.path.startswith("/hooks/") else delivery.path
        return replace(delivery, path=path, query="", headers=headers)

    def _is_foreign(self, uuid: str, account: str) -> bool:
        """Another integration's or account's; a stand-in such as «test-uuid» names none."""
        ours, mine = self._settings.client_id, self._settings.account_id
        others_client = all(map(_REAL_UUID.fullmatch, (uuid, ours))) and uuid.lower() != ours.lower()
        return others_client or (account.isdecimal() and bool(mine) and account != mine)

    def _check_account(self, body: Mapping[str, object]) -> None:
        """The number decides where both sides know it: an account may have been given another name."""
        account = mapping_of(body.get("account"))
        number, name = text_of(account.get("id")), text_of(account.get("subdomain")).lower()
        if number and self._settings.account_id:
            if number != self._settings.account_id:
                raise MalformedBody("another account's event", field="account.id")
        elif name and self._settings.subdomain and name != self._settings.subdomain:
            raise MalformedBody("another account's event", field="account.subdomain")


def _parsed(delivery: Delivery, changes: Changes) -> Parsed:
    told = sorted(map(repr, (*changes.leads, *changes.contacts)))
    if not changes.all_dated or not told:
        # A deletion tells no time: without the number of the request a second one would pass for a repeat of the first.
        told += [_number_of(delivery, changes), *([_hash_of(delivery.body)] if not told else [])]
    name = _hash(told)
    events: list[Event] = []
    if changes.leads or changes.contacts:
        times = [change.lead.updated_at for change in changes.leads] + [one.contact.updated_at for one in changes.contacts]
        event = CrmChanged(
            vendor=VENDOR_NAME,
            external_id=name,
            occurred_at=max((at for at in times if at is not None), default=None),
            leads=changes.leads,
            contacts=changes.contacts,
        )
        events.append(event)
    if changes.problems:
        events.append(_problem(name, changes.problems[0]))
    return Parsed(dedup_key=f"crm:{name}", kind=changes.kind, events=tuple(events))


def _number_of(delivery: Delivery, changes: Changes) -> str:
    """Of the request, or when it came: deleted, restored and deleted again are three facts, and told twice each is one."""
    actions = {one.action for one in changes.leads} | {one.action for one in changes.contacts}
    return delivery.headers.get(_REQUEST, "") or (delivery.received_at.isoformat() if actions & _UNDOING else "")


def _unread(body: bytes, error: RejectedDelivery) -> Parsed:
    name = _hash_of(body)
    return Parsed(dedup_key=f"{UNREAD}:{name}", kind=UNREAD, events=(_problem(name, error.field or "body"),))


def _problem(name: str, field: str) -> DeliveryUnread:
    return DeliveryUnread(vendor=VENDOR_NAME, external_id=name, occurred_at=None, problem=clean(field)[:MOST_NAMED])


def _decoded(body: bytes) -> Mapping[str, object]:
    """A form or a JSON object, told apart by the first character: content types are not reliable."""
    bare = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not bare:
        raise MalformedBody("the body is empty", field="body")
    if bare[:1] not in {b"{", b"["}:
        form = decode_form(body)
        if "=" not in body.decode("ascii", "replace"):
            raise MalformedBody("the body is neither a form nor JSON", field="body")
        return form
    try:
        decoded = json.loads(bare)
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


def _hash(told: list[str]) -> str:
    return _hash_of("\n".join(told).encode("utf-8", "surrogatepass"))


def _hash_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]
