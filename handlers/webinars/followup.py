"""The day after a webinar: what became of calling its people, planned with its report and told once in the chats."""

from datetime import UTC, datetime

from domain.events import FollowUpDue
from domain.followup import Followup, summary_due
from domain.messages import Message
from domain.ports import Steps, Tx
from domain.work import WorkItem
from handlers.webinars.run import WebinarRun, card_key, ended_at
from handlers.webinars.services import WebinarServices
from handlers.webinars.summary import SummaryView, summary_card


async def plan_followup(run: WebinarRun, tx: Tx) -> bool:
    """Once for a webinar, however often its report is made; False when it is planned already."""
    report, now, event = run.report, run.services.clock.now(), run.item.event
    ended = ended_at(report) if report is not None else None
    due = FollowUpDue(
        vendor=event.vendor,
        external_id=run.webinar_id,
        occurred_at=ended or now,
        row_id=run.row_id,
        title=run.title,
        started_at=report.started_at if report is not None else None,
    )
    at = summary_due(ended or now, now, run.services.timezone).astimezone(UTC)
    return await run.services.plan(tx, run.item.account_id, due, at)


async def follow_up(item: WorkItem[FollowUpDue], steps: Steps, services: WebinarServices) -> None:
    """Silent where there was nobody to call, and where the day has long gone by: then it is on the webinar's page only."""
    if _is_too_late(item, services):
        return
    event = item.event
    found = await steps.run("count", lambda: services.webinars.followup(item.account_id, event.row_id), Followup)
    if not found.total:
        return
    message = _card(event, found, services)

    async def post(tx: Tx) -> int:
        return await services.chat.post(tx, item.account_id, message)

    await steps.write("post", post, int)
    services.posted()


def _is_too_late(item: WorkItem[FollowUpDue], services: WebinarServices) -> bool:
    planned: datetime = item.heard_at
    due = summary_due(item.event.occurred_at or planned, planned, services.timezone)
    return services.clock.now() - due > services.policy.catchup_max_age


def _card(event: FollowUpDue, found: Followup, services: WebinarServices) -> Message:
    view = SummaryView(
        found=found, title=event.title, started_at=event.started_at, row_id=event.row_id, timezone=services.timezone
    )
    key = f"followup:{event.vendor}:{event.external_id}"
    return summary_card(view, services.texts, key=key, reply_to=card_key(event.vendor, event.external_id))
