"""Faults on demand: refusals, a broken gateway, a connection dropped before or after the work was done."""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum

from sandbox.telegram.wire import Json


class FaultKind(StrEnum):
    REFUSE = "refuse"  # a JSON error, nothing is done
    BAD_GATEWAY = "bad_gateway"  # 502 with an HTML page, nothing is done
    DROP_BEFORE = "drop_before"  # the connection is cut, nothing is done
    DROP_AFTER = "drop_after"  # the work is done, then the connection is cut
    HOLD = "hold"  # the work is done, the answer waits for release()
    GARBLE = "garble"  # the work is done, the answer is 200 and not JSON


@dataclass(slots=True, kw_only=True, eq=False)
class Fault:
    """A rule for the next ``times`` calls of ``method`` ("*": every one; "send*": by beginning) in ``chat_id`` (None: all).

    ``reached`` is set when the rule first took hold (for a HOLD: the work is done). ``release()`` lets held answers go.
    """

    kind: FaultKind
    method: str = "*"
    chat_id: int | None = None
    times: int = 1
    status: int = 400
    description: str | None = None
    parameters: Json | None = None
    hits: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        self.released.set()

    def fits(self, method: str, chat_id: int | None) -> bool:
        """True when the rule is for such a call. Method names are compared as Telegram does: in any case."""
        wanted, name = self.method.lower(), method.lower()
        named = name.startswith(wanted[:-1]) if wanted.endswith("*") else name == wanted
        return named and (self.chat_id is None or self.chat_id == chat_id)

    def body(self) -> Json:
        """The JSON of a refusal; ``description`` None leaves that field out."""
        body: Json = {"ok": False, "error_code": self.status}
        if self.description is not None:
            body["description"] = self.description
        if self.parameters:
            body["parameters"] = self.parameters
        return body


class Faults:
    """The rules in force, oldest first; each call meets at most one."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        self._rules.append(fault)
        return fault

    def clear(self) -> None:
        """Forget every rule and let held answers go."""
        for rule in self._rules:
            rule.release()
        self._rules.clear()

    def take(self, method: str, chat_id: int | None) -> Fault | None:
        """The rule this call meets, counted; a spent rule is forgotten."""
        rule = next((rule for rule in self._rules if rule.fits(method, chat_id)), None)
        if rule is not None:
            rule.hits += 1
            if rule.hits >= rule.times:
                self._rules.remove(rule)
        return rule
