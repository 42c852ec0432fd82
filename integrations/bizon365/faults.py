"""What each refusal of Bizon365 means: whether it passes by itself, and if not, who has to press what."""

from dataclasses import dataclass

from domain.errors import VendorError, VendorRefused, VendorUnavailable

VENDOR_NAME = "bizon365"

REPORTS, PAGES = "reports/", "subpages/"
NOT_FOUND = "not_found"
RATE_PAUSE_S = 30.0
SAID = 200  # characters of the vendor's own words in a hint

TOKEN_V1 = "«Модераторы, сотрудники» → сотрудник → «Изменить и настроить доступ» → «API-токен»"  # noqa: S105 - a menu
TOKEN_V2 = "«Учётная запись (Бизон ID)» → «Безопасность»"  # noqa: S105 - a menu
RIGHTS = "«Модераторы, сотрудники» → этот сотрудник → «Изменить и настроить доступ»"

_OF_TOKEN = ("token", "токен", "auth", "авториз")
_OF_RIGHTS = ("access", "доступ", "denied", "forbidden", "запрещ", "прав")
_OF_ABSENCE = ("not found", "notfound", "не найден", "no report", "нет отч")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A refusal as it came. ``said``: the vendor's words, masked and bounded; ``version`` of the API: "v1" or "v2"."""

    action: str
    version: str
    status: int
    said: str = ""
    retry_after: float | None = None
    writes: bool = False


def error_of(fault: Fault) -> VendorError:
    """By the status; a 200 that lists ``errors`` by its words, and one that nobody understands may pass by itself."""
    status = fault.status
    if status == 200:
        return _told_in_words(fault)
    if status in {408, 429} or status >= 500:
        # A request over the limit is turned away before it is carried out; the others may have been.
        return _unavailable(fault, f"HTTP {status}", uncertain=fault.writes and status != 429)
    code = {400: "bad_request", 401: "bad_token", 402: "not_paid", 403: "no_right", 404: NOT_FOUND}.get(status)
    if code is None:
        code = "moved" if 300 <= status < 400 else f"http_{status}"
    return refusal(fault, code)


def _told_in_words(fault: Fault) -> VendorError:
    words = fault.said.casefold()
    for code, marks in ((NOT_FOUND, _OF_ABSENCE), ("bad_token", _OF_TOKEN), ("no_right", _OF_RIGHTS)):
        if any(mark in words for mark in marks):
            return refusal(fault, code)
    if fault.writes:
        return refusal(fault, "bad_request")
    return _unavailable(fault, f"errors in the answer: {fault.said}", uncertain=False)


def _unavailable(fault: Fault, message: str, *, uncertain: bool) -> VendorUnavailable:
    pause = fault.retry_after
    if pause is None and fault.status == 429:
        pause = RATE_PAUSE_S
    return VendorUnavailable(VENDOR_NAME, fault.action, message, retry_after=pause, uncertain=uncertain)


def refusal(fault: Fault, code: str) -> VendorRefused:
    return VendorRefused(VENDOR_NAME, fault.action, code, hint=hint_for(code, fault))


def hint_for(code: str, fault: Fault) -> str:
    """Russian, for the person who can fix it."""
    said = f" Бизон365 ответил: «{fault.said}»." if fault.said else ""
    hints = {
        "bad_token": _token_hint(fault.version),
        "no_right": _right_hint(fault.action),
        NOT_FOUND: _absent_hint(fault.action, fault.version),
        "not_paid": "Тариф Бизон365 не оплачен или не включает API. Владелец аккаунта: «Учётная запись» → «Тариф».",
        "bad_request": f"Бизон365 не принял данные запроса.{said} Проверьте почту, время сеанса и страницу регистрации.",
        "moved": "Бизон365 переехал на другой адрес. Сверьте BIZON365_BASE_URL; обычно он не нужен вовсе.",
    }
    return hints.get(code, f"Бизон365 отказал без понятной причины (код {code}).{said}")


def _token_hint(version: str) -> str:
    menu = TOKEN_V2 if version == "v2" else TOKEN_V1
    return (
        "Бизон365 не принял токен из BIZON365_TOKEN: он удалён, истёк, скопирован не целиком или от другого аккаунта. "
        f"Его хозяин (сотрудник, чей это токен) открывает {menu}, выпускает новый и копирует целиком, без пробелов."
    )


def _right_hint(action: str) -> str:
    if action.startswith(PAGES):
        what = "право на страницы регистрации (и услуга «Страницы регистрации и рассылка» в тарифе)"
    elif action.startswith(REPORTS):
        what = "право видеть отчёты вебинаров"
    else:
        what = "доступ к этому проекту"
    return f"У хозяина токена нет прав. Владелец аккаунта открывает {RIGHTS} и даёт ему {what}."


def _absent_hint(action: str, version: str) -> str:
    if action in {"subpages/addSubscriber", "subpages/getSubscribers"}:
        return "Бизон365 не знает такой страницы регистрации: выберите страницу из списка. Номер комнаты сюда не подходит."
    if version == "v2":
        return "Бизон365 не знает такого проекта. Сверьте BIZON365_PROJECT_ID: номера покажет svodka check bizon365."
    return (
        "По старому API v1 Бизон365 этого не находит: для аккаунта он, возможно, уже отключён. Владелец аккаунта берёт "
        f"токен в {TOKEN_V2}, вписывает его в BIZON365_TOKEN, а номер проекта — в BIZON365_PROJECT_ID."
    )
