"""One digest that is due becomes a message in its schedule's chat, and a picture beside it, by remembered steps."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from domain.events import DigestDue
from domain.messages import Message, Section, plain
from domain.ports import Steps, Tx
from domain.schedules import LATE_AFTER, Obstacle, Schedule
from domain.work import WorkItem
from handlers.digests.buttons import Opened, with_switch
from handlers.digests.pictures import draw_digest, picture_file
from handlers.digests.services import DigestServices, Told
from handlers.drawing import NotDrawnError
from handlers.wording import Reader

log = logging.getLogger(__name__)

KIND = "digest"
NOTICE_PRIORITY = 5  # storage.posts.NOTICE
ROUTINE_PRIORITY = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The schedule as it was when the digest was begun, None where it has been deleted; whether it comes late."""

    schedule: Schedule | None
    late_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    item: WorkItem[DigestDue]
    steps: Steps
    services: DigestServices
    schedule: Schedule
    opened: Opened
    told: Told

    @property
    def reader(self) -> Reader:
        services = self.services
        return Reader(
            texts=services.texts, now=services.clock.now(), zone=services.timezone,
            private=self.schedule.destination.chat_id > 0, vendors=services.vendors,
        )  # fmt: skip

    def message(self, picture: str = "") -> Message:
        """``picture``: path of a file, relative to DATA_DIR."""
        reader, opened = self.reader, self.opened
        key = f"digest:{self.item.event.external_id}"
        card = self.told.card(reader, full=False, late_since=opened.late_since, key=key)
        card = with_switch(card, reader, opened, full=False)
        files = (picture_file(reader, picture, opened.now.astimezone(reader.zone).date()),) if picture else ()
        return replace(card, kind=KIND, files=files)


async def send_digest(item: WorkItem[DigestDue], steps: Steps, services: DigestServices) -> None:
    """Told to one chat, once, however often this is begun. Silent where the schedule is gone or its chat is closed to us."""
    found = await steps.run("schedule", lambda: _find(item, services), Found)
    schedule = found.schedule
    if schedule is None:
        return
    if _is_too_old(item, services):
        await steps.write("missed", lambda tx: _miss(services, tx, schedule), bool)
        return
    opened = Opened(
        kind=schedule.kind, parts=schedule.parts, now=_of_when(item), webinar_id=item.event.webinar_id,
        late_since=found.late_since,
    )  # fmt: skip
    told = await _gather(opened, schedule, services)
    run = _Run(item=item, steps=steps, services=services, schedule=schedule, opened=opened, told=told)
    if not await steps.write("post", lambda tx: _post(run, tx), bool):
        await _shut(run)
        return
    services.posted()
    if schedule.picture:
        await _show_picture(run)


async def _find(item: WorkItem[DigestDue], services: DigestServices) -> Found:
    schedule = await services.schedules.find(item.account_id, item.event.schedule_id)
    return Found(schedule=schedule, late_since=_late_since(item.event, services.clock.now()))


def _is_too_old(item: WorkItem[DigestDue], services: DigestServices) -> bool:
    return services.clock.now() - _of_when(item) > services.catchup_max_age


async def _miss(services: DigestServices, tx: Tx, schedule: Schedule) -> bool:
    await services.schedules.miss(tx, schedule)
    return True


async def _gather(opened: Opened, schedule: Schedule, services: DigestServices) -> Told:
    """No step: the figures are read again where a run breaks off, and once the message is there they matter no more."""
    return await services.gather(
        schedule.account_id, kind=opened.kind, parts=opened.parts, now=opened.now, webinar_id=opened.webinar_id
    )


async def _post(run: _Run, tx: Tx, picture: str = "") -> bool:
    """False where it may not be sent: the person was shut out, or the chat is not bound any more."""
    services, schedule = run.services, run.schedule
    gate = await services.schedules.gate(tx, schedule.account_id, schedule.destination)
    if not gate.open:
        return False
    message = replace(run.message(picture), silent=gate.silent)
    await services.chat.post_to(tx, schedule.account_id, schedule.destination, message, priority=ROUTINE_PRIORITY)
    return True


async def _shut(run: _Run) -> None:
    """Those who run the bot hear of it once, in private: the chat itself can not be told."""
    services, schedule = run.services, run.schedule
    why = Obstacle.STRANGER if schedule.destination.chat_id > 0 else Obstacle.UNBOUND
    text = services.texts.get("digest.shut_notice", why=services.texts.get(f"digest.obstacle.{why}"))
    admins = await services.admins(schedule.account_id)
    notice = Message(
        key=f"digest:shut:{run.item.event.external_id}",
        sections=(Section(lines=(plain(text),)),),
        kind="notice",
    )

    async def write(tx: Tx) -> bool:
        if not await services.schedules.shut(tx, schedule, why):
            return False
        for admin in admins:
            await services.chat.post_to(tx, schedule.account_id, admin, notice, priority=NOTICE_PRIORITY)
        return True

    if await run.steps.write("shut", write, bool):
        services.posted()


async def _show_picture(run: _Run) -> None:
    """The text is there already: a picture that cannot be drawn takes nothing away."""
    path = await run.steps.run("draw", lambda: _draw(run), str)
    if path:
        await run.steps.write("picture", lambda tx: _post(run, tx, path), bool)
        run.services.posted()


async def _draw(run: _Run) -> str:
    """ "" where there is nothing to draw, or it failed."""
    services = run.services
    try:
        return await draw_digest(run.told, run.reader, services.data_dir, run.item.heard_at.date(), services.run_cpu)
    except NotDrawnError as error:
        log.warning("digest %s has no picture: %s", run.item.event.external_id, error)
        return ""


def _of_when(item: WorkItem[DigestDue]) -> datetime:
    return item.event.occurred_at or item.heard_at


def _late_since(event: DigestDue, now: datetime) -> datetime | None:
    """Said of a slot that was missed, and of nothing that people or a webinar began."""
    if event.asked or event.webinar_id or event.occurred_at is None:
        return None
    return (event.late_since or event.occurred_at) if now - event.occurred_at > LATE_AFTER else None
