"""Viewers for the fake: any number of them, the same ones every time, with every oddity the vendor's page tells of."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

Record = dict[str, object]
Oddity = Callable[[Record, int], None]

_NAMES = ("Анна Смирнова", "Иван Петров", "Ольга", "Дарий", "Мария К.", "Сергей 🚀", "Елена & Co", "Павел")
_CITIES = (("Краснодар", "Краснодарский край"), ("Москва", "Москва"), ("Казань", "Татарстан"), ("", ""))
_SOURCES = ("google", "vk", "yandex", "", "partner")
_FIRST_NUMBER = 1_234_567  # round numbers are what people type to get past a form, and are taken for nobody's
_SPELLINGS = ("+7 (9{a}) {b}-{c}-{d}", "8 9{a} {b} {c} {d}", "79{a}{b}{c}{d}", "9{a}{b}{c}{d}", "+79{a}{b}{c}{d}")


def quirky_viewers(webinar_id: str, start: datetime, minutes: int, count: int) -> Iterator[Record]:
    """``count`` records. Every eighth repeats the person before it (a phone beside a laptop); most others are plain."""
    for number in range(count):
        rejoined = number % 8 == 7
        person = number - 1 if rejoined else number
        record = _plain(webinar_id, start, minutes, person)
        if rejoined:
            _watch(record, start + timedelta(minutes=minutes * 0.5), minutes * 0.4)
            record["mob"] = True
        elif number % 3 == 2:
            ODDITIES[number // 3 % len(ODDITIES)](record, number)
        yield record


def phone_of(person: int) -> str:
    """The number of a person, as its key: "79…"; two people never share one."""
    return f"79{_digits(person)}"


def _digits(person: int) -> str:
    return f"{person + _FIRST_NUMBER:09d}"


def email_of(person: int) -> str:
    return f"viewer{person}@example.com"


def _plain(webinar_id: str, start: datetime, minutes: int, person: int) -> Record:
    city, region = _CITIES[person % len(_CITIES)]
    room = webinar_id.rpartition("*")[0]
    record: Record = {
        "playVideo": 1,
        "email": email_of(person),
        "phone": _spelled(person),
        "username": _NAMES[person % len(_NAMES)],
        "url": f"https://start.bizon365.ru/room/{room.replace(':', '/')}",
        "ip": "203.0.113.7",
        "mob": person % 2 == 0,
        "useragent": "Android, Chrome 91.0.4472.111",
        "referer": "",
        "cv": None,
        "cu1": "",
        "p1": "",
        "p2": "",
        "p3": "",
        "roomid": room,
        "chatUserId": f"user-{person}",
        "city": city,
        "country": "RU",
        "region": region,
        "tz": "",
        "webinarId": webinar_id,
        "messages_num": person % 4,
        "utm_source": _SOURCES[person % len(_SOURCES)],
        "utm_medium": "cpc",
        "utm_campaign": "autumn",
        "finished": person % 5 == 0,
    }
    late = person * 7 % 30
    _watch(record, start + timedelta(minutes=min(late, minutes * 0.3)), minutes * (0.1 + person % 10 * 0.07))
    return record


def _spelled(person: int) -> str:
    digits = _digits(person)
    parts = {"a": digits[:2], "b": digits[2:5], "c": digits[5:7], "d": digits[7:]}
    return _SPELLINGS[person % len(_SPELLINGS)].format(**parts)


def _watch(record: Record, begin: datetime, minutes: float) -> None:
    view = int(begin.timestamp() * 1000)
    record |= {"view": view, "viewTill": view + int(minutes * 60_000)}
    record["created"] = datetime.fromtimestamp(view / 1000 + 1, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _change(**fields: object) -> Oddity:
    return lambda record, _: record.update(fields)


def _lacks(*names: str) -> Oddity:
    def drop(record: Record, _: int) -> None:
        for name in names:
            record.pop(name, None)

    return drop


def _in_seconds(record: Record, _: int) -> None:
    record |= {name: _number(record[name]) // 1000 for name in ("view", "viewTill")}


def _backwards(record: Record, _: int) -> None:
    record["viewTill"] = _number(record["view"]) - 60_000


def _forever(record: Record, _: int) -> None:
    record["viewTill"] = _number(record["view"]) + 25 * 3_600_000


def _called_name(record: Record, _: int) -> None:
    record["name"] = record.pop("username")


def _number_for_phone(record: Record, number: int) -> None:
    record["phone"] = int(phone_of(number))


def _times_as_text(record: Record, _: int) -> None:
    record |= {name: str(record[name]) for name in ("view", "viewTill")}


def _in_stretches(record: Record, _: int) -> None:
    """Presence with a gap in the middle third, in seconds since 1970."""
    begin, end = _number(record["view"]) / 1000, _number(record["viewTill"]) / 1000
    third = (end - begin) / 3
    record["vi"] = [{"s": begin, "e": begin + third}, {"s": end - third, "e": end}]


def _linked(record: Record, number: int) -> None:
    """By a personal link and without contacts: the parameter came back in ``cu1``."""
    record |= {"cu1": f"link{number}", "phone": "", "email": None}


def _linked_by_address(record: Record, number: int) -> None:
    """The same, but the parameter is only in the address."""
    record |= {"url": f"{record['url']}?salebot=link{number}&utm_source=vk", "phone": None, "email": ""}


ODDITIES: tuple[Oddity, ...] = (
    _lacks("phone", "email"),
    _change(phone="", email=""),
    _change(phone=None, email=None, username=None, city=None),
    _change(phone="1"),
    _change(phone="+7911111111"),
    _number_for_phone,
    _in_seconds,
    _backwards,
    _forever,
    _change(view=0, viewTill=0),
    _lacks("view", "viewTill", "created"),
    _times_as_text,
    _called_name,
    _in_stretches,
    _linked,
    _linked_by_address,
    _change(buttons=[{"id": "b1"}], banners=[]),
    _change(clickBanner=1, newOrder=1, orderDetails={"sum": 990}),
    _change(url_marker="partner7", somethingNew={"deep": [1, 2]}, sup=None),
    _change(email="ВАСЯ@Example.COM ", username="=cmd|' /C calc'!A0"),
    _change(messages_num="3", finished="true", mob="false"),
    _change(messages_num=None, finished=None, playVideo=None, utm_source=None),
)
