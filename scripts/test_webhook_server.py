"""Check amoCRM's address of a running Svodka: ``python scripts/test_webhook_server.py [url] [--secret SECRET]``."""

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # also runs before the project is installed

from bot.settings import read_environment
from integrations.amocrm.probe import Proof, probe
from integrations.amocrm.settings import ACCESS_TOKEN, ACCOUNT_ID, CLIENT_ID, CLIENT_SECRET, claims_of
from integrations.kit.addresses import is_loopback
from integrations.kit.vendor import Finding

URL = "http://127.0.0.1:8080"
NO_LEADS_OWN = 900_000_000_000_000  # no account counts its leads as far as this
WIDTH = 36


def main(arguments: Sequence[str]) -> int:
    """0 when every answer is the right one, 1 when one is not. The secret: the argument, the environment or .env."""
    parser = argparse.ArgumentParser(description="Проверка адреса /api/webhooks/amo запущенной Сводки.")
    parser.add_argument("url", nargs="?", default=URL, help=f"адрес Сводки ({URL})")
    parser.add_argument("--secret", default="", help="секретный ключ интеграции; иначе AMOCRM_CLIENT_SECRET")
    given = parser.parse_args(arguments)
    proof = proof_from(read_environment(), given.secret)
    if problem := wrong_address(given.url, signs=bool(proof.secret)):
        print(problem)
        return 1
    return asyncio.run(check(given.url, proof))


def proof_from(environment: Mapping[str, str], secret: str = "") -> Proof:
    """As the running process knows itself: its integration and its account, or the papers' stand-ins for them."""
    read = {name.name: environment.get(name.name, "").strip() for name in (CLIENT_SECRET, CLIENT_ID, ACCOUNT_ID)}
    account = read[ACCOUNT_ID.name] or str(claims_of(environment.get(ACCESS_TOKEN.name, "")).get("account_id", ""))
    named = {"uuid": read[CLIENT_ID.name], "account": account}
    return Proof(secret=secret or read[CLIENT_SECRET.name], **{name: value for name, value in named.items() if value})


def wrong_address(url: str, *, signs: bool) -> str:
    """Why this address is not asked; "" when it may be."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return f"Это не адрес: {url}. Нужен, например, {URL}"
    if signs and parts.scheme == "http" and not is_loopback(parts.hostname):
        return "Подпись — это пароль, по http её увидит любой по дороге. Передайте адрес с https://"
    return ""


async def check(url: str, proof: Proof) -> int:
    """A row a question, as the answers come; then the sum."""
    total = failed = 0
    print(f"Адрес: {url}")
    async for finding in probe(url, proof, lead_id=NO_LEADS_OWN + int(time.time())):
        print(row(finding), flush=True)
        total += 1
        failed += not finding.ok and not finding.warning
    print(f"Не в порядке: {failed} из {total}." if failed else "Всё отвечает, как должно.")
    return 1 if failed else 0


def row(finding: Finding) -> str:
    sign = "ok  " if finding.ok else "warn" if finding.warning else "fail"
    line = f"{sign}  {finding.title:<{WIDTH}}  {finding.detail}".rstrip()
    return f"{line}\n      что сделать: {finding.hint}" if finding.hint else line


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
