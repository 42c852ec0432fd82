"""One call of the Bot API at a time, without aiogram: a check must not wait two seconds for a library.

httpx, because it speaks every kind of proxy that TELEGRAM_PROXY may name. Its errors hold the address, and the address holds
the token: none of them leaves this module.
"""

import socket
import ssl
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx

from bot.settings import TelegramSettings
from integrations.kit.http import silence_address_logs

CONNECT_SECONDS = 6.0
ANSWER_SECONDS = 15.0


class Unreached(Exception):
    """No answer of the Bot API. ``why``: proxy, name, tls, time or network."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the Bot API answered; ``description`` is empty when it went well."""

    status: int
    result: Any = None
    description: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.status == 200

    @property
    def row(self) -> dict[str, Any]:
        """The result as an object, empty when it is none."""
        return self.result if isinstance(self.result, dict) else {}

    def says(self, *words: str) -> bool:
        return any(word in self.description.lower() for word in words)


class BotApi:
    """``async with BotApi(settings) as api: await api.call("getMe")``."""

    def __init__(self, settings: TelegramSettings) -> None:
        silence_address_logs()
        self._base = f"{settings.api_base_url}/bot{settings.token}/"
        self._through_proxy = settings.proxy is not None
        self._client = httpx.AsyncClient(
            proxy=settings.proxy,
            trust_env=False,  # as the bot itself: only TELEGRAM_PROXY counts
            verify=ssl.create_default_context(),
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def call(self, method: str, **params: object) -> Reply:
        """The answer, good or bad; Unreached when there is none."""
        why = ""
        try:
            response = await self._client.post(self._base + method, json=params)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            why = self._why(error)
        if why:
            raise Unreached(why)
        return _reply(response)

    def _why(self, error: Exception) -> str:
        causes = list(_causes(error))
        if isinstance(error, httpx.ProxyError):
            return "proxy"
        if any(isinstance(cause, ssl.SSLError) for cause in causes):
            return "tls"
        if self._through_proxy and isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return "proxy"
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            return "name"
        return "time" if isinstance(error, httpx.TimeoutException) else "network"


def _reply(response: httpx.Response) -> Reply:
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or "ok" not in body:
        raise Unreached("stranger")  # a page of a provider, a proxy or a wrong server
    if body["ok"] is True:
        return Reply(status=200, result=body.get("result"))
    code, parameters = body.get("error_code"), body.get("parameters")
    return Reply(
        status=code if isinstance(code, int) else max(response.status_code, 400),
        description=str(body.get("description") or f"HTTP {response.status_code}"),
        parameters=parameters if isinstance(parameters, dict) else {},
    )


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
