"""What each refusal of Bitrix24 means: whether it passes by itself, and if not, who has to press what."""

import re
from dataclasses import dataclass

from domain.errors import VendorBusy, VendorError, VendorRefused, VendorUnavailable
from integrations.bitrix24.codes import VENDOR_NAME

WEBHOOK_MENU = "«Разработчикам → Интеграции → ваш входящий вебхук»"
NEW_WEBHOOK_MENU = "«Разработчикам → Готовые сценарии → Другое → Входящий вебхук»"
TELEPHONY_RIGHTS_MENU = "«Телефония → Настройки → Права доступа»"
CRM_RIGHTS_MENU = "«CRM → Настройки → Права доступа»"
UNREACHABLE = "Портал не отвечает. Проверьте, открывается ли он в браузере и есть ли у сервера Сводки выход в интернет."

SCOPE_TITLES = {
    "telephony": "Телефония (telephony)",
    "crm": "CRM (crm)",
    "disk": "Диск (disk)",
    "user_basic": "Пользователи, базовый доступ (user_basic)",
    "department": "Структура компании (department)",
    "task": "Задачи (task)",
    "calendar": "Календарь (calendar)",
}
_SCOPE_OF = {
    "voximplant": "telephony",
    "telephony": "telephony",
    "crm": "crm",
    "disk": "disk",
    "download": "disk",
    "user": "user_basic",
    "department": "department",
    "tasks": "task",
    "calendar": "calendar",
}

OVERLOAD = "overload_limit"
RATE = "query_limit_exceeded"
OPERATION_TIME = "operation_time_limit"
MISSING = frozenset({"error_not_found", "not_found", "owner_not_found"})
DENIED = frozenset({"access_denied", "user_access_error", "invalid_credentials"})
TASK_CODES = frozenset({"http_400", "error_core", *DENIED})  # one for a task that is gone, hidden, or not to be changed

RATE_PAUSE_S = 5.0
OPERATION_PAUSE_S = 60.0

_PASSING = {
    "internal_server_error": "internal error",
    "error_unexpected_answer": "unexpected answer",
    RATE: "too many requests",
    OPERATION_TIME: "the method has used up its working time",
}

_DEAD_WEBHOOK = (
    f"Код вебхука не подходит: вебхук удалён, изменён или истёк. Администратор портала открывает {WEBHOOK_MENU} "
    f"(или создаёт новый: {NEW_WEBHOOK_MENU}) и копирует адрес в BITRIX24_WEBHOOK_URL."
)
_MISTYPED = "Так же портал отвечает на опечатку: проверьте, что адрес вебхука в BITRIX24_WEBHOOK_URL скопирован целиком."
_OUR_DEFECT = "Битрикс24 не понял запрос. Это ошибка в Сводке: передайте разработчикам эту строку и номер версии."
_OAUTH = "Доступ приложения больше не действует. Создайте входящий вебхук " + NEW_WEBHOOK_MENU + "."

_HINTS = {
    "no_auth_found": _DEAD_WEBHOOK,
    "invalid_token": _DEAD_WEBHOOK,
    "expired_token": _DEAD_WEBHOOK,
    "authorization_error": (
        "Владелец вебхука уволен или отключён. Администратор портала создаёт вебхук от имени служебного сотрудника: "
        f"{NEW_WEBHOOK_MENU}, и копирует адрес в BITRIX24_WEBHOOK_URL. {_MISTYPED}"
    ),
    "access_denied": (
        "У владельца вебхука нет прав на это, или тариф портала не включает REST. Администратор портала проверяет права "
        f"сотрудника ({CRM_RIGHTS_MENU}, {TELEPHONY_RIGHTS_MENU}) и тариф. "
        f"{_MISTYPED}"
    ),
    "allowed_only_intranet_user": (
        "Владелец вебхука — гость портала, а не сотрудник. Администратор портала создаёт вебхук от имени сотрудника: "
        f"{NEW_WEBHOOK_MENU}, и копирует адрес в BITRIX24_WEBHOOK_URL."
    ),
    "payment_required": "Подписка Битрикс24 закончилась. Оплачивает владелец портала: «Мой тариф → Продлить».",
    "portal_deleted": "Портал закрыт. Укажите в BITRIX24_WEBHOOK_URL вебхук действующего портала.",
    "method_confirm_waiting": (
        "Битрикс24 ждёт подтверждения доступа. Администратор портала подтверждает запрос в уведомлениях (колокольчик)."
    ),
    OVERLOAD: (
        "Битрикс24 остановил запросы с этого портала вручную. Администратор портала пишет в поддержку: "
        "«Поддержка24 → Запрос», указав метод и OVERLOAD_LIMIT. Сводка пока не обращается к порталу."
    ),
    "invalid_request": "Портал требует https. Исправьте начало адреса в BITRIX24_WEBHOOK_URL на https://.",
    "error_method_not_found": (
        f"На портале нет такого метода: модуль выключен или не хватает прав вебхука. Администратор открывает {WEBHOOK_MENU}."
    ),
    "error_batch_length_exceeded": _OUR_DEFECT,
    "error_batch_method_not_allowed": _OUR_DEFECT,
    "error_argument": _OUR_DEFECT,
    "invalid_arg_value": _OUR_DEFECT,
    "100": _OUR_DEFECT,
    "invalid_grant": _OAUTH,
    "invalid_client": _OAUTH,
    "invalid_scope": _OAUTH,
    "error_not_found": "Битрикс24 этого больше не находит: удалено или не видно владельцу вебхука.",
    "moved": (
        "Портал переехал на другой адрес. Администратор копирует новый адрес вебхука "
        f"({WEBHOOK_MENU}) в BITRIX24_WEBHOOK_URL."
    ),
    "http_404": "По этому адресу нет REST. Сверьте BITRIX24_WEBHOOK_URL с адресом в " + WEBHOOK_MENU + ".",
    "http_401": _DEAD_WEBHOOK,
}
_SAME_HINT = {
    "invalid_credentials": "access_denied",
    "user_access_error": "access_denied",
    "http_403": "access_denied",
    "not_found": "error_not_found",
    "owner_not_found": "error_not_found",
    "http_410": "portal_deleted",
    "http_402": "payment_required",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A refusal as it came: ``code`` lower case, empty when the body was no JSON; ``description`` already masked."""

    method: str
    status: int
    code: str
    description: str = ""
    retry_after: float | None = None
    writes: bool = False


def error_of(fault: Fault) -> VendorError:
    """The domain's error. The code decides first, the status second: Bitrix24's statuses are not reliable."""
    if fault.code in _PASSING:
        # A request over a limit is turned away before it is carried out; an internal error may come after.
        turned_away = fault.code in {RATE, OPERATION_TIME}
        return _unavailable(fault, _PASSING[fault.code], uncertain=fault.writes and not turned_away)
    if fault.code not in _HINTS and fault.code not in _SAME_HINT and fault.code != "insufficient_scope":
        if fault.status >= 500:
            return _unavailable(fault, f"HTTP {fault.status}", uncertain=fault.writes)
        if fault.status in {408, 429}:
            return _unavailable(fault, f"HTTP {fault.status}", uncertain=fault.writes and fault.status == 408)
    code = _stable_code(fault)
    return VendorRefused(VENDOR_NAME, fault.method, code, hint=hint_for(code, fault.method, fault.description))


def hint_for(code: str, method: str, description: str = "") -> str:
    """Russian, for the person who can fix it."""
    if code == "insufficient_scope":
        return scope_hint(scope_of(method))
    mistyped = f" {_MISTYPED}" if code == "invalid_credentials" else ""
    if code in DENIED and method.startswith("voximplant"):
        return statistics_hint() + mistyped
    if code in DENIED and method.startswith(("disk", "download")):
        return disk_hint() + mistyped
    if method.startswith("tasks.") and code in TASK_CODES:
        return task_hint(description)
    known = _HINTS.get(_SAME_HINT.get(code, code))
    said = f" Ответ портала: «{description[:200]}»." if description else ""
    return known or f"Битрикс24 отказал без понятной причины (код {code}).{said}"


def scope_of(method: str) -> str:
    """The right a method needs, by its first word."""
    return _SCOPE_OF.get(method.partition(".")[0], "")


def scope_hint(scope: str) -> str:
    title = SCOPE_TITLES.get(scope)
    what = f"право «{title}»" if title else "недостающее право"
    return f"Администратор портала открывает {WEBHOOK_MENU}, в «Настройке прав» добавляет {what} и сохраняет."


def statistics_hint() -> str:
    return (
        f"Администратор портала открывает {TELEPHONY_RIGHTS_MENU} и даёт роли владельца вебхука "
        "«Статистика звонков — просмотр» по всем сотрудникам."
    )


def disk_hint() -> str:
    return (
        "Владелец вебхука не видит файл записи. Администратор портала даёт ему чтение папки с записями на Диске "
        f"или право «Прослушивание записей» ({TELEPHONY_RIGHTS_MENU})."
    )


def task_hint(description: str) -> str:
    """The portal has one code for a task that is gone, one we may not see and one that is not ours to change."""
    said = " ".join(re.sub(r"<[^>]*>", " ", description).split())[:200]
    return (
        "Портал не даёт этого сделать с задачей. Её меняют постановщик, исполнитель и администратор: администратор портала "
        "делает администратором владельца вебхука, или откройте задачу в Битрикс24 сами."
        + (f" Ответ портала: «{said}»." if said else "")
    )


def _stable_code(fault: Fault) -> str:
    if 300 <= fault.status < 400:
        return "moved"
    if fault.code in {"", "0"}:
        return f"http_{fault.status}"
    return fault.code


def _unavailable(fault: Fault, message: str, *, uncertain: bool) -> VendorUnavailable:
    kind = VendorBusy if fault.code in {RATE, OPERATION_TIME} or fault.status == 429 else VendorUnavailable
    return kind(VENDOR_NAME, fault.method, message, retry_after=fault.retry_after, uncertain=uncertain)
