"""From what was promised in a call to a task of the CRM: its name, whose it may be, and until when."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from domain.calls import Task, promise_keys
from handlers.tasks.when import DAY_ENDS
from storage.call_tasks import CallTask, Promise
from storage.engine import Database
from storage.queries.call import CallDetail
from storage.queries.directory import EmployeeLine, find_employees
from storage.queries.tasks import EmployeeLink

LONGEST_TITLE = 200


async def promises_of(
    database: Database, account_id: int, call: CallDetail, *, zone: ZoneInfo, presser: EmployeeLink | None
) -> tuple[Promise, ...]:
    """Whose: of whom the words name, else of who spoke with the client, else of who asks; "" where nobody is known."""
    tasks = call.summary.tasks if call.summary is not None else ()
    spoke = await _named(database, account_id, call.employee_name)
    fallback = (spoke.external_id, spoke.full_name) if spoke is not None else ("", "")
    if not fallback[0] and presser is not None:
        fallback = (presser.employee_id, presser.employee_name)
    made = []
    for key, task in zip(promise_keys(tasks), tasks, strict=True):
        named = await _named(database, account_id, task.who)
        number, name = (named.external_id, named.full_name) if named is not None else fallback
        made.append(
            Promise(
                key=key, title=task.what[:LONGEST_TITLE], employee_id=number, employee_name=name, deadline=due(task, zone)
            )
        )
    return tuple(made)


def current(call: CallDetail, tasks: Sequence[CallTask]) -> tuple[CallTask, ...]:
    """Those of the summary as it is now, in its order; then what was set, or is on its way, of an earlier one."""
    keys = promise_keys(call.summary.tasks) if call.summary is not None else ()
    known = {one.task_key: one for one in tasks}
    return (*(known.pop(key) for key in keys if key in known), *(one for one in known.values() if not one.settable))


def due(task: Task, zone: ZoneInfo) -> datetime | None:
    """Aware UTC; a day without a time is due when it ends."""
    if task.due_date is None:
        return None
    try:
        at = time.fromisoformat(task.due_time) if task.due_time else DAY_ENDS
    except ValueError:
        at = DAY_ENDS
    return datetime.combine(task.due_date, at.replace(tzinfo=None), tzinfo=zone).astimezone(UTC)


async def _named(database: Database, account_id: int, words: str) -> EmployeeLine | None:
    """The one who works there and is called so; None where nobody is, or several are."""
    if len(words.strip()) < 3:
        return None
    found = await find_employees(database, account_id, words, limit=3)
    there = [one for one in found.lines if one.active]
    return there[0] if len(there) == 1 and found.total <= 3 else None
