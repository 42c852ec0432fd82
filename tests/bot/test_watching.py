"""The health board, the purse, the log, the disk: what is noticed, what is said, and how often."""

import asyncio
import io
import json
import logging
import shutil
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from aiohttp.http_exceptions import BadHttpMessage
from sqlalchemy import select

from bot.alerts import Alerts
from bot.disk import RESERVE_BYTES, Disk
from bot.health import HealthBoard, PartState, observed
from bot.logs import JsonLines, Masking, configure_logging, is_strangers_noise
from bot.purse import LimitPurse
from bot.settings import read_settings
from domain.calls import Cost
from domain.errors import UNHEARABLE, VendorError, VendorRefused, VendorUnavailable
from domain.messages import Destination, Message, as_text
from handlers.texts import load_texts
from storage.calls import CallKey, CallStore
from storage.codec import loads
from storage.destinations import Destinations
from storage.engine import Database
from storage.models import posts
from storage.posts import StoredChat
from tests.ground import HandClock

DOWN = VendorUnavailable("bitrix24", "get", "HTTP 502")


class Board:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.told: list[tuple[str, bool]] = []
        self.hastened: list[str] = []
        self.board = HealthBoard(self.clock, self._tell, self._back)
        self.board.add("bitrix24", "Битрикс24")

    async def _tell(self, part: PartState, back: bool) -> None:
        self.told.append((part.state, back))

    async def _back(self, vendor: str) -> None:
        self.hastened.append(vendor)


class Port:
    """A port that fails as told; ``model`` is not awaited and not watched."""

    model = "m"

    def __init__(self, *errors: VendorError) -> None:
        self.errors = list(errors)

    async def call(self, value: int) -> int:
        if self.errors:
            raise self.errors.pop(0)
        return value

    async def pages(self, count: int) -> AsyncIterator[int]:
        for number in range(count):
            if self.errors:
                raise self.errors.pop(0)
            yield number


async def fail(board: Board, port: Port, times: int, *, pause: float = 10) -> None:
    for _ in range(times):
        with pytest.raises(VendorError):
            await observed(port, "bitrix24", "bitrix24", board.board).call(1)
        board.clock.forward(pause)


async def test_a_blip_is_not_worth_a_message() -> None:
    board, port = Board(), Port(DOWN, DOWN)
    await fail(board, port, 2, pause=1)
    assert await observed(port, "bitrix24", "bitrix24", board.board).call(7) == 7
    assert board.told == []
    assert board.hastened == ["bitrix24"]
    assert board.board.state("bitrix24") == "ok"


async def test_an_outage_is_told_once_each_way() -> None:
    board, port = Board(), Port(*[DOWN] * 9)
    await fail(board, port, 9)
    watched = observed(port, "bitrix24", "bitrix24", board.board)
    await watched.call(1)
    await watched.call(1)
    assert [back for _, back in board.told] == [False, True]
    assert board.hastened == ["bitrix24"]
    assert watched.model == "m"


async def test_a_refusal_is_told_at_once_with_its_cure() -> None:
    refused = VendorRefused("bitrix24", "get", "insufficient_scope", hint="дайте право telephony")
    board, port = Board(), Port(refused, refused)
    await fail(board, port, 2)
    assert board.told == [("refused", False)]
    (part,) = board.board.parts()
    assert part.hint == "дайте право telephony"


@pytest.mark.parametrize("code", ["gone", "not_audio", "foreign_host", *sorted(UNHEARABLE)])
async def test_one_lost_recording_says_nothing_of_the_vendor(code: str) -> None:
    board = Board()
    await fail(board, Port(VendorRefused("bitrix24", "download", code, hint="…")), 1)
    assert board.told == []
    assert board.board.state("bitrix24") == "unknown"
    assert board.board.state("nobody") == "off"


async def test_a_foreign_exchange_that_is_away_says_nothing_of_the_vendor() -> None:
    board = Board()
    await fail(board, Port(VendorUnavailable("bitrix24", "CALL_RECORD_URL", "no connection")), 1)
    await observed(Port(), "bitrix24", "bitrix24", board.board).call(1)
    assert board.hastened == []  # or each good answer would make it try again at once


async def test_a_refusal_during_an_outage_is_told_with_its_cure() -> None:
    board = Board()
    await fail(board, Port(*[DOWN] * 4), 4)
    await fail(board, Port(VendorRefused("bitrix24", "get", "bad_token", hint="создайте вебхук заново")), 1)
    assert board.told == [("down", False), ("refused", False)]
    assert await observed(Port(), "bitrix24", "bitrix24", board.board).call(1) == 1
    assert board.told[2:] == [("refused", True)]


class Spent(NamedTuple):
    period: str
    until: datetime


@pytest.fixture
def reached() -> list[Spent]:
    return []


def purse_of(
    database: Database,
    clock: HandClock,
    reached: list[Spent],
    *,
    day: int | None,
    month: int | None,
    zone: str = "Europe/Moscow",
) -> LimitPurse:
    async def hear(period: str, until: datetime) -> None:
        reached.append(Spent(period, until))

    return LimitPurse(database, clock, ZoneInfo(zone), 1, day=day, month=month, reached=hear)


async def free_again(purse: LimitPurse, micro_usd: int) -> datetime | None:
    async with purse.reserve(cost(micro_usd)) as again:
        return again


def cost(micro_usd: int) -> Cost:
    return Cost(model="m", micro_usd=micro_usd, units=1, unit="s")


async def spend(database: Database, at: datetime, micro_usd: int) -> None:
    key = CallKey(account_id=1, vendor="bitrix24", call_id="1")
    await database.write(lambda tx: CallStore(database).charge(tx, key, "stt", cost(micro_usd), at=at))


async def test_the_day_is_the_accounts_own(database: Database, clock: HandClock, reached: list[Spent]) -> None:
    purse = purse_of(database, clock, reached, day=100, month=None)
    await spend(database, datetime(2026, 11, 19, 20, 59, tzinfo=UTC), 90)  # 23:59 in Moscow, yesterday
    assert await free_again(purse, 100) is None
    await spend(database, datetime(2026, 11, 19, 21, 1, tzinfo=UTC), 90)  # 00:01 in Moscow, today
    assert await free_again(purse, 10) is None
    assert await free_again(purse, 11) == datetime(2026, 11, 20, 21, tzinfo=UTC)
    assert [spent.period for spent in reached] == ["day"]


async def test_the_month_frees_on_its_first(database: Database, clock: HandClock, reached: list[Spent]) -> None:
    purse = purse_of(database, clock, reached, day=1000, month=100)
    await spend(database, datetime(2026, 11, 2, tzinfo=UTC), 100)
    assert await free_again(purse, 1) == datetime(2026, 11, 30, 21, tzinfo=UTC)
    assert [spent.period for spent in reached] == ["month"]


async def test_what_is_being_spent_counts(database: Database, clock: HandClock, reached: list[Spent]) -> None:
    purse = purse_of(database, clock, reached, day=100, month=None)
    async with purse.reserve(cost(60)):
        assert await free_again(purse, 60) is not None
    assert await free_again(purse, 60) is None


async def test_calls_of_the_same_moment_do_not_pass_the_limit_together(
    database: Database, clock: HandClock, reached: list[Spent]
) -> None:
    purse = purse_of(database, clock, reached, day=100, month=None)
    decided = asyncio.Barrier(10)

    async def pay() -> bool:
        async with purse.reserve(cost(60)) as again:
            await decided.wait()
            return again is None

    assert sum(await asyncio.gather(*(pay() for _ in range(10)))) == 1


async def test_a_day_of_25_hours_ends_at_its_own_midnight(
    database: Database, clock: HandClock, reached: list[Spent]
) -> None:
    clock.moment = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)  # 00:30 in Berlin, where clocks go back at 03:00
    purse = purse_of(database, clock, reached, day=1, month=None, zone="Europe/Berlin")
    assert await free_again(purse, 2) == datetime(2026, 10, 25, 23, tzinfo=UTC)


async def test_without_limits_everything_may_be_spent(database: Database, clock: HandClock, reached: list[Spent]) -> None:
    await spend(database, clock.now(), 10**9)
    assert await free_again(purse_of(database, clock, reached, day=None, month=None), 10**9) is None


@pytest.mark.parametrize(
    ("line", "kept", "gone"),
    [
        ("POST https://p.example/rest/1/s3cr3tcode/user.get", "/rest/1/***/user.get", "s3cr3tcode"),
        ("token 1234567890:AAbbCCddEEffGGhhIIjjKKllMMnnOOpp12 end", "1234567890:*** end", "AAbbCC"),
        ("/hooks/bitrix24/0123456789abcdef?x=1", "/hooks/bitrix24/***?x=1", "0123456789abcdef"),
        ("key sk-abcdefgh12345678", "key sk-***", "abcdefgh"),
        ("GET /x?key=%20svk_AbCd-efgh_ijkl failed", "key=%20svk_*** failed", "efgh"),
        ("Authorization: Bearer abcdefghijkl", "Bearer ***", "abcdefghijkl"),
        ("the configured-secret-value itself", "the *** itself", "configured"),
    ],
)
def test_secrets_are_masked_in_every_line(line: str, kept: str, gone: str) -> None:
    masking = Masking(logging.Formatter("%(message)s"), ["configured-secret-value", "short"])
    text = masking.format(logging.LogRecord("n", logging.INFO, "p", 1, line, (), None))
    assert kept in text
    assert gone not in text


def test_what_is_no_http_does_not_fill_the_log() -> None:
    def record_of(error: Exception) -> logging.LogRecord:
        return logging.LogRecord("aiohttp.server", logging.ERROR, "p", 1, "Error handling", (), (type(error), error, None))

    assert is_strangers_noise(record_of(BadHttpMessage("no method")))
    assert is_strangers_noise(record_of(ConnectionResetError()))
    assert not is_strangers_noise(record_of(RuntimeError()))
    assert not is_strangers_noise(logging.LogRecord("aiohttp.server", logging.ERROR, "p", 1, "said", (), None))


def test_a_traceback_is_masked_too() -> None:
    masking = Masking(JsonLines(), ["configured-secret-value"])
    try:
        int("https://p.example/rest/1/s3cr3tcode/ and configured-secret-value")
    except ValueError as error:
        record = logging.LogRecord("n", logging.ERROR, "p", 1, "failed", (), (type(error), error, error.__traceback__))
    written = json.loads(masking.format(record))
    assert written["level"] == "ERROR"
    assert "ValueError" in written["traceback"]
    assert "s3cr3tcode" not in str(written)
    assert "configured-secret" not in str(written)


@pytest.fixture
def restored() -> Callable[[], None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def restore() -> None:
        for handler in set(root.handlers) - set(handlers):
            handler.close()
        root.handlers, root.level = handlers, level

    return restore


@pytest.mark.parametrize("style", ["json", "console"])
def test_the_log_goes_to_a_file_at_its_level(tmp_path: Path, restored: Callable[[], None], style: str) -> None:
    env = {"LOG_LEVEL": "WARNING", "LOG_FORMAT": style, "LOG_FILE": str(tmp_path / "logs" / "app.log")}
    try:
        configure_logging(read_settings(env), ["hidden-value"])
        logging.getLogger("httpx").info("never")
        logging.getLogger("svodka").info("too quiet")
        logging.getLogger("svodka").warning("seen hidden-value")
    finally:
        restored()
    written = (tmp_path / "logs" / "app.log").read_text(encoding="utf-8")
    assert "seen ***" in written
    assert "quiet" not in written
    assert "never" not in written
    assert io.StringIO(written).readline().startswith("{") == (style == "json")


async def test_half_a_gigabyte_is_kept_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []

    async def full(free_mb: int) -> None:
        told.append(free_mb)

    disk = Disk(tmp_path, full)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=RESERVE_BYTES))
    assert await disk.has_room()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=RESERVE_BYTES - 1))
    assert not await disk.has_room()
    assert told == [499]


def board_over(database: Database, clock: HandClock) -> tuple[HealthBoard, Alerts]:
    """What one run of the process has, its memory empty."""

    async def back(_: str) -> None:
        """Nothing waits."""

    alerts = Alerts(
        database,
        StoredChat(clock),
        clock,
        texts=load_texts(),
        timezone=ZoneInfo("Europe/Moscow"),
        account_id=1,
        posted=lambda: None,
    )
    board = HealthBoard(clock, alerts.part, back)
    board.add("bitrix24", "Битрикс24")
    return board, alerts


async def said(database: Database) -> list[str]:
    async with database.read() as connection:
        contents = await connection.scalars(select(posts.c.content).order_by(posts.c.id))
        return [as_text(loads(Message, content)).splitlines()[0] for content in contents]


async def test_an_outage_that_spans_a_restart_is_told_once_each_way(database: Database, clock: HandClock) -> None:
    await Destinations(database, clock).bind(1, Destination(chat_id=-100))
    first, _ = board_over(database, clock)
    for _ in range(4):
        await first.bad("bitrix24", DOWN)
        clock.forward(10)
    gone = await said(database)
    assert len(gone) == 1
    second, alerts = board_over(database, clock)
    second.recall(await alerts.told_parts())
    assert second.state("bitrix24") == "down"
    clock.forward(3600)
    for _ in range(5):
        await second.bad("bitrix24", DOWN)
        clock.forward(10)
    assert await said(database) == gone
    third, alerts = board_over(database, clock)
    third.recall(await alerts.told_parts())
    await third.good("bitrix24", "bitrix24")
    (_, back) = await said(database)
    assert "Битрикс24" in back
    fourth, alerts = board_over(database, clock)
    fourth.recall(await alerts.told_parts())
    assert fourth.state("bitrix24") == "unknown"
    await fourth.good("bitrix24", "bitrix24")
    assert len(await said(database)) == 2


async def test_a_refusal_during_an_outage_before_the_restart_is_told_too(database: Database, clock: HandClock) -> None:
    await Destinations(database, clock).bind(1, Destination(chat_id=-100))
    first, _ = board_over(database, clock)
    for _ in range(4):
        await first.bad("bitrix24", DOWN)
        clock.forward(10)
    second, alerts = board_over(database, clock)
    second.recall([*await alerts.told_parts(), PartState(name="gone", title="отключён", state="down")])
    refused = VendorRefused("bitrix24", "get", "bad_token", hint="создайте вебхук заново")
    for _ in range(2):
        await second.bad("bitrix24", refused)
    assert len(await said(database)) == 2
    assert [part.hint for part in await alerts.told_parts()] == ["создайте вебхук заново"]
    assert [part.name for part in second.parts()] == ["bitrix24"]  # a vendor that is off stays off


async def test_what_a_port_gives_page_by_page_is_watched_too() -> None:
    board = Board()
    refused = VendorRefused("bitrix24", "viewers", "bad_token", hint="Проверьте токен.")
    port = Port()
    watched = observed(port, "bitrix24", "bitrix24", board.board)
    assert [page async for page in watched.pages(3)] == [0, 1, 2]
    assert board.board.state("bitrix24") == "ok"
    port.errors = [refused]
    with pytest.raises(VendorRefused):
        _ = [page async for page in watched.pages(3)]
    assert board.told == [("refused", False)]
    assert [page async for page in watched.pages(1)] == [0]
    assert board.told == [("refused", False), ("refused", True)]  # back, after it was refused
