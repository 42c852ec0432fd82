"""Bitrix24's numbers and codes in our words."""

from domain.events import CallOutcome, Direction

VENDOR_NAME = "bitrix24"

DIRECTIONS = {
    "1": Direction.OUTGOING,
    "2": Direction.INCOMING,
    "3": Direction.REDIRECTED,
    "4": Direction.CALLBACK,
    "5": Direction.INFORMATION,
}

# 603-S: the caller gave up before an answer, which for us is a call nobody took.
_OUTCOMES = {
    "200": CallOutcome.ANSWERED,
    "304": CallOutcome.MISSED,
    "603-S": CallOutcome.MISSED,
    "603": CallOutcome.DECLINED,
    "486": CallOutcome.BUSY,
    "404": CallOutcome.UNREACHABLE,
    "480": CallOutcome.UNREACHABLE,
    "484": CallOutcome.UNREACHABLE,
    "503": CallOutcome.UNREACHABLE,
}

ENTITY_TYPES = {"1": "lead", "2": "deal", "3": "contact", "4": "company"}
ENTITY_PREFERENCE = ("deal", "lead", "contact", "company")

# The page of a dynamic type's card needs its number, and its timeline calls it dynamic_N.
FIRST_DYNAMIC_TYPE = 128


def direction_of(code: str) -> Direction:
    return DIRECTIONS.get(code, Direction.UNKNOWN)


def outcome_of(failed_code: str, duration_s: int) -> CallOutcome:
    """Other and unknown codes are FAILED (the raw code stays beside); no code at all is judged by the talk time."""
    if not failed_code:
        return CallOutcome.ANSWERED if duration_s > 0 else CallOutcome.MISSED
    return _OUTCOMES.get(failed_code.upper(), CallOutcome.FAILED)


def entity_type(type_id: str) -> str:
    """The timeline's word for a numeric entity type; empty for one that has no timeline comments."""
    if type_id in ENTITY_TYPES:
        return ENTITY_TYPES[type_id]
    return f"dynamic_{type_id}" if type_id.isdecimal() and int(type_id) >= FIRST_DYNAMIC_TYPE else ""


def card_path(entity: tuple[str, str]) -> str:
    """Where a person opens the card, below the portal's address."""
    kind, entity_id = entity
    if kind.startswith("dynamic_"):
        return f"/crm/type/{kind.removeprefix('dynamic_')}/details/{entity_id}/"
    return f"/crm/{kind}/details/{entity_id}/"
