"""What was typed and agreed to becomes rows, by the same way as rows of a table."""

from domain.imports import CreativeRow, DirectionRow, LeadRow
from domain.roles import Person
from handlers.desk import Desk
from handlers.leads.loading import lead_of
from handlers.leads.typed import Typed
from storage.imports import meet
from storage.leads import TYPED, LeadStore
from storage.names import NameStore


async def seen_before(desk: Desk, person: Person, typed: Typed) -> bool:
    """A lead of this person on this day is there already, whatever brought it."""
    leads = [row for row in typed.rows if isinstance(row, LeadRow)]
    if not leads:
        return False
    met = await meet(desk.database, person.account_id, leads, desk.timezone(person.account_id))
    return bool(met.known or met.stored)


async def save_typed(desk: Desk, person: Person, typed: Typed) -> int:
    """How many rows were added or changed; 0: all of it was there."""
    store, account, now = NameStore(desk.database), person.account_id, desk.clock.now()
    if typed.renames:
        (row,) = typed.rows
        return await store.rename(account, typed.renames, row.title) if isinstance(row, DirectionRow) else 0
    titles = [row.title if isinstance(row, DirectionRow) else row.direction for row in typed.rows]
    ads = [row for row in typed.rows if isinstance(row, CreativeRow)]
    ads += [CreativeRow(title=row.creative) for row in typed.rows if isinstance(row, LeadRow) and row.creative]
    names, changed = await store.add(account, titles, ads, now)
    for ad in ads:
        changed += await store.assign(account, ad, names)
    leads = [row for row in typed.rows if isinstance(row, LeadRow)]
    if leads:
        saved = await LeadStore(desk.database).save(account, [lead_of(row, names, since=now, source=TYPED) for row in leads])
        return saved.added + saved.changed
    return changed
