"""What /api/health says of Telegram."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from bot.reports import telegram_state


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    username: str = "svodka_bot"
    token_refused: bool = False
    outage_since: datetime | None = None
    conflict: bool = False
    silent: bool = False


WELL = Report()


@pytest.mark.parametrize(
    ("report", "state"),
    [
        (None, "unknown"),
        (WELL, "ok"),
        (replace(WELL, username=""), "unknown"),
        (replace(WELL, username="", silent=True), "unavailable"),
        (replace(WELL, silent=True), "unavailable"),
        (replace(WELL, outage_since=datetime(2026, 11, 20, tzinfo=UTC)), "unavailable"),
        (replace(WELL, token_refused=True, silent=True), "refused"),
        (replace(WELL, conflict=True), "refused"),
    ],
)
def test_each_trouble_has_its_word(report: Report | None, state: str) -> None:
    assert telegram_state(report) == state
