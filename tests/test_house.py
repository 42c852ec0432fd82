"""The rules of the house that no linter knows, checked over every file of the project."""

import ast
import hashlib
import importlib
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import sqlalchemy as sa
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import integrations
from bot.settings import VARIABLES
from integrations.kit.vendor import Variable, Vendor
from storage.models import UtcDateTime, metadata

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
VERSION = PROJECT["project"]["version"]
PACKAGES = ("bot", "domain", "handlers", "integrations", "sandbox", "storage")
BESIDE = ("alembic", "benchmarks", "scripts", "tests")
NOT_OURS = {".git", ".venv", "data", "dist", "node_modules", "__pycache__"}
TEXTS = {
    ".css",
    ".example",
    ".http",
    ".html",
    ".ini",
    ".js",
    ".json",
    ".lock",
    ".mako",
    ".md",
    ".py",
    ".sh",
    ".svg",
    ".toml",
    ".txt",
}
TEXTS |= {".yaml", ".yml", ""}

BOT_TOKEN = re.compile(r"(?<![0-9])[0-9]{8,10}:[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])")
WORD = re.compile(r"[a-z0-9][a-z0-9_-]*[a-z0-9]|/[a-z]+/[a-z]+")
# names of real companies and machines that came with the papers; kept as hashes, or this list would spread them
FOREIGN_NAMES = {
    "c0096afa4ce0f2b1",
    "2c0e7735285eb50a",
    "5a94943249a5d8c1",
    "f9859b80d824549e",
    "c8c76e12757ad76a",
    "a79f56cdc54716b9",
    "b0c9a807157de782",
    "f2af6c097ab83376",
    "bbb98a33b1e04c2f",
}
LAZY = re.compile(r"#\s*noqa(?!:)|#\s*ruff:\s*noqa|#\s*type:\s*ignore(?!\[)|#\s*mypy:\s*ignore|#\s*pragma:\s*no cover")
UNFINISHED = re.compile(r"\b(?:T[O]DO|F[I]XME)\b|\braise Not[I]mplementedError\b")
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
SETTING = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|PORT|LOCALE|TIMEZONE")
EXAMPLE_LINE = re.compile(r"^#?\s?([A-Za-z0-9_]+)=", re.MULTILINE)
VERSION_LINE = re.compile(r"(?:Версия|Version) (\d+\.\d+\.\d+)\D+(\d{4}-\d{2}-\d{2})")
OF_AIOHTTP = {"multidict", "yarl"}  # the types of its requests; it chooses their versions
COMPOSE_ONLY = {"POSTGRES_PASSWORD"}


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if path.name not in NOT_OURS and not path.name.endswith(("_cache", ".egg-info")) and path.name != ".hypothesis":
                yield from _walk(path)
        elif path.suffix in TEXTS and path.name not in {".env", ".coverage", ".git"}:  # .git is a file in a linked work tree
            yield path


@cache
def _texts() -> dict[str, str]:
    """Path from the root → text, of every text file that is the project's."""
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8", errors="replace") for path in _walk(ROOT)}


@cache
def _trees() -> dict[str, ast.Module]:
    inside = {
        name: text for name, text in _texts().items() if name.endswith(".py") and name.split("/")[0] in PACKAGES + BESIDE
    }
    return {name: ast.parse(text, name) for name, text in inside.items()}


def _existing(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _is_foreign(word: str) -> bool:
    return hashlib.sha256(word.encode()).hexdigest()[:16] in FOREIGN_NAMES


def test_the_walk_sees_the_project() -> None:
    assert {"pyproject.toml", "Makefile", ".ci/run", "domain/people.py", "tests/test_house.py"} <= _texts().keys()
    assert not any(name.startswith((".venv/", ".git/")) for name in _texts())


def test_no_bot_token_anywhere() -> None:
    assert BOT_TOKEN.search("12345678" + ":" + "A" * 35)
    assert [name for name, text in _texts().items() if BOT_TOKEN.search(text)] == []


def test_no_foreign_names_anywhere() -> None:
    assert _is_foreign("vas_dom".replace("_", "-"))
    words = {(word, name) for name, text in _texts().items() if name != "uv.lock" for word in WORD.findall(text.lower())}
    suspects = {word for word, _ in words if _is_foreign(word)}
    assert sorted(name for word, name in words if word in suspects) == []


def test_the_lock_names_only_the_public_index() -> None:
    hosts = set(re.findall(r"https?://([^/\"\s]+)", _texts()["uv.lock"]))
    assert hosts <= {"pypi.org", "files.pythonhosted.org"}
    for name in ("run", "demo", "dev"):
        assert not re.search(r"https?://|^-", _texts()[f"requirements/{name}.txt"], re.MULTILINE)


@pytest.mark.parametrize("name", ["run", "demo", "dev"])
def test_the_lock_is_no_older_than_what_is_asked_for(name: str) -> None:
    text = _texts()[f"requirements/{name}.txt"]
    blocks = re.findall(
        r"^([A-Za-z0-9._-]+)==(\S+)[^\n]*\\\n((?:\s+--hash=sha256:[0-9a-f]{64}[^\n]*\n)+)", text, re.MULTILINE
    )
    assert len(blocks) == len(re.findall(r"^[A-Za-z0-9]", text, re.MULTILINE))
    locked: dict[str, list[str]] = {}
    for package, version, _hashes in blocks:
        locked.setdefault(canonicalize_name(package), []).append(version)
    wanted = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["build"]]
    wanted += PROJECT["project"]["optional-dependencies"]["local"] if name == "demo" else []
    wanted += [entry for entry in PROJECT["dependency-groups"]["dev"] if isinstance(entry, str)] if name == "dev" else []
    for requirement in map(Requirement, wanted):
        versions = locked.get(canonicalize_name(requirement.name), [])
        assert versions, f"make lock: {requirement.name} is not in requirements/{name}.txt"
        assert all(requirement.specifier.contains(version) for version in versions), requirement


def test_files_and_functions_stay_short() -> None:
    long_files = {name: len(_texts()[name].splitlines()) for name in _trees()}
    assert {name: lines for name, lines in long_files.items() if lines > 400} == {}
    long_functions = [
        f"{name}:{node.lineno} {node.name}"
        for name, tree in _trees().items()
        if not name.startswith("alembic/versions/")  # one list of tables, in the order of their keys
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 60
    ]
    assert long_functions == []


def test_no_rule_is_switched_off_wholesale_and_nothing_is_left_for_later() -> None:
    assert LAZY.search("x = 1  #" + " noqa")
    python = {name: _texts()[name] for name in _trees()}
    assert [name for name, text in python.items() if LAZY.search(text)] == []
    assert [name for name, text in python.items() if UNFINISHED.search(text)] == []


def test_every_module_says_what_it_is_for() -> None:
    assert [name for name, tree in _trees().items() if tree.body and not ast.get_docstring(tree)] == []


def test_no_vague_names() -> None:
    parts = {part for name in _trees() for part in name.removesuffix(".py").split("/")}
    assert parts & VAGUE_NAMES == set()


def test_the_migrations_do_not_shadow_the_library() -> None:
    assert not (ROOT / "alembic/__init__.py").exists()
    assert "site-packages" in str(importlib.import_module("alembic").__file__)


def test_what_is_imported_is_declared() -> None:
    """An import that works only because something else happens to bring the package breaks with its next release."""
    groups = PROJECT["dependency-groups"]
    plain = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["local"]]
    run = {canonicalize_name(Requirement(entry).name) for entry in plain}
    dev = run | {
        canonicalize_name(Requirement(entry).name) for group in groups.values() for entry in group if isinstance(entry, str)
    }
    known = packages_distributions()
    undeclared = []
    for name, tree in _trees().items():
        allowed = run if name.split("/")[0] in PACKAGES else dev
        for module in _imported(tree):
            makers = {canonicalize_name(maker) for maker in known.get(module, [])}
            if makers and not makers & (allowed | OF_AIOHTTP | {"svodka"}):
                undeclared.append(f"{name}: {module}")
    assert undeclared == []


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def _vendors() -> dict[str, Vendor[object]]:
    folders = [module.name for module in pkgutil.iter_modules(integrations.__path__) if module.ispkg]
    modules = {name: importlib.import_module(f"integrations.{name}") for name in folders}
    return {name: module.VENDOR for name, module in modules.items() if hasattr(module, "VENDOR")}


def _declared() -> dict[str, Variable]:
    mine = [*VARIABLES, *(variable for vendor in _vendors().values() for variable in vendor.variables)]
    return {variable.name: variable for variable in mine}


def _read_settings_of(tree: ast.Module) -> Iterator[str]:
    """Names taken from the environment: env["X"], env.get("X"), os.environ…, os.getenv("X"), reader(env, "X")."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and _is_environment(node.value):
            yield from _constants([node.slice])
        elif isinstance(node, ast.Call):
            of_environment = isinstance(node.func, ast.Attribute) and (
                _is_environment(node.func.value) or node.func.attr == "getenv"
            )
            if of_environment or (node.args and _is_environment(node.args[0])):
                yield from _constants(node.args)


def _is_environment(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id in {"env", "environ"}) or (
        isinstance(node, ast.Attribute) and node.attr == "environ"
    )


def _constants(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SETTING.fullmatch(node.value):
            yield node.value


def test_every_setting_read_is_declared() -> None:
    known = {name for variable in _declared().values() for name in (variable.name, *variable.aliases)}
    inside = {
        name: tree for name, tree in _trees().items() if name.split("/")[0] in {"bot", "handlers", "integrations", "storage"}
    }
    read = {(setting, name) for name, tree in inside.items() for setting in _read_settings_of(tree)}
    assert len(read) > 20
    assert sorted((setting, name) for setting, name in read if setting not in known) == []


def test_the_example_lists_every_setting_and_no_other() -> None:
    listed = set(EXAMPLE_LINE.findall(_existing(".env.example"))) - COMPOSE_ONLY
    aliases = {alias for variable in _declared().values() for alias in variable.aliases}
    assert _declared().keys() - listed == set()
    assert listed - aliases - _declared().keys() == set()


def test_every_vendor_folder_is_switched_on() -> None:
    from bot.vendors import VENDORS

    assert sorted(vendor.name for vendor in VENDORS) == sorted(vendor.name for vendor in _vendors().values())


def test_no_setting_is_declared_twice() -> None:
    every = [
        name
        for v in [*VARIABLES, *(x for vendor in _vendors().values() for x in vendor.variables)]
        for name in (v.name, *v.aliases)
    ]
    assert sorted(name for name in set(every) if every.count(name) > 1) == []


DOCUMENTS = [
    "README.md",
    "README.en.md",
    "CONTRIBUTING.md",
    *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))),
]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_carry_the_version_and_a_date(name: str) -> None:
    found = VERSION_LINE.search("\n".join(_existing(name).splitlines()[:12]))
    assert found, f"{name}: a line «Версия {VERSION} · ГГГГ-ММ-ДД» near the top"
    assert found[1] == VERSION
    assert date(2026, 1, 1) <= date.fromisoformat(found[2])


def test_the_changelog_knows_this_version() -> None:
    assert re.search(rf"^## \[?{re.escape(VERSION)}\]?", _existing("CHANGELOG.md"), re.MULTILINE)


def test_time_and_money_have_one_column_type() -> None:
    """A bare DateTime loses its zone on SQLite, a Numeric becomes a float there."""
    columns = [column for table in metadata.tables.values() for column in table.columns]
    assert len(columns) > 50
    assert any(isinstance(column.type, UtcDateTime) for column in columns)
    bare = [
        str(c)
        for c in columns
        if isinstance(c.type, sa.DateTime | sa.Time) or type(c.type) in {sa.Numeric, sa.DECIMAL, sa.NUMERIC}
    ]
    assert bare == []


def test_ci_runs_the_command_of_the_readme() -> None:
    script = ROOT / ".ci/run"
    assert script.stat().st_mode & 0o111
    assert re.search(r"^make test\b", script.read_text(encoding="utf-8"), re.MULTILINE)
    targets = set(re.findall(r"^([a-z]+):", _texts()["Makefile"], re.MULTILINE))
    assert {"setup", "test", "demo", "run", "check", "bench", "lint", "types", "lock"} <= targets
