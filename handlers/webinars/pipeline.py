"""A webinar that ended becomes rows of people and one card that grows, step by remembered step."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from domain.attendance import Turnout
from domain.errors import NotReady
from domain.events import WebinarEnded
from domain.ports import Steps, Tx
from domain.webinars import WebinarReport
from domain.work import WorkItem
from handlers.webinars.enrolled import take_registered
from handlers.webinars.followup import plan_followup
from handlers.webinars.loading import Loaded, load_viewers
from handlers.webinars.publish import Stage, draw_picture, publish
from handlers.webinars.run import WebinarRun, ended_at
from handlers.webinars.services import WebinarServices

log = logging.getLogger(__name__)

# The report is made one to three hours after the webinar: looked for at once, at 5, 15, 30 and 60 min, then hourly.
REPORT_LOOKS_SECONDS = (300, 900, 1800, 3600, 7200, 10800, 14400, 18000, 21600)
WANTED = {"replay", "rehearsal"}  # a person asked for it, however old it is
REMADE = "remade"  # nobody asked: the platform lists a newer report than ours


async def webinar_ended(item: WorkItem[WebinarEnded], steps: Steps, services: WebinarServices) -> None:
    """The whole trip of one webinar. Raises NotReady, VendorUnavailable and VendorRefused for the runner to act upon."""
    run = WebinarRun(item=item, steps=steps, services=services)
    report = await _look_up(run)
    if report is None:
        await _give_up(run)
        return
    run = replace(run, report=report)
    run = replace(run, quiet=await steps.run("sort", lambda: _is_quiet(run, report), bool))
    row_id = await steps.write("register", lambda tx: _register(run, tx, report), int)
    run = replace(run, row_id=row_id)
    loaded = await _load(run)
    if loaded is None:
        return
    await steps.run("match", lambda: _match(run), bool)
    turnout = await steps.run("count", lambda: services.webinars.turnout(row_id), Turnout)
    await steps.write("store", lambda tx: _complete(run, tx), bool)
    shown = not run.quiet or item.source == REMADE
    if not run.quiet and not item.event.rehearsal:
        await steps.write("plan", lambda tx: plan_followup(run, tx), bool)
    if shown:
        await _show(run, turnout)
    whole = await _with_registered(run, turnout)
    if shown and whole != turnout:
        await _show(run, whole, again="_again")
    if not run.quiet and not item.event.rehearsal:
        await _begin_digests(run)
    log.info("✅ %s webinar %s: %d people, %d matched", item.event.vendor, run.webinar_id, turnout.came, turnout.matched)


async def _look_up(run: WebinarRun) -> WebinarReport | None:
    """The report by our own token: the event alone is believed in nothing but the id. None after the last look."""

    async def look() -> WebinarReport:
        report = await run.services.platform.report(run.webinar_id)
        if report is None:
            raise NotReady("report", retry_after=_next_look(run))
        return report

    try:
        return await run.steps.run("look_up", look, WebinarReport)
    except NotReady:
        await _put_off(run)
        return None


async def _put_off(run: WebinarRun) -> None:
    """Say when the next look is and wait for it; nothing where the last one was made."""
    after = _next_look(run)
    if after <= 0:
        log.warning("%s webinar %s has no report", run.item.event.vendor, run.webinar_id)
        return
    at = run.services.clock.now() + timedelta(seconds=after)
    if not _is_unasked(run, run.item.event.occurred_at):
        await publish(run, Stage.WAITING, name=f"waiting:{_looks_made(run)}", next_look=at)
    raise NotReady("report", retry_after=after)


async def _give_up(run: WebinarRun) -> None:
    """The last look found nothing: said, unless it is of a webinar so old that nobody waits for it."""
    if not _is_unasked(run, run.item.event.occurred_at):
        await publish(run, Stage.NO_REPORT)


async def _is_quiet(run: WebinarRun, report: WebinarReport) -> bool:
    """Stored without a new card. Remembered, so that a webinar does not grow old while its viewers are loaded."""
    return _is_unasked(run, ended_at(report))


def _is_unasked(run: WebinarRun, ended: datetime | None) -> bool:
    """It is old and no person wants it."""
    return run.item.source not in WANTED and _is_old(run, ended)


def _is_old(run: WebinarRun, ended: datetime | None) -> bool:
    """It ended too long before we heard of it, or before the database was brought back from a copy."""
    if ended is None:
        return False
    policy = run.services.policy
    too_late = run.item.heard_at - ended > policy.catchup_max_age
    return too_late or (policy.quiet_before is not None and ended < policy.quiet_before.replace(microsecond=0))


async def _register(run: WebinarRun, tx: Tx, report: WebinarReport) -> int:
    return await run.services.webinars.register(
        tx,
        run.item.account_id,
        run.item.event.vendor,
        report,
        source="rehearsal" if run.item.event.rehearsal else run.item.source,
        heard_at=run.item.heard_at,
    )


async def _load(run: WebinarRun) -> Loaded | None:
    """Every record stored; None when the platform has none even at the last look."""
    try:
        return await run.steps.run("load", lambda: load_viewers(run), Loaded)
    except NotReady:
        await _put_off(run)
        if not run.quiet:
            await publish(run, Stage.NO_REPORT)
        return None


async def _match(run: WebinarRun) -> bool:
    await run.services.webinars.match(run.row_id)
    return True


async def _complete(run: WebinarRun, tx: Tx) -> bool:
    await run.services.webinars.complete(tx, run.row_id)
    return True


async def _with_registered(run: WebinarRun, turnout: Turnout) -> Turnout:
    """The figures with those of whose registration only the platform knows: it is asked when the card is there already."""
    if not await run.steps.run("registered", lambda: take_registered(run), int):
        return turnout
    return await run.steps.run("count_again", lambda: run.services.webinars.turnout(run.row_id), Turnout)


async def _begin_digests(run: WebinarRun) -> None:
    """After the card: whoever waits for this webinar's digest gets it now, once."""
    digests, account_id = run.services.digests, run.item.account_id
    if await run.steps.write("digests", lambda tx: digests(tx, account_id, run.row_id), int):
        run.services.begun()


async def _show(run: WebinarRun, turnout: Turnout, again: str = "") -> None:
    """The figures at once, then the picture beside them: drawing takes a moment, the first one longer."""
    shown = await publish(run, Stage.READY, name=f"figures{again}", turnout=turnout)
    if turnout.came and (shown or not run.quiet):
        picture = await run.steps.run(f"draw{again}", lambda: draw_picture(run, turnout), str)
        await publish(run, Stage.READY, name=f"ready{again}", turnout=turnout, picture=picture)


def _next_look(run: WebinarRun) -> float:
    """Seconds until the next look, 0 when the last one was made."""
    waited = _waited(run)
    return next((at - waited for at in REPORT_LOOKS_SECONDS if at > waited), 0.0)


def _looks_made(run: WebinarRun) -> int:
    return sum(at <= _waited(run) for at in REPORT_LOOKS_SECONDS)


def _waited(run: WebinarRun) -> float:
    return (run.services.clock.now() - run.item.heard_at).total_seconds()
