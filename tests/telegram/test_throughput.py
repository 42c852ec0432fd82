"""A real run over sockets: what Telegram allows is never passed, in any second at the receiver.

How fast the sender is gets measured by ``make bench ARGS=sender``: a busy machine would make a test of it fail.
"""

from tests.telegram.bench import Bench, note

CHATS = 60
MESSAGES = 140


async def test_never_above_30_a_second_and_one_a_chat(bench: Bench) -> None:
    people = [bench.double.person(f"Ч{number}", started=True) for number in range(CHATS)]
    for number in range(MESSAGES):
        await bench.post_to(people[number % CHATS].id, note(f"m{number}"), wake=False)
    async with bench.sending():
        await bench.double.until(lambda: len(bench.double.sent) >= MESSAGES, 60)
    assert len({sent.text for sent in bench.double.sent}) == MESSAGES
    assert bench.double.busiest(1.0) <= 30
    for person in people:
        assert bench.double.busiest(1.0, bench.double.private(person)) == 1
