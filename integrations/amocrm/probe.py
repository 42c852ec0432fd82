"""The papers' address asked from outside: what a running server answers to good requests, false signatures and bad bodies.

Only statuses and words are looked at, so it may be asked of a server at work: the one lead that the signed sample makes has
a number of its own and a date of 2022, gets no card, and is marked deleted by the last request.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field

from domain.errors import VendorUnavailable
from integrations.amocrm.faults import VENDOR_NAME
from integrations.amocrm.webhook import MAX_BODY, SIGNED_PATH
from integrations.kit.http import Answer, HttpClient
from integrations.kit.signatures import hmac_sha256
from integrations.kit.vendor import Finding

PATIENCE_S = 20.0
UNREACHABLE = "amocrm.probe.unreachable"
LONG_AGO = 1640995200  # the papers' own sample: 2022-01-01
SIGN_BY_HAND = 'printf %s "$UUID|$ACCOUNT" | openssl dgst -sha256 -hmac "$AMOCRM_CLIENT_SECRET"'

_PROOF_HINT = "Сверьте AMOCRM_CLIENT_SECRET (и AMOCRM_CLIENT_ID, AMOCRM_ACCOUNT_ID) здесь и у запущенной Сводки."
_OPEN_HINT = "Отвечает не Сводка, или прокси меняет запрос. Проверьте адрес и что прокси передаёт заголовки X-…"
_BODY_HINT = "Отвечает не эта версия Сводки. Сверьте svodka --version на сервере и здесь."


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What the three headers are made of; without ``secret`` nothing can be signed."""

    secret: str = field(default="", repr=False)
    uuid: str = "test-uuid"
    account: str = "test-account"

    def headers(self, signature: str | None = None) -> dict[str, str]:
        """``signature`` None: the true one."""
        true = hmac_sha256(self.secret, f"{self.uuid}|{self.account}".encode())
        given = true if signature is None else signature
        return {"X-Client-UUID": self.uuid, "X-Signature": given, "X-Account-ID": self.account}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request, and what is to come back: the status and what ``said`` looks for in the JSON.

    ``opens``: where it fails, there is no point in the questions after it.
    """

    code: str
    title: str
    status: int
    hint: str
    path: str = SIGNED_PATH
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    said: Callable[[Mapping[str, object]], bool] = bool
    opens: bool = False

    @property
    def method(self) -> str:
        return "GET" if self.body is None else "POST"


async def probe(base_url: str, proof: Proof, *, lead_id: int) -> AsyncIterator[Finding]:
    """One finding a question, in their order; a server that cannot be reached is asked no further."""
    client = HttpClient(VENDOR_NAME, secrets=(proof.secret,), total_s=PATIENCE_S)
    try:
        for question in questions(proof, lead_id):
            finding = await _ask(client, base_url.rstrip("/"), question)
            yield finding
            if not finding.ok and (question.opens or finding.code == UNREACHABLE):
                return
    finally:
        await client.close()
    if not proof.secret:
        yield _unsigned()


def questions(proof: Proof, lead_id: int) -> Iterator[Question]:
    """What can be asked with this proof."""
    yield Question(
        code="health", title="работает ли приём", path=f"{SIGNED_PATH}/health", status=200, said=_is_healthy,
        hint="База недоступна: сверьте DB_URL и выполните svodka migrate. Подробности — svodka status.",
    )  # fmt: skip
    yield Question(
        code="test", title="какие события понимает", path=f"{SIGNED_PATH}/test", status=200, hint=_OPEN_HINT,
        said=lambda answer: "leads.add" in str(answer.get("supported_events")),
    )  # fmt: skip
    sample = _sample(lead_id)
    yield from _false(proof, sample)
    if proof.secret:
        yield from _signed(proof, sample, lead_id)


def _signed(proof: Proof, sample: object, lead_id: int) -> Iterator[Question]:
    good = proof.headers()
    for code, title in (("sample", "подписанный образец"), ("again", "тот же образец ещё раз")):
        yield Question(
            code=code, title=title, body=sample, headers=good, status=200, hint=_PROOF_HINT, opens=True,
            said=lambda answer: (answer.get("status"), answer.get("events_processed")) == ("success", 1),
        )  # fmt: skip
    for code, title, status, body in _bad_bodies():
        yield Question(code=code, title=title, body=body, headers=good, status=status, hint=_BODY_HINT)
    yield Question(
        code="removed", title="проверочная сделка убрана", body={"leads": {"delete": [{"id": lead_id}]}}, headers=good,
        status=200, hint=_PROOF_HINT,
    )  # fmt: skip


def _false(proof: Proof, sample: object) -> Iterator[Question]:
    """None of these may be let in, whatever the body."""
    true = proof.headers()["X-Signature"]
    flipped = true[:-1] + ("0" if true[-1] != "0" else "1")
    without = {name: value for name, value in proof.headers("").items() if value}
    given: tuple[tuple[str, str, dict[str, str]], ...] = (
        ("papers", "подпись из образца, test-signature", proof.headers("test-signature")),
        ("flipped", "подпись с одной другой цифрой", proof.headers(flipped)),
        ("strange", "подпись русскими буквами", proof.headers("подпись")),
        ("without", "без подписи", without),
        ("bare", "без заголовков", {}),
    )
    for code, title, headers in given:
        yield Question(
            code=code, title=title, body=sample, headers=headers, status=401, hint=_OPEN_HINT,
            said=lambda answer: answer.get("error") == "Invalid signature",
        )  # fmt: skip


def _bad_bodies() -> Iterator[tuple[str, str, int, object]]:
    yield "list", "тело — список", 400, []
    yield "number", "leads — число", 400, {"leads": 1}
    yield "no_id", "сделка без id", 400, {"leads": {"add": [{"name": "Без номера"}]}}
    yield "text_id", "id — слово", 400, {"leads": {"add": [{"id": "abc"}]}}
    yield "large", "тело больше предела", 413, {"leads": {"add": [{"id": 1, "name": "я" * MAX_BODY}]}}


def _sample(lead_id: int) -> object:
    """The papers' body with a number that no lead of an account has."""
    fields = [{"field_id": 123458, "values": [{"value": "google"}]}]
    lead = {"id": lead_id, "name": "Проверка вебхука", "status_id": 1, "created_at": LONG_AGO, "updated_at": LONG_AGO}
    leads = {"add": [{**lead, "custom_fields_values": fields}], "update": [], "delete": []}
    return {"leads": leads, "contacts": {"add": [], "update": []}}


async def _ask(client: HttpClient, base_url: str, question: Question) -> Finding:
    try:
        answer = await client.request(
            question.code, question.method, base_url + question.path, json=question.body, headers=question.headers
        )
    except VendorUnavailable as failure:
        hint = "Запустите Сводку (svodka run) или передайте её адрес первым аргументом."
        return Finding(code=UNREACHABLE, title=question.title, ok=False, detail=failure.message, hint=hint)
    ok = answer.status == question.status and question.said(_json(answer))
    detail = str(answer.status) if ok else f"ждали {question.status}, пришло {answer.status}: {_words(answer)}"
    hint = "" if ok else question.hint
    return Finding(code=f"amocrm.probe.{question.code}", title=question.title, ok=ok, detail=detail, hint=hint)


def _is_healthy(answer: Mapping[str, object]) -> bool:
    wanted = {"status": "healthy", "database": "connected", "webhook_endpoint": "active"}
    return wanted.items() <= answer.items() and "timestamp" in answer


def _json(answer: Answer) -> Mapping[str, object]:
    try:
        decoded = answer.json()
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _words(answer: Answer) -> str:
    return answer.body.decode("utf-8", "replace")[:120].strip() or "пусто"


def _unsigned() -> Finding:
    hint = f"Задайте AMOCRM_CLIENT_SECRET или --secret. Подписать вручную: {SIGN_BY_HAND}"
    title = "подписанный образец и плохие тела"
    return Finding(code="amocrm.probe.unsigned", title=title, ok=False, warning=True, detail="нечем подписать", hint=hint)
