"""How a check bears a portal that is asked too often: it asks again after a pause; what has no answer is called unknown."""

import asyncio
from collections.abc import Mapping

from domain.errors import VendorBusy, VendorUnavailable
from domain.ports import Clock
from integrations.bitrix24.client import Client, Reply
from integrations.bitrix24.faults import RATE_PAUSE_S, UNREACHABLE
from integrations.bitrix24.settings import Settings
from integrations.kit.pacing import Sleep
from integrations.kit.vendor import Finding

PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0)  # the portal frees two requests a second
PATIENCE_S = 45.0  # in a whole check: somebody waits for it
_BUSY = "сейчас не проверить: портал просит подождать, запросов к нему слишком много"
_LATER = (
    "Повторите проверку через минуту. Если ответ тот же, портал занимают другие приложения: администратор видит их "
    "в «Разработчикам → Интеграции»."
)


class PatientClient(Client):
    """A client that asks again while the portal's limit of requests is used up. Work is put off instead: it has time."""

    def __init__(self, settings: Settings, clock: Clock, *, sleep: Sleep = asyncio.sleep) -> None:
        super().__init__(settings, clock, sleep=sleep)
        self._rest = sleep
        self._patience = PATIENCE_S

    async def call(self, method: str, params: Mapping[str, object] | None = None, *, idempotent: bool = True) -> Reply:
        for pause in PAUSES_S:
            try:
                return await super().call(method, params, idempotent=idempotent)
            except VendorBusy as error:
                if self._patience < pause or (error.retry_after or 0.0) > 2 * RATE_PAUSE_S:
                    raise  # a method that is shut for minutes is not waited for
            self._patience -= pause
            await self._rest(pause)
        return await super().call(method, params, idempotent=idempotent)


def unanswered(code: str, title: str, failure: VendorUnavailable, *, hint: str = UNREACHABLE) -> Finding:
    """What could not be asked. Whoever says «later» does answer: then nothing is to be opened or given rights."""
    if isinstance(failure, VendorBusy):
        return Finding(code=code, title=title, ok=False, detail=_BUSY, hint=_LATER)
    return Finding(code=code, title=title, ok=False, detail=failure.message, hint=hint)
