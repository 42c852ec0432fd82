"""Digests of a company over a real database: short on a good day, the cause first on a bad one."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from domain.digests import DigestKind, DigestPart
from domain.messages import as_text
from handlers.analytics.company import Indicator
from handlers.digests.content import DigestFacts, DigestSources, digest_card, digest_picture, gather
from handlers.drawing import draw_apart
from handlers.texts import load_texts
from handlers.wording import Reader
from storage.engine import Database
from storage.models import settings as chosen
from storage.queries.company import Subject
from storage.queries.crm_reckoning import CrmReckoning
from storage.queries.reckoning import Reckoning
from storage.queries.settings import MIN_DURATION
from storage.queries.webinar_reckoning import WebinarReckoning
from tests.digests.company import FRIDAY, LINES, MORNING, MOSCOW, STAFF, call, lead, missed, month, put_in, usual_day
from tests.handlers.conftest import Golden
from tests.handlers.seed import put, seed_accounts

ALL = frozenset(DigestPart)
READER = Reader(texts=load_texts(), now=MORNING, zone=MOSCOW, vendors={"bitrix24": "Битрикс24"})


async def told(
    database: Database, now: datetime = MORNING, kind: DigestKind = DigestKind.DAILY, parts: frozenset[DigestPart] = ALL
) -> DigestFacts:  # fmt: skip
    return await gather(DigestSources(database=database), 1, kind=kind, parts=parts, now=now, zone=MOSCOW)


def card(facts: DigestFacts, *, full: bool = False, private: bool = True) -> str:
    return as_text(digest_card(facts, replace(READER, private=private), full=full, key="digest:1"))


async def test_good_days_are_short_and_a_bad_one_names_its_cause(lite: Database, golden: Golden) -> None:
    calls, leads = month(40)
    lost = [
        missed(FRIDAY + timedelta(hours=14, minutes=5 * n), 90_000 + n, line=LINES[1], employee_name=STAFF[0])
        for n in range(24)
    ]
    friday = [lead(FRIDAY + timedelta(hours=11, minutes=n), 90_000 + n) for n in range(12)]
    await put_in(lite, [*calls, *usual_day(FRIDAY, 50_000), *lost], [*leads, *friday])

    for days in range(1, 7):  # each day of the week before
        good = card(await told(lite, MORNING - timedelta(days=days)))
        assert "как обычно" in good
        assert len(good.splitlines()) <= 6
        assert "⚠️" not in good
    bad = await told(lite)
    golden("digest_bad_day", card(bad))
    golden("digest_bad_day_full", card(bad, full=True, private=False))
    assert card(bad).splitlines()[1:3] == [
        "⚠️ Пропущено 30 из 104 входящих, обычно 6", "• с 14:00 до 16:00 — 26, обычно 1",
    ]  # fmt: skip
    week = await told(lite, kind=DigestKind.WEEKLY)
    assert card(week).splitlines()[1:3] == [
        "⚠️ Пятница, 27 ноября: пропущено 30, обычно 6", "• с 14:00 до 16:00 — 26, обычно 1",
    ]  # fmt: skip
    given = digest_picture(bad, READER)
    assert given is not None
    assert given[1].rows[0].low[-1] == 30
    assert draw_apart(*given).startswith(b"\x89PNG")


async def test_a_source_that_dries_up_is_named(lite: Database) -> None:
    calls, leads = month(40)

    await put_in(lite, [*calls, *usual_day(FRIDAY, 50_000)], leads)
    line = card(await told(lite)).splitlines()[1]
    assert line.startswith("⚠️ Новых лидов всего 0, обычно 1")


async def test_without_a_past_it_says_so(lite: Database) -> None:
    await put_in(lite, [call(FRIDAY + timedelta(hours=12), 1)])
    said = card(await told(lite))
    assert said.splitlines()[0] == "📊 Пятница, 27 ноября · пока не с чем сравнить"
    assert "📞 1 звонок, пропущено 0 из 1 входящего" in said
    assert "лид" not in said  # who has no leads hears nothing of them
    assert "✅ Никто не ждёт" in said


async def test_of_a_day_that_is_not_over_nothing_later_is_told(lite: Database) -> None:
    """Asked again at night, the digest of 15:30 says what it said at 15:30."""
    await put_in(lite, [call(FRIDAY + timedelta(hours=hour), hour) for hour in (10, 12, 18, 19)])
    said = card(await told(lite, FRIDAY + timedelta(hours=15, minutes=30)))
    assert "📞 2 звонка, пропущено 0 из 2 входящих" in said


async def test_calls_of_three_days_have_no_usual_beside_leads_of_a_year(lite: Database) -> None:
    """Telephony was connected the day before yesterday: nothing is «обычно 0» of it."""
    _, leads = month(40)
    new = [missed(FRIDAY + timedelta(hours=10, minutes=n), n) for n in range(1, 9)]
    await put_in(lite, [*new, call(FRIDAY - timedelta(days=2), 20)], leads)
    facts = await told(lite)
    assert facts.compared
    assert [one.subject for one in facts.deviations] == [Subject.LEADS]
    assert set(facts.usual) == {Subject.LEADS}


async def test_who_waits_is_counted_once(lite: Database) -> None:
    """A client that called twice is one; whoever was called back, or got through, waits no more."""
    noon = FRIDAY + timedelta(hours=12)
    calls = [
        missed(noon, 1, client_phone="79990000001"), missed(noon + timedelta(hours=1), 2, client_phone="79990000001"),
        missed(noon, 3), call(noon + timedelta(hours=1), 4, direction="outgoing", outcome="busy",
                              client_phone="79000000003"),
        missed(noon, 5), call(noon + timedelta(minutes=5), 6, client_phone="79000000005"),
        missed(noon, 7, client_phone=""), missed(noon, 8, rehearsal=True), missed(noon - timedelta(days=20), 9),
    ]  # fmt: skip
    leads = [
        lead(noon, 1, status="new"), lead(noon, 2, status=""), lead(noon, 3, status="contacted"),
        lead(noon, 4, status="new", import_id=7), lead(noon, 5, status="new", deleted_at=MORNING),
    ]  # fmt: skip
    talk = call(noon + timedelta(minutes=30), 10, client_phone="79010000002", direction="outgoing", duration_s=60)
    short = call(noon + timedelta(minutes=30), 11, client_phone="79010000001", direction="outgoing", duration_s=5)
    await put_in(lite, [*calls, talk, short], leads)
    facts = await told(lite)
    assert [(one.phone, one.times) for one in facts.debts.calls.rows] == [("79990000001", 2)]
    assert [one.phone for one in facts.debts.leads.rows] == ["79010000001"]
    assert "⏳ Ждут: перезвонить 1 · лиды без контакта 1" in card(facts)
    assert "79990000001" not in card(facts, full=True, private=False).replace(" ", "")


@pytest.mark.parametrize(("fixed", "waiting"), [(False, 0), (True, 1)])
async def test_how_long_a_talk_is_the_chat_says_unless_the_environment_does(
    lite: Database, fixed: bool, waiting: int
) -> None:
    noon = FRIDAY + timedelta(hours=12)
    talk = call(noon + timedelta(minutes=5), 1, client_phone="79010000001", duration_s=8)
    await put_in(lite, [talk], [lead(noon, 1, status="new")])
    await seed_accounts(lite)
    await put(lite, chosen, {"account_id": 1, "name": MIN_DURATION, "value": "5", "changed_at": MORNING})
    sources = DigestSources(database=lite, default_short_s=10, short_fixed=fixed)
    facts = await gather(sources, 1, kind=DigestKind.DAILY, parts=ALL, now=MORNING, zone=MOSCOW)
    assert facts.debts.leads.total == facts.figures.number(Indicator.LEADS_WAITING) == waiting


@pytest.mark.parametrize("part", DigestPart)
async def test_a_part_that_is_left_out_is_not_told(lite: Database, part: DigestPart) -> None:
    await put_in(lite, [missed(FRIDAY + timedelta(hours=12), 1)], [lead(FRIDAY + timedelta(hours=12), 1, status="new")])
    signs = {DigestPart.CALLS: "📞", DigestPart.LEADS: "👤", DigestPart.DEBTS: "перезвонить"}
    said = card(await told(lite, parts=ALL - {part}))
    assert signs.get(part, "Сверено") not in said


async def test_a_reckoning_names_its_own_day_and_is_left_out_of_a_vendor_that_lists_nothing(lite: Database) -> None:
    """The digest is of another day, and calls from before the connection are in the digest and in no reckoning."""
    at = MORNING - timedelta(minutes=55)
    calls = Reckoning(vendor="bitrix24", at=at, listed=0, processed=0, filtered=0, waiting=0, found=0)
    facts = replace(
        await told(lite), calls_reckoned=(calls,), webinars_reckoned=(WebinarReckoning(vendor="bizon365", at=at),)
    )
    assert "свер" not in (card(facts) + card(facts, full=True)).casefold()
    some = replace(facts, calls_reckoned=(replace(calls, listed=20, processed=18, filtered=2),))
    line = f"за сутки до {at.astimezone(MOSCOW):%H:%M}: звонков в Битрикс24 20 · обработано 18"
    assert f"🧾 Сверка {line}" in card(some)
    assert f"• {line}" in card(some, full=True)
    before = at - timedelta(days=1)
    crm = CrmReckoning(vendor="bitrix24", at=before, listed=5, hook=4, poll=0, waiting=1)
    assert (
        f"🧾 Сверено за сутки: Битрикс24 20 из 20 (до {at.astimezone(MOSCOW):%H:%M})"
        f" · Битрикс24 4 из 5 (до {before.astimezone(MOSCOW):%d.%m %H:%M})"
    ) in card(replace(some, crm_reckoned=(crm,)))
