"""The documentation is true: every setting is told, commands and modules exist, examples work."""

import json
import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from conversations.app import SWEEP
from conversations.settings import Settings
from tests.support import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
README = (ROOT / "README.md").read_text()
SETTINGS = {name.upper(): field for name, field in Settings.model_fields.items()}


@pytest.mark.parametrize("name", SETTINGS)
def test_the_readme_tells_every_setting_with_its_default(name: str) -> None:
    (row,) = re.findall(rf"^\| `{name}` \| .* \| (.*) \|$", README, re.MULTILINE)
    default = SETTINGS[name].default
    shown = {None: "-", False: "`false`", 5: "`5`"}.get(default, f"`{default}`")

    assert row == ("required" if SETTINGS[name].is_required() else shown)


def test_the_sample_settings_are_the_settings() -> None:
    values = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    platforms = {
        "FUNCTIONS_WORKER_RUNTIME",
        "AzureWebJobsDisableHomepage",
        f"AzureWebJobs.{SWEEP}.Disabled",  # without storage the host could not run it
    }
    gateway = {"GATEWAY_PRINCIPAL_ID", "GATEWAY_ISSUER", "GATEWAY_AUDIENCE"}
    only_in_azure = {"AZURE_CLIENT_ID"} | gateway

    assert set(values) - platforms == set(SETTINGS) - only_in_azure
    assert Settings.from_environment(values).cosmos_timeout_seconds == 5


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"(?:`|^)make ([a-z0-9-]+)", page.read_text(), re.MULTILINE)) <= targets


def test_every_module_is_in_the_architecture_page() -> None:
    named = re.findall(r"`([a-z_/]+\.py)`", (ROOT / "docs" / "architecture.md").read_text())
    modules = [*(ROOT / "conversations").rglob("*.py"), *(ROOT / "local").rglob("*.py")]

    places = [*modules, *(ROOT / "tests").rglob("test_*.py"), ROOT / "function_app.py"]

    for module in modules:
        path = module.relative_to(ROOT).as_posix()
        if module.name != "__init__.py":
            assert any(path.endswith(f"/{name}") for name in named), path
    for name in named:
        assert any(path.as_posix().endswith(f"/{name}") for path in places), name


def test_the_readmes_shell_example_gives_the_output_that_it_shows(base_url: str) -> None:
    ((code, shown),) = re.findall(
        r"```sh\n([^`]*127\.0\.0\.1:7071[^`]*)```\n\n```json\n([^`]*)```", README
    )

    assert comparable(run("/bin/sh", code, base_url)) == comparable(shown)


def test_the_readmes_python_examples_give_the_output_that_they_show(base_url: str) -> None:
    examples = re.findall(r"```python\n([^`]*)```\n\n```\n([^`]*)```", README)
    assert len(examples) == README.count("```python\n")
    program = "print('---')\n".join(code for code, _ in examples)  # each uses the ones before it
    # Users of this run's own: in the examples' names others may have left conversations.
    own = secrets.token_hex(8)
    program = re.sub('"(alice|bob)"', rf'"\1-{own}"', program)

    output = run(sys.executable, program, base_url)

    assert comparable(output) == comparable("---\n".join(shown for _, shown in examples))


def run(program: str, code: str, base_url: str) -> str:
    return subprocess.run(
        [program, "-c", code.replace("http://127.0.0.1:7071", base_url)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


def comparable(output: str) -> str:
    """Without what is new every time: the ids."""
    return re.sub(r"(conv|msg)_[0-9a-f]{48}", r"\1_ID", output).strip()
