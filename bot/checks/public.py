"""What `svodka check public` finds: whether vendors can reach us from outside."""

import asyncio
import ssl
import urllib.error
import urllib.request

from bot.checks.process import recognise
from bot.settings import Settings
from integrations.kit.vendor import Finding

ANSWER_SECONDS = 10.0
_TITLE = "Адрес снаружи"


async def public_finding(settings: Settings, *, running: bool) -> Finding:
    """``running``: a process of ours is at work; without one nothing can be learnt from outside."""
    if not settings.public_url:
        hint = (
            "Впишите в PUBLIC_URL внешний https-адрес. Без него события вендоров не приходят: о звонках узнаём опросом, "
            "раз в две минуты, а заявки и вебинары, которые приходят только событием, не увидим."
        )
        return Finding(code="public.missing", title=_TITLE, ok=False, warning=True, detail="не задан", hint=hint)
    if not running:
        detail = "Сводка не запущена, проверить нечем"
        hint = "Запустите Сводку и повторите проверку."
        return Finding(code="public.unknown", title=_TITLE, ok=False, warning=True, detail=detail, hint=hint)
    return await asyncio.to_thread(_look, settings.public_url)


def _look(base: str) -> Finding:
    try:
        with urllib.request.urlopen(f"{base}/api/health", timeout=ANSWER_SECONDS) as answer:  # noqa: S310 - checked https
            body = answer.read(64 * 1024)
    except urllib.error.HTTPError as error:
        with error:
            body = error.read(64 * 1024)
        if recognise(body).who != "ours":
            return _elsewhere(f"HTTP {error.code}")
    except (OSError, ValueError) as error:
        return _unreachable(error)
    if recognise(body).who != "ours":
        return _elsewhere("отвечает другая программа")
    return Finding(code="public", title=_TITLE, ok=True, detail=base)


def _unreachable(error: Exception) -> Finding:
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLError):
        hint = "Поставьте на этот адрес действующий сертификат, например certbot --nginx: без него вендоры не примут адрес."
        return Finding(code="public.tls", title=_TITLE, ok=False, detail="сертификат не принят", hint=hint)
    hint = "Проверьте DNS, nginx и брандмауэр: адрес из PUBLIC_URL должен открываться из интернета."
    return Finding(code="public.unreachable", title=_TITLE, ok=False, detail="не открывается", hint=hint)


def _elsewhere(detail: str) -> Finding:
    hint = "Направьте адрес из PUBLIC_URL на порт Сводки: в nginx это proxy_pass http://127.0.0.1:8080."
    return Finding(code="public.elsewhere", title=_TITLE, ok=False, detail=detail, hint=hint)
