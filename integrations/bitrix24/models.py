"""Bitrix24's rows as they come: every value a string, ``""``, null and ``[]`` all meaning nothing."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from integrations.kit.values import clean

_FIRST_YEAR, _LAST_YEAR = 1970, 2200  # sums of days with anything outside could leave the calendar
LONGEST_CALL_S = 7 * 24 * 3600


def _text(value: object) -> str:
    """PHP writes an empty value as "", null, false or an empty array, and a number now as a number, now as a string."""
    if isinstance(value, str):
        return clean(value)
    return "" if value is None or isinstance(value, (bool, list, dict)) else clean(str(value))


def _whole(value: object) -> str:
    """A text of any length with its line breaks."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else ""


Text = Annotated[str, BeforeValidator(_text)]
Whole = Annotated[str, BeforeValidator(_whole)]


class Row(BaseModel):
    """A foreign row: unknown fields are ignored, absent ones are empty."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class CallRow(Row):
    """A call, as the event's ``data`` and ``voximplant.statistic.get`` name its fields."""

    row_id: Text = Field(default="", alias="ID")
    call_id: Text = Field(default="", alias="CALL_ID")
    call_type: Text = Field(default="", alias="CALL_TYPE")
    phone: Text = Field(default="", alias="PHONE_NUMBER")
    line: Text = Field(default="", alias="PORTAL_NUMBER")
    user_id: Text = Field(default="", alias="PORTAL_USER_ID")
    duration: Text = Field(default="", alias="CALL_DURATION")
    started: Text = Field(default="", alias="CALL_START_DATE")
    failed_code: Text = Field(default="", alias="CALL_FAILED_CODE")
    activity_id: Text = Field(default="", alias="CRM_ACTIVITY_ID")
    entity_type: Text = Field(default="", alias="CRM_ENTITY_TYPE")
    entity_id: Text = Field(default="", alias="CRM_ENTITY_ID")
    record_file_id: Text = Field(default="", alias="RECORD_FILE_ID")
    record_url: Text = Field(default="", alias="CALL_RECORD_URL")

    @property
    def started_at(self) -> datetime | None:
        return moment(self.started)

    @property
    def duration_s(self) -> int:
        return min(number(self.duration), LONGEST_CALL_S)


class DiskFile(Row):
    """``disk.file.get``. ``download_url`` carries the credential: used once, never kept."""

    name: Text = Field(default="", alias="NAME")
    size: Text = Field(default="", alias="SIZE")
    download_url: Text = Field(default="", alias="DOWNLOAD_URL", repr=False)
    deleted_type: Text = Field(default="", alias="DELETED_TYPE")


class Binding(Row):
    """A card that an activity belongs to."""

    type_id: Text = Field(default="", alias="entityTypeId")
    entity_id: Text = Field(default="", alias="entityId")


class CommentRow(Row):
    row_id: Text = Field(default="", alias="ID")
    comment: Whole = Field(default="", alias="COMMENT")


class PersonRow(Row):
    """A user, contact, lead or company, or the webhook's owner: whichever of the names it has."""

    row_id: Text = Field(default="", alias="ID")
    name: Text = Field(default="", alias="NAME")
    last_name: Text = Field(default="", alias="LAST_NAME")
    title: Text = Field(default="", alias="TITLE")

    @property
    def full_name(self) -> str:
        return " ".join(part for part in (self.name, self.last_name) if part)


R = TypeVar("R", bound=Row)


def read_row(model: type[R], value: object) -> R | None:
    """The row, or None when the answer is no object at all (PHP writes an empty one as ``[]``)."""
    return model.model_validate(value) if isinstance(value, Mapping) else None


def read_rows(model: type[R], value: object) -> list[R]:
    """The rows of a list answer; PHP may write a list with gaps as an object keyed by number."""
    items = list(value.values()) if isinstance(value, Mapping) else value
    if not isinstance(items, list):
        return []
    return [row for row in (read_row(model, item) for item in items) if row is not None]


def moment(text: str) -> datetime | None:
    """Aware UTC from ISO-8601 with an offset; None when it is anything else, or no time a call can have begun at."""
    try:
        parsed = datetime.fromisoformat(text)
        known = parsed.tzinfo is not None and _FIRST_YEAR <= parsed.year <= _LAST_YEAR
        return parsed.astimezone(UTC) if known else None
    except (ValueError, OverflowError):
        return None


def number(text: str) -> int:
    """A whole number of at most twelve digits, 0 when it is anything else."""
    whole = text.partition(".")[0]
    return int(whole) if whole.isascii() and whole.isdecimal() and len(whole) <= 12 else 0


def present(identifier: str) -> str:
    """An id, empty where Bitrix24 writes 0 for «nobody»."""
    return "" if identifier == "0" else identifier


def whole_or_text(identifier: str) -> int | str:
    """An id as the methods of the portal want it: a number where it is one."""
    return int(identifier) if identifier.isascii() and identifier.isdecimal() else identifier
