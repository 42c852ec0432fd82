"""Who may read the API: whoever shows a key that opens what is asked for. Everybody else is told how to get one."""

import logging
from datetime import timedelta

from aiohttp import web

from bot.http.ingress import HOOKS
from bot.http.limits import Networks, RateLimit, client_ip
from bot.http.refusal import Refusal
from domain.access import ApiKey, KeyState, Scope, ShownKey
from domain.ports import Clock
from storage.api_keys import USE_NOTED_EVERY, ApiKeys

log = logging.getLogger(__name__)

GUESSES_PER_MINUTE = 30
_WHERE = "в личном чате с ботом: /settings → «Ключи API»"
_HOW = "Заголовок запроса: Authorization: Bearer КЛЮЧ. Ключ создаёт владелец или администратор " + _WHERE + "."
_OPENS = {
    Scope.DIRECTORY: "дома, сотрудники и подразделения",
    Scope.STATISTICS: "статистика",
    Scope.METRICS: "показатели работы",
}
_ENDED = {
    KeyState.REVOKED: ("revoked_key", "Ключ отозван."),
    KeyState.REPLACED: ("replaced_key", "Ключ заменён новым и больше не действует."),
}


class Access:
    """Looks each request's key up, so that one revoked on any node opens nothing on all of them.

    Wrong ones are limited by address; who has a key is never turned away for what a neighbour guesses.
    """

    def __init__(self, keys: ApiKeys, clock: Clock, trusted: Networks) -> None:
        self._keys = keys
        self._clock = clock
        self._trusted = trusted
        self._guesses = RateLimit(clock, per_minute=GUESSES_PER_MINUTE, burst=GUESSES_PER_MINUTE)
        self._noted: dict[tuple[int, bool], float] = {}

    async def admit(self, request: web.Request, scope: Scope) -> ApiKey:
        """The key, or Refusal."""
        shown = await self._shown(request)
        if scope not in shown.key.scopes:
            raise _closed(scope)
        await self._note(shown)
        return shown.key

    async def _shown(self, request: web.Request) -> ShownKey:
        secret = _bearer(request)
        if not secret:
            raise _unauthorized("no_key", "Нужен ключ API.", _HOW)
        shown = await self._keys.look_up(secret, now=self._clock.now())
        if shown is not None and shown.state is KeyState.LIVE:
            return shown
        if not self._guesses.allow(client_ip(request, self._trusted)):
            raise _too_many()
        request.app[HOOKS].rejected["WrongKey"] += 1
        if shown is None:
            raise _unauthorized("unknown_key", "Такого ключа нет: он скопирован не целиком, не наш или давно заменён.", _HOW)
        code, error = _ENDED[shown.state]
        raise _unauthorized(code, error, f"Новый создаёт владелец или администратор {_WHERE}.")

    async def _note(self, shown: ShownKey) -> None:
        """At most once a minute a key; that it cannot be written is no reason to answer nothing."""
        name, now = (shown.key.id, shown.old), self._clock.monotonic()
        last = shown.key.old_used_at if shown.old else shown.key.last_used_at
        fresh = last is not None and self._clock.now() - last < USE_NOTED_EVERY
        if fresh or now - self._noted.get(name, float("-inf")) < USE_NOTED_EVERY / timedelta(seconds=1):
            return
        self._noted[name] = now
        try:
            await self._keys.note_use(shown, now=self._clock.now())
        except Exception as error:
            log.warning("the use of an API key could not be noted: %s", type(error).__name__)


def _bearer(request: web.Request) -> str:
    scheme, _, secret = request.headers.get("Authorization", "").strip().partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _unauthorized(code: str, error: str, hint: str) -> Refusal:
    return Refusal(401, code, error, hint=hint, headers={"WWW-Authenticate": 'Bearer realm="svodka"'})


def _closed(scope: Scope) -> Refusal:
    challenge = f'Bearer realm="svodka", error="insufficient_scope", scope="{scope}"'
    error = f"Этому ключу не открыто: {_OPENS[scope]} ({scope})."
    hint = f"Создайте ключ с этим правом {_WHERE}."
    return Refusal(403, "wrong_scope", error, hint=hint, scope=scope.value, headers={"WWW-Authenticate": challenge})


def _too_many() -> Refusal:
    error = "Слишком много неверных ключей с этого адреса."
    return Refusal(429, "too_many", error, hint="Повторите через минуту.", headers={"Retry-After": "60"})
