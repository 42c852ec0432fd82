"""The records of a report page by page into rows; each page is a step: a reading that broke off goes on from there."""

import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from functools import partial

from domain.webinars import START, Bookmark, ViewerPage
from handlers.webinars.publish import show_progress
from handlers.webinars.run import WebinarRun

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 3.0  # a card is edited no more often: a chat takes twenty messages a minute


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """``missing``: records the platform says there are and has not given."""

    records: int
    skipped: int
    missing: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """How far a report is loaded after a page; ``last``: nothing follows. ``total`` by the platform, 0 when not told."""

    records: int = 0
    skipped: int = 0
    total: int = 0
    bookmark: Bookmark = field(default=START)
    last: bool = False


async def load_viewers(run: WebinarRun) -> Loaded:
    """Pages that are rows already are not asked for again. NotReady when the platform has no viewers yet."""
    reading, page, number = _Reading(run), Page(), 0
    try:
        while not page.last:
            page = await run.steps.run(f"page:{number}", partial(reading.turn, page), Page)
            number += 1
    finally:
        await reading.close()
    await reading.begin(page)
    loaded = Loaded(records=page.records, skipped=page.skipped, missing=max(page.total - page.bookmark.skip, 0))
    if loaded.missing:
        log.warning("webinar %s: %d of %d records were not given", run.webinar_id, loaded.missing, page.total)
    await run.services.webinars.finish_load(
        run.row_id, records=loaded.records, skipped=loaded.skipped, missing=loaded.missing
    )
    return loaded


class _Reading:
    """One try at a report: begun with the first page that is not there yet."""

    def __init__(self, run: WebinarRun) -> None:
        self._run = run
        self._pages: AsyncGenerator[ViewerPage, None] | None = None
        self._begun = False
        self._sure = True  # what comes next belongs to what is stored
        self._told = run.services.clock.monotonic() - PROGRESS_SECONDS

    async def turn(self, page: Page) -> Page:
        """The page after ``page`` as rows; or the beginning, where the report has become another one meanwhile."""
        if self._pages is None:
            await self.begin(page)
            self._sure = page.records == 0
            self._pages = self._run.services.platform.viewers(self._run.webinar_id, since=page.bookmark)
        found = await anext(self._pages, None)
        if found is None:
            return replace(page, last=True)
        if not self._sure and page.total and found.total and page.total != found.total:
            log.info("webinar %s: the report was made anew while it was read, it is read again", self._run.webinar_id)
            await self.close()
            self._begun = False
            return Page()
        self._sure = True
        return await self._keep(page, found)

    async def begin(self, page: Page) -> None:
        """Take up what earlier tries have stored, once."""
        if self._begun:
            return
        self._begun = True
        store, platform = self._run.services.webinars, self._run.services.platform
        await store.begin_load(self._run.row_id, stored=page.records, reread=partial(platform.reread, self._run.webinar_id))

    async def close(self) -> None:
        pages, self._pages = self._pages, None
        if pages is not None:
            await pages.aclose()

    async def _keep(self, page: Page, found: ViewerPage) -> Page:
        run = self._run
        await run.services.webinars.add_viewers(run.row_id, found.viewers, first=page.records)
        records, clock = page.records + len(found.viewers), run.services.clock
        if not run.quiet and records < found.total and clock.monotonic() - self._told >= PROGRESS_SECONDS:
            self._told = clock.monotonic()
            await show_progress(run, records, found.total)
        return Page(
            records=records, skipped=page.skipped + found.skipped, total=found.total or page.total, bookmark=found.bookmark
        )
