"""What lets strangers join: one version, commands that exist and are told, recipes that hold."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support import ROOT

MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")

# A rule that makes no file: neither a path nor a variable.
TARGETS = re.findall(r"^([a-z][a-z0-9-]*):(?!=)", MAKEFILE, re.MULTILINE)
# Who else calls make. Of a workflow, what stands after `run:`.
CALLERS = [
    ".ci/run",
    ".devcontainer/set-up",
    ".pre-commit-config.yaml",
    "azure.yaml",
    *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob(".github/workflows/*.yml"))),
]
LINTER = Path(sys.executable).parent / "lint-imports"


def tracked(*patterns: str) -> list[str]:
    """The files in git that match."""
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return listed.stdout.splitlines()


def test_the_changelog_starts_with_the_projects_version() -> None:
    headings = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
    assert all(
        re.fullmatch(r"\d+\.\d+\.\d+ - (unreleased|\d{4}-\d\d-\d\d)", title) for title in headings
    )
    versions = [tuple(map(int, title.split()[0].split("."))) for title in headings]

    assert headings[0].split()[0] == PROJECT["project"]["version"]
    assert versions == sorted(set(versions), reverse=True)
    assert not [title for title in headings[1:] if title.endswith("unreleased")]


def test_every_make_target_is_told_by_help() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    told = re.findall(r"^  make ([\w-]+) +\S", done.stdout, re.MULTILINE)
    phony = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[0].split()

    assert told == TARGETS
    assert sorted(phony) == sorted(TARGETS)


@pytest.mark.parametrize("name", CALLERS)
def test_only_make_targets_that_exist_are_called(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    called = re.findall(r"^(?:.*(?:run|entry): |\s*)make ([\w-]+)", text, re.MULTILINE)
    called += re.findall(r"[A-Z_]+=\S+ make ([\w-]+)", text)

    if name != ".github/workflows/deploy.yml":  # azd calls it there
        assert called
    assert set(called) <= set(TARGETS)


def test_what_must_pass_needs_nothing_outside_the_repository() -> None:
    lines = (ROOT / ".ci/run").read_text("utf-8").splitlines()

    assert [line for line in lines if ".." in line] == ['cd "$(dirname "$0")/.."']


def test_a_commit_is_checked_by_the_projects_own_commands() -> None:
    text = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")

    assert set(re.findall(r"repo: (.+)", text)) == {"local"}
    assert set(re.findall(r"entry: (.+)", text)) == {"make check-code", "make test-fast"}


@pytest.mark.parametrize(
    "name", sorted(set(re.findall(r"`([\w.*-]*/[\w./*-]*|[\w.-]+\.\w+)`", CONTRIBUTING)))
)
def test_every_file_in_the_recipes_exists(name: str) -> None:
    assert list(ROOT.glob(name))


@pytest.mark.parametrize(
    "kind", ["an operation", "a setting", "or change a limit", "an error", "a dependency"]
)
def test_there_is_a_recipe_for_every_usual_change(kind: str) -> None:
    assert f"### To add {kind}\n" in CONTRIBUTING


def test_every_room_of_tests_is_told() -> None:
    rooms = {path.parent.name for path in ROOT.glob("tests/*/__init__.py")}

    assert set(re.findall(r"^\| `tests/(\w+)/` \|", CONTRIBUTING, re.MULTILINE)) == rooms


def test_no_file_of_code_is_longer_than_promised() -> None:
    (promised,) = re.findall(r"No file of code is longer than (\d+) lines", CONTRIBUTING)
    kinds = ("py", "js", "mjs", "css", "html", "bicep", "xml", "yml", "sh", "ps1", "kql")
    names = tracked(*(f"*.{kind}" for kind in kinds), "Makefile")
    lengths = {name: len((ROOT / name).read_text("utf-8").splitlines()) for name in names}

    assert "infra/main.bicep" in lengths
    assert {name: length for name, length in lengths.items() if length > int(promised)} == {}


def test_updates_are_looked_for_wherever_something_is_pinned() -> None:
    text = (ROOT / ".github/dependabot.yml").read_text("utf-8")
    watched = re.findall(r"package-ecosystem: (\S+)\n +directory: (\S+)", text)

    assert sorted(watched) == [("github-actions", "/"), ("npm", "/tests/node"), ("pip", "/")]


def test_the_front_door_imports_the_app_and_nothing_else_of_it() -> None:
    # import-linter reads packages alone, so this one module is held here.
    tree = ast.parse((ROOT / "function_app.py").read_text("utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }

    assert imported - sys.stdlib_module_names == {"conversations.app"}


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("conversations/api/body.py", "import conversations.database.client"),
        ("conversations/database/session.py", "from conversations.api import errors"),
        ("conversations/resources/conversations/store.py", "import conversations.app"),
        ("conversations/limits.py", "import conversations.settings"),
        ("conversations/settings.py", "import local"),
        ("conversations/new.py", ""),
        ("local/web_server.py", "from conversations.api.errors import ApiError"),
        ("tests/unit/test_settings.py", "import tests.support.servers"),
    ],
)
def test_an_import_against_the_arrows_is_found(module: str, statement: str, tmp_path: Path) -> None:
    for name in tracked("*.py", "pyproject.toml"):
        copy = tmp_path / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / name).read_bytes())
    with (tmp_path / module).open("a") as file:
        file.write(f"\n{statement}\n")
    done = subprocess.run(
        [str(LINTER), "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert re.search(r"^Contracts: \d kept, [1-9] broken\.$", done.stdout, re.MULTILINE), (
        done.stdout
    )
