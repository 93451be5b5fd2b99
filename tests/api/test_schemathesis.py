"""The API does what openapi.json says, by a tool that knows nothing but that file."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support import ROOT

SECONDS = 300
HOOKS = ROOT / "tests/support/schemathesis_hooks.py"


def test_every_answer_to_generated_requests_is_as_openapi_json_says(
    base_url: str, tmp_path: Path
) -> None:
    # Its command, not its pytest plugin, which every run of any test would have to import.
    command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
    arguments = ["run", str(ROOT / "openapi.json"), "--url", base_url, "--checks", "all"]
    bounds = ["--seed", "1", "--max-examples", "60"]
    hooks = {"SCHEMATHESIS_HOOKS": str(HOOKS), "PYTHONPATH": str(ROOT)}

    finished = subprocess.run(
        [*command, *arguments, *bounds],
        cwd=tmp_path,
        env={**os.environ, **hooks},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "Tested: 9" in finished.stdout
    generated, passed = re.findall(r"([0-9]+) generated, ([0-9]+) passed", finished.stdout)[0]
    assert generated == passed
