"""What `svodka check amocrm` finds: each thing that can be wrong with an account, by itself, with what to press."""

import difflib
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import timedelta
from typing import assert_never
from urllib.parse import urlsplit

from domain.errors import VendorError, VendorRefused, VendorUnavailable
from domain.plural import counted
from domain.webhooks import HookState
from integrations.amocrm.assembly import build_access
from integrations.amocrm.client import Client
from integrations.amocrm.entities import UTM, FieldNames
from integrations.amocrm.faults import FORBIDDEN, VENDOR_NAME
from integrations.amocrm.hooks import standing_of
from integrations.amocrm.platform import Crm
from integrations.amocrm.settings import PAPER_FIELDS, Settings
from integrations.kit.values import text_of
from integrations.kit.vendor import Finding, Workshop

TITLE = "amoCRM"
ENDS_SOON = timedelta(days=30)
CALLBACK = "/api/auth/amo/callback"
_PEOPLE_CALL_THEM = {
    **{f"utm_{name}": f"utm {name}" for name in UTM},
    "value": "стоимость объекта",
    "commission": "комиссия",
    "phone": "телефон",
    "email": "email",
}
_OF_CONTACTS = frozenset({"phone", "email"})
_UNREACHABLE_HINTS = {
    "host name not found": "Имя сервера не находится. Сверьте AMOCRM_DOMAIN с адресом аккаунта в браузере.",
    "TLS certificate not accepted": "Сертификат сервера не принят. Сверьте AMOCRM_BASE_URL и часы на сервере Сводки.",
    "the answer is no JSON": "amoCRM ответила страницей вместо данных. Сверьте AMOCRM_BASE_URL; обычно он не нужен.",
    "HTTP 429": "amoCRM просит обращаться реже: тем же ключом пользуется ещё кто-то. Создайте для Сводки свою интеграцию.",
}
_UNREACHABLE = "amoCRM не отвечает. Проверьте, открывается ли она в браузере и есть ли у сервера Сводки выход в интернет."
_SET_BY_US = "Сводка поставит его сама: /check амо → «Подписать вебхук». Или "
_WEBHOOKS = "администратор аккаунта открывает «Настройки» → «Интеграции» → «WebHooks»"


async def diagnose(settings: Settings, workshop: Workshop) -> AsyncIterator[Finding]:
    """One finding per thing. With a token that is not accepted nothing else can be asked."""
    for finding in _redirect(settings):
        yield finding
    access = build_access(settings, workshop)
    if access is None:
        yield _no_ground()
        return
    client = Client(settings, access, workshop.clock)
    crm = Crm(client, settings, workshop.clock)
    try:
        token = await _token(crm, settings, workshop)
        yield token
        if not token.ok and not token.warning:
            return
        yield await _hooks(crm, workshop.hook_urls)
        yield await _fields(crm, settings)
        yield await _stages(crm, settings)
        yield await _people(crm)
    finally:
        await client.close()


def _redirect(settings: Settings) -> Iterable[Finding]:
    """amoCRM compares it letter by letter, and in practice wants https."""
    if not settings.redirect_uri or settings.access_token:
        return
    parts = urlsplit(settings.redirect_uri)
    title = f"{TITLE}: ссылка для перенаправления"
    if parts.path != CALLBACK:
        hint = f"AMOCRM_REDIRECT_URI должна кончаться на {CALLBACK}; так же, буква в букву, впишите её в интеграции."
        yield Finding(code="amocrm.redirect.path", title=title, ok=False, detail=parts.path, hint=hint)
    elif parts.scheme != "https":
        hint = "amoCRM принимает только https: впишите внешний адрес Сводки и в AMOCRM_REDIRECT_URI, и в интеграции."
        yield Finding(code="amocrm.redirect.http", title=title, ok=False, warning=True, detail=parts.scheme, hint=hint)


def _no_ground() -> Finding:
    hint = "Токены OAuth лежат в базе, а она ещё не создана: запустите svodka run и возьмите ссылку «Вход» в svodka urls."
    return Finding(code="amocrm.token.no_database", title=f"{TITLE}: вход", ok=False, detail="базы ещё нет", hint=hint)


async def _token(crm: Crm, settings: Settings, workshop: Workshop) -> Finding:
    """Whether the account lets us in, whether it is the one that was meant, and how long the token lasts."""
    title = f"{TITLE}: токен"
    try:
        account = await crm.account()
    except VendorRefused as refusal:
        code = f"amocrm.token.{refusal.code}"
        return Finding(code=code, title=title, ok=False, detail=refusal.code, hint=refusal.hint)
    except VendorUnavailable as failure:
        hint = _UNREACHABLE_HINTS.get(failure.message, _UNREACHABLE)
        return Finding(code="amocrm.unreachable", title=title, ok=False, detail=failure.message, hint=hint)
    number, name = text_of(account.get("id")), text_of(account.get("subdomain"))
    if settings.account_id and number and number != settings.account_id:
        hint = (
            f"В AMOCRM_ACCOUNT_ID {settings.account_id}, а токен — от аккаунта {number}: события отбрасываются. Исправьте."
        )
        return Finding(code="amocrm.account", title=title, ok=False, detail=f"{name}, № {number}", hint=hint)
    ends = settings.token_expires_at
    if ends is not None and ends - workshop.clock.now() < ENDS_SOON:
        hint = "Выпустите новый: amoМаркет → «⋯» → ваша интеграция → «Ключи и доступы» → «Сгенерировать токен»."
        detail = f"действует до {ends:%d.%m.%Y}"
        return Finding(code="amocrm.token.ends", title=title, ok=False, warning=True, detail=detail, hint=hint)
    return Finding(code="amocrm.token", title=title, ok=True, detail=f"принят, аккаунт {name or number}")


async def _hooks(crm: Crm, ours: Sequence[str]) -> Finding:
    """Whether amoCRM tells us, of all we want, and has not switched the hook off after too many bad answers."""
    code, title = "amocrm.hooks", f"{TITLE}: вебхук"
    try:
        hooks = await crm.hooks()
    except VendorError as error:
        return _not_asked(code, title, error)
    standing = standing_of(hooks, ours)
    match standing.state:
        case HookState.ON:
            return Finding(code=code, title=title, ok=True, detail="включён")
        case HookState.MISSING:
            fault, detail = "missing", "не задан" if ours else "внешнего адреса нет: задайте PUBLIC_URL"
            hint = f"{_WEBHOOKS} → «Добавить», адрес /hooks/amocrm/… из svodka urls, отметьте события сделок и контактов."
        case HookState.DISABLED:
            fault, detail = "disabled", "выключен"
            hint = f"{_WEBHOOKS} → включить и «Сохранить». amoCRM выключила его сама; пропущенное найдёт опрос."
        case HookState.LACKING:
            fault, detail = "events", f"нет: {', '.join(standing.lacking)}"
            hint = f"{_WEBHOOKS} → вебхук Сводки → отметьте недостающие события и «Сохранить»."
        case _ as never:
            assert_never(never)
    cure = f"{_SET_BY_US}{hint}" if ours else hint
    return Finding(
        code=f"{code}.{fault}", title=title, ok=False, warning=fault != "disabled", detail=detail, hint=cure,
        subscribe=VENDOR_NAME if ours else "",
    )  # fmt: skip


async def _fields(crm: Crm, settings: Settings) -> Finding:
    """Which of our fields the account has, by code, name or number; for the others the likeliest by its name."""
    code, title = "amocrm.fields", f"{TITLE}: поля"
    try:
        found = [*await crm.fields("leads"), *await crm.fields("contacts")]
    except VendorError as error:
        return _not_asked(code, title, error)
    if gone := [f"{name}={number}" for name, number in _own(settings) if number not in {one[0] for one in found}]:
        hint = "Полей с такими номерами в аккаунте нет: исправьте AMOCRM_FIELDS."
        hint = " ".join([hint, *_offered([one.partition("=")[0] for one in gone], found)])
        detail = f"нет: {', '.join(gone)}"
        return Finding(code=f"{code}.gone", title=title, ok=False, warning=True, detail=detail, hint=hint)
    names = FieldNames.of(settings)
    ours = [names.name_of({"id": number, "name": name, "code": field})[1] for number, name, field in found]
    missing = [name for name in settings.fields if name not in ours]
    if not missing:
        return Finding(code=code, title=title, ok=True, detail=f"все {len(settings.fields)} найдены")
    create = (
        "Чего нет совсем, создайте: «Сделки» → «Настроить» → карточка → «Добавить поле», или оставьте как есть: "
        "без него не будет только этих данных."
    )
    free = [one for one, name in zip(found, ours, strict=True) if not name]
    hint = " ".join([*_offered(missing, free), create])
    return Finding(
        code=f"{code}.missing", title=title, ok=False, warning=True, detail=f"нет: {', '.join(missing)}", hint=hint
    )


def _own(settings: Settings) -> list[tuple[str, str]]:
    """Our names with the numbers that AMOCRM_FIELDS gives them; the papers' own are of another account."""
    return [(name, number) for name, number in settings.fields.items() if number != PAPER_FIELDS[name]]


def _offered(names: Sequence[str], found: Sequence[tuple[str, str, str]]) -> list[str]:
    """What to write into AMOCRM_FIELDS, [] when the account has nothing like it."""
    offers = [offer for name in names if (offer := _likeliest(name, found))]
    return [f"Похожие есть, впишите в AMOCRM_FIELDS: {', '.join(offers)}."] if offers else []


def _likeliest(name: str, found: Sequence[tuple[str, str, str]]) -> str:
    """«value=752020 («Стоимость»)», "" when nothing is like it."""
    titles = {title.casefold().replace("_", " "): (number, title) for number, title, _ in found if title}
    wanted = _PEOPLE_CALL_THEM[name]
    near = difflib.get_close_matches(wanted, titles, 1, cutoff=0.6)
    near = near or [title for title in titles if title and (title in wanted or wanted in title)][:1]
    if not near:
        return ""
    number, title = titles[near[0]]
    return f"{name}={number} («{title}»)"


async def _stages(crm: Crm, settings: Settings) -> Finding:
    """How many there are; what those without a meaning of their own are said to be is chosen in the chat."""
    code, title = "amocrm.stages", f"{TITLE}: этапы"
    try:
        stages = await crm.stages()
    except VendorError as error:
        return _not_asked(code, title, error)
    listed = {(stage.pipeline_id, stage.status_id) for stage in stages}
    gone = [
        key for key in settings.statuses if not any(key in {status, f"{pipeline}/{status}"} for pipeline, status in listed)
    ]
    detail = counted(len(stages), "этап", "этапа", "этапов")
    if not gone:
        return Finding(code=code, title=title, ok=True, detail=f"{detail}, что они значат: /settings → «Этапы amoCRM»")
    hint = "Таких этапов в аккаунте нет: уберите их из AMOCRM_STATUSES. Что значит каждый этап: /settings → «Этапы amoCRM»."
    return Finding(code=f"{code}.gone", title=title, ok=False, warning=True, detail=f"нет: {', '.join(gone)}", hint=hint)


async def _people(crm: Crm) -> Finding:
    """Whether the names of responsible people can be had."""
    code, title = "amocrm.people", f"{TITLE}: имена сотрудников"
    try:
        people = await crm.people()
    except VendorError as error:
        return _not_asked(code, title, error)
    if people is None:
        hint = "Список сотрудников видит только администратор: выпустите токен от его имени. Пока ответственные — номерами."
        return Finding(code=f"{code}.{FORBIDDEN}", title=title, ok=False, warning=True, detail="не видны", hint=hint)
    return Finding(code=code, title=title, ok=True, detail=counted(len(people), "человек", "человека", "человек"))


def _not_asked(code: str, title: str, error: VendorError) -> Finding:
    if isinstance(error, VendorRefused):
        rights = (
            "Список видит только администратор: выпустите токен от его имени." if error.code == FORBIDDEN else error.hint
        )
        return Finding(code=f"{code}.{error.code}", title=title, ok=False, warning=True, detail=error.code, hint=rights)
    hint = _UNREACHABLE_HINTS.get(error.message, _UNREACHABLE)
    return Finding(code=f"{code}.unreachable", title=title, ok=False, detail=error.message, hint=hint)
