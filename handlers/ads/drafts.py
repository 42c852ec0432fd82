"""A rule being put together: what is known of it so far, and what is asked next. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from domain.ads import AdRule, How, Part, Sign


class Step(StrEnum):
    """What is to be said of a rule, in the order it is asked."""

    SIGN = "sign"
    HOW = "how"
    VALUE = "value"
    PART = "part"
    TITLE = "title"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Each part "" while it is not known. ``title`` names the direction or creative, which may be a new one.

    ``place``: of the rule that it takes the place of, -1 for a new one; ``version``: of the rules that it belongs to.
    """

    sign: str = ""
    how: str = ""
    value: str = ""
    part: str = ""
    title: str = ""
    place: int = -1
    version: int = 0

    @property
    def missing(self) -> Step | None:
        return next((step for step in Step if not getattr(self, step.value)), None)

    def saying(self, step: Step, text: str) -> "Draft":
        """With this said; what is called so in a direction says nothing of a creative."""
        told = asdict(self) | {step.value: text}
        return Draft(**told | ({"title": ""} if step is Step.PART and text != self.part else {}))

    def rule(self, name_id: int = 0) -> AdRule:
        """ValueError for one that is not complete. 0: what it names may not be there yet."""
        return AdRule(
            sign=Sign(self.sign), how=How(self.how), value=self.value, part=Part(self.part), name_id=name_id,
        )  # fmt: skip

    def kept(self) -> dict[str, Any]:
        """As a conversation remembers it."""
        return asdict(self)


def draft_of(data: Mapping[str, Any]) -> Draft | None:
    """What a conversation remembers; None when it is about something else."""
    names = {one.name for one in fields(Draft)}
    return Draft(**{name: data[name] for name in names}) if names <= data.keys() else None


def draft_from(rule: AdRule, title: str, *, place: int, version: int) -> Draft:
    return Draft(
        sign=rule.sign.value, how=rule.how.value, value=rule.value, part=rule.part.value, title=title, place=place,
        version=version,
    )  # fmt: skip
