"""OAuth of amoCRM: where a person allows us in, and codes and refresh tokens for pairs.

The secret of the integration is sent to the host that a callback names, so that host is looked at first.
"""

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from domain.errors import VendorError, VendorUnavailable
from domain.ports import Clock, TokenPair
from integrations.amocrm.access import ACTION
from integrations.amocrm.faults import SAID, VENDOR_NAME, Fault, error_of
from integrations.amocrm.settings import OF_AMOCRM, Settings
from integrations.kit.http import Answer, HttpClient
from integrations.kit.values import mapping_of, number_of, text_of

DAY_S = 86_400.0
FOREIGN_HOST = "referer"


def authorize_url(settings: Settings, state: str) -> str:
    """Where an administrator of the account allows the integration in."""
    site = "kommo.com" if settings.domain.endswith(".kommo.com") else "amocrm.ru"
    home = f"https://www.{site}" if OF_AMOCRM.fullmatch(urlsplit(settings.base_url).hostname or "") else settings.base_url
    return f"{home}/oauth?" + urlencode({"client_id": settings.client_id, "state": state, "mode": "popup"})


def home_of(settings: Settings, referer: str) -> str:
    """The address of the account that a callback names, "" for a host that must not see our secret.

    Only amoCRM's own hosts, and of them only this account's; and the host of AMOCRM_BASE_URL, which stands in for them.
    """
    host = referer.strip().lower()
    ours = urlsplit(settings.base_url)
    if host in {ours.netloc, ours.hostname}:
        return settings.base_url
    if not OF_AMOCRM.fullmatch(host) or settings.subdomain not in {"", host.partition(".")[0]}:
        return ""
    return f"https://{host}" if OF_AMOCRM.fullmatch(ours.hostname or "") else settings.base_url


async def exchange(settings: Settings, clock: Clock, home: str, **grant: str) -> TokenPair:
    """A pair for ``code`` or ``refresh_token``. Not repeated: either works once. VendorUnavailable, VendorRefused."""
    secrets = (settings.client_secret, *grant.values())
    http = HttpClient(VENDOR_NAME, secrets=secrets, trust_env=not settings.on_loopback)
    kind = "authorization_code" if "code" in grant else "refresh_token"
    body = {
        "client_id": settings.client_id, "client_secret": settings.client_secret, "grant_type": kind,
        "redirect_uri": settings.redirect_uri, **grant,
    }  # fmt: skip
    try:
        answer = await http.request(ACTION, "POST", f"{home}/{ACTION}", json=body, writes=True)
        return _pair(answer, clock, http)
    finally:
        await http.close()


def _pair(answer: Answer, clock: Clock, http: HttpClient) -> TokenPair:
    told = _object(answer)
    if answer.status >= 300:
        raise _failure(answer, http.masked(text_of(told.get("hint")) or text_of(told.get("detail"))))
    access, refresh = (told.get(name) for name in ("access_token", "refresh_token"))
    if not isinstance(access, str) or not isinstance(refresh, str) or not access or not refresh:
        raise VendorUnavailable(VENDOR_NAME, ACTION, "no tokens in the answer", uncertain=True)
    life = number_of(told.get("expires_in")) or DAY_S
    return TokenPair(access=access, refresh=refresh, expires_at=clock.now() + timedelta(seconds=min(life, 366 * DAY_S)))


def _failure(answer: Answer, said: str) -> VendorError:
    fault = Fault(action=ACTION, status=answer.status, said=said[:SAID], retry_after=answer.retry_after, writes=True)
    return error_of(fault)


def _object(answer: Answer) -> Mapping[str, object]:
    try:
        return mapping_of(answer.json())
    except ValueError:
        return {}
