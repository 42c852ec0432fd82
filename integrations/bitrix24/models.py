"""Bitrix24's rows as they come: every value a string, ``""``, null and ``[]`` all meaning nothing."""

import html
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from integrations.kit.values import clean, text_of

_FIRST_YEAR, _LAST_YEAR = 1970, 2200  # sums of days with anything outside could leave the calendar
LONGEST_CALL_S = 7 * 24 * 3600

_ENTITY = re.compile(r"&(?:#\d{1,6}|#x[0-9a-fA-F]{1,5}|[a-zA-Z]{2,8});")


def _text(value: object) -> str:
    """PHP writes an empty value as "", null, false or an empty array, and a number now as a number, now as a string."""
    if isinstance(value, str):
        return clean(value)
    return "" if value is None or isinstance(value, (bool, list, dict)) else clean(str(value))


def _whole(value: object) -> str:
    """A text of any length with its line breaks."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else ""


def plain(value: object) -> str:
    """Words in one line: a line break of the card and an entity of PHP's are no part of what people read."""
    text = text_of(" ".join(value.split()) if isinstance(value, str) else value)
    return _ENTITY.sub(lambda found: html.unescape(found.group()), text)


def several(value: object) -> tuple[object, ...]:
    """The values of a field that may be a list, an object keyed by number, one value, or nothing."""
    if isinstance(value, Mapping):
        return tuple(value.values()) if all(str(key).isdecimal() for key in value) else (value,)
    if isinstance(value, list):
        return tuple(value)
    return () if value is None or value is False or value == "" else (value,)


def _flag(value: object) -> bool:
    """PHP writes a yes as true, 1, "1" or "Y"."""
    return value.casefold() in {"y", "1", "true"} if isinstance(value, str) else bool(value)


def ids(value: object) -> tuple[str, ...]:
    """Ids without those that mean nobody, each once."""
    return tuple(dict.fromkeys(present(text) for text in map(_text, several(value)) if present(text)))


Text = Annotated[str, BeforeValidator(_text)]
Whole = Annotated[str, BeforeValidator(_whole)]
Words = Annotated[str, BeforeValidator(plain)]
Ids = Annotated[tuple[str, ...], BeforeValidator(ids)]
Flag = Annotated[bool, BeforeValidator(_flag)]


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


class DealRow(Row):
    """A deal, as ``crm.item.list`` or ``crm.deal.list`` names its fields."""

    row_id: Text = Field(default="", validation_alias=AliasChoices("id", "ID"))
    title: Words = Field(default="", validation_alias=AliasChoices("title", "TITLE"))
    pipeline_id: Text = Field(default="", validation_alias=AliasChoices("categoryId", "CATEGORY_ID"))
    stage_id: Text = Field(default="", validation_alias=AliasChoices("stageId", "STAGE_ID"))
    responsible_id: Text = Field(default="", validation_alias=AliasChoices("assignedById", "ASSIGNED_BY_ID"))


class CompanyRow(Row):
    """A company, as ``crm.item.list`` or ``crm.company.list`` names its fields."""

    row_id: Text = Field(default="", validation_alias=AliasChoices("id", "ID"))
    title: Words = Field(default="", validation_alias=AliasChoices("title", "TITLE"))


class OptionRow(Row):
    """One value of a list."""

    row_id: Text = Field(default="", alias="ID")
    value: Words = Field(default="", alias="VALUE")


class FieldRow(Row):
    """How a field is described. The old family writes the code into ``title``: the labels go before it."""

    type: Text = ""
    multiple: Flag = Field(default=False, alias="isMultiple")
    form_label: Words = Field(default="", alias="formLabel")
    list_label: Words = Field(default="", alias="listLabel")
    filter_label: Words = Field(default="", alias="filterLabel")
    title: Words = ""
    items: object = None
    settings: object = None

    @property
    def label(self) -> str:
        return self.form_label or self.list_label or self.filter_label or self.title


class PipelineRow(Row):
    """A pipeline, as ``crm.category.list`` or ``crm.dealcategory.list`` names its fields."""

    row_id: Text = Field(default="", validation_alias=AliasChoices("id", "ID"))
    name: Words = Field(default="", validation_alias=AliasChoices("name", "NAME"))
    default: Flag = Field(default=False, alias="isDefault")


class UserRow(Row):
    """``user.get``. The narrow right to users leaves out whole fields."""

    row_id: Text = Field(default="", alias="ID")
    active: Flag = Field(default=True, alias="ACTIVE")
    kind: Text = Field(default="", alias="USER_TYPE")
    name: Words = Field(default="", alias="NAME")
    last_name: Words = Field(default="", alias="LAST_NAME")
    second_name: Words = Field(default="", alias="SECOND_NAME")
    position: Words = Field(default="", alias="WORK_POSITION")
    department_ids: Ids = Field(default=(), alias="UF_DEPARTMENT")
    work_phone: Text = Field(default="", alias="WORK_PHONE")
    mobile: Text = Field(default="", alias="PERSONAL_MOBILE")
    email: Text = Field(default="", alias="EMAIL")
    extension: Text = Field(default="", alias="UF_PHONE_INNER")


class DepartmentRow(Row):
    """``department.get``. The root has no parent, some have no head."""

    row_id: Text = Field(default="", alias="ID")
    name: Words = Field(default="", alias="NAME")
    parent_id: Text = Field(default="", alias="PARENT")
    head_id: Text = Field(default="", alias="UF_HEAD")
    place: Text = Field(default="", alias="SORT")


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
