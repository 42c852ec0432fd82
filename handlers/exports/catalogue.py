"""Everything that can be exported, once: what it is called, its columns, who may have it, and where its rows are."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from domain.calls import Tone
from domain.events import CallOutcome
from domain.messages import Texts
from domain.roles import Role
from domain.tasks import BoardState
from handlers.analytics.catalogue import Figure
from handlers.exports import company
from handlers.exports.columns import Column, Kind, Row
from handlers.exports.gathered import COST_COLUMNS, FIGURE_COLUMNS, NO_SHOWS, WEBINARS, figure, no_shows, webinars
from handlers.exports.ground import Ground
from storage.queries import listings
from storage.queries.listings import Days, Listing, count_rows, row_slices

Slices = AsyncGenerator[Sequence[Row]]

_KINDS = {
    Kind.MOMENT: ("started_at", "created_at", "updated_at", "last_lead_at", "last_visit_at", "webinar_date", "joined_at",
                  "left_at", "session_at", "registered_at", "deadline", "changed_at"),
    Kind.DAY: ("day",),
    Kind.PHONE: ("client_phone", "phone", "phone_number", "lead_phone", "employee_phone"),
    Kind.MONEY: ("value", "commission", "amount"),
    Kind.NUMBER: (
        "duration_s", "lead_id", "person_id", "leads", "visits", "watch_duration_sec", "messages", "minutes", "registered",
        "came", "attended_count", "stayed", "long_count", "hot", "warm", "matched", "no_show",
        "flats", "entrances", "floors", "houses", "people", "depth", "number", *FIGURE_COLUMNS[1:],
        *COST_COLUMNS[:1], *COST_COLUMNS[2:],
    ),
    Kind.LONG: ("gist", "address", "how", "task"),
    Kind.FLAG: ("attended", "clicked", "ordered", "live", "active"),
    Kind.LABEL: ("call_direction", "outcome", "call_kind", "tone", "call_state", "status", "source", "presence", "warmth",
                 "matched_by", "task_state"),
}  # fmt: skip
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names}
_FAMILIES = {
    "call_direction": "calls.direction.", "call_kind": "calls.kind.", "call_state": "calls.state.",
    "status": "client.status.", "source": "client.source.", "presence": "sheet.presence.", "warmth": "sheet.warmth.",
    "matched_by": "sheet.matched_by.",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """``name`` stands in commands and buttons. ``guarded``: for those who run the bot. ``dated``: of a period,
    which has both ends where it is ``counted``.

    ``count`` gives None where only reading it all tells.
    """

    name: str
    columns: tuple[str, ...]
    slices: Callable[[Ground, Days], Slices]
    count: Callable[[Ground, Days], Awaitable[int]] | None = None
    guarded: bool = False
    dated: bool = True
    counted: bool = False

    def allowed(self, role: Role) -> bool:
        """Whole bases of people with their phones, and what all of it costs, are for those who run the bot."""
        return role.runs_the_bot or not self.guarded


def title_of(export: Export, texts: Texts) -> str:
    """«Звонки»."""
    return texts.get(f"export.title.{export.name}")


def columns_of(export: Export, texts: Texts, *, named: bool = False) -> tuple[Column, ...]:
    """With the titles people read, or with names for programs."""
    return tuple(
        Column(
            name=name, title=name if named else texts.get(f"export.column.{name}"), kind=_KIND_OF.get(name, Kind.TEXT),
            labels=_labels(name, texts),
        )
        for name in export.columns
    )  # fmt: skip


def find_export(name: str) -> Export | None:
    return _BY_NAME.get(name)


def _labels(name: str, texts: Texts) -> dict[str, str]:
    """What people read for the values of a column, as on the screens."""
    if name == "outcome":
        return {one.value: texts.get(f"export.outcome.{one}") for one in CallOutcome}
    if name == "tone":
        return {one.value: texts.get(f"export.tone.{one}") for one in Tone}
    if name == "task_state":
        return {one.value: texts.get(f"export.task.{one}") for one in BoardState}
    if _KIND_OF.get(name) is Kind.PHONE:
        return {"hidden": texts.get("calls.hidden_number")}
    if _KIND_OF.get(name) is Kind.FLAG:
        return {"0": texts.get("export.flag.no"), "1": texts.get("export.flag.yes")}
    family = _FAMILIES.get(name, "")
    return {key.removeprefix(family): text for key, text in texts.entries.items() if family and key.startswith(family)}


def _listed(name: str, listing: Listing, *, guarded: bool = True) -> Export:
    return Export(
        name=name, columns=tuple(listing.columns), guarded=guarded, dated=listing.dated,
        slices=lambda ground, days: row_slices(ground.database, ground.account_id, listing, days),
        count=lambda ground, days: count_rows(ground.database, ground.account_id, listing, days),
    )  # fmt: skip


def _figure(of: Figure) -> Export:
    columns = (*FIGURE_COLUMNS, *(COST_COLUMNS if of is not Figure.TOP else ()))
    return Export(name=of.export, columns=columns, slices=partial(figure, of), counted=True)


EXPORTS = (
    _listed("calls", listings.CALLS),
    _listed("leads", listings.LEADS),
    _listed("clients", listings.CLIENTS),
    Export(name="webinars", columns=WEBINARS, slices=webinars),
    _listed("attendees", listings.ATTENDEES),
    _listed("registrations", listings.REGISTRATIONS),
    Export(name="no_shows", columns=NO_SHOWS, slices=no_shows, guarded=True),
    _figure(Figure.DIRECTION),
    _figure(Figure.CREATIVE),
    _figure(Figure.SOURCE),
    _figure(Figure.PARTNER),
    _figure(Figure.TOP),
    _listed("spend", listings.SPEND),
    Export(name="company", columns=company.FIGURES, slices=company.figures, guarded=True, counted=True),
    Export(name="houses", columns=company.HOUSES, slices=company.houses, dated=False),
    Export(name="employees", columns=company.EMPLOYEES, slices=company.employees, dated=False, guarded=True),
    Export(name="departments", columns=company.DEPARTMENTS, slices=company.departments, dated=False),
    Export(name="statistics", columns=company.STATISTICS, slices=company.statistics, dated=False),
    _listed("tasks", listings.TASKS),
)
_BY_NAME = {export.name: export for export in EXPORTS}
