"""How a field that was typed wrongly is answered: which one, what is wrong with it, and its right form."""

from collections.abc import Sequence

from domain.messages import Line, Section, Span, Style, Texts, bullet
from handlers.webinars.typed import Problem


def problem_section(problems: Sequence[Problem], texts: Texts) -> Section:
    """One line for each field; those that are not there at all share one: «Не хватает: почта, время.»"""
    missing = [texts.get(f"typed.field.{problem.field}") for problem in problems if problem.name == "missing"]
    lines = [_line(problem, texts) for problem in problems if problem.name != "missing"]
    if missing:
        lines.append(bullet(texts.get("typed.missing", fields=", ".join(missing))))
    return Section(title=Line(spans=(Span(texts.get("typed.title"), Style.BOLD),)), lines=tuple(lines))


def _line(problem: Problem, texts: Texts) -> Line:
    field = texts.get(f"typed.field.{problem.field}")
    return bullet(Span(f"{field}: ", Style.BOLD), texts.get(f"typed.problem.{problem.name}", **problem.values))
