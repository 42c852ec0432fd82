"""What is tried within a write is seen there and nowhere else, on both databases; what stands beside it is kept."""

import asyncio
from typing import Any, cast

import pytest
from sqlalchemy import select

from domain.leads import Lead
from domain.ports import Tx
from storage.engine import Database
from storage.leads import LeadStore
from storage.models import identities, leads, people
from storage.offers import OfferedLead, OfferStore
from storage.trying import lead_named, tried
from tests.storage.test_crm import T0

FORM = Lead(source="tilda", external_id="1:1", created_at=T0, updated_at=T0, name="Проба", phone="+7 999 123-45-67")
OTHER = Lead(source="tilda", external_id="1:2", created_at=T0, updated_at=T0, name="Живой", phone="+7 999 765-43-21")


async def kept(database: Database) -> tuple[list[str], list[str], list[str]]:
    """Names of leads and of people, and the keys of these."""
    async with database.read() as connection:
        columns = (leads.c.name, people.c.name, identities.c.value)
        lists = [sorted(await connection.scalars(select(column))) for column in columns]
    return lists[0], lists[1], lists[2]


async def test_what_is_tried_is_read_and_gone(database: Database) -> None:
    store, offers = LeadStore(database), OfferStore(database)

    async def write(connection: Any) -> OfferedLead | None:
        tx = cast("Tx", connection)

        async def whole() -> OfferedLead | None:
            await store.arrive(tx, 1, [FORM])
            lead_id = await lead_named(tx, 1, "tilda", "1:1")
            return await offers.read(tx, 1, lead_id or 0)

        lead = await tried(tx, whole)
        assert await lead_named(tx, 1, "tilda", "1:1") is None
        return lead

    real = database.write(lambda connection: store.arrive(cast("Tx", connection), 1, [OTHER]))
    lead, _ = await asyncio.gather(database.write(write), real)  # in one commit, where they meet
    assert lead is not None
    assert (lead.name, lead.phone) == ("Проба", "79991234567")
    assert await kept(database) == (["Живой"], ["Живой"], ["79997654321"])


async def test_what_breaks_leaves_nothing(database: Database) -> None:
    store = LeadStore(database)

    async def write(connection: Any) -> None:
        async def whole() -> None:
            await store.arrive(cast("Tx", connection), 1, [FORM])
            raise LookupError("half way")

        with pytest.raises(LookupError):
            await tried(cast("Tx", connection), whole)
        await store.arrive(cast("Tx", connection), 1, [OTHER])

    await database.write(write)
    assert (await kept(database))[0] == ["Живой"]
