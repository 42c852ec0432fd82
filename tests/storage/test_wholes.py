"""Who came under two keys is one person everywhere: the same figures by plain walking, whatever is said and taken back."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.attendance import Visit, Yardstick, attended, judged, visits_of
from domain.errors import BadInput
from domain.roles import Person, Role
from domain.webinars import Marks, Viewer
from storage.claims import take
from storage.decisions import Decisions
from storage.engine import Database
from storage.models import identities, leads, person_joins
from storage.pairs import By, PairStore
from storage.queries.attendees import Segment, find_attendees, is_visitor, raw_records, segment_sizes, visits_of_person
from storage.queries.audience import Group, find_guest, group_sizes, guests
from storage.queries.client import read_client
from storage.queries.conversions import conversions, visits_by_mark
from storage.queries.viewers import find_viewers
from storage.queries.webinars import present, turnout, webinar_line
from storage.rollups import Dimension
from storage.webinars import WebinarStore
from storage.wholes import loosen
from tests.storage.hall import Hall, after, another, lead, viewer

PHONES = tuple(f"7999{number:07}" for number in range(1, 5))
EMAILS = tuple(f"{name}@example.ru" for name in ("anna", "boris", "vera"))
ANNA = Person(user_id=1, account_id=1, telegram_id=10, role=Role.ADMIN, name="Анна")
BY = By(user=10, now=after(3000))
EVER = {"first": date(2026, 1, 1), "last": date(2026, 12, 31), "zone": ZoneInfo("UTC")}
TWO_DEVICES = (
    viewer(PHONES[0], name="Анна", minutes=(0, 20)),
    viewer(email=EMAILS[0], minutes=(10, 40), messages=1, raw='{"email": 1}'),
)


@pytest.fixture
def hall(database: Database) -> Hall:
    return Hall(database)


@pytest.fixture
async def webinar(hall: Hall) -> int:
    await hall.save(lead(PHONES[0], EMAILS[0], manager="Ирина"), lead(PHONES[1]))
    return await hall.hold([*TWO_DEVICES, viewer(PHONES[1], minutes=(0, 5))])


async def test_two_devices_are_one_row_of_every_list(hall: Hall, webinar: int) -> None:
    database = hall.database
    found = await turnout(database, webinar)
    assert (found.came, found.attended, found.matched, found.no_phone, found.long, found.hot) == (2, 2, 2, 0, 1, 1)
    page = await find_attendees(database, 1, webinar, limit=10)
    assert [(row.phone_number, row.email, row.watch_duration_sec, row.messages) for row in page.rows] == [
        (PHONES[0], EMAILS[0], 2400, 1),
        (PHONES[1], "", 300, 0),
    ]
    assert (page.rows[0].joined_at, page.rows[0].left_at, page.total) == (after(0), after(40), 2)
    assert (await present(database, webinar))[:45:5] == [2, 1, 1, 1, 1, 1, 1, 1, 0]
    line = await webinar_line(database, 1, webinar)
    assert line is not None
    assert line.attendees == 2
    who = page.rows[0]
    for sought in ({"phone": PHONES[0]}, {"email": EMAILS[0]}, {"person_id": who.person_id}):
        assert (await is_visitor(database, 1, **sought)).attendee == who  # type: ignore[arg-type]
    assert await find_viewers(database, 1, email=EMAILS[0]) == (who,)
    assert await find_viewers(database, 1, name="анна") == (who,)
    assert await visits_of_person(database, 1, who.person_id or 0) == (who,)
    assert len(await raw_records(database, 1, who.id)) == 2
    client = await read_client(database, 1, who.person_id or 0)
    assert client is not None
    assert [visit.seconds for visit in client.visits] == [2400]


async def test_whoever_was_taken_by_one_key_is_taken(hall: Hall, webinar: int) -> None:
    by_email = (await hall.attendees())[1]
    assert by_email["part_of"] is not None
    await take(hall.database, ANNA, webinar, by_email["person_key"], after(200))
    (guest,) = (await guests(hall.database, 1, webinar, Group.HOT, limit=10)).rows
    assert (guest.taken_by, guest.key, guest.watched_s, guest.email) == ("Анна", by_email["person_key"], 2400, EMAILS[0])
    assert await find_guest(hall.database, 1, webinar, seen=True, id_=by_email["id"]) == guest


async def test_the_same_report_again_changes_nothing_and_a_shorter_one_counts_what_is_left(hall: Hall, webinar: int) -> None:
    before = await hall.attendees()
    await hall.hold([*TWO_DEVICES, viewer(PHONES[1], minutes=(0, 5))])
    assert await hall.attendees() == before
    await hall.hold(TWO_DEVICES[:1])
    (row,) = await hall.attendees()
    assert (row["id"], row["own"], row["watch_duration_sec"], row["warmth"]) == (before[0]["id"], None, 1200, "warm")
    await hall.hold(TWO_DEVICES[1:])
    (row,) = await hall.attendees()
    assert (row["part_of"], row["watch_duration_sec"]) == (None, 1800)
    assert (await turnout(hall.database, webinar)).came == 1


async def test_what_an_older_version_kept_in_two_rows_is_one_after_the_next_measuring(hall: Hall, webinar: int) -> None:
    wanted = await hall.attendees()
    keys = [row["person_key"] for row in wanted]
    await hall.database.write(lambda tx: loosen(tx, 1, webinar, keys))
    assert [row["watch_duration_sec"] for row in await hall.attendees()] == [1200, 1800, 300]
    assert await hall.webinars.recount(1) == 3
    assert await hall.attendees() == wanted


async def test_another_yardstick_measures_all_of_it_and_then_each_by_itself(hall: Hall, webinar: int) -> None:
    strict = Yardstick(attended_s=2000)
    assert await WebinarStore(hall.database, strict).recount(1) == 3
    assert (await turnout(hall.database, webinar)).attended == 1
    by_phone = (await hall.attendees())[0]
    await Decisions(database=hall.database, by=ANNA, now=after(200)).part(by_phone["id"])
    assert [(row["watch_duration_sec"], row["attended"]) for row in await hall.attendees()] == [
        (1200, False), (1800, False), (300, False),
    ]  # fmt: skip


@dataclass
class Reckoning:
    """A webinar walked over row by row: what each row says by itself is known from the report, whose it is from the row."""

    came: list[tuple[str, int | None, bool, str, str]] = field(default_factory=list)
    present: list[int] = field(default_factory=lambda: [0] * 60)
    leads: list[tuple[int, int]] = field(default_factory=list)  # of attended visits: whose lead, how long


def reckon(report: Sequence[Viewer], rows: Sequence[dict[str, Any]]) -> Reckoning:
    own = {visit.person: visit for visit in visits_of(report)}
    people: dict[object, list[dict[str, Any]]] = {}
    for row in rows:
        people.setdefault(row["person_id"] or row["person_key"], []).append(row)
    found = Reckoning()
    for mine in people.values():
        visits = [own[row["person_key"]] for row in mine]
        minutes = {minute for visit in visits for minute in minutes_of(visit)}
        known = any(visit.intervals for visit in visits)
        whole = replace(
            visits[0], watched_s=60 * len(minutes) if known else None, finished=any(one.finished for one in visits),
            messages=sum(one.messages for one in visits), clicked=any(one.clicked for one in visits),
            ordered=any(one.ordered for one in visits),
        )  # fmt: skip
        presence, warmth = judged(whole, 3600, Yardstick())
        counts = attended(whole, Yardstick())
        phone = max(visit.phone for visit in visits)
        found.came.append(("phone" if phone else "", whole.watched_s, counts, presence, warmth))
        for minute in minutes:
            found.present[minute] += 1
        if counts and mine[0]["lead_id"] is not None:
            found.leads.append((mine[0]["lead_id"], whole.watched_s or 0))
    return found


def minutes_of(visit: Visit) -> set[int]:
    spans = [(one.start - after(0), one.end - after(0)) for one in visit.intervals]
    return {minute for start, end in spans for minute in range(start.seconds // 60, end.seconds // 60)}


async def check(hall: Hall, webinar: int, report: Sequence[Viewer]) -> None:
    """Every surface says what the walk says."""
    rows = [row for row in await hall.attendees() if row["session_id"] == webinar]
    wanted = reckon(report, rows)
    database, account = hall.database, hall.account_id
    page = await find_attendees(database, account, webinar, limit=100)
    shown = [("phone" * bool(row.phone_number), row.watch_duration_sec, row.attended, row.presence, row.warmth)
             for row in page.rows]  # fmt: skip
    assert sorted(map(str, shown)) == sorted(str((*one[:3], *map(str, one[3:]))) for one in wanted.came)
    found = await turnout(database, webinar)
    counted = (found.came, found.attended, found.hot, found.no_phone, found.long)
    assert counted == (
        len(wanted.came), sum(one[2] for one in wanted.came), sum(one[4] == "hot" for one in wanted.came),
        sum(not one[0] for one in wanted.came), sum((one[1] or 0) > 1800 for one in wanted.came),
    )  # fmt: skip
    sizes = await segment_sizes(database, account, webinar, [Segment.ALL, Segment.HOT, Segment.NO_PHONE, Segment.LONG])
    assert tuple(sizes.values()) == (found.came, found.hot, found.no_phone, found.long)
    assert (await group_sizes(database, account, webinar))[Group.HOT] == found.hot
    line = await webinar_line(database, account, webinar)
    assert line is not None
    assert line.attendees == found.came
    assert await present(database, webinar) == wanted.present
    total = (await conversions(database, account, Dimension.DIRECTION, **EVER)).total  # type: ignore[arg-type]
    seconds = [watched for _, watched in wanted.leads]
    assert (total.came, total.visits, total.watch_sec) == (
        len({lead_id for lead_id, _ in wanted.leads}), len(seconds), sum(seconds),
    )  # fmt: skip
    marks = await visits_by_mark(database, account, partner=False, since=after(-1), until=after(1))
    assert sum(row.people for row in marks) == found.came


class Story:
    """Random people at a random webinar, and whatever may be said of them."""

    def __init__(self, hall: Hall, seed: int) -> None:
        self.hall = hall
        self.dice = random.Random(seed)
        self.pairs = PairStore(hall.database)
        self.report = [self.viewer(number) for number in range(7)]

    def viewer(self, number: int) -> Viewer:
        start = self.dice.randrange(50)
        minutes = (start, start + self.dice.randrange(1, 60 - start)) if self.dice.random() < 0.9 else None
        phone, email = self.dice.choice([("", True), (True, ""), (True, "")])
        return viewer(
            phone and self.dice.choice(PHONES), email and self.dice.choice(EMAILS), minutes=minutes, raw=f"[{number}]",
            messages=self.dice.choice([0, 0, 1]), ordered=self.dice.random() < 0.1, finished=self.dice.random() < 0.1,
            marks=Marks(source=self.dice.choice(["", "ya"])),
        )  # fmt: skip

    async def leads(self) -> None:
        made = [(self.dice.choice(PHONES), self.dice.choice(["", *EMAILS])) for _ in range(2)]
        await self.hall.save(*(lead(*one, number=str(self.dice.randrange(9)), days=-self.dice.random()) for one in made))

    async def hold(self) -> int:
        return await self.hall.hold(self.report)

    async def said(self) -> bool:
        """Two people joined, one parted, a key given to another: whether anything was said."""
        known = [row for row in await self.hall.rows(identities) if row["undone_at"] is None]
        owners = sorted({row["person_id"] for row in known})
        united = [row["id"] for row in await self.hall.rows(person_joins) if row["state"] == "united"]
        try:
            match self.dice.choice(["join", "split", "part"]):
                case "join" if len(owners) > 1:
                    await self.pairs.join(1, *self.dice.sample(owners, 2), BY)
                case "split" if known:
                    await self.pairs.split(1, self.dice.choice(known)["id"], BY)
                case "part" if united:
                    await self.pairs.part(1, self.dice.choice(united), BY)
                case _:
                    return False
        except BadInput:
            return False
        return True

    async def decided(self) -> None:
        """«Это другой человек» and back: all is exactly as it was."""
        sure = [row for row in await self.hall.attendees() if row["matched_by"] in {"phone", "email"}]
        if not sure:
            return
        before, someone = await self.hall.attendees(), self.dice.choice(sure)["id"]
        decisions = Decisions(database=self.hall.database, by=ANNA, now=after(200))
        await decisions.part(someone)
        (row,) = [row for row in await self.hall.attendees() if row["id"] == someone]
        assert (row["person_id"], row["part_of"], row["own"]) == (None, None, None)
        await decisions.undo(someone)
        assert await self.hall.attendees() == before


@pytest.mark.parametrize("seed", range(6))
async def test_a_person_is_counted_once_whatever_is_said_of_them(hall: Hall, seed: int) -> None:
    story = Story(hall, seed)
    await story.leads()
    webinar = await story.hold()
    await check(hall, webinar, story.report)
    for _ in range(8):
        match story.dice.choice(["leads", "said", "decided", "again"]):
            case "leads":
                await story.leads()
            case "said":
                await story.said()
            case "decided":
                await story.decided()
            case _:
                story.report = story.dice.sample(story.report, 5) + [
                    story.viewer(story.dice.randrange(100)) for _ in range(2)
                ]
                await story.hold()
        await check(hall, webinar, story.report)


async def test_joined_and_parted_again_every_figure_is_as_before(hall: Hall) -> None:
    """Four at a webinar by two keys each: all ways of taking two for one, and back."""
    await hall.save(*(lead(phone) for phone in PHONES), *(lead(email=email) for email in EMAILS))
    story = Story(hall, 11)
    viewers = [*(viewer(phone, minutes=(0, 20)) for phone in PHONES), *(viewer(email=email) for email in EMAILS)]
    story.report = [replace(one, raw=f'{{"n": {number}}}') for number, one in enumerate(viewers)]
    webinar = await story.hold()
    people = sorted({row["person_id"] for row in await hall.rows(leads)})
    undo = []
    for person, other in ((people[0], people[4]), (people[1], people[5]), (people[0], people[1]), (people[0], people[2])):
        undo.append((await hall.attendees(), await turnout(hall.database, webinar)))
        pair = await story.pairs.join(1, person, other, BY)
        await check(hall, webinar, story.report)
        undo[-1] = (*undo[-1], pair)
    assert (await turnout(hall.database, webinar)).came == 3
    for rows, figures, pair in reversed(undo):
        await story.pairs.part(1, pair, BY)
        assert await hall.attendees() == rows
        assert await turnout(hall.database, webinar) == figures
        await check(hall, webinar, story.report)


async def test_one_account_says_nothing_of_another(hall: Hall, webinar: int) -> None:
    other = Hall(hall.database, account_id=2)
    await other.save(lead(PHONES[0], EMAILS[0]))
    held = await other.hold(TWO_DEVICES, another())
    assert {row["account_id"]: row["part_of"] for row in await hall.attendees() if row["part_of"]}.keys() == {1, 2}
    assert ((await turnout(hall.database, webinar)).came, (await turnout(hall.database, held)).came) == (2, 1)
