"""The GitHub workflows: pinned actions and no more rights than they need."""

import json
import re
from pathlib import Path

import pytest

from tests.infra import INFRA
from tests.support import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
DEPLOY = (ROOT / ".github/workflows/deploy.yml").read_text("utf-8")
PARAMETERS: dict[str, dict[str, str]] = json.loads(
    (INFRA / "main.parameters.json").read_text("utf-8")
)["parameters"]

by_name = pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)


@by_name
def test_actions_are_pinned_to_a_commit_and_say_which_version_it_is(file: Path) -> None:
    uses = re.findall(r"uses: (.*)", file.read_text("utf-8"))
    assert uses
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use) for use in uses)


@by_name
def test_rights_are_named_and_none_of_them_writes_to_the_repository(file: Path) -> None:
    rights = re.findall(r"^permissions:\n((?:  .+\n)+)", file.read_text("utf-8"), re.MULTILINE)
    assert len(rights) == 1
    allowed = {"actions: read", "contents: read", "id-token: write"}
    assert {line.split("#")[0].strip() for line in rights[0].splitlines()} <= allowed


@by_name
def test_no_secret_is_used(file: Path) -> None:
    assert "secrets." not in file.read_text("utf-8")


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_a_deployment_gets_every_parameter_that_was_configured(parameter: str) -> None:
    match = re.fullmatch(r"\$\{(\w+)(?:=[^}]+)?\}", PARAMETERS[parameter]["value"])
    assert match
    assert f"      {match[1]}: ${{{{ vars.{match[1]} }}}}\n" in DEPLOY


def test_a_deployment_is_shown_before_it_is_made_and_proved_after() -> None:
    commands = [
        "azd provision --preview",
        "azd package api --output-path package.zip",
        "upload-artifact@",
        "azd provision --no-prompt\n",
        "azd deploy api --from-package package.zip",
        "infra/smoke_test.py",
    ]
    places = [DEPLOY.find(command) for command in commands]
    assert places == sorted(places)
    assert -1 not in places


def test_a_roll_back_deploys_a_kept_package_and_proves_it_too() -> None:
    steps = DEPLOY.split("      - name: ")[1:]
    rolling_back = [step for step in steps if "!inputs.roll-back-to" not in step]
    run = "".join(rolling_back)
    assert 'gh run download --name "package-$ROLL_BACK_TO"' in run
    assert "azd deploy api --from-package package.zip" in run
    assert "infra/smoke_test.py" in run
    assert "azd provision" not in run
    assert "azd package" not in run


def test_nothing_that_somebody_types_becomes_part_of_a_command() -> None:
    scripts = re.findall(r"run: (?:\||>-)?(.*?)(?=\n\n|\n      - |\Z)", DEPLOY, re.DOTALL)
    assert scripts
    assert not [script for script in scripts if "${{" in script]
