"""What the chats should show: one row per message and chat, a revision only for a change, every ending of a sending."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.messages import Destination, File, Message, Section, plain
from domain.ports import Tx
from storage.destinations import Destinations
from storage.engine import Database
from storage.models import accounts, destinations, posts, settings
from storage.outbox import FLOOD, PLAIN, UNCERTAIN, WINDOW_PER_CHAT, ClaimedPost, Outbox
from storage.posts import GONE, INTERACTIVE, LONGEST_KEY, StoredChat
from tests.ground import HandClock


def note(key: str, text: str = "текст", **more: Any) -> Message:
    return Message(key=key, sections=(Section(lines=(plain(text),)),), **more)


async def post(database: Database, clock: HandClock, message: Message) -> int:
    async def job(connection: AsyncConnection) -> int:
        return await StoredChat(clock).post(cast("Tx", connection), 1, message)

    return await database.write(job)


async def post_to(database: Database, clock: HandClock, chat_id: int, message: Message, **more: Any) -> int:
    async def job(connection: AsyncConnection) -> int:
        place = Destination(chat_id=chat_id, topic_id=more.pop("topic_id", None))
        return await StoredChat(clock).post_to(cast("Tx", connection), 1, place, message, **more)

    return await database.write(job)


async def rows(database: Database) -> list[Any]:
    async with database.read() as connection:
        return list((await connection.execute(select(posts).order_by(posts.c.id))).all())


async def open_account(database: Database, clock: HandClock) -> None:
    async def job(connection: AsyncConnection) -> None:
        await connection.execute(insert(accounts).values(id=1, name="Тест", timezone="UTC", created_at=clock.now()))

    await database.write(job)


async def claimed(outbox: Outbox, post_id: int) -> ClaimedPost:
    post = await outbox.claim(post_id)
    assert post is not None
    return post


async def test_a_message_goes_where_its_kind_is_taken(database: Database, clock: HandClock) -> None:
    places = Destinations(database, clock)
    await places.bind(1, Destination(chat_id=-10), kinds=("call", "missed"))
    await places.bind(1, Destination(chat_id=-20), kinds=("notice",), silent=True)
    await places.bind(2, Destination(chat_id=-30))
    assert await post(database, clock, note("a")) == 1
    assert await post(database, clock, note("b", kind="notice")) == 1
    assert await post(database, clock, note("c", kind="webinar")) == 0
    first, second = await rows(database)
    assert (first.chat_id, first.silent, first.state) == (-10, False, "wanted")
    assert (second.chat_id, second.silent) == (-20, True)


async def test_a_chat_of_one_person_may_get_more_than_a_group(database: Database, clock: HandClock) -> None:
    places = Destinations(database, clock)
    for chat in (-10, 20):
        await places.bind(1, Destination(chat_id=chat))

    async def job(connection: AsyncConnection) -> int:
        return await StoredChat(clock).post(cast("Tx", connection), 1, note("k", "коротко"), private=note("k", "целиком"))

    assert await database.write(job) == 2
    contents = {row.chat_id: row.content for row in await rows(database)}
    assert ["коротко" in contents[-10], "целиком" in contents[20]] == [True, True]
    assert "целиком" not in contents[-10]


async def test_a_repost_changes_what_is_there_and_makes_nothing(database: Database, clock: HandClock) -> None:
    places, chat = Destinations(database, clock), StoredChat(clock)
    await places.bind(1, Destination(chat_id=-10), kinds=("call",))
    for text, count in (("нет", 0), ("да", 1)):
        message = note("a", text)
        assert await database.write(lambda tx, m=message: chat.repost(cast("Tx", tx), 1, m)) == count  # type: ignore[misc]
        await post(database, clock, note("a", "раз"))
    await places.bind(1, Destination(chat_id=-20), kinds=("call",))
    assert await database.write(lambda tx: chat.repost(cast("Tx", tx), 1, note("a", "ещё"))) == 1
    assert [(row.chat_id, row.revision) for row in await rows(database)] == [(-10, 4)]


async def test_the_same_content_makes_no_revision(database: Database, clock: HandClock) -> None:
    await post_to(database, clock, 5, note("a"))
    await post_to(database, clock, 5, replace(note("a"), silent=True))
    (row,) = await rows(database)
    assert row.revision == 1
    await post_to(database, clock, 5, note("a", "другой"), priority=INTERACTIVE)
    (row,) = await rows(database)
    assert (row.revision, row.priority) == (2, INTERACTIVE)


async def test_not_before_can_only_be_lifted_by_the_same_content(database: Database, clock: HandClock) -> None:
    later, sooner = clock.now() + timedelta(seconds=45), clock.now() + timedelta(seconds=20)
    await post_to(database, clock, 5, note("a", not_before=sooner))
    await post_to(database, clock, 5, note("a", not_before=later))
    assert (await rows(database))[0].not_before == sooner
    await post_to(database, clock, 5, note("a"))
    assert (await rows(database))[0].not_before == clock.now()


async def test_a_revision_of_what_was_sent_is_due_at_once(database: Database, clock: HandClock) -> None:
    outbox = Outbox(database, clock)
    post_id = await post_to(database, clock, 5, note("a"))
    await outbox.sent(await claimed(outbox, post_id), 77)
    await post_to(database, clock, 5, note("a", "другой", not_before=clock.now() + timedelta(seconds=45)))
    (row,) = await rows(database)
    assert (row.state, row.not_before, row.message_id) == ("wanted", clock.now(), 77)


async def test_two_topics_of_one_chat_are_two_messages(database: Database, clock: HandClock) -> None:
    places = Destinations(database, clock)
    for topic in (3, 4, None):
        await places.bind(1, Destination(chat_id=-10, topic_id=topic))
    for text in ("раз", "два"):
        assert await post(database, clock, note("a", text)) == 3
    found = await rows(database)
    assert [(row.key, row.topic_id, row.revision) for row in found] == [("a", 3, 2), ("a@4", 4, 2), ("a@0", None, 2)]


async def test_files_are_rows_of_their_own(database: Database, clock: HandClock) -> None:
    outbox = Outbox(database, clock)
    files = (File(path="a.txt", name="a.txt"), File(path="b.mp3", name="b.mp3", kind="audio"))
    main = await post_to(database, clock, 5, note("call", files=files))
    found = await rows(database)
    assert [row.key for row in found] == ["call", "call#file:a.txt", "call#file:b.mp3"]
    assert [row.reply_to_key for row in found] == [None, "call", "call"]
    assert [post.id for post in await outbox.due()] == [main]  # files wait for what they answer
    await outbox.sent(await claimed(outbox, main), 77)
    due = await outbox.due()
    assert len(due) == 2
    text, audio = [await claimed(outbox, post.id) for post in due]
    assert (text.reply_to_message_id, text.audio, audio.audio) == (77, False, True)


async def test_a_file_alone_needs_no_message(database: Database, clock: HandClock) -> None:
    only = await post_to(
        database, clock, 5, Message(key="x", sections=(), files=(File(path="a", name="a"),), reply_to="card")
    )
    (row,) = await rows(database)
    assert (row.id, row.key, row.reply_to_key, row.silent) == (only, "x#file:a", "card", False)


async def test_a_long_key_is_shortened_and_stays_its_own(database: Database, clock: HandClock) -> None:
    for end in ("1", "2", "1"):
        await post_to(database, clock, 5, note("к" * 300 + end))
    found = await rows(database)
    assert len(found) == 2
    assert all(len(row.key) <= LONGEST_KEY for row in found)


async def test_a_dead_destination_keeps_posts_for_its_return(database: Database, clock: HandClock) -> None:
    places = Destinations(database, clock)
    await places.bind(1, Destination(chat_id=-10))
    await post(database, clock, note("a"))
    assert await places.bury(-10, "kicked") == 1
    assert await post(database, clock, note("b")) == 1
    await post(database, clock, note("a", "другой"))
    assert [(row.state, row.error) for row in await rows(database)] == [("dead", GONE)] * 2
    assert await places.revive(-10) == 2
    assert [row.state for row in await rows(database)] == ["wanted"] * 2


async def test_the_window_shows_every_chat(database: Database, clock: HandClock) -> None:
    for number in range(WINDOW_PER_CHAT + 5):
        await post_to(database, clock, 1, note(f"hot{number}"))
    await post_to(database, clock, 2, note("other"))
    await post_to(database, clock, 3, note("held", not_before=clock.now() + timedelta(seconds=9)))
    outbox = Outbox(database, clock)
    due = await outbox.due()
    assert len([post for post in due if post.chat_id == 1]) == WINDOW_PER_CHAT
    assert len([post for post in due if post.chat_id == 2]) == 1
    assert await outbox.next_due() == clock.now() + timedelta(seconds=9)


async def test_a_claim_is_one(database: Database, clock: HandClock) -> None:
    outbox = Outbox(database, clock)
    post_id = await post_to(database, clock, 5, note("a"))
    assert await outbox.claim(post_id) is not None
    assert await outbox.claim(post_id) is None


async def test_every_ending(database: Database, clock: HandClock) -> None:
    outbox = Outbox(database, clock)
    post_id = await post_to(database, clock, 5, note("a"))

    async def row() -> Any:
        return (await rows(database))[0]

    later = clock.now() + timedelta(seconds=5)
    await outbox.put_back(await claimed(outbox, post_id), tried=False, not_before=later, error=FLOOD)
    assert ((await row()).state, (await row()).attempts, (await row()).not_before) == ("wanted", 0, later)
    assert await outbox.frozen() == {5: later}
    clock.forward(5)
    assert await outbox.frozen() == {}
    await outbox.put_back(await claimed(outbox, post_id), tried=True)
    assert (await row()).attempts == 1
    await outbox.without_markup(await claimed(outbox, post_id))
    bare = await claimed(outbox, post_id)
    assert bare.plain
    await outbox.put_back(bare, tried=True, error="x")
    assert (await row()).error == PLAIN
    assert await outbox.uncertain(await claimed(outbox, post_id))
    assert (await row()).possible_repeats == 1
    await outbox.maybe_repeated(await claimed(outbox, post_id))
    assert (await row()).possible_repeats == 1
    assert not await outbox.uncertain(await claimed(outbox, post_id))
    assert ((await row()).state, (await row()).error) == ("dead", UNCERTAIN)
    counts = await outbox.counts()
    assert (counts.dead, counts.uncertain, counts.repeats) == (1, 1, 1)
    assert await outbox.retry(post_id)
    await outbox.bury(await claimed(outbox, post_id), "нет")
    assert [dead.error for dead in await outbox.dead()] == ["нет"]


async def test_new_content_outlives_the_burial_of_the_old(database: Database, clock: HandClock) -> None:
    outbox = Outbox(database, clock)
    post_id = await post_to(database, clock, 5, note("a"))
    old = await claimed(outbox, post_id)
    await post_to(database, clock, 5, note("a", "другой"))
    assert (await rows(database))[0].state == "sending"
    await outbox.bury(old, "нет")
    assert (await rows(database))[0].state == "wanted"
    assert await outbox.sent(old, 1) is False  # settled already


async def test_after_a_crash_only_what_may_be_repeated_goes_again(database: Database, clock: HandClock) -> None:
    outbox = Outbox(database, clock)
    fresh = await post_to(database, clock, 1, note("fresh"))
    edit = await post_to(database, clock, 2, note("edit"))
    await outbox.sent(await claimed(outbox, edit), 7)
    await post_to(database, clock, 2, note("edit", "другой"))
    audio = Message(key="rec", sections=(), files=(File(path="a", name="a", kind="audio"),))
    recording = await post_to(database, clock, 3, audio)
    for post_id in (fresh, edit, recording):
        await outbox.claim(post_id)
    assert await outbox.recover() == 3
    found = {row.id: (row.state, row.possible_repeats) for row in await rows(database)}
    assert found == {fresh: ("wanted", 1), edit: ("wanted", 0), recording: ("dead", 0)}
    assert await outbox.recover() == 0


async def test_anew_forgets_the_message_that_is_no_more(database: Database, clock: HandClock) -> None:
    outbox = Outbox(database, clock)
    post_id = await post_to(database, clock, 5, note("a"))
    await outbox.sent(await claimed(outbox, post_id), 77)
    await post_to(database, clock, 5, note("a", "другой"))
    await outbox.anew(await claimed(outbox, post_id))
    assert (await claimed(outbox, post_id)).message_id is None


@pytest.mark.parametrize("topic", [None, 8])
async def test_binding_twice_is_one_place(database: Database, clock: HandClock, topic: int | None) -> None:
    places = Destinations(database, clock)
    place = Destination(chat_id=-10, topic_id=topic)
    first = await places.bind(1, place, title="Отдел")
    second = await places.bind(1, place, kinds=("call",), silent=True)
    assert first.id == second.id
    assert (second.kinds, second.silent, second.state) == (("call",), True, "active")
    assert await places.is_bound(-10)
    assert await places.unbind(1, place)
    assert not await places.unbind(1, place)
    assert not await places.is_bound(-10)


async def test_the_environment_names_one_place(database: Database, clock: HandClock) -> None:
    places = Destinations(database, clock)
    await places.bind(1, Destination(chat_id=-5))
    assert await places.set_from_environment(1, None) is None
    first = await places.set_from_environment(1, Destination(chat_id=-10))
    again = await places.set_from_environment(1, Destination(chat_id=-10))
    assert first == again
    await places.set_from_environment(1, Destination(chat_id=-11, topic_id=2))
    assert [(place.chat_id, place.source) for place in await places.all(1)] == [(-5, "chat"), (-11, "env")]
    bound = await places.set_from_environment(1, Destination(chat_id=-5))
    assert bound is not None
    assert bound.source == "chat"  # bound in the chat before: stays as it is
    assert [place.chat_id for place in await places.all(1)] == [-5]


async def test_a_deleted_topic_joins_general_where_that_is_bound(database: Database, clock: HandClock) -> None:
    await open_account(database, clock)
    places = Destinations(database, clock)
    await places.bind(1, Destination(chat_id=-10, topic_id=3))
    await places.bind(1, Destination(chat_id=-10))
    await places.lose_topic(-10, 3)
    await places.lose_topic(-10, 3)
    assert [place.topic_id for place in await places.all(1)] == [None]


async def test_a_move_takes_everything_along_and_is_remembered(database: Database, clock: HandClock) -> None:
    await open_account(database, clock)
    places, outbox = Destinations(database, clock), Outbox(database, clock)
    await places.set_from_environment(1, Destination(chat_id=-10))
    await post(database, clock, note("a"))
    await outbox.sent(await claimed(outbox, (await rows(database))[0].id), 77)
    await post_to(database, clock, -10, note("both"))
    await post_to(database, clock, -100, note("both"))

    async def remember(connection: AsyncConnection) -> None:
        for name, value in (("x", "-10"), ("y", "-10:4"), ("z", "-105")):
            await connection.execute(insert(settings).values(account_id=1, name=name, value=value, changed_at=clock.now()))

    await database.write(remember)
    assert await places.move(-10, -100)
    assert not await places.move(-10, -100)
    assert sorted((row.key, row.chat_id, row.message_id) for row in await rows(database)) == [
        ("a", -100, None),
        ("both", -100, None),
    ]
    async with database.read() as connection:
        values = {row.name: row.value for row in await connection.execute(select(settings))}
    assert (values["x"], values["y"], values["z"]) == ("-100", "-100:4", "-105")
    assert await places.move(-100, -200)  # and again: .env still says -10
    found = await places.set_from_environment(1, Destination(chat_id=-10))
    assert found is not None
    assert found.chat_id == -200


async def test_a_move_to_a_place_bound_already(database: Database, clock: HandClock) -> None:
    await open_account(database, clock)
    places = Destinations(database, clock)
    await places.bind(1, Destination(chat_id=-10))
    await places.bind(1, Destination(chat_id=-100))
    await places.move(-10, -100)
    assert [place.chat_id for place in await places.all(1)] == [-100]


async def test_what_is_older_than_a_day_stays_dead(database: Database, clock: HandClock) -> None:
    places = Destinations(database, clock)
    await places.bind(1, Destination(chat_id=-10))
    await post(database, clock, note("a"))
    await places.bury(-10, "kicked")
    clock.forward(25 * 3600)
    assert await places.revive(-10) == 0
    async with database.read() as connection:
        assert await connection.scalar(select(destinations.c.state)) == "active"


async def test_a_row_settled_otherwise_is_left_alone(database: Database, clock: HandClock) -> None:
    outbox = Outbox(database, clock)
    post_id = await post_to(database, clock, 5, note("a"))
    on_its_way = await claimed(outbox, post_id)

    async def bury(connection: AsyncConnection) -> None:
        await connection.execute(update(posts).values(state="dead", error=GONE))

    await database.write(bury)
    await outbox.put_back(on_its_way, tried=True)
    assert (await rows(database))[0].state == "dead"
