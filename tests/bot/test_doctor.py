"""The running process examines itself: what `svodka check` finds, one at a time, bounded, and broken off at the end."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from bot.checks import examination
from bot.checks.examination import Section
from bot.clock import SystemClock
from bot.doctor import Doctor
from bot.keys import load_keys
from bot.settings import Settings, read_settings
from handlers.checks.desk import Found, Report
from integrations.bizon365.fake import Fake
from integrations.kit.vendor import Finding
from storage.engine import Database
from tests.bot.checkup import a_terminal, a_town, prepared, run_sql  # noqa: F401  fixtures
from tests.bot.terminal import Terminal
from tests.conftest import Serve
from tests.e2e.town import Town


@dataclass
class Asker:
    """Keeps what it was told; ``deaf`` when it cannot be told anything."""

    deaf: bool = False
    heard: list[str] = field(default_factory=list)
    report: Report | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def begun(self) -> None:
        if self.deaf:
            raise OSError("the database is away")
        self.heard.append("begun")

    async def ended(self, report: Report) -> None:
        self.heard.append("ended")
        self.report = report
        self.over.set()

    async def broken(self) -> None:
        self.heard.append("broken")
        self.over.set()

    async def lines(self) -> dict[str, Found]:
        await self.over.wait()
        assert self.report is not None
        return {found.code: found for found in self.report}


async def in_a_thread(fn: object) -> object:
    raise AssertionError("no vendor has heavy work to do")


@pytest.fixture
async def settings(town: Town) -> Settings:
    return read_settings(town.environment)


@pytest.fixture
async def opened(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.db_url)
    database.open()
    yield database
    await database.close()


@pytest.fixture
async def doctor(settings: Settings, opened: Database) -> AsyncIterator[Doctor]:
    made = Doctor(settings, opened, in_a_thread, SystemClock())
    yield made
    await made.close()


async def test_the_whole_house_without_its_secrets(doctor: Doctor, settings: Settings, town: Town) -> None:
    asker = Asker()
    assert doctor.begin(1, "", asker)
    found = await asker.lines()
    assert {"database", "keys", "telegram.token", "bitrix24.webhook", "bizon365.off"} <= set(found)
    assert found["process.silent"].warning  # it runs, for it examines itself, but serves nothing in this test
    assert asker.report is not None
    assert [part.title for part in asker.report.parts][:2] == ["Настройки", "Данные"]
    assert asker.report.faults == []
    shown = repr(asker.report)
    keys = load_keys(settings)
    secrets = (
        town.telegram.token,
        town.portal.secret,
        town.portal.application_token,
        "key-of-a-test",
        keys.hook("bitrix24"),
    )
    assert not any(secret in shown for secret in secrets)
    assert doctor.report(1, asker.report.name) is asker.report
    assert doctor.report(2, asker.report.name) is None
    assert doctor.report(1, "another") is None


async def test_of_a_webinar_platform_the_four_causes_and_both_phones(
    serve: Serve, town: Town, opened: Database, terminal: Terminal
) -> None:
    """«Хук не приходит»: the address, who it is for, whether there are reports, and the way in."""
    fake = Fake()
    url = await serve(fake.build_app())
    environment = town.environment | {
        "BIZON365_TOKEN": fake.token, "BIZON365_PROJECT_ID": fake.project_id, "BIZON365_BASE_URL": url,
    }  # fmt: skip
    day = datetime.now(UTC).date().isoformat()
    run_sql(terminal, "INSERT INTO counters (day, name, value) VALUES (?, 'rejected:UnknownHook', 3)", day)
    doctor, asker = Doctor(read_settings(environment), opened, in_a_thread, SystemClock()), Asker()
    assert doctor.begin(1, "bizon365", asker)
    found = await asker.lines()
    assert not found["events.bizon365.never"].ok
    assert found["connection.bizon365.missing"].hint.startswith("Перезапустите Сводку")
    assert found["bizon365.reports"].ok
    assert found["public.missing"].warning
    assert found["knocking.unknownhook"].detail == "3 запроса: на незнакомый адрес"
    assert {"bizon365.phones.entry", "bizon365.phones.registration"} <= set(found)
    assert asker.report is not None
    assert fake.token not in repr(asker.report)


async def test_the_connection_of_a_vendor_at_work(doctor: Doctor) -> None:
    asker = Asker()
    assert doctor.begin(1, "bitrix24", asker)
    assert (await asker.lines())["connection.bitrix24"].ok


@dataclass
class Held:
    """A section that tells one thing and then does not come to an end until it is let go."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def look(self) -> AsyncIterator[Finding]:
        yield Finding(code="held.first", title="Первое", ok=True)
        self.reached.set()
        await self.go.wait()

    def sections(self, _: object) -> tuple[Section, ...]:
        return (Section(name="held", title="Долгая", look=self.look),)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    made = Held()
    monkeypatch.setattr(examination, "build_sections", made.sections)
    return made


async def test_one_at_a_time_for_each_account(doctor: Doctor, held: Held) -> None:
    first, second, other = Asker(), Asker(), Asker()
    assert doctor.begin(1, "", first)
    await held.reached.wait()
    assert not doctor.begin(1, "", second)
    assert doctor.begin(2, "", other)
    held.go.set()
    await first.lines()
    assert doctor.begin(1, "", second)
    await second.lines()
    await other.lines()
    assert first.heard == second.heard == other.heard == ["begun", "ended"]


async def test_old_reports_are_let_go(doctor: Doctor, held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.doctor.REPORTS_KEPT", 2)
    held.go.set()
    names = []
    for _ in range(3):
        asker = Asker()
        assert doctor.begin(1, "", asker)
        await asker.lines()
        assert asker.report is not None
        names.append(asker.report.name)
    assert [doctor.report(1, name) is not None for name in names] == [False, True, True]


async def test_what_takes_too_long_is_not_waited_for(settings: Settings, opened: Database, held: Held) -> None:
    doctor, asker = Doctor(settings, opened, in_a_thread, SystemClock(), within=0.05), Asker()
    assert doctor.begin(1, "", asker)
    found = await asker.lines()
    assert list(found) == ["held.first", "held.slow"]
    assert found["held.slow"].detail == "проверка не кончилась за 0.05 с"
    assert found["held.slow"].hint


async def test_the_end_of_the_process_breaks_it_off(doctor: Doctor, held: Held) -> None:
    asker = Asker()
    assert doctor.begin(1, "", asker)
    await held.reached.wait()
    await doctor.close()
    assert asker.heard == ["begun", "broken"]


async def test_who_cannot_be_told_keeps_nobody_from_asking_again(doctor: Doctor, held: Held) -> None:
    held.go.set()
    deaf, asker = Asker(deaf=True), Asker()
    assert doctor.begin(1, "", deaf)
    await deaf.over.wait()
    assert doctor.begin(1, "", asker)
    await asker.lines()
    assert deaf.heard == ["broken"]
