"""GET /api/auth/amo/callback: an administrator has allowed us in, and the code is exchanged for tokens."""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.consent import is_ours, use
from bot.entrance import Configured, Entrance
from bot.http.readable import readable
from domain.errors import MalformedBody, UnknownHook, VendorRefused, VendorUnavailable
from storage.tokens import StoredTokens

log = logging.getLogger(__name__)

PATH = "/api/auth/amo/callback"
_VENDOR = "amocrm"
_DONE = "amoCRM подключена. Это окно можно закрыть; проверить: svodka check amocrm."
_AGAIN = "Ссылка входа уже использована, старше часа или не наша. Возьмите новую: svodka urls."
_FOREIGN = "Этот адрес не принадлежит вашему аккаунту amoCRM. Сверьте AMOCRM_DOMAIN и войдите в нужный аккаунт."
_REFUSED = "Доступ не разрешён: откройте ссылку ещё раз и нажмите «Разрешить»."
_PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}

Handler = Callable[[web.Request], Awaitable[web.Response]]


def amocrm_callback(entrance: Entrance) -> Handler:
    """The handler. Nothing is asked of anybody before the state is known to be ours, and the secret goes to no stranger."""

    async def callback(request: web.Request) -> web.Response:
        part = entrance.configured.get(_VENDOR)
        if part is None or not part.settings.has_oauth:
            raise UnknownHook("not found")
        return await _connect(request, entrance, part)

    return callback


async def _connect(request: web.Request, entrance: Entrance, part: Configured) -> web.Response:
    from integrations.amocrm.oauth import exchange, home_of  # not before somebody connects: hooks are accepted sooner

    query, now = request.query, entrance.clock.now()
    state, code = query.get("state", ""), query.get("code", "")
    if not is_ours(state, entrance.keys, _VENDOR, now):
        raise MalformedBody(_AGAIN, field="state")
    if query.get("error") or not code:
        raise MalformedBody(_REFUSED, field="code")
    home = home_of(part.settings, query.get("referer", ""))
    if not home:
        raise MalformedBody(_FOREIGN, field="referer")
    if not await use(entrance.database, state, now):
        raise MalformedBody(_AGAIN, field="state")
    try:
        pair = await exchange(part.settings, entrance.clock, home, code=code)
    except VendorRefused as error:
        log.warning("amoCRM refused the code: %s", error.code)
        return readable({"error": error.hint, "field": "code"}, status=400, headers=_PRIVATE)
    except VendorUnavailable as error:
        log.warning("amoCRM could not be asked: %s", error.message)
        again = "amoCRM не ответила. Откройте новую ссылку входа из svodka urls через минуту."
        return readable({"error": again}, status=502, headers=_PRIVATE)
    tokens = StoredTokens(entrance.database, entrance.vault, part.connection_id)
    await tokens.save(pair, now=entrance.clock.now(), after=None)
    log.info("amoCRM is connected by OAuth")
    return web.Response(text=_DONE, headers=_PRIVATE)
