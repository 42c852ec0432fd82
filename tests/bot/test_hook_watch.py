"""A hook that a vendor switched off: told of once, whoever restarts meanwhile, and told when it is back."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from bot.alerts import Alerts
from bot.commands.urls import addresses
from bot.hook_watch import HookWatch
from bot.keys import load_keys
from bot.settings import read_settings
from domain.errors import BadInput, VendorRefused
from domain.messages import Destination, Message, as_text
from domain.webhooks import HookState
from handlers.texts import load_texts
from integrations.amocrm import VENDOR
from integrations.amocrm.access import LongLived
from integrations.amocrm.client import Client
from integrations.amocrm.fake import Fake, Scripted
from integrations.amocrm.hooks import WANTED_EVENTS, Hooks
from integrations.amocrm.platform import Crm
from integrations.amocrm.settings import Settings
from integrations.kit.vendor import Ports
from storage.codec import loads
from storage.destinations import Destinations
from storage.engine import Database
from storage.models import posts
from storage.posts import StoredChat
from tests.bot.terminal import Terminal
from tests.conftest import Serve
from tests.ground import HandClock, lay

TOKEN = "t0ken-0f-tests"
BOT = "123456789:AAfake-fake-fake-fake-fake-fake-fake"
GROUP = -100


@dataclass
class Scene:
    fake: Fake
    watch: HookWatch
    clock: HandClock
    database: Database
    address: str

    async def look(self) -> list[str]:
        """The headings of what was told so far, after an hour and another look."""
        self.clock.forward(3600)
        await self.watch.look()
        return [text.splitlines()[0] for text in await self.told()]

    async def told(self) -> list[str]:
        async with self.database.read() as connection:
            rows = await connection.scalars(select(posts.c.content).order_by(posts.c.id))
            return [as_text(loads(Message, row)) for row in rows]

    def hook(self, *, disabled: bool = False, events: tuple[str, ...] = WANTED_EVENTS) -> None:
        self.fake.account.hooks = [{"destination": self.address, "disabled": disabled, "settings": list(events)}]


@pytest.fixture
async def scene(lite: Database, clock: HandClock, serve: Serve, tmp_path: Path) -> AsyncIterator[Scene]:
    env = {"DATA_DIR": str(tmp_path), "PUBLIC_URL": "https://svodka.example", "TELEGRAM_BOT_TOKEN": BOT}
    env |= {"AMOCRM_DOMAIN": "acme.amocrm.ru", "AMOCRM_ACCESS_TOKEN": TOKEN}
    settings, fake = read_settings(env), Fake(token=TOKEN)
    keys, own = load_keys(settings), Settings(base_url=await serve(fake.build_app()), access_token=TOKEN)
    client = Client(own, LongLived(TOKEN), clock, sleep=clock.sleep)
    await Destinations(lite, clock).bind(1, Destination(chat_id=GROUP))
    alerts = Alerts(
        lite, StoredChat(clock), clock, texts=load_texts(), timezone=ZoneInfo("Europe/Moscow"), account_id=1,
        posted=lambda: None,
    )  # fmt: skip
    part = SimpleNamespace(vendor=VENDOR, ports=Ports(hooks=Hooks(Crm(client, own, clock))))
    silent = SimpleNamespace(vendor=VENDOR, ports=Ports())
    connected = cast("Any", {"amocrm": part, "tilda": silent})
    watch = HookWatch(
        settings=settings, keys=keys, database=lite, connected=connected, alerts=alerts, texts=load_texts(), clock=clock
    )
    yield Scene(fake, watch, clock, lite, addresses(settings, keys)["amocrm"][0]["url"])
    await client.close()


async def test_a_hook_that_works_is_not_spoken_of(scene: Scene) -> None:
    scene.hook()
    assert await scene.look() == []


async def test_one_switched_off_is_told_of_once_and_once_when_it_is_back(scene: Scene) -> None:
    scene.hook(disabled=True)
    assert await scene.look() == ["⛔ amoCRM: вебхук выключен"]
    scene.watch = replace(scene.watch)  # another process
    assert len(await scene.look()) == 1
    assert "Подписать вебхук" in (await scene.told())[0]
    scene.hook()
    assert (await scene.look())[1:] == ["✅ amoCRM: вебхук восстановлен"]
    assert "Перерыв 2ч" in (await scene.told())[1]
    assert len(await scene.look()) == 2
    scene.hook(disabled=True)
    assert len(await scene.look()) == 3


async def test_another_fault_is_another_message(scene: Scene) -> None:
    assert await scene.look() == ["⚠️ amoCRM: вебхука Сводки в аккаунте нет"]
    scene.hook(events=WANTED_EVENTS[1:])
    assert (await scene.look())[1:] == ["⚠️ amoCRM: вебхук сообщает не обо всём"]
    assert "Не отмечено: add_lead" in (await scene.told())[1]


async def test_subscribing_says_that_it_is_back(scene: Scene) -> None:
    await scene.look()
    assert (await scene.watch.subscribe("amocrm")).state is HookState.ON
    assert [hook["destination"] for hook in scene.fake.account.hooks] == [scene.address]
    assert (await scene.told())[1].startswith("✅ amoCRM: вебхук восстановлен")
    assert len(await scene.look()) == 2


@pytest.mark.parametrize("status", [403, 502])
async def test_what_cannot_be_seen_is_no_fault(scene: Scene, status: int) -> None:
    scene.fake.script("webhooks", Scripted(status=status))
    assert await scene.look() == []


async def test_nobody_outside_can_reach_us(scene: Scene) -> None:
    scene.watch = replace(scene.watch, settings=replace(scene.watch.settings, public_url=""))
    assert await scene.look() == []
    assert scene.fake.requests == type(scene.fake.requests)()
    with pytest.raises(BadInput, match="PUBLIC_URL"):
        await scene.watch.subscribe("amocrm")


@pytest.mark.parametrize("name", ["tilda", "bizon365"])
async def test_who_sets_no_hooks_is_not_asked_to(scene: Scene, name: str) -> None:
    with pytest.raises(BadInput, match="svodka urls"):
        await scene.watch.subscribe(name)


async def test_who_may_not_is_told_why(scene: Scene) -> None:
    scene.fake.script("webhooks", Scripted(status=403))
    with pytest.raises(VendorRefused):
        await scene.watch.subscribe("amocrm")


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({}, 0, "amoCRM: вебхук подписан"),
        ({"AMOCRM_ACCESS_TOKEN": "another"}, 1, "вебхук не подписан: amoCRM не приняла токен"),
        ({"PUBLIC_URL": ""}, 2, "PUBLIC_URL: не задан"),
        ({"AMOCRM_DOMAIN": "", "AMOCRM_ACCESS_TOKEN": "", "AMOCRM_BASE_URL": ""}, 2, "нужен подключённый сервис"),
    ],
    ids=["set", "refused", "no address", "not connected"],
)
async def test_the_command_sets_it_and_looks_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, serve: Serve, changed: dict[str, str], status: int, said: str
) -> None:
    fake, terminal = Fake(token=TOKEN), Terminal(monkeypatch, tmp_path)
    env = {
        "DATA_DIR": str(tmp_path / "data"), "PUBLIC_URL": "https://svodka.example", "TELEGRAM_BOT_TOKEN": BOT,
        "SECRET_KEY": "a-key-of-a-test-long-enough", "HOOK_SECRET": "another-key-of-a-test-long-enough",
        "AMOCRM_DOMAIN": "acme.amocrm.ru", "AMOCRM_ACCESS_TOKEN": TOKEN, "AMOCRM_BASE_URL": await serve(fake.build_app()),
    }  # fmt: skip
    terminal.set(env | changed)
    (tmp_path / "data").mkdir()
    await lay(tmp_path / "data/svodka.db")
    ended = await terminal("check", "amocrm", "--subscribe")
    assert said in ended.out + ended.err
    assert ended.status == status
    assert len(fake.account.hooks) == (status == 0)
