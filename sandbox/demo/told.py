"""A request that a vendor of the demo makes by itself, and what that vendor does when nobody takes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
LOST = "событие потеряно, как в жизни. Запустите его, и потерянное найдёт опрос."


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Where to, and its body. ``again``: pauses in seconds before its further tries; ``lost``: what is said meanwhile."""

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: FORM)
    again: tuple[float, ...] = ()
    lost: str = LOST
