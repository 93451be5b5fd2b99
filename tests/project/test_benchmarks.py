"""The benchmark runs from end to end. What it measures is nobody's assertion: machines differ."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks.costs import has_runtime, serial
from benchmarks.samples import Samples
from tests.support import ROOT

SVG = "{http://www.w3.org/2000/svg}"

linux = pytest.mark.skipif(
    sys.platform != "linux", reason="reads a process's CPU as Linux tells it"
)


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmark")
    command = [sys.executable, "-m", "benchmarks", "--quick", f"--output={folder}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout in (folder / "results.md").read_text()
    return folder


@linux
def test_a_quick_run_writes_every_row(output: Path) -> None:
    lines = (output / "results.md").read_text().splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    what = [row[0].strip() for row in rows[1:]]

    assert len(what) == len(set(what)) == (21 if has_runtime() else 14)


@linux
def test_a_quick_run_counts_as_a_long_one_does(output: Path) -> None:
    text = (output / "results.md").read_text()

    assert re.search(r"^\| Cosmos round trips, warm +\| 1\.00 ", text, re.MULTILINE)
    assert re.search(r"^\| request charges logged, per update +\| 1\.00 ", text, re.MULTILINE)


@linux
def test_a_quick_run_draws_every_goal(output: Path) -> None:
    picture = ET.parse(output / "results.svg").getroot()
    goals = [text.text or "" for text in picture.iter(f"{SVG}text")]

    assert picture.tag == f"{SVG}svg"
    assert sum("✓" in goal or "✗" in goal for goal in goals) == (17 if has_runtime() else 12)


def test_requests_that_overlap_are_one_round_trip() -> None:
    assert serial([]) == 0
    assert serial([(0, 1), (1, 2)]) == 2
    assert serial([(0, 1), (0.5, 1.5), (1.2, 2.2)]) == 2


def test_sums_are_taken_round_by_round() -> None:
    samples = Samples()
    for one, two in ((1, 10), (2, 20)):
        samples.add("one", one)
        samples.add("two", two)

    assert samples.sums("one", "two") == [11, 22]
