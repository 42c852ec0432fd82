"""The summary of a call by a language model: asked strictly, read with one repair, proven by the transcript."""

import json
import math
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from domain.calls import CallContext, Cost, Segment, Speaker, Summary, Transcript
from integrations.kit.audio.off_loop import RunCpu, off_loop
from integrations.kit.speech.grounding import ground
from integrations.kit.speech.privacy import mask, mask_transcript
from integrations.openai.answers import Choice, content_of
from integrations.openai.faults import BadRequest, bad_answer, refused
from integrations.openai.models import chat_model
from integrations.openai.schema import SCHEMA, Unusable, read_summary
from integrations.openai.settings import ChatSettings
from integrations.openai.wire import Wire

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_ACTION = "summarise"
_MODES = ("json_schema", "json_object", "prompt")
_CHARS_PER_TOKEN = 2.5  # of Russian text: careful, it is nearer to 3
_PROMPT_TOKENS, _ANSWER_TOKENS = 1800, 900
_ASKS = 5  # requests of one kind at most, while a server refuses parameters one by one
_DRAFT_HINT = "Модель ответила не сводкой. Остаётся черновик без модели; если так часто, смените LLM_MODEL."
_REFUSED_HINT = "Модель отказалась разбирать этот разговор. Остаётся черновик без модели."
_LONG_HINT = "Ответ модели не уместился в предел длины. Увеличьте LLM_MAX_TOKENS или уберите эту настройку."

Message = dict[str, str]


@cache
def prompt() -> dict[str, Any]:
    """The texts of prompt.ru.toml."""
    return tomllib.loads(files(__package__).joinpath("prompt.ru.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class _Manner:
    """How this server wants to be asked, learnt from its refusals."""

    mode: str
    with_temperature: bool
    tokens_name: str = "max_completion_tokens"


class OpenAISummariser:
    """Summariser over /chat/completions."""

    def __init__(self, settings: ChatSettings, model: str, run_cpu: RunCpu) -> None:
        self._settings = settings
        self._name = model
        self._row = chat_model(model)
        self._wire = Wire(settings.route)
        self._run_cpu = run_cpu
        first = _MODES[0] if settings.structured == "auto" else settings.structured
        self._manner = _Manner(first, settings.temperature is not None)

    @property
    def model(self) -> str:
        return self._name

    @property
    def paid(self) -> bool:
        return True

    @property
    def version(self) -> str:
        return str(prompt()["version"])

    def estimate(self, transcript: Transcript) -> Cost:
        into = len(transcript.text) / _CHARS_PER_TOKEN + _PROMPT_TOKENS
        return replace(self._cost(into, _ANSWER_TOKENS), estimated=True)

    async def close(self) -> None:
        await self._wire.close()

    async def summarise(self, transcript: Transcript, context: CallContext) -> Summary:
        """VendorRefused "bad_summary" (also after the one repair), "refused" or "too_long": the draft stands."""
        masked = await off_loop(self._run_cpu, lambda: mask_transcript(transcript))
        messages = _messages(masked, context)
        first = await self._answer(messages)
        costs = [self._paid(first, messages)]
        try:
            summary = self._read(first)
        except Unusable as problem:
            again = _repair(messages, first.content, str(problem))
            second = await self._answer(again)
            costs.append(self._paid(second, again))
            try:
                summary = self._read(second)
            except Unusable:
                raise refused(_ACTION, "bad_summary", _DRAFT_HINT) from None
        summary = replace(summary, costs=tuple(costs))
        return await off_loop(self._run_cpu, lambda: ground(summary, masked, context.held_at))

    def _read(self, answer: Choice) -> Summary:
        if answer.refusal or answer.finish == "content_filter":
            raise refused(_ACTION, "refused", _REFUSED_HINT)
        if answer.finish == "length":
            raise refused(_ACTION, "too_long", _LONG_HINT)
        return read_summary(answer.content, model=self._name, prompt_version=self.version)

    async def _answer(self, messages: list[Message]) -> Choice:
        """One answer; a parameter that the server refuses is left out for good once another way has worked."""
        manner = self._manner
        for _ in range(_ASKS):
            try:
                answer = await self._ask(messages, manner)
            except BadRequest as refusal:
                simpler = self._simpler(manner, refusal)
                if simpler is None:
                    raise
                manner = simpler
                continue
            self._manner = manner
            return answer
        raise bad_answer(self._settings.route, _ACTION)

    async def _ask(self, messages: list[Message], manner: _Manner) -> Choice:
        options = self._options(manner)
        if manner.mode != "json_schema":
            by_words = prompt()["schema_by_words"].format(schema=json.dumps(SCHEMA, ensure_ascii=False))
            messages = [{**messages[0], "content": messages[0]["content"] + by_words}, *messages[1:]]

        async def ask(client: "AsyncOpenAI") -> Any:
            completions: Any = client.chat.completions.with_raw_response
            return await completions.create(model=self._name, messages=messages, **options)

        found = content_of(await self._wire.ask_object(_ACTION, ask))
        if found is None:
            raise bad_answer(self._settings.route, _ACTION)
        return found

    def _options(self, manner: _Manner) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if manner.mode == "json_schema":
            shape = {"name": "call_summary", "strict": True, "schema": SCHEMA}
            options["response_format"] = {"type": "json_schema", "json_schema": shape}
        elif manner.mode == "json_object":
            options["response_format"] = {"type": "json_object"}
        if manner.with_temperature:
            options["temperature"] = self._settings.temperature
        if self._settings.max_tokens is not None:
            options[manner.tokens_name] = self._settings.max_tokens
        return options

    def _simpler(self, manner: _Manner, refusal: BadRequest) -> _Manner | None:
        """What to try after a 400; None when nothing is left to leave out."""
        if refusal.code != "bad_request":
            return None
        if manner.with_temperature and "temperature" in refusal.about:
            return replace(manner, with_temperature=False)
        if self._settings.max_tokens is not None and "max_completion_tokens" in refusal.about:
            return None if manner.tokens_name == "max_tokens" else replace(manner, tokens_name="max_tokens")
        at = _MODES.index(manner.mode)
        if self._settings.structured != "auto" or at + 1 >= len(_MODES):
            return None
        return replace(manner, mode=_MODES[at + 1])

    def _paid(self, answer: Choice, messages: list[Message]) -> Cost:
        if answer.tokens is not None:
            return self._cost(*answer.tokens)
        into = sum(len(m["content"]) for m in messages) / _CHARS_PER_TOKEN
        return replace(self._cost(into, len(answer.content) / _CHARS_PER_TOKEN), estimated=True)

    def _cost(self, into: float, out: float) -> Cost:
        micro = math.ceil(into * self._row.per_input + out * self._row.per_output)
        known = self._row.price_known
        return Cost(model=self._name, micro_usd=micro, units=math.ceil(into + out), unit="tok", estimated=not known)


def _messages(transcript: Transcript, context: CallContext) -> list[Message]:
    texts = prompt()
    unknown = texts["names"]["unknown"]
    user = texts["user"].format(
        held_at=f"{context.held_at:%Y-%m-%d %H:%M}",
        weekday=texts["weekdays"]["names"][context.held_at.weekday()],
        direction=texts["directions"]["incoming" if context.direction.from_client else "outgoing"],
        employee=mask(context.employee_name) or unknown,
        client=mask(context.client_name) or unknown,
        company=mask(context.company) or unknown,
        speakers=texts["speakers"][_speakers(transcript)],
        transcript="\n".join(_line(s, transcript.timed) for s in transcript.segments),
    )
    return [{"role": "system", "content": texts["system"].strip()}, {"role": "user", "content": user.strip()}]


def _speakers(transcript: Transcript) -> str:
    if any(s.speaker is not Speaker.UNKNOWN for s in transcript.segments):
        return "known"
    return "labelled" if any(s.label for s in transcript.segments) else "unknown"


def _line(segment: Segment, timed: bool) -> str:
    names = prompt()["names"]
    who = {Speaker.OPERATOR: names["operator"], Speaker.CLIENT: names["client"]}.get(segment.speaker, "")
    if not who and segment.label:
        who = names["label"].format(label=segment.label)
    minutes, seconds = divmod(int(segment.start), 60)
    at = f"[{minutes:02d}:{seconds:02d}] " if timed else ""
    text = segment.text.replace(">>>", "»")  # the closing mark of the block must not be forged
    return f"{at}{who}: {text}" if who else f"{at}{text}"


def _repair(messages: list[Message], answer: str, problem: str) -> list[Message]:
    again = prompt()["repair"].format(problem=problem).strip()
    return [*messages, {"role": "assistant", "content": answer or "…"}, {"role": "user", "content": again}]
