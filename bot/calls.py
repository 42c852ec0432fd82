"""Calls: their ports and policy from the settings and the vendors, and what is run for one."""

from datetime import datetime
from typing import Any

from bot.board import build_promises
from bot.crm import Run
from bot.disk import Disk
from bot.entrance import ACCOUNT
from bot.ground import Ground, Watch
from bot.health import observed
from bot.models import spare_transcriber_of, summariser_of, transcriber_of
from bot.notes import build_note_desk
from bot.proof import Proven
from bot.stage import on_stage
from domain.ports import Steps, Timeline
from domain.work import WorkItem
from handlers.calls.pipeline import summarise_call
from handlers.calls.services import CallPolicy, CallServices
from integrations.extractive import build_summariser
from integrations.kit.audio import build_gate
from storage.calls import CallStore
from storage.queries.settings import min_duration_s


def build_call_services(
    ground: Ground, watch: Watch, *, quiet_before: datetime | None, proven: Proven
) -> CallServices | None:
    """The ports of calls, each under the eyes of the health board; None when no telephony is connected."""
    settings, database, connected, board = ground.settings, ground.database, ground.connected, watch.board
    telephony = next((c for c in connected.values() if c.ports.recordings is not None), None)
    if telephony is None or telephony.ports.recordings is None:
        return None
    name, title = telephony.vendor.name, telephony.vendor.title
    board.add(name, title)

    async def min_duration() -> int:
        default = settings.call_min_duration_s
        return await min_duration_s(database, ACCOUNT, default, fixed=settings.min_duration_fixed)

    timeline: Timeline | None = telephony.ports.timeline
    return CallServices(
        recordings=observed(telephony.ports.recordings, name, name, board),
        timeline=observed(timeline, name, name, board) if timeline else None,
        gate=build_gate(ground.workshop),
        transcriber=transcriber_of(connected, board),
        spare=spare_transcriber_of(connected),
        summariser=summariser_of(connected, board),
        draft=build_summariser(),
        calls=CallStore(database),
        chat=ground.chat,
        purse=watch.purse,
        clock=ground.clock,
        texts=ground.texts,
        timezone=settings.timezone,
        data_dir=settings.data_dir,
        policy=CallPolicy(
            min_duration_s=min_duration,
            catchup_max_age=settings.catchup_max_age,
            quiet_before=quiet_before,
            first_message_after=settings.first_message_after,
            recording_max_bytes=settings.recording_max_bytes,
            company=settings.company_name,
        ),
        has_room=Disk(settings.data_dir, watch.alerts.disk_full).has_room,
        proven=proven,
        posted=watch.alerts.posted,
        notes=build_note_desk(database, connected, ground.signals.come),
        promises=build_promises(ground),
    )


def call_runs(calls: CallServices | None) -> dict[str, Run]:
    async def call(item: WorkItem[Any], steps: Steps) -> None:
        if calls is None:
            raise RuntimeError("no telephony is configured")
        await summarise_call(item, steps, on_stage(calls) if item.event.rehearsal else calls)

    return {"call": call}
