"""Getting one recording onto our disk: where it may come from, and what proves that it is audio and whole."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from domain.calls import CallFacts, Recording
from domain.errors import VendorError, VendorRefused, VendorUnavailable
from integrations.bitrix24.client import Client
from integrations.bitrix24.codes import VENDOR_NAME
from integrations.bitrix24.faults import MISSING, disk_hint
from integrations.bitrix24.models import DiskFile, number, present, read_row, whole_or_text
from integrations.bitrix24.settings import Settings
from integrations.kit.addresses import Resolve, is_loopback, is_public, literal, resolve, same_domain
from integrations.kit.audio.sniff import extension_for, sniff
from integrations.kit.http import Answer, Target

DISK = "disk.file.get"
DOWNLOAD = "download"
RECORD_URL = "CALL_RECORD_URL"

_IN_TRASH = frozenset({"3", "4"})
_UNSAFE = re.compile(r"[^\w .()+-]+")

_HINTS = {
    "gone": "Запись удалена с Диска Битрикс24. Вернуть её может администратор портала: «Диск → Корзина».",
    "not_audio": "Вместо записи портал отдал другой файл. Проверьте, открывается ли запись в карточке звонка в Битрикс24.",
    "too_large": "Запись больше разрешённого размера. Предел меняется настройкой RECORDING_MAX_MB.",
    "foreign_host": (
        "Запись лежит на чужом сервере. Если это ваша АТС, впишите её хост в BITRIX24_RECORD_HOSTS; "
        "адреса внутренней сети не подходят."
    ),
}


def refused(code: str, action: str) -> VendorRefused:
    return VendorRefused(VENDOR_NAME, action, code, hint=_HINTS[code])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Which addresses a recording may be fetched from. ``lookup`` turns a host name into addresses."""

    settings: Settings
    lookup: Resolve = resolve

    def on_portal(self, url: str) -> str:
        """A DOWNLOAD_URL on the configured portal; behind a proxy the portal may call itself http, which is mended."""
        if url.startswith("/") and not url.startswith("//"):
            return self.settings.origin + url
        parts = _split(url)
        origin = self.settings.origins.get(parts.hostname or "") if parts is not None else None
        if parts is None or origin is None or parts.username is not None:
            raise refused("foreign_host", DOWNLOAD)
        if parts.scheme == "http" and origin.startswith("https://"):
            return origin + url.partition("://")[2].removeprefix(parts.netloc)
        return url

    async def approve(self, url: str) -> Target:
        """The address if it is one of ours: the portal, its domain or BITRIX24_RECORD_HOSTS, never a private network."""
        parts = _split(url)
        host = (parts.hostname or "") if parts is not None else ""
        if parts is None or not host or parts.username is not None:
            raise refused("foreign_host", RECORD_URL)
        if self.settings.on_loopback and is_loopback(host):
            return Target(url=url)
        if parts.scheme != "https" or not self._listed(host):
            raise refused("foreign_host", RECORD_URL)
        if host in self.settings.origins:
            return Target(url=url)  # whoever set the portal up decided where it stands
        return Target(url=url, pinned=await self._public_address(host))

    def _listed(self, host: str) -> bool:
        settings = self.settings
        return host in settings.origins or host in settings.record_hosts or same_domain(host, settings.host)

    async def _public_address(self, host: str) -> str:
        addresses = [host] if literal(host) is not None else await self.lookup(host)
        if not addresses:
            raise VendorUnavailable(VENDOR_NAME, RECORD_URL, "host name not found")
        if not all(is_public(address) for address in addresses):
            raise refused("foreign_host", RECORD_URL)
        return addresses[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recordings:
    """The way from a call's facts to a file. One attempt each time, nothing is repeated."""

    client: Client
    sources: Sources

    async def fetch(self, facts: CallFacts, into: Path, *, max_bytes: int) -> Recording:
        """From the Disk, else from CALL_RECORD_URL; when both refuse, the Disk's refusal is the one worth telling."""
        if not facts.recording_ref:
            return await self._from_record_url(facts, into, max_bytes)
        try:
            return await self._from_disk(facts, into, max_bytes)
        except VendorRefused as refusal:
            if not facts.recording_url or refusal.code == "too_large":
                raise
            disk_refusal = refusal
        try:
            return await self._from_record_url(facts, into, max_bytes)
        except VendorRefused:
            raise disk_refusal from None

    async def _from_disk(self, facts: CallFacts, into: Path, max_bytes: int) -> Recording:
        file = await disk_file(self.client, facts.recording_ref)
        if present(file.deleted_type) in _IN_TRASH:
            raise refused("gone", DISK)
        if not file.download_url:
            raise VendorUnavailable(VENDOR_NAME, DISK, "no address of the file in the answer")
        size = number(file.size)
        if size > max_bytes:
            raise refused("too_large", DISK)
        url = self.sources.on_portal(file.download_url)
        name = file.name or facts.call_id
        return await self._store(DOWNLOAD, url, into, max_bytes=max_bytes, name=name, size=size or None)

    async def _from_record_url(self, facts: CallFacts, into: Path, max_bytes: int) -> Recording:
        parts = _split(facts.recording_url)
        if parts is None:
            raise refused("foreign_host" if facts.recording_url else "gone", RECORD_URL)
        name = unquote(parts.path.rpartition("/")[2]) or facts.call_id
        return await self._store(RECORD_URL, facts.recording_url, into, max_bytes=max_bytes, name=name, size=None)

    async def _store(self, action: str, url: str, into: Path, *, max_bytes: int, name: str, size: int | None) -> Recording:
        got = await self.client.download(
            action,
            url,
            into,
            approve=self.sources.approve,
            classify=_judge(self.client, action),
            max_bytes=max_bytes,
            whole_size=size,
        )
        if got is None:
            raise refused("too_large", action)
        mime = sniff(got.head)
        return Recording(path=str(into), size=got.size, sha256=got.sha256, mime=mime, name=_file_name(name, mime))


async def disk_file(client: Client, file_id: str) -> DiskFile:
    """The file as it is now: its address is good for this attempt only. VendorRefused "gone" when there is none."""
    try:
        reply = await client.call(DISK, {"id": whole_or_text(file_id)})
    except VendorRefused as refusal:
        if refusal.code in MISSING:
            raise refused("gone", DISK) from None
        raise
    return read_row(DiskFile, reply.result) or DiskFile()


def _judge(client: Client, action: str) -> Callable[[Answer], VendorError | None]:
    """A verdict on the first bytes: an error of the portal, a page, or audio."""

    def verdict(answer: Answer) -> VendorError | None:
        if answer.status == 200 and sniff(answer.body):
            return None
        if _is_object(answer):
            return _portal_error(client, action, answer)
        if answer.status == 200:
            return refused("not_audio", action)
        if action == DOWNLOAD and answer.status == 404:
            # The Disk has just named this file: a stale address or nginx's mood, a fresh address may do.
            return VendorUnavailable(VENDOR_NAME, action, "HTTP 404")
        if answer.status in {404, 410}:
            return refused("gone", action)
        return client.fault_of(action, answer)

    return verdict


def _is_object(answer: Answer) -> bool:
    try:
        return answer.body.lstrip()[:1] == b"{" and isinstance(answer.json(), dict)
    except ValueError:
        return False


def _portal_error(client: Client, action: str, answer: Answer) -> VendorError:
    """What passes by itself is "not_audio" where it calls itself a success; what is final for this file is "gone"."""
    fault = client.fault_of(action, answer)
    if fault is None or (isinstance(fault, VendorUnavailable) and answer.status == 200):
        return refused("not_audio", action)
    if isinstance(fault, VendorRefused) and fault.code in MISSING:
        return refused("gone", action)
    if isinstance(fault, VendorRefused) and fault.code == "access_denied":
        # The Disk has just named this file to us, or an exchange speaks for itself: it is this file, not the webhook.
        return VendorRefused(VENDOR_NAME, action, "gone", hint=disk_hint())
    return fault


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0
    return parts if usable else None


def _file_name(name: str, mime: str) -> str:
    """A name safe on any disk and in any chat, with the extension that the content has: models judge files by it."""
    stem = _UNSAFE.sub("_", name).strip(" ._")[:100] or "recording"
    extension = f".{extension_for(mime)}"
    return stem if stem.lower().endswith(extension) else stem + extension
