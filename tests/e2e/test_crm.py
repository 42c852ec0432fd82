"""amoCRM beside everything else: killed on the way each lead and card is there once; slow it makes nobody wait."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import select

from bot.entrance import ACCOUNT
from bot.http.ingress import seed_of
from bot.keys import load_keys
from bot.settings import read_settings
from domain.webhooks import Delivery
from integrations.amocrm.fake import Fake
from storage.models import work
from tests.conftest import Serve
from tests.e2e.hour import open_hour
from tests.e2e.town import Town, open_town

NEVER = 3600.0  # seconds until an answer that nobody lives to see
KEYS = {"SECRET_KEY": "a-key-of-a-test-long-enough", "HOOK_SECRET": "another-key-of-a-test-long-enough"}


def connected(url: str) -> dict[str, str]:
    return {"AMOCRM_BASE_URL": url, "AMOCRM_DOMAIN": "acme.amocrm.ru", "AMOCRM_ACCESS_TOKEN": "fake-amo-token", **KEYS}


def add_deal(amo: Fake, number: int) -> bytes:
    """A new deal with its person; the hook that tells of it."""
    amo.add_lead(number, pipeline_id=101, status_id=142)
    amo.add_contact(1000 + number, f"+7999000{number:04}", leads=(number,))
    return amo.lead_hook("add", number)


async def tell(town: Town, hook: bytes) -> None:
    secret = load_keys(read_settings(town.environment)).hook("amocrm")
    assert await town.post(f"/hooks/amocrm/{secret}", hook) == 200


def kept(folder: Path, question: str) -> list[str]:
    with closing(sqlite3.connect(folder / "data/svodka.db")) as database:
        return [str(row[0]) for row in database.execute(question)]


async def test_killed_on_the_way_each_deal_and_each_card_is_there_once(tmp_path: Path, serve: Serve) -> None:
    amo = Fake()
    async with open_town(tmp_path, **connected(await serve(amo.build_app()))) as town:
        await town.start_child()
        await tell(town, add_deal(amo, 1))
        await town.child.killed()  # with the answer to the hook
        amo.answers_after_s = NEVER
        await town.start_child()
        await tell(town, add_deal(amo, 2))
        await town.until(lambda: amo.asked("leads/pipelines"))
        await town.child.killed()  # while amoCRM is asked whose they are
        amo.answers_after_s = 0.0
        add_deal(amo, 3)  # made while nobody was there to be told
        await town.start_child()
        for number in (1, 2, 3):
            await town.until_card("Новая заявка, amoCRM", f"Человек {1000 + number}")
        await town.until(lambda: kept(tmp_path, "SELECT 1 FROM work WHERE kind = 'crm' AND state <> 'done'") == [])
        assert kept(tmp_path, "SELECT external_id FROM leads ORDER BY external_id") == ["1", "2", "3"]
        assert len(kept(tmp_path, "SELECT key FROM posts WHERE key LIKE 'lead:%'")) == 3
        assert sum("Новая заявка, amoCRM" in text for text in town.texts()) == 3, town.texts()


async def test_an_api_that_does_not_answer_makes_no_call_wait(tmp_path: Path, serve: Serve) -> None:
    amo = Fake()
    async with open_hour(tmp_path, **connected(await serve(amo.build_app()))) as hour:
        amo.answers_after_s = NEVER
        endpoint = hour.services.hooks.default("amocrm")
        assert endpoint is not None
        for number in range(1, 21):
            body = add_deal(amo, number)
            delivery = Delivery(method="POST", path="/", query="", headers={}, body=body, received_at=hour.clock.now())
            (event,) = endpoint.receiver.parse(delivery).events
            seed = seed_of(event, hour.services.vault)
            await hour.services.work.add(
                account_id=ACCOUNT, kind=seed.kind, object_=seed.object, payload=seed.payload, source="hook",
                now=hour.clock.now(),
            )  # fmt: skip
        hour.services.runner.wake()
        await hour.town.until(lambda: amo.asked("leads/1"))
        await hour.hears_of(hour.town.call())
        await hour.town.until(lambda: ended(hour.services, "call"))
        assert len(await hour.cards()) == 1
        assert not await ended(hour.services, "crm")
        await hour.services.connected["amocrm"].ports.close()  # nobody waits for those answers any longer


async def ended(services: object, kind: str) -> bool:
    async with services.database.read() as connection:  # type: ignore[attr-defined]
        done = select(work.c.id).where(work.c.kind == kind, work.c.state == "done")
        return await connection.scalar(done.limit(1)) is not None
