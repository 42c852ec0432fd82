"""What was promised in a call, as tasks to be set: pure functions."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from domain.messages import Button, ButtonKind, Line, Message, Section, Span, Style, bold, plain
from handlers.calls.screens import ANSWER, action
from handlers.tasks.screens import TITLE_LIMIT, due_in_words
from handlers.wording import Reader, shortened
from storage.call_tasks import ASKED, LOST, SET, CallTask
from storage.queries.call import CallDetail
from storage.queries.tasks import EmployeeLink

DUE = ("t", "e", "w", "n")  # tomorrow at ten, today's end, a week, none


def tasks_of_call(
    reader: Reader, call: CallDetail, tasks: Sequence[CallTask], *, crm: str, word: str = "", key: str = ANSWER
) -> Message:
    title = Line(spans=(Span(reader.say("calltask.title", when=reader.moment(call.started_at)), Style.BOLD),))
    lines = [plain(word)] if word else []
    lines += [line for number, task in enumerate(tasks, 1) for line in _lines(reader, number, task)]
    if not tasks:
        lines.append(plain(reader.say("calltask.none")))
    rows = tuple(_rows(reader, call, tasks, crm))
    return Message(key=key, sections=(Section(title=title, lines=tuple(lines)),), buttons=rows)


def _lines(reader: Reader, number: int, task: CallTask) -> Iterator[Line]:
    spans = [Span(f"{number}. ", Style.BOLD), Span(shortened(task.title, TITLE_LIMIT))]
    details = [task.employee_name or task.employee_id or reader.say("calltask.whose")]
    details.append(_until(reader, task.deadline))
    spans.append(Span(f" — {', '.join(details)}", Style.ITALIC))
    if task.state == SET:
        spans += [Span(" "), Span(reader.say("card.task_set"), Style.LINK, task.url)]
    elif task.state == ASKED:
        spans.append(Span(" " + reader.say("calltask.asked")))
    yield Line(spans=tuple(spans))
    if task.state == LOST:
        yield plain(reader.say("calltask.lost"))
    if task.problem:
        yield plain(f"⛔ {task.problem}")


def _until(reader: Reader, at: datetime | None) -> str:
    return due_in_words(reader, at) if at is not None else reader.say("card.no_deadline")


def _rows(reader: Reader, call: CallDetail, tasks: Sequence[CallTask], crm: str) -> Iterator[tuple[Button, ...]]:
    numbers = [action(str(number), f"ct:{task.id}") for number, task in enumerate(tasks, 1) if task.settable]
    yield from (tuple(numbers[start : start + 4]) for start in range(0, len(numbers), 4))
    ready = [task for task in tasks if task.settable and task.employee_id]
    if ready:
        name = "calltask.button.all" if len(ready) > 1 else "calltask.button.only"
        yield (action(reader.say(name, crm=crm, count=len(ready)), f"ctall:{call.id}"),)


def call_task_screen(reader: Reader, task: CallTask, *, crm: str) -> Message:
    """One promise: whose it will be and until when can be changed until it is set."""
    lines = [
        plain(reader.say("calltask.owner", name=task.employee_name or task.employee_id or reader.say("calltask.whose"))),
        plain(reader.say("calltask.due", at=_until(reader, task.deadline))),
    ]
    if task.problem:
        lines.append(plain(f"⛔ {task.problem}"))
    rows: list[tuple[Button, ...]] = []
    if task.settable:
        if task.employee_id:
            rows.append((action(reader.say("calltask.button.set", crm=crm), f"ctgo:{task.id}"),))
        rows.append(
            (
                action(reader.say("calltask.button.owner"), f"ctwho:{task.id}"),
                action(reader.say("calltask.button.due"), f"ctdue:{task.id}"),
            )
        )
    if task.url.startswith(("https://", "http://")):
        rows.append((Button(text=reader.say("tasks.button.open"), kind=ButtonKind.URL, target=task.url),))
    rows.append((action(reader.say("tasks.button.back"), f"ctback:{task.call_id}"),))
    return Message(key=ANSWER, sections=(Section(title=bold(task.title), lines=tuple(lines)),), buttons=tuple(rows))


def owners_screen(reader: Reader, task: CallTask, people: Sequence[EmployeeLink], *, crm: str) -> Message:
    """Those of the team who are known in the CRM."""
    chosen = [one for one in people if one.employee_id == task.employee_id]
    rows = [
        (
            action(
                reader.say("switch.on", title=one.employee_name) if one in chosen else one.employee_name,
                f"ctown:{task.id}:{one.employee_id}",
            ),
        )
        for one in people
    ]
    rows.append((action(reader.say("settings.back"), f"ct:{task.id}"),))
    said = reader.say("calltask.ask_owner" if people else "calltask.nobody_known", crm=crm)
    return Message(key=ANSWER, sections=(Section(title=bold(task.title), lines=(plain(said),)),), buttons=tuple(rows))


def dues_screen(reader: Reader, task: CallTask) -> Message:
    choices = [action(reader.say(f"calltask.until.{code}"), f"ctd:{task.id}:{code}") for code in DUE]
    rows = (tuple(choices[:2]), tuple(choices[2:]), (action(reader.say("settings.back"), f"ct:{task.id}"),))
    line = plain(reader.say("calltask.due", at=_until(reader, task.deadline)))
    return Message(key=ANSWER, sections=(Section(title=bold(task.title), lines=(line,)),), buttons=rows)
