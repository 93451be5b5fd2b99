"""Pointers lead somewhere, and the two pages about errors name the codes that there are.

A pointer is the path of a page in `docs` with `#` and an anchor, anywhere in the repository, or a
relative link in a page.
"""

import ast
import dataclasses
import inspect
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from conversations.api import errors
from tests.support import ROOT

CONTRACT = ROOT / "docs/contract.md"
ERRORS = ROOT / "docs/errors.md"
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("examples/*.md"),
        *ROOT.glob("infra/**/*.md"),
    ]
)

# Where pointers to the pages stand, beside the pages themselves.
ROOMS = [
    ".github",
    "benchmarks",
    "conversations",
    "dashboard",
    "examples",
    "infra",
    "local",
    "tests",
    "tools",
]
KINDS = {".py", ".json", ".bicep", ".xml", ".toml", ".yml", ".yaml", ".mjs", ".sh", ".ps1"}
NOT_OURS = {"node_modules", "__pycache__"}


def github_slug(heading: str) -> str:
    """The anchor of a heading: its text as rendered, in lower case, a hyphen for each blank.

    Punctuation goes, but for `-` and `_`.
    """
    rendered = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading.strip())
    return re.sub(r"[^\w\- ]", "", rendered.lower()).replace(" ", "-")


def anchors(markdown: str) -> list[str]:
    """The anchors of a page. GitHub numbers headings of the same name: `notes`, `notes-1`."""
    found: list[str] = []
    fenced = False
    for line in markdown.splitlines():
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        heading = re.match(r" {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$", line)
        if heading and not fenced:
            anchor = name = github_slug(heading[1])
            count = 0
            while anchor in found:
                count += 1
                anchor = f"{name}-{count}"
            found.append(anchor)
    return found


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("Isolation key", "isolation-key"),
        ("URL errors", "url-errors"),
        ("`Idempotency-Key`", "idempotency-key"),
        ("Limits & reasons: what, why?", "limits--reasons-what-why"),
        ("see [errors](errors.md), first", "see-errors-first"),
        ("last_position", "last_position"),
        ("Größe 2.0", "größe-20"),
    ],
)
def test_a_heading_has_the_anchor_that_github_gives_it(heading: str, anchor: str) -> None:
    assert anchors(f"# Title\n\n### {heading}\n") == ["title", anchor]


def test_headings_of_the_same_name_are_numbered_and_comments_in_code_are_no_headings() -> None:
    page = "# Notes\n\n```sh\n# Notes of a shell\n```\n\n## Notes\n\n#no heading\n\n## Notes\n"

    assert anchors(page) == ["notes", "notes-1", "notes-2"]


@cache
def _anchors_of(page: Path) -> list[str]:
    return anchors(page.read_text("utf-8"))


def _is_dead(target: Path, anchor: str | None) -> bool:
    return not target.exists() or (anchor is not None and anchor not in _anchors_of(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_in_pages_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    inline = re.findall(r"\]\(([^)\s:#]*)(?:#([^)\s]+))?\)", text)
    defined = re.findall(r"^\[[^]]+\]: ([^\s:#]*)(?:#(\S+))?$", text, re.MULTILINE)
    dead = [
        f"{target}#{anchor}"
        for target, anchor in inline + defined
        if _is_dead(page.parent / target if target else page, anchor or None)
    ]

    assert not dead


def _sources() -> Iterator[Path]:
    yield from PAGES
    yield from (path for path in ROOT.iterdir() if path.suffix in KINDS)
    for room in ROOMS:
        for path in (ROOT / room).rglob("*"):
            if path.suffix in KINDS and NOT_OURS.isdisjoint(path.parts):
                yield path


def test_pointers_to_a_page_lead_to_a_heading_of_it() -> None:
    pointers = [
        (source, page, anchor)
        for source in _sources()
        for page, anchor in re.findall(
            r"\bdocs/([\w-]+\.md)#([\w-]+)", source.read_text("utf-8", errors="replace")
        )
    ]
    dead = [
        f"{source.relative_to(ROOT)}: {page}#{anchor}"
        for source, page, anchor in pointers
        if _is_dead(ROOT / "docs" / page, anchor)
    ]

    assert pointers
    assert not dead


def codes_in(page: Path) -> set[str]:
    """Every code that stands in backticks in a column named `code`."""
    found: set[str] = set()
    column = None
    for line in page.read_text("utf-8").splitlines():
        if not line.startswith("|"):
            column = None
            continue
        cells = re.split(r"(?<!\\)\|", line)
        titles = [cell.strip() for cell in cells]
        if "`code`" in titles:
            column = titles.index("`code`")
        elif column is not None:
            found.update(re.findall("`([a-z0-9_]+)`", cells[column]))
    return found


def literals_in(source: ast.AST) -> set[str]:
    """Every string that is written out in a piece of source."""
    return {
        node.value
        for node in ast.walk(source)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


APP = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "conversations").rglob("*.py")]


def codes_in_the_app() -> set[str]:
    """The codes that the app writes out where it describes what is wrong with a request.

    The class for that is found by what it has, not by its name: the one dataclass of
    `conversations.api.errors` with a `code`.
    """
    ((name, parameters),) = (
        (name, fields)
        for name, kind in inspect.getmembers(errors, dataclasses.is_dataclass)
        if "code" in (fields := [field.name for field in dataclasses.fields(kind)])
    )
    found: set[str] = set()
    for call in (node for module in APP for node in ast.walk(module)):
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(name):
            given = dict(zip(parameters, call.args, strict=False))
            given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
            found |= literals_in(given["code"])
    return found


def codes_in_openapi(value: Any) -> set[str]:
    """The codes in the examples of the public description."""
    if isinstance(value, list):
        return {code for member in value for code in codes_in_openapi(member)}
    if not isinstance(value, dict):
        return set()
    code = value.get("code")
    return codes_in_openapi(list(value.values())) | ({code} if isinstance(code, str) else set())


def codes_of_the_gateway() -> set[str]:
    """The codes in the answers that API Management gives itself, as JSON or as a JProperty."""
    policies = [path.read_text("utf-8") for path in (ROOT / "infra/policies").rglob("*.xml")]
    return set(re.findall('"code"[:,] "([a-z_]+)"', "".join(policies)))


@pytest.mark.parametrize(
    "answered",
    [
        pytest.param(codes_in_the_app(), id="app"),
        pytest.param(codes_of_the_gateway(), id="gateway"),
        pytest.param(
            codes_in_openapi(json.loads((ROOT / "openapi.json").read_text("utf-8"))), id="openapi"
        ),
    ],
)
def test_a_code_that_is_answered_is_in_the_contract(answered: set[str]) -> None:
    assert answered
    assert answered <= codes_in(CONTRACT)


def test_a_code_of_the_contract_is_answered_by_the_app_or_the_gateway() -> None:
    in_the_app = set().union(*map(literals_in, APP))

    assert codes_in(CONTRACT) <= in_the_app | codes_of_the_gateway()


def test_the_errors_page_has_the_codes_of_the_contract_and_no_others() -> None:
    assert codes_in(ERRORS) == codes_in(CONTRACT)
