"""What is asked about houses and people, from the database to a screen."""

from domain.directory import DirectoryList, HouseField
from domain.messages import Message, Section, plain
from domain.roles import Person
from handlers.calls.screens import ANSWER, action
from handlers.desk import Desk
from handlers.directory.ages import Sight, status_lines
from handlers.directory.figures import statistics_screen
from handlers.directory.house_screens import PER_PAGE, Slice, house_screen, houses_screen
from handlers.directory.mapping import choices_of
from handlers.directory.mapping_screens import counted_pipelines
from handlers.directory.staff_screens import departments_screen, employee_screen, staff_screen
from handlers.wording import Reader, shortened
from storage.queries import directory as read
from storage.queries import directory_figures
from storage.queries.questions import Question, keep_question, kept_question

WORDS_LIMIT = 60


async def houses(desk: Desk, reader: Reader, person: Person, *, offset: int = 0, without_company: bool = False) -> Message:
    """A page of all of them, or of those without a managing company."""
    key, turn = ("", "hsu") if without_company else (None, "hs")
    lines = await read.houses(
        desk.database, person.account_id, limit=PER_PAGE, offset=offset, company_key=key, by_address=True
    )
    total = await read.count_houses(desk.database, person.account_id, company_key=key)
    title = reader.say("houses.without_company") if without_company else ""
    return houses_screen(
        reader, lines, Slice(total=total, offset=offset, turn=turn), await sight(desk, person, DirectoryList.HOUSES),
        title=title, addressless=await _addressless(desk, person), pipelines=await _pipelines(desk, reader, person),
    )  # fmt: skip


async def houses_found(desk: Desk, reader: Reader, person: Person, words: str, *, offset: int = 0) -> Message:
    """The card where one fits, else a list; where none does, the nearest spelling."""
    found = await read.find_houses(desk.database, person.account_id, words, limit=PER_PAGE, offset=offset)
    seen = await sight(desk, person, DirectoryList.HOUSES)
    if not found.total and not offset:
        return await _nothing(desk, reader, person, words, near=found.near, seen=seen)
    if found.total == 1:
        return house_screen(reader, found.lines[0], seen)
    part = Slice(total=found.total, offset=offset, turn=await _turn(desk, person, "hsq", words), words=words)
    return houses_screen(reader, found.lines, part, seen, addressless=await _addressless(desk, person))


async def house(desk: Desk, reader: Reader, person: Person, external_id: str) -> Message | None:
    found = await read.house(desk.database, person.account_id, external_id)
    return house_screen(reader, found, await sight(desk, person, DirectoryList.HOUSES)) if found is not None else None


async def staff(desk: Desk, reader: Reader, person: Person, *, offset: int = 0, department_id: str = "") -> Message:
    """A page of all of them, or of those of one department."""
    lines = await read.employees(desk.database, person.account_id, department_id=department_id)
    turn = f"emd:{department_id}" if department_id else "em"
    title = await _department_name(desk, person, department_id) if department_id else ""
    part = Slice(total=len(lines), offset=offset, turn=turn)
    seen = await sight(desk, person, DirectoryList.EMPLOYEES)
    return staff_screen(reader, lines[offset : offset + PER_PAGE], part, seen, title=title)


async def staff_found(desk: Desk, reader: Reader, person: Person, words: str, *, offset: int = 0) -> Message:
    found = await read.find_employees(
        desk.database, person.account_id, words, limit=PER_PAGE, offset=offset, by_department=True
    )
    seen = await sight(desk, person, DirectoryList.EMPLOYEES)
    if not found.total and not offset:
        return await _nothing(desk, reader, person, words, near=found.near, seen=seen)
    if found.total == 1:
        return employee_screen(reader, found.lines[0], seen, calls=await _calls_of(desk, person, found.lines[0]))
    part = Slice(total=found.total, offset=offset, turn=await _turn(desk, person, "emq", words), words=words)
    return staff_screen(reader, found.lines, part, seen)


async def employee(desk: Desk, reader: Reader, person: Person, external_id: str) -> Message | None:
    found = await read.employee(desk.database, person.account_id, external_id)
    if found is None:
        return None
    seen = await sight(desk, person, DirectoryList.EMPLOYEES)
    return employee_screen(reader, found, seen, calls=await _calls_of(desk, person, found))


async def departments(desk: Desk, reader: Reader, person: Person, *, offset: int = 0) -> Message:
    tree = await read.departments(desk.database, person.account_id)
    return departments_screen(reader, tree, offset, await sight(desk, person, DirectoryList.DEPARTMENTS))


async def statistics(desk: Desk, reader: Reader, person: Person) -> Message:
    figures = await directory_figures.statistics(desk.database, person.account_id)
    seen = [await sight(desk, person, name) for name in (DirectoryList.HOUSES, DirectoryList.EMPLOYEES)]
    return statistics_screen(reader, figures, *seen, pipelines=await _pipelines(desk, reader, person))


async def sight(desk: Desk, person: Person, name: DirectoryList) -> Sight:
    states = await read.freshness(desk.database, person.account_id)
    crm = desk.directory.title if desk.directory is not None else ""
    return Sight(name=name, state=getattr(states, name.value), crm=crm)


async def status(desk: Desk, reader: Reader, person: Person) -> list[str]:
    """How the lists stand, a line each; none where no CRM has them."""
    if desk.directory is None:
        return []
    return list(status_lines(reader, [await sight(desk, person, name) for name in DirectoryList]))


async def question_of(desk: Desk, person: Person, name: str) -> str | None:
    """The words behind a button, None where they are forgotten."""
    kept = await kept_question(desk.database, person.account_id, name, desk.clock.now())
    return kept.text if kept is not None else None


async def _turn(desk: Desk, person: Person, button: str, words: str) -> str:
    kept = Question(account_id=person.account_id, text=words, asked_at=desk.clock.now())
    return f"{button}:{await keep_question(desk.database, kept)}"


async def _calls_of(desk: Desk, person: Person, one: read.EmployeeLine) -> str:
    """The button that lists calls as «сотрудник Иванов» in words does; "" of somebody without a name."""
    surname = one.full_name.partition(" ")[0]
    return f"{await _turn(desk, person, 'list', f'сотрудник {surname}')}:0" if surname else ""


async def _nothing(desk: Desk, reader: Reader, person: Person, words: str, *, near: str, seen: Sight) -> Message:
    """Where nothing was ever read that is said instead: nobody is to look for a mistake in their words."""
    if seen.blank:
        nothing = Slice(total=0, offset=0, turn="hs")
        return houses_screen(reader, (), nothing, seen) if _of_houses(seen) else staff_screen(reader, (), nothing, seen)
    lines = [plain(reader.say("directory.no_match", words=shortened(words, WORDS_LIMIT)))]
    rows = []
    if near:
        lines.append(plain(reader.say("directory.near", words=near)))
        button = await _turn(desk, person, "hsq" if _of_houses(seen) else "emq", near)
        rows.append((action(reader.say("directory.button.near", words=shortened(near, WORDS_LIMIT)), f"{button}:0"),))
    every = ("directory.button.houses", "hs:0") if _of_houses(seen) else ("directory.button.staff", "em:0")
    rows.append((action(reader.say(every[0]), every[1]),))
    return Message(key=ANSWER, sections=(Section(lines=tuple(lines)),), buttons=tuple(rows))


def _of_houses(seen: Sight) -> bool:
    return seen.name is DirectoryList.HOUSES


async def _department_name(desk: Desk, person: Person, department_id: str) -> str:
    tree = await read.departments(desk.database, person.account_id)
    name = next((one.name for one in tree if one.external_id == department_id), "")
    return f"🏢 {shortened(name, WORDS_LIMIT)}" if name else ""


async def _pipelines(desk: Desk, reader: Reader, person: Person) -> str:
    """Said to those who can choose one: sales may be among the houses."""
    if desk.directory is None or not person.role.runs_the_bot:
        return ""
    kept = await desk.directory.mappings.read(person.account_id)
    counted = await directory_figures.house_pipelines(desk.database, person.account_id)
    named = counted_pipelines(reader, kept, counted)
    return reader.say("houses.pipelines", count=reader.count(len(counted), "among_pipelines"), named=named) if named else ""


async def _addressless(desk: Desk, person: Person) -> bool:
    """The CRM has told its fields, and none of them is an address."""
    if desk.directory is None:
        return False
    kept = await desk.directory.mappings.read(person.account_id)
    address = next(one for one in choices_of(kept) if one.house_field is HouseField.ADDRESS)
    return bool(kept.fields) and address.card_field is None
