"""The fake portal's tasks and calendars: what tasks.task.* and calendar.event.get answer, in the words of its docs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial

from integrations.bitrix24.fake_portal import PAGE, Page, Params, Refusal, local_iso

FIRST_TASK = 8001
NOT_ALLOWED = "Action on the task is not allowed"
_OPEN, _REVIEW, _DONE, _DEFERRED = "2", "4", "5", "6"
_MOSCOW = timezone(timedelta(hours=3))


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeTask:
    """``control``: whoever set it must agree that it is done. ``locked``: the webhook's owner may not touch it."""

    task_id: int
    title: str
    responsible_id: str
    description: str = ""
    deadline: datetime | None = None
    status: str = _OPEN
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    changed_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    crm: tuple[str, ...] = ()
    control: bool = False
    locked: bool = False
    may_move: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeEvent:
    """An event of a user's calendar, or one of a recurring row: then ``first_at`` is where the row began."""

    owner_id: str
    name: str
    begins: datetime
    length_s: int = 3600
    whole_days: bool = False
    status: str = "H"
    place: str = ""
    deleted: bool = False
    first_at: datetime | None = None


class FakeBoard:
    """Tasks and events that tests and the demo may look into. ``sees_all``: the webhook's owner is an administrator."""

    def __init__(self) -> None:
        self.tasks: list[FakeTask] = []
        self.events: list[FakeEvent] = []
        self.sees_all = True
        self.owner_id = "1"
        self.methods: dict[str, Callable[[Params], Page]] = {
            "tasks.task.list": self._list,
            "tasks.task.get": self._get,
            "tasks.task.add": self._add,
            "tasks.task.update": self._update,
            "tasks.task.complete": self._complete,
            "calendar.event.get": self._events,
        }

    def put(
        self,
        title: str,
        responsible_id: str,
        *,
        deadline: datetime | None = None,
        control: bool = False,
        locked: bool = False,
        may_move: bool = True,
    ) -> FakeTask:
        task = FakeTask(
            task_id=FIRST_TASK + len(self.tasks),
            title=title,
            responsible_id=responsible_id,
            deadline=deadline,
            control=control,
            locked=locked,
            may_move=may_move,
        )
        self.tasks.append(task)
        return task

    def change(self, task: FakeTask, **changed: object) -> FakeTask:
        """The same task with other facts, changed now."""
        new = replace(task, **{"changed_at": datetime.now(UTC), **changed})  # type: ignore[arg-type]
        self.tasks[task.task_id - FIRST_TASK] = new
        return new

    def _list(self, params: Params) -> Page:
        wanted = _object(params.get("filter"))
        found = [task for task in self.tasks if self._visible(task) and _matches(task, wanted)]
        order = {str(key).upper(): str(value).lower() for key, value in _object(params.get("order")).items()}
        for key, direction in reversed(order.items()):
            found.sort(key=partial(_sorted_by, key), reverse=direction.startswith("desc"))
        start = int(str(params.get("start") or 0))
        following = start + PAGE if start + PAGE < len(found) else None
        rows = [_row(task, params) for task in found[start : start + PAGE]]
        return Page(result={"tasks": rows}, next=following, total=len(found))

    def _get(self, params: Params) -> Page:
        task = self._one(params)
        return Page(result={"task": _row(task, params)} if task is not None and self._visible(task) else [])

    def _add(self, params: Params) -> Page:
        fields = _object(params.get("fields"))
        if not fields:
            raise Refusal(400, "100", "Could not find value for parameter {fields} (internal error)")
        if not str(fields.get("TITLE") or "").strip():
            raise Refusal(400, "ERROR_CORE", "Task title is not specified<br>")
        if not fields.get("RESPONSIBLE_ID"):
            raise Refusal(400, "ERROR_CORE", "Responsible person is not specified<br>")
        task = self.put(str(fields["TITLE"]), str(fields["RESPONSIBLE_ID"]), deadline=_moment(fields.get("DEADLINE")))
        bound = fields.get("UF_CRM_TASK")
        crm = tuple(str(item) for item in bound) if isinstance(bound, list) else ()
        task = self.change(task, description=str(fields.get("DESCRIPTION") or ""), crm=crm)
        return Page(result={"task": _row(task, {})})

    def _update(self, params: Params) -> Page:
        task, fields = self._mine(params), _object(params.get("fields"))
        if not fields:
            raise Refusal(400, "100", "Could not find value for parameter {fields} (internal error)")
        changed: dict[str, object] = {}
        if "DEADLINE" in fields:
            changed["deadline"] = _moment(fields["DEADLINE"])
        if "RESPONSIBLE_ID" in fields:
            changed["responsible_id"] = str(fields["RESPONSIBLE_ID"])
        return Page(result={"task": _row(self.change(task, **changed), {})})

    def _complete(self, params: Params) -> Page:
        task = self._mine(params)
        if task.status == _DONE:
            raise Refusal(400, "0", NOT_ALLOWED)
        return Page(result={"task": _row(self.change(task, status=_REVIEW if task.control else _DONE), {})})

    def _events(self, params: Params) -> Page:
        if not params.get("type"):
            raise Refusal(400, "", 'Mandatory parameter not specified "type" for the method "calendar.event.get"')
        since, until = _day(params.get("from")), _day(params.get("to"))
        found = [one for one in self.events if one.owner_id == str(params.get("ownerId")) and _between(one, since, until)]
        return Page(result=[_event_row(place, one) for place, one in enumerate(found, 1265)])

    def _mine(self, params: Params) -> FakeTask:
        task = self._one(params)
        if task is None or task.locked or not self._visible(task):
            raise Refusal(400, "0", NOT_ALLOWED)
        return task

    def _one(self, params: Params) -> FakeTask | None:
        asked = str(params.get("taskId") or "")
        if not asked.isdecimal():
            raise Refusal(400, "0", "wrong task id")
        place = int(asked) - FIRST_TASK
        return self.tasks[place] if 0 <= place < len(self.tasks) else None

    def _visible(self, task: FakeTask) -> bool:
        return self.sees_all or task.responsible_id == self.owner_id


def _matches(task: FakeTask, wanted: Mapping[str, object]) -> bool:
    facts: dict[str, str] = {"ID": str(task.task_id), "RESPONSIBLE_ID": task.responsible_id, "REAL_STATUS": task.status}
    for name, value in wanted.items():
        values = [str(item) for item in value] if isinstance(value, list) else [str(value)]
        if name in facts and facts[name] not in values:
            return False
        if name.startswith("!") and facts.get(name[1:]) in values:
            return False
        if name == ">=CREATED_DATE" and task.created_at < datetime.fromisoformat(values[0]):
            return False
    return True


def _sorted_by(key: str, task: FakeTask) -> float:
    if key == "DEADLINE":
        return task.deadline.timestamp() if task.deadline is not None else 0.0
    return float(task.task_id)


_FIELDS: dict[str, str] = {
    "ID": "id",
    "TITLE": "title",
    "DESCRIPTION": "description",
    "STATUS": "status",
    "DEADLINE": "deadline",
    "RESPONSIBLE_ID": "responsibleId",
    "CREATED_DATE": "createdDate",
    "CHANGED_DATE": "changedDate",
    "ALLOW_CHANGE_DEADLINE": "allowChangeDeadline",
    "UF_CRM_TASK": "ufCrmTask",
}


def _row(task: FakeTask, params: Params) -> dict[str, object]:
    """What was selected; the answers of writes hold everything but the custom fields."""
    row: dict[str, object] = {
        "id": str(task.task_id),
        "title": task.title,
        "description": task.description,
        "status": task.status,
        "deadline": local_iso(task.deadline) if task.deadline is not None else None,
        "responsibleId": task.responsible_id,
        "createdDate": local_iso(task.created_at),
        "changedDate": local_iso(task.changed_at),
        "allowChangeDeadline": "Y" if task.may_move else "N",
        "ufCrmTask": list(task.crm) or False,
    }
    chosen = params.get("select")
    names: Sequence[object] = chosen if isinstance(chosen, list) else [name for name in _FIELDS if name != "UF_CRM_TASK"]
    return {_FIELDS[str(name)]: row[_FIELDS[str(name)]] for name in names if str(name) in _FIELDS}


def _event_row(number: int, event: FakeEvent) -> dict[str, object]:
    """Of a recurring row the stamps in UTC are its first one's, the clock on the wall is this one's."""
    local = event.begins.astimezone(UTC if event.whole_days else _MOSCOW)
    stamp = int((event.first_at or event.begins).timestamp())
    form = "%d.%m.%Y" if event.whole_days else "%d.%m.%Y %H:%M:%S"
    return {
        "ID": str(number),
        "PARENT_ID": str(number),
        "DELETED": "Y" if event.deleted else "N",
        "CAL_TYPE": "user",
        "OWNER_ID": event.owner_id,
        "NAME": event.name,
        "DATE_FROM": local.strftime(form),
        "DATE_TO": (local + timedelta(seconds=event.length_s - (86400 if event.whole_days else 0))).strftime(form),
        "TZ_FROM": "" if event.whole_days else "Europe/Moscow",
        "TZ_OFFSET_FROM": "0" if event.whole_days else "10800",
        "DATE_FROM_TS_UTC": str(stamp),
        "DATE_TO_TS_UTC": str(stamp + event.length_s),
        "DT_SKIP_TIME": "Y" if event.whole_days else "N",
        "DT_LENGTH": event.length_s,
        "IS_MEETING": event.status != "H",
        "MEETING_STATUS": event.status,
        "LOCATION": event.place,
        "RRULE": {"FREQ": "DAILY", "INTERVAL": 1} if event.first_at is not None else "",
    }


def _between(event: FakeEvent, since: date, until: date) -> bool:
    last = event.begins + timedelta(seconds=max(0, event.length_s - 1))
    return event.begins.date() <= until and last.date() >= since


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _day(value: object) -> date:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return datetime.now(UTC).date()


def _moment(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=_MOSCOW)
