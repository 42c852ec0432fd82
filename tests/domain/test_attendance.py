"""Records of presence become people: against an oracle that looks at every second and every pair of records."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.attendance import (
    Gathering,
    Presence,
    Visit,
    Warmth,
    Yardstick,
    attended,
    presence_of,
    seconds_of,
    united,
    visits_of,
    warmth_of,
)
from domain.webinars import Interval, Marks, Viewer

START = datetime(2026, 11, 20, 16, tzinfo=UTC)
PHONES = ("", "+7 999 123-45-67", "8 999 123 45 67", "+7 916 000-11-22", "+7911111111", "1")
KEYS = {"+7 999 123-45-67": "79991234567", "8 999 123 45 67": "79991234567", "+7 916 000-11-22": "79160001122"}
EMAILS = ("", "ivan@example.ru", "IVAN@example.ru ", "olga@example.ru", "1", "test@test.ru")


def interval(first: float, last: float) -> Interval:
    """Seconds from the start."""
    return Interval(start=START + timedelta(seconds=first), end=START + timedelta(seconds=last))


def email_of(viewer: Viewer) -> str:
    email = viewer.email.strip().lower()
    return email if email.endswith("@example.ru") else ""


def oracle(viewers: Sequence[Viewer]) -> list[str]:
    """Whose each record is, by looking at all the others."""

    def strong(viewer: Viewer) -> str:
        phone, email = KEYS.get(viewer.phone), email_of(viewer)
        if phone:
            return phone
        owners = {KEYS[v.phone] for v in viewers if v.phone in KEYS and email and email_of(v) == email}
        return owners.pop() if len(owners) == 1 else email

    def of(place: int, viewer: Viewer) -> str:
        if strong(viewer):
            return strong(viewer)
        user = viewer.chat_user_id
        owners = {strong(v) for v in viewers if user and v.chat_user_id == user and strong(v)}
        return owners.pop() if len(owners) == 1 else f"user {user}" if user else f"row {place}"

    return [of(place, viewer) for place, viewer in enumerate(viewers)]


INTERVALS = st.lists(
    st.tuples(st.integers(0, 300), st.integers(1, 60)).map(lambda pair: interval(pair[0], sum(pair))), max_size=3
).map(tuple)
VIEWERS = st.lists(
    st.builds(
        Viewer,
        raw=st.just("{}"),
        phone=st.sampled_from(PHONES),
        email=st.sampled_from(EMAILS),
        chat_user_id=st.sampled_from(("", "u1", "u2")),
        intervals=INTERVALS,
        messages=st.integers(0, 3),
        finished=st.booleans(),
    ),
    max_size=12,
)


@given(VIEWERS)
def test_people_are_told_apart_as_by_hand(viewers: list[Viewer]) -> None:
    expected: dict[str, set[int]] = {}
    for place, person in enumerate(oracle(viewers)):
        expected.setdefault(person, set()).add(place)
    visits = visits_of(viewers)
    assert sorted((set(visit.positions) for visit in visits), key=min) == sorted(expected.values(), key=min)
    assert [visit.person for visit in visits] == sorted(visit.person for visit in visits)
    for visit in visits:
        records = [viewers[place] for place in visit.positions]
        seconds = {
            second
            for record in records
            for one in record.intervals
            for second in range(int((one.start - START).total_seconds()), int((one.end - START).total_seconds()))
        }
        assert visit.watched_s == (len(seconds) if any(record.intervals for record in records) else None)
        assert visit.messages == sum(record.messages for record in records)
        assert visit.finished == any(record.finished for record in records)
        assert {KEYS[record.phone] for record in records if record.phone in KEYS} <= {visit.phone}


@given(VIEWERS, st.integers(1, 5))
def test_pages_do_not_matter(viewers: list[Viewer], size: int) -> None:
    gathering = Gathering()
    for start in range(0, len(viewers), size):
        gathering.add(viewers[start : start + size])
    assert list(gathering.visits()) == visits_of(viewers)


@given(INTERVALS)
def test_a_union_is_ordered_and_has_gaps(intervals: tuple[Interval, ...]) -> None:
    merged = united(intervals)
    assert all(one.end < other.start for one, other in itertools.pairwise(merged))
    assert (seconds_of(merged) is None) == (not intervals)


def test_a_thousand_records_of_one_person_are_one_visit() -> None:
    viewers = [
        Viewer(raw="{}", phone="8 999 123 45 67" if n % 2 else "", email="ivan@example.ru", intervals=(interval(n, n + 10),))
        for n in range(1000)
    ]
    (visit,) = visits_of(viewers)
    assert (visit.person, visit.watched_s, len(visit.positions)) == ("phone:79991234567", 1009, 1000)


def test_a_phone_a_digit_short_falls_to_the_email_and_a_literal_one_is_nothing() -> None:
    short, one = visits_of(
        [Viewer(raw="{}", phone="+7911111111", email="ivan@example.ru"), Viewer(raw="{}", phone="1", email="1")]
    )
    assert (short.person, short.phone, short.phone_raw) == ("email:ivan@example.ru", "", "+7911111111")
    assert (one.person[:4], one.phone, one.email) == ("row:", "", "")


def test_two_phones_with_one_email_stay_two_people() -> None:
    visits = visits_of(
        [
            Viewer(raw="{}", phone="89991234567", email="office@example.ru"),
            Viewer(raw="{}", phone="89160001122", email="office@example.ru"),
            Viewer(raw="{}", email="office@example.ru"),
        ]
    )
    assert [visit.person for visit in visits] == ["email:office@example.ru", "phone:79160001122", "phone:79991234567"]


def test_the_first_marks_and_all_links_are_kept() -> None:
    (visit,) = visits_of(
        [
            Viewer(raw="{}", email="ivan@example.ru", link_ids=("a", "b")),
            Viewer(raw="{}", email="ivan@example.ru", link_ids=("b", "c\0"), marks=Marks(source="google"), name="Иван"),
            Viewer(raw="{}", email="ivan@example.ru", marks=Marks(source="vk"), city="Казань"),
        ]
    )
    assert (visit.marks.source, visit.link_ids, visit.name, visit.city) == ("google", ("a", "b"), "Иван", "Казань")


def seen(seconds: int | None, *, finished: bool = False, messages: int = 0) -> Visit:
    intervals = () if seconds is None else (interval(0, seconds),) if seconds else ()
    (visit,) = visits_of([Viewer(raw="{}", intervals=intervals, finished=finished, messages=messages)])
    return visit


@pytest.mark.parametrize(
    ("seconds", "finished", "presence", "warmth", "counts"),
    [
        (60, False, Presence.LOOKED_IN, Warmth.COLD, False),
        (119, False, Presence.LOOKED_IN, Warmth.COLD, False),
        (120, False, Presence.LEFT_EARLY, Warmth.WARM, True),
        (1200, False, Presence.LEFT_EARLY, Warmth.WARM, True),
        (1800, False, Presence.ATTENDED, Warmth.WARM, True),
        (2520, False, Presence.ATTENDED, Warmth.HOT, True),
        (3240, False, Presence.STAYED, Warmth.HOT, True),
        (1800, True, Presence.STAYED, Warmth.HOT, True),
        (60, True, Presence.LOOKED_IN, Warmth.COLD, False),
        (None, False, Presence.UNKNOWN, Warmth.WARM, False),
        (None, True, Presence.STAYED, Warmth.HOT, True),
    ],
)
def test_words_of_an_hour(seconds: int | None, finished: bool, presence: Presence, warmth: Warmth, counts: bool) -> None:
    visit = seen(seconds, finished=finished)
    assert presence_of(visit, 3600, Yardstick()) is presence
    assert warmth_of(visit, 3600, Yardstick()) is warmth
    assert attended(visit, Yardstick()) is counts


def test_a_question_makes_hot_and_an_unknown_length_makes_nobody_leave_early() -> None:
    assert warmth_of(seen(60, messages=1), 3600, Yardstick()) is Warmth.HOT
    assert presence_of(seen(130), 0, Yardstick()) is Presence.ATTENDED


@given(VIEWERS, st.sampled_from((0, 60, 3600)))
def test_who_stayed_attended(viewers: list[Viewer], length: int) -> None:
    for visit in visits_of(viewers):
        if presence_of(visit, length, Yardstick()) is Presence.STAYED:
            assert attended(visit, Yardstick())


def test_who_says_nothing_is_the_same_wherever_they_stand_in_the_report() -> None:
    ann, bob = Viewer(raw='{"name": "Анна"}', name="Анна"), Viewer(raw='{"name": "Борис"}', name="Борис")
    keys = [{visit.name: visit.person for visit in visits_of(viewers)} for viewers in ([ann, bob], [bob, ann])]
    assert keys[0] == keys[1]
    assert len({visit.person for visit in visits_of([ann, bob, bob])}) == 3
