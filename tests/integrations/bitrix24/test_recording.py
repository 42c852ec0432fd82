"""Fetching a recording: only audio, only whole, only from where it may come, and never with a trace of the address."""

import asyncio
import hashlib
from pathlib import Path
from unittest.mock import ANY

import pytest

from domain.calls import CallFacts, Recording
from domain.errors import VendorError, VendorRefused, VendorUnavailable
from integrations.bitrix24.client import Client
from integrations.bitrix24.fake import Fake, Scripted
from integrations.bitrix24.recording import Recordings, Sources
from integrations.bitrix24.settings import Settings, read_settings
from integrations.kit.http import Target
from tests.ground import HandClock, until
from tests.integrations.bitrix24.conftest import SECRET, WAV, Shop, facts

LIMIT = 10**6


async def code_of(shop: Shop, known: CallFacts, into: Path, *, max_bytes: int = LIMIT) -> str:
    with pytest.raises(VendorError) as caught:
        await shop.telephony.download(known, into, max_bytes=max_bytes)
    seen: BaseException | None = caught.value
    while seen is not None:
        assert SECRET not in f"{seen} {seen!r}"
        seen = seen.__cause__ or seen.__context__
    assert not into.parent.exists() or list(into.parent.iterdir()) == []
    if isinstance(caught.value, VendorRefused):
        assert caught.value.hint
        return caught.value.code
    assert isinstance(caught.value, VendorUnavailable)
    return f"later: {caught.value.message}"


def stored(fake: Fake, audio: bytes = WAV, name: str = "Разговор №1.mp3") -> CallFacts:
    call = fake.add_call(audio=audio, file_name=name)
    return facts(call_id=call.call_id, recording_ref=str(call.file_id))


async def test_from_the_disk(shop: Shop, tmp_path: Path) -> None:
    known = stored(shop.fake)
    into = tmp_path / "audio" / "1"
    recording = await shop.telephony.download(known, into, max_bytes=len(WAV))
    assert recording == Recording(
        path=str(into), size=len(WAV), sha256=hashlib.sha256(WAV).hexdigest(), mime="audio/wav", name="Разговор _1.mp3.wav"
    )
    assert into.read_bytes() == WAV
    assert shop.fake.asked("disk.file.get") == [{"id": 5001}]
    ((path,),) = [seen.values() for seen in shop.fake.asked("download")]
    assert path == f"/rest/1/{SECRET}/download/?token=disk%7C5001%7Csig~5001"


async def test_each_attempt_takes_a_fresh_address(shop: Shop, tmp_path: Path) -> None:
    known = stored(shop.fake)
    shop.fake.answer("download", Scripted(status=404, body=b"<html>404", content_type="text/html"))
    assert await code_of(shop, known, tmp_path / "f") == "later: HTTP 404"
    await shop.telephony.download(known, tmp_path / "f", max_bytes=LIMIT)
    assert len(shop.fake.asked("disk.file.get")) == 2


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, b'{"error": "NOT_FOUND"}', "gone"),
        (200, b'{"error": "ERROR_NOT_FOUND"}', "gone"),
        (400, b'{"error": "ERROR_NOT_FOUND"}', "gone"),
        (200, b'{"error": "ACCESS_DENIED"}', "gone"),
        (403, b'{"error": "ACCESS_DENIED"}', "gone"),
        (403, b'{"error": "INVALID_CREDENTIALS"}', "invalid_credentials"),
        (200, b'{"error": "QUERY_LIMIT_EXCEEDED"}', "not_audio"),
        (200, b'{"error": "INTERNAL_SERVER_ERROR"}', "not_audio"),
        (500, b'{"error": "INTERNAL_SERVER_ERROR"}', "later: internal error"),
        (200, b"<html><h1>404 Not Found</h1><hr>nginx</html>", "not_audio"),
        (404, b"<html><h1>404 Not Found</h1><hr>nginx</html>", "later: HTTP 404"),
        (200, b'{"error": "expired_token"}', "expired_token"),
        (401, b'{"error": "NO_AUTH_FOUND"}', "no_auth_found"),
        (400, b' {"error": "STRANGE"}', "strange"),
        (200, b'{"result": 1}', "not_audio"),
        (200, b"{broken", "not_audio"),
        (503, b'{"error": "QUERY_LIMIT_EXCEEDED"}', "later: too many requests"),
        (200, b"<html>login", "not_audio"),
        (200, b"", "not_audio"),
        (200, b"\x89PNG\r\n\x1a\n", "not_audio"),
        (410, b"", "gone"),
        (502, b"<html>", "later: HTTP 502"),
        (403, b"<html>", "http_403"),
    ],
)
async def test_what_comes_instead_of_audio(shop: Shop, tmp_path: Path, status: int, body: bytes, code: str) -> None:
    shop.fake.answer("download", Scripted(status=status, body=body, content_type="text/plain"))
    assert await code_of(shop, stored(shop.fake), tmp_path / "f") == code


async def test_a_file_that_is_not_for_our_eyes_names_the_right(shop: Shop, tmp_path: Path) -> None:
    shop.fake.fail("download", 200, "ACCESS_DENIED")
    with pytest.raises(VendorRefused) as caught:
        await shop.telephony.download(stored(shop.fake), tmp_path / "f", max_bytes=LIMIT)
    assert caught.value.code == "gone"
    assert "Прослушивание записей" in caught.value.hint


async def test_downloads_leave_room_for_questions(shop: Shop, tmp_path: Path) -> None:
    known = stored(shop.fake)
    reached = shop.fake.hold("download")
    downloads = [asyncio.create_task(shop.telephony.download(known, tmp_path / str(n), max_bytes=LIMIT)) for n in range(5)]
    await reached.wait()
    await until(lambda: len(shop.fake.asked("download")) == 2)
    await asyncio.sleep(0.02)  # no third comes
    assert len(shop.fake.asked("download")) == 2
    assert (await shop.client.call("profile")).result
    shop.fake.release("download")
    assert {recording.size for recording in await asyncio.gather(*downloads)} == {len(WAV)}


async def test_half_a_file_is_none(shop: Shop, tmp_path: Path) -> None:
    shop.fake.answer("download", Scripted(status=200, body=WAV[:-1], content_type="audio/wav"))
    assert await code_of(shop, stored(shop.fake), tmp_path / "f") == "later: the file is not whole"


async def test_too_large_is_known_before_the_download(shop: Shop, tmp_path: Path) -> None:
    assert await code_of(shop, stored(shop.fake), tmp_path / "f", max_bytes=len(WAV) - 1) == "too_large"
    assert shop.fake.asked("download") == []


async def test_too_large_although_the_portal_said_less(shop: Shop, tmp_path: Path) -> None:
    shop.fake.answer("download", Scripted(status=200, body=WAV * 2, content_type="audio/wav"))
    assert await code_of(shop, stored(shop.fake), tmp_path / "f", max_bytes=len(WAV)) == "too_large"


async def test_a_file_that_is_gone_or_not_ours(shop: Shop, tmp_path: Path) -> None:
    assert await code_of(shop, facts(recording_ref="1"), tmp_path / "f") == "gone"
    known = stored(shop.fake)
    shop.fake.fail("disk.file.get", 400, "ACCESS_DENIED")
    assert await code_of(shop, known, tmp_path / "f") == "access_denied"
    shop.fake.answer("disk.file.get", Scripted(status=200, body=b'{"result": []}'))
    assert await code_of(shop, known, tmp_path / "f") == "later: no address of the file in the answer"
    shop.fake.answer("disk.file.get", Scripted(status=200, body=b'{"result": {"DELETED_TYPE": 3, "DOWNLOAD_URL": "/x"}}'))
    assert await code_of(shop, known, tmp_path / "f") == "gone"
    assert await code_of(shop, facts(), tmp_path / "f") == "gone"


async def test_a_file_without_a_size_or_a_name(shop: Shop, tmp_path: Path) -> None:
    known = stored(shop.fake)
    path = f"/rest/1/{SECRET}/download/?token=disk%7C5001%7Csig"
    shop.fake.answer("disk.file.get", Scripted(status=200, body=b'{"result": {"DOWNLOAD_URL": "%s"}}' % path.encode()))
    recording = await shop.telephony.download(known, tmp_path / "f", max_bytes=LIMIT)
    assert (recording.size, recording.name) == (len(WAV), f"{known.call_id}.wav")


async def test_an_address_elsewhere_is_not_followed(shop: Shop, tmp_path: Path) -> None:
    known = stored(shop.fake)
    for url in (
        "http://evil.example/x",
        "http://u:p@127.0.0.1/x",
        "ftp://127.0.0.1/",
        "http://[",
        "//evil.example/x",
        "http://a:0/",
    ):
        shop.fake.answer("disk.file.get", Scripted(status=200, body=b'{"result": {"DOWNLOAD_URL": "%s"}}' % url.encode()))
        assert await code_of(shop, known, tmp_path / "f") == "foreign_host"
    assert shop.fake.asked("download") == []


async def test_from_the_record_address(shop: Shop, tmp_path: Path) -> None:
    shop.fake.add_call(audio=WAV, file_name="rec.wav")
    known = facts(recording_url=f"{shop.base}/pbx/rec.wav")
    recording = await shop.telephony.download(known, tmp_path / "f", max_bytes=LIMIT)
    assert (recording.name, recording.mime, recording.size) == ("rec.wav", "audio/wav", len(WAV))
    assert shop.fake.asked("disk.file.get") == []
    assert await code_of(shop, facts(recording_url=f"{shop.base}/pbx/none.wav"), tmp_path / "x" / "f") == "gone"


@pytest.mark.parametrize(
    "url", ["http://evil.example/a.mp3", "https://evil.example/a.mp3", "file:///etc/passwd", "https://10.0.0.1/a"]
)
async def test_a_record_address_elsewhere(shop: Shop, tmp_path: Path, url: str) -> None:
    assert await code_of(shop, facts(recording_url=url), tmp_path / "f") == "foreign_host"


async def test_the_record_address_stands_in_for_the_disk(shop: Shop, tmp_path: Path) -> None:
    known = stored(shop.fake, name="rec.wav")
    shop.fake.portal.scopes = frozenset({"telephony"})
    both = facts(recording_ref=known.recording_ref, recording_url=f"{shop.base}/pbx/rec.wav")
    assert (await shop.telephony.download(both, tmp_path / "f", max_bytes=LIMIT)).size == len(WAV)
    (tmp_path / "f").unlink()
    neither = facts(recording_ref=known.recording_ref, recording_url="https://evil.example/a")
    assert await code_of(shop, neither, tmp_path / "f") == "insufficient_scope"
    shop.fake.portal.scopes |= {"disk"}
    assert await code_of(shop, both, tmp_path / "f", max_bytes=9) == "too_large"


def settings_of(**env: str) -> Settings:
    settings = read_settings({"BITRIX24_WEBHOOK_URL": "https://portal.firma.ru/rest/1/code/"} | env)
    assert settings is not None
    return settings


def sources_of(*addresses: str, **env: str) -> Sources:
    async def lookup(host: str) -> list[str]:
        assert host
        return list(addresses)

    return Sources(settings=settings_of(**env), lookup=lookup)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        (
            "https://portal.firma.ru/rest/1/code/download/?token=a%7Cb",
            "https://portal.firma.ru/rest/1/code/download/?token=a%7Cb",
        ),
        ("http://portal.firma.ru/d?t=%2c", "https://portal.firma.ru/d?t=%2c"),
        ("http://portal.firma.ru:80/d", "https://portal.firma.ru/d"),
        ("/rest/d", "https://portal.firma.ru/rest/d"),
    ],
)
def test_the_portals_own_address(url: str, kept: str) -> None:
    assert sources_of().on_portal(url) == kept


@pytest.mark.parametrize(
    "url",
    ["https://other.firma.ru/d", "https://portal.firma.ru.evil.ru/d", "", "javascript:x", "https://x@portal.firma.ru/"],
)
def test_not_the_portals_own_address(url: str) -> None:
    with pytest.raises(VendorRefused):
        sources_of().on_portal(url)


async def test_a_portal_with_two_names() -> None:
    sources = sources_of("10.0.0.1", BITRIX24_PORTAL_URL="https://b24.example")
    assert sources.on_portal("http://b24.example/d?x") == "https://b24.example/d?x"
    assert await sources.approve("https://b24.example/d") == Target(url="https://b24.example/d")
    with pytest.raises(VendorRefused):
        await sources.approve("https://www.b24.example/d")


PUBLIC = "93.184.216.34"


@pytest.mark.parametrize(
    ("url", "addresses", "hosts", "pinned"),
    [
        ("https://portal.firma.ru/r", ["10.0.0.1"], "", ""),
        ("https://pbx.firma.ru/r", [PUBLIC], "", PUBLIC),
        ("https://records.vendor.example/r", [PUBLIC], "records.vendor.example", PUBLIC),
        (f"https://{PUBLIC}/r", [], PUBLIC, PUBLIC),
    ],
)
async def test_approved_addresses(url: str, addresses: list[str], hosts: str, pinned: str) -> None:
    sources = sources_of(*addresses, BITRIX24_RECORD_HOSTS=hosts)
    assert await sources.approve(url) == Target(url=url, pinned=pinned)


@pytest.mark.parametrize(
    ("url", "addresses", "hosts"),
    [
        ("https://pbx.firma.ru/r", ["10.0.0.1"], ""),
        ("https://pbx.firma.ru/r", [PUBLIC, "127.0.0.1"], ""),
        ("https://10.0.0.1/r", [], "10.0.0.1"),
        ("https://127.0.0.1/r", [], "127.0.0.1"),
        ("https://[::1]/r", [], ""),
        ("http://portal.firma.ru/r", [PUBLIC], ""),
        ("http://pbx.firma.ru/r", [PUBLIC], "pbx.firma.ru"),
        ("https://vendor.example/r", [PUBLIC], "records.vendor.example"),
        ("https://u:p@pbx.firma.ru/r", [PUBLIC], ""),
        ("http://169.254.169.254/latest", [], "169.254.169.254"),
    ],
)
async def test_addresses_that_are_not_approved(url: str, addresses: list[str], hosts: str) -> None:
    with pytest.raises(VendorRefused) as caught:
        await sources_of(*addresses, BITRIX24_RECORD_HOSTS=hosts).approve(url)
    assert caught.value.code == "foreign_host"
    assert "BITRIX24_RECORD_HOSTS" in caught.value.hint


async def test_a_host_that_cannot_be_found_may_be_found_later() -> None:
    with pytest.raises(VendorUnavailable):
        await sources_of().approve("https://pbx.firma.ru/r")


async def test_a_redirect_is_judged_like_the_first_address(shop: Shop, tmp_path: Path) -> None:
    known = stored(shop.fake)
    sources = sources_of(BITRIX24_WEBHOOK_URL=shop.settings.webhook_url)
    client = Client(shop.settings, HandClock())
    recordings = Recordings(client=client, sources=sources)
    assert await recordings.fetch(known, tmp_path / "f", max_bytes=LIMIT) == Recording(
        path=ANY, size=len(WAV), sha256=ANY, mime="audio/wav", name=ANY
    )
    shop.fake.redirect_downloads_to = "http://evil.example/a"
    (tmp_path / "f").unlink()
    with pytest.raises(VendorRefused, match="foreign_host"):
        await recordings.fetch(known, tmp_path / "f", max_bytes=LIMIT)
    shop.fake.redirect_downloads_to = f"{shop.base}/pbx/Разговор №1.mp3"
    assert (await recordings.fetch(known, tmp_path / "f", max_bytes=LIMIT)).size == len(WAV)
    await client.close()
