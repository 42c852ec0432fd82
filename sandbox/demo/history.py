"""The month before the demo began: who called, who left a lead, who came to webinars, what the ads cost. One day was bad.

Made up anew at every start, the same each time but for its dates. Nothing here is written anywhere: see sandbox.demo.past.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.calls import CallKind, Tone
from domain.events import CallOutcome, Direction

DAYS = 35  # four weeks to compare with, and the week that is looked at
SEED = 5
WEBINARS_AGO = (24, 17, 10, 3)  # days
WEBINAR_AT, WEBINAR_MINUTES = time(19), 90
EVENING = time(15)  # from here on a digest tells of today: that is the bad day then
CLIENTS = 260
_HOURS = (9, 10, 10, 11, 11, 11, 12, 13, 14, 14, 15, 15, 16, 17, 18)
_BAD_HOURS, _BAD_CALLS = (12, 13), 13  # nobody took the phone
HOT_MINUTES = 60  # who stayed so long is called the next day
_SURNAMES = (
    "Белов", "Комаров", "Зимин", "Гусев", "Лапин", "Рябов", "Титов", "Фомин", "Шубин", "Котов", "Жуков", "Крылов", "Носов",
    "Панов", "Седов", "Юдин", "Беляев", "Власов", "Галкин", "Дёмин",
)  # fmt: skip
_MEN = ("Антон", "Виктор", "Глеб", "Денис", "Егор", "Кирилл", "Максим")
_WOMEN = ("Анна", "Вера", "Дарья", "Жанна", "Инна", "Ксения", "Юлия")
OFFICES, STAIRS, AFTER = "Уборка офисов", "Уборка подъездов", "Уборка после ремонта"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advert:
    """An ad: whose leads it brings, how many of a hundred, and what a week of it costs, in roubles."""

    source: str
    creative: str
    direction: str
    weight: int
    week: int


ADVERTS = (
    Advert(source="vk", creative="Блестящий пол", direction=OFFICES, weight=30, week=14_000),
    Advert(source="yandex", creative="Уборка за два часа", direction=AFTER, weight=26, week=21_500),
    Advert(source="google", creative="Расчёт за минуту", direction=OFFICES, weight=18, week=12_000),
    Advert(source="telegram", creative="Посев у управляющих", direction=STAIRS, weight=14, week=6_000),
    Advert(source="", creative="", direction=STAIRS, weight=12, week=0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    name: str
    phone: str  # E.164 without the plus


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCall:
    """``said`` names what was talked about; ``employee`` is a place in the list of those who answer."""

    at: datetime
    client: Client
    direction: Direction
    outcome: CallOutcome
    seconds: int
    employee: int
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastLead:
    at: datetime
    client: Client
    advert: Advert


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """``minute`` of coming and ``stayed`` minutes; 0 for who had registered and did not come."""

    client: Client
    source: str
    registered: bool
    minute: int = 0
    stayed: int = 0
    clicked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PastWebinar:
    at: datetime
    guests: tuple[Guest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What calls are about: the summary, and how often it comes."""

    kind: CallKind
    text: str
    tone: Tone = Tone.NEUTRAL
    weight: int = 10


TOPICS = {
    "floors": Topic(kind=CallKind.REQUEST, weight=22, text="Просит добавить мытьё полов в подъезде дважды в неделю. "
                    "Договорились прислать новый график до пятницы."),
    "office": Topic(kind=CallKind.SALE, weight=18, text="Уборка офиса 180 м² по вечерам. Назвали цену, клиент ждёт "
                    "коммерческое предложение на почту.", tone=Tone.POSITIVE),
    "key": Topic(kind=CallKind.INFO, weight=16, text="Уточняет, у кого ключи от подсобки. Передали номер бригадира."),
    "bill": Topic(kind=CallKind.INFO, weight=14, text="Спрашивает акт за прошлый месяц. Обещали отправить сегодня."),
    "thanks": Topic(kind=CallKind.REQUEST, weight=10, text="Благодарит за уборку после ремонта и хочет повторить через "
                    "неделю.", tone=Tone.POSITIVE),
    "sand": Topic(kind=CallKind.COMPLAINT, weight=5, text="Жалуется: на третьем этаже песок, полы не мыты с прошлой недели. "
                  "Обещали прислать бригаду завтра до обеда.", tone=Tone.NEGATIVE),
    "windows": Topic(kind=CallKind.SALE, weight=9, text="Хочет мытьё окон в двух кабинетах. Согласовали выезд на замер."),
}  # fmt: skip


class History:
    """Everything that has happened by ``now`` (aware). ``people`` answer the phone, by place."""

    def __init__(self, now: datetime, zone: ZoneInfo, people: int) -> None:
        self._chance = random.Random(SEED)  # noqa: S311 - not a secret
        self._now, self._zone, self._people = now, zone, people
        today = now.astimezone(zone).date()
        self.days = [today - timedelta(days=back) for back in range(DAYS, -1, -1)]
        evening = now.astimezone(zone).time() >= EVENING
        self.bad = today if evening else today - timedelta(days=1)
        self._clients = [self._client(number) for number in range(CLIENTS)]
        self.leads = list(self._leads())
        self.webinars = list(self._webinars())
        self.calls = sorted(self._calls(), key=lambda call: call.at)

    def _client(self, number: int) -> Client:
        surname = _SURNAMES[number * 7 % len(_SURNAMES)]
        name = f"{_WOMEN[number // 2 % 7]} {surname}а" if number % 2 else f"{_MEN[number // 2 % 7]} {surname}"
        return Client(name=name, phone=f"7900{5600000 + number * 373 % 100_000:07}")

    def _at(self, day: date, hour: int) -> datetime:
        local = datetime.combine(day, time(hour, self._chance.randrange(60), self._chance.randrange(60)), self._zone)
        return local.astimezone(UTC)

    def _busy(self, day: date, usual: int) -> int:
        """On a weekend a little less: stairs are cleaned every day."""
        count = self._chance.gauss(usual, usual**0.5 / 2) * (0.8 if day.weekday() >= 5 else 1)
        return max(1, round(count))

    def _leads(self) -> Iterator[PastLead]:
        number = CLIENTS
        for day in self.days:
            for _ in range(self._busy(day, 11)):
                (advert,) = self._chance.choices(ADVERTS, [one.weight for one in ADVERTS])
                lead = PastLead(at=self._at(day, self._chance.choice(_HOURS)), client=self._client(number), advert=advert)
                number += 1
                if lead.at < self._now:
                    yield lead

    def _webinars(self) -> Iterator[PastWebinar]:
        """Of those who left a lead in the ten days before many register; some come who had not."""
        for ago in WEBINARS_AGO:
            day = self.days[-1] - timedelta(days=ago)
            at = datetime.combine(day, WEBINAR_AT, self._zone).astimezone(UTC)
            known = [lead for lead in self.leads if timedelta() < at - lead.at < timedelta(days=10)]
            guests = [self._guest(lead.client, lead.advert.source) for lead in known if self._chance.random() < 0.75]
            strangers = self._chance.sample(self._clients, 30)
            yield PastWebinar(at=at, guests=(*guests, *(self._guest(one, "", 0.3) for one in strangers)))

    def _guest(self, client: Client, source: str, registers: float = 1.0) -> Guest:
        registered = self._chance.random() < registers
        if registered and self._chance.random() > 0.48:
            return Guest(client=client, source=source, registered=True)
        minute = self._chance.choice((0, 0, 1, 2, 5, 12))
        stayed = self._chance.choices((1, 18, 42, 66, WEBINAR_MINUTES - minute), (8, 22, 26, 24, 20))[0]
        clicked = stayed > 60 and self._chance.random() < 0.3
        return Guest(
            client=client, source=source, registered=registered, minute=minute, stayed=stayed, clicked=clicked
        )  # fmt: skip

    def _calls(self) -> Iterator[PastCall]:
        for day in self.days:
            for _ in range(self._busy(day, 34)):
                yield from self._past(self._incoming(day))
            for _ in range(_BAD_CALLS if day == self.bad else 0):
                yield from self._past(self._missed(self._at(day, self._chance.choice(_BAD_HOURS)), back=0.55))
            for _ in range(self._busy(day, 7)):
                client = self._chance.choice(self._clients)
                yield from self._past([self._talk(self._at(day, self._chance.choice(_HOURS)), client, Direction.OUTGOING)])
        for lead in self.leads:
            if lead.at.astimezone(self._zone).date() < self.days[-1] or self._chance.random() < 0.6:
                after = timedelta(minutes=self._chance.randrange(4, 40))
                yield from self._past([self._talk(lead.at + after, lead.client, Direction.OUTGOING)])

        for webinar in self.webinars:
            hot = [guest.client for guest in webinar.guests if guest.stayed > HOT_MINUTES and self._chance.random() < 0.85]
            later = [webinar.at + timedelta(hours=self._chance.randrange(15, 22)) for _ in hot]
            yield from self._past([self._talk(at, one, Direction.OUTGOING) for at, one in zip(later, hot, strict=True)])

    def _past(self, calls: Sequence[PastCall]) -> Iterator[PastCall]:
        """A minute for the last one to end."""
        yield from (call for call in calls if call.at < self._now - timedelta(minutes=10))

    def _incoming(self, day: date) -> list[PastCall]:
        """A talk, or now and then a missed call."""
        at = self._at(day, self._chance.choice(_HOURS))
        if self._chance.random() > 0.08:
            return [self._talk(at, self._chance.choice(self._clients), Direction.INCOMING)]
        return self._missed(at, back=0.94)

    def _missed(self, at: datetime, *, back: float) -> list[PastCall]:
        """``back``: how likely somebody calls back."""
        client = self._chance.choice(self._clients)
        missed = PastCall(
            at=at, client=client, direction=Direction.INCOMING, outcome=CallOutcome.MISSED, seconds=0, employee=-1
        )  # fmt: skip
        if self._chance.random() > back:
            return [missed]
        return [missed, self._talk(at + timedelta(minutes=self._chance.randrange(5, 40)), client, Direction.OUTGOING)]

    def _talk(self, at: datetime, client: Client, direction: Direction) -> PastCall:
        (said,) = self._chance.choices(list(TOPICS), [topic.weight for topic in TOPICS.values()])
        seconds = self._chance.randrange(35, 260)
        return PastCall(
            at=at, client=client, direction=direction, outcome=CallOutcome.ANSWERED, seconds=seconds,
            employee=self._chance.randrange(self._people), said=said,
        )  # fmt: skip
