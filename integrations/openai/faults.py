"""Turns every failure of the model server into our own errors, each with its code and what to press; no secret in any."""

import math
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from domain.errors import VendorError, VendorRefused, VendorUnavailable
from integrations.openai.settings import Route

if TYPE_CHECKING:
    from openai import APIStatusError

VENDOR_NAME = "openai"

# Nothing was handed to the server yet. Names, because the SDK brings its own HTTP library.
_NOT_SENT = frozenset(("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol", "InvalidURL"))
_NO_MONEY = frozenset(("insufficient_quota", "billing_hard_limit_reached", "billing_not_active"))
_SIZE_HINT = "Запись больше предела сервера: уменьшите STT_MAX_MB."
_LENGTH_HINT = "Запись длиннее, чем принимает модель. Выберите другую модель в STT_MODEL."
_AUDIO_HINT = "Сервер не смог прочитать запись. Послушайте её: файл повреждён."
_ABROAD = "unsupported_country_region_territory"


class BadRequest(VendorRefused):
    """A 400 or 422. ``about``: what the server says it is about, lower case; only for deciding, never shown."""

    def __init__(self, action: str, code: str, *, hint: str, about: str) -> None:
        super().__init__(VENDOR_NAME, action, code, hint=hint)
        self.about = about


def refused(action: str, code: str, hint: str) -> VendorRefused:
    return VendorRefused(VENDOR_NAME, action, code, hint=hint)


def bad_answer(route: Route, action: str) -> VendorRefused:
    """200 with something that is no answer: a page of a proxy, another service."""
    hint = f"Сервер {route.host} ответил не тем, что ждали. Проверьте {route.url_name}: адрес обычно кончается на /v1."
    return refused(action, "bad_answer", hint)


def translate(error: Exception, route: Route, action: str) -> VendorError:
    """Our error for one of the SDK's (or a time-out of ours)."""
    import openai

    if isinstance(error, openai.APIStatusError):
        return _status(error, route, action)
    if isinstance(error, TimeoutError):
        return VendorUnavailable(VENDOR_NAME, action, "timeout", uncertain=True)
    if isinstance(error, openai.APIConnectionError):
        return _connection(error, action)
    return bad_answer(route, action)


def _connection(error: Exception, action: str) -> VendorUnavailable:
    causes = _causes(error)
    sent = not any(type(cause).__name__ in _NOT_SENT for cause in causes)
    what = (
        "timeout" if any("Timeout" in type(c).__name__ for c in causes) else "broken connection" if sent else "no connection"
    )
    if any("certificate" in str(cause).lower() for cause in causes):
        what = "certificate not accepted"
    elif any("Name or service not known" in str(c) or "nodename" in str(c) or "getaddrinfo" in str(c) for c in causes):
        what = "host name not found"
    return VendorUnavailable(VENDOR_NAME, action, what, uncertain=sent)


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and len(found) < 10:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _status(error: "APIStatusError", route: Route, action: str) -> VendorError:
    status = error.status_code
    if status == 402 or {error.code, error.type} & _NO_MONEY:
        return refused(action, "quota", _quota_hint(route))
    if status in {408, 409, 429} or status >= 500:
        wait = _retry_after(error)
        return VendorUnavailable(VENDOR_NAME, action, f"HTTP {status}", retry_after=wait, uncertain=status >= 500)
    if status in {400, 422}:
        return _bad_request(error, route, action)
    return refused(action, *_refusal(error, route))


def _refusal(error: "APIStatusError", route: Route) -> tuple[str, str]:
    """(code, hint) of a 4xx that no repetition and no other request can cure."""
    status = error.status_code
    if status == 403 and _ABROAD in {error.code, error.type}:
        return "region", _abroad_hint(route)
    known = {
        401: ("bad_key", _key_hint(route)),
        403: ("forbidden", _rights_hint(route)),
        404: _not_found(error, route),
        413: ("too_large", f"Сервер {route.host} не принял файл такого размера: уменьшите STT_MAX_MB."),
    }
    other = f"Сервер {route.host} отказал с кодом {status}. Проверьте {route.url_name}."
    return known.get(status, (f"http_{status}", other))


def _not_found(error: "APIStatusError", route: Route) -> tuple[str, str]:
    if error.code == "model_not_found" or "model" in _said(error):
        hint = f"Модель на сервере {route.host} не найдена или закрыта для этого ключа. Проверьте {route.role}_MODEL."
        return "no_model", hint
    return "bad_url", f"По этому адресу на {route.host} нет моделей. Проверьте {route.url_name}: обычно кончается на /v1."


def _bad_request(error: "APIStatusError", route: Route, action: str) -> VendorRefused:
    said = _said(error)
    if "context_length" in said or "maximum context" in said or "too many tokens" in said:
        hint = f"Разговор длиннее, чем умещается в модель. Выберите модель с большим контекстом в {route.role}_MODEL."
        return BadRequest(action, "too_long", hint=hint, about=said)
    if all(sign in said for sign in ("audio", "duration", "longer than", "maximum")):
        return BadRequest(action, "too_long", hint=_LENGTH_HINT, about=said)
    if "maximum content size" in said or "file is too large" in said:
        return BadRequest(action, "too_large", hint=_SIZE_HINT, about=said)
    if any(sign in said for sign in ("decod", "corrupt", "file format", "audio file", "unsupported_format")):
        return BadRequest(action, "bad_audio", hint=_AUDIO_HINT, about=said)
    hint = f"Сервер {route.host} не понял запрос. Проверьте, что {route.role}_MODEL подходит для этой работы."
    return BadRequest(action, "bad_request", hint=hint, about=said)


def _said(error: "APIStatusError") -> str:
    return " ".join(str(part) for part in (error.code, error.param, error.type, error.message) if part).lower()


def _retry_after(error: "APIStatusError") -> float | None:
    headers = error.response.headers
    for name, divisor in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers.get(name, "")) / divisor
        except ValueError:
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    try:
        until = parsedate_to_datetime(headers["retry-after"])
        now = parsedate_to_datetime(headers["date"])
        return max((until - now).total_seconds(), 0.0)
    except (KeyError, ValueError, TypeError):
        return None


def _key_hint(route: Route) -> str:
    if route.is_openai:
        return (
            "OpenAI не принял ключ. Владелец аккаунта создаёт новый: platform.openai.com → API keys, "
            f"и вписывает его в {route.key_name}."
        )
    return f"Сервер {route.host} не принял ключ. Возьмите действующий у владельца сервера и впишите в {route.key_name}."


def _rights_hint(route: Route) -> str:
    if route.is_openai:
        return (
            "У ключа нет права на эту работу. Владелец проекта: platform.openai.com → API keys → ключ → Permissions → "
            "All, или Project → Limits → разрешить модель."
        )
    return f"Сервер {route.host} запретил запрос этому ключу: права даёт владелец сервера."


def _abroad_hint(route: Route) -> str:
    return (
        "OpenAI не отвечает в стране, откуда уходит запрос. Задайте прокси в "
        f"{route.role}_PROXY или другой сервер в {route.role}_BASE_URL."
    )


def _quota_hint(route: Route) -> str:
    if route.is_openai:
        return "На счёте OpenAI кончились деньги. Владелец аккаунта: platform.openai.com → Billing → Add to credit balance."
    return f"На счёте у сервера {route.host} кончились деньги или исчерпан предел: пополняет владелец ключа."
