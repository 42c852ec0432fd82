"""What each refusal of amoCRM means: whether it passes by itself, and if not, who has to press what."""

from dataclasses import dataclass

from domain.errors import NOT_CONNECTED, VendorError, VendorRefused, VendorUnavailable

VENDOR_NAME = "amocrm"
RATE_PAUSE_S = 10.0  # amoCRM names no pause; repeated abuse gets an account blocked, so it is generous
SAID = 200  # characters of the vendor's own words in a hint
NOT_FOUND, BAD_TOKEN, FORBIDDEN, REVOKED = "not_found", "bad_token", "forbidden", "revoked"
BAD_REQUEST = "bad_request"

_KEYS_MENU = "amoМаркет → «⋯» → ваша интеграция → «Ключи и доступы»"
NO_STAGE = "no_stage"
RECONNECT = "Администратор аккаунта открывает ссылку «Вход» из svodka urls и нажимает «Разрешить»."
_CODES = {400: BAD_REQUEST, 401: BAD_TOKEN, 402: "not_paid", 403: FORBIDDEN, 404: NOT_FOUND, 422: BAD_REQUEST}
_HINTS = {
    BAD_TOKEN: (
        "amoCRM не приняла токен: истёк, отозван или скопирован не целиком. Администратор аккаунта открывает "
        f"{_KEYS_MENU} → «Сгенерировать токен» и вписывает его в AMOCRM_ACCESS_TOKEN."
    ),
    "not_paid": "Тариф amoCRM не оплачен или не включает API. Владелец аккаунта: «Настройки» → «Счёт и оплата».",
    FORBIDDEN: (
        "amoCRM запрещает запросы: у хозяина токена нет прав администратора, или интеграция заблокирована за частоту. "
        "Сводка остановила все запросы. Администратор проверяет «Настройки» → «Пользователи» и пишет в поддержку amoCRM; "
        "потом Сводку перезапускают."
    ),
    REVOKED: f"Доступ к amoCRM отозван или обновлён другой программой. {RECONNECT}",
    NOT_CONNECTED: f"amoCRM ещё не подключена. {RECONNECT}",
    NOT_FOUND: "amoCRM этого не находит: удалено, или сверьте адрес аккаунта в AMOCRM_DOMAIN.",
    NO_STAGE: "В воронках amoCRM нет такого этапа. Сверьте название с «Сделки» → «Настроить» или задайте AMOCRM_STATUSES.",
    "moved": "Аккаунт amoCRM переехал на другой адрес. Сверьте AMOCRM_DOMAIN с адресом в браузере.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A refusal as it came. ``said``: the vendor's words, masked and bounded."""

    action: str
    status: int
    said: str = ""
    retry_after: float | None = None
    writes: bool = False


def error_of(fault: Fault) -> VendorError:
    """By the status alone: a 429 may be a page, and not every error is the JSON that the others are."""
    status = fault.status
    if status in {408, 429} or status >= 500:
        pause = fault.retry_after if fault.retry_after is not None or status != 429 else RATE_PAUSE_S
        # What is over the limit is turned away before it is carried out; the others may have been.
        uncertain = fault.writes and status != 429
        return VendorUnavailable(VENDOR_NAME, fault.action, f"HTTP {status}", retry_after=pause, uncertain=uncertain)
    code = _CODES.get(status) or ("moved" if 300 <= status < 400 else f"http_{status}")
    return refusal(fault.action, code, said=fault.said)


def refusal(action: str, code: str, *, said: str = "") -> VendorRefused:
    told = f" amoCRM ответила: «{said}»." if said else ""
    hint = _HINTS.get(code) or f"amoCRM не приняла запрос (код {code}).{told}"
    return VendorRefused(VENDOR_NAME, action, code, hint=hint)
