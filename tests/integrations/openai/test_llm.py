"""Summaries against a server on a real socket: what leaves, what is believed, what is repaired, what is given up."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calls import CallContext, CallKind, Segment, Speaker, SummarySource, Tone, Transcript
from domain.errors import VendorRefused
from domain.ports import Summariser
from integrations.openai.answers import content_of
from integrations.openai.fake import Lie
from integrations.openai.fake_forms import strict_fault
from integrations.openai.schema import MAX_ITEMS, MAX_TEXT, SCHEMA, Unusable, read_summary
from integrations.openai.script import known_calls
from tests.integrations.openai.bench import transcript
from tests.integrations.openai.conftest import Bench


def summariser(bench: Bench, **env: str) -> Summariser:
    made = bench.ports(**env).summariser
    assert made is not None
    return made


def known(name: str) -> Transcript:
    call = next(call for call in known_calls() if call.name.startswith(name))
    segments = tuple(
        Segment(start=t["start"], end=t["end"], text=t["text"], speaker=Speaker(t["speaker"])) for t in call.turns
    )
    made = transcript()
    return type(made)(
        segments=segments, language="ru", model="m", timed=True, duration_s=call.duration, quality=made.quality
    )


async def test_a_sales_call(bench: Bench, context: CallContext) -> None:
    role = summariser(bench)
    made = await role.summarise(known("02"), context)
    assert (made.source, made.model, made.kind, made.tone) == (
        SummarySource.MODEL,
        "gpt-5.4-mini",
        CallKind.SALE,
        Tone.NEUTRAL,
    )
    assert [(t.what.split()[0], t.due_date, t.due_time, t.who) for t in made.tasks] == [
        ("Отправить", date(2026, 11, 18), "18:00", "Александр"),
        ("Позвонить", date(2026, 11, 19), "15:00", "Александр"),
    ]
    assert all(t.evidence and t.evidence.confirmed for t in made.tasks)
    assert [a.value_rub for a in made.amounts] == [18000, 15000, 150]
    assert made.unconfirmed_numbers == ()
    assert made.prompt_version == role.version
    assert [(c.unit, c.estimated) for c in made.costs] == [("tok", False)]
    assert made.costs[0].micro_usd > 1000


@pytest.mark.parametrize("name", ["01", "02", "03", "05", "07"])
async def test_the_prepared_summaries_are_provable(bench: Bench, context: CallContext, name: str) -> None:
    made = await summariser(bench).summarise(known(name), context)
    pieces = [*made.points, *made.tasks, *made.amounts, *made.dates, made.client_request, made.address]
    assert all(piece.evidence and piece.evidence.confirmed for piece in pieces if piece)
    assert made.unconfirmed_numbers == ()
    assert made.meaningful is (name in {"01", "02", "05"})


async def test_what_the_model_is_told(bench: Bench, context: CallContext) -> None:
    await summariser(bench).summarise(known("02"), context)
    body = bench.fake.seen[0].fields
    system, user = (message["content"] for message in body["messages"])
    assert "это данные" in system
    for fact in ("2026-11-18 12:00, среда", "исходящий", "Александр", "Ирина Павловна", "[00:08] Клиент: Да, здравствуйте."):
        assert fact in user
    assert body["response_format"]["json_schema"]["strict"] is True
    assert not {"temperature", "max_tokens", "max_completion_tokens"} & set(body)


async def test_unknown_and_lettered_voices(bench: Bench, context: CallContext) -> None:
    await summariser(bench).summarise(transcript("алло", timed=False), context)
    assert "говорящие не размечены" in bench.fake.seen[0].fields["messages"][1]["content"]
    made = transcript("алло")
    voiced = type(made)(
        segments=(Segment(start=0, end=1, text="алло >>> вы свободны", label="A"),),
        language="ru",
        model="m",
        timed=True,
        duration_s=1,
        quality=made.quality,
    )
    await summariser(bench).summarise(voiced, context)
    assert "[00:00] Голос A: алло » вы свободны" in bench.fake.seen[1].fields["messages"][1]["content"]


async def test_private_numbers_never_leave(bench: Bench, context: CallContext) -> None:
    text = "Карта 4111 1111 1111 1111, паспорт 4509 123456, снилс 112-233-445 95, телефон 8 912 345-67-89"
    await summariser(bench).summarise(transcript(text, "4111 1111", "1111 1111 вот так"), context)
    sent = json.dumps(bench.fake.seen[0].fields, ensure_ascii=False)
    for private in ("1111", "123456", "233-445"):
        assert private not in sent
    assert sent.count("[номер скрыт]") >= 4
    assert "8 912 345-67-89" in sent


async def test_an_invented_promise_is_marked(bench: Bench, context: CallContext) -> None:
    bench.fake.lie = Lie.INVENTED_PROMISE
    made = await summariser(bench).summarise(known("01"), context)
    invented = next(task for task in made.tasks if task.what == "Вернуть деньги")
    assert invented.evidence is not None
    assert (invented.evidence.confirmed, invented.evidence.at) == (False, None)


async def test_an_invented_number_is_named(bench: Bench, context: CallContext) -> None:
    bench.fake.lie = Lie.INVENTED_NUMBER
    assert (await summariser(bench).summarise(known("01"), context)).unconfirmed_numbers == ("77",)


async def test_broken_json_is_repaired_once(bench: Bench, context: CallContext) -> None:
    bench.fake.lie = Lie.BROKEN_ONCE
    made = await summariser(bench).summarise(known("01"), context)
    assert len(made.costs) == bench.fake.paid["completions"] == 2
    repair = bench.fake.seen[1].fields["messages"]
    assert [m["role"] for m in repair] == ["system", "user", "assistant", "user"]
    assert "JSON не читается" in repair[-1]["content"]


@pytest.mark.parametrize(
    ("lie", "code", "paid"),
    [
        (Lie.BROKEN_ALWAYS, "bad_summary", 2),
        (Lie.REFUSAL, "refused", 1),
        (Lie.CONTENT_FILTER, "refused", 1),
        (Lie.LENGTH, "too_long", 1),
    ],
)
async def test_no_summary_is_a_refusal_that_leaves_the_draft(
    bench: Bench, context: CallContext, lie: Lie, code: str, paid: int
) -> None:
    bench.fake.lie = lie
    with pytest.raises(VendorRefused) as caught:
        await summariser(bench).summarise(known("01"), context)
    assert (caught.value.code, bench.fake.paid["completions"]) == (code, paid)
    assert caught.value.hint


@pytest.mark.parametrize(("refused", "kind"), [({"json_schema"}, "json_object"), ({"json_schema", "json_object"}, None)])
async def test_a_simpler_server_is_remembered(
    bench: Bench, context: CallContext, refused: set[str], kind: str | None
) -> None:
    bench.fake.refuse = refused
    bench.fake.lie = Lie.FENCED
    role = summariser(bench)
    for _ in range(2):
        assert (await role.summarise(known("01"), context)).kind is CallKind.COMPLAINT
    kinds = [s.fields.get("response_format", {}).get("type") for s in bench.fake.seen]
    assert kinds == [*("json_schema", "json_object")[: len(refused)], kind, kind]
    assert '"additionalProperties"' in bench.fake.seen[-1].fields["messages"][0]["content"]


async def test_parameters_that_are_not_taken_are_left_out(bench: Bench, context: CallContext) -> None:
    bench.fake.refuse = {"temperature", "max_completion_tokens"}
    role = summariser(bench, LLM_TEMPERATURE="0.2", LLM_MAX_TOKENS="2000")
    for _ in range(2):
        await role.summarise(known("03"), context)
    assert len(bench.fake.seen) == 4
    last = bench.fake.seen[-1].fields
    assert ("temperature" in last, last.get("max_tokens")) == (False, 2000)
    assert last["response_format"]["type"] == "json_schema"


async def test_a_fixed_way_is_not_changed(bench: Bench, context: CallContext) -> None:
    bench.fake.refuse = {"json_object", "max_tokens", "max_completion_tokens"}
    for env in ({"LLM_STRUCTURED": "json_object"}, {"LLM_MAX_TOKENS": "50"}):
        with pytest.raises(VendorRefused, match="bad_request"):
            await summariser(bench, **env).summarise(known("03"), context)


async def test_a_server_that_refuses_everything(bench: Bench, context: CallContext) -> None:
    bench.fake.fail(400, times=9, message="Invalid params")
    with pytest.raises(VendorRefused, match="bad_request"):
        await summariser(bench).summarise(known("03"), context)
    assert len(bench.fake.faults) == 6
    bench.fake.faults.clear()
    role = summariser(bench)
    await role.summarise(known("03"), context)
    assert bench.fake.seen[-1].fields["response_format"]["type"] == "json_schema"


async def test_a_conversation_too_long(bench: Bench, context: CallContext) -> None:
    bench.fake.fail(400, code="context_length_exceeded", message="This model's maximum context length is 8192 tokens")
    with pytest.raises(VendorRefused) as caught:
        await summariser(bench).summarise(known("03"), context)
    assert (caught.value.code, bench.fake.faults) == ("too_long", [])


async def test_an_answer_without_choices(bench: Bench, context: CallContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.openai.llm.content_of", lambda _found: None)
    with pytest.raises(VendorRefused, match="bad_answer"):
        await summariser(bench).summarise(known("03"), context)


@pytest.mark.parametrize("usage", [None, [], [1], "x"])
async def test_a_server_that_does_not_count(
    bench: Bench, context: CallContext, monkeypatch: pytest.MonkeyPatch, usage: object
) -> None:
    real = content_of

    def uncounted(found: dict[str, Any]) -> object:
        return real({**found, "usage": usage})

    monkeypatch.setattr("integrations.openai.llm.content_of", uncounted)
    role = summariser(bench)
    made = await role.summarise(known("01"), context)
    assert made.costs[0].estimated
    assert 0.3 < made.costs[0].micro_usd / role.estimate(known("01")).micro_usd < 3
    assert role.paid


def test_the_schema_is_strict_everywhere() -> None:
    assert strict_fault({"type": "json_schema", "json_schema": {"strict": True, "schema": SCHEMA}}) == ""
    loose = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object", "properties": {}}}}}
    assert strict_fault({"type": "json_schema", "json_schema": {"strict": True, "schema": loose}})


MINIMAL = {"meaningful": True, "summary": "Коротко.", "tone": "Negative "}


@pytest.mark.parametrize(
    ("given", "check"),
    [
        ({}, lambda s: (s.tone, s.kind) == (Tone.NEGATIVE, CallKind.OTHER)),
        ({"kind": "жалоба"}, lambda s: s.kind is CallKind.OTHER),
        (
            {"key_points": ["раз", {"text": "два", "quote": "два"}, None, ""]},
            lambda s: [p.text for p in s.points] == ["раз", "два"],
        ),
        ({"key_points": [str(i) for i in range(1, 9)]}, lambda s: len(s.points) == 5),
        ({"client_request": "убрать"}, lambda s: s.client_request.text == "убрать"),
        ({"client_request": {}, "address": None}, lambda s: (s.client_request, s.address) == (None, None)),
        ({"amounts": [{"value_rub": "18 000 руб."}]}, lambda s: s.amounts[0].value_rub == 18000),
        ({"amounts": [{"value_rub": 2000.0, "quote": "две"}]}, lambda s: s.amounts[0].value_rub == 2000),
        ({"tasks": [{"what": "x", "due_date": "завтра", "due_time": "в 9:05"}]}, lambda s: s.tasks[0].due_time == "09:05"),
        ({"tasks": [{"what": "x", "due_date": "2026-11-20T10:00"}]}, lambda s: s.tasks[0].due_date == date(2026, 11, 20)),
        ({"tasks": None, "unclear": ["имя", 5]}, lambda s: (s.tasks, s.unclear) == ((), ("имя", "5"))),
        ({"meaningful": False, "tasks": [{"what": "перезвонить"}]}, lambda s: s.tasks == ()),
    ],
)
def test_what_can_be_forgiven_is(given: dict[str, Any], check: Any) -> None:
    text = json.dumps({**MINIMAL, **given}, ensure_ascii=False)
    assert check(read_summary(f"Вот:\n```json\n{text}\n```", model="m", prompt_version="1"))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "нет объекта"),
        ("нет", "нет объекта"),
        ('{"meaningful": true', "нет объекта"),
        ('{"meaningful": true, "summary": }', "JSON не читается"),
        ('{"meaningful": true, "tone": "neutral"}', "поле summary отсутствует"),
        (json.dumps({**MINIMAL, "tone": "злой"}), "поле tone не того вида"),
        (json.dumps({**MINIMAL, "amounts": [{"value_rub": "много"}]}), "поле amounts.0.value_rub не того вида"),
        (json.dumps({**MINIMAL, "tasks": "перезвонить"}), "поле tasks не того вида"),
    ],
)
def test_what_cannot_is_said(content: str, problem: str) -> None:
    with pytest.raises(Unusable, match=problem):
        read_summary(content, model="m", prompt_version="1")


@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_reading_is_total(value: object) -> None:
    content_of({"choices": value})
    for field in ("key_points", "tasks", "amounts", "client_request", "unclear", "kind", "tone", "summary"):
        try:
            read_summary(json.dumps({**MINIMAL, field: value}), model="m", prompt_version="1")
        except Unusable:
            continue


@pytest.mark.parametrize("found", [{}, {"choices": []}, {"choices": None}, {"choices": "x"}])
def test_no_choice(found: dict[str, Any]) -> None:
    assert content_of(found) is None


def test_a_model_that_runs_wild_is_cut_short() -> None:
    wild = {**MINIMAL, "summary": "я" * 1_000_000, "tasks": [{"what": f"дело {n}", "quote": "да"} for n in range(10_000)]}
    summary = read_summary(json.dumps({**wild, "meaningful": True}), model="m", prompt_version="1")
    assert (len(summary.text), len(summary.tasks)) == (MAX_TEXT, MAX_ITEMS)
