"""The catalogue of texts: complete, used, and Russian."""

import ast
import re
import string
from pathlib import Path

import pytest

import handlers
from domain.calls import CallKind, Speaker, Tone
from domain.directory import DirectoryList, HouseField
from domain.events import CallOutcome, Direction
from domain.plural import counted
from domain.roles import Role
from domain.webinars import MatchedBy
from handlers import texts as texts_module
from handlers.admin.screens import KINDS
from handlers.calls.messages import Stage
from handlers.commands import READING_BUTTONS, WRITING_COMMANDS, commands_for
from handlers.desk import PartState
from handlers.routes import ROUTES
from handlers.texts import load_texts
from handlers.webinars.messages import Stage as WebinarStage
from handlers.webinars.notes import Answer
from handlers.wording import shortened
from storage.queries.audience import Group
from storage.queries.calls import Slice

FOLDER = Path(handlers.__file__).parent
NAME = re.compile(r"[a-z_]+(?:\.[a-z0-9_]+)+")
# Names, commands and abbreviations that are Latin in Russian, too.
LATIN = {
    "CRM", "BotFather", "setinline", "ONVOXIMPLANTCALLEND", "urls", "check", "svodka", "call", "env", "Telegram", "txt",
    "bitrix24", "png", "utm", "source", "WhatsApp", "content", "google", "vk", "anna", "example", "ru", "ad", "csv",
    "xlsx", "mail", "finished", "amoCRM", "campaign", "medium", "term", "WebHooks", "API", "UTC", "Prometheus",
    "Excel", "CSV", "export",
}  # fmt: skip


def _sources() -> dict[str, ast.Module]:
    return {str(path): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.rglob("*.py"))}


def _families(tree: ast.Module) -> set[str]:
    """Beginnings of names that are put together: f"card.kind.{kind}" → "card.kind.", one_of("why.waiting", …) alike."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and node.values and isinstance(first := node.values[0], ast.Constant):
            found.add(str(first.value))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "one_of":
            found |= {f"{arg.value}." for arg in node.args if isinstance(arg, ast.Constant)}
    return {prefix for prefix in found if NAME.fullmatch(prefix + "x")} - {"noun."}


def _names(argument: ast.expr) -> set[str]:
    """The names an argument may be: a constant, or either arm of a condition."""
    if isinstance(argument, ast.IfExp):
        return _names(argument.body) | _names(argument.orelse)
    known = isinstance(argument, ast.Constant) and isinstance(argument.value, str) and NAME.fullmatch(argument.value)
    return {argument.value} if known else set()


def _constants(tree: ast.Module) -> set[str]:
    """Every string; a noun stands in the code without its table."""
    strings = {str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return strings | {f"noun.{string}" for string in strings}


def test_every_text_that_is_asked_for_exists() -> None:
    entries = load_texts().entries
    for path, tree in _sources().items():
        for node in ast.walk(tree):
            if not (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"get", "say"}
            ):
                continue
            asked = {name for argument in node.args[:1] for name in _names(argument)}
            assert asked <= set(entries), (path, node.lineno)


def test_every_text_is_used() -> None:
    trees = _sources().values()
    constants = set().union(*map(_constants, trees))
    families = set().union(*map(_families, trees))
    unused = [name for name in load_texts().entries if name not in constants and not name.startswith(tuple(families))]
    assert unused == []


@pytest.mark.parametrize(
    ("family", "names"),
    [
        ("calls.slice", Slice),
        ("calls.direction", Direction),
        ("calls.outcome", [outcome for outcome in CallOutcome if outcome is not CallOutcome.ANSWERED]),
        ("calls.kind", CallKind),
        ("calls.kinds", CallKind),
        ("card.direction", Direction),
        ("card.outcome", [outcome for outcome in CallOutcome if outcome is not CallOutcome.ANSWERED]),
        ("card.kind", CallKind),
        ("card.tone", Tone),
        ("card.speaker", [speaker for speaker in Speaker if speaker is not Speaker.UNKNOWN]),
        ("card.stage", [stage for stage in Stage if stage not in {Stage.FULL, Stage.MISSED}]),
        ("alert.meanwhile", ("bitrix24", "bizon365", "speech", "model")),
        ("alert.works", ROUTES),
        ("houses.field", HouseField),
        ("directory.empty", DirectoryList),
        ("role", Role),
        ("status.state", PartState),
        ("bind.kind", KINDS),
        ("why.source", ("hook", "poll", "replay", "remade", "rehearsal", "tick")),
        ("calls.state", ("heard", "short", "old", "missed", "no_recording", "no_speech", "unheard", "drafted", "carded")),
        ("webinar.stage", [stage for stage in WebinarStage if stage not in {WebinarStage.READY, WebinarStage.LOADING}]),
        ("registration.found", (*MatchedBy, "created")),
        ("register", Answer),
        ("guests.title", [group.name.lower() for group in Group]),
        ("guests.sign", [group.name.lower() for group in Group]),
        ("guests.found", MatchedBy),
        ("errors.what", ("unavailable", "defect", "poison", "other")),
    ],
)
def test_families_are_complete(family: str, names: object) -> None:
    entries = load_texts().entries
    assert [name for name in names if f"{family}.{name}" not in entries] == []  # type: ignore[attr-defined]


def test_steps_of_the_pipeline_have_titles() -> None:
    """Whatever a step of the call pipeline is called, /why says it in Russian."""
    source = "".join((FOLDER / "calls" / f"{name}.py").read_text() for name in ("pipeline", "hearing", "summary", "publish"))
    steps = set(re.findall(r"steps\.(?:run|write|outward)\(\s*f?\"([a-z_]+)", source))
    assert {"look_up", "download", "transcribe", "summarise", "comment", "post"} <= steps
    assert [step for step in steps if f"why.step.{step}" not in load_texts().entries] == []


def test_nouns_have_their_three_forms() -> None:
    entries = load_texts().entries
    forms = {name: text.split("|") for name, text in entries.items() if name.startswith("noun.")}
    assert all(len(three) == 3 for three in forms.values())
    one, few, many = forms["noun.call"]
    assert [counted(n, one, few, many) for n in (1, 2, 5, 11, 21)] == [
        "1 звонок", "2 звонка", "5 звонков", "11 звонков", "21 звонок",
    ]  # fmt: skip


def test_texts_are_russian_and_calm() -> None:
    for name, text in load_texts().entries.items():
        said = re.sub(r"\{[a-z_]+\}|/[a-z]+", " ", text)
        assert "!" not in said, name
        assert set(re.findall(r"[A-Za-z][A-Za-z0-9]+", said)) <= LATIN, name


def test_long_texts_are_cut_between_words() -> None:
    assert shortened("короткий", 20) == "короткий"
    assert shortened("слово слово слово слово", 15) == "слово слово…"
    assert shortened("я" * 30, 10) == "я" * 9 + "…"


def test_fields_are_named() -> None:
    """A field without a name would take whatever comes first."""
    for name, text in load_texts().entries.items():
        assert all(field is None or field.isidentifier() for _, field, _, _ in string.Formatter().parse(text)), name


def test_a_text_that_stands_twice_is_a_defect() -> None:
    entries = {"a.b": "раз"}
    with pytest.raises(ValueError, match=r"a\.b"):
        texts_module._add(entries, "", {"a": {"b": "два"}})
    with pytest.raises(ValueError, match="number"):
        texts_module._add(entries, "", {"number": 1})


FOR_ALL = (
    *("calls", "client", "digest", "tasks", "company", "conversions", "creatives", "export"),
    *("webinars", "register", "visited", "viewer", "link", "add", "houses", "staff", "departments", "stats"),
)


def test_menus_differ_by_role_and_chat() -> None:
    def names(role: Role | None, chat: str) -> list[str]:
        return [name for name, _ in commands_for(role, chat)]

    assert names(None, "private") == ["start"]
    assert names(None, "group") == []
    assert names(Role.MANAGER, "private") == [*FOR_ALL, "why", "help", "start"]
    owners = [*FOR_ALL, "why", "spend", "status", "check", "errors", "queue", "metrics", "settings", "help", "start"]
    assert names(Role.OWNER, "private") == owners
    assert "bind" in names(Role.ADMIN, "supergroup")
    assert "bind" not in names(Role.MANAGER, "supergroup")
    assert all(re.fullmatch(r"[a-z]{1,32}", name) and text for name, text in commands_for(Role.OWNER, "private"))
    assert "rec" in READING_BUTTONS
    assert "start" in WRITING_COMMANDS
