"""A big account for the benchmarks of webinars: leads by the million, viewers who are and are not among them."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import LiteralString

import psycopg

from domain.webinars import Interval, Viewer, WebinarReport

START = datetime(2026, 11, 20, 16, tzinfo=UTC)
_SPELLINGS = ("+7 ({0:.3}) {1:.3}-{2:.2}-{3}", "8{0}", "7{0}@s.whatsapp.net", "8 {0:.3} {1:.3} {2:.2} {3}")
_LEADS = """INSERT INTO leads (id, account_id, person_id, source, external_id, name, phone, phone_key, email, email_key,
    direction_id, creative_id, first_utm_source, created_at, updated_at)
    VALUES (?, 1, ?, 'import', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


def report(number: int) -> WebinarReport:
    """One of many sessions of a room."""
    return WebinarReport(external_id=f"111:room*{number}", title="Вебинар", started_at=START, minutes=60)


def phone(number: int) -> str:
    """The ten digits of lead number so many; spread, as real ones are."""
    return f"9{(number * 7919) % 1_000_000_007:09d}"


def viewers(count: int, leads: int, *, seed: int = 1) -> list[Viewer]:
    """Two thirds are leads by phone, a tenth by e-mail only, the others nobody we know; every tenth comes in twice."""
    chance = random.Random(seed)
    made: list[Viewer] = []
    for number in range(count):
        known = chance.randrange(leads)
        part = chance.random()
        digits = phone(known if part < 0.67 else leads + number)
        spelt = _SPELLINGS[number % 4].format(digits, digits[3:], digits[6:], digits[8:]) if part < 0.9 else ""
        email = f"u{known}@example.ru" if part >= 0.8 else ""
        joined = START + timedelta(seconds=chance.randrange(3000))
        stayed = Interval(start=joined, end=joined + timedelta(seconds=chance.randrange(30, 3600)))
        made.append(_viewer(number, spelt, email, stayed))
    return made


def _viewer(number: int, spelt: str, email: str, stayed: Interval) -> Viewer:
    raw = (
        f'{{"phone":"{spelt}","email":"{email}","username":"Зритель {number}","chatUserId":"c{number}","view":1700000000000,'
        f'"viewTill":1700003600000,"city":"Казань","country":"RU","region":"Татарстан","tz":"+03:00","ip":"192.0.2.1",'
        f'"useragent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","url":"https://start.example/room/{number}",'
        f'"referer":"","playVideo":1,"messages_num":0,"mob":null,"p1":"","p2":"","p3":"","cu1":"","cv":null}}'
    )
    return Viewer(
        raw=raw, phone=spelt, email=email, name=f"Зритель {number}", chat_user_id=f"c{number}", intervals=(stayed,),
        city="Казань", country="RU",
    )  # fmt: skip


def fill(path: Path, leads: int) -> None:
    """Leads over the last year, one a person, phones and half of them with an e-mail, in a migrated SQLite file."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.executemany("INSERT INTO people (id, account_id, name, created_at) VALUES (?, 1, '', ?)", _people(leads))
        connection.executemany(_LEADS, _rows(leads))
        connection.execute(
            """INSERT INTO identities (account_id, kind, value, person_id, source, since)
               SELECT 1, 'phone', phone_key, person_id, 'import', created_at FROM leads"""
        )
        connection.execute(
            """INSERT INTO identities (account_id, kind, value, person_id, source, since)
               SELECT 1, 'email', email_key, person_id, 'import', created_at FROM leads WHERE email_key <> ''"""
        )


async def fill_postgres(url: str, leads: int) -> None:
    """The same in a migrated PostgreSQL, by the database itself."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for statement in _POSTGRES:
            await connection.execute(statement, {"leads": leads, "start": START})


_POSTGRES: tuple[LiteralString, ...] = (
    """INSERT INTO people (id, account_id, name, created_at)
       SELECT n + 1, 1, '', %(start)s - n * interval '365 days' / %(leads)s FROM generate_series(0, %(leads)s - 1) AS n""",
    """INSERT INTO leads (id, account_id, person_id, source, external_id, name, phone, phone_key, email, email_key,
           direction_id, creative_id, first_utm_source, created_at, updated_at)
       SELECT n + 1, 1, n + 1, 'import', CAST(n AS text), 'Лид ' || n, '+7' || digits, '7' || digits, mail, mail,
           n %% 20 + 1, n %% 2000 + 1, (ARRAY['yandex', 'vk', 'google', ''])[n %% 4 + 1], made, made
       FROM (SELECT n, '9' || lpad(CAST((CAST(n AS bigint) * 7919) %% 1000000007 AS text), 9, '0') AS digits,
                 CASE WHEN n %% 2 = 1 THEN 'u' || n || '@example.ru' ELSE '' END AS mail,
                 %(start)s - n * interval '365 days' / %(leads)s AS made
             FROM generate_series(0, %(leads)s - 1) AS n) AS of_leads""",
    """INSERT INTO identities (account_id, kind, value, person_id, source, since)
       SELECT 1, 'phone', phone_key, person_id, 'import', created_at FROM leads""",
    """INSERT INTO identities (account_id, kind, value, person_id, source, since)
       SELECT 1, 'email', email_key, person_id, 'import', created_at FROM leads WHERE email_key <> ''""",
    "SELECT setval(pg_get_serial_sequence('people', 'id'), %(leads)s)",
    "SELECT setval(pg_get_serial_sequence('leads', 'id'), %(leads)s)",
    "ANALYZE",
)


def made_at(number: int, leads: int) -> str:
    return (START - timedelta(seconds=(number / leads) * 365 * 86400)).strftime("%Y-%m-%d %H:%M:%S.%f")


def _people(leads: int) -> Iterator[tuple[object, ...]]:
    return ((number + 1, made_at(number, leads)) for number in range(leads))


def _rows(leads: int) -> Iterator[tuple[object, ...]]:
    for number in range(leads):
        digits, at = phone(number), made_at(number, leads)
        email = f"u{number}@example.ru" if number % 2 else ""
        yield (
            number + 1, number + 1, str(number), f"Лид {number}", f"+7{digits}", f"7{digits}", email, email,
            number % 20 + 1, number % 2000 + 1, ("yandex", "vk", "google", "")[number % 4], at, at,
        )  # fmt: skip
