"""The way to the Bot API: one HTTP request, with every failure named and no token in any of them.

aiogram's own session puts the HTTP client's words (which carry addresses, and addresses carry the token) into its errors,
raises TypeError on a 500 without a description, and cannot tell "never sent" from "no answer came".
"""

import json
from typing import Any, cast

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramAPIError,
    TelegramEntityTooLarge,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import GetUpdates, Response, TelegramMethod
from aiogram.methods.base import TelegramType
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientHttpProxyError,
    ClientTimeout,
    ConnectionTimeoutError,
    FormData,
)

from domain.errors import ConfigError

CONNECT_SECONDS = 10.0
FLOOD_SECONDS = 5  # when a 429 does not say how long


class NotDelivered(TelegramNetworkError):
    """No connection was made: the request surely did nothing."""


class AnswerLost(TelegramNetworkError):
    """The request left and no answer came: it may have been carried out."""


class GatewayFailed(TelegramServerError):
    """Something between us and Telegram answered 5xx with a page of its own: most likely not carried out."""


class UnreadableAnswer(AiogramError):
    """Telegram said 200 and we could not read the rest: it was carried out. ``message_id`` where it could be saved."""

    def __init__(self, message_id: int | None) -> None:
        super().__init__("the answer was 200 and could not be read")
        self.message_id = message_id


class Session(AiohttpSession):
    """aiogram's session with our own errors. ``proxy``: http(s) by aiohttp itself, socks through aiohttp-socks."""

    def __init__(self, *, base_url: str, proxy: str | None = None, timeout: float = 30.0) -> None:
        socks = proxy if proxy is not None and proxy.startswith("socks") else None
        try:
            super().__init__(proxy=socks, api=TelegramAPIServer.from_base(base_url), timeout=timeout)
        except (RuntimeError, ValueError):
            raise ConfigError("TELEGRAM_PROXY", "нужен адрес вида http://прокси:3128 или socks5://прокси:1080") from None
        self._http_proxy = proxy if socks is None else None

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[TelegramType],
        timeout: int | None = None,  # noqa: ASYNC109  aiogram's name
    ) -> TelegramType:
        """One request, never repeated. NotDelivered, AnswerLost, UnreadableAnswer or a TelegramAPIError."""
        url = self.api.api_url(token=bot.token, method=method.__api_method__)
        form = self.build_form_data(bot=bot, method=method)
        status, content = await self._post(method, url, form, self.timeout if timeout is None else timeout)
        response = self.check_response(bot=bot, method=method, status_code=status, content=content)
        return cast("TelegramType", response.result)

    async def get_updates(self, bot: Bot, method: GetUpdates, *, seconds: float) -> list[object]:
        """Updates as Telegram wrote them: one that this aiogram cannot read must not hide the others."""
        url = self.api.api_url(token=bot.token, method=method.__api_method__)
        form = self.build_form_data(bot=bot, method=method)
        status, content = await self._post(method, url, form, seconds)
        data = _readable(method, status, content)
        if not data.get("ok"):
            self._refuse(bot, method, status, data)
        result = data.get("result")
        return result if isinstance(result, list) else []

    def check_response(
        self, bot: Bot, method: TelegramMethod[TelegramType], status_code: int, content: str
    ) -> Response[TelegramType]:
        data = _readable(method, status_code, content)
        if not data.get("ok"):
            self._refuse(bot, method, status_code, data)
        try:
            return super().check_response(bot, method, status_code, content)
        except ClientDecodeError:
            raise UnreadableAnswer(_message_id(data)) from None

    def _refuse(self, bot: Bot, method: TelegramMethod[Any], status: int, data: dict[str, Any]) -> None:
        """Raise what a refusal means."""
        code = data.get("error_code")
        status = code if isinstance(code, int) and status < 300 else status
        description = str(data.get("description") or f"HTTP {status}")
        parameters = data.get("parameters")
        named = parameters.get("retry_after") if isinstance(parameters, dict) else None
        if status == 429 and not named:
            raise TelegramRetryAfter(method=method, message=description, retry_after=FLOOD_SECONDS)
        if status >= 500:
            raise TelegramServerError(method=method, message=description)
        whole = json.dumps({"ok": False, "description": description, "parameters": parameters})
        try:
            super().check_response(bot, method, status, whole)
        except ClientDecodeError:  # parameters of a shape we do not know
            raise TelegramAPIError(method=method, message=description) from None
        raise TelegramAPIError(method=method, message=description)

    async def _post(self, method: TelegramMethod[Any], url: str, form: FormData, seconds: float) -> tuple[int, str]:
        limits = ClientTimeout(total=seconds, connect=min(CONNECT_SECONDS, seconds))
        try:
            session = await self.create_session()
            async with session.post(url, data=form, timeout=limits, proxy=self._http_proxy) as response:
                return response.status, await response.text(errors="replace")
        except (ClientConnectorError, ClientHttpProxyError, ConnectionTimeoutError) as error:
            raise NotDelivered(method=method, message=type(error).__name__) from None
        except (TimeoutError, ClientError, OSError) as error:
            raise AnswerLost(method=method, message=type(error).__name__) from None
        except Exception as error:
            if type(error).__module__.partition(".")[0] in {"python_socks", "aiohttp_socks"}:
                raise NotDelivered(method=method, message=type(error).__name__) from None
            raise


def _readable(method: TelegramMethod[Any], status: int, content: str) -> dict[str, Any]:
    """The JSON object of an answer, or what its absence means."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, dict) and isinstance(data.get("ok"), bool):
        return data
    raise _nonsense(method, status)


def _nonsense(method: TelegramMethod[Any], status: int) -> Exception:
    told = f"HTTP {status}"
    if status < 300:
        return UnreadableAnswer(None)
    if status >= 500:
        return GatewayFailed(method=method, message=told)
    if status == 413:
        return TelegramEntityTooLarge(method=method, message=told)
    if status == 404:
        return TelegramNotFound(method=method, message=told)
    if status == 429:
        return TelegramRetryAfter(method=method, message=told, retry_after=FLOOD_SECONDS)
    return TelegramAPIError(method=method, message=told)


def _message_id(data: dict[str, Any]) -> int | None:
    result = data.get("result")
    number = result.get("message_id") if isinstance(result, dict) else None
    return number if isinstance(number, int) else None
