"""What a CRM's deliveries tell: which events ever came, and whether it is silent for longer than it usually is."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from bot.entrance import ACCOUNT
from domain.duration import show_roughly
from integrations.kit.vendor import Finding
from storage.engine import Database
from storage.models import connections, inbox, leads
from storage.queries.rhythm import RECENT, usual_gap

EXPECTED = ("leads.add", "leads.update", "leads.delete", "contacts.add", "contacts.update")
SILENT_TIMES = 20  # longer than it usually is between two events
SILENT_AT_LEAST = timedelta(hours=6)  # nights and weekends are no fault


async def crm_findings(database: Database, vendor: str, title: str) -> AsyncIterator[Finding]:
    """Nothing where no event of a lead or a contact ever came: that it was never heard is told already."""
    mine = select(connections.c.id).where(connections.c.account_id == ACCOUNT, connections.c.vendor == vendor)
    ours = inbox.c.connection_id.in_(mine)
    async with database.read() as connection:
        counted = await connection.execute(select(inbox.c.kind, func.count()).where(ours).group_by(inbox.c.kind))
        kinds = {part for kind, _ in counted for part in kind.split("+")}
        newest = select(inbox.c.received_at).where(ours).order_by(inbox.c.received_at.desc()).limit(RECENT)
        times = list(await connection.scalars(newest))
        own = (leads.c.account_id == ACCOUNT) & (leads.c.source == vendor)
        kept = int(await connection.scalar(select(func.count()).select_from(leads).where(own)) or 0)
    if not kinds & set(EXPECTED):
        return
    yield _events(vendor, title, kinds)
    yield _rhythm(vendor, title, times, datetime.now(UTC))
    if any(kind.startswith("leads.") for kind in kinds):
        yield _kept(vendor, title, kept)


def _events(vendor: str, title: str, kinds: set[str]) -> Finding:
    missing = [kind for kind in EXPECTED if kind not in kinds]
    about, code = f"{title}: какие события приходили", f"{vendor}.events"
    seen = ", ".join(kind for kind in EXPECTED if kind in kinds)
    if not missing:
        return Finding(code=code, title=about, ok=True, detail=seen)
    hint = f"Если такое уже случалось, отметьте его в вебхуке {title}: «Настройки» → «Интеграции» → «WebHooks»."
    return Finding(
        code=f"{code}.some", title=about, ok=False, warning=True, detail=f"не было: {', '.join(missing)}", hint=hint
    )


def _kept(vendor: str, title: str, count: int) -> Finding:
    """Events of leads that left no lead behind were given up on the way."""
    about, code = f"{title}: лиды в базе", f"{vendor}.leads"
    if count:
        return Finding(code=code, title=about, ok=True, detail=str(count))
    hint = "События о сделках приходили, а лидов нет: откройте /errors, там причина и кнопка «Повторить»."
    return Finding(code=f"{code}.none", title=about, ok=False, warning=True, detail="ни одного", hint=hint)


def _rhythm(vendor: str, title: str, times: Sequence[datetime], now: datetime) -> Finding:
    """``times``: newest first. How long it has been silent beside how long it usually is."""
    silent, usual = now - times[0], usual_gap(times)
    about, code = f"{title}: тишина", f"{vendor}.rhythm"
    often = f" (обычно каждые {show_roughly(usual)})" if usual is not None else ""
    detail = f"последнее событие {show_roughly(silent)} назад{often}"
    if usual is None or silent < max(usual * SILENT_TIMES, SILENT_AT_LEAST):
        return Finding(code=code, title=about, ok=True, detail=detail)
    hint = "Проверьте, что вебхук включён и адрес открывается снаружи: amoCRM выключает его после сотни неудачных ответов."
    return Finding(code=f"{code}.silent", title=about, ok=False, warning=True, detail=detail, hint=hint)
