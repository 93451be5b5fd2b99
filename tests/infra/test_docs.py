"""docs/deployment.md names what one can set, and nothing that does not exist."""

import json
import re

import pytest

from tests.infra import INFRA
from tests.infra.bicep import entries, parameters, variable
from tests.infra.settings import names
from tests.support import ROOT

DOCUMENT = (ROOT / "docs/deployment.md").read_text("utf-8")
PARAMETERS = {
    name: value["value"].strip("${}").split("=")[0]
    for name, value in json.loads((INFRA / "main.parameters.json").read_text("utf-8"))[
        "parameters"
    ].items()
}


@pytest.mark.parametrize("name", parameters(INFRA / "main.bicep"))
def test_every_parameter_is_documented_with_its_variable(name: str) -> None:
    assert re.search(rf"^\| `{PARAMETERS[name]}` \| `{name}` \|", DOCUMENT, re.MULTILINE)


@pytest.mark.parametrize(
    "name",
    sorted(names() | set(entries(variable(INFRA / "modules/functionapp.bicep", "settings")))),
)
def test_every_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in DOCUMENT


def test_every_file_that_is_named_exists() -> None:
    named = re.findall(r"`((?:infra|docs|\.github)/[\w./-]+)`", DOCUMENT)
    assert named
    assert not [name for name in named if not (ROOT / name).exists()]


def test_every_finding_of_the_review_has_an_answer() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$", DOCUMENT, re.MULTILINE)
    assert [int(row[0]) for row in rows] == list(range(1, 23))


def test_every_test_file_that_an_answer_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", DOCUMENT))
    assert named
    assert not [name for name in named if not (ROOT / f"tests/infra/{name}.py").exists()]


def test_a_link_within_the_page_leads_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", DOCUMENT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", DOCUMENT)) <= anchors
