"""What the rows of an export are gathered from."""

from dataclasses import dataclass

from handlers.wording import Reader
from storage.engine import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """``reader`` says in which words and zone, and what time it is now."""

    database: Database
    account_id: int
    reader: Reader
