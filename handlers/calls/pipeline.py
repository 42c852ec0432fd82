"""A finished call becomes a card in the chat and a comment in the CRM, step by remembered step."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from domain.calls import CallFacts, Parties, Recording, VoiceCheck, VoiceVerdict
from domain.errors import NotReady, VendorRefused, VendorUnavailable
from domain.events import CallEnded, CallOutcome
from domain.people import phone_key
from domain.ports import Steps, Tx
from domain.work import WorkItem
from handlers.calls.hearing import hear
from handlers.calls.publish import Stage, ask_for_note, publish, publish_comment
from handlers.calls.run import CallRun
from handlers.calls.services import CallServices
from handlers.calls.summary import understand

log = logging.getLogger(__name__)

# After the event the recording is looked for at 15 s, 45 s, 2, 5, 10, 20 and 40 min (vendors' page of Bitrix24, section 2).
RECORDING_LOOKS_SECONDS = (15, 45, 120, 300, 600, 1200, 2400)
WANTED = {"replay", "rehearsal"}  # a person asked for it, however old it is
NO_ROOM_SECONDS = 600.0
# Refusals that concern this one recording, not the connection: the call goes on without it.
LOST_RECORDING = {"not_audio", "too_large", "gone", "foreign_host"}
PASSING = {"not_audio", "gone"}
UNLISTED = "Портал не показывает этот звонок. Проверьте право «Статистика звонков — просмотр» по всем сотрудникам."


async def summarise_call(item: WorkItem[CallEnded], steps: Steps, services: CallServices) -> None:
    """The whole trip of one call. Raises NotReady, VendorUnavailable and VendorRefused for the runner to act upon."""
    run = CallRun(item=item, steps=steps, services=services)
    facts = await _look_up(run)
    if facts is None:
        return
    state = await _sort(run, facts)
    row_id = await steps.write("register", lambda tx: _register(run, tx, facts, state), int)
    run = replace(run, row_id=row_id)
    if state == "missed":
        await _missed(run, facts)
    elif state == "heard":
        await _answered(run, facts)
    log.info("✅ Successfully processed call %s: %s", run.call_id, state)


async def _look_up(run: CallRun) -> CallFacts | None:
    """The facts by our own token: the event alone is believed in nothing but the id.

    VendorRefused when the vendor announced a call that it does not show: a person should know. A hint nobody vouches for
    ends without a word.
    """

    async def look() -> CallFacts:
        log.info("🎙️ Processing Bitrix call %s", run.call_id)
        facts = await run.services.recordings.find_call(run.call_id)
        if facts is None:
            raise NotReady("call is not listed yet", retry_after=_next_look(run))
        return facts

    try:
        return await run.steps.run("look_up", look, CallFacts)
    except NotReady:
        if _next_look(run) > 0:
            raise
        log.warning("call %s is in no list of the vendor", run.call_id)
    if await run.services.proven(run.item.delivery_id):
        announced = run.item.heard_at.astimezone(run.services.timezone)
        which = f"call {run.call_id} of {announced:%d.%m %H:%M}"
        raise VendorRefused(run.item.event.vendor, which, "unlisted", hint=UNLISTED)
    return None


async def _sort(run: CallRun, facts: CallFacts) -> str:
    """What this call is worth: heard, missed, short or old. Remembered, so that a changed setting does not split a run."""

    async def decide() -> str:
        policy = run.services.policy
        ended = facts.started_at + timedelta(seconds=facts.duration_s)
        if run.item.source not in WANTED and _is_old(run, ended):
            return "old"
        if facts.outcome is not CallOutcome.ANSWERED:
            return "missed"
        if run.item.event.rehearsal:
            return "heard"  # whatever length the chat has asked for
        return "heard" if facts.duration_s > await policy.min_duration_s() else "short"

    return await run.steps.run("sort", decide, str)


def _is_old(run: CallRun, ended: datetime) -> bool:
    """It ended too long before we heard of it, or before the database was brought back from a copy."""
    policy = run.services.policy
    too_late = run.item.heard_at - ended > policy.catchup_max_age
    # Vendors tell whole seconds: a call that ended in the second of the restore ended after it.
    return too_late or (policy.quiet_before is not None and ended < policy.quiet_before.replace(microsecond=0))


async def _register(run: CallRun, tx: Tx, facts: CallFacts, state: str) -> int:
    return await run.services.calls.register(
        tx,
        run.key,
        facts,
        phone_key=phone_key(facts.client_phone) or "",
        state=state,
        heard_at=run.item.heard_at,
        delivery_id=run.item.delivery_id,
        rehearsal=run.item.event.rehearsal,
    )


async def _parties(run: CallRun, facts: CallFacts) -> Parties:
    """Names for the card; a CRM that is away costs the names, not the card."""
    timeline = run.services.timeline

    async def ask() -> Parties:
        if timeline is None:
            return Parties()
        try:
            return await timeline.parties(facts)
        except (VendorUnavailable, VendorRefused):
            return Parties()

    parties = await run.steps.run("parties", ask, Parties)
    await run.steps.write("save_parties", lambda tx: _save_parties(run, tx, parties), bool)
    return parties


async def _save_parties(run: CallRun, tx: Tx, parties: Parties) -> bool:
    await run.services.calls.set_parties(tx, run.key, parties)
    return True


async def _missed(run: CallRun, facts: CallFacts) -> None:
    parties = await _parties(run, facts)
    await publish(run, Stage.MISSED, facts, parties)


async def _answered(run: CallRun, facts: CallFacts) -> None:
    parties = await _parties(run, facts)
    await publish(run, Stage.FACTS, facts, parties, hold=True)
    facts, recording = await _recording(run, facts, parties)
    if recording is None:
        await publish(run, Stage.NO_RECORDING, facts, parties, state="no_recording")
        return
    check = await _gate(run, recording)
    run = replace(run, known=await run.services.calls.load(run.key))
    if check.verdict is not VoiceVerdict.SPEECH:
        await publish(run, Stage.NO_SPEECH, facts, parties, state="no_speech", recording=True)
        return
    heard = await hear(run, facts, parties, recording, check)
    if heard is None:
        return
    summary = await understand(run, facts, parties, heard)
    await publish(run, Stage.FULL, facts, parties, state="carded", recording=True, transcript=heard, summary=summary)
    await ask_for_note(run)
    await publish_comment(run, facts, summary)


async def _recording(run: CallRun, facts: CallFacts, parties: Parties) -> tuple[CallFacts, Recording | None]:
    """Wait for the recording and fetch it; None when there is none after the last look, or it cannot be used."""
    try:
        facts = await run.steps.run("recording_ready", lambda: _ready(run, facts), CallFacts)
    except NotReady:
        if _next_look(run) > 0:
            await publish(run, Stage.WAITING, facts, parties, hold=True, until=_last_look(run))
            raise
        return facts, None
    try:
        recording = await _fetched(run, facts)
    except NotReady:
        await publish(run, Stage.NO_ROOM, facts, parties, hold=True)
        raise
    except VendorRefused as error:
        if error.code not in LOST_RECORDING:
            raise
        await _look_again(run, facts, parties, error)
        return facts, None
    await run.steps.write("save_recording", lambda tx: _save_recording(run, tx, recording), bool)
    return facts, recording


async def _look_again(run: CallRun, facts: CallFacts, parties: Parties, error: VendorRefused) -> None:
    """NotReady while a later look may find better: a portal gives a page instead of a file now and then."""
    log.warning("call %s has no usable recording: %s", run.call_id, error.code)
    if error.code in PASSING and (next_look := _next_look(run)) > 0:
        await publish(run, Stage.WAITING, facts, parties, hold=True, until=_last_look(run))
        raise NotReady("recording", retry_after=next_look)


async def _ready(run: CallRun, facts: CallFacts) -> CallFacts:
    newer = facts if facts.has_recording else await run.services.recordings.find_call(run.call_id)
    if newer is None or not newer.has_recording:
        raise NotReady("recording", retry_after=_next_look(run))
    log.info("✅ Got recording URL for call %s", run.call_id)
    return newer


async def _fetched(run: CallRun, facts: CallFacts) -> Recording:
    """Fetched once; again where nobody has listened to it yet and it is not on this disk: another node took over."""
    recording = await run.steps.run("download", lambda: _download(run, facts), Recording)
    if run.kept(recording).is_file():
        return recording
    stored = await run.services.calls.load(run.key)
    if stored and stored.transcript and stored.recording_sha256 == recording.sha256:
        return recording
    return await _download(run, facts)


async def _download(run: CallRun, facts: CallFacts) -> Recording:
    """NotReady while the disk is nearly full: what comes in must always find its place."""
    if not await run.services.has_room():
        raise NotReady("disk", retry_after=NO_ROOM_SECONDS)
    into = run.recording_path()
    into.parent.mkdir(parents=True, exist_ok=True)
    got = await run.services.recordings.download(facts, into, max_bytes=run.services.policy.recording_max_bytes)
    relative = into.relative_to(run.services.data_dir).as_posix()
    return Recording(path=relative, size=got.size, sha256=got.sha256, mime=got.mime, name=got.name)


async def _save_recording(run: CallRun, tx: Tx, recording: Recording) -> bool:
    await run.services.calls.set_recording(tx, run.key, recording)
    return True


async def _gate(run: CallRun, recording: Recording) -> VoiceCheck:
    return await run.steps.run("gate", lambda: run.services.gate.check(run.kept(recording)), VoiceCheck)


def _next_look(run: CallRun) -> float:
    """Seconds until the next look, 0 when the last one was made."""
    waited = (run.services.clock.now() - run.item.heard_at).total_seconds()
    return next((at - waited for at in RECORDING_LOOKS_SECONDS if at > waited), 0.0)


def _last_look(run: CallRun) -> datetime:
    return run.item.heard_at + timedelta(seconds=RECORDING_LOOKS_SECONDS[-1])
