"""The pace in virtual time: an hour passes at once."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.telegram.outage import BACKOFF, Outage
from bot.telegram.pacer import CHAT_INTERVAL, GROUP_LIMIT, Item, Pacer, Spacing, jittered

Sent = list[tuple[float, Item]]


def drain(pacer: Pacer, *, latency: float = 0.05, until: float = 7200.0, hogs: dict[int, float] | None = None) -> Sent:
    """Send everything in virtual time; ``hogs``: after that many messages the loop is blocked for so many seconds."""
    spacing, now, sent = Spacing(), 0.0, []
    under_way: list[tuple[float, Item]] = []
    while now < until:
        for moment, item in [entry for entry in under_way if entry[0] <= now]:
            under_way.remove((moment, item))
            pacer.done(item, now)
        item = pacer.take(now)
        if item is not None:
            now += spacing.delay(now)
            now += (hogs or {}).get(len(sent), 0.0)
            spacing.passed(now)
            pacer.went(item.chat_id, now)
            sent.append((now, item))
            under_way.append((now + latency, item))
            continue
        waits = [pacer.wait(now), *(moment - now for moment, _ in under_way)]
        known = [wait for wait in waits if wait is not None]
        if not known:
            return sent
        now += max(min(known), 1e-6)
    return sent


def busiest(times: list[float], seconds: float) -> int:
    first = most = 0
    for last, at in enumerate(times):
        while at - times[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def test_one_hot_chat_and_one_group_delay_nobody() -> None:
    """600 messages, the hot ones queued first. By the old way (first come) the others had waited 117 s at the median."""
    pacer = Pacer()
    items = [Item(key=("hot", n), chat_id=1, order=n) for n in range(30)]
    items += [Item(key=("group", n), chat_id=-1, order=30 + n) for n in range(40)]
    items += [Item(key=n, chat_id=1000 + n, order=70 + n) for n in range(530)]
    for item in items:
        assert pacer.add(item)
    sent = drain(pacer)
    others = sorted(at for at, item in sent if item.chat_id >= 1000)
    assert len(sent) == 600
    assert others[len(others) // 2] < 10.2
    assert others[-1] < 20.7
    hot = [at for at, item in sent if item.chat_id == 1]
    assert all(later - earlier >= 1.0 for earlier, later in pairwise(hot))
    group = [at for at, item in sent if item.chat_id == -1]
    assert busiest(group, 60.0) <= 18
    assert busiest([at for at, _ in sent], 1.0) <= 30


def test_an_hour_of_a_group_keeps_to_eighteen_a_minute() -> None:
    pacer = Pacer()
    for number in range(2000):
        pacer.add(Item(key=number, chat_id=-5, order=number))
    sent = drain(pacer, until=3600.0)
    times = [at for at, _ in sent]
    assert 18 * 59 <= len(times) <= 18 * 60 + GROUP_LIMIT
    assert busiest(times, 60.0) <= 18
    assert [item.order for _, item in sent] == sorted(item.order for _, item in sent)


def test_twenty_eight_a_second_for_three_minutes() -> None:
    pacer = Pacer()
    for number in range(28 * 180):
        pacer.add(Item(key=number, chat_id=number, order=number))
    times = [at for at, _ in drain(pacer)]
    assert times[-1] <= 180.0
    assert busiest(times, 1.0) <= 29


@given(hogs=st.dictionaries(st.integers(0, 300), st.floats(0.0, 1.5), max_size=20))
@settings(max_examples=40, deadline=None)
def test_a_blocked_loop_is_never_caught_up_by_a_burst(hogs: dict[int, float]) -> None:
    pacer = Pacer()
    for number in range(300):
        pacer.add(Item(key=number, chat_id=number, order=number))
    times = [at for at, _ in drain(pacer, hogs=hogs)]
    assert busiest(times, 1.0) <= 30


def test_priority_goes_first_among_what_may_go() -> None:
    pacer = Pacer()
    for number in range(50):
        pacer.add(Item(key=number, chat_id=number, order=number))
    pacer.add(Item(key="answer", chat_id=7, priority=10, order=999.0))
    first = pacer.take(0.0)
    assert first is not None
    assert first.key == "answer"
    second = pacer.take(0.0)
    assert second is not None
    assert second.key == 0


def test_a_known_item_is_not_queued_twice() -> None:
    pacer = Pacer()
    item = Item(key=1, chat_id=1)
    assert pacer.add(item)
    assert not pacer.add(item)
    assert pacer.take(0.0) == item
    assert not pacer.add(item)  # under way
    pacer.done(item, 0.0)
    assert pacer.add(item)
    assert len(pacer) == 1


def test_one_request_of_a_chat_at_a_time() -> None:
    pacer = Pacer()
    first, second = Item(key=1, chat_id=1), Item(key=2, chat_id=1)
    pacer.add(first)
    pacer.add(second)
    assert pacer.take(0.0) == first
    assert pacer.take(100.0) is None
    assert pacer.wait(100.0) is None
    pacer.done(first, 100.0)
    assert pacer.take(100.0) == second


def test_a_frozen_chat_waits_and_others_do_not() -> None:
    pacer = Pacer()
    pacer.add(Item(key=1, chat_id=1))
    pacer.add(Item(key=2, chat_id=2))
    pacer.freeze(1, 5.0)
    taken = pacer.take(0.0)
    assert taken is not None
    assert taken.chat_id == 2
    assert pacer.take(0.0) is None
    assert pacer.wait(0.0) == 5.0
    assert pacer.held(1, 4.9)
    assert not pacer.held(1, 5.0)
    assert pacer.frozen_chats(0.0) == [1]
    assert pacer.take(5.0) is not None


def test_everything_freezes_and_thaws() -> None:
    pacer = Pacer()
    pacer.add(Item(key=1, chat_id=1))
    pacer.take(0.0)
    pacer.add(Item(key=2, chat_id=2))
    pacer.freeze_all(9.0)
    assert pacer.take(1.0) is None
    assert pacer.wait(1.0) == 8.0
    pacer.thaw_all()
    assert pacer.take(1.0) is not None


def test_who_gave_up_is_dropped() -> None:
    pacer = Pacer()
    first, second = Item(key=1, chat_id=1), Item(key=2, chat_id=1)
    pacer.add(first)
    pacer.add(second)
    pacer.drop(first)
    pacer.drop(Item(key=9, chat_id=1))
    assert pacer.take(0.0) == second
    pacer.drop(second)  # under way: no effect
    assert not pacer.add(second)


def test_quiet_chats_are_forgotten() -> None:
    pacer = Pacer()
    for number in range(1100):
        item = Item(key=number, chat_id=number + 1)
        pacer.add(item)
        taken = pacer.take(float(number * 100))
        assert taken == item
        pacer.went(item.chat_id, float(number * 100))
        pacer.done(item, float(number * 100))
    assert len(pacer._chats) < 1010


@given(
    chats=st.lists(st.integers(-3, 3), min_size=1, max_size=120),
    latency=st.floats(0.0, 3.0),
)
@settings(max_examples=60, deadline=None)
def test_whatever_comes_every_pace_is_kept_and_nothing_is_lost(chats: list[int], latency: float) -> None:
    pacer = Pacer()
    for number, chat_id in enumerate(chats):
        pacer.add(Item(key=number, chat_id=chat_id, order=number))
    sent = drain(pacer, latency=latency)
    assert sorted(item.key for _, item in sent) == list(range(len(chats)))
    for chat_id, count in Counter(chats).items():
        mine = [(at, item.order) for at, item in sent if item.chat_id == chat_id]
        assert len(mine) == count
        assert [order for _, order in mine] == sorted(order for _, order in mine)
        assert all(b[0] - a[0] >= CHAT_INTERVAL - 1e-9 for a, b in pairwise(mine))


def test_a_jittered_pause_is_longer_but_not_much() -> None:
    assert all(10.1 <= jittered(10.0) <= 11.1 for _ in range(50))


def test_an_outage_backs_off_to_half_a_minute_and_is_told_once() -> None:
    outage = Outage()
    assert not outage.active
    pauses = [outage.failed(float(n)) for n in range(8)]
    assert pauses == [*BACKOFF, 30.0, 30.0]
    assert outage.since == 0.0
    assert outage.must_tell()
    assert not outage.must_tell()
    assert outage.over(100.0) == 100.0
    assert outage.over(101.0) is None


def test_a_single_refused_connection_is_not_worth_a_word() -> None:
    outage = Outage()
    outage.failed(0.0)
    assert not outage.must_tell()
    assert outage.over(1.0) is None


@pytest.mark.parametrize("late", [0.0, 0.005, 0.009])
def test_small_delays_do_not_add_up(late: float) -> None:
    spacing, now = Spacing(28.0), 0.0
    spacing.passed(now)
    for _ in range(280):
        now += spacing.delay(now) + late
        spacing.passed(now)
    assert now == pytest.approx(10.0, abs=0.02)
