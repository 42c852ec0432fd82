"""`svodka check`: every token, right, address and model, and for each fault what to press."""

import argparse
import asyncio
from collections.abc import Iterable, Sequence

from bot.checks.examination import Section, build_sections, examine, stand_on
from bot.commands.console import say
from bot.commands.ground import load_settings
from bot.commands.rehearsing import rehearse
from bot.commands.subscribing import subscribe
from bot.settings import Settings
from domain.errors import ConfigError
from domain.plural import counted
from integrations.kit.vendor import Finding


def execute(arguments: argparse.Namespace, _rest: Sequence[str]) -> int:
    """0 when nothing is broken (warnings are not), 1 otherwise; with --rehearse also by how the rehearsal ended."""
    try:
        settings = load_settings()
    except ConfigError as error:
        _tell([Finding(code="settings.wrong", title="Настройки", ok=False, hint=f"{error}.")])
        return 1
    good = asyncio.run(_check(settings, arguments.only, subscribes=arguments.subscribe))
    if arguments.rehearse:
        good = asyncio.run(rehearse(settings)) and good
    return 0 if good else 1


async def _check(settings: Settings, only: str | None, *, subscribes: bool) -> bool:
    found: list[Finding] = []
    async with stand_on(settings) as ground:
        good = await subscribe(ground, only) if subscribes else True
        for section in _asked_for(build_sections(ground), only):
            findings = await examine(section)
            if findings:
                say(section.title)
            for finding in findings:
                say(f"  {line_of(finding)}")
            found += findings
    _cures(found)
    return good and not any(_broken(finding) for finding in found)


def _asked_for(sections: Sequence[Section], only: str | None) -> Sequence[Section]:
    if only is None:
        return sections
    chosen = [section for section in sections if section.name == only.lower()]
    if not chosen:
        raise ConfigError("ЧТО", f"можно: {', '.join(section.name for section in sections)}")
    return chosen


def line_of(finding: Finding) -> str:
    """«✓ Telegram: токен — @svodka_bot»: the mark (a dot: not connected), the thing, how it is."""
    mark = "✓" if finding.ok else "!" if finding.warning else "✗"
    mark = "·" if finding.code.endswith(".off") else mark
    return f"{mark} {finding.title}" + (f" — {finding.detail}" if finding.detail else "")


def _broken(finding: Finding) -> bool:
    return not finding.ok and not finding.warning


def _cures(found: Sequence[Finding]) -> None:
    """For each thing that is not well, faults first: what to do, with the code that docs/operations.md explains."""
    faults = [finding for finding in found if _broken(finding)]
    warnings = [finding for finding in found if not finding.ok and finding.warning]
    say()
    if not faults and not warnings:
        say("Всё в порядке.")
        return
    _tell([*faults, *warnings])
    say()
    say(
        f"{counted(len(faults), 'ошибка', 'ошибки', 'ошибок')}, "
        f"{counted(len(warnings), 'предупреждение', 'предупреждения', 'предупреждений')}."
    )


def _tell(findings: Iterable[Finding]) -> None:
    for finding in findings:
        say(f"{line_of(finding)} [{finding.code}]")
        say(f"    {finding.hint}")
