"""How old an answer is, and why there is nothing in it or nothing newer: whose it is, and what to press."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain.directory import NotHouses
from domain.errors import NOT_CONNECTED
from storage.queries.directory import Freshness, ListState

STALE_AFTER = timedelta(hours=3)  # it is read every hour
ALL = ("houses", "employees", "departments")

_LISTS = {"houses": "домов", "employees": "сотрудников", "departments": "подразделений"}
_RIGHTS = {"houses": "CRM (crm)", "employees": "Пользователи (user_basic)", "departments": "Структура компании (department)"}
_REFUSALS = {
    "insufficient_scope": "Вебхуку Битрикс24 не хватает права: {right}.",
    "authorization_error": "Битрикс24 не принимает вебхук: его владелец уволен или отключён, или адрес неверен.",
    "invalid_token": "Битрикс24 не принимает вебхук: он удалён, изменён или истёк.",
    "no_auth_found": "Битрикс24 не принимает вебхук: он удалён, изменён или истёк.",
    "expired_token": "Битрикс24 не принимает вебхук: он удалён, изменён или истёк.",
    "unavailable": "Битрикс24 не отвечает: здесь список {listed}, прочитанный последним.",
    "busy": "Битрикс24 просит подождать, запросов к нему слишком много: здесь список {listed}, прочитанный последним.",
    NotHouses.UNMAPPED: "У сделок Битрикс24 нет полей дома (адрес, квартиры, этажи), поэтому {listed} среди них не ищут.",
    NotHouses.ADDRESSLESS: "У большинства сделок Битрикс24 о доме ничего не сказано: списка {listed} среди них не видно.",
}
_WAIT = "Нажимать ничего не надо: Сводка спрашивает снова сама. Долго не отвечает — /check битрикс в чате."


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How lists stand together: the oldest of their readings, and the first problem of theirs.

    ``version`` changes with every reading of any list.
    """

    version: Hashable
    updated_at: datetime | None
    stale: bool
    problem: Mapping[str, str] | None

    def in_json(self, now: datetime) -> dict[str, object]:
        at = self.updated_at
        return {
            "updated_at": at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else None,
            "age_seconds": max(0, int((now - at).total_seconds())) if at else None,
            "stale": self.stale,
            "problem": self.problem,
        }


def standing_of(fresh: Freshness, names: Sequence[str], *, now: datetime, connected: bool) -> Standing:
    """Of these lists together. ``connected``: there is a CRM to read them from."""
    states: dict[str, ListState] = {name: getattr(fresh, name) for name in names}
    read = [state.read_at for state in states.values() if state.read_at is not None]
    oldest = min(read) if len(read) == len(states) else None
    told = (_problem(name, state, connected=connected) for name, state in states.items())
    refused = not connected or any(state.problem for state in states.values())
    return Standing(
        version=tuple(getattr(fresh, name).read_at for name in ALL),
        updated_at=oldest,
        stale=refused or oldest is None or now - oldest > STALE_AFTER,
        problem=next((one for one in told if one is not None), None),
    )


def _problem(name: str, state: ListState, *, connected: bool) -> dict[str, str] | None:
    """Why there is nothing, or nothing newer."""
    listed = _LISTS[name]
    if not connected:
        hint = "Впишите адрес входящего вебхука в BITRIX24_WEBHOOK_URL и перезапустите Сводку."
        return {"code": NOT_CONNECTED, "message": "Битрикс24 не подключён.", "hint": hint}
    if state.problem:
        said = _REFUSALS.get(state.problem, "Битрикс24 не отдал список {listed}.")
        message = said.format(right=_RIGHTS[name], listed=listed)
        return {"code": state.problem, "message": message, "hint": state.hint or _WAIT}
    if state.read_at is None:
        hint = "Первое чтение идёт сразу после запуска. Поторопить: /houses в чате → «Обновить»."
        return {"code": "never_read", "message": f"Список {listed} ещё не прочитан из Битрикс24.", "hint": hint}
    if not state.count:
        hint = f"Проверьте право {_RIGHTS[name]} у вебхука и что его сотрудник это видит; для домов ещё воронку: /settings."
        return {"code": "empty", "message": f"Битрикс24 ответил, но {listed} не показал.", "hint": hint}
    return None
