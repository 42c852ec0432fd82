"""Our hook in the account's list: how it stands with it, and that nobody else's is touched when it is set."""

from collections.abc import AsyncIterator

import pytest

from domain.errors import VendorRefused
from domain.webhooks import HookStanding, HookState
from integrations.amocrm.access import LongLived
from integrations.amocrm.client import Client
from integrations.amocrm.fake import Fake, Json, Scripted
from integrations.amocrm.hooks import WANTED_EVENTS, Hooks
from integrations.amocrm.platform import Crm
from integrations.amocrm.settings import Settings
from tests.conftest import Serve
from tests.ground import HandClock

TOKEN = "t0ken-0f-tests"
OURS = ("https://svodka.example/hooks/amocrm/0a1b", "https://svodka.example/api/webhooks/amo")
ON = HookStanding(state=HookState.ON)


@pytest.fixture
def fake() -> Fake:
    return Fake(token=TOKEN)


@pytest.fixture
async def hooks(serve: Serve, fake: Fake) -> AsyncIterator[Hooks]:
    settings = Settings(base_url=await serve(fake.build_app()), access_token=TOKEN)
    clock = HandClock()
    client = Client(settings, LongLived(TOKEN), clock, sleep=clock.sleep)
    yield Hooks(Crm(client, settings, clock))
    await client.close()


def row(destination: str = OURS[0], *, disabled: bool = False, events: tuple[str, ...] = WANTED_EVENTS) -> Json:
    return {"destination": destination, "disabled": disabled, "settings": list(events)}


@pytest.mark.parametrize(
    ("rows", "standing"),
    [
        ([], HookStanding(state=HookState.MISSING)),
        ([row()], ON),
        ([row(events=())], ON),  # an account that does not say of what
        ([row("https://another.name/hooks/amocrm/0a1b")], ON),
        ([row(disabled=True)], HookStanding(state=HookState.DISABLED)),
        ([row(disabled=True), row("https://another.name/hooks/amocrm/0a1b")], ON),
        ([row(events=WANTED_EVENTS[:-1])], HookStanding(state=HookState.LACKING, lacking=WANTED_EVENTS[-1:])),
        ([row("https://svodka.example/hooks/amocrm/another")], HookStanding(state=HookState.MISSING)),
        ([row(OURS[1])], HookStanding(state=HookState.MISSING)),  # there it would be refused for want of a signature
    ],
)
async def test_how_it_stands(fake: Fake, hooks: Hooks, rows: list[Json], standing: HookStanding) -> None:
    fake.account.hooks = rows
    assert await hooks.look(OURS) == standing


@pytest.mark.parametrize("before", [[], [row()], [row(disabled=True)], [row(events=("add_lead",))]], ids=len)
async def test_it_is_set_once_told_of_everything(fake: Fake, hooks: Hooks, before: list[Json]) -> None:
    fake.account.hooks = list(before)
    assert await hooks.subscribe(OURS) == ON
    (mine,) = fake.account.hooks
    assert (mine["destination"], mine["settings"], mine["disabled"]) == (OURS[0], list(WANTED_EVENTS), False)


async def test_only_what_is_left_over_of_ours_is_taken_away(fake: Fake, hooks: Hooks) -> None:
    others = [
        row("https://other.example/hook"),
        row("https://other.example/hooks/amocrm/theirs", disabled=True),
        row("https://svodka.example/another/service"),
    ]
    fake.account.hooks = [*others, row("https://svodka.example/hooks/amocrm/an-old-secret")]
    assert await hooks.subscribe(OURS) == ON
    assert fake.account.hooks[:-1] == others
    assert fake.account.hooks[-1]["destination"] == OURS[0]


async def test_who_is_no_administrator_is_told_so(fake: Fake, hooks: Hooks) -> None:
    fake.script("webhooks", Scripted(status=403))
    with pytest.raises(VendorRefused):
        await hooks.subscribe(OURS)
    assert [seen.method for seen in fake.requests] == ["GET"]
