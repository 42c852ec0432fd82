"""The control column of the demo's page: its buttons, its lines of state, and the place to drop a recording."""

import asyncio
import hashlib
import io
from collections.abc import Awaitable, Callable
from typing import Any

import av
from aiohttp import web

from integrations.kit.audio.decode import FORMATS
from integrations.kit.audio.sniff import HEAD_BYTES, sniff
from integrations.openai.script import by_sound
from sandbox.demo.local_only import local_only
from sandbox.demo.recordings import STORIES
from sandbox.demo.stage import Stage, story_of
from sandbox.demo.thread import GROUP, STEPS

MAX_DROP = 60 * 1024 * 1024
_SWITCHES = {"portal": "Битрикс24", "webinars": "Бизон365", "crm": "amoCRM", "models": "Модель", "telegram": "Telegram"}
SUBSCRIBERS_SHOWN = 3
ASKED = {  # what the owner asks the bot in private
    "digest-now": ("/digest", "Дайджест сейчас", "что не как обычно и почему, кто ждёт звонка"),
    "tasks-now": ("/tasks", "Мои задачи", "задачи и встречи на сегодня из Битрикс24"),
    "spend-now": ("/spend", "Сколько стоит лид", "расходы и цена лида, записи и дошедшего"),
}


class Panel:
    """Routes under /demo for one stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._telegram_down = False

    def add_routes(self, app: web.Application) -> None:
        app.middlewares.append(local_only)
        app.add_routes(
            [
                web.get("/demo/panel.json", self._panel),
                web.post("/demo/press/{id}", self._press),
                web.post("/demo/drop", self._drop),
            ]
        )

    async def _panel(self, _: web.Request) -> web.Response:
        return web.json_response(self.state())

    def state(self) -> dict[str, Any]:
        """What the page draws."""
        stage = self._stage
        return {
            "title": "Пульт",
            "intro": "Бот настоящий, остальное местное. Нажмите, и закончится звонок или вебинар, придёт заявка или сделка.",
            "progress": self._progress(),
            "status": self._lines(),
            "buttons": [
                *self._thread(),
                *self._pictures(),
                *self._stories(),
                *self._front(),
                *self._webinars(),
                *self._vendors(),
                *self._process(),
            ],
            "drop": {"hint": "mp3 или wav: станет записью входящего звонка" + self._drop_note()},
            "running": stage.child.running,
        }

    def _drop_note(self) -> str:
        return "" if self._hears_anything() else f". {self._cannot_hear()}"

    def _hears_anything(self) -> bool:
        return self._stage.real_model is not None or not self._stage.scripts

    def _cannot_hear(self) -> str:
        """Why a recording that no script knows is not taken now."""
        if self._stage.fetches and self._stage.weights.state != "failed":
            return "Своя запись распознаётся, когда загрузятся веса"
        return "Своя запись здесь не распознаётся: весов нет"

    def _progress(self) -> dict[str, Any] | None:
        weights = self._stage.weights
        if weights.state != "fetching":
            return None
        return {"label": "Загружаются веса распознавания (138 МиБ)", "value": weights.progress}

    def _lines(self) -> list[dict[str, str]]:
        stage = self._stage
        bot = f"Бот работает, процесс {stage.child.pid}" if stage.child.running else "Бот остановлен"
        lines = [{"state": "ok" if stage.child.running else "fail", "text": bot}, self._speech(), self._model()]
        for name, title in _SWITCHES.items():
            if self._down(name):
                lines.append({"state": "fail", "text": f"{title}: выключен вами"})
        comments = len(stage.portal.comments)
        lines.append({"state": "info", "text": f"Комментариев в карточках Битрикс24: {comments}"})
        subscribers = stage.hall.subscribers
        newest = ", ".join(reversed(subscribers[-SUBSCRIBERS_SHOWN:]))
        lines.append({"state": "info", "text": f"Подписчиков в Бизон365: {len(subscribers)}, последние: {newest}"})
        lines.append({"state": "info", "text": stage.front.state()})
        return lines

    def _speech(self) -> dict[str, str]:
        stage = self._stage
        if stage.real_model is not None:
            return {"state": "ok", "text": "Распознавание: ваша модель из OPENAI_*"}
        if not stage.scripts:
            return {"state": "ok", "text": "Распознавание: настоящее, whisper-base на этом компьютере"}
        if stage.weights.state == "failed":
            return {"state": "info", "text": f"Распознавание: по готовым сценариям, {stage.weights.error}"}
        if not stage.fetches:
            return {"state": "info", "text": "Распознавание: по готовым сценариям, так запущена демонстрация"}
        if stage.weights.state == "ready":
            return {
                "state": "wait",
                "text": "Распознавание: веса загружены, бот сейчас перезапустится с ними",
            }
        return {"state": "wait", "text": "Распознавание: пока по готовым сценариям, веса загружаются"}

    def _model(self) -> dict[str, str]:
        if self._stage.real_model is not None:
            return {"state": "ok", "text": "Саммари: ваша модель из OPENAI_*"}
        return {"state": "info", "text": "Саммари звонков из набора: заготовки; вашей записи: черновик без модели"}

    def _thread(self) -> list[dict[str, Any]]:
        """The told steps are ticked, the next one stands out; ``chat``: where to look after it."""
        thread = self._stage.thread
        return [
            {
                "id": step.id, "title": step.title, "hint": step.hint, "group": GROUP, "disabled": False,
                "done": step.id in thread.told, "next": step.id == thread.next,
            }
            for step in STEPS
        ]  # fmt: skip

    def _pictures(self) -> list[dict[str, Any]]:
        return [
            {"id": name, "title": title, "hint": f"{command}: {hint}", "group": "Картина за месяц", "disabled": False}
            for name, (command, title, hint) in ASKED.items()
        ]

    def _front(self) -> list[dict[str, Any]]:
        none = not self._stage.front.deals
        buttons = {
            "form": ("Форма Тильды отправлена", "имя, телефон и реклама в cookies", False),
            "deal": ("Лид в amoCRM", "контакт и сделка двумя вебхуками, телефон записан иначе", False),
            "stage": ("Этап сделки изменён", "последней; amoCRM скажет об этом дважды", none),
            "contact": ("Контакт изменён", "у последней сделки появится почта", none),
        }
        return [
            {"id": name, "title": title, "hint": hint, "group": "Сайт и amoCRM", "disabled": off}
            for name, (title, hint, off) in buttons.items()
        ]

    def _stories(self) -> list[dict[str, Any]]:
        return [
            {"id": s.id, "title": s.title, "hint": s.hint, "group": "Звонок закончился", "disabled": False} for s in STORIES
        ]

    def _webinars(self) -> list[dict[str, Any]]:
        ended = {"title": "Вебинар закончился", "hint": "семеро записались, пришли триста, и все по-разному странные"}
        someone = {"title": "Кто-то записался", "hint": "страница регистрации пересылает данные"}
        buttons = {"webinar": ended, "registration": someone}
        return [{"id": name, **about, "group": "Вебинары", "disabled": False} for name, about in buttons.items()]

    def _vendors(self) -> list[dict[str, Any]]:
        return [
            {
                "id": f"{'up' if self._down(name) else 'down'}-{name}",
                "title": f"{title}: {'включить' if self._down(name) else 'выключить'}",
                "group": "Что-то сломалось",
                "disabled": name == "models" and self._stage.real_model is not None,
            }
            for name, title in _SWITCHES.items()
        ]

    def _process(self) -> list[dict[str, Any]]:
        running = self._stage.child.running
        return [
            {
                "id": "kill",
                "title": "kill -9",
                "hint": "процесс умрёт на полуслове",
                "group": "Процесс",
                "disabled": not running,
            },
            {"id": "start", "title": "Запустить снова", "group": "Процесс", "disabled": running},
        ]

    async def _press(self, request: web.Request) -> web.Response:
        pressed = request.match_info["id"]
        acts: dict[str, Callable[[], Awaitable[str]]] = {
            "kill": self._kill,
            "start": self._start,
            "webinar": self._stage.end_webinar,
            "registration": self._stage.register_somebody,
            "form": self._stage.send_form,
            "deal": self._stage.add_deal,
            "stage": self._stage.move_deal,
            "contact": self._stage.change_contact,
        }
        story = story_of(pressed)
        if story is not None:
            message = await self._stage.tell(story)
        elif pressed in acts:
            message = await acts[pressed]()
        elif any(step.id == pressed for step in STEPS):
            message = await self._stage.tell_step(pressed)
        elif pressed in ASKED:
            message = self._stage.ask(ASKED[pressed][0])
        elif pressed.partition("-")[2] in _SWITCHES:
            message = self._switch(*pressed.split("-", 1))
        else:
            raise web.HTTPNotFound
        self._stage.changed()
        return web.json_response({"message": message} | self._where(pressed))

    def _where(self, pressed: str) -> dict[str, int]:
        """The chat in which the answer comes, where it is not the one that is looked at."""
        stage = self._stage
        return {"chat": stage.telegram.private(stage.owner).id} if pressed in {STEPS[-1].id, *ASKED} else {}

    async def _kill(self) -> str:
        await self._stage.child.killed()
        return "Процесс убит. Что было принято, лежит на диске."

    async def _start(self) -> str:
        if not self._stage.child.running:
            await self._stage.start_bot()
        return "Бот запускается."

    def _down(self, name: str) -> bool:
        if name == "portal":
            return self._stage.portal.down
        if name == "webinars":
            return self._stage.hall.platform.down
        if name == "crm":
            return self._stage.front.crm.down
        return self._telegram_down if name == "telegram" else not self._stage.models.up

    def _switch(self, act: str, name: str) -> str:
        down = act == "down"
        if name == "portal":
            self._stage.portal.down = down
        elif name == "webinars":
            self._stage.hall.platform.down = down
        elif name == "crm":
            self._stage.front.crm.down = down
        elif name == "models":
            self._stage.models.up = not down
        else:
            self._telegram_down = down
            self._stage.telegram.clear_faults()
            if down:
                self._stage.telegram.bad_gateway(times=1_000_000)
        return f"{_SWITCHES[name]}: {'не отвечает' if down else 'снова отвечает'}."

    async def _drop(self, request: web.Request) -> web.Response:
        form = await request.post()
        file = form.get("file")
        if not isinstance(file, web.FileField):
            return web.json_response({"error": "нет файла"}, status=400)
        audio = file.file.read(MAX_DROP + 1)
        if len(audio) > MAX_DROP:
            return web.json_response({"error": "файл больше 60 МБ"}, status=413)
        if not self._hears_anything() and by_sound(hashlib.sha256(audio).hexdigest()) is None:
            return web.json_response({"error": f"{self._cannot_hear()}."}, status=409)
        try:
            duration = await asyncio.to_thread(_length_s, audio)
        except (av.FFmpegError, IndexError, ValueError):
            return web.json_response({"error": "это не похоже на запись: нужен mp3 или wav"}, status=400)
        message = await self._stage.drop(file.filename, audio, duration)
        self._stage.changed()
        return web.json_response({"message": message})


def _length_s(audio: bytes) -> int:
    """Whole seconds, at least one; ValueError when the file does not say."""
    if not sniff(audio[:HEAD_BYTES]):
        raise ValueError("no audio")
    with av.open(io.BytesIO(audio), mode="r", options={"format_whitelist": FORMATS}) as opened:
        stream = opened.streams.audio[0]
        if stream.duration is None or stream.time_base is None:
            raise ValueError("no length")
        return max(int(stream.duration * stream.time_base), 1)
