"""Tasks of the summary: promises with what, who and when, each with its quote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from domain.calls import CallContext, Evidence, Task
from integrations.extractive.agreements import find_agreements, find_proposals
from integrations.extractive.clauses import Clause
from integrations.extractive.due import resolve
from integrations.extractive.lexicon import Lexicon
from integrations.extractive.moments import InMinutes, Loose, When
from integrations.extractive.orders import Order, by_clause, find_orders, near
from integrations.extractive.people import staff_name
from integrations.extractive.promises import Verdict, Vow, find_vows
from integrations.extractive.wording import Deed, deed
from integrations.extractive.words import slice_text, squeeze

_LOOK_BACK = 4  # clauses between a request and the promise that takes it up
_MOST = 100  # promises of one call; more is a broken transcript
_DAY_BACK = 5  # clauses in which a day is still meant
_QUOTE_WORDS = 14
_ALONE = frozenset({"call", "send", "visit"})  # groups that say enough without an object


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Tasks in order; ``told`` are places of the clauses they come from.

    ``conditional`` and ``doubtful`` are places of clauses for the key points and the doubts.
    """

    tasks: tuple[Task, ...]
    told: tuple[int, ...]
    conditional: tuple[int, ...]
    doubtful: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """A task with what is needed to join and compare it."""

    task: Task
    index: int
    group: str
    infinitive: str
    bare: bool
    timed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """All that the making of one task looks at."""

    clauses: Sequence[Clause]
    context: CallContext
    lex: Lexicon
    orders: Mapping[int, Sequence[Order]]
    verbs: Mapping[int, Sequence[int]]  # clause → its promising verbs
    employee: str


def find_tasks(clauses: Sequence[Clause], context: CallContext, lex: Lexicon) -> Found:
    """Promises and accepted requests; nothing that was denied, asked, conditional or said by the client."""
    vows = find_vows(clauses, lex)
    orders = find_orders(clauses, lex)
    firm = [vow for vow in vows if vow.verdict is Verdict.PROMISE][:_MOST]
    verbs: dict[int, list[int]] = {}
    for vow in firm:
        verbs.setdefault(vow.index, []).append(vow.verb)
    scene = _Scene(
        clauses=clauses, context=context, lex=lex, orders=by_clause(orders), verbs=verbs,
        employee=staff_name(clauses, context, lex),
    )  # fmt: skip
    drafts: list[_Draft] = []
    taken: set[int] = set()
    for vow in firm:
        draft, order = _promised(scene, vow)
        taken |= {order.index} if order else set()
        if draft:
            _add(drafts, draft, lex)
    agreed = find_agreements(clauses, scene.orders, set(verbs), lex)
    drafts += [_agreed(scene, index, order) for index, order in agreed if order.index not in taken]
    drafts += [_agreed(scene, index, order) for index, order in find_proposals(clauses, lex)]
    drafts = _distinct(sorted(drafts, key=lambda draft: draft.index)[:_MOST])
    return Found(
        tasks=tuple(draft.task for draft in drafts),
        told=tuple(draft.index for draft in drafts),
        conditional=tuple(vow.index for vow in vows if vow.verdict is Verdict.CONDITIONAL),
        doubtful=tuple(vow.index for vow in vows if vow.verdict is Verdict.DOUBTFUL),
    )


def _promised(scene: _Scene, vow: Vow) -> tuple[_Draft | None, Order | None]:
    """The task of a promise and the request it took up; None where the words mean nothing after the call."""
    clause, lex = scene.clauses[vow.index], scene.lex
    infinitive = vow.form.infinitive
    times = _times_of(scene, vow)
    doer = range(vow.subject.start, vow.subject.end) if vow.subject else range(0)
    told = deed(clause, vow.verb, infinitive, clause.times, lex, doer=doer)
    order = _order_for(scene, vow) if told.bare else None
    text = _text_of(clause, times)
    if order:
        told = order.deed if not order.deed.bare or len(order.deed.text) > len(told.text) else told
        if not times:
            text, times = _text_of(scene.clauses[order.index], order.times), order.times
    if not times and (later := _said_next(scene, vow.index)):
        text, times = later
    if _is_idle(clause, vow, told, timed=bool(times), lex=lex):
        return None, order
    when = _with_day(scene, vow.index, _combined(times))
    part = next((time.part for time in order.times if time.part), "") if order else ""
    return _draft(scene, vow, _named(told, infinitive, order), (text, when, part)), order


def _named(told: Deed, infinitive: str, order: Order | None) -> Deed:
    """The promised verb with the object of the request: «пришлите счёт» — «отправлю» → «отправить счёт»."""
    if order is None or not told.text.startswith(order.form.infinitive) or infinitive == "сделать":
        return told
    return replace(told, text=infinitive + told.text.removeprefix(order.form.infinitive))


def _is_idle(clause: Clause, vow: Vow, told: Deed, *, timed: bool, lex: Lexicon) -> bool:
    """Done within the call («сейчас посмотрю»), or said without anything that makes it a task («найдём»)."""
    infinitive = vow.form.infinitive
    if infinitive in lex.verbs.in_call and clause.has("wait"):
        return True
    if timed or not told.bare:
        return False
    return infinitive in lex.verbs.needs_object or infinitive in lex.verbs.in_call or vow.form.group not in _ALONE


def _draft(scene: _Scene, vow: Vow, told: Deed, time: tuple[str, When | None, str]) -> _Draft:
    clause = scene.clauses[vow.index]
    who = vow.subject.name if vow.subject else scene.employee
    task = _task(scene, clause, who, told.text, time)
    return _Draft(
        task=task, index=vow.index, group=vow.form.group, infinitive=vow.form.infinitive, bare=told.bare, timed=bool(time[0])
    )


def _agreed(scene: _Scene, index: int, order: Order) -> _Draft:
    """A request that was taken with «договорились» or «добавила», at the time either side named."""
    clause = scene.clauses[index]
    times: Sequence[When] = clause.times
    source = clause if times else scene.clauses[order.index]
    times = times or order.times
    part = next((time.part for time in order.times if time.part), "")
    when = _with_day(scene, index, _combined(times))
    task = _task(scene, clause, scene.employee, order.deed.text, (_text_of(source, times), when, part))
    return _Draft(
        task=task,
        index=index,
        group=order.form.group,
        infinitive=order.form.infinitive,
        bare=order.deed.bare,
        timed=bool(times),
    )


def _task(scene: _Scene, clause: Clause, who: str, told: str, time: tuple[str, When | None, str]) -> Task:
    """``time``: its words, the time itself, and a part of the day said by the other side."""
    text, when, part = time
    spoken_at = scene.context.held_at + timedelta(seconds=clause.at or 0.0)
    due = resolve(when, spoken_at, part=part) if when else None
    return Task(
        what=told, who=who, when_text=text, evidence=clause.evidence(),
        due_date=due.day if due else None, due_time=due.time if due else "",
    )  # fmt: skip


def _quote(clause: Clause, verb: int) -> Evidence:
    """The whole clause; of a very long one the words around the verb."""
    start, end = max(0, verb - _QUOTE_WORDS), verb + _QUOTE_WORDS
    if start == 0 and end >= len(clause.tokens):
        return clause.evidence()
    return Evidence(quote=squeeze(slice_text(clause.text, clause.tokens, start, end)), at=clause.at, confirmed=True)


def _times_of(scene: _Scene, vow: Vow) -> Sequence[When]:
    """Times of the clause that belong to this verb: not to another promise, nor to «записал вас на четверг» before it."""
    clause = scene.clauses[vow.index]
    times = clause.times
    verbs = scene.verbs[vow.index]
    order = verbs.index(vow.verb)
    start = _border(clause, times, verbs[order - 1], vow.verb) if order else 0
    end = _border(clause, times, vow.verb, verbs[order + 1]) if order + 1 < len(verbs) else len(clause.tokens)
    noted = [at for at in range(start, vow.verb) if clause.tokens[at].word in scene.lex.verbs.accepted]
    return [
        time
        for time in times
        if start <= time.start < end and not (noted and noted[0] < time.start and time.end <= vow.verb)
    ]


def _border(clause: Clause, times: Sequence[When], one: int, other: int) -> int:
    """Where the words of the second of two verbs begin: at the last comma or «и», else at the last of several times."""
    marks = [at for at in range(one + 1, other + 1) if clause.tokens[at].parted or clause.tokens[at].word in {"и", "а"}]
    between = [time.start for time in times if one < time.start and time.end <= other]
    return marks[-1] if marks else between[-1] if len(between) > 1 else other


def _text_of(clause: Clause, times: Sequence[When]) -> str:
    return " ".join(squeeze(slice_text(clause.text, clause.tokens, time.start, time.end)) for time in times)


def _combined(times: Sequence[When]) -> When | None:
    """«Завтра я вам в три часа перезвоню»: the first day with the first hour; two days give no date."""
    if not times:
        return None
    days = {time.day for time in times if time.day is not None}
    timed = next((time for time in times if time.hour is not None), times[0])
    part = timed.part or next((time.part for time in times if time.part and time.end <= timed.start), "")
    day = days.pop() if len(days) == 1 else Loose() if days else None
    return replace(timed, day=day, part=part)


def _with_day(scene: _Scene, index: int, when: When | None) -> When | None:
    """«Давайте в четверг» — «хорошо, в три позвоню»: the day was said just before."""
    if when is None or when.day is not None or when.hour is None:
        return when
    for clause in reversed(scene.clauses[max(0, index - _DAY_BACK) : index]):
        for time in reversed(clause.times):
            if time.day is not None:
                return when if isinstance(time.day, InMinutes) else replace(when, day=time.day, part=when.part or time.part)
    return when


def _said_next(scene: _Scene, index: int) -> tuple[str, Sequence[When]] | None:
    """«Я вам перезвоню. Завтра утром.»: a time alone, right after, of the same speaker."""
    after = scene.clauses[index + 1] if index + 1 < len(scene.clauses) else None
    if after is None or after.turn != scene.clauses[index].turn or len(after.tokens) > 6 or after.question:
        return None
    times = after.times
    covered = sum(time.end - time.start for time in times)
    return (_text_of(after, times), times) if times and covered >= len(after.tokens) - 1 else None


def _order_for(scene: _Scene, vow: Vow) -> Order | None:
    """The latest request of the same kind shortly before; «сделаю» takes any."""
    recent = near(scene.orders, vow.index - _LOOK_BACK, vow.index + 1)
    same = [order for order in recent if vow.form.infinitive == "сделать" or order.form.group == vow.form.group]
    return same[-1] if same else None


def _add(drafts: list[_Draft], draft: _Draft, lex: Lexicon) -> None:
    """Append, or join with the promise before it where one sentence makes one arrangement."""
    last = drafts[-1] if drafts else None
    if last and last.index == draft.index and last.task.who == draft.task.who:
        if draft.infinitive in lex.verbs.attached and not draft.timed:
            drafts[-1] = replace(last, task=replace(last.task, what=f"{last.task.what} и {draft.task.what}"))
            return
        if last.infinitive in lex.verbs.in_call and not last.timed:
            what = f"{last.task.what} и {draft.task.what}"
            drafts[-1] = replace(draft, task=replace(draft.task, what=what), bare=False)
            return
    drafts.append(draft)


def _distinct(drafts: Sequence[_Draft]) -> list[_Draft]:
    """A promise repeated later in the talk is one task: the fuller telling stays."""
    kept: list[_Draft] = []
    for draft in drafts:
        twin = next((at for at, other in enumerate(kept) if _same(other, draft)), None)
        if twin is None:
            kept.append(draft)
        elif (draft.timed, not draft.bare) > (kept[twin].timed, not kept[twin].bare):
            kept[twin] = draft
    return kept


def _same(one: _Draft, other: _Draft) -> bool:
    if one.group != other.group or (one.task.who and other.task.who and one.task.who != other.task.who):
        return False
    when = (one.task.due_date, one.task.due_time) == (other.task.due_date, other.task.due_time)
    what = one.bare or other.bare or one.task.what == other.task.what
    return what and (when or not one.timed or not other.timed)
