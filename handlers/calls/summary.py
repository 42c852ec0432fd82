"""From a transcript to a summary: by the model when it may be asked, by rules when it may not or does not answer."""

import hashlib
import logging
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import replace

from domain.calls import CallContext, CallFacts, CallKind, Parties, Summary, Transcript
from domain.errors import NotReady, VendorRefused, VendorUnavailable
from domain.ports import Attempt, Summariser, Tx
from handlers.calls.hearing import charge, lost_money, nothing_came_of_it, over_limit, set_aside
from handlers.calls.publish import Stage, publish
from handlers.calls.run import CallRun

log = logging.getLogger(__name__)

# The model answered, but not with a summary, even after one repair: asking again would only cost.
HOPELESS = {"bad_summary", "refused", "too_long"}


async def understand(run: CallRun, facts: CallFacts, parties: Parties, transcript: Transcript) -> Summary:
    """The summary to show. While the model is away the draft is on the card at once, and the run is tried again."""
    summariser = run.services.summariser
    if summariser is None or await _is_voicemail(run, facts, parties, transcript):
        return await _draft(run, facts, parties, transcript)
    try:
        async with AsyncExitStack() as held:
            summary = await _summarise(run, summariser, _context(run, facts, parties), transcript, held)
    except VendorUnavailable:
        await _show_draft(run, facts, parties, transcript, Stage.DRAFT_LATER)
        raise
    except NotReady:
        await _show_draft(run, facts, parties, transcript, Stage.DRAFT_LIMIT)
        raise
    except VendorRefused:
        await _show_draft(run, facts, parties, transcript, Stage.DRAFT_REFUSED)
        raise
    return summary or await _draft(run, facts, parties, transcript)


async def _summarise(
    run: CallRun, summariser: Summariser, context: CallContext, transcript: Transcript, held: AsyncExitStack
) -> Summary | None:
    """None when the model answered and could not be used: asking again would only cost again."""
    made_from = _made_from(summariser, transcript)
    estimate = summariser.estimate(transcript)
    understood = run.known.summary if run.known else None
    bought = understood if run.known and run.known.summary_key == made_from else None

    async def ask(_: Attempt) -> list[Summary]:
        nonlocal understood
        made = await think()
        understood = made[0] if made else None
        return made

    async def think() -> list[Summary]:
        if bought:
            return [replace(bought, costs=())]  # a replay
        free_again = await set_aside(run, estimate, held) if summariser.paid else None
        if free_again is not None:
            raise over_limit(run, free_again)
        return await _answer(run, summariser.summarise(transcript, context))

    async def keep(tx: Tx, made: list[Summary]) -> str:
        for summary in made:
            await run.services.calls.set_summary(tx, run.key, summary, made_from=made_from)
            await charge(run, tx, "llm", summary.costs)
            return summary.model or summariser.version
        await charge(run, tx, "llm", (replace(estimate, estimated=True),))
        return ""

    lost = lost_money(run, "llm", estimate) if summariser.paid else None
    lookup = None if summariser.paid else nothing_came_of_it
    model = await run.steps.outward("summarise", ask, keep, str, lookup=lookup, lost=lost)
    return understood if model else None


async def _answer(run: CallRun, asked: Awaitable[Summary]) -> list[Summary]:
    """Empty when the model answered something that is no summary."""
    try:
        return [await asked]
    except VendorRefused as error:
        if error.code not in HOPELESS:
            raise
        log.warning("call %s: the model gave no summary (%s), the draft stands", run.call_id, error.code)
        return []


async def _is_voicemail(run: CallRun, facts: CallFacts, parties: Parties, transcript: Transcript) -> bool:
    """An answering machine is told by its words; no model is paid to say that nobody answered."""
    draft = await run.services.draft.summarise(transcript, _context(run, facts, parties))
    return draft.kind is CallKind.VOICEMAIL and not draft.meaningful


async def _show_draft(run: CallRun, facts: CallFacts, parties: Parties, transcript: Transcript, stage: Stage) -> None:
    summary = await _draft(run, facts, parties, transcript)
    await publish(run, stage, facts, parties, state="drafted", recording=True, transcript=transcript, summary=summary)


async def _draft(run: CallRun, facts: CallFacts, parties: Parties, transcript: Transcript) -> Summary:
    """Free and made by rules, so it is simply made again whenever it is needed."""
    draft = run.services.draft
    summary = await draft.summarise(transcript, _context(run, facts, parties))

    async def keep(tx: Tx) -> str:
        await run.services.calls.set_summary(tx, run.key, summary, made_from=_made_from(draft, transcript))
        return draft.version

    await run.steps.write("draft", keep, str)
    return summary


def _context(run: CallRun, facts: CallFacts, parties: Parties) -> CallContext:
    return CallContext(
        held_at=facts.started_at.astimezone(run.services.timezone),
        direction=facts.direction,
        employee_name=parties.employee_name,
        client_name=parties.client_name,
        company=run.services.policy.company,
    )


def _made_from(summariser: Summariser, transcript: Transcript) -> str:
    words = hashlib.sha256(transcript.text.encode()).hexdigest()[:32]
    return f"{words}:{summariser.model or 'draft'}:{summariser.version}"[:200]
