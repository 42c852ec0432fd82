"""The one way this folder speaks to a model server: the openai SDK without its retries, bounded in time, our errors."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from integrations.kit.addresses import is_loopback
from integrations.openai.faults import bad_answer, translate
from integrations.openai.settings import Route

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_CONNECT_S = 10.0
_PATIENCE = 3.0
"""A whole call may take this many times the time-out, which bounds each wait for the network: a trickle must end too."""

Ask = Callable[["AsyncOpenAI"], Awaitable[Any]]


class Wire:
    """One role's connection. The SDK (0.6 s to import) is loaded at the first call, in a thread."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self._client: AsyncOpenAI | None = None
        self._loading = asyncio.Lock()

    async def ask(self, action: str, ask: Ask) -> str:
        """The body of a 2xx answer as text. VendorUnavailable, VendorRefused (BadRequest for 400 and 422)."""
        client = await self._ready()
        import openai

        try:
            async with asyncio.timeout(self.route.timeout_s * _PATIENCE):
                answer = await ask(client)
                return str(answer.text)
        except (openai.OpenAIError, TimeoutError) as error:
            failure = translate(error, self.route, action)
        raise failure  # outside of the handler: the SDK's error holds the request and its headers

    async def ask_object(self, action: str, ask: Ask) -> dict[str, Any]:
        """The same where only a JSON object makes sense; VendorRefused "bad_answer" for anything else."""
        try:
            found = json.loads(await self.ask(action, ask))
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise bad_answer(self.route, action)
        return found

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def _ready(self) -> "AsyncOpenAI":
        async with self._loading:
            if self._client is None:
                self._client = await asyncio.to_thread(_build, self.route)
            return self._client


def _build(route: Route) -> "AsyncOpenAI":
    _load_sdk()
    from openai import AsyncOpenAI, DefaultAsyncHttpx2Client, Timeout

    from integrations.openai.transport import Transport

    connect_s = min(_CONNECT_S, route.timeout_s)
    transport = Transport(
        connect_s=connect_s,
        read_s=route.timeout_s,
        proxy=route.proxy,
        trusted=not is_loopback(route.host),  # a proxy of the environment must not catch a server of this machine
        ca_bundle=route.ca_bundle,
    )
    http = DefaultAsyncHttpx2Client(
        transport=transport,
        timeout=Timeout(route.timeout_s, connect=connect_s),
        trust_env=False,  # the transport knows better
        follow_redirects=False,
    )
    return AsyncOpenAI(
        api_key=route.api_key,
        base_url=route.base_url,
        max_retries=0,  # the runner is the only one who repeats: a repeat may be paid twice
        default_headers=dict(route.headers),
        http_client=http,
    )


def _load_sdk() -> None:
    """Import the SDK and what it loads at its first use: half a second that no event loop should spend."""
    from openai.resources.audio import AsyncTranscriptions
    from openai.resources.chat.completions import AsyncCompletions

    del AsyncTranscriptions, AsyncCompletions
