"""What the rows of an export are gathered from."""

from dataclasses import dataclass

from domain.attendance import Yardstick
from handlers.wording import Reader
from storage.engine import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """``reader`` says in which words and zone, and what time it is now.

    ``short_s``: a call must be longer to be a talk, unless the chat has set another; ``attended_s``: who watched less was
    not at a webinar. Both as the settings have them; ``short_fixed``: the chat cannot set another.
    """

    database: Database
    account_id: int
    reader: Reader
    short_s: int = 10
    short_fixed: bool = False
    attended_s: int = Yardstick().attended_s
