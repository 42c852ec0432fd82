"""What the account of the fake posts by itself: unsigned bracket forms, written after captures of real ones."""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

Json = Mapping[str, Any]
ROBOT = "0"  # who has made what nobody of the account has made by hand


def hook_body(group: str, action: str, entry: Json, *, subdomain: str, account_id: int) -> bytes:
    """One hook: ``leads`` or ``contacts``, and what happened to one of them."""
    home = f"https://{subdomain}.amocrm.ru"
    account = {"subdomain": subdomain, "id": account_id, "_links": {"self": home}}
    return urlencode(list(_pairs({"account": account, group: {action: [entry]}}))).encode()


def hook_headers() -> dict[str, str]:
    """No signature and no account among them: that is how it is."""
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "User-Agent": "amoCRM-Webhooks/3.0",
        "X-Amocrm-Requestid": str(uuid.uuid4()),
    }


def lead_entry(lead: Json, *, account_id: int, old_status_id: int | None = None) -> dict[str, Any]:
    """A lead as hooks spell it: old names of times beside new ones, no contact. ``old_status_id``: the stage it left."""
    entry = {name: lead.get(name, 0) for name in ("id", "name", "status_id", "price", "pipeline_id", "responsible_user_id")}
    entry |= {"created_user_id": ROBOT, "account_id": account_id, **_times(lead)}
    if old_status_id is not None:
        entry["old_status_id"] = old_status_id
    return entry | {"custom_fields": _fields(lead)}


def contact_entry(contact: Json, *, account_id: int) -> dict[str, Any]:
    """A contact, with the deals it is of in a map by their numbers."""
    entry = {"id": contact["id"], "name": contact["name"], "type": "contact", "account_id": account_id, **_times(contact)}
    linked = {str(one["id"]): {"ID": one["id"]} for one in contact.get("_embedded", {}).get("leads", ())}
    return entry | {"linked_leads_id": linked, "custom_fields": _fields(contact)}


def _times(entity: Json) -> dict[str, Any]:
    changed = entity["updated_at"]
    made = entity.get("created_at", changed)
    return {"date_create": made, "last_modified": changed, "created_at": made, "updated_at": changed}


def _fields(entity: Json) -> list[dict[str, Any]]:
    """``custom_fields_values`` of the API under the names that hooks have for them."""
    return [
        {"id": one["field_id"], "code": one.get("field_code", ""), "values": one["values"]}
        for one in entity.get("custom_fields_values") or ()
    ]


def _pairs(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """``leads[add][0][id]=7``; what is empty is left out, as PHP leaves it."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if inside is None:
        yield name, str(value)
        return
    for key, one in inside:
        yield from _pairs(one, f"{name}[{key}]" if name else str(key))
