"""The demo's stage and its panel, with a stand-in for the bot's process."""

import asyncio
import io
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import cast

import aiohttp
import av
import pytest
from aiohttp import web

from sandbox.demo import panel as panel_module
from sandbox.demo import stage as stage_module
from sandbox.demo.child import Child
from sandbox.demo.panel import Panel
from sandbox.demo.recordings import recording_bytes
from sandbox.demo.stage import GROUP_ID, Stage, story_of
from sandbox.demo.weights import Weights
from tests.ground import until


class StandIn:
    """A bot's process that only takes hooks: what it was started with, what was posted to it."""

    def __init__(self) -> None:
        self.running, self.pid, self.starts = False, 4242, 0
        self.environment: Mapping[str, str] = {}
        self.posted: list[str] = []
        self.paths: list[str] = []
        self.status = 200
        self.deaf = False
        self._runner: web.AppRunner | None = None

    async def start(self, environment: Mapping[str, str], _folder: Path) -> None:
        self.environment, self.running = environment, True
        self.starts += 1
        if not self.deaf:
            await self.listen()

    async def listen(self) -> None:
        app = web.Application()
        app.router.add_post("/{address:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", int(self.environment["HTTP_PORT"])).start()

    async def _take(self, request: web.Request) -> web.Response:
        self.posted.append(await request.text())
        self.paths.append(request.path)
        return web.Response(status=self.status)

    async def stop(self) -> None:
        self.running = False
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    killed = stop


class Scene:
    """A stage that is open, its stand-in, and its panel over HTTP."""

    def __init__(self, stage: Stage, http: aiohttp.ClientSession) -> None:
        self.stage, self.http = stage, http
        self.bot = cast("StandIn", stage.child)

    async def panel(self) -> dict[str, object]:
        async with self.http.get(self.stage.urls["telegram"] + "/demo/panel.json") as answer:
            shown: dict[str, object] = await answer.json()
            return shown

    async def lines(self) -> str:
        return "\n".join(line["text"] for line in cast("list[dict[str, str]]", (await self.panel())["status"]))

    async def press(self, button: str) -> tuple[int, str]:
        async with self.http.post(f"{self.stage.urls['telegram']}/demo/press/{button}") as answer:
            return answer.status, (await answer.json())["message"] if answer.status == 200 else ""

    async def drop(self, audio: bytes | None, name: str = "мой.mp3") -> tuple[int, str]:
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("file", audio, filename=name) if audio is not None else form.add_field("other", "x")
        async with self.http.post(self.stage.urls["telegram"] + "/demo/drop", data=form) as answer:
            said = await answer.json()
            return answer.status, said.get("message") or said["error"]


async def opened(folder: Path, weights: Weights, **settings: object) -> Stage:
    stage = Stage(folder, weights, past=False, **settings)  # type: ignore[arg-type]  # whatever the test wants
    stage.child = cast("Child", StandIn())
    await stage.open(0, Panel(stage).add_routes)
    return stage


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    stage = await opened(tmp_path, Weights(tmp_path / "weights", lambda: None), fetch=False)
    async with aiohttp.ClientSession() as http:
        yield Scene(stage, http)
    await stage.close()


async def test_a_call_ends_at_the_portal_and_is_told_to_the_bot(scene: Scene) -> None:
    assert await scene.press("sale") == (200, "Битрикс24 сообщил о звонке.")
    (call,) = scene.stage.portal.portal.calls
    assert f"data%5BCALL_ID%5D={call.call_id}" in scene.bot.posted[0]
    assert (call.call_type, call.user_id, call.line) == ("1", "13", "+7 900 555-01-00")
    assert scene.stage.portal.portal.people["contact", "sale"]["LAST_NAME"] == "Павлова"
    assert scene.stage.portal.portal.people["user", "13"]["NAME"] == "Александр"
    scene.bot.status = 503
    assert await scene.press("wrong") == (200, "Бот ответил 503.")
    assert await scene.press("nonsense") == (404, "")


async def test_a_late_recording_comes_after_its_event(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    late = story_of("late")
    assert late is not None
    monkeypatch.setattr(type(late), "late_s", 0.1)
    assert (await scene.press("late"))[0] == 200
    assert scene.stage.portal.portal.calls[0].file_id is None
    await until(lambda: scene.stage.portal.portal.calls[0].file_id is not None)


async def test_a_killed_bot_loses_the_event_and_a_starting_one_is_waited_for(scene: Scene) -> None:
    assert "убит" in (await scene.press("kill"))[1]
    assert "Бот остановлен" in await scene.lines()
    assert "потеряно, как в жизни" in (await scene.press("missed"))[1]
    scene.bot.deaf = True
    assert await scene.press("start") == (200, "Бот запускается.")
    waiting = asyncio.create_task(scene.press("missed"))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await scene.bot.listen()
    assert await waiting == (200, "Битрикс24 сообщил о звонке.")
    assert (await scene.press("start"))[1] == "Бот запускается."
    assert scene.bot.starts == 2


async def test_a_bot_that_never_listens_is_given_up(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_module, "STARTING_SECONDS", 0.2)
    await scene.press("kill")
    scene.bot.deaf = True
    await scene.press("start")
    assert "Бот не работает" in (await scene.press("missed"))[1]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("portal", "Битрикс24"),
        ("webinars", "Бизон365"),
        ("crm", "amoCRM"),
        ("models", "Модель"),
        ("telegram", "Telegram"),
    ],
    ids=lambda value: value,
)
async def test_neighbours_go_and_come_back(scene: Scene, name: str, title: str) -> None:
    assert await scene.press(f"down-{name}") == (200, f"{title}: не отвечает.")
    assert f"{title}: выключен вами" in await scene.lines()
    buttons = cast("list[dict[str, str]]", (await scene.panel())["buttons"])
    assert f"up-{name}" in [button["id"] for button in buttons]
    bot_api = f"{scene.stage.urls['telegram']}/bot{scene.stage.telegram.token}/getMe"
    away = {
        "webinars": scene.stage.hall.platform.down,
        "crm": scene.stage.front.crm.down,
        "portal": scene.stage.portal.down,
        "models": not scene.stage.models.up,
    }
    async with scene.http.get(bot_api) as answer:
        away["telegram"] = answer.status == 502
    assert {part for part, gone in away.items() if gone} == {name}
    assert await scene.press(f"up-{name}") == (200, f"{title}: снова отвечает.")
    assert "выключен вами" not in await scene.lines()


async def test_a_webinar_ends_and_somebody_registers(scene: Scene) -> None:
    hall = scene.stage.hall
    assert await scene.press("webinar") == (200, "Бизон365 сообщил об отчёте.")
    (webinar,) = hall.platform.account.webinars.values()
    assert len(webinar.viewers) == 300
    assert webinar.webinar_id in scene.bot.posted[-1]
    key = scene.bot.paths[-1].rpartition("/")[2]
    assert scene.bot.paths == [f"/bizon_webhook/{key}"] * 7 + [f"/hooks/bizon365/{key}"]
    assert scene.bot.environment["BIZON365_BASE_URL"] == scene.stage.urls["webinars"]
    assert (await scene.press("webinar"))[0] == 200
    assert len(hall.platform.account.webinars) == 2
    registered = len(hall.subscribers)
    assert await scene.press("registration") == (200, "Бизон365 переслал регистрацию.")
    assert len(hall.subscribers) == registered + 1
    assert hall.subscribers[-1] in scene.bot.posted[-1]
    assert f"Подписчиков в Бизон365: {registered + 1}, последние: {hall.subscribers[-1]}" in await scene.lines()


async def test_the_pages_hear_of_a_comment(scene: Scene) -> None:
    heard: list[object] = []
    scene.stage.telegram.publish = lambda *told: heard.append(told)  # type: ignore[method-assign]
    scene.stage.portal.portal.comments.append(cast("panel_module.Any", object()))
    await until(lambda: heard)
    assert heard == [("panel", {})]
    assert "Комментариев в карточках Битрикс24: 1" in await scene.lines()


async def test_a_recording_is_taken_only_when_it_can_be_heard(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    own = _wav(seconds=2)
    assert await scene.drop(recording_bytes("05_stereo_two_channel")) == (200, "Битрикс24 сообщил о звонке.")
    assert await scene.drop(own) == (409, "Своя запись здесь не распознаётся: весов нет.")
    assert await scene.drop(None) == (400, "нет файла")
    scene.stage.scripts = False
    assert "станет записью входящего звонка" in str((await scene.panel())["drop"])
    assert await scene.drop(own) == (200, "Битрикс24 сообщил о звонке.")
    call = scene.stage.portal.portal.calls[-1]
    assert (call.duration_s, call.phone, call.call_type) == (2, "+79005550299", "2")
    assert await scene.drop(b"no sound at all") == (400, "это не похоже на запись: нужен mp3 или wav")
    monkeypatch.setattr(panel_module, "MAX_DROP", 10)
    assert await scene.drop(own) == (413, "файл больше 60 МБ")


async def test_a_file_without_a_length_is_no_recording() -> None:
    with pytest.raises(ValueError, match="no length"):
        panel_module._length_s(_endless())


async def test_the_panel_says_what_is_really_recognised(scene: Scene) -> None:
    stage = scene.stage
    assert "по готовым сценариям, так запущена демонстрация" in await scene.lines()
    stage._fetch, stage.weights.state = True, "fetching"  # as if it were under way
    stage.weights.progress = 0.5
    assert "веса загружаются" in await scene.lines()
    assert (await scene.panel())["progress"] == {"label": "Загружаются веса распознавания (138 МиБ)", "value": 0.5}
    assert "когда загрузятся веса" in (await scene.drop(_wav(seconds=1)))[1]
    stage.weights.state, stage.weights.error = "failed", "нет связи"
    assert "по готовым сценариям, нет связи" in await scene.lines()
    stage.scripts = False
    assert "настоящее, whisper-base" in await scene.lines()
    stage.real_model = {"OPENAI_API_KEY": "key-of-a-test"}
    assert "Саммари: ваша модель" in await scene.lines()
    assert "Распознавание: ваша модель" in await scene.lines()


async def test_real_recognition_begins_when_the_weights_are_there_and_the_card_is_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Fetched(Weights):
        async def fetch(self) -> bool:
            self._set("ready")
            return True

    monkeypatch.setattr(stage_module, "STARTING_SECONDS", 0.2)
    monkeypatch.setattr(stage_module, "CALM_SECONDS", 0.2)
    stage = await opened(tmp_path, Fetched(tmp_path / "weights", lambda: None))
    bot = cast("StandIn", stage.child)
    stage._told_at = time.monotonic()  # a call is on its way to its card
    await until(lambda: stage.weights.state == "ready")
    await asyncio.sleep(0.5)
    assert bot.starts == 1
    assert "перезапустится" in Panel(stage)._speech()["text"]
    async with aiohttp.ClientSession() as http:
        card = {"chat_id": GROUP_ID, "text": "Карточка"}
        async with http.post(f"{stage.urls['telegram']}/bot{stage.telegram.token}/sendMessage", json=card) as answer:
            assert answer.status == 200
    await until(lambda: bot.starts == 2)
    assert bot.environment["STT_PROVIDER"] == "local"
    assert bot.environment["STT_MODEL"] == str(tmp_path / "weights")
    assert bot.environment["OPENAI_BASE_URL"] == stage.urls["models"] + "/v1"
    await stage.close()


async def test_a_stopped_bot_stays_stopped_when_the_weights_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_module, "STARTING_SECONDS", 0.0)
    gate = asyncio.Event()

    class Slow(Weights):
        async def fetch(self) -> bool:
            await gate.wait()
            return True

    stage = await opened(tmp_path, Slow(tmp_path / "weights", lambda: None))
    await stage.child.killed()
    gate.set()
    await until(lambda: not stage.scripts)
    await asyncio.sleep(0.3)
    assert cast("StandIn", stage.child).starts == 1
    await stage.close()


async def test_a_real_model_is_taken_from_the_environment(tmp_path: Path) -> None:
    model = {"OPENAI_API_KEY": "key-of-a-test", "LLM_MODEL": "some-model"}
    stage = await opened(tmp_path, Weights(tmp_path / "weights", lambda: None), real_model=model)
    environment = cast("StandIn", stage.child).environment
    assert environment["LLM_MODEL"] == "some-model"
    assert "STT_PROVIDER" not in environment
    assert "OPENAI_BASE_URL" not in environment
    await stage.close()


async def test_an_act_that_fails_later_is_logged(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise LookupError("nothing there")

    scene.stage._later(fail)
    await until(lambda: "the demo stumbled" in caplog.text)


def _wav(*, seconds: int) -> bytes:
    import wave

    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16_000 * seconds))
    return buffer.getvalue()


def _endless() -> bytes:
    """A WAV whose header says neither its size nor its length, as a stream's does."""
    wav = bytearray(_wav(seconds=1))
    wav[4:8] = wav[40:44] = b"\xff\xff\xff\xff"
    return bytes(wav[:44])


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}, {"Host": "[::1"}]
)
async def test_another_page_presses_nothing_and_reads_nothing(scene: Scene, headers: dict[str, str]) -> None:
    base = scene.stage.urls["telegram"]
    async with scene.http.post(f"{base}/demo/press/kill", headers=headers) as answer:
        assert answer.status in {400, 403}
    async with scene.http.get(f"{base}/control/state", headers=headers) as answer:
        assert answer.status in {400, 403}
    assert scene.bot.running
    async with scene.http.get(f"{base}/control/state", headers={"Origin": base}) as answer:
        assert answer.status == 200


def test_a_playlist_is_never_opened() -> None:
    """The decoder would fetch what it names."""
    with pytest.raises(ValueError, match="no audio"):
        panel_module._length_s(b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x\n")
    disguised = b"ID3\x03" + bytes(6) + b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x\n"
    with pytest.raises((av.FFmpegError, ValueError, IndexError)):
        panel_module._length_s(disguised)
