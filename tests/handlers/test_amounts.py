"""Sums on the card and in the comment: the figure is always there, with what it is for."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from domain.calls import Amount, CallFacts, Evidence
from domain.events import CallOutcome, Direction
from handlers.calls.messages import call_comment
from handlers.texts import load_texts
from tests.handlers.seed import NOON, summary

FACTS = CallFacts(
    call_id="c1",
    vendor_row_id="1",
    direction=Direction.INCOMING,
    outcome=CallOutcome.ANSWERED,
    failed_code="200",
    client_phone="79991234567",
    line="",
    employee_id="12",
    started_at=NOON,
    duration_s=74,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("уборка офиса после ремонта", "18\u00a0000\u00a0₽ — уборка офиса после ремонта"),  # how models answer
        ("восемнадцать тысяч рублей", "18\u00a0000\u00a0₽ — восемнадцать тысяч рублей"),  # how the draft answers
        ("18 000 рублей за всё", "18 000 рублей за всё"),
        ("за 120 метров", "18\u00a0000\u00a0₽ — за 120 метров"),
        ("", "18\u00a0000\u00a0₽"),
    ],
)
def test_a_sum_is_shown_as_a_figure(text: str, shown: str) -> None:
    said = Evidence(quote="получается восемнадцать тысяч рублей", at=27.0, confirmed=True)
    found = replace(summary(), amounts=(Amount(value_rub=18000, text=text, evidence=said),))
    comment = call_comment(FACTS, found, load_texts(), timezone=ZoneInfo("Europe/Moscow"), marker="m")
    assert f"• {shown} ▶\N{NO-BREAK SPACE}0:27" in comment.splitlines()
