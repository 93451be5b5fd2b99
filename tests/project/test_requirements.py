"""Every package that is installed is one that was pinned, byte for byte; the audit is honest."""

import re
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.support import ROOT
from tools import audit

PAIRS = [
    ("requirements.in", "requirements.txt"),
    ("requirements-dev.in", "requirements-dev.txt"),
    ("requirements-peers.in", "requirements-peers.txt"),
]
LOCKED = [lock for _, lock in PAIRS]
# A version, and nothing that could match a second one.
EXACT = re.compile(r"==[0-9][0-9A-Za-z.+!]*")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def asked_for(name: str) -> list[Requirement]:
    """What a .in file asks for, comments and inclusions aside."""
    lines = (ROOT / name).read_text().splitlines()
    return [Requirement(line) for line in lines if re.match(r"[A-Za-z0-9]", line)]


def locked(name: str) -> list[tuple[Requirement, list[str]]]:
    """What a .txt file pins, with the options of each entry."""
    entries = (ROOT / name).read_text().replace("\\\n", " ").splitlines()
    parsed = []
    for entry in entries:
        requirement, *options = re.split(r"\s+(?=--)", entry.strip())
        parsed.append((Requirement(requirement), options))
    return parsed


def pins(name: str) -> set[tuple[str, str, str]]:
    """Name, version and marker of everything that a .txt file pins."""
    return {(one.name, str(one.specifier), str(one.marker)) for one, _ in locked(name)}


@pytest.mark.parametrize("name", LOCKED)
def test_everything_is_pinned_exactly_and_with_hashes(name: str) -> None:
    entries = locked(name)

    assert entries
    for requirement, options in entries:
        assert EXACT.fullmatch(str(requirement.specifier)), requirement
        assert requirement.url is None
        assert options, requirement
        assert all(HASH.fullmatch(option.strip()) for option in options), requirement


@pytest.mark.parametrize(("source", "lock"), PAIRS)
def test_what_is_asked_for_is_what_is_pinned(source: str, lock: str) -> None:
    pinned = pins(lock)

    for requirement in asked_for(source):
        assert EXACT.fullmatch(str(requirement.specifier)), requirement
        version = str(requirement.specifier)
        found = [
            marker for name, pin, marker in pinned if (name, pin) == (requirement.name, version)
        ]
        assert found, f"{requirement} is not in {lock}: make lock"


def test_what_is_tested_is_what_is_deployed() -> None:
    # The audit relies on it too: it reads the larger file alone.
    assert pins("requirements.txt") <= pins("requirements-dev.txt")


@pytest.mark.parametrize("name", [name for pair in PAIRS for name in pair])
def test_no_file_names_a_package_index(name: str) -> None:
    text = (ROOT / name).read_text()

    assert "://" not in text
    assert "index-url" not in text
    assert "find-links" not in text


def found(name: str, *vulnerabilities: dict[str, Any]) -> dict[str, Any]:
    """A package that pip-audit has looked up."""
    return {"name": name, "version": "1.0", "vulns": list(vulnerabilities)}


def unknown(name: str) -> dict[str, Any]:
    """A package that pip-audit could not look up."""
    return {"name": name, "skip_reason": "Dependency not found on PyPI"}


def test_the_audit_fails_on_a_known_vulnerability() -> None:
    vulnerability = {"id": "PYSEC-0000-1", "fix_versions": ["1.1", "2.0"]}

    assert audit.verdict([found("a"), found("b", vulnerability), unknown("c")]) == (
        1,
        "b 1.0: PYSEC-0000-1, mended in 1.1, 2.0",
    )


def test_the_audit_does_not_call_clean_what_it_could_not_look_up() -> None:
    assert audit.verdict([unknown("a"), unknown("b")]) == (0, audit.OFFLINE)
    assert audit.verdict([found("a"), unknown("b")]) == (
        0,
        "No known vulnerabilities in 1 packages (not in the database: b).",
    )
