"""Puts the demo's month into an empty database before the bot starts: no card is sent of what was long ago."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import SystemClock
from bot.entrance import ACCOUNT, build_entrance
from bot.keys import load_keys
from bot.settings import read_settings
from domain.calls import Summary, SummarySource
from domain.events import CallOutcome
from domain.imports import CreativeRow
from domain.leads import Lead
from domain.people import show_phone
from domain.ports import Tx
from domain.spending import Ad, SpendEntry
from domain.webinars import Interval, Marks, PageId, Registration, RoomId, Viewer, WebinarReport
from integrations.bizon365.fake_account import session_id
from sandbox.demo.day import YOU, YOU_NAME
from sandbox.demo.hall import PAGE, ROOM, TITLE
from sandbox.demo.history import ADVERTS, TOPICS, WEBINAR_MINUTES, Guest, History, PastCall, PastWebinar
from storage.board import BoardStore
from storage.calls import folded
from storage.codec import dumps
from storage.engine import Database
from storage.leads import LeadStore
from storage.migrate import Schema, migrate, schema_state
from storage.models import calls, charges
from storage.names import Names, NameStore
from storage.people import People
from storage.registrations import RegistrationStore
from storage.spend_entries import SpendEntries
from storage.webinars import WebinarStore

MODEL, COST = "gpt-5-mini", 2_400  # micro-dollars of a summary
WEEKS = 5


async def remember(environment: Mapping[str, str], people: Sequence[str]) -> None:
    """``people`` answer the phone. A database that is there already stays as it is."""
    settings = read_settings(environment)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.db_url)
    database.open()
    try:
        if (await schema_state(database))[0] is not Schema.EMPTY:
            return
        await migrate(settings.db_url)
        await build_entrance(settings, load_keys(settings), database, SystemClock())  # makes the account, as the start does
        now = datetime.now(UTC)
        await _introduce(database, settings.telegram.admin_ids if settings.telegram else (), now)
        await Past(database, History(now, settings.timezone, len(people)), people, now).write()
    finally:
        await database.close()


async def _introduce(database: Database, admin_ids: tuple[int, ...], now: datetime) -> None:
    """Who sits before the page is somebody in the portal."""
    team = People(database, SystemClock())
    await team.let_in(ACCOUNT, admin_ids)
    for owner in (await team.admins(ACCOUNT))[:1]:
        await BoardStore(database).link(owner, owner.user_id, YOU, YOU_NAME, now=now)


class Past:
    """Writes a history by the product's own stores; calls and their prices, which no store takes many of, as rows."""

    def __init__(self, database: Database, history: History, people: Sequence[str], now: datetime) -> None:
        self._database, self._history, self._people, self._now = database, history, people, now

    async def write(self) -> None:
        await self._leads()
        for webinar in self._history.webinars:
            await self._webinar(webinar)
        await self._calls()
        await self._spend()

    async def _leads(self) -> None:
        titles = sorted({advert.direction for advert in ADVERTS})
        ads = [CreativeRow(title=one.creative, direction=one.direction) for one in ADVERTS if one.creative]
        names, _ = await NameStore(self._database).add(ACCOUNT, titles, ads, self._now)
        await LeadStore(self._database).save(ACCOUNT, list(self._as_leads(names)))

    def _as_leads(self, names: Names) -> Iterator[Lead]:
        for number, past in enumerate(self._history.leads):
            advert = past.advert
            marks = Marks(source=advert.source, medium="cpc" if advert.source else "", content=advert.creative)
            yield Lead(
                source="tilda", external_id=f"history:{number}", created_at=past.at, updated_at=past.at,
                name=past.client.name, phone=show_phone(past.client.phone), first=marks, last=marks,
                direction_id=names.direction(advert.direction), creative_id=names.creative(advert.creative),
                form="Расчёт уборки офиса",
            )  # fmt: skip

    async def _webinar(self, webinar: PastWebinar) -> None:
        store = WebinarStore(self._database)
        report = WebinarReport(
            external_id=session_id(ROOM, webinar.at), room_id=RoomId(ROOM), title=TITLE, started_at=webinar.at,
            minutes=WEBINAR_MINUTES, created_at=webinar.at + timedelta(minutes=WEBINAR_MINUTES + 5),
        )  # fmt: skip
        heard_at = webinar.at + timedelta(minutes=WEBINAR_MINUTES + 10)

        async def register(connection: AsyncConnection) -> int:
            tx = cast("Tx", connection)
            for guest in webinar.guests:
                if guest.registered:
                    await self._register(tx, guest, webinar.at)
            return await store.register(tx, ACCOUNT, "bizon365", report, source="poll", heard_at=heard_at)

        webinar_id = await self._database.write(register)
        viewers = [_viewer(guest, webinar.at) for guest in webinar.guests if guest.stayed]
        await store.begin_load(webinar_id)
        await store.add_viewers(webinar_id, viewers, first=0)
        await store.finish_load(webinar_id, records=len(viewers), skipped=0)
        await store.match(webinar_id)
        await self._database.write(lambda connection: store.complete(cast("Tx", connection), webinar_id))

    async def _register(self, tx: Tx, guest: Guest, at: datetime) -> None:
        registration = Registration(
            sublist_id=PageId(PAGE), room=RoomId(ROOM), name=guest.client.name, phone=f"+{guest.client.phone}",
            session_at=at, marks=Marks(source=guest.source),
        )  # fmt: skip
        await RegistrationStore().add_registration(
            tx, ACCOUNT, "bizon365", registration, source="api", heard_at=at - timedelta(hours=20)
        )  # fmt: skip

    async def _calls(self) -> None:
        summaries = {name: dumps(Summary, _summary(name)) for name in TOPICS}
        rows = [self._call(number, call, summaries) for number, call in enumerate(self._history.calls)]
        prices = [_price(row) for row in rows if row["summary"]]

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(insert(calls), rows)
            await connection.execute(insert(charges), prices)

        await self._database.write(job)

    def _call(self, number: int, call: PastCall, summaries: Mapping[str, str]) -> dict[str, Any]:
        answered = call.outcome is CallOutcome.ANSWERED
        employee = self._people[call.employee] if answered else ""
        topic = TOPICS[call.said] if answered else None
        return {
            "account_id": ACCOUNT, "vendor": "bitrix24", "call_id": f"history.{number}",
            "state": "carded" if answered else "missed", "direction": call.direction.value, "outcome": call.outcome.value,
            "client_phone_raw": f"+{call.client.phone}", "client_phone": call.client.phone, "employee_name": employee,
            "client_name": call.client.name, "people_search": folded(f"{employee}\n{call.client.name}"),
            "started_at": call.at, "duration_s": call.seconds, "heard_at": call.at + timedelta(seconds=call.seconds + 20),
            "summary": summaries[call.said] if topic else None, "kind": topic.kind.value if topic else "",
            "tone": topic.tone.value if topic else "", "summary_source": SummarySource.MODEL.value if topic else "",
            "carded_at": call.at + timedelta(seconds=call.seconds + 40) if topic else None,
            "cost_micro_usd": COST if topic else 0,
        }  # fmt: skip

    async def _spend(self) -> None:
        """Week by week, as somebody would type it on Mondays."""
        entries, today = SpendEntries(self._database), self._history.days[-1]
        for week in range(WEEKS, 0, -1):
            first = today - timedelta(days=7 * week - 1)
            for advert in ADVERTS:
                if not advert.week:
                    continue
                entry = SpendEntry(
                    amount=(advert.week - 350 * week) * 100, currency="RUB", first=first, last=first + timedelta(days=6),
                    ad=Ad(source=advert.source, direction=advert.direction, creative=advert.creative),
                )  # fmt: skip
                number = await entries.draft(ACCOUNT, entry, self._now)
                await entries.enter(ACCOUNT, number, self._now, instead=False)


def _viewer(guest: Guest, at: datetime) -> Viewer:
    came = at + timedelta(minutes=guest.minute)
    return Viewer(
        raw="{}", phone=f"+{guest.client.phone}", name=guest.client.name, clicked=guest.clicked,
        intervals=(Interval(start=came, end=came + timedelta(minutes=guest.stayed)),), marks=Marks(source=guest.source),
    )  # fmt: skip


def _summary(name: str) -> Summary:
    topic = TOPICS[name]
    return Summary(
        source=SummarySource.MODEL, meaningful=True, kind=topic.kind, text=topic.text, tone=topic.tone, model=MODEL
    )  # fmt: skip


def _price(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "account_id": ACCOUNT, "at": row["heard_at"], "kind": "llm", "model": MODEL, "object": f"history:{row['call_id']}",
        "micro_usd": COST, "units": 900.0, "unit": "tok", "estimated": False, "possible_repeat": False,
    }  # fmt: skip
