"""The tables, in one metadata."""

from storage.models.access import api_keys
from storage.models.ads import ad_changes, ad_rules, ad_runs
from storage.models.calls import calls
from storage.models.chat import destinations, fsm, posts, telegram_updates
from storage.models.claims import lead_claims, webinar_claims
from storage.models.core import accounts, audit, connections, counters, notices, requests, settings
from storage.models.crm import crm_contacts, crm_links, crm_people, crm_stages
from storage.models.directory import (
    departments,
    directory_lists,
    employee_departments,
    employees,
    house_mappings,
    houses,
)
from storage.models.leads import (
    creatives,
    directions,
    identities,
    import_leads,
    imports,
    leads,
    people,
    person_joins,
    spend,
    spend_entries,
)
from storage.models.schedules import schedules
from storage.models.tasks import board_reads, board_tasks, call_tasks, employee_links
from storage.models.tokens import oauth_states, vendor_tokens
from storage.models.types import UtcDateTime, metadata
from storage.models.users import invitations, users
from storage.models.webinars import (
    conversion_dirty,
    conversion_rollups,
    link_clicks,
    links,
    registration_rules,
    registrations,
    webinar_attendees,
    webinar_changes,
    webinar_records,
    webinars,
)
from storage.models.work import charges, inbox, work, work_steps

__all__ = [
    "UtcDateTime",
    "accounts",
    "ad_changes",
    "ad_rules",
    "ad_runs",
    "api_keys",
    "audit",
    "board_reads",
    "board_tasks",
    "call_tasks",
    "calls",
    "charges",
    "connections",
    "conversion_dirty",
    "conversion_rollups",
    "counters",
    "creatives",
    "crm_contacts",
    "crm_links",
    "crm_people",
    "crm_stages",
    "departments",
    "destinations",
    "directions",
    "directory_lists",
    "employee_departments",
    "employee_links",
    "employees",
    "fsm",
    "house_mappings",
    "houses",
    "identities",
    "import_leads",
    "imports",
    "inbox",
    "invitations",
    "lead_claims",
    "leads",
    "link_clicks",
    "links",
    "metadata",
    "notices",
    "oauth_states",
    "people",
    "person_joins",
    "posts",
    "registration_rules",
    "registrations",
    "requests",
    "schedules",
    "settings",
    "spend",
    "spend_entries",
    "telegram_updates",
    "users",
    "vendor_tokens",
    "webinar_attendees",
    "webinar_changes",
    "webinar_claims",
    "webinar_records",
    "webinars",
    "work",
    "work_steps",
]
