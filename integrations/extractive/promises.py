"""Which words are a promise of the staff, and which only look like one."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from integrations.extractive.clauses import Clause
from integrations.extractive.lexicon import Lexicon
from integrations.extractive.people import Subject, subject_of
from integrations.extractive.verbs import Form, Mood
from integrations.extractive.words import Token

_SURE = 0.6


class Verdict(Enum):
    PROMISE = "promise"
    CONDITIONAL = "conditional"
    DOUBTFUL = "doubtful"  # a promise, but of whom?
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vow:
    """A promising verb: token ``verb`` of clause ``index``. ``subject`` None: the speaker promises."""

    index: int
    verb: int
    form: Form
    subject: Subject | None
    verdict: Verdict


def find_vows(clauses: Sequence[Clause], lex: Lexicon) -> list[Vow]:
    """Promises, conditional promises and doubtful ones, in the order they were said."""
    vows: list[Vow] = []
    for index, clause in enumerate(clauses):
        if clause.by_client:
            continue
        for verb, token in enumerate(clause.tokens):
            form = lex.verbs.get(token.word)
            if form is None or form.mood in {Mood.IMPERATIVE, Mood.INFINITIVE}:
                continue
            vow = _vow(clauses, index, verb, form, lex)
            if vow.verdict is not Verdict.NONE:
                vows.append(vow)
    return vows


def _vow(clauses: Sequence[Clause], index: int, verb: int, form: Form, lex: Lexicon) -> Vow:
    clause = clauses[index]
    subject = subject_of(clause, verb, lex) if form.mood is Mood.THIRD else None
    verdict = Verdict.NONE
    if (form.mood is not Mood.THIRD or subject is not None) and _is_said(clause.tokens, verb, lex):
        verdict = _weigh(clauses, index, (form, subject), lex)
    return Vow(index=index, verb=verb, form=form, subject=subject, verdict=verdict)


def _is_said(tokens: Sequence[Token], verb: int, lex: Lexicon) -> bool:
    """No «не» before the verb, no «кто», «когда», «чтобы» that governs it."""
    if verb and tokens[verb - 1].word in {"не", "ни"}:
        return False
    for at in range(verb - 1, -1, -1):
        if tokens[at].word in lex.small["governs"]:
            return False
        if tokens[at + 1].parted or tokens[at].word in lex.small["reset"]:
            break
    return not (verb + 1 < len(tokens) and tokens[verb + 1].word in {"ли", "бы"})


def _weigh(clauses: Sequence[Clause], index: int, said: tuple[Form, Subject | None], lex: Lexicon) -> Verdict:
    form, subject = said
    clause = clauses[index]
    if _is_conditional(clauses, index, lex):
        return Verdict.CONDITIONAL if clause.by_staff else Verdict.NONE
    if clause.question and not _is_accepted(clauses, index):
        return Verdict.NONE
    if clause.staff > _SURE or _speaks_for_company(clause, form, subject, lex):
        return Verdict.PROMISE
    return Verdict.DOUBTFUL if form.mood is Mood.FIRST else Verdict.NONE


def _speaks_for_company(clause: Clause, form: Form, subject: Subject | None, lex: Lexicon) -> bool:
    """Where the speaker is unknown: a named employee does it, or it is done for «вас»."""
    to_client = bool(lex.small["to_client"] & set(clause.words))
    return to_client and (form.mood is Mood.FIRST or (subject is not None and subject.name != ""))


def _is_conditional(clauses: Sequence[Clause], index: int, lex: Lexicon) -> bool:
    """«Если» in these words or in the ones just before, of one sentence; «если можно» sets no condition."""
    if _sets_condition(clauses[index]) or _is_followed(clauses, index, lex):
        return True
    before = clauses[index - 1] if index else None
    if before is None or before.sentence != clauses[index].sentence or clauses[index].words[0] in lex.small["fresh"]:
        return False
    return not before.by_client and _sets_condition(before)


def _is_followed(clauses: Sequence[Clause], index: int, lex: Lexicon) -> bool:
    """«Отгрузим в пятницу если оплатите» without marks; «…через час если не успеет я перезвоню» limits the next promise."""
    after = clauses[index + 1 : index + 3]
    if not after or after[0].sentence != clauses[index].sentence or after[0].words[0] != "если":
        return False
    forms = [lex.verbs.get(word) for clause in after for word in clause.words]
    return _sets_condition(after[0]) and not any(form and form.mood in {Mood.FIRST, Mood.THIRD} for form in forms)


def _sets_condition(clause: Clause) -> bool:
    polite = {hit.start for hit in clause.hits if hit.tag == "polite_if"}
    return any(hit.tag == "condition" and hit.start not in polite for hit in clause.hits)


def _is_accepted(clauses: Sequence[Clause], index: int) -> bool:
    """«Давайте я перезвоню завтра?» — «Да, давайте»."""
    after = clauses[index + 1] if index + 1 < len(clauses) else None
    if after is None or after.by_staff or after.has("refusal"):
        return False
    return after.weight("consent") >= 1 or (after.words[0] == "да" and len(after.tokens) <= 4)
