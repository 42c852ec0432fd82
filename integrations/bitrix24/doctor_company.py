"""What `svodka check bitrix24` finds about the company: whether its deals, their fields, people and departments are seen."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from domain.directory import CardField, CardPipeline
from domain.errors import VendorRefused, VendorUnavailable
from domain.plural import counted
from integrations.bitrix24.client import Client
from integrations.bitrix24.directory import Directory, ask_for_people
from integrations.bitrix24.doctor_patience import unanswered
from integrations.bitrix24.faults import CRM_RIGHTS_MENU, scope_hint
from integrations.kit.vendor import Finding

MOST_PIPELINES = 6  # counted one by one: each is a request
_CONTACTS = frozenset({"user_basic", "user"})


async def company(client: Client, granted: frozenset[str] | None) -> AsyncIterator[Finding]:
    """A finding a list; none for what a missing right hides, which has its own line already."""
    directory = Directory(client, "")
    looks: tuple[tuple[str, str, Callable[[], Awaitable[Finding]]], ...] = (
        ("bitrix24.deals", "Битрикс24: сделки", lambda: _deals(directory)),
        ("bitrix24.fields", "Битрикс24: поля сделок", lambda: _fields(directory)),
        ("bitrix24.people", "Битрикс24: сотрудники", lambda: _people(client, granted)),
        ("bitrix24.departments", "Битрикс24: отделы", lambda: _departments(directory)),
    )
    for code, title, look in looks:
        try:
            yield await look()
        except VendorRefused as refusal:
            if refusal.code != "insufficient_scope":
                yield Finding(code=code, title=title, ok=False, detail=refusal.code, hint=refusal.hint)
        except VendorUnavailable as failure:
            yield unanswered(code, title, failure)


async def _deals(directory: Directory) -> Finding:
    """None is no fault by itself, but it looks the same as a right that is missing: the portal says nothing then."""
    code, title = "bitrix24.deals", "Битрикс24: сделки"
    total = await directory.count_deals()
    if total:
        seen = f"видно: {total}" + await _by_pipeline(directory)
        return Finding(code=code, title=title, ok=True, detail=seen)
    detail = "не видно ни одной, поэтому и домов нет: сделок нет вовсе или на них нет прав"
    if not _own(await directory.fields()):
        return Finding(code=code, title=title, ok=True, detail=detail)  # nobody keeps houses here
    return Finding(
        code=code,
        title=title,
        ok=False,
        warning=True,
        detail=detail,
        hint=(
            f"Если сделки на портале есть, администратор открывает {CRM_RIGHTS_MENU} и даёт роли владельца вебхука "
            "чтение сделок «Все» в той воронке, где дома: портал молча прячет сделки, на которые прав нет. "
            "Если сделок и вправду нет, делать ничего не надо."
        ),
    )


async def _by_pipeline(directory: Directory) -> str:
    """«; воронки: «Продажи» 0, «Дома» 490», so that one can see in which the houses are."""
    pipelines: Sequence[CardPipeline]
    try:
        pipelines = await directory.pipelines()
    except VendorRefused:
        return ""  # a portal that does not name its pipelines has its deals all the same
    if len(pipelines) < 2:
        return ""
    shown = [f"«{one.name}» {await directory.count_deals(one.external_id)}" for one in pipelines[:MOST_PIPELINES]]
    rest = len(pipelines) - len(shown)
    return "; воронки: " + ", ".join(shown) + (f" и ещё {rest}" if rest else "")


async def _fields(directory: Directory) -> Finding:
    code, title = "bitrix24.fields", "Битрикс24: поля сделок"
    own = _own(await directory.fields())
    if not own:
        detail = "своих нет: если в сделках дома, адрес и квартиры взять неоткуда («Создать поле» в карточке сделки)"
        return Finding(code=code, title=title, ok=True, detail=detail)
    twice = [label for label, times in Counter(known.label for known in own).items() if times > 1]
    detail = f"своих: {len(own)}"
    if twice:
        detail += "; одинаково названы: " + ", ".join(f"«{label}»" for label in twice)
    return Finding(code=code, title=title, ok=True, detail=detail)


def _own(fields: Sequence[CardField]) -> list[CardField]:
    """The fields that the portal's people added."""
    return [known for known in fields if known.code.upper().startswith("UF")]


async def _people(client: Client, granted: frozenset[str] | None) -> Finding:
    code, title = "bitrix24.people", "Битрикс24: сотрудники"
    reply = await ask_for_people(client, 0)
    listed = len(reply.result) if isinstance(reply.result, list) else 0
    detail = f"видно: {max(reply.total, listed)}"
    if granted is None or not granted.isdisjoint(_CONTACTS):
        return Finding(code=code, title=title, ok=True, detail=detail)
    narrow = f"{detail}, но без телефонов и почты"
    return Finding(code=code, title=title, ok=False, warning=True, detail=narrow, hint=scope_hint("user_basic"))


async def _departments(directory: Directory) -> Finding:
    departments = await directory.departments()
    headless = sum(not one.head_id for one in departments)
    detail = counted(len(departments), "отдел", "отдела", "отделов")
    if headless:
        detail += f", без руководителя: {headless}"
    return Finding(code="bitrix24.departments", title="Битрикс24: отделы", ok=True, detail=detail)
