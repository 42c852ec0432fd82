"""The chat page in a real Chromium: what is said appears as said, buttons work, nothing that was said becomes markup."""

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, async_playwright, expect

from sandbox.telegram import Role, TelegramDouble

from .conftest import Scene, build_scene

CHROMIUM = os.environ.get("CHROMIUM", "") or shutil.which("chromium") or shutil.which("chromium-browser") or ""
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
EVIL = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>"
expect.set_options(timeout=60_000)  # a busy machine draws late
pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not CHROMIUM, reason="no chromium on this machine"),
]


@dataclass(slots=True, kw_only=True)
class Demo:
    """The routes another part of the demo brings: a panel, its buttons, a place to drop recordings."""

    panel: dict[str, object] = field(default_factory=dict)
    pressed: list[str] = field(default_factory=list)
    dropped: list[tuple[str, bytes]] = field(default_factory=list)

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/demo/panel.json", self._panel)
        app.router.add_post("/demo/press/{id}", self._press)
        app.router.add_post("/demo/drop", self._drop)

    async def _panel(self, _request: web.Request) -> web.Response:
        return web.json_response(self.panel)

    async def _press(self, request: web.Request) -> web.Response:
        self.pressed.append(request.match_info["id"])
        if request.match_info["id"] == "broken":
            return web.json_response({"error": "Сервис не ответил"}, status=502)
        return web.json_response({"message": "Хук отправлен"})

    async def _drop(self, request: web.Request) -> web.Response:
        part = (await request.post())["file"]
        assert isinstance(part, web.FileField)
        self.dropped.append((part.filename, part.file.read()))
        return web.json_response({"message": "Запись принята"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A page that is open, beside the scene and the demo's routes. A complaint in its console fails the test."""

    scene: Scene
    demo: Demo
    page: Page

    async def send(self, text: str, **more: object) -> dict[str, object]:
        """A message of the bot to Ivan as HTML."""
        sent = await self.scene.ok("sendMessage", chat_id=self.scene.ivan.id, text=text, parse_mode="HTML", **more)
        assert isinstance(sent, dict)
        return sent


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened() -> AsyncIterator[tuple[Page, list[str]]]:
    """One page for all tests (a browser takes a second to start) and what its console complained of."""
    errors: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(timezone_id="Asia/Vladivostok", locale="ru-RU")
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page, errors
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def shown(opened: tuple[Page, list[str]]) -> AsyncIterator[Shown]:
    double, demo, (page, errors) = TelegramDouble(), Demo(), opened
    server = TestServer(double.build_app(demo.add_routes), host="127.0.0.1")
    await server.start_server()
    url = str(server.make_url("")).rstrip("/")
    async with aiohttp.ClientSession() as http:
        scene = build_scene(double, url, http)
        await page.set_viewport_size({"width": 1200, "height": 800})
        await page.emulate_media(color_scheme="light")
        await page.goto(url)
        await page.get_by_role("tab", name="Сводка").click()
        yield Shown(scene=scene, demo=demo, page=page)
        await page.goto("about:blank")
    await server.close()
    found, errors[:] = [error for error in errors if "Failed to load resource" not in error], []
    assert found == []


async def test_a_card_is_shown_pressed_and_edited(shown: Shown) -> None:
    page, double = shown.page, shown.scene.double
    keys = {
        "inline_keyboard": [
            [
                {"text": "Беру", "callback_data": "take"},
                {"text": "Взято", "disabled": {}},
                {"text": "Сайт", "url": "https://a.ru/"},
            ]
        ]
    }
    card = await shown.send(
        '<b>Итог</b> <i>кос</i> <u>под</u> <s>зач</s> <code>код</code> <a href="https://a.ru/x">сделка</a> '
        '<tg-time unix="1700000000" format="t">давно</tg-time> <tg-spoiler>тайна</tg-spoiler>\n'
        "<blockquote expandable>1\n2\n3\n4\n5\n6</blockquote><pre>{}</pre>",
        reply_markup=keys,
    )
    bubble = page.locator(".message").last
    for selector, text in (
        ("strong", "Итог"),
        ("em", "кос"),
        ("u", "под"),
        ("s", "зач"),
        ("code >> nth=0", "код"),
        ("time >> nth=0", "08:13"),
    ):
        await expect(bubble.locator(f".text {selector}")).to_have_text(text)
    await expect(bubble.get_by_role("link", name="сделка")).to_have_attribute("href", "https://a.ru/x")
    await expect(bubble.get_by_role("link", name="Сайт")).to_have_attribute("rel", "noopener noreferrer")
    await expect(bubble.get_by_role("button", name="Взято")).to_be_disabled()
    quote = bubble.locator(".quote-body")
    folded = await quote.evaluate("node => node.clientHeight")
    await bubble.get_by_role("button", name="Показать полностью").click()
    assert await quote.evaluate("node => node.clientHeight") > folded * 1.5
    await bubble.get_by_role("button", name="Показать скрытый текст").click()
    await expect(bubble.locator(".spoiler")).to_have_class("spoiler shown")

    button = bubble.get_by_role("button", name="Беру")
    await button.click()
    await expect(button).to_have_attribute("aria-busy", "true")
    await double.until(lambda: bool(double.site.queries.presses))
    press = next(iter(double.site.queries.presses.values()))
    await shown.scene.ok("answerCallbackQuery", callback_query_id=press.id, text="Записано за вами")
    await expect(page.locator("#toast")).to_have_text("Записано за вами")
    await expect(button).not_to_have_attribute("aria-busy", "true")
    text = "<blockquote expandable>1\n2\n3\n4\n5\n6</blockquote>Взял Иван"
    await shown.scene.ok(
        "editMessageText", chat_id=shown.scene.ivan.id, message_id=card["message_id"], text=text, parse_mode="HTML"
    )
    await expect(bubble.locator(".stamp")).to_contain_text("изменено")
    await expect(bubble.get_by_role("button", name="Свернуть")).to_be_visible()
    assert await bubble.locator(".key").count() == 0
    await shown.scene.ok("deleteMessage", chat_id=shown.scene.ivan.id, message_id=card["message_id"])
    await expect(page.locator(".message")).to_have_count(0)


async def test_an_alert_is_a_window_to_close(shown: Shown) -> None:
    await shown.send("раз", reply_markup={"inline_keyboard": [[{"text": "Да", "callback_data": "x"}]]})
    double = shown.scene.double
    await shown.page.get_by_role("button", name="Да").click()
    await double.until(lambda: bool(double.site.queries.presses))
    identifier = next(iter(double.site.queries.presses))
    await shown.scene.ok("answerCallbackQuery", callback_query_id=identifier, text="Нет прав", show_alert=True)
    await expect(shown.page.get_by_role("dialog")).to_contain_text("Нет прав")
    await shown.page.get_by_role("button", name="Понятно").click()
    await expect(shown.page.get_by_role("dialog")).to_have_count(0)


async def test_writing_by_hand_by_menu_and_inline(shown: Shown) -> None:
    page, scene, double = shown.page, shown.scene, shown.scene.double
    await scene.ok(
        "setMyCommands",
        commands=[{"command": "calls", "description": "Звонки"}, {"command": "help", "description": "Помощь"}],
    )
    box = page.get_by_label("Сообщение", exact=True)
    await box.fill("Первая строка")
    await box.press("Shift+Enter")
    await box.press_sequentially("вторая")
    await box.press("Enter")
    await expect(page.locator(".message.out .text").last).to_have_text("Первая строка\nвторая")
    await page.get_by_role("button", name="Меню").click()
    await page.get_by_role("button", name="/calls Звонки").click()
    await expect(page.locator(".message.out .command").last).to_have_text("/calls")
    await box.fill("/he")
    await box.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.locator(".message.out .command").last).to_have_text("/help")
    await page.locator(".answer-tool").first.click()
    await box.fill("ответ")
    await box.press("Enter")
    await expect(page.locator(".answered span")).to_have_text("Первая строка вторая")
    await box.fill("@svodka_bot конв")
    await double.until(lambda: bool(double.site.queries.inline))
    result = {
        "id": "1",
        "type": "article",
        "title": "Конверсия",
        "description": "30 дней",
        "input_message_content": {"message_text": "42 %"},
    }
    await scene.ok("answerInlineQuery", inline_query_id=next(iter(double.site.queries.inline)), results=[result])
    await page.get_by_role("button", name="Конверсия 30 дней").click()
    await expect(page.locator(".message.out .text").last).to_have_text("42 %")
    await expect(page.locator(".message.out .name").last).to_contain_text("через @svodka_bot")


async def test_groups_topics_people_and_typing(shown: Shown) -> None:
    page, scene, double = shown.page, shown.scene, shown.scene.double
    forum = double.group("Форум", {scene.ivan: Role.CREATOR}, forum=True)
    calls = double.topic(forum, "Звонки")
    await page.get_by_role("tab", name="Форум").click()
    await scene.ok("sendMessage", chat_id=forum.id, message_thread_id=calls, text="в теме")
    await expect(page.get_by_role("tab", name="Звонки")).to_contain_text("1")
    await expect(page.locator(".empty")).to_be_visible()
    await page.get_by_role("tab", name="Звонки").click()
    await expect(page.locator(".message .text")).to_have_text("в теме")
    await scene.ok("sendChatAction", chat_id=forum.id, message_thread_id=calls, action="typing")
    await expect(page.locator("#chat-note")).to_have_text("Сводка печатает…")
    await scene.ok("sendMessage", chat_id=forum.id, message_thread_id=calls, text="дописал")
    await expect(page.locator("#chat-note")).to_have_text("2 участника")
    await page.get_by_role("combobox").select_option(label="Ольга")
    await expect(page.get_by_role("tab", name="Форум")).to_have_count(0)
    await page.get_by_role("tab", name="Сводка").click()
    await page.get_by_role("button", name="Запустить").click()
    await expect(page.locator(".message.out .command")).to_have_text("/start")
    await expect(page.get_by_role("button", name="Запустить")).to_have_count(0)
    assert double.messages(double.private(scene.olga))[0].text == "/start"


async def test_recordings_play_and_documents_are_saved(shown: Shown, tmp_path: Path) -> None:
    page, scene = shown.page, shown.scene
    for kind, name, data in (("audio", "звонок.wav", _silence(2)), ("document", "отчёт.txt", "итоги".encode())):
        form = aiohttp.FormData({"chat_id": str(scene.ivan.id), "title": "Звонок 42"}, quote_fields=False)
        form.add_field(kind, data, filename=name)
        async with scene.http.post(f"{scene.url}/bot{scene.double.token}/send{kind.capitalize()}", data=form) as response:
            assert response.status == 200
    await expect(page.locator(".clock")).to_have_text("0:00 / 0:02")
    await page.get_by_role("button", name="Слушать: Звонок 42").click()
    await expect(page.get_by_role("button", name="Остановить: Звонок 42")).to_be_visible()
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="отчёт.txt").click()
    download = await waiting.value
    assert download.suggested_filename == "отчёт.txt"
    await download.save_as(tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text("utf-8") == "итоги"


def _silence(seconds: int) -> bytes:
    """A WAV file: 8 kHz, 16 bits, mono."""
    data = bytes(16_000 * seconds)
    sizes = [(36 + len(data), 4), (16, 4), (1, 2), (1, 2), (8000, 4), (16_000, 4), (2, 2), (16, 2), (len(data), 4)]
    riff, length, *rest = [value.to_bytes(width, "little") for value, width in sizes]
    return b"RIFF" + riff + b"WAVEfmt " + length + b"".join(rest[:6]) + b"data" + rest[6] + data


async def test_nothing_said_becomes_markup(shown: Shown) -> None:
    page, scene, double = shown.page, shown.scene, shown.scene.double
    evil = double.person(EVIL, EVIL)
    group = double.group(EVIL, {scene.ivan: Role.CREATOR, evil: Role.MEMBER}, forum=True, bot=Role.ADMIN)
    double.topic(group, EVIL)
    await page.get_by_role("tab", name="<script>").first.click()
    said = double.say(evil, EVIL, chat=group)
    double.send_file(evil, EVIL, b"1", content_type="text/html", chat=group)
    await scene.ok("setMyCommands", commands=[{"command": "x", "description": EVIL}])
    await scene.ok(
        "sendMessage",
        chat_id=group.id,
        text=EVIL,
        entities=[
            {"type": "pre", "offset": 0, "length": 5, "language": EVIL},
            {"type": "date_time", "offset": 6, "length": 3, "unix_time": 1},
        ],
        reply_parameters={"message_id": said.message_id},
        reply_markup={"inline_keyboard": [[{"text": EVIL, "callback_data": EVIL[:60]}]]},
    )
    shown.demo.panel = {
        "title": EVIL,
        "intro": EVIL,
        "status": [{"text": EVIL, "state": EVIL}],
        "progress": {"label": EVIL, "value": 0.5},
        "buttons": [{"id": EVIL, "title": EVIL, "group": EVIL, "hint": EVIL}],
    }
    double.publish("panel", {})
    await expect(page.locator(".control h2")).to_have_text(EVIL)
    await page.get_by_role("button", name="Меню").click()
    await expect(page.locator("#suggest span")).to_have_text(EVIL)
    await expect(page.locator(".message .text").last).to_have_text(EVIL)
    await page.locator(".key").click()
    await double.until(lambda: bool(double.site.queries.presses))
    await scene.ok("answerCallbackQuery", callback_query_id=next(iter(double.site.queries.presses)), text=EVIL)
    await expect(page.locator("#toast")).to_have_text(EVIL)
    assert await page.evaluate("[window.hacked, document.querySelectorAll('main script, main img').length]") == [None, 0]


async def test_the_panel_presses_and_takes_recordings(shown: Shown, tmp_path: Path) -> None:
    page, demo, double = shown.page, shown.demo, shown.scene.double
    demo.panel = {
        "title": "Пульт",
        "status": [{"text": "Бот на связи", "state": "ok"}],
        "progress": {"label": "Загрузка", "value": 0.4},
        "buttons": [
            {"id": "call", "title": "Закончился звонок", "group": "Bitrix24", "hint": "4 минуты"},
            {"id": "broken", "title": "Вебинар", "group": "Bizon365"},
            {"id": "off", "title": "Позже", "group": "Bizon365", "disabled": True},
        ],
    }
    double.publish("panel", {})
    await page.get_by_role("button", name="Закончился звонок").click()
    await expect(page.locator("#toast")).to_have_text("Хук отправлен")
    await page.get_by_role("button", name="Вебинар").click()
    await expect(page.locator("#toast")).to_have_text("Сервис не ответил")
    await expect(page.get_by_role("button", name="Позже")).to_be_disabled()
    await expect(page.get_by_role("progressbar", name="Загрузка")).to_have_attribute("value", "0.4")
    assert demo.pressed == ["call", "broken"]
    good, bad = tmp_path / "звонок.mp3", tmp_path / "a.exe"
    good.write_bytes(b"ID3")
    bad.write_bytes(b"MZ")
    await page.locator(".drop input").set_input_files(bad)
    await expect(page.locator("#toast")).to_have_text("Нужен файл .mp3 или .wav")
    await page.locator(".drop input").set_input_files(good)
    await expect(page.locator(".drop small")).to_have_text("Запись принята")
    assert demo.dropped == [("звонок.mp3", b"ID3")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_narrow_screen_has_no_sideways_scroll_and_enough_contrast(shown: Shown, scheme: str) -> None:
    page = shown.page
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await shown.send(
        "Очень" * 60 + " <code>" + "9" * 90 + "</code> @ivan",
        reply_markup={"inline_keyboard": [[{"text": "Да" * 40, "callback_data": "x"}] * 3]},
    )
    await expect(page.locator(".message")).to_have_count(1)
    assert await page.evaluate(
        "document.documentElement.scrollWidth <= innerWidth && document.getElementById('log').scrollWidth <= innerWidth"
    )
    for selector in (".text", ".mention", ".stamp", "#chat-note", ".tabs button", "#menu", ".views button"):
        assert await page.locator(selector).first.evaluate(CONTRAST) >= 4.5, selector
    await page.get_by_role("button", name="Пульт").click()
    await expect(page.get_by_role("heading", name="Пульт")).to_be_visible()
    await expect(page.locator("#log")).to_be_hidden()


CONTRAST = """node => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => [r, g, b].map((v) => linear(v / 255))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  let back = node, ground = [0, 0, 0, 0];
  while (back && ground[3] === 0) {
    ground = parse(getComputedStyle(back).backgroundColor);
    back = back.parentElement;
  }
  const pair = [light(parse(getComputedStyle(node).color)), light(ground)].sort((a, b) => b - a);
  return (pair[0] + 0.05) / (pair[1] + 0.05);
}"""


async def test_the_page_comes_back_after_a_break(shown: Shown) -> None:
    page, double = shown.page, shown.scene.double
    double.site.stream.close()
    await expect(page.locator("#offline")).to_be_visible()
    await shown.send("пока вас не было")
    await expect(page.locator(".message .text")).to_have_text("пока вас не было", timeout=60_000)
    await expect(page.locator("#offline")).to_be_hidden()


async def test_theme_is_chosen_and_kept(shown: Shown) -> None:
    page = shown.page
    for name in ("светлая", "тёмная"):
        await page.get_by_role("button", name="Тема").click()
        await expect(page.get_by_role("button", name=f"Тема: {name}")).to_be_visible()
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
