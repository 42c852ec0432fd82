"""What `svodka check openai` finds: where recordings and texts go, the key, the model and its last day, the money."""

from collections.abc import AsyncIterator
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from domain.errors import VendorRefused, VendorUnavailable
from integrations.kit.vendor import Finding, Workshop
from integrations.openai.faults import refused
from integrations.openai.models import LAST_DAYS, Role, default_model, last_day
from integrations.openai.settings import ChatSettings, Route, Settings, SpeechSettings
from integrations.openai.wire import Wire

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_ACTION = "check"
_NO_SUCH_PAGE = frozenset(("bad_url", "bad_answer", "http_405"))
_REAL_REFUSALS = frozenset(("bad_key", "forbidden", "region", "quota", "bad_url", "http_405"))
_TITLES: dict[Role, str] = {"stt": "Распознавание", "llm": "Саммари"}
_CARGO: dict[Role, str] = {"stt": "записи разговоров", "llm": "расшифровки"}
_DOWN_HINTS = {
    "host name not found": "Имя сервера не находится. Проверьте {url}.",
    "certificate not accepted": "Сертификат сервера не принят. Впишите файл его корневого сертификата в {role}_CA_BUNDLE.",
    "timeout": "Сервер не ответил вовремя. Проверьте {url} и выход в интернет; за прокси — {role}_PROXY.",
}
_DOWN = "Сервер не отвечает. Проверьте {url} и выход в интернет; за прокси — {role}_PROXY."


async def diagnose(settings: Settings, workshop: Workshop) -> AsyncIterator[Finding]:
    """For each role that is on: route, key, model, last day, money. The money is asked by one paid token."""
    today = workshop.clock.now().date()
    roles: tuple[tuple[Role, SpeechSettings | ChatSettings | None], ...] = (("stt", settings.stt), ("llm", settings.llm))
    for role, block in roles:
        if block is None:
            continue
        wire = Wire(block.route)
        try:
            async for finding in _role(wire, role, block.model or default_model(role, today), today):
                yield finding
        finally:
            await wire.close()


async def _role(wire: Wire, role: Role, model: str, today: date) -> AsyncIterator[Finding]:
    yield _route(wire.route, role)
    try:
        found = await _model(wire, model)
    except VendorUnavailable as failure:
        yield _failed(role, "unreachable", failure.message, _down_hint(wire.route, failure))
        return
    except VendorRefused as refusal:
        if refusal.code != "no_model":
            yield _failed(role, refusal.code, refusal.code, refusal.hint)
            return
        yield Finding(code=f"openai.{role}.key", title=f"{_TITLES[role]}: ключ", ok=True)
        yield _failed(role, "no_model", f"модель {model}", refusal.hint)
        return
    title = f"{_TITLES[role]}: модель"
    if found is None:
        yield Finding(code=f"openai.{role}.model", title=title, ok=True, detail=f"{model}; сервер не перечисляет модели")
    else:
        yield Finding(code=f"openai.{role}.key", title=f"{_TITLES[role]}: ключ", ok=True)
        yield Finding(code=f"openai.{role}.model", title=title, ok=True, detail=model)
    yield _ends(role, model, _announced(found or {}) or last_day(role, model), today)
    if role == "llm":
        yield await _money(wire, model)
    elif found is None:
        yield await _listens(wire)


def _route(route: Route, role: Role) -> Finding:
    through = " через прокси" if route.proxy else ""
    return Finding(
        code=f"openai.{role}.route",
        title=f"{_TITLES[role]}: куда уходят {_CARGO[role]}",
        ok=True,
        detail=f"{route.host}{through} ({route.url_name})",
    )


async def _model(wire: Wire, model: str) -> dict[str, Any] | None:
    """The server's row of the model; None from a server that lists none. VendorRefused "no_model" where it lists others."""

    async def one(client: "AsyncOpenAI") -> Any:
        return await client.models.with_raw_response.retrieve(quote(model, safe=""))

    async def every(client: "AsyncOpenAI") -> Any:
        return await client.models.with_raw_response.list()

    try:
        return await wire.ask_object(_ACTION, one)
    except VendorRefused as refusal:
        if refusal.code not in _NO_SUCH_PAGE | {"no_model"}:
            raise
        missing = refusal.code == "no_model"
    try:
        listed = (await wire.ask_object(_ACTION, every)).get("data")
    except VendorRefused as refusal:
        if refusal.code not in _NO_SUCH_PAGE:
            raise
        listed = None
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    mine = next((row for row in rows if row.get("id") == model), None)
    if mine is None and (rows or missing):
        hint = f"Модели {model} на сервере {wire.route.host} нет. Впишите в {wire.route.role}_MODEL одну из тех, что есть."
        raise refused(_ACTION, "no_model", hint)
    return mine


async def _listens(wire: Wire) -> Finding:
    """An empty recording for no model: a server that transcribes refuses it in some way of its own, and free."""
    title = f"{_TITLES['stt']}: адрес"

    async def ask(client: "AsyncOpenAI") -> Any:
        transcriptions = client.audio.transcriptions.with_raw_response
        return await transcriptions.create(file=("check.wav", b"", "audio/wav"), model="check")

    try:
        await wire.ask(_ACTION, ask)
    except VendorRefused as refusal:
        if refusal.code in _REAL_REFUSALS:
            return _failed("stt", refusal.code, refusal.code, refusal.hint)
    except VendorUnavailable as failure:
        if failure.message != "HTTP 500":
            return _failed("stt", "unreachable", failure.message, _down_hint(wire.route, failure))
    return Finding(code="openai.stt.answer", title=title, ok=True)


def _announced(row: dict[str, Any]) -> date | None:
    try:
        return date.fromisoformat(str(row.get("shutdown_date"))[:10])
    except ValueError:
        return None


def _ends(role: Role, model: str, ends: date | None, today: date) -> Finding:
    code, title = f"openai.{role}.shutdown", f"{_TITLES[role]}: срок модели"
    if ends is None:
        return Finding(code=code, title=title, ok=True, detail="отключение не объявлено")
    if ends - today >= LAST_DAYS:
        return Finding(code=code, title=title, ok=True, detail=f"до {ends:%d.%m.%Y}")
    hint = (
        f"Замените {role.upper()}_MODEL, например на {default_model(role, today)}, "
        "или уберите настройку: модель выберется по таблице."
    )
    gone = ends <= today
    detail = f"{model} {'отключена' if gone else 'отключат'} {ends:%d.%m.%Y}"
    return Finding(code=code, title=title, ok=False, warning=not gone, detail=detail, hint=hint)


async def _money(wire: Wire, model: str) -> Finding:
    """Only a real request tells whether the account has money: one short word."""
    title = f"{_TITLES['llm']}: пробный ответ"

    async def ask(client: "AsyncOpenAI") -> Any:
        messages: Any = [{"role": "user", "content": "Ответь одним словом: да"}]
        return await client.chat.completions.with_raw_response.create(model=model, messages=messages)

    try:
        await wire.ask_object(_ACTION, ask)
    except VendorRefused as refusal:
        return _failed("llm", refusal.code, refusal.code, refusal.hint)
    except VendorUnavailable as failure:
        return _failed("llm", "unreachable", failure.message, _down_hint(wire.route, failure))
    return Finding(code="openai.llm.answer", title=title, ok=True)


def _failed(role: Role, code: str, detail: str, hint: str) -> Finding:
    return Finding(code=f"openai.{role}.{code}", title=f"{_TITLES[role]}: сервер", ok=False, detail=detail, hint=hint)


def _down_hint(route: Route, failure: VendorUnavailable) -> str:
    if failure.message == "HTTP 429":
        return "Запросов слишком много: сервер просит подождать. Повторите проверку через минуту."
    return _DOWN_HINTS.get(failure.message, _DOWN).format(url=route.url_name, role=route.role)
