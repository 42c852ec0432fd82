"""Is a process of ours running, and does it answer where the settings say?"""

import asyncio
import http.client
import json
from dataclasses import dataclass
from typing import Any, Literal

from bot.settings import Settings
from integrations.kit.vendor import Finding

ANSWER_SECONDS = 4.0
_EVERYWHERE = {"0.0.0.0", "::", ""}  # noqa: S104 - compared, not bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What answered at HTTP_HOST:HTTP_PORT: nobody, our process with its ``report``, or a stranger."""

    who: Literal["nobody", "ours", "stranger"]
    report: dict[str, Any]

    @property
    def leads(self) -> bool:
        return self.report.get("leader") is True


async def listen_in(settings: Settings) -> Heard:
    """Ask /api/health where this installation listens; never raises."""
    host = "127.0.0.1" if settings.http_host in _EVERYWHERE else settings.http_host
    return await asyncio.to_thread(_ask, host, settings.http_port)


def recognise(body: bytes) -> Heard:
    """Whose answer to /api/health this is."""
    try:
        report = json.loads(body)
    except ValueError:
        report = None
    ours = isinstance(report, dict) and {"status", "version", "parts"} <= report.keys()
    return Heard(who="ours", report=report) if ours else Heard(who="stranger", report={})


def process_findings(heard: Heard, settings: Settings, *, locked: bool) -> list[Finding]:
    """One line about the process. ``locked``: somebody holds the leader's lock on these data."""
    code, title = "process", "Процесс"
    where = f"{settings.http_host}:{settings.http_port}"
    if heard.who == "stranger":
        hint = "Остановите другую программу на этом порту или впишите в HTTP_PORT свободный."
        return [
            Finding(code="process.port", title=title, ok=False, detail=f"на {where} отвечает чужая программа", hint=hint)
        ]
    if heard.who == "nobody" and locked:
        hint = (
            "С этими данными работает другой процесс Сводки. Остановите лишний (systemctl status svodka, docker ps) "
            "или дайте второму свою DATA_DIR и свою базу."
        )
        return [Finding(code="process.second", title=title, ok=False, detail=f"данные заняты, на {where} тихо", hint=hint)]
    if heard.who == "nobody":
        hint = "Запустите её: svodka run, systemctl start svodka или docker compose up -d."
        return [Finding(code="process.stopped", title=title, ok=False, warning=True, detail="Сводка не запущена", hint=hint)]
    role = "ведёт" if heard.leads else "принимает события, ведёт другой узел"
    return [Finding(code=code, title=title, ok=True, detail=f"версия {heard.report['version']}, {role}")]


def silent_finding(settings: Settings) -> Finding:
    """For the process that examines itself: it runs, but was not heard at its own address."""
    detail = f"на {settings.http_host}:{settings.http_port} не отвечает"
    hint = "Сводка работает, но её адрес молчит: посмотрите, не занят ли сервер до предела и верен ли HTTP_HOST."
    return Finding(code="process.silent", title="Процесс", ok=False, warning=True, detail=detail, hint=hint)


def _ask(host: str, port: int) -> Heard:
    connection = http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/api/health")
        return recognise(connection.getresponse().read(64 * 1024))
    except http.client.HTTPException:
        return Heard(who="stranger", report={})
    except OSError:
        return Heard(who="nobody", report={})
    finally:
        connection.close()
