"""The records of a report, page by page into our rows."""

from dataclasses import dataclass

from handlers.webinars.publish import show_progress
from handlers.webinars.run import WebinarRun

PROGRESS_SECONDS = 3.0  # a card is edited no more often: a chat takes twenty messages a minute


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    records: int
    skipped: int


async def load_viewers(run: WebinarRun) -> Loaded:
    """Begun anew it stores the same rows. NotReady when the platform has no viewers yet."""
    store, clock = run.services.webinars, run.services.clock
    await store.begin_load(run.row_id)
    records = skipped = 0
    told = clock.monotonic() - PROGRESS_SECONDS
    async for page in run.services.platform.viewers(run.webinar_id):
        await store.add_viewers(run.row_id, page.viewers, first=records)
        records += len(page.viewers)
        skipped += page.skipped
        if not run.quiet and records < page.total and clock.monotonic() - told >= PROGRESS_SECONDS:
            told = clock.monotonic()
            await show_progress(run, records, page.total)
    await store.finish_load(run.row_id, records=records, skipped=skipped)
    return Loaded(records=records, skipped=skipped)
