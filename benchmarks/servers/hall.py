"""The town of the other benchmarks with a webinar platform in it that remembers when it was asked and when it answered."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web
from aiohttp.typedefs import Handler

from benchmarks import crowd
from benchmarks.servers.listen import listen
from benchmarks.servers.town import Town, open_doors, serve
from integrations.bizon365.fake import Fake as Platform
from integrations.bizon365.fake_account import Json

MINUTES = 60


@dataclass
class Hall(Town):
    """``answered``: of each request for a report or its viewers when it came and when its answer was made, in seconds."""

    platform: Platform = field(default_factory=Platform)
    answered: list[tuple[float, float]] = field(default_factory=list)

    def build_app(self) -> web.Application:
        app = super().build_app()
        app.router.add_post("/webinars", self._end_webinar)
        app.router.add_get("/shown", self._shown)
        return app

    def platform_app(self) -> web.Application:
        @web.middleware
        async def timing(request: web.Request, handler: Handler) -> web.StreamResponse:
            began = time.monotonic()
            response = await handler(request)
            self.answered.append((began, time.monotonic()))
            return response

        app = self.platform.build_app()
        app.middlewares.append(timing)
        return app

    async def _end_webinar(self, request: web.Request) -> web.Response:
        """A webinar of so many viewers has ended, its report is made; the body of its hook, unsent."""
        asked = await request.json()
        self.platform.answers_after_s = asked["answers_after_s"]
        start = (datetime.now(UTC) - timedelta(minutes=MINUTES + 5)).replace(microsecond=0)
        people = await asyncio.to_thread(_records, asked["viewers"], asked["leads"], start)
        webinar = self.platform.add_webinar(viewers=people, started_at=start, minutes=MINUTES, title=asked["title"])
        self.answered.clear()
        return web.json_response({"body": self.platform.report_body(webinar).decode()})

    async def _shown(self, _: web.Request) -> web.Response:
        """Every state of every message to the group, by one monotonic clock, and what the platform answered."""
        sent = [[one.at, one.message.text] for one in self.telegram.sent if one.chat_id == self.group.id]
        edits = [[one.at, one.after.text] for one in self.telegram.edits if one.chat_id == self.group.id]
        photos = [one.at for one in self.telegram.sent if one.method.lower() == "sendphoto"]
        return web.json_response({"cards": sorted(sent + edits), "photos": photos, "answered": self.answered})


def _records(count: int, leads: int, start: datetime) -> list[Json]:
    """The people of ``crowd`` as the platform reports them, at a webinar that began then."""
    later = start - crowd.START
    made: list[Json] = []
    for viewer in crowd.viewers(count, leads):
        (stayed,) = viewer.intervals
        view, till = ((moment + later).timestamp() * 1000 for moment in (stayed.start, stayed.end))
        made.append(json.loads(viewer.raw) | {"view": int(view), "viewTill": int(till)})
    return made


async def main() -> None:
    hall = Hall()
    environment = await open_doors(hall) | {
        "BIZON365_TOKEN": hall.platform.token,
        "BIZON365_PROJECT_ID": hall.platform.project_id,
        "BIZON365_BASE_URL": await serve(hall.platform_app()),
    }
    await listen(hall.build_app(), environment=json.dumps(environment))


if __name__ == "__main__":
    asyncio.run(main())
