"""The card in the chat and the comment in the CRM, as the stage of the work allows."""

import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from domain.calls import CallFacts, Parties, Summary, Transcript
from domain.errors import VendorRefused
from domain.ports import Attempt, Tx
from handlers.calls.messages import CardView, Stage, call_card, call_comment, transcript_file
from handlers.calls.run import CallRun

log = logging.getLogger(__name__)

__all__ = ["Stage", "ask_for_note", "publish", "publish_comment"]


async def publish(
    run: CallRun,
    stage: Stage,
    facts: CallFacts,
    parties: Parties,
    *,
    state: str | None = None,
    hold: bool = False,
    recording: bool = False,
    transcript: Transcript | None = None,
    summary: Summary | None = None,
    until: datetime | None = None,
) -> None:
    """Want the card of this stage in the chats, once. ``state`` is the call's from now on.

    ``hold`` keeps a card that is not finished back for a while: an edit notifies nobody, so the first message should be
    the one worth reading.
    """
    services = run.services
    view = CardView(
        row_id=run.row_id,
        stage=stage,
        facts=facts,
        parties=parties,
        timezone=services.timezone,
        shown_at=services.clock.now(),
        heard_at=run.item.heard_at,
        has_recording=recording,
        transcript=transcript,
        summary=summary,
        until=until,
        paid_twice=run.steps.possible_repeats > 0,
        rehearsal=run.item.event.rehearsal,
        set_tasks=await _set_tasks(run) if summary is not None else None,
    )
    message = call_card(
        view,
        services.texts,
        key=run.post_key,
        not_before=run.item.heard_at + services.policy.first_message_after if hold else None,
        file=_write_transcript(run, view),
    )

    async def write(tx: Tx) -> int:
        if state is not None:
            await services.calls.set_state(tx, run.key, state, carded_at=services.clock.now())
        return await services.chat.post(tx, run.item.account_id, message)

    await run.steps.write(f"post:{stage}", write, int)
    services.posted()


async def _set_tasks(run: CallRun) -> Mapping[str, str] | None:
    """None where no CRM takes tasks; a card that is made anew keeps what was set of the one before."""
    promises = run.services.promises
    return await promises.set_of(run.item.account_id, run.row_id) if promises is not None else None


def _write_transcript(run: CallRun, view: CardView) -> str | None:
    """A transcript too long for the card goes beside it as a text file; its path relative to DATA_DIR."""
    text = transcript_file(view, run.services.texts)
    if text is None:
        return None
    relative = Path("transcripts") / run.recording_path().parent.name / f"{run.recording_path().name}.txt"
    path = run.services.data_dir / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return relative.as_posix()


async def publish_comment(run: CallRun, facts: CallFacts, summary: Summary) -> None:
    """One comment on the CRM card: found by its marker before it is added again, changed when it is there already."""
    timeline = run.services.timeline
    if timeline is None:
        return
    target = await run.steps.run("comment_target", lambda: _target(run, facts), str)
    if not target:
        log.info("call %s has no CRM card to comment on", run.call_id)
        return
    place = _split(target)
    text = call_comment(facts, summary, run.services.texts, timezone=run.services.timezone, marker=run.marker)

    async def add(_: Attempt) -> str:
        known = run.known
        if known and known.comment_id and known.comment_target == target:
            await timeline.update_comment(known.comment_id, place, text)
            return known.comment_id
        return await timeline.add_comment(place, text)

    async def keep(tx: Tx, comment_id: str) -> str:
        await run.services.calls.set_comment(tx, run.key, target, comment_id)
        return comment_id

    await run.steps.outward("comment", add, keep, str, lookup=lambda: timeline.find_comment(place, run.marker))


async def ask_for_note(run: CallRun) -> None:
    """Work of its own, in one commit with this step: a CRM that is away keeps neither the card nor the comment back."""
    services, notes = run.services, run.services.notes
    if notes is None:
        return

    async def ask(tx: Tx) -> int:
        return await notes.book.ask(tx, run.item.account_id, [notes.of_call(run.row_id)], now=services.clock.now())

    if await run.steps.write("note", ask, int):
        notes.come()


async def _target(run: CallRun, facts: CallFacts) -> str:
    """ "deal:42", or empty when the call belongs to no card."""
    timeline = run.services.timeline
    if timeline is None:
        return ""
    try:
        target = await timeline.target(facts)
    except VendorRefused as error:
        if error.code != "not_found":
            raise
        return ""
    return f"{target[0]}:{target[1]}" if target else ""


def _split(target: str) -> tuple[str, str]:
    kind, _, number = target.partition(":")
    return kind, number
