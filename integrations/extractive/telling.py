"""The draft's own few sentences around the quotes: the text, the next steps, the doubts."""

from collections.abc import Mapping, Sequence
from datetime import date

from domain.calls import Amount, CallKind, Point, Task
from integrations.extractive.clauses import Clause
from integrations.extractive.points import told
from integrations.extractive.words import shorten

Texts = Mapping[str, Mapping[str, str]]
_QUOTE = 160
_TASKS = 3
_SUMS = 3
_DOUBTS = 5
_LATE = date.max


def quoted(text: str, limit: int = _QUOTE) -> str:
    """«…» with inner guillemets and the closing mark taken off."""
    inner = shorten(text.replace("«", "“").replace("»", "”"), limit)
    return f"«{inner.rstrip('.,;: ')}»"


def overview(
    texts: Texts,
    kind: CallKind,
    *,
    subject: str,
    address: Point | None,
    tasks: Sequence[Task],
    amounts: Sequence[Amount],
) -> str:
    """One to three sentences: what it was about (``subject``, as it was said), what was promised, what it costs."""
    words = texts["text"]
    where = f", {address.text}" if address else ""
    sentences = [f"{words[kind.value]}{where}: {quoted(subject)}."]
    if tasks:
        sentences.append(f"{words['promised']}: {'; '.join(task_line(task) for task in tasks[:_TASKS])}.")
    if amounts:
        label = words["sum_one"] if len(amounts) == 1 else words["sum_many"]
        sentences.append(f"{label}: {', '.join(_sum(amount) for amount in amounts[:_SUMS])}.")
    return " ".join(sentences)


def task_line(task: Task) -> str:
    """«перезвонить клиенту (бригадир Марина, в пятницу до двенадцати часов)»."""
    notes = ", ".join(note for note in (task.who, task.when_text) if note)
    return f"{task.what} ({notes})" if notes else task.what


def _sum(amount: Amount) -> str:
    """«150 ₽ за метр»: what the sum is for stays with it."""
    tail = amount.text.split()[-2:]
    per = len(tail) == 2 and tail[0].lower() in {"за", "в"}
    return f"{rubles(amount.value_rub)} {' '.join(tail)}" if per else rubles(amount.value_rub)


def rubles(value: int) -> str:
    """«18 000 ₽», with spaces that do not break."""
    return f"{value:,} ₽".replace(",", "\u00a0").replace(" ", "\u00a0")


def empty_text(texts: Texts, kind: CallKind, clauses: Sequence[Clause]) -> str:
    """For a call in which nothing was agreed: what happened, and the message left on a machine."""
    words = texts["text"]
    if kind is CallKind.VOICEMAIL:
        message = _message(clauses)
        return f"{words['voicemail']} {words['message']}: {quoted(message)}." if message else words["voicemail"]
    return words.get(kind.value, "") if kind in {CallKind.WRONG_NUMBER, CallKind.NO_SPEECH} else words["nothing"]


def _message(clauses: Sequence[Clause]) -> str:
    """The last thing said after the machine's own words that is more than a courtesy."""
    last = max(index for index, clause in enumerate(clauses) if clause.has("voicemail"))
    after = [clause for clause in clauses[last + 1 :] if len(clause.tokens) >= 3]
    return told(after[-1]) if after else ""


def next_steps(
    texts: Texts,
    kind: CallKind,
    clauses: Sequence[Clause],
    tasks: Sequence[Task],
    request: Point | None,
    *,
    meaningful: bool,
) -> str:
    """The nearest promise and what the client means to do; after a machine or a silence only a call back."""
    words = texts["next"]
    if kind is CallKind.VOICEMAIL:
        return words["after_voicemail"]
    if not meaningful:
        return "" if kind is CallKind.WRONG_NUMBER else words["call_again"]
    steps: list[str] = []
    if tasks:
        first = min(tasks, key=lambda task: (task.due_date or _LATE, task.due_time or "99"))
        steps.append(f"{words['nearest']}: {task_line(first)}.")
    elif request:
        steps.append(f"{words['unanswered']}: {quoted(request.text)}.")
    own = next((clause for clause in reversed(clauses) if clause.by_client and clause.weight("later") >= 0.8), None)
    if own and not own.question:
        steps.append(f"{words['own']}: {quoted(told(own))}.")
    return " ".join(steps)


def doubts(
    texts: Texts, clauses: Sequence[Clause], *, whose: Sequence[int], conditional: Sequence[int], poor: bool
) -> tuple[str, ...]:
    """Promises of nobody in particular, promises with an «если», a poor recording."""
    words = texts["unclear"]
    rows = [f"{words['condition']}: {quoted(told(clauses[at]))}" for at in list(dict.fromkeys(conditional))[:_DOUBTS]]
    rows += [f"{words['whose']}: {quoted(told(clauses[at]))}" for at in list(dict.fromkeys(whose))[:_DOUBTS]]
    return (*rows, *([words["doubtful"]] if poor else []))
