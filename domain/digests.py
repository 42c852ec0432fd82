"""What a digest tells of and of which days: the daily picture of the company, the weekly one, and that of a webinar."""

from enum import StrEnum


class DigestKind(StrEnum):
    """How much a digest covers: the day before it, the seven days before it, or one webinar."""

    DAILY = "daily"
    WEEKLY = "weekly"
    WEBINAR = "webinar"


class DigestPart(StrEnum):
    """What a digest may tell of; each can be left out of a schedule."""

    CALLS = "calls"
    LEADS = "leads"
    WEBINARS = "webinars"
    DEBTS = "debts"  # missed calls without a call back, leads without a contact, hot people not called
    TASKS = "tasks"  # overdue tasks of the CRM
    RECKONING = "reckoning"  # what the vendors list against what was worked on
