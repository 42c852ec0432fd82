"""From a recording to a transcript: paid for once, by the model if it may be, by local recognition if it may not."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime

from domain.calls import CallFacts, Cost, Parties, Recording, Transcript, VoiceCheck
from domain.errors import UNHEARABLE, NotReady, VendorRefused, VendorUnavailable
from domain.ports import Attempt, Transcriber, Tx
from handlers.calls.publish import Stage, publish
from handlers.calls.run import CallRun

log = logging.getLogger(__name__)


async def hear(
    run: CallRun, facts: CallFacts, parties: Parties, recording: Recording, check: VoiceCheck
) -> Transcript | None:
    """The transcript, also when an earlier run made it; None when the call ends here, with its card posted.

    While the recogniser is away or its money is spent the card stands with the recording, and the run is tried again.
    """
    transcriber = run.services.transcriber
    if transcriber is None:
        await publish(run, Stage.HEARING_OFF, facts, parties, state="unheard", recording=True)
        return None
    try:
        async with AsyncExitStack() as held:
            transcript = await _transcribe(run, transcriber, recording, check, held)
    except VendorUnavailable:
        await publish(run, Stage.HEARING_LATER, facts, parties, recording=True)
        raise
    except VendorRefused as error:
        stage = Stage.UNHEARABLE if error.code in UNHEARABLE else Stage.HEARING_REFUSED
        await publish(run, stage, facts, parties, state="unheard", recording=True)
        if error.code not in UNHEARABLE:
            raise
        log.warning("the recording of call %s cannot be heard: %s", run.call_id, error.code)
        return None
    except NotReady:
        await publish(run, Stage.LIMIT, facts, parties, recording=True)
        raise
    if transcript is None or transcript.empty:
        await publish(run, Stage.NO_SPEECH, facts, parties, state="no_speech", recording=True)
        return None
    return transcript


async def _transcribe(
    run: CallRun, transcriber: Transcriber, recording: Recording, check: VoiceCheck, held: AsyncExitStack
) -> Transcript | None:
    """What was made now or, when the step is remembered, then."""
    price = transcriber.estimate(check.duration_s)
    heard = run.known.transcript if run.known else None
    bought = heard if run.known and run.known.recording_sha256 == recording.sha256 else None

    async def ask(_: Attempt) -> Transcript:
        nonlocal heard
        heard = await listen()
        return heard

    async def listen() -> Transcript:
        if bought:
            return replace(bought, costs=())  # a replay
        chosen = await _affordable(run, transcriber, price, held)
        operator_first = run.services.policy.operator_first
        made = await chosen.transcribe(run.kept(recording), check, name=recording.name, operator_first=operator_first)
        log.info("✅ Transcription completed for call %s", run.call_id)
        return made

    async def keep(tx: Tx, transcript: Transcript) -> str:
        await run.services.calls.set_transcript(tx, run.key, transcript, stereo=check.stereo)
        await charge(run, tx, "stt", transcript.costs)
        return transcript.model

    lost = lost_money(run, "stt", price) if transcriber.paid else None
    lookup = None if transcriber.paid else nothing_came_of_it
    await run.steps.outward("transcribe", ask, keep, str, lookup=lookup, lost=lost)
    return heard


async def nothing_came_of_it() -> None:
    """The look-up for what costs nothing and is seen nowhere: a try that a crash cut off is no possible repeat."""


async def _affordable(run: CallRun, transcriber: Transcriber, price: Cost, held: AsyncExitStack) -> Transcriber:
    """The recogniser that may be used now: the paid one within the limits, else a free one, else NotReady until then."""
    free_again = await set_aside(run, price, held) if transcriber.paid else None
    if free_again is None:
        return transcriber
    if run.services.spare is not None:
        return run.services.spare
    raise over_limit(run, free_again)


async def set_aside(run: CallRun, price: Cost, held: AsyncExitStack) -> datetime | None:
    """Keep ``price`` for us until ``held`` ends, which is after the charge is in the ledger; else when to ask again."""
    return await held.enter_async_context(run.services.purse.reserve(price))


def over_limit(run: CallRun, free_again: datetime) -> NotReady:
    return NotReady("limit", retry_after=max((free_again - run.services.clock.now()).total_seconds(), 1.0))


async def charge(run: CallRun, tx: Tx, kind: str, costs: tuple[Cost, ...]) -> None:
    """Put what was paid into the ledger."""
    for cost in costs:
        await run.services.calls.charge(tx, run.key, kind, cost, at=run.services.clock.now())


def lost_money(run: CallRun, kind: str, price: Cost) -> Callable[[Tx], Awaitable[None]]:
    """Books a try of which nobody knows whether it was paid: the limits count it as if it were."""

    async def book(tx: Tx) -> None:
        await run.services.calls.charge(tx, run.key, kind, price, at=run.services.clock.now(), possible_repeat=True)

    return book
