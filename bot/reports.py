"""What the process says of itself: /api/health and /metrics."""

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from bot.version import VERSION

if TYPE_CHECKING:  # it is built after the port is open
    from bot.services import Services

_PUBLIC = {"ok": "ok", "unknown": "ok", "down": "unavailable", "refused": "refused", "off": "off"}


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
        database = "connected"
    except Exception:
        database = "disconnected"
    parts = {part.name: _PUBLIC[part.state] for part in services.board.parts()}
    parts["telegram"] = telegram_state(telegram)
    degraded = any(state not in {"ok", "off", "unknown"} for state in parts.values())
    status = "unhealthy" if database != "connected" else "degraded" if degraded else "ok"
    return {
        "status": status,
        "version": VERSION,
        "timestamp": services.clock.now().isoformat(timespec="seconds").replace("+00:00", "Z"),
        "database": database,
        "leader": leader,
        "parts": {"api": "ok", **parts},
    }


async def metrics(services: "Services", *, leader: bool) -> str:
    """Prometheus text format."""
    now: datetime = services.clock.now()
    waiting = await services.work.waiting(now)
    gauges: list[tuple[str, str, str, float]] = [
        ("svodka_up_seconds", "gauge", "Seconds since the start.", (now - services.started_at).total_seconds()),
        ("svodka_leader", "gauge", "1 in the process that works and sends.", float(leader)),
        ("svodka_deliveries_accepted_total", "counter", "Deliveries stored since the start.", services.inbox.accepted),
        ("svodka_deliveries_repeated_total", "counter", "Repeats of stored deliveries.", services.inbox.duplicates),
        ("svodka_work_finished_total", "counter", "Works finished since the start.", services.runner.finished),
        ("svodka_work_running", "gauge", "Works running now.", services.runner.running),
        ("svodka_commits_total", "counter", "Write transactions since the start.", services.database.commits),
        *((f"svodka_work_{name}", "gauge", f"Works: {name}.", waiting.get(name, 0)) for name in ("ready", "late", "dead")),
    ]
    lines = [f"# HELP {name} {text}\n# TYPE {name} {kind}\n{name} {value:g}" for name, kind, text, value in gauges]
    lines += _labelled("svodka_deliveries_rejected_total", "Requests refused.", services.hooks.rejected)
    lines += _labelled("svodka_events_unknown_total", "Genuine events nobody handles.", services.hooks.unknown_kinds)
    return "\n".join(lines) + "\n"


def _labelled(name: str, text: str, counts: dict[str, int]) -> list[str]:
    rows = [f'{name}{{reason="{_escaped(label)}"}} {count}' for label, count in sorted(counts.items())]
    return [f"# HELP {name} {text}\n# TYPE {name} counter", *rows] if rows else []


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
