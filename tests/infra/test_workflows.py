"""The GitHub workflows: pinned actions and no more rights than they need."""

import re
from pathlib import Path

import pytest

from tests.support import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))

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
    allowed = {"contents: read", "id-token: write"}
    assert {line.split("#")[0].strip() for line in rights[0].splitlines()} <= allowed


@by_name
def test_no_secret_is_used(file: Path) -> None:
    assert "secrets." not in file.read_text("utf-8")
