#!/usr/bin/env python
"""Make the README's picture: start the demo, end the complaint call, and take a photograph of its card in Chromium."""

import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "pictures" / "card.png"
MARGIN = 10  # of the chat's wall around the card, in CSS pixels
SCREEN = {"width": 390, "height": 1900}  # a phone's width, and high enough for the whole card
# Debian's own face is a fifth wider than a telephone's; a plain wall makes a small file.
STYLE = """
body { font-family: "Liberation Sans", sans-serif } .log { background: #dce5ee }
.answer-tool { display: none } .message { max-width: 100% } .text code { white-space: nowrap }
"""
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--force-color-profile=srgb", "--disable-background-networking"]


def main() -> int:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        print("Нужен Chromium: apt install chromium fonts-noto-color-emoji fonts-liberation")
        return 1
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    url = f"http://127.0.0.1:{_free_port()}"
    with tempfile.TemporaryDirectory(prefix="svodka-picture-") as folder:
        demo = _start(url, folder)
        try:
            _photograph(chromium, url)
        finally:
            demo.terminate()
            demo.wait(timeout=30)
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size // 1024} КиБ")
    return 0


def _start(url: str, folder: str) -> "subprocess.Popen[bytes]":
    """The demo on its scripts; returns when its page answers."""
    port = url.rpartition(":")[2]
    command = [sys.executable, "-m", "sandbox", "--scripts", "--no-browser", "--port", port, "--data", folder]
    demo = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
    transport = httpx.HTTPTransport(retries=8)  # refused connections only: half a second, then twice as long each time
    with httpx.Client(transport=transport) as client:
        client.get(f"{url}/demo/panel.json").raise_for_status()
    return demo


def _photograph(chromium: str, url: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(
            viewport=SCREEN,
            device_scale_factor=2,
            locale="ru-RU",
            timezone_id="Europe/Moscow",
            color_scheme="light",
            reduced_motion="reduce",
            bypass_csp=True,  # or the page would refuse STYLE
        )
        page.goto(url)
        page.add_style_tag(content=STYLE)
        httpx.post(f"{url}/demo/press/complaint", json={}, timeout=30).raise_for_status()
        page.get_by_text("Готово через").wait_for(timeout=30_000)
        page.screenshot(path=PICTURE, clip=_around_the_card(page))
        browser.close()


def _around_the_card(page: Page) -> dict[str, float]:
    page.wait_for_timeout(500)  # the edit's frame fades, the fonts settle
    box = page.locator("article.message").last.bounding_box()
    assert box is not None  # noqa: S101 - it was just waited for
    return {
        "x": max(box["x"] - MARGIN, 0),
        "y": box["y"] - MARGIN,
        "width": min(box["width"] + 2 * MARGIN, SCREEN["width"]),
        "height": box["height"] + 2 * MARGIN,
    }


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    raise SystemExit(main())
