"""The inside of the fake portal: its calls, files, cards, people and comments, and what each REST method says of them."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import TypeVar

PAGE = 50
FIRST_COMMENT = 1001
ALL_SCOPES = frozenset({"telephony", "crm", "disk", "user_basic", "department", "task", "calendar"})
_ENTITY_NUMBERS = {"lead": 1, "deal": 2, "contact": 3, "company": 4}

_MOSCOW = timezone(timedelta(hours=3))

Params = Mapping[str, object]
T = TypeVar("T")


class Refusal(Exception):
    """An error answer of the portal."""

    def __init__(self, status: int, code: str, description: str = "") -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.description = description


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeCall:
    """One ended call as the portal knows it. ``looks_before_record``: how often its row is read before the file shows."""

    row_id: int
    call_id: str
    call_type: str = "2"
    phone: str = "+79001234567"
    line: str = "reg133788"
    user_id: str = "12"
    duration_s: int = 135
    started_at: datetime
    failed_code: str = "200"
    activity_id: str = ""
    crm_entity: tuple[str, str] | None = None
    file_id: int | None = None
    record_url: str = ""
    looks_before_record: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeFile:
    """A file on the portal's Disk."""

    name: str
    content: bytes
    deleted_type: str = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeComment:
    """A comment in a card's timeline."""

    comment_id: int
    entity: tuple[str, str]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A list answer: ``next`` is left out of the JSON when None."""

    result: object
    next: int | None = None
    total: int | None = None


class Portal:
    """State that tests may look into and change. Row ids grow by one, so the order of calls is the order of ids."""

    def __init__(self) -> None:
        self.calls: list[FakeCall] = []
        self.files: dict[int, FakeFile] = {}
        self.comments: list[FakeComment] = []
        self.bindings: dict[str, list[tuple[str, str]]] = {}
        self.people: dict[tuple[str, str], dict[str, object]] = {
            ("user", "12"): {"NAME": "Анна", "LAST_NAME": "Петрова", "WORK_POSITION": "Диспетчер"},
            ("contact", "17"): {"NAME": "Елена", "LAST_NAME": "Воронцова"},
        }
        self.scopes: frozenset[str] = ALL_SCOPES
        self.may_read_statistics = True
        self.may_read_disk = True
        self.owner_is_admin = True
        self._by_call_id: dict[str, FakeCall] = {}
        self._looks: dict[str, int] = {}
        self._comments_of: dict[tuple[str, str], list[int]] = {}
        self.methods: dict[str, Callable[[Params], Page]] = {
            "profile": self._profile,
            "scope": lambda _: Page(result=sorted(self.scopes)),
            "voximplant.statistic.get": self._statistics,
            "disk.file.get": self._file,
            "crm.activity.binding.list": self._binding_list,
            "crm.timeline.comment.add": self._comment_add,
            "crm.timeline.comment.list": self._comment_list,
            "crm.timeline.comment.get": self._comment_get,
            "crm.timeline.comment.update": self._comment_update,
            "crm.contact.get": lambda params: self._card("contact", params),
            "crm.lead.get": lambda params: self._card("lead", params),
            "crm.company.get": lambda params: self._card("company", params),
            "crm.contact.list": lambda _: Page(result=[], total=0),
        }

    def remember(self, call: FakeCall) -> None:
        self.calls.append(call)
        self._by_call_id[call.call_id] = call

    def change(self, call: FakeCall, changed: FakeCall) -> FakeCall:
        """The same row with other facts."""
        self.calls[call.row_id - 1] = changed
        self._by_call_id[call.call_id] = changed
        return changed

    def _profile(self, _params: Params) -> Page:
        return Page(
            result={"ID": "1", "ADMIN": self.owner_is_admin, "NAME": "Служебный", "LAST_NAME": "Сотрудник", "TIME_ZONE": ""}
        )

    def _statistics(self, params: Params) -> Page:
        if not self.may_read_statistics:
            raise Refusal(403, "ACCESS_DENIED", "Access denied!")
        conditions = {str(key).upper(): value for key, value in _mapping(params.get("FILTER")).items()}
        calls = self._matching(conditions)
        # The portal sorts only when both are there.
        if "SORT" in params and str(params.get("ORDER", "")).upper() == "DESC":
            calls = calls[::-1]
        rows, following, total = paged(calls, params)
        return Page(result=[self._row(call) for call in rows], next=following, total=total)

    def _matching(self, conditions: dict[str, object]) -> list[FakeCall]:
        if "CALL_ID" in conditions:
            wanted = conditions["CALL_ID"]
            ids = [str(item) for item in wanted] if isinstance(wanted, list) else [str(wanted)]
            return [self._by_call_id[call_id] for call_id in ids if call_id in self._by_call_id]
        calls = self.calls
        if ">ID" in conditions:
            calls = calls[bisect_right(calls, int(str(conditions[">ID"])), key=lambda call: call.row_id) :]
        if "ID" in conditions:
            calls = [call for call in calls if str(call.row_id) == str(conditions["ID"])]
        if since := conditions.get(">=CALL_START_DATE"):
            calls = [call for call in calls if call.started_at >= datetime.fromisoformat(str(since))]
        if until := conditions.get("<CALL_START_DATE"):
            calls = [call for call in calls if call.started_at < datetime.fromisoformat(str(until))]
        return calls

    def _row(self, call: FakeCall) -> dict[str, object]:
        looks = self._looks.get(call.call_id, 0)
        self._looks[call.call_id] = looks + 1
        recorded = looks >= call.looks_before_record
        kind, entity_id = call.crm_entity or ("", "")
        return {
            "ID": str(call.row_id),
            "PORTAL_USER_ID": call.user_id,
            "PORTAL_NUMBER": call.line,
            "PHONE_NUMBER": call.phone,
            "CALL_ID": call.call_id,
            "EXTERNAL_CALL_ID": None,
            "CALL_CATEGORY": "external",
            "CALL_DURATION": str(call.duration_s),
            "CALL_START_DATE": local_iso(call.started_at),
            "CALL_RECORD_URL": call.record_url if recorded else "",
            "CALL_VOTE": None,
            "COST": "0.0000",
            "COST_CURRENCY": "RUR",
            "CALL_FAILED_CODE": call.failed_code,
            "CALL_FAILED_REASON": "Success call" if call.failed_code == "200" else "",
            "CRM_ENTITY_TYPE": kind.upper() or None,
            "CRM_ENTITY_ID": entity_id or None,
            "CRM_ACTIVITY_ID": call.activity_id or None,
            "REST_APP_ID": None,
            "TRANSCRIPT_PENDING": "N",
            "RECORD_DURATION": None,
            "RECORD_FILE_ID": call.file_id if recorded else None,
            "CALL_TYPE": call.call_type,
        }

    def _file(self, params: Params) -> Page:
        file = self.files.get(_number(params.get("id")))
        if file is None:
            raise Refusal(400, "ERROR_NOT_FOUND", "Could not find entity with id")
        if not self.may_read_disk:
            raise Refusal(400, "ACCESS_DENIED", "Access denied")
        about = {
            "ID": str(params["id"]),
            "NAME": file.name,
            "SIZE": str(len(file.content)),
            "DELETED_TYPE": file.deleted_type,
        }
        return Page(result=about)

    def _binding_list(self, params: Params) -> Page:
        bound = self.bindings.get(str(params.get("activityId")), [])
        return Page(
            result=[{"entityTypeId": _ENTITY_NUMBERS.get(kind, kind), "entityId": int(card)} for kind, card in bound]
        )

    def _comment_add(self, params: Params) -> Page:
        fields = _mapping(params.get("fields"))
        text = str(fields.get("COMMENT") or "")
        if not fields.get("ENTITY_ID") or not fields.get("ENTITY_TYPE"):
            raise Refusal(400, "100", "Required fields not provided")
        if not text:
            raise Refusal(400, "INVALID_ARG_VALUE", "Empty comment message")
        entity = (str(fields["ENTITY_TYPE"]).lower(), str(fields["ENTITY_ID"]))
        comment = FakeComment(comment_id=len(self.comments) + FIRST_COMMENT, entity=entity, text=text)
        self._comments_of.setdefault(entity, []).append(len(self.comments))
        self.comments.append(comment)
        return Page(result=comment.comment_id)

    def _comment_list(self, params: Params) -> Page:
        wanted = _mapping(params.get("filter"))
        entity = (str(wanted.get("ENTITY_TYPE", "")).lower(), str(wanted.get("ENTITY_ID", "")))
        found = [self.comments[index] for index in self._comments_of.get(entity, ())]
        if str(_mapping(params.get("order")).get("ID", "")).upper() == "DESC":
            found.reverse()
        rows, following, total = paged(found, params)
        return Page(result=[_comment_row(comment) for comment in rows], next=following, total=total)

    def _comment_get(self, params: Params) -> Page:
        return Page(result=_comment_row(self.comments[self._comment_index(params)]))

    def _comment_update(self, params: Params) -> Page:
        index = self._comment_index(params)
        text = str(_mapping(params.get("fields")).get("COMMENT") or "")
        if not text:
            raise Refusal(400, "INVALID_ARG_VALUE", "Empty comment message")
        self.comments[index] = replace(self.comments[index], text=text)
        return Page(result=self.comments[index].comment_id)

    def _comment_index(self, params: Params) -> int:
        index = _number(params.get("id")) - FIRST_COMMENT
        if not 0 <= index < len(self.comments):
            raise Refusal(400, "NOT_FOUND", "Not found.")
        return index

    def _card(self, kind: str, params: Params) -> Page:
        fields = self.people.get((kind, str(params.get("id"))))
        if fields is None:
            raise Refusal(400, "NOT_FOUND", "Not found")
        return Page(result={"ID": str(params["id"]), **fields})


def local_iso(at: datetime) -> str:
    """A time as a Moscow portal writes it: ISO-8601, +03:00."""
    return at.astimezone(_MOSCOW).isoformat(timespec="seconds")


def paged(rows: list[T], params: Params) -> tuple[list[T], int | None, int]:
    """The rows from ``start``, the next offset if there is one, the count (0 when ``start`` is -1: not counted)."""
    start = _number(params.get("start"))
    if start < 0:
        return rows[:PAGE], None, 0
    more = start + PAGE < len(rows)
    return rows[start : start + PAGE], start + PAGE if more else None, len(rows)


def _comment_row(comment: FakeComment) -> dict[str, object]:
    kind, entity_id = comment.entity
    return {
        "ID": str(comment.comment_id),
        "ENTITY_ID": entity_id,
        "ENTITY_TYPE": kind,
        "COMMENT": comment.text,
        "AUTHOR_ID": "1",
        "FILES": [],
    }


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return 0
