"""Each thing that can be wrong with a model server has its own line and its own cure."""

from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from integrations.kit.vendor import Finding
from integrations.openai import VENDOR
from tests.integrations.openai.conftest import KEY, Bench

Serve = Callable[[web.Application], Awaitable[str]]


async def findings(bench: Bench, **env: str) -> dict[str, Finding]:
    settings = VENDOR.read_settings({"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{bench.url}/v1", **env})
    assert settings is not None
    assert VENDOR.diagnose is not None
    found = [finding async for finding in VENDOR.diagnose(settings, bench.workshop)]
    assert len({f.code for f in found}) == len(found)
    assert all(f.ok or f.hint for f in found)
    assert KEY not in repr(found)
    return {finding.code: finding for finding in found}


async def test_all_is_well(bench: Bench) -> None:
    found = await findings(bench)
    assert list(found) == [
        *(f"openai.stt.{what}" for what in ("route", "key", "model", "shutdown")),
        *(f"openai.llm.{what}" for what in ("route", "key", "model", "shutdown", "answer")),
    ]
    assert all(f.ok and not f.warning for f in found.values())
    assert found["openai.stt.route"].detail == "127.0.0.1 (OPENAI_BASE_URL)"
    assert found["openai.stt.model"].detail == "whisper-1"
    assert found["openai.stt.shutdown"].detail == "до 26.02.2027"
    assert bench.fake.paid == {"transcriptions": 0, "completions": 1}


async def test_only_the_role_that_is_on(bench: Bench) -> None:
    found = await findings(bench, STT_PROVIDER="off", LLM_PROXY="http://127.0.0.1:9")
    assert {code.split(".")[1] for code in found} == {"llm"}
    assert "через прокси" in found["openai.llm.route"].detail
    assert "LLM_PROXY" in found["openai.llm.unreachable"].hint


@pytest.mark.parametrize(
    ("status", "details", "code", "hint"),
    [
        (401, {}, "bad_key", "OPENAI_API_KEY"),
        (403, {"code": "unsupported_country_region_territory"}, "region", "LLM_PROXY"),
        (403, {}, "forbidden", "права"),
        (429, {"code": "insufficient_quota"}, "quota", "деньги"),
        (429, {}, "unreachable", "через минуту"),
        (503, {}, "unreachable", "OPENAI_BASE_URL"),
        (0, {}, "unreachable", "OPENAI_BASE_URL"),
    ],
)
@pytest.mark.parametrize("path", ["/models", "/chat"])
async def test_faults(bench: Bench, status: int, details: dict[str, str], code: str, hint: str, path: str) -> None:
    bench.fake.fail(status, path=path, **details)  # type: ignore[arg-type]
    finding = (await findings(bench, STT_PROVIDER="off"))[f"openai.llm.{code}"]
    assert not finding.ok
    assert hint in finding.hint


async def test_a_model_that_is_not_there(bench: Bench) -> None:
    found = await findings(bench, STT_PROVIDER="off", LLM_MODEL="gpt-nowhere")
    assert found["openai.llm.key"].ok
    assert "LLM_MODEL" in found["openai.llm.no_model"].hint
    assert "gpt-nowhere" in found["openai.llm.no_model"].detail


@pytest.mark.parametrize(
    ("day", "ok", "warning"), [("2027-03-01", True, False), ("2026-12-24", False, True), ("2026-11-01", False, False)]
)
async def test_the_last_day_comes_from_the_server(bench: Bench, day: str, ok: bool, warning: bool) -> None:
    bench.fake.models |= {"our"}
    bench.fake.shutdown = {"our": day}
    finding = (await findings(bench, STT_PROVIDER="off", LLM_MODEL="our"))["openai.llm.shutdown"]
    assert (finding.ok, finding.warning) == (ok, warning)
    assert ("gpt-5.4-mini" in finding.hint) is not ok


async def test_the_table_warns_where_the_server_is_silent(bench: Bench) -> None:
    bench.fake.shutdown = {"gpt-4o": ""}
    finding = (await findings(bench, STT_PROVIDER="off", LLM_MODEL="gpt-4o"))["openai.llm.shutdown"]
    assert finding.warning
    assert "14.01.2027" in finding.detail


async def test_servers_that_only_list_or_do_not_even(serve: Serve, bench: Bench) -> None:
    listed: list[dict[str, str]] = [{"id": "our"}]

    async def models(_request: web.Request) -> web.Response:
        return web.json_response({"data": listed})

    async def chat(_request: web.Request) -> web.Response:
        return web.json_response({"choices": []})

    app = web.Application()
    app.router.add_get("/v1/models", models)
    app.router.add_post("/v1/chat/completions", chat)
    env = {"LLM_BASE_URL": f"{await serve(app)}/v1", "STT_PROVIDER": "off"}
    assert (await findings(bench, **env, LLM_MODEL="our"))["openai.llm.model"].ok
    assert not (await findings(bench, **env, LLM_MODEL="other"))["openai.llm.no_model"].ok
    listed.clear()
    assert (await findings(bench, **env, LLM_MODEL="other"))["openai.llm.model"].ok


@pytest.mark.parametrize(
    ("status", "code"),
    [(422, "answer"), (500, "answer"), (200, "answer"), (401, "bad_key"), (404, "bad_url"), (503, "unreachable")],
)
async def test_a_transcriber_that_lists_no_models(serve: Serve, bench: Bench, status: int, code: str) -> None:
    async def transcribe(_request: web.Request) -> web.Response:
        return web.json_response({"detail": "no"}, status=status)

    app = web.Application()
    app.router.add_post("/v1/audio/transcriptions", transcribe)
    found = await findings(bench, STT_BASE_URL=f"{await serve(app)}/v1", LLM_PROVIDER="off")
    assert "openai.stt.key" not in found
    assert "не перечисляет" in found["openai.stt.model"].detail
    assert found[f"openai.stt.{code}"].ok is (code == "answer")


@pytest.mark.parametrize("status", [401, 503])
async def test_a_list_that_is_refused(serve: Serve, bench: Bench, status: int) -> None:
    async def models(_request: web.Request) -> web.Response:
        return web.json_response({}, status=status)

    app = web.Application()
    app.router.add_get("/v1/models", models)
    found = await findings(bench, STT_BASE_URL=f"{await serve(app)}/v1", LLM_PROVIDER="off")
    assert list(found)[1:] == ["openai.stt.bad_key" if status == 401 else "openai.stt.unreachable"]


async def test_a_wrong_address(bench: Bench) -> None:
    found = await findings(bench, STT_PROVIDER="off", LLM_BASE_URL=f"{bench.url}/wrong/path")
    assert "LLM_BASE_URL" in found["openai.llm.bad_url"].hint


async def test_one_role_alone_is_built_and_closed(bench: Bench) -> None:
    for off, on in (("STT_PROVIDER", "summariser"), ("LLM_PROVIDER", "transcriber")):
        ports = bench.ports(**{off: "off"})
        built = {name for name in ("transcriber", "summariser") if getattr(ports, name) is not None}
        assert built == {on}
        await ports.close()
