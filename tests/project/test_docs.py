"""The documentation is true: every setting is told, commands and modules exist, examples work."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

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
    platforms = {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsDisableHomepage"}
    only_in_azure = {"AZURE_CLIENT_ID"}

    assert set(values) - platforms == set(SETTINGS) - only_in_azure
    assert Settings.from_environment(values).cosmos_timeout_seconds == 5


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"(?:`|^)make ([a-z0-9-]+)", page.read_text(), re.MULTILINE)) <= targets


def test_every_module_is_in_the_architecture_page() -> None:
    named = re.findall(r"`([a-z_/]+\.py)`", (ROOT / "docs" / "architecture.md").read_text())
    modules = [*(ROOT / "conversations").rglob("*.py"), *(ROOT / "local").rglob("*.py")]

    places = [*modules, *(ROOT / "tests").rglob("test_*.py")]

    for module in modules:
        path = module.relative_to(ROOT).as_posix()
        if module.name != "__init__.py":
            assert any(path.endswith(f"/{name}") for name in named), path
    for name in named:
        assert any(path.as_posix().endswith(f"/{name}") for path in places), name


def test_the_readmes_examples_give_the_output_that_it_shows(base_url: str) -> None:
    examples = re.findall(
        r"```(sh|python)\n(?P<code>[^`]*127\.0\.0\.1:7071[^`]*)```\n\n```\w*\n([^`]*)```", README
    )
    assert [language for language, _, _ in examples] == ["sh", "python"]

    for language, code, shown in examples:
        program = {"sh": "/bin/sh", "python": sys.executable}[language]
        result = subprocess.run(
            [program, "-c", code.replace("http://127.0.0.1:7071", base_url)],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert comparable(result.stdout) == comparable(shown)


def comparable(output: str) -> str:
    """Without what is new every time: ids and times."""
    output = re.sub(r"conv_[0-9a-f]{48}", "conv_ID", output)
    return re.sub(r'"created_at":\d{10}', '"created_at":TIME', output).strip()
