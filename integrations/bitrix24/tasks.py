"""Tasks and calendars of the portal's people, through the webhook of its owner."""

import html
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import Field

from domain.errors import VendorRefused, VendorUnavailable
from domain.tasks import BoardState, BoardTask, Meeting, NewTask
from integrations.bitrix24.client import Client, iso
from integrations.bitrix24.codes import VENDOR_NAME
from integrations.bitrix24.events import EventRow, meetings_of
from integrations.bitrix24.faults import TASK_CODES
from integrations.bitrix24.models import Row, Text, Whole, moment, read_row, read_rows, whole_or_text
from integrations.bitrix24.timeline import escaped, plain_text

LIST, GET, ADD = "tasks.task.list", "tasks.task.get", "tasks.task.add"
COMPLETE, UPDATE = "tasks.task.complete", "tasks.task.update"
EVENTS = "calendar.event.get"
MOST_PAGES = 10  # 500 open tasks are nobody's day
FIND_PAGES = 20
LONGEST_TITLE = 250  # the portal's column

_STATES = {"4": BoardState.REVIEW, "5": BoardState.DONE, "6": BoardState.DEFERRED}
_FINISHED = (4, 5)  # what the portal itself does not call overdue (tasks.task.counters.get of its docs)
_SELECT = ("ID", "TITLE", "STATUS", "DEADLINE", "RESPONSIBLE_ID", "CHANGED_DATE", "ALLOW_CHANGE_DEADLINE")
_BINDINGS = {"lead": "L", "deal": "D", "contact": "C", "company": "CO"}


class TaskRow(Row):
    """A task as ``tasks.task.*`` answers: camelCase, numbers as strings."""

    row_id: Text = Field(default="", alias="id")
    title: Text = Field(default="", alias="title")
    status: Text = Field(default="", alias="status")
    deadline: Text = Field(default="", alias="deadline")
    responsible_id: Text = Field(default="", alias="responsibleId")
    changed: Text = Field(default="", alias="changedDate")
    may_move: Text = Field(default="", alias="allowChangeDeadline")
    description: Whole = Field(default="", alias="description")


class Tasks:
    """Implements TaskBoard of domain.tasks over one portal."""

    def __init__(self, client: Client, portal_url: str) -> None:
        self._client = client
        self._portal_url = portal_url

    async def open_tasks(self, employee_id: str) -> Sequence[BoardTask]:
        asked = {
            "filter": {"RESPONSIBLE_ID": whole_or_text(employee_id), "!REAL_STATUS": list(_FINISHED)},
            "select": list(_SELECT),
            "order": {"DEADLINE": "asc", "ID": "asc"},
        }
        rows: list[TaskRow] = []
        async for result in self._client.iterate(LIST, asked, pages=MOST_PAGES):
            rows += _listed(result)
        tasks = {row.row_id: self._task(row) for row in rows if row.row_id}  # a page may repeat what moved meanwhile
        own = (one for one in tasks.values() if one.state in {BoardState.OPEN, BoardState.DEFERRED})
        return sorted((one for one in own if one.employee_id in {"", employee_id}), key=_by_deadline)

    async def task(self, task_id: str) -> BoardTask | None:
        """None for one that is gone, or not for the eyes of the webhook's owner."""
        try:
            row = await self._row(task_id)
        except VendorRefused as refusal:
            if refusal.code in TASK_CODES:
                return None
            raise
        return self._task(row) if row is not None else None

    async def complete(self, task_id: str) -> BoardTask:
        reply = await self._client.call(COMPLETE, {"taskId": whole_or_text(task_id)}, idempotent=False)
        row = _answered(reply.result)
        return self._task(row if row is not None and row.status else await self._seen(task_id))

    async def postpone(self, task_id: str, deadline: datetime) -> BoardTask:
        asked = {"taskId": whole_or_text(task_id), "fields": {"DEADLINE": iso(deadline)}}
        reply = await self._client.call(UPDATE, asked, idempotent=False)
        row = _answered(reply.result)
        return self._task(row if row is not None and row.deadline else await self._seen(task_id))

    async def add(self, new: NewTask) -> BoardTask:
        """See TaskBoard. An answer without a number means that the task may be there: ``uncertain``."""
        fields: dict[str, object] = {
            "TITLE": new.title[:LONGEST_TITLE],
            "RESPONSIBLE_ID": whole_or_text(new.employee_id),
            "DESCRIPTION": escaped(f"{new.description}\n\nСводка · {new.marker}".strip()),
        }
        if new.deadline is not None:
            fields["DEADLINE"] = iso(new.deadline)
        if bound := [code for entity in new.bound_to if (code := _binding(entity))]:
            fields["UF_CRM_TASK"] = bound
        row = _answered((await self._client.call(ADD, {"fields": fields}, idempotent=False)).result)
        if row is None:
            raise VendorUnavailable(VENDOR_NAME, ADD, "no id in the answer", uncertain=True)
        return self._task(row if row.responsible_id else row.model_copy(update={"responsible_id": new.employee_id}))

    async def find(self, marker: str, *, since: datetime) -> BoardTask | None:
        """Whoever it belongs to by now: only the time and the marker are asked for."""
        asked = {
            "filter": {">=CREATED_DATE": iso(since)},
            "select": [*_SELECT, "DESCRIPTION"],
            "order": {"ID": "desc"},
        }
        async for result in self._client.iterate(LIST, asked, pages=FIND_PAGES):
            for row in _listed(result):
                if row.row_id and marker in plain_text(row.description):
                    return self._task(row)
        return None

    async def meetings(self, employee_id: str, day: date, zone: ZoneInfo) -> Sequence[Meeting]:
        """A day more on both sides is asked for: whose midnight the portal counts from is not told."""
        asked = {
            "type": "user",
            "ownerId": whole_or_text(employee_id),
            "from": (day - timedelta(days=1)).isoformat(),
            "to": (day + timedelta(days=1)).isoformat(),
        }
        reply = await self._client.call(EVENTS, asked)
        return meetings_of(read_rows(EventRow, reply.result), day, zone)

    async def _row(self, task_id: str) -> TaskRow | None:
        asked = {"taskId": whole_or_text(task_id), "select": list(_SELECT)}
        return _answered((await self._client.call(GET, asked)).result)

    async def _seen(self, task_id: str) -> TaskRow:
        """A task whose change was accepted without a word of how it is now."""
        row = await self._row(task_id)
        if row is None:
            raise VendorRefused(VENDOR_NAME, GET, "not_found", hint="Задачи больше нет в Битрикс24.")
        return row

    def _task(self, row: TaskRow) -> BoardTask:
        owner = row.responsible_id or "0"
        return BoardTask(
            external_id=row.row_id,
            title=html.unescape(row.title),
            employee_id=row.responsible_id,
            state=_STATES.get(row.status, BoardState.OPEN),
            deadline=moment(row.deadline),
            changed_at=moment(row.changed),
            may_move=row.may_move != "N",
            url=f"{self._portal_url}/company/personal/user/{owner}/tasks/task/view/{row.row_id}/",
        )


def _listed(result: object) -> list[TaskRow]:
    """PHP writes ``{"tasks": […]}``, and an empty answer as ``[]``."""
    return read_rows(TaskRow, result.get("tasks")) if isinstance(result, dict) else []


def _answered(result: object) -> TaskRow | None:
    """The task of ``{"task": {…}}``; None where there is none with a number."""
    row = read_row(TaskRow, result.get("task")) if isinstance(result, dict) else None
    return row if row is not None and row.row_id else None


def _binding(entity: tuple[str, str]) -> str:
    """ "D_10" for ("deal", "10"); a dynamic type's number is hexadecimal there: T80_5 is card 5 of type 128."""
    kind, number = entity
    if kind.startswith("dynamic_"):
        type_id = kind.removeprefix("dynamic_")
        return f"T{int(type_id):x}_{number}" if type_id.isdecimal() else ""
    return f"{_BINDINGS[kind]}_{number}" if kind in _BINDINGS else ""


def _by_deadline(task: BoardTask) -> tuple[bool, float, int]:
    at = task.deadline.timestamp() if task.deadline is not None else 0.0
    return task.deadline is None, at, int(task.external_id) if task.external_id.isdecimal() else 0
