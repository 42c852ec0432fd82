"""What `svodka check bitrix24` finds: each thing that can be wrong at a portal, by itself, with the menu item to press."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from domain.errors import VendorError, VendorRefused, VendorUnavailable
from integrations.bitrix24.client import Client
from integrations.bitrix24.doctor_company import company
from integrations.bitrix24.doctor_patience import PatientClient, unanswered
from integrations.bitrix24.faults import NEW_WEBHOOK_MENU, SCOPE_TITLES, UNREACHABLE, scope_hint
from integrations.bitrix24.models import CallRow, PersonRow, present, read_row, read_rows
from integrations.bitrix24.recording import DISK, disk_file
from integrations.bitrix24.settings import Settings
from integrations.bitrix24.telephony import STATISTICS
from integrations.kit.pacing import Sleep
from integrations.kit.vendor import Finding, Workshop

# What each right is for, told when it is missing; of several names in a row any one will do.
_NEEDED = (
    (("telephony",), "без него не видно звонков"),
    (("crm",), "без него нет комментариев в карточках, имён клиентов и домов"),
    (("disk",), "без него не скачать записи"),
    (("user_basic", "user_brief", "user"), "без него нет имён сотрудников"),
    (("department",), "без него нет отделов и бригад"),
)
# What works without, for those who do not want it.
_OPTIONAL = (
    (("task",), "без него нет задач: /tasks и «Задачи» под карточкой звонка"),
    (("calendar",), "без него в /tasks нет встреч"),
)
_UNREACHABLE_HINTS = {
    "host name not found": "Имя портала не находится. Сверьте BITRIX24_WEBHOOK_URL с адресом в браузере.",
    "TLS certificate not accepted": (
        "Сертификат портала не принят. Для коробки: администратор сервера портала ставит действующий сертификат."
    ),
    "the answer is no JSON": (
        "Портал ответил страницей вместо данных. Сверьте BITRIX24_WEBHOOK_URL с адресом вебхука в Битрикс24."
    ),
}


async def diagnose(settings: Settings, workshop: Workshop, *, sleep: Sleep = asyncio.sleep) -> AsyncIterator[Finding]:
    """One finding per thing; after a webhook that does not authorise nothing else can be asked, but the token is ours."""
    client = PatientClient(settings, workshop.clock, sleep=sleep)
    try:
        webhook = await _webhook(client)
        yield webhook
        if webhook.ok:
            granted = await _granted(client)
            for scopes, why in _NEEDED:
                yield await _scope(client, granted, scopes, why)
            for looked in (_tasks(client, granted), company(client, granted), _calls(client)):
                async for finding in looked:
                    yield finding
        yield _token(settings)
    finally:
        await client.close()


async def _webhook(client: Client) -> Finding:
    code, title = "bitrix24.webhook", "Битрикс24: вебхук"
    try:
        reply = await client.call("profile")
    except VendorRefused as refusal:
        if refusal.code != "insufficient_scope":
            return Finding(code=f"{code}.{refusal.code}", title=title, ok=False, detail=refusal.code, hint=refusal.hint)
        return Finding(code=code, title=title, ok=True, detail="код принят")  # the code is good, the rights come next
    except VendorUnavailable as failure:
        hint = _UNREACHABLE_HINTS.get(failure.message, UNREACHABLE)
        return unanswered("bitrix24.unreachable", title, failure, hint=hint)
    owner = read_row(PersonRow, reply.result) or PersonRow()
    return Finding(
        code=code, title=title, ok=True, detail=f"действует от имени: {owner.full_name or 'сотрудник ' + owner.row_id}"
    )


async def _granted(client: Client) -> frozenset[str] | None:
    """The rights of the webhook; None when the portal does not say."""
    try:
        reply = await client.call("scope")
    except VendorError:
        return None
    listed = reply.result if isinstance(reply.result, list) else []
    return frozenset(str(item).lower() for item in listed)


# A harmless read for each right, for portals that do not list what they granted.
_PROBES: dict[str, tuple[str, dict[str, object]]] = {
    "telephony": (STATISTICS, {"FILTER": {"ID": 0}, "SORT": "ID", "ORDER": "ASC"}),
    "crm": ("crm.contact.list", {"filter": {"ID": 0}, "select": ["ID"], "start": -1}),
    "disk": (DISK, {"id": 0}),
    "user_basic": ("user.get", {"FILTER": {"ID": 0}}),
    "department": ("department.get", {"ID": 0}),
    "task": ("tasks.task.list", {"filter": {"ID": 0}, "select": ["ID"]}),
    "calendar": ("calendar.event.get", {"type": "user", "ownerId": 0, "from": "2026-01-01", "to": "2026-01-01"}),
}


async def _scope(client: Client, granted: frozenset[str] | None, scopes: tuple[str, ...], why: str) -> Finding:
    wanted = scopes[0]
    code, title = f"bitrix24.scope.{wanted}", f"Битрикс24: право «{SCOPE_TITLES[wanted]}»"
    try:
        there = await _works(client, wanted) if granted is None else not granted.isdisjoint(scopes)
    except VendorUnavailable as failure:
        return unanswered(code, title, failure)
    if there:
        return Finding(code=code, title=title, ok=True)
    return Finding(code=code, title=title, ok=False, detail=why, hint=scope_hint(wanted))


async def _works(client: Client, scope: str) -> bool:
    method, params = _PROBES[scope]
    try:
        await client.call(method, params)
    except VendorRefused as refusal:
        return refusal.code != "insufficient_scope"
    return True


async def _tasks(client: Client, granted: frozenset[str] | None) -> AsyncIterator[Finding]:
    """Tasks and meetings are a wish, so what is missing is a warning."""
    for scopes, why in _OPTIONAL:
        finding = await _scope(client, granted, scopes, why)
        yield replace(finding, warning=not finding.ok)
        if finding.ok and scopes == ("task",) and (narrow := await _narrow(client)):
            yield narrow


async def _narrow(client: Client) -> Finding | None:
    """Only an administrator is shown everybody's tasks: the others' are left out without a word."""
    try:
        owner = (await client.call("profile")).result
    except VendorError:
        return None
    if not isinstance(owner, dict) or owner.get("ADMIN") is not False:
        return None
    return Finding(
        code="bitrix24.tasks",
        title="Битрикс24: чужие задачи",
        ok=False,
        warning=True,
        detail="владелец вебхука не администратор: видит и закрывает только доступные ему задачи",
        hint=(
            "Администратор портала открывает «Сотрудники → владелец вебхука → Действия» "
            "и нажимает «Сделать администратором»."
        ),
    )


async def _calls(client: Client) -> AsyncIterator[Finding]:
    code, title = "bitrix24.statistics", "Битрикс24: статистика звонков"
    try:
        reply = await client.call(STATISTICS, {"FILTER": {}, "SORT": "ID", "ORDER": "DESC", "start": -1})
    except VendorRefused as refusal:
        if refusal.code != "insufficient_scope":  # that one has its own line already
            yield Finding(code=code, title=title, ok=False, detail=refusal.code, hint=refusal.hint)
        return
    except VendorUnavailable as failure:
        yield unanswered(code, title, failure)
        return
    rows = read_rows(CallRow, reply.result)
    detail = f"последний звонок: {rows[0].started}" if rows else "звонков пока нет"
    yield Finding(code=code, title=title, ok=True, detail=detail)
    recorded = next((row for row in rows if present(row.record_file_id)), None)
    if recorded is not None and (finding := await _recording(client, recorded)) is not None:
        yield finding


async def _recording(client: Client, row: CallRow) -> Finding | None:
    """Whether the newest recording may be read; None when the right to the Disk is missing, which is told already."""
    code, title = "bitrix24.recordings", "Битрикс24: доступ к записям"
    try:
        await disk_file(client, row.record_file_id)
    except VendorRefused as refusal:
        if refusal.code == "insufficient_scope":
            return None
        if refusal.code == "gone":
            return Finding(code=code, title=title, ok=True, detail="последняя запись удалена с Диска, проверить не на чем")
        return Finding(code=code, title=title, ok=False, detail=refusal.code, hint=refusal.hint)
    except VendorUnavailable as failure:
        return unanswered(code, title, failure)
    return Finding(code=code, title=title, ok=True)


def _token(settings: Settings) -> Finding:
    code, title = "bitrix24.application_token", "Битрикс24: токен исходящего вебхука"
    if settings.application_tokens:
        return Finding(code=code, title=title, ok=True)
    return Finding(
        code=code,
        title=title,
        ok=False,
        warning=True,
        detail="события принимаются без проверки отправителя",
        hint=(
            "Администратор портала открывает «Разработчикам → Интеграции → ваш исходящий вебхук» "
            f"(или создаёт его: {NEW_WEBHOOK_MENU.replace('Входящий', 'Исходящий')}), копирует «Токен приложения» "
            "в BITRIX24_APPLICATION_TOKEN."
        ),
    )
