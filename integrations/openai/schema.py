"""The shape of a summary as models are asked for it, and its reading, which forgives what can be forgiven."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from domain.calls import Amount, CallKind, Evidence, Point, Summary, SummarySource, Task, Tone

_FENCE = re.compile(r"\A\s*```[a-zA-Z]*\s*|\s*```\s*\Z")
_CLOCK = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)")
MAX_POINTS = 5
MAX_TEXT = 4000  # of one field, and MAX_ITEMS of one list: a model that runs wild fills neither card nor disk
MAX_ITEMS = 50


def _object(**fields: dict[str, Any]) -> dict[str, Any]:
    """Strict mode wants every field required and nothing else allowed: what may be missing is null."""
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def _list(item: dict[str, Any], about: str = "") -> dict[str, Any]:
    return {"type": "array", "items": item, **({"description": about} if about else {})}


def _string(about: str) -> dict[str, Any]:
    return {"type": "string", "description": about}


def _maybe(about: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "description": about}


def _maybe_object(shape: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [shape, {"type": "null"}]}


_QUOTE = _string("дословный отрывок расшифровки")
_POINT = _object(text=_string("короткая фраза"), quote=_QUOTE)

SCHEMA: dict[str, Any] = _object(
    meaningful={"type": "boolean", "description": "есть ли в разговоре содержание"},
    kind={"type": "string", "enum": [str(kind) for kind in CallKind]},
    summary=_string("не больше трёх предложений"),
    key_points=_list(_POINT, "не больше пяти"),
    client_request=_maybe_object(_POINT),
    questions=_list(_POINT, "вопросы клиента, оставшиеся без ответа"),
    tasks=_list(
        _object(
            what=_string("что обещано сделать"),
            who=_maybe("кто обещал"),
            when_text=_maybe("срок словами из разговора"),
            due_date=_maybe("ГГГГ-ММ-ДД"),
            due_time=_maybe("ЧЧ:ММ"),
            quote=_QUOTE,
        ),
        "обещания сотрудников",
    ),
    next_steps=_maybe("что дальше, одной фразой"),
    tone={"type": "string", "enum": [str(tone) for tone in Tone]},
    tone_reason=_maybe("почему такой тон"),
    client_name=_maybe("имя клиента, если прозвучало"),
    address=_maybe_object(_POINT),
    amounts=_list(_object(value_rub={"type": "integer"}, text=_string("за что"), quote=_QUOTE), "суммы в рублях"),
    dates=_list(_POINT, "названные даты и сроки"),
    unclear=_list({"type": "string"}, "что плохо слышно"),
)


def _words(value: object) -> str:
    return " ".join(str(value).split())[:MAX_TEXT].rstrip() if isinstance(value, str | int | float) else ""


def _whole(value: object) -> object:
    """«18 000 руб.» and 18000.0 as 18000."""
    if isinstance(value, str):
        digits = re.sub(r"\D", "", value.split(",")[0])
        return int(digits) if digits else value
    return int(value) if isinstance(value, float) and abs(value) < 1e12 else value


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def _clock(value: object) -> str:
    match = _CLOCK.search(value) if isinstance(value, str) else None
    return f"{int(match[1]):02d}:{match[2]}" if match else ""


def _point(value: object) -> object:
    """Some models give a bare sentence where a sentence with its quote was asked for."""
    return {"text": value, "quote": ""} if isinstance(value, str) else value


def _maybe_point(value: object) -> object:
    return _point(value) if value and value != {} else None


def _items(value: object) -> object:
    return [] if value is None else [item for item in value if item][:MAX_ITEMS] if isinstance(value, list) else value


def _known_tone(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _known_kind(value: object) -> object:
    kind = value.strip().lower() if isinstance(value, str) else ""
    return kind if kind in set(CallKind) else CallKind.OTHER


Words = Annotated[str, BeforeValidator(_words)]


class _Point(BaseModel):
    model_config = ConfigDict(extra="ignore")
    text: Words = Field(min_length=1)
    quote: Words = ""


AnyPoint = Annotated[_Point, BeforeValidator(_point)]
MaybePoint = Annotated[_Point | None, BeforeValidator(_maybe_point)]
Points = Annotated[list[AnyPoint], BeforeValidator(_items)]


class _Task(BaseModel):
    model_config = ConfigDict(extra="ignore")
    what: Words = Field(min_length=1)
    who: Words = ""
    when_text: Words = ""
    due_date: Annotated[date | None, BeforeValidator(_day)] = None
    due_time: Annotated[str, BeforeValidator(_clock)] = ""
    quote: Words = ""


class _Amount(BaseModel):
    model_config = ConfigDict(extra="ignore")
    value_rub: Annotated[int, BeforeValidator(_whole)] = Field(ge=0, le=10**12)
    text: Words = ""
    quote: Words = ""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")
    meaningful: bool
    kind: Annotated[CallKind, BeforeValidator(_known_kind)] = CallKind.OTHER
    summary: Words
    key_points: Points = []
    client_request: MaybePoint = None
    questions: Points = []
    tasks: Annotated[list[_Task], BeforeValidator(_items)] = []
    next_steps: Words = ""
    tone: Annotated[Tone, BeforeValidator(_known_tone)]
    tone_reason: Words = ""
    client_name: Words = ""
    address: MaybePoint = None
    amounts: Annotated[list[_Amount], BeforeValidator(_items)] = []
    dates: Points = []
    unclear: Annotated[list[Words], BeforeValidator(_items)] = []


class Unusable(Exception):
    """The answer is no summary. The text (Russian, no content of the call) says what to mend."""


def read_summary(content: str, *, model: str, prompt_version: str) -> Summary:
    """The summary with quotes not yet checked. Unusable."""
    text = _FENCE.sub("", content)
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        raise Unusable("в ответе нет объекта JSON")
    try:
        answer = _Answer.model_validate_json(text[start : end + 1])
    except ValidationError as error:
        raise Unusable(_problem(error)) from None
    return _summary(answer, model, prompt_version)


def _problem(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    if first["type"] == "json_invalid":
        return "JSON не читается"
    field = ".".join(str(part) for part in first["loc"])
    return f"поле {field} отсутствует" if first["type"] == "missing" else f"поле {field} не того вида"


def _summary(answer: _Answer, model: str, prompt_version: str) -> Summary:
    tasks = answer.tasks if answer.meaningful else []  # «ошиблись номером» gives nobody anything to do
    return Summary(
        source=SummarySource.MODEL,
        meaningful=answer.meaningful,
        kind=answer.kind,
        text=answer.summary,
        points=tuple(_as_point(p) for p in answer.key_points[:MAX_POINTS]),
        client_request=_as_point(answer.client_request) if answer.client_request else None,
        questions=tuple(_as_point(p) for p in answer.questions),
        tasks=tuple(_as_task(task) for task in tasks),
        next_steps=answer.next_steps,
        tone=answer.tone,
        tone_reason=answer.tone_reason,
        client_name=answer.client_name,
        address=_as_point(answer.address) if answer.address else None,
        amounts=tuple(Amount(value_rub=a.value_rub, text=a.text, evidence=_said(a.quote)) for a in answer.amounts),
        dates=tuple(_as_point(p) for p in answer.dates),
        unclear=tuple(word for word in answer.unclear if word),
        model=model,
        prompt_version=prompt_version,
    )


def _said(quote: str) -> Evidence:
    return Evidence(quote=quote, at=None, confirmed=False)


def _as_point(point: _Point) -> Point:
    return Point(text=point.text, evidence=_said(point.quote))


def _as_task(task: _Task) -> Task:
    return Task(
        what=task.what,
        who=task.who,
        when_text=task.when_text,
        due_date=task.due_date,
        due_time=task.due_time,
        evidence=_said(task.quote),
    )
