"""A measured run: the pace Telegram allows is reached, and never passed, in any second at the receiver."""

from tests.telegram.bench import Bench, note

CHATS = 60
SECONDS = 4


async def test_28_a_second_and_never_above_30(bench: Bench) -> None:
    people = [bench.double.person(f"Ч{number}", started=True) for number in range(CHATS)]
    for number in range(28 * SECONDS + 28):
        await bench.post_to(people[number % CHATS].id, note(f"m{number}"), wake=False)
    async with bench.sending():
        await bench.double.until(lambda: len(bench.double.sent) >= 28 * SECONDS + 28, SECONDS * 3)
    times = [sent.at for sent in bench.double.sent]
    rate = (len(times) - 1) / (times[-1] - times[0])
    assert bench.double.busiest(1.0) <= 30
    assert rate >= 26.0  # 28.0 and more on a quiet machine; this one is shared
    for person in people[:10]:
        assert bench.double.busiest(1.0, bench.double.private(person)) == 1
