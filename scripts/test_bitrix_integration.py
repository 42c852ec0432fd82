"""Check a Bitrix24 portal step by step: ``python scripts/test_bitrix_integration.py [https://portal/rest/USER/SECRET/]``."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # also runs before the project is installed

from bot.clock import SystemClock
from bot.settings import read_environment
from domain.errors import ConfigError
from integrations.bitrix24.doctor import diagnose
from integrations.bitrix24.settings import WEBHOOK_URL, Settings, read_settings
from integrations.kit.vendor import Finding, Workshop


def main(arguments: Sequence[str]) -> int:
    """0 when everything works, 1 when something does not; the address comes from the argument, the environment or .env."""
    environment = dict(read_environment())
    if arguments:
        environment[WEBHOOK_URL.name] = arguments[0]
    try:
        settings = read_settings(environment)
    except ConfigError as error:
        print(f"fail  {error.variable}\n      что сделать: {error.hint}")
        return 1
    if settings is None:
        print(f"fail  {WEBHOOK_URL.name} не задан\n      что сделать: передайте адрес вебхука аргументом или впишите в .env")
        return 1
    return asyncio.run(check(settings))


async def check(settings: Settings) -> int:
    """Print each finding as it comes, then the sum."""
    total = failed = warned = 0
    print(f"ok    Адрес вебхука — {settings.portal_url}, код на месте")
    workshop = Workshop(clock=SystemClock(), data_dir=Path(), run_cpu=run_here)
    async for finding in diagnose(settings, workshop):
        print(describe(finding), flush=True)
        total += 1
        failed += not finding.ok and not finding.warning
        warned += finding.warning
    ready = "Портал готов к работе" + (f", предупреждений: {warned}." if warned else ".")
    print(f"Не в порядке: {failed} из {total}." if failed else ready)
    return 1 if failed else 0


def describe(finding: Finding) -> str:
    """«ok» with the detail on one line; a fault with its cause and cure below."""
    if finding.ok:
        return f"ok    {finding.title}" + (f" — {finding.detail}" if finding.detail else "")
    lines = [f"{'warn' if finding.warning else 'fail'}  {finding.title}"]
    if finding.detail:
        lines.append(f"      причина: {finding.detail}")
    return "\n".join([*lines, f"      что сделать: {finding.hint}"])


async def run_here(work: Callable[[], object]) -> object:
    return work()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
