"""The same client against a server that other people wrote (llmock): one request for one attempt, whatever happens."""

import json

import pytest
from llmock.pytest_plugin import LLMock

from domain.calls import CallContext, CallKind
from domain.errors import VendorRefused, VendorUnavailable
from domain.ports import Summariser
from tests.integrations.openai.bench import transcript
from tests.integrations.openai.conftest import Bench

TALK = transcript("Добрый день, у нас в подъезде не моют полы.", "Приедем в пятницу до двенадцати часов.")
ANSWER = {
    "meaningful": True,
    "kind": "complaint",
    "summary": "Жалоба на уборку, приедут в пятницу до 12:00.",
    "key_points": ["В подъезде не моют полы"],
    "client_request": None,
    "tasks": [{"what": "Приехать", "who": None, "when_text": "в пятницу", "due_date": None, "quote": "Приедем в пятницу"}],
    "next_steps": None,
    "tone": "negative",
    "tone_reason": None,
    "client_name": None,
    "address": None,
    "amounts": [],
    "unclear": [],
}


@pytest.fixture
def role(bench: Bench, llmock: LLMock) -> Summariser:
    made = bench.ports(LLM_BASE_URL=llmock.base_url(), LLM_MODEL="gpt-4o", LLM_TIMEOUT="60").summariser
    assert made is not None
    return made


async def test_a_summary(role: Summariser, llmock: LLMock, context: CallContext) -> None:
    llmock.reply(json.dumps(ANSWER, ensure_ascii=False))
    made = await role.summarise(TALK, context)
    assert (made.kind, made.unconfirmed_numbers) == (CallKind.COMPLAINT, ())
    assert [t.evidence and t.evidence.confirmed for t in made.tasks] == [True]
    assert [p.evidence and p.evidence.confirmed for p in made.points] == [True]
    assert made.costs[0].micro_usd > 0
    assert len(llmock.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_an_outage_is_asked_once(role: Summariser, llmock: LLMock, context: CallContext, status: int) -> None:
    llmock.fail(status, retry_after=0.01, times=None)
    with pytest.raises(VendorUnavailable) as caught:
        await role.summarise(TALK, context)
    assert caught.value.uncertain is (status >= 500)
    assert len(llmock.requests) == 1


@pytest.mark.parametrize(("status", "code"), [(401, "bad_key"), (403, "forbidden")])
async def test_a_refusal_is_asked_once(
    role: Summariser, llmock: LLMock, context: CallContext, status: int, code: str
) -> None:
    llmock.fail(status, times=None)
    with pytest.raises(VendorRefused, match=code):
        await role.summarise(TALK, context)
    assert len(llmock.requests) == 1
    llmock.assert_resilient()


async def test_too_long(role: Summariser, llmock: LLMock, context: CallContext) -> None:
    llmock.context_overflow()
    with pytest.raises(VendorRefused, match="too_long"):
        await role.summarise(TALK, context)


async def test_small_talk_instead_of_a_summary(role: Summariser, llmock: LLMock, context: CallContext) -> None:
    llmock.reply("Здравствуйте, чем помочь?", times=None)
    with pytest.raises(VendorRefused, match="bad_summary"):
        await role.summarise(TALK, context)
    assert len(llmock.requests) == 2
