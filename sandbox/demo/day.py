"""A day of the person before the page, as the portal has it: tasks late and to come, and meetings."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from integrations.bitrix24.fake_tasks import FakeBoard, FakeEvent

YOU, YOU_NAME = "13", "Соколов Александр"  # who the owner of the bot is in the portal
_MOSCOW = ZoneInfo("Europe/Moscow")


def busy_day(board: FakeBoard, now: datetime) -> None:
    """Everything is counted from ``now``: a demo begins at any hour."""
    for title, hours in (("Перезвонить в ТСЖ «Берёзка»", -26), ("Отправить акт за октябрь", -3)):
        board.put(title, YOU, deadline=now + timedelta(hours=hours))
    board.put("Согласовать график уборки двора", YOU, deadline=now + timedelta(hours=2))
    board.put("Отчёт по новым домам", YOU, deadline=_at(now, 1, time(18)), control=True)
    board.put("Договор с УК «Ясная»", YOU, deadline=_at(now, 3, time(12)))
    board.put("Разобрать старые заявки", YOU)
    board.put("Бюджет отдела на год", YOU, deadline=_at(now, 6, time(18)), locked=True)
    board.events += [
        FakeEvent(
            owner_id=YOU, name="Планёрка отдела", begins=_at(now, 0, time(9, 30)), length_s=1800,
            first_at=_at(now, -30, time(9, 30)),
        ),
        FakeEvent(owner_id=YOU, name="Осмотр дома, Лесная, 4", begins=_at(now, 0, time(14)), place="Лесная, 4", status="Q"),
        FakeEvent(owner_id=YOU, name="Обед с поставщиком", begins=_at(now, 0, time(13)), status="N"),
        FakeEvent(owner_id=YOU, name="Неделя осмотров", begins=_midnight(now, -1), length_s=5 * 86_400, whole_days=True),
    ]  # fmt: skip


def _at(now: datetime, days: int, at: time) -> datetime:
    day = now.astimezone(_MOSCOW).date() + timedelta(days=days)
    return datetime.combine(day, at, tzinfo=_MOSCOW).astimezone(UTC)


def _midnight(now: datetime, days: int) -> datetime:
    """Whole days are in no zone: the portal counts them in UTC."""
    return datetime.combine(now.astimezone(_MOSCOW).date() + timedelta(days=days), time(), tzinfo=UTC)
