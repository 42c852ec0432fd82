"""`svodka status` says what each vendor listed of a day and what became of it, and which digests cannot be sent."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.schedules import Obstacle
from storage.engine import Database
from storage.queries.crm_reckoning import CrmReckoning, keep_crm_reckoning
from storage.queries.reckoning import Reckoning, keep_reckoning
from storage.queries.webinar_reckoning import UnreadReport, WebinarReckoning, keep_webinar_reckoning
from storage.schedules import ScheduleStore
from tests.bot.terminal import Terminal
from tests.ground import lay
from tests.storage.test_schedules import ADMIN, NEW

NOW = datetime.now(UTC)


async def test_calls_and_webinars_are_reckoned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    terminal = Terminal(monkeypatch, tmp_path)
    terminal.set({"DATA_DIR": str(tmp_path / "data")})
    (tmp_path / "data").mkdir()
    url = await lay(tmp_path / "data/svodka.db")
    assert "Сверка" not in (await terminal("status")).out
    database = Database(url)
    database.open()
    calls = Reckoning(vendor="bitrix24", at=NOW, listed=5, processed=4, filtered=1, waiting=0, found=0)
    unread = (UnreadReport(title="Урок", started_at=None, work_id=7),)
    await keep_reckoning(database, 1, calls)
    webinars = WebinarReckoning(vendor="bizon365", at=NOW, listed=4, hook=2, poll=1, failed=1, unread=unread)
    await keep_webinar_reckoning(database, 1, webinars)
    crm = CrmReckoning(vendor="amocrm", at=NOW, listed=214, hook=209, poll=5, waiting=0)
    await keep_crm_reckoning(database, 1, crm)
    await ScheduleStore(database).add(ADMIN, replace(NEW, obstacle=Obstacle.CLOSED), NOW)
    await database.close()
    said = (await terminal("status")).out
    assert "Сверка за сутки: звонков в Битрикс24 5 · обработано 4" in said
    assert "Сверка за сутки: отчётов в Бизон365 4 · по вебхуку 2 · нашёл опрос 1" in said
    assert "сделок изменено в amoCRM 214 · известно из вебхуков 209 · дозагружено 5 · ждут 0." in said
    assert "Дайджесты: Итог дня в чат -1001, который не подключён: не приходит, бота удалили из чата" in said
    assert "не прочитан отчёт «Урок», —. Что нажать: «Проверить снова» в /status" in said
