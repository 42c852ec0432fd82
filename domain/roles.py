"""Who is asking: a known person of an account, with what they may do."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Owner and admins run the bot, managers see all of their account; finer roles are a matter of their own."""

    OWNER = "owner"
    ADMIN = "admin"
    MANAGER = "manager"

    @property
    def runs_the_bot(self) -> bool:
        return self in {Role.OWNER, Role.ADMIN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person the bot knows. Strangers, anonymous admins and channels are never a Person."""

    user_id: int
    account_id: int
    telegram_id: int
    role: Role
    name: str
