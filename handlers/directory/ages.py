"""How old a list is and why it is not newer, as people read it. Pure functions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.directory import DirectoryList, NotHouses
from domain.messages import Button
from domain.plural import spaced
from handlers.calls.screens import action
from handlers.directory.pipeline import BUSY, PASSING, UNAVAILABLE
from handlers.wording import Reader
from storage.queries.directory import ListState

_COMMANDS = {
    DirectoryList.HOUSES: "/houses", DirectoryList.EMPLOYEES: "/staff", DirectoryList.DEPARTMENTS: "/departments",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A list as it is seen now. ``crm``: what the connected one is called, "" where none is."""

    name: DirectoryList
    state: ListState
    crm: str

    @property
    def blank(self) -> bool:
        """There is nothing to count: it was never read, or nothing was given."""
        return self.state.count == 0


def age_lines(reader: Reader, sight: Sight, *, named: bool = False) -> Iterator[str]:
    """When it was read; why not since; and never «0» without a word. ``named``: with the list's name, beside others."""
    state = sight.state
    if not sight.crm:
        yield reader.say("directory.not_connected_now" if state.read_at else "directory.not_connected")
    elif state.read_at is None and not state.problem:
        yield reader.say("directory.never")
    if state.read_at is not None:
        if sight.blank and sight.crm:
            yield reader.say(f"directory.empty.{sight.name}", crm=sight.crm)
        what = reader.say(f"directory.list.{sight.name}") if named else reader.say("directory.data")
        yield reader.say("directory.age", what=what, moment=reader.moment(state.read_at), ago=reader.ago(state.read_at))
    if sight.crm and state.problem:
        yield _problem(reader, sight)


def status_lines(reader: Reader, sights: Sequence[Sight]) -> Iterator[str]:
    """A line a list, for who runs the bot: how much there is and how old it is, or where it is said what to press."""
    for sight in sights:
        what, state = reader.say(f"directory.list.{sight.name}"), sight.state
        if state.problem and state.problem not in PASSING:
            yield reader.say("directory.status_refused", what=what, command=_COMMANDS[sight.name])
        elif state.read_at is None:
            yield reader.say("directory.status_never", what=what)
        else:
            yield reader.say("directory.status", what=what, count=spaced(state.count), ago=reader.ago(state.read_at))


def refresh_row(reader: Reader, sight: Sight, back: str) -> tuple[Button, ...]:
    """«Обновить», where somebody can be asked. ``back``: the screen that is shown then."""
    return (action(reader.say("directory.button.refresh"), f"drd:{back}"),) if sight.crm else ()


def _problem(reader: Reader, sight: Sight) -> str:
    state = sight.state
    if state.problem == BUSY:
        return reader.say("directory.busy", crm=sight.crm)
    if state.problem == UNAVAILABLE or state.problem_at is None:
        return reader.say("directory.unavailable", crm=sight.crm)
    if state.problem in set(NotHouses):
        return reader.say(f"directory.{state.problem}", crm=sight.crm, hint=state.hint)
    moment, what = reader.moment(state.problem_at), reader.say(f"directory.list_of.{sight.name}")
    if not state.hint:
        return reader.say("directory.refused_unsaid", crm=sight.crm, what=what, moment=moment, code=state.problem)
    return reader.say("directory.refused", crm=sight.crm, what=what, moment=moment, hint=state.hint.rstrip("."))
