"""Which token requests go out with: the long-lived one if it is set, else pairs of OAuth."""

from functools import partial

from domain.ports import TokenPair
from integrations.amocrm.access import Access, LongLived, Pairs
from integrations.amocrm.oauth import exchange
from integrations.amocrm.settings import Settings
from integrations.kit.vendor import Workshop


def build_access(settings: Settings, workshop: Workshop) -> Access | None:
    """None where neither is set up."""
    if settings.access_token:
        return LongLived(settings.access_token)
    if not settings.has_oauth or workshop.tokens is None:
        return None
    return Pairs(workshop.tokens, partial(_renew, settings, workshop), workshop.clock)


async def _renew(settings: Settings, workshop: Workshop, refresh_token: str) -> TokenPair:
    return await exchange(settings, workshop.clock, settings.base_url, refresh_token=refresh_token)
