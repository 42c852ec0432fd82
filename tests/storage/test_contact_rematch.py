"""A contact whose phone comes to light later brings its earlier visits and calls along: from amoCRM's hook to the page."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.crm import CrmAction, CrmLead, LeadChange
from domain.events import CrmChanged
from domain.ports import Tx
from integrations.amocrm.webhook import Receiver
from storage.changes import changed_webinars, settle_change
from storage.crm import CrmStore
from storage.engine import Database
from storage.leads import LeadStore
from storage.models import leads
from storage.queries.client import read_client
from tests.handlers.seed import call_row, seed_calls
from tests.integrations.amocrm.conftest import SETTINGS, changed, hook
from tests.storage.hall import Hall, viewer

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
FIELD = "contacts[update][0][custom_fields][0]"


def told(phone: str) -> CrmChanged:
    """The account's hook of a changed contact, as it is posted."""
    fields = {"[id]": "70", "[type]": "contact", "[name]": "Ирина Белова", "[linked_leads_id][7][ID]": "7"}
    body = {f"contacts[update][0]{name}": value for name, value in fields.items()}
    body |= {f"{FIELD}[id]": "1", f"{FIELD}[code]": "PHONE", f"{FIELD}[values][0][value]": phone}
    return changed(Receiver(SETTINGS).parse(hook(body)).events)


@pytest.mark.parametrize("phone", ["8 999 123-45-67", "+7 (999) 123 45 67"])
async def test_a_contact_that_is_given_a_phone_brings_its_visits_and_calls(database: Database, phone: str) -> None:
    hall, crm = Hall(database), CrmStore("amocrm", LeadStore(database))
    session = await hall.hold([viewer("9991234567", minutes=(0, 42))])
    await seed_calls(database, (call_row(3, client_phone="79991234567"),))
    deal = LeadChange(action=CrmAction.ADDED, lead=CrmLead(external_id="7", created_at=NOW, updated_at=NOW))
    await database.write(lambda c: _leads(crm, c, deal))
    for change in await changed_webinars(database, 1):
        await database.write(lambda c, change=change: settle_change(c, change))
    assert (await hall.attendees())[0]["person_id"] is None

    event = told(phone)
    await database.write(lambda c: crm.contacts(cast("Tx", c), 1, event.contacts, heard_at=NOW))

    (lead,) = await hall.rows(leads)
    (visit,) = await hall.attendees()
    assert (visit["person_id"], visit["lead_id"], visit["matched_by"]) == (lead["person_id"], lead["id"], "phone")
    assert [one.session_id for one in await changed_webinars(database, 1)] == [session]  # its card follows
    client = await read_client(database, 1, lead["person_id"])
    assert client is not None
    assert (len(client.visits), len(client.calls), client.leads[0].name) == (1, 1, "Ирина Белова")


async def _leads(crm: CrmStore, connection: AsyncConnection, *deals: LeadChange) -> Any:
    return await crm.leads(cast("Tx", connection), 1, deals, heard_at=NOW)
