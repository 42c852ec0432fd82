"""The extractive draft: a summary made of what was said, with no model, no cost and no network."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.calls import CallContext, CallKind, Cost, Point, Summary, SummarySource, Transcript
from integrations.extractive.addresses import find_address
from integrations.extractive.amounts import Sum, amounts_of, find_sums
from integrations.extractive.clauses import Clause, cut
from integrations.extractive.lexicon import Lexicon
from integrations.extractive.people import client_name
from integrations.extractive.points import dates_of, key_points, questions_of, request_of, told
from integrations.extractive.roles import attribute
from integrations.extractive.tasks import Found, find_tasks
from integrations.extractive.telling import doubts, empty_text, next_steps, overview, quoted
from integrations.extractive.verdict import Mood, hear_mood, is_meaningful, kind_of

VERSION = "extractive-1"
_ASIDE = {CallKind.WRONG_NUMBER, CallKind.VOICEMAIL, CallKind.NO_SPEECH}


@dataclass(frozen=True, slots=True)
class ExtractiveSummariser:
    """Port ``Summariser`` without a model. Any transcript gives a summary; it raises nothing."""

    lexicon: Lexicon

    @property
    def model(self) -> str:
        return ""

    @property
    def paid(self) -> bool:
        return False

    @property
    def version(self) -> str:
        return VERSION

    def estimate(self, transcript: Transcript) -> Cost:
        """Nothing, whatever the length."""
        return Cost(model="", micro_usd=0, units=float(len(transcript.text)), unit="char")

    async def summarise(self, transcript: Transcript, context: CallContext) -> Summary:
        """Some milliseconds of our own CPU; a call of ten minutes takes under twenty."""
        return draft(transcript, context, self.lexicon)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """All that was found in one call, before it is told."""

    clauses: list[Clause]
    found: Found
    mood: Mood
    kind: CallKind
    questions: tuple[Point, ...]
    sums: list[Sum]
    address: Point | None
    wish: int | None

    @property
    def request(self) -> Point | None:
        if self.wish is None:
            return None
        clause = self.clauses[self.wish]
        return Point(text=told(clause), evidence=clause.evidence())


def draft(transcript: Transcript, context: CallContext, lex: Lexicon) -> Summary:
    """The whole draft, as a pure function of what was said, when and between whom."""
    heard = _hear(transcript, context, lex)
    substance = bool(heard.found.tasks or heard.sums or heard.address or heard.wish is not None)
    if not is_meaningful(heard.clauses, heard.kind, substance=substance):
        return _empty(heard, lex)
    return _full(heard, transcript, context, lex)


def _hear(transcript: Transcript, context: CallContext, lex: Lexicon) -> _Heard:
    clauses = attribute(cut(transcript, lex), context, lex)
    found = find_tasks(clauses, context, lex)
    mood = hear_mood(clauses)
    questions = questions_of(clauses)
    kind = kind_of(clauses, mood, promised=bool(found.tasks), from_client=context.direction.from_client)
    return _Heard(
        clauses=clauses, found=found, mood=mood, kind=kind, questions=questions,
        sums=find_sums(clauses, lex), address=find_address(clauses, lex),
        wish=request_of(clauses, complaint=kind is CallKind.COMPLAINT),
    )  # fmt: skip


def _empty(heard: _Heard, lex: Lexicon) -> Summary:
    """A wrong number, a machine or silence: nothing is claimed, at most a call back is suggested."""
    kind = heard.kind if heard.kind in _ASIDE else CallKind.OTHER
    return Summary(
        source=SummarySource.DRAFT,
        meaningful=False,
        kind=kind,
        text=empty_text(lex.texts, kind, heard.clauses),
        next_steps=next_steps(lex.texts, kind, heard.clauses, (), None, meaningful=False),
        prompt_version=VERSION,
    )


def _subject(heard: _Heard, points: Sequence[Point]) -> str:
    """The request, else the longest key point, else the longest thing that was said."""
    if heard.request:
        return heard.request.text
    return max((point.text for point in points), key=len, default="") or max(map(told, heard.clauses), key=len)


def _full(heard: _Heard, transcript: Transcript, context: CallContext, lex: Lexicon) -> Summary:
    clauses, found, texts = heard.clauses, heard.found, lex.texts
    request, tasks, amounts = heard.request, found.tasks, amounts_of(heard.sums, heard.clauses)
    kept = (*found.told, *found.conditional)
    points = key_points(clauses, heard.sums, kept, without=heard.wish)
    reason = heard.mood.reason
    return Summary(
        source=SummarySource.DRAFT,
        meaningful=True,
        kind=heard.kind,
        text=overview(
            texts, heard.kind, subject=_subject(heard, points), address=heard.address, tasks=tasks, amounts=amounts
        ),
        points=points,
        client_request=request,
        questions=heard.questions,
        tasks=tasks,
        next_steps=next_steps(texts, heard.kind, clauses, tasks, request, meaningful=True),
        tone=heard.mood.tone,
        tone_reason=quoted(told(reason)) if reason else "",
        client_name=client_name(clauses, context, lex),
        address=heard.address,
        amounts=amounts,
        dates=dates_of(clauses),
        unclear=doubts(
            texts, clauses, whose=found.doubtful, conditional=found.conditional, poor=transcript.quality.doubtful
        ),
        prompt_version=VERSION,
    )
