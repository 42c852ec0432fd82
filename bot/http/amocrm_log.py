"""What the log tells of amoCRM's events: numbers only, for who the people are is nobody's business there."""

import json
from collections import Counter

from domain.events import CrmChanged

NAMED = 20  # entries of one delivery; the others are counted


def outline(event: CrmChanged) -> str:
    """``{"leads": {"add": [{"id": 12345}]}}``, as the papers show it."""
    told: dict[str, dict[str, list[dict[str, int]]]] = {}
    entries = [("leads", change.action, change.lead.external_id) for change in event.leads]
    entries += [("contacts", change.action, change.contact.external_id) for change in event.contacts]
    for group, action, entity_id in entries[:NAMED]:
        told.setdefault(group, {}).setdefault(action.value, []).append({"id": int(entity_id)})
    rest = Counter(f"{group}.{action.value}" for group, action, _ in entries[NAMED:])
    more = "".join(f", {count} more {name}" for name, count in sorted(rest.items()))
    return json.dumps(told) + more
