"""What `svodka check tilda` finds: a secret that can be guessed, and an address that does not answer as Tilda asks it."""

from collections.abc import AsyncIterator

from domain.errors import VendorUnavailable
from integrations.kit.http import HttpClient
from integrations.kit.vendor import Finding, Workshop
from integrations.tilda.settings import VENDOR_NAME, Settings
from integrations.tilda.webhook import PROBE

SHORT = 16  # characters of a secret that nobody tries out
ANSWER_SECONDS = 5.0  # Tilda's own patience

_WHERE = "Тильда: «Настройки сайта» → «Формы» → «Webhook»"
_HINTS = {
    404: f"По этому адресу отвечает не Сводка или с другим секретом. Вставьте адрес из svodka urls: {_WHERE}.",
    401: "Секрет в адресе не подходит. Сверьте TILDA_SECRET и адрес из svodka urls.",
    413: "Прокси не пропускает тело запроса. Разрешите в нём хотя бы 64 КиБ.",
}
_OTHER = "Адрес отвечает не так, как ждёт Тильда. Проверьте прокси перед Сводкой и что она запущена."


async def diagnose(settings: Settings, workshop: Workshop) -> AsyncIterator[Finding]:
    """The address is asked as Tilda asks it when a webhook is saved: that stores nothing."""
    yield _secret(settings)
    if not workshop.hook_urls:
        hint = "Задайте PUBLIC_URL: без внешнего адреса Тильде некуда присылать заявки."
        yield Finding(code="tilda.address", title="Тильда: адрес", ok=False, warning=True, detail="нет", hint=hint)
        return
    yield await _probe(workshop.hook_urls[0], settings)


def _secret(settings: Settings) -> Finding:
    code, title = "tilda.secret", "Тильда: секрет"
    if min(map(len, settings.secrets)) >= SHORT:
        return Finding(code=code, title=title, ok=True, detail="задан")
    hint = f"Секрет короче {SHORT} знаков. Впишите в TILDA_SECRET длинный и вставьте новый адрес из svodka urls: {_WHERE}."
    return Finding(code=code, title=title, ok=False, warning=True, detail="короткий", hint=hint)


async def _probe(url: str, settings: Settings) -> Finding:
    code, title = "tilda.address", "Тильда: пробный запрос"
    client = HttpClient(VENDOR_NAME, secrets=settings.secrets, total_s=ANSWER_SECONDS)
    try:
        answer = await client.request("test", "POST", url, form=PROBE)
    except VendorUnavailable as failure:
        hint = "Адрес из svodka urls не открывается. Проверьте PUBLIC_URL, прокси и что Сводка запущена."
        return Finding(code=f"{code}.unreachable", title=title, ok=False, detail=failure.message, hint=hint)
    finally:
        await client.close()
    if answer.status == 200 and answer.body.strip() == b"ok":
        return Finding(code=code, title=title, ok=True, detail="ответ ok")
    hint = _HINTS.get(answer.status, _OTHER)
    return Finding(code=f"{code}.{answer.status}", title=title, ok=False, detail=f"HTTP {answer.status}", hint=hint)
