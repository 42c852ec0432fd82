"""What the rows of an export are gathered from."""

from dataclasses import dataclass

from domain.attendance import Yardstick
from handlers.calls.periods import Period
from handlers.wording import Reader
from storage.engine import Database
from storage.queries.listings import Days, earliest_day


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


async def period_of(ground: Ground, days: Days) -> Period:
    """What a figure is counted over: an open beginning is the first day there is anything of, an open end is today."""
    today = ground.reader.today
    last = days.last or max(today, days.first or today)
    first = days.first or min(last, await earliest_day(ground.database, ground.account_id, days.zone) or last)
    return Period(first=first, last=last)
