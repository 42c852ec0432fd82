"""What somebody sees of their tasks and meetings. Pure functions."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from domain.messages import Button, ButtonKind, Line, Message, Section, Span, Style, bold, bullet, plain
from domain.tasks import BoardState, Meeting
from handlers.calls.screens import ANSWER, action
from handlers.tasks.reading import Board
from handlers.wording import Reader, shortened
from storage.queries.tasks import TaskLine

PER_PAGE = 8
TITLE_LIMIT = 120
MOST_MEETINGS = 8


class Due(StrEnum):
    """When a task is due, as its list is divided."""

    OVERDUE = "overdue"
    TODAY = "today"
    LATER = "later"
    NEVER = "never"


def due_of(task: TaskLine, reader: Reader) -> Due:
    if task.deadline is None:
        return Due.NEVER
    if task.deadline < reader.now:
        return Due.OVERDUE
    return Due.TODAY if task.deadline.astimezone(reader.zone).date() == reader.today else Due.LATER


def board_screen(reader: Reader, board: Board, *, offset: int = 0, word: str = "", key: str = ANSWER) -> Message:
    """Meetings of today first, then tasks by what is due; a button for each of this page."""
    offset = max(0, min(offset, (len(board.tasks) - 1) // PER_PAGE * PER_PAGE))
    page = board.tasks[offset : offset + PER_PAGE]
    sections = [_head(reader, board, word)]
    if offset == 0:
        sections += _meetings(reader, board)
    sections += _groups(reader, board, page, offset)
    return Message(key=key, sections=tuple(sections), buttons=tuple(_rows(reader, board, page, offset)))


def _head(reader: Reader, board: Board, word: str) -> Section:
    lines = [plain(word)] if word else []
    if board.read.tasks_problem:
        lines.append(plain(f"⛔ {board.read.tasks_problem}"))
    elif board.read_at is None:
        lines.append(plain(reader.say("tasks.never_read")))
    elif board.old:
        lines.append(plain(reader.say("tasks.old", at=reader.moment(board.read_at))))
    if not board.tasks and board.read_at is not None:
        lines.append(plain(reader.say("tasks.none")))
    name = board.link.employee_name
    title = reader.say("tasks.title_of", name=name) if name else reader.say("tasks.title")
    return Section(title=bold(title), lines=tuple(lines))


def _meetings(reader: Reader, board: Board) -> Iterator[Section]:
    read = board.read
    if read.meetings_problem:
        yield Section(lines=(plain(reader.say("tasks.no_meetings", problem=read.meetings_problem)),), weight=5)
        return
    if read.meetings_day != board.day or not read.meetings:
        return
    lines = [bullet(meeting_line(reader, one)) for one in read.meetings[:MOST_MEETINGS]]
    if len(read.meetings) > MOST_MEETINGS:
        lines.append(plain(reader.say("tasks.more_meetings", count=len(read.meetings) - MOST_MEETINGS)))
    yield Section(title=bold(reader.say("tasks.meetings")), lines=tuple(lines), weight=4)


def meeting_line(reader: Reader, meeting: Meeting) -> str:
    """«10:00–11:00 Планёрка · Офис», «весь день Выезд»; what begins or ends on another day says so."""
    parts = [f"{_times(reader, meeting)} {shortened(meeting.title, TITLE_LIMIT) or reader.say('tasks.nameless')}"]
    parts += [shortened(meeting.place, TITLE_LIMIT)] if meeting.place else []
    parts += [reader.say("tasks.unanswered")] if meeting.unanswered else []
    return " · ".join(parts)


def _times(reader: Reader, meeting: Meeting) -> str:
    if meeting.begins is None or meeting.ends is None:
        if meeting.last_day is not None and meeting.last_day > reader.today:
            return reader.say("tasks.until_day", day=f"{meeting.last_day:%d.%m}")
        return reader.say("tasks.whole_day")
    begins, ends = (at.astimezone(reader.zone) for at in (meeting.begins, meeting.ends))
    first = f"{begins:%H:%M}" if begins.date() == reader.today else f"{begins:%d.%m %H:%M}"
    last = f"{ends:%H:%M}" if ends.date() == reader.today or _is_midnight(ends, reader) else f"{ends:%d.%m %H:%M}"
    return first if begins == ends else f"{first}–{last}"


def _is_midnight(at: datetime, reader: Reader) -> bool:
    """The end of today is 00:00 of tomorrow."""
    return at.date() == reader.today + timedelta(days=1) and (at.hour, at.minute) == (0, 0)


def _groups(reader: Reader, board: Board, page: Sequence[TaskLine], offset: int) -> Iterator[Section]:
    counts = {due: sum(due_of(task, reader) is due for task in board.tasks) for due in Due}
    for due in Due:
        lines = tuple(
            line
            for number, task in enumerate(page, offset + 1)
            if due_of(task, reader) is due
            for line in _task_lines(reader, number, task)
        )
        if lines:
            title = reader.say(f"tasks.due.{due}", count=counts[due])
            yield Section(title=bold(title), lines=lines)


def _task_lines(reader: Reader, number: int, task: TaskLine) -> Iterator[Line]:
    spans = [Span(f"{number}. ", Style.BOLD), Span(shortened(task.title, TITLE_LIMIT) or reader.say("tasks.nameless"))]
    details = [due_in_words(reader, task.deadline)] if task.deadline is not None else []
    details += [reader.say("tasks.deferred")] if task.state is BoardState.DEFERRED else []
    details += [reader.say(f"tasks.asked.{task.asked}")] if task.asked else []
    if details:
        spans.append(Span(f" — {', '.join(details)}", Style.ITALIC))
    yield Line(spans=tuple(spans))
    if task.problem:
        yield plain(f"⛔ {task.problem}")


def due_in_words(reader: Reader, at: datetime) -> str:
    """«сегодня 18:00», «завтра 10:00», «05.12 10:00»."""
    local = at.astimezone(reader.zone)
    if local.date() == reader.today + timedelta(days=1):
        return reader.say("tasks.tomorrow", time=f"{local:%H:%M}")
    return reader.moment(at)


def _rows(reader: Reader, board: Board, page: Sequence[TaskLine], offset: int) -> Iterator[tuple[Button, ...]]:
    numbers = [action(str(number), f"tsk:{task.external_id}") for number, task in enumerate(page, offset + 1)]
    yield from (tuple(numbers[start : start + 4]) for start in range(0, len(numbers), 4))
    pager = []
    if offset > 0:
        pager.append(action(reader.say("tasks.button.nearer"), f"tasks:{offset - PER_PAGE}"))
    if offset + PER_PAGE < len(board.tasks):
        pager.append(action(reader.say("tasks.button.further"), f"tasks:{offset + PER_PAGE}"))
    if pager:
        yield tuple(pager)
    yield (action(reader.say("tasks.button.again"), "tnow:0"),)


def task_screen(reader: Reader, task: TaskLine, *, word: str = "", key: str = ANSWER) -> Message:
    """One task, and what can be done with it."""
    lines = [plain(word)] if word else []
    lines.append(plain(_when(reader, task)))
    if task.state is BoardState.DEFERRED:
        lines.append(plain(reader.say("tasks.is_deferred")))
    if task.asked:
        lines.append(plain(reader.say(f"tasks.waits.{task.asked}")))
    elif not task.may_move:
        lines.append(plain(reader.say("tasks.fixed")))
    if task.problem:
        lines.append(plain(f"⛔ {task.problem}"))
    title = task.title or reader.say("tasks.nameless")
    return Message(
        key=key,
        sections=(Section(title=bold(title), lines=tuple(lines)),),
        buttons=tuple(_task_rows(reader, task)),
    )


def _when(reader: Reader, task: TaskLine) -> str:
    if task.deadline is None:
        return reader.say("tasks.no_deadline")
    name = "tasks.was_due" if task.deadline < reader.now else "tasks.is_due"
    return reader.say(name, at=due_in_words(reader, task.deadline))


def _task_rows(reader: Reader, task: TaskLine) -> Iterator[tuple[Button, ...]]:
    number = task.external_id
    if not task.asked:
        yield (action(reader.say("tasks.button.done"), f"tdone:{number}"),)
    if not task.asked and task.may_move:
        yield (
            action(reader.say("tasks.button.hour"), f"tput:h:{number}"),
            action(reader.say("tasks.button.tomorrow"), f"tput:t:{number}"),
        )
        yield (
            action(reader.say("tasks.button.week"), f"tput:w:{number}"),
            action(reader.say("tasks.button.own_time"), f"town:{number}"),
        )
    if task.url.startswith(("https://", "http://")):
        yield (Button(text=reader.say("tasks.button.open"), kind=ButtonKind.URL, target=task.url),)
    yield (action(reader.say("tasks.button.back"), "tasks:0"),)
