"""Statements over sets find their rows by an index: that a batch scans an account would not be seen in a small test."""

import re
import sqlite3
from pathlib import Path

import pytest

from storage import crm, imports, leads, matching, offers, rollups, sets, spend_entries, undoing, wholes
from storage import webinars as reports
from storage.queries import attendees, audience, client, company, waiting, webinars
from tests.ground import lay

_SPANS = {"spans": company._SPANS["sqlite"]}
STATEMENTS = {
    "calls of a stretch of time": (
        company._COUNTED["sqlite"].format(**company._CALLS, **_SPANS),
        "c USING COVERING INDEX ix_calls_figures (account_id=? AND rehearsal=? AND started_at>? AND started_at<?)",
    ),
    "who was called back": (
        waiting._MISSED,
        "b USING INDEX ix_calls_account_id_client_phone (account_id=? AND client_phone=?",
    ),
    "leads that somebody talked to": (
        waiting._WAITS.format(leads=waiting._LEADS.format(before=waiting._HOUR_BEFORE["sqlite"])),
        "c USING INDEX ix_calls_account_id_client_phone (account_id=? AND client_phone=?",
    ),
    "leads by their source's id": (leads._STORED, "uq_leads_external_id (account_id=? AND source=? AND external_id=?)"),
    "leads of people": (matching._LEADS, "ix_leads_person_id (person_id=?)"),
    "people by a key": (matching._KNOWN, "uq_identities_active (account_id=? AND kind=? AND value=?)"),
    "people by a key that is seen": (matching._SEEN, "uq_identities_active (account_id=? AND kind=? AND value=?)"),
    "keys that came since": (reports._NEW_IDENTITIES, "SEARCH identities USING INTEGER PRIMARY KEY (rowid>?)"),
    "leads that came since": (reports._NEW_LEADS, "SEARCH leads USING INTEGER PRIMARY KEY (rowid>?)"),
    "leads of a table": (imports._KNOWN_KEYS, "uq_leads_external_id (account_id=? AND source=? AND external_id=?)"),
    "what tables say of leads": (undoing._SAID, "ix_import_leads_lead_id (lead_id=?)"),
    "keys that a table told": (undoing._ITS_KEYS, "ix_identities_person_id (person_id=?)"),
    "leads of a day": (rollups._DAY, "ix_leads_account_id_created_at (account_id=? AND created_at>? AND created_at<?)"),
    "visits of a day's leads": (rollups._DAY, "ix_webinar_attendees_person_id (person_id=? AND lead_id=?)"),
    "the card: keys": (client._KEYS, "ix_identities_person_id (person_id=?)"),
    "the card: leads": (client._LEADS, "ix_leads_person_id (person_id=?)"),
    "the card: registrations": (client._REGISTRATIONS, "ix_registrations_person_id (person_id=?)"),
    "the card: visits": (client._VISITS, "ix_webinar_attendees_person_id (person_id=?)"),
    "people of several rows": (wholes._ROWS, "ix_webinar_attendees_person_id (person_id=?)"),
    "rows of several: theirs": (wholes._ROWS, "a USING INTEGER PRIMARY KEY (rowid=?)"),
    "parts of a whole": (wholes._TOGETHER, "ix_webinar_attendees_parts (session_id=? AND part_of>?)"),
    "who took whoever came under several keys": (audience._ATTENDEES, "p USING INTEGER PRIMARY KEY (rowid=?)"),
    "records of several rows": (
        attendees._RECORDS.replace("{positions}", "(SELECT value FROM json_each(a.positions))"),
        "a USING INTEGER PRIMARY KEY (rowid=?)",
    ),
    "their records' rows": (
        attendees._RECORDS.replace("{positions}", "(SELECT value FROM json_each(a.positions))"),
        "p USING COVERING INDEX ix_webinar_attendees_parts (session_id=? AND part_of=?)",
    ),
    "the card: calls": (client._CALLS, "ix_calls_account_id_client_phone (account_id=? AND client_phone=?)"),
    "the card: who was united": (client._PAIRS, "ix_person_joins_other_id (other_id=?)"),
    "who somebody is": (client._ALL_WHO_ARE, "ix_people_merged_into (merged_into=?)"),
    "offers: who has a card already": (offers._FRESH, "(account_id=? AND kind=? AND object=? AND generation=?)"),
    "offers: leads of a CRM's contacts": (offers._TOLD, "(account_id=? AND source=? AND contact_id=?)"),
    "offers: cards that tell of a lead": (offers._SHOWN, "(account_id=? AND key=?)"),
    "leads of contacts": (crm._LEADS_OF, "ix_crm_links_contact (account_id=? AND source=? AND contact_id=?)"),
    "offers: a story": (offers._STORY, "ix_leads_person_id (person_id=? AND created_at>? AND created_at<?)"),
    "spend: what an entry stands for": (
        spend_entries._HAND_ON,
        "spend USING INDEX ix_spend_replaced_by (account_id=? AND replaced_by=?)",
    ),
    "spend: what stands for an entry": (spend_entries._HAND_ON, "gone USING INDEX ix_spend_entry_id"),
    "spend: an entry's amounts": (spend_entries._GO_AWAY, "ix_spend_entry_id (account_id=? AND entry_id=?)"),
    "spend: how much is replaced": (spend_entries._REPLACED, "ix_spend_entry_id (account_id=? AND entry_id=?)"),
    "spend: sources": (spend_entries._PAID_SOURCES, "COVERING INDEX ix_spend_utm_source (account_id=?)"),
    "registrations of a session": (
        webinars._REGISTERED + webinars.REGISTRATIONS,
        "ix_registrations_session (account_id=? AND webinar_datetime>? AND webinar_datetime<?)",
    ),
}


@pytest.mark.parametrize("name", STATEMENTS)
async def test_a_set_is_looked_up_by_its_index(name: str, tmp_path: Path) -> None:
    await lay(tmp_path / "plans.db")
    sql, index = STATEMENTS[name]
    statement = sets._for_sqlite(sql)
    values = dict.fromkeys(re.findall(r":(\w+)", statement), "[]")
    connection = sqlite3.connect(tmp_path / "plans.db")
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
    connection.close()
    assert any(index in step for step in plan), plan
