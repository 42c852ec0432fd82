"""The others in a process of their own: a portal, a model server and a Telegram, with a door for the benchmark."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from benchmarks.load import TOKEN
from benchmarks.servers.listen import listen
from integrations.bitrix24.fake import Fake as Portal
from integrations.openai.fake import Fake as Models
from sandbox.demo.recordings import recording_bytes
from sandbox.telegram.double import TelegramDouble
from sandbox.telegram.limits import Limits
from sandbox.telegram.world import Role

OWNER, GROUP = 1001, -1001000000001
_FIRST_PHONE = 79005550000


@dataclass
class Town:
    """The fakes and what is asked about them. A call is known by its phone, its deal and its sound, all its own."""

    telegram: TelegramDouble = field(default_factory=TelegramDouble)
    portal: Portal = field(default_factory=lambda: Portal(application_token=TOKEN))
    models: Models = field(default_factory=Models)
    calls: int = 0
    polls: int = 0

    def __post_init__(self) -> None:
        owner = self.telegram.person("Ольга", number=OWNER, started=True)
        self.group = self.telegram.group("Команда", {owner: Role.CREATOR}, bot=Role.ADMIN, number=GROUP)

    def build_app(self) -> web.Application:
        app = web.Application(client_max_size=128 * 2**20)
        app.router.add_post("/calls", self._end_calls)
        app.router.add_get("/seen", self._seen)
        app.router.add_get("/times", self._times)
        app.router.add_post("/people", self._invite)
        return app

    def telegram_app(self) -> web.Application:
        """The Telegram, counting questions for updates as they arrive: their answers take a minute."""

        @web.middleware
        async def counting(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.polls += request.path.lower().endswith("/getupdates")
            return await handler(request)

        app = self.telegram.build_app()
        app.middlewares.append(counting)
        return app

    async def _end_calls(self, request: web.Request) -> web.Response:
        """So many calls have ended; the bodies of their events, unsent. ``file`` is the path of a recording of one's own."""
        asked = await request.json()
        audio = Path(asked["file"]).read_bytes() if asked.get("file") else recording_bytes(asked["recording"])
        events = []
        for _ in range(asked["count"]):
            self.calls += 1
            call = self.portal.add_call(
                audio=audio + b"\0" * 8 + str(self.calls).encode() if asked.get("own_sound", True) else audio,
                file_name=f"call{self.calls}{asked.get('suffix', '.mp3')}",
                duration_s=asked.get("duration_s", 74),
                phone=f"+{_FIRST_PHONE + self.calls}",
                bound_to=(("deal", str(self.calls)),),
            )
            events.append(self.portal.event_body(call).decode())
        return web.json_response({"events": events, "last": self.calls})

    async def _seen(self, _: web.Request) -> web.Response:
        """How often each call was shown, commented and paid for."""
        shown = [message.text for message in self.telegram.messages(self.group) if message.author == self.telegram.bot]
        transcribed = Counter(seen.sha256 for seen in self.models.seen if seen.sha256)
        comments: Counter[str] = Counter(comment.entity[1] for comment in self.portal.comments)
        return web.json_response(
            {"shown": shown, "comments": comments, "transcribed": transcribed, "paid": self.models.paid}
        )

    async def _times(self, _: web.Request) -> web.Response:
        """When the bot sent what to which chat (one monotonic clock), how often it asked for updates and was refused."""
        calls = self.telegram.calls
        answer = {
            "sent": [[sent.at, sent.chat_id] for sent in self.telegram.sent],
            "polls": self.polls,
            "refused": sum(call.status == 429 for call in calls),
        }
        return web.json_response(answer)

    async def _invite(self, request: web.Request) -> web.Response:
        """So many people who started the bot, and from now on Telegram refuses by its published limits."""
        asked = await request.json()
        people = [self.telegram.person(f"Ч{number}", started=True).id for number in range(asked["count"])]
        self.telegram.keep_limits(Limits(chat_burst=1))
        return web.json_response({"people": people, "group": GROUP})


async def serve(app: web.Application) -> str:
    """On a port of its own, until the process ends; its address."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


async def open_doors(town: Town) -> dict[str, str]:
    """Everybody of the town listens; where they are, as settings."""
    telegram, portal, models = [
        await serve(app) for app in (town.telegram_app(), town.portal.build_app(), town.models.build_app())
    ]
    return {
        "TELEGRAM_BOT_TOKEN": town.telegram.token,
        "TELEGRAM_TARGET_CHAT_ID": str(GROUP),
        "TELEGRAM_ADMIN_IDS": str(OWNER),
        "TELEGRAM_API_BASE_URL": telegram,
        "BITRIX24_WEBHOOK_URL": town.portal.webhook_url(portal),
        "BITRIX24_APPLICATION_TOKEN": TOKEN,
        "BITRIX24_RATE": "9000",
        "OPENAI_BASE_URL": f"{models}/v1",
        "OPENAI_API_KEY": "key-of-a-benchmark",
        "STT_MODEL": "whisper-1",  # left to the table the work would change with the date
    }


async def main() -> None:
    town = Town()
    environment = await open_doors(town)
    await listen(town.build_app(), environment=json.dumps(environment))


if __name__ == "__main__":
    asyncio.run(main())
