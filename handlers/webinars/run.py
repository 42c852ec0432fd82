"""One run of the webinar pipeline: what is worked on, with what, under which names."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.events import WebinarEnded
from domain.ports import Steps
from domain.webinars import WebinarReport
from domain.work import WorkItem
from handlers.webinars.services import WebinarServices


@dataclass(frozen=True, slots=True, kw_only=True)
class WebinarRun:
    item: WorkItem[WebinarEnded]
    steps: Steps
    services: WebinarServices
    report: WebinarReport | None = None  # once the platform has one
    row_id: int = 0  # of the table of webinars, once registered
    quiet: bool = False  # a card is edited where there is one, none is made

    @property
    def webinar_id(self) -> str:
        return self.item.event.external_id

    @property
    def post_key(self) -> str:
        return card_key(self.item.event.vendor, self.webinar_id)

    @property
    def title(self) -> str:
        return (self.report.title if self.report else "") or self.item.event.title


def ended_at(report: WebinarReport) -> datetime | None:
    """By its start and length, else when its report was made."""
    return report.started_at + timedelta(minutes=report.minutes) if report.started_at else report.created_at


def card_key(vendor: str, webinar_id: str) -> str:
    """The key of a webinar's card in the chats."""
    return f"webinar:{vendor}:{webinar_id}"
