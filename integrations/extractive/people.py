"""Names in speech: who promised, what the client is called, how the employee introduced themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rapidfuzz.fuzz import ratio

from domain.calls import CallContext
from integrations.extractive.clauses import Clause
from integrations.extractive.lexicon import Lexicon
from integrations.extractive.verbs import Mood
from integrations.extractive.words import capital, plain

_PLURAL = ("ут", "ют", "ат", "ят", "утся", "ются", "атся", "ятся")
_SAME_NAME = 80
_KNOWN = 0.99
_CERTAIN = 0.9
_GREETING_ENDS = frozenset({"здравствуйте", "день", "утро", "вечер", "алло"})
_EARLY = 8  # clauses: people introduce themselves at the start


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who does it, in tokens [start, end). ``name`` is empty for «он», «вам перезвонят»."""

    name: str
    start: int
    end: int


def subject_of(clause: Clause, verb: int, lex: Lexicon) -> Subject | None:
    """The one who will do it, for a verb in the third person; None when nothing of the staff is named."""
    if found := _before(clause, verb, lex) or _after(clause, verb, lex):
        return found
    if clause.tokens[verb].word.endswith(_PLURAL) and (clause.staff >= _KNOWN or lex.small["to_client"] & set(clause.words)):
        return Subject(name="", start=verb, end=verb)
    return None


def _before(clause: Clause, verb: int, lex: Lexicon) -> Subject | None:
    for at in range(verb - 1, max(verb - 7, -1), -1):
        if found := _person(clause, at, lex):
            return found
        form = lex.verbs.get(clause.tokens[at].word)
        if form is not None and form.mood is Mood.THIRD and clause.tokens[verb - 1].word == "и":
            return _before(clause, at, lex)  # «бухгалтер проверит и пришлёт»
        if clause.tokens[at + 1].parted or form is not None:
            break
    return None


def _after(clause: Clause, verb: int, lex: Lexicon) -> Subject | None:
    for at in range(verb + 1, min(verb + 4, len(clause.tokens))):
        if clause.tokens[at].parted or lex.verbs.get(clause.tokens[at].word):
            break
        if found := _person(clause, at, lex):
            return found
    return None


def _person(clause: Clause, at: int, lex: Lexicon) -> Subject | None:
    """A role, a name or both around this token: «бригадир Марина», «Ольга Петровна», «наш менеджер»."""
    word = clause.tokens[at].word
    if word in lex.people.pronouns:
        return Subject(name="", start=at, end=at + 1)
    if not _is_part(clause, at, lex):
        return None
    start, end = at, at + 1
    while start > 0 and not clause.tokens[start].parted and _is_part(clause, start - 1, lex):
        start -= 1
    if clause.tokens[start].word in lex.people.names and _is_trade(clause, start - 1, lex):
        start -= 1
    while end < len(clause.tokens) and not clause.tokens[end].parted and _is_part(clause, end, lex):
        end += 1
    return Subject(name=" ".join(_cased(clause, i, lex) for i in range(start, end)), start=start, end=end)


def _is_trade(clause: Clause, at: int, lex: Lexicon) -> bool:
    """A trade no list knows, right before a name: «настройщик Вадим»."""
    if at < 0 or clause.tokens[at + 1].parted or len(clause.tokens[at].word) < 5:
        return False
    word = clause.tokens[at].word
    known = (
        word in lex.small["skip"] or word in lex.small["stop"] or word in lex.verbs.forms or word in lex.people.client_roles
    )
    return not known and word.endswith(("ик", "ер", "ор", "ист", "арь", "ель", "лог", "ант", "ент"))


def _is_part(clause: Clause, at: int, lex: Lexicon) -> bool:
    word = clause.tokens[at].word
    people = lex.people
    if word in people.staff or word in people.staff_plural or word in people.names:
        return True
    before = clause.tokens[at - 1].word if at else ""
    if before in people.names and word.endswith(people.patronymic_endings):
        return True
    return before in people.staff and _is_capital(clause, at)


def _is_capital(clause: Clause, at: int) -> bool:
    return at > 0 and clause.text[clause.tokens[at].start].isupper()


def _cased(clause: Clause, at: int, lex: Lexicon) -> str:
    """Names from a capital also where a machine wrote none; trades in lower case."""
    said = _said(clause, at)
    word = clause.tokens[at].word
    if word in lex.people.names or word.endswith(lex.people.patronymic_endings) or _is_capital(clause, at):
        return capital(said)
    return said.lower()


def staff_name(clauses: Sequence[Clause], context: CallContext, lex: Lexicon) -> str:
    """How the employee is called: as the CRM says, else as they introduced themselves, else empty."""
    if context.employee_name:
        return context.employee_name
    opening = [clause for clause in clauses[:_EARLY] if clause.by_staff]
    for clause in opening:
        if name := _introduced(clause, lex):
            guessed = clause.staff < 1 and context.direction.from_client and name == _after_cue(clause, lex)
            return "" if guessed and _is_second(name, clauses, lex) else name
    sign = _signed if context.direction.from_client else _apart
    greeting = [clause for clause in opening[:2] if clause.turn == opening[0].turn]
    return next((name for clause in greeting if (name := sign(clause, lex))), "")


def _is_second(name: str, clauses: Sequence[Clause], lex: Lexicon) -> bool:
    """On a call to us the company speaks first: where speakers are guessed, a later introduction may be the client's."""
    told = next((other for clause in clauses if (other := _after_cue(clause, lex))), name)
    return told != name


def _introduced(clause: Clause, lex: Lexicon) -> str:
    """«Меня зовут Анна», «это Александр», «компания Ясный Двор, Анна, добрый день»."""
    if name := _after_cue(clause, lex):
        return name
    if not clause.has("company"):
        return ""
    tail = [at for at, token in enumerate(clause.tokens) if token.word in lex.people.names]
    return capital(_said(clause, tail[-1])) if tail else ""


def _signed(clause: Clause, lex: Lexicon) -> str:
    """«Грузоперевозки Атлант, Фёдор», «Эмма слушает»: who answers the phone names themselves."""
    at = next((at for at, token in enumerate(clause.tokens) if token.word in lex.people.names), None)
    return _full_name(clause, at, lex, known=True) if at is not None else ""


def _apart(clause: Clause, lex: Lexicon) -> str:
    """«… отдел качества, Юлия»: a name alone between commas that is not a greeting of the client."""
    tokens = clause.tokens
    for at in range(2, len(tokens)):
        alone = tokens[at].parted and (at + 1 == len(tokens) or tokens[at + 1].parted)
        if alone and tokens[at].word in lex.people.names and tokens[at - 1].word not in _GREETING_ENDS:
            return capital(_said(clause, at))
    return ""


def client_name(clauses: Sequence[Clause], context: CallContext, lex: Lexicon) -> str:
    """As the client said it, or as the staff called them by name and patronymic; the CRM's spelling where it is the same.

    A position («председатель дома») where there is no name; empty where nothing was said.
    """
    own = [_after_cue(clause, lex) or _only_name(clause, lex) for clause in clauses if clause.staff < _CERTAIN]
    called = [_vocative(clause, lex) for clause in clauses if not clause.by_client]
    staff = plain(staff_name(clauses, context, lex)).split()[:1]
    found = [name for name in (*own, *called) if name and plain(name).split()[:1] != staff]
    if not found:
        hailed = [_hailed(clause, lex) for clause in clauses if clause.by_staff]
        found = [name for name in hailed if name and plain(name).split()[:1] != staff]
    if not found:
        return next((name for clause in clauses if not clause.by_staff and (name := _position(clause, lex))), "")
    best = max(found, key=lambda name: len(name.split()))
    return _spelling(best, context.client_name)


def _spelling(heard: str, known: str) -> str:
    """The CRM's spelling of every word that was heard and is nearly the same; a machine mishears names."""
    return " ".join(next((k for k in known.split() if ratio(plain(w), plain(k)) >= _SAME_NAME), w) for w in heard.split())


def _after_cue(clause: Clause, lex: Lexicon) -> str:
    words = clause.words
    for at, (one, two) in enumerate(pairwise(words)):
        if (one == "меня" and two == "зовут") or (one == "зовут" and two == "меня"):
            return _full_name(clause, at + 2, lex, known=False)
        if one in {"это", "я"} and (two in lex.people.names or _is_spelt_name(clause, at + 1, lex)):
            return _full_name(clause, at + 1, lex, known=two in lex.people.names)
    return ""


def _is_spelt_name(clause: Clause, at: int, lex: Lexicon) -> bool:
    """«Это Игнат Зимин», «это Кира из агентства»: capitals where a name can be meant."""
    if at + 1 >= len(clause.tokens) or not _is_capital(clause, at):
        return False
    after = clause.tokens[at + 1].word
    return after == "из" or (_is_capital(clause, at + 1) and after.endswith(lex.people.surname_endings))


def _full_name(clause: Clause, start: int, lex: Lexicon, *, known: bool) -> str:
    """Name, patronymic and surname from this token on; a word in capitals counts as one in a spelt transcript."""
    people = lex.people
    parts: list[str] = []
    for at in range(start, min(start + 3, len(clause.tokens))):
        word = clause.tokens[at].word
        named = word in people.names or word.endswith((*people.patronymic_endings, *people.surname_endings))
        if at > start and (clause.tokens[at].parted or word in people.names):
            break
        spelt = _is_capital(clause, at) and (not known or parts)
        first = at == start and not known and word not in lex.small["stop"] and word not in lex.small["skip"]
        if len(word) < 3 or not (named or spelt or first):
            break
        parts.append(capital(_said(clause, at)))
    return " ".join(parts)


def _only_name(clause: Clause, lex: Lexicon) -> str:
    """«Зоя Аркадьевна.»: an answer that is a name and nothing else."""
    if not 2 <= len(clause.tokens) <= 3 or clause.tokens[0].word not in lex.people.names or clause.question:
        return ""
    name = _full_name(clause, 0, lex, known=True)
    return name if len(name.split()) == len(clause.tokens) else ""


def _vocative(clause: Clause, lex: Lexicon) -> str:
    """«Алло, Ирина Павловна?», «Елена Сергеевна, очень приятно»."""
    people = lex.people
    for at in range(1, len(clause.tokens)):
        one, two = clause.tokens[at - 1].word, clause.tokens[at].word
        before = {token.word for token in clause.tokens[max(0, at - 4) : at - 1]}
        forms = [lex.verbs.get(token.word) for token in clause.tokens[at + 1 : at + 4]]
        acts = any(form is not None and form.mood is Mood.THIRD for form in forms)
        named = one in people.names and two.endswith(people.patronymic_endings)
        if named and not acts and not before & {"зовут", "это", *people.staff}:
            return f"{capital(_said(clause, at - 1))} {capital(_said(clause, at))}"
    return ""


def _hailed(clause: Clause, lex: Lexicon) -> str:
    """«Здравствуйте, Марк!», «Игнат, мы ждём деталь»: one name that the staff call the client by."""
    tokens = clause.tokens
    for at, token in enumerate(tokens):
        if token.word not in lex.people.names:
            continue
        ends = at + 1 == len(tokens) or tokens[at + 1].parted
        greeted = at > 0 and tokens[at - 1].word in _GREETING_ENDS
        if ends and (greeted or (at == 0 and len(tokens) > 1)):
            return capital(_said(clause, at))
    return ""


def _position(clause: Clause, lex: Lexicon) -> str:
    """«Я председатель дома»: a position and the one word that belongs to it."""
    tokens = clause.tokens
    for at in range(1, len(tokens)):
        if tokens[at - 1].word in {"я", "это"} and tokens[at].word in lex.people.client_roles:
            last = at + 1
            if last < len(tokens) and not tokens[last].parted and _belongs(tokens[last].word):
                last += 1
                last += last < len(tokens) and not tokens[last].parted and _is_capital(clause, last)
            return clause.text[tokens[at].start : tokens[last - 1].end]
    return ""


def _belongs(word: str) -> bool:
    """A noun in the genitive after a position: «дома», «школы», «ученика»."""
    return len(word) > 3 and word.endswith(("а", "ы", "и", "я")) and word not in {"улица", "живу", "хотела", "звонила"}


def _said(clause: Clause, at: int) -> str:
    token = clause.tokens[at]
    return clause.text[token.start : token.end]
