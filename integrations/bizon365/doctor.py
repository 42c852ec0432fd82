"""What `svodka check bizon365` finds: each thing that can be wrong with an account, by itself, with the menu to open."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from domain.errors import VendorError, VendorRefused, VendorUnavailable
from domain.webinars import RegistrationPage
from integrations.bizon365.client import Client
from integrations.bizon365.faults import NOT_FOUND, TOKEN_V2
from integrations.bizon365.platform import LIST, SUBSCRIBERS, VIEWERS, Webinars
from integrations.bizon365.sessions import iso
from integrations.bizon365.settings import Settings
from integrations.bizon365.viewers import given
from integrations.kit.values import list_of, mapping_of, text_of
from integrations.kit.vendor import Finding, Workshop

SAMPLE = 100  # people looked at to see whether they give a phone
RECENT = timedelta(days=30)
WITHOUT_PHONE = 0.3  # above this share somebody should look at the form
PAGES_LOOKED_AT = 5
NAMED = 5

_REFUSED = {
    "bad_token": "не принят",
    "no_right": "прав нет",
    "not_paid": "не оплачено",
    NOT_FOUND: "по этому адресу не найден",
}
_UNREACHABLE_HINTS = {
    "host name not found": "Имя сервера не находится. Сверьте BIZON365_BASE_URL; обычно он не нужен вовсе.",
    "TLS certificate not accepted": "Сертификат сервера не принят. Сверьте BIZON365_BASE_URL и часы на сервере Сводки.",
    "the answer is no JSON": "Бизон365 ответил страницей вместо данных. Сверьте BIZON365_BASE_URL; обычно он не нужен.",
    "HTTP 429": "Бизон365 просит обращаться реже: токеном пользуется ещё кто-то. Выпустите для Сводки отдельный токен.",
}
_UNREACHABLE = "Бизон365 не отвечает. Проверьте, открывается ли он в браузере и есть ли у сервера Сводки выход в интернет."
_FORWARDING = "«Страницы регистрации» → «Настроить» → «Обработка данных» → «Пересылка данных (webhook)»"

People = Sequence[object]  # records as they come


async def diagnose(settings: Settings, workshop: Workshop) -> AsyncIterator[Finding]:
    """One finding per thing. With a token that is not accepted nothing else can be asked."""
    client = Client(settings, workshop.clock)
    webinars = Webinars(client, settings, workshop.clock)
    try:
        token = await _token(client, settings)
        yield token
        if not token.ok:
            return
        if settings.version == "v1":
            yield _old_version()
        reports, viewers = await _reports(client, webinars)
        yield reports
        registration, pages = await _registration(webinars)
        yield registration
        for finding in _forwarding(pages, workshop.hook_urls):
            yield finding
        for finding in _phones(viewers, await _registered(client, pages, workshop.clock.now())):
            yield finding
    finally:
        await client.close()


async def _token(client: Client, settings: Settings) -> Finding:
    """Whether the account lets us in at all, by the one address every client asks."""
    title = "Бизон365: токен"
    try:
        await client.get(LIST, skip=0, limit=1)
    except VendorRefused as refusal:
        if refusal.code != "no_right":  # then the token is good, and the rights have lines of their own
            return await _refused_token(client, settings, refusal)
    except VendorUnavailable as failure:
        return _away("bizon365.unreachable", title, failure)
    return Finding(code="bizon365.token", title=title, ok=True, detail=f"принят, отвечает API {settings.version}")


async def _refused_token(client: Client, settings: Settings, refusal: VendorRefused) -> Finding:
    """Another version, or another project, may know this token: that is told with the numbers to choose from."""
    projects = await _projects(client)
    title, detail = "Бизон365: токен", _told(refusal)
    if projects and settings.version == "v1":
        hint = (
            "Токен подходит к API v2, а спрашивается v1. Впишите номер проекта в BIZON365_PROJECT_ID. "
            f"Ваши проекты: {'; '.join(projects)}."
        )
        return Finding(code="bizon365.needs_project", title=title, ok=False, detail=detail, hint=hint)
    if projects and refusal.code == NOT_FOUND:
        hint = f"Номер проекта в BIZON365_PROJECT_ID не подходит. Проекты этого токена: {'; '.join(projects)}."
        return Finding(
            code="bizon365.project", title=title, ok=False, detail=f"проекта {settings.project_id} нет", hint=hint
        )
    return Finding(code=f"bizon365.token.{refusal.code}", title=title, ok=False, detail=detail, hint=refusal.hint)


async def _projects(client: Client) -> list[str]:
    """Number and name of each project of the token; [] when it has none, or v2 does not know it."""
    try:
        answer = await client.projects()
    except VendorError:
        return []
    found = map(mapping_of, list_of(answer.get("projects")))
    return [f"{text_of(one.get('id'))} «{text_of(one.get('title'))}»" for one in found if text_of(one.get("id"))]


def _old_version() -> Finding:
    return Finding(
        code="bizon365.v1",
        title="Бизон365: версия API",
        ok=False,
        warning=True,
        detail="работает старый API v1, его отключают",
        hint=f"Владелец аккаунта берёт токен в {TOKEN_V2} и вписывает его в BIZON365_TOKEN, проект — в BIZON365_PROJECT_ID.",
    )


async def _reports(client: Client, webinars: Webinars) -> tuple[Finding, People]:
    """The list, and the viewers of its newest report: some of them are given back."""
    code, title = "bizon365.reports", "Бизон365: право видеть отчёты"
    try:
        newest = next(iter(await webinars.reports(since=None, limit=1)), None)
        if newest is None:
            return Finding(code=code, title=title, ok=True, detail="отчётов пока нет"), ()
        answer = await client.get(VIEWERS, webinarId=newest.external_id, skip=0, limit=SAMPLE)
    except VendorRefused as refusal:
        return Finding(code=f"{code}.{refusal.code}", title=title, ok=False, detail=_told(refusal), hint=refusal.hint), ()
    except VendorUnavailable as failure:
        return _away(f"{code}.unreachable", title, failure), ()
    detail = f"последний: {newest.title or newest.external_id}"
    return Finding(code=code, title=title, ok=True, detail=detail), list_of(answer.get("viewers"))


async def _registration(webinars: Webinars) -> tuple[Finding, Sequence[RegistrationPage]]:
    """The right to register people is the one to the pages: trying it would register somebody."""
    code, title = "bizon365.registration", "Бизон365: право регистрировать"
    try:
        pages = await webinars.pages()
    except VendorRefused as refusal:
        finding = Finding(code=f"{code}.{refusal.code}", title=title, ok=False, detail=_told(refusal), hint=refusal.hint)
        return finding, ()
    except VendorUnavailable as failure:
        return _away(f"{code}.unreachable", title, failure), ()
    enabled = [page for page in pages if page.enabled]
    if not enabled:
        hint = "Включённых страниц регистрации нет: «Страницы регистрации» → «Создать», затем «Настроить»."
        return Finding(code=f"{code}.no_pages", title=title, ok=False, warning=True, detail="страниц нет", hint=hint), ()
    return Finding(code=code, title=title, ok=True, detail=f"страниц регистрации: {len(enabled)}"), enabled


def _forwarding(pages: Sequence[RegistrationPage], ours: Sequence[str]) -> Iterable[Finding]:
    """Pages that tell nobody of registrations, or somebody else; nothing while we have no public address to be told at."""
    code, title = "bizon365.forwarding", "Бизон365: пересылка регистраций"
    if not pages or not ours:
        return
    silent = [page for page in pages if not page.hook_url]
    elsewhere = [page for page in pages if page.hook_url and page.hook_url not in ours]
    hint = f"Вставьте адрес из svodka urls в поле {_FORWARDING} этих страниц: без него регистрации не видны."
    if silent:
        yield Finding(
            code=f"{code}.missing", title=title, ok=False, warning=True, detail=f"не задана: {_named(silent)}", hint=hint
        )
    if elsewhere:
        hosts = {urlsplit(address).hostname for address in ours}
        stale = all(_host(page.hook_url) in hosts for page in elsewhere)
        detail = f"{'старый адрес Сводки' if stale else 'адрес не наш'}: {_named(elsewhere)}"
        suffix = "stale" if stale else "elsewhere"
        yield Finding(code=f"{code}.{suffix}", title=title, ok=False, warning=True, detail=detail, hint=hint)
    if not silent and not elsewhere:
        yield Finding(code=code, title=title, ok=True)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _named(pages: Sequence[RegistrationPage]) -> str:
    names = ", ".join(f"«{page.title}»" for page in pages[:NAMED])
    return names + (f" и ещё {len(pages) - NAMED}" if len(pages) > NAMED else "")


async def _registered(client: Client, pages: Sequence[RegistrationPage], now: datetime) -> People:
    """Some of those who registered lately: an old form is no fault of today's."""
    people: list[object] = []
    for page in [page for page in pages if page.registered][:PAGES_LOOKED_AT]:
        since = iso(now - RECENT)
        with suppress(VendorError):  # the pages have a line of their own
            answer = await client.get(SUBSCRIBERS, pageId=page.page_id, skip=0, limit=SAMPLE, registeredTimeMin=since)
            people += list_of(answer.get("list"))
    return people


def _phones(viewers: People, registered: People) -> Iterable[Finding]:
    """The phone of the entry joins a visit to a lead, that of the registration a registration; the forms differ."""
    entry = (
        "Без телефона зритель не сопоставится с лидом. В Бизон365: «Комнаты» → «Настроить комнату» → «Доступ» → галочки "
        "«Номер телефона» и «Обязательное поле»; или давайте людям личные ссылки."
    )
    registration = (
        "Форма регистрации не спрашивает телефон. Она умеет это только на своём сайте: в код виджета со страницы "
        "регистрации впишите phone:1 вместо phone:0."
    )
    nobody = "проверить не на ком: "
    for form, title, people, hint, none in (
        ("entry", "Бизон365: телефон при входе в комнату", viewers, entry, "в последнем отчёте зрителей не видно"),
        ("registration", "Бизон365: телефон при регистрации", registered, registration, "за 30 дней никто не записался"),
    ):
        code = f"bizon365.phones.{form}"
        yield _phone(code, title, people, hint) if people else Finding(code=code, title=title, ok=True, detail=nobody + none)


def _phone(code: str, title: str, people: People, hint: str) -> Finding:
    lacking = sum(not given(mapping_of(one).get("phone")) for one in people) / len(people)
    detail = f"без телефона {round(lacking * 100)} %"
    if lacking <= WITHOUT_PHONE:
        return Finding(code=code, title=title, ok=True, detail=detail)
    return Finding(code=code, title=title, ok=False, warning=True, detail=detail, hint=hint)


def _told(refusal: VendorRefused) -> str:
    return _REFUSED.get(refusal.code, f"отказ: {refusal.code}")


def _away(code: str, title: str, failure: VendorUnavailable) -> Finding:
    hint = _UNREACHABLE_HINTS.get(failure.message, _UNREACHABLE)
    return Finding(code=code, title=title, ok=False, detail=failure.message, hint=hint)
