"""The benchmark runs from end to end. What it measures is nobody's assertion: machines differ."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks.report import Row, Samples
from tests.support import ROOT
from tools.growth import append_ru, by_day, by_turn, by_user, chat_bytes, partitions, table

SVG = "{http://www.w3.org/2000/svg}"

linux = pytest.mark.skipif(
    sys.platform != "linux", reason="reads a process's CPU as Linux tells it"
)


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmark")
    command = [sys.executable, "-m", "benchmarks", "--quick", f"--output={folder}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    assert done.stdout in (folder / "results.md").read_text()
    return folder


@linux
def test_a_quick_run_writes_every_row(output: Path) -> None:
    lines = (output / "results.md").read_text().splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    what = [row[0].strip() for row in rows[2:]]

    assert len(what) == len(set(what)) == 24


@linux
@pytest.mark.parametrize(
    ("what", "count"),
    [
        ("first update", 1),
        ("update", 1),
        ("append", 1),
        ("create", 1),
        ("item get", 1),
        ("item delete", 1),
        ("list", 2),
        ("list, in sequence", 1),
    ],
)
def test_a_request_takes_so_many_of_the_database(output: Path, what: str, count: int) -> None:
    text = (output / "results.md").read_text()

    assert re.search(rf"^\| database requests of {what} +\| {count}\.00 ", text, re.MULTILINE)


@linux
def test_a_quick_run_draws_every_request(output: Path) -> None:
    picture = ET.parse(output / "results.svg").getroot()
    texts = {"".join(text.itertext()).strip() for text in picture.iter(f"{SVG}text")}

    assert picture.tag == f"{SVG}svg"
    requests = {f"{request}, 16 in flight" for request in ("update", "append", "list", "create")}
    assert {*requests, "update, 1 in flight", "ours", "the floor"} <= texts


def test_a_ratio_is_taken_round_by_round() -> None:
    samples = Samples(list, {"ours": [2.0, 9.0], "one": [1.0, 2.0], "two": [3.0, 1.0]})

    assert Row("", "ours", ["one", "two"]).cells(samples)[3] == "1.75 (0.50 to 3.00)"


@pytest.mark.parametrize(
    ("goal", "at_least", "cells"),
    [
        (2.0, False, ("≤ 2", "yes")),
        (1.9, False, ("≤ 1.9", "**no**")),
        (2.0, True, ("≥ 2", "yes")),
        (2.1, True, ("≥ 2.1", "**no**")),
        (None, False, ("", "")),
    ],
)
def test_a_goal_is_met_by_the_median(
    goal: float | None, at_least: bool, cells: tuple[str, str]
) -> None:
    samples = Samples(list, {"ours": [8.0, 2.0, 1.0], "over": [1.0, 1.0, 1.0]})
    row = Row("", "ours", ["over"], goal, at_least=at_least)

    assert row.cells(samples)[4:] == cells


def test_the_model_of_growth_does_the_arithmetic_of_the_documentation() -> None:
    assert append_ru(100) == 16.5  # 11 + 5.5 an item
    assert append_ru(100, 100) == 22
    assert append_ru(2_300) == 27.5  # 3 KB as stored
    assert chat_bytes(turns=0) == 1_000
    assert [partitions(10_000, 50e9), partitions(10_001, 0), partitions(0, 50e9 + 1)] == [1, 2, 2]


def test_the_documentation_shows_what_the_model_prints() -> None:
    page = (ROOT / "docs" / "performance.md").read_text()

    for rows in (by_turn, by_day, by_user):
        assert table(rows()) in page
