"""What the process says of itself: /api/health and /metrics."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from bot.entrance import ACCOUNT
from bot.version import VERSION
from domain.directory import NotHouses

if TYPE_CHECKING:  # it is built after the port is open
    from bot.services import Services

_PUBLIC = {"ok": "ok", "unknown": "unknown", "down": "unavailable", "refused": "refused", "off": "off"}


class TelegramReport(Protocol):
    """What is needed of bot.telegram's own health, without its types."""

    @property
    def username(self) -> str: ...
    @property
    def token_refused(self) -> bool: ...
    @property
    def outage_since(self) -> datetime | None: ...
    @property
    def conflict(self) -> bool: ...
    @property
    def silent(self) -> bool: ...


def telegram_state(report: TelegramReport | None) -> str:
    """ok | unavailable | refused (a person has to act) | unknown (not loaded yet, or another process leads)."""
    if report is None:
        return "unknown"
    if report.token_refused or report.conflict:
        return "refused"
    if report.silent or report.outage_since is not None:
        return "unavailable"
    return "ok" if report.username else "unknown"


async def health(services: "Services", *, leader: bool, telegram: TelegramReport | None = None) -> dict[str, object]:
    """``status``: ok, degraded (something outside is away, work goes on) or unhealthy (the database is gone)."""
    try:
        await services.database.ping()
        database, lists = "connected", await _directory(services)
    except Exception:
        database, lists = "disconnected", None
    parts = {part.name: _PUBLIC[part.state] for part in services.board.parts()}
    parts["telegram"] = telegram_state(telegram)
    degraded = any(state not in {"ok", "off", "unknown"} for state in parts.values())
    degraded = degraded or any(one["problem"] not in _NOTHING_WRONG for one in (lists or {}).values())
    status = "unhealthy" if database != "connected" else "degraded" if degraded else "ok"
    return {
        "status": status,
        "version": VERSION,
        "timestamp": _utc(services.clock.now()),
        "database": database,
        "leader": leader,
        "parts": {"api": "ok", **parts},
        "directory": lists,
    }


_NOTHING_WRONG = {None, *NotHouses}  # a team that looks after no houses has nothing to mend


async def _directory(services: "Services") -> dict[str, dict[str, object]] | None:
    """How old houses, people and departments are, and the code of what keeps them from being newer; None without a CRM.

    Read from the database: a standby, which asks the CRM nothing, says it too.
    """
    from storage.queries.directory import freshness  # what searches is loaded by now

    if all(connected.ports.directory is None for connected in services.connected.values()):
        return None
    fresh, now = await freshness(services.database, ACCOUNT), services.clock.now()
    return {
        name: {
            "updated_at": _utc(state.read_at) if state.read_at is not None else None,
            "age_seconds": int((now - state.read_at).total_seconds()) if state.read_at is not None else None,
            "problem": state.problem or None,
        }
        for name, state in (("houses", fresh.houses), ("employees", fresh.employees), ("departments", fresh.departments))
    }


def _utc(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


async def metrics(services: "Services", *, leader: bool) -> str:
    """Prometheus text format."""
    now: datetime = services.clock.now()
    waiting = await services.work.waiting(now)
    gauges: list[tuple[str, str, str, float]] = [
        ("svodka_up_seconds", "gauge", "Seconds since the start.", (now - services.started_at).total_seconds()),
        ("svodka_leader", "gauge", "1 in the process that works and sends.", float(leader)),
        ("svodka_deliveries_accepted_total", "counter", "Deliveries stored since the start.", services.inbox.accepted),
        ("svodka_deliveries_repeated_total", "counter", "Repeats of stored deliveries.", services.inbox.duplicates),
        ("svodka_work_running", "gauge", "Works running now.", services.runner.running),
        ("svodka_commits_total", "counter", "Write transactions since the start.", services.database.commits),
        *((f"svodka_work_{name}", "gauge", f"Works: {name}.", waiting.get(name, 0)) for name in ("ready", "late", "dead")),
    ]
    lines = [f"# HELP {name} {text}\n# TYPE {name} {kind}\n{name} {value:.15g}" for name, kind, text, value in gauges]
    runner, events = services.runner, services.inbox.kinds
    accepted = [({"vendor": vendor, "event": event}, count) for (vendor, event), count in sorted(events.items())]
    lines += _labelled("svodka_events_accepted_total", "Events stored since the start.", accepted)
    lines += _labelled("svodka_work_finished_total", "Works finished since the start.", _by("kind", runner.finished))
    seconds = "Seconds from being accepted to the end of works that finished."
    lines += _labelled("svodka_work_seconds_total", seconds, _by("kind", runner.seconds))
    lines += _labelled("svodka_work_failed_total", "Attempts that failed, by error.", _by("code", runner.failed))
    lines += _labelled("svodka_deliveries_rejected_total", "Requests refused.", _by("reason", services.hooks.rejected))
    unknown = _by("reason", services.hooks.unknown_kinds)
    lines += _labelled("svodka_events_unknown_total", "Genuine events nobody handles.", unknown)
    return "\n".join([*lines, *await _digests(services)]) + "\n"


async def _digests(services: "Services") -> list[str]:
    """Of the schedules that are set: read from the database, as a standby has it too."""
    from storage.schedules import ScheduleStore

    found = await ScheduleStore(services.database).all(ACCOUNT)
    missed, shut = sum(one.missed for one in found), sum(one.enabled and one.obstacle is not None for one in found)
    return [
        f"# HELP {name} {text}\n# TYPE {name} {kind}\n{name} {value}"
        for name, kind, text, value in (
            ("svodka_digests_missed_total", "counter", "Digests that were too old to be sent.", missed),
            ("svodka_digests_shut", "gauge", "Schedules whose chat cannot be written to.", shut),
        )
    ]


def _by(label: str, counts: Mapping[str, float]) -> list[tuple[dict[str, str], float]]:
    return [({label: name}, count) for name, count in sorted(counts.items())]


def _labelled(name: str, text: str, counts: Iterable[tuple[dict[str, str], float]]) -> list[str]:
    rows = [f"{name}{{{_labels(labels)}}} {count:.15g}" for labels, count in counts]
    return [f"# HELP {name} {text}\n# TYPE {name} counter", *rows] if rows else []


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f'{label}="{_escaped(value)}"' for label, value in labels.items())


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
