"""azd's hooks: the Entra application is found or created, once, and its definition is sound."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.infra import INFRA

HOOKS = INFRA / "hooks"
DEFINITION = json.loads((HOOKS / "entra-application.json").read_text("utf-8"))
POLICY = (INFRA / "policies/api.xml").read_text("utf-8")
ID = "11111111-2222-3333-4444-555555555555"

needs_sh = pytest.mark.skipif(shutil.which("sh") is None, reason="the hook is a shell script")


def run_hook(
    folder: Path,
    *,
    reads_fail: int = 0,
    known_id: str = "",
    tenant: str = "home",
    deleted: str = "",
    settings: dict[str, str] | None = None,
) -> tuple[list[str], str]:
    """Run the hook with stand-ins for az, azd and sleep; their calls and what the hook prints."""
    calls = folder / "calls"
    stand_ins = {
        "az": f"""
            case "$*" in
                cloud*) echo https://graph.example/ ;;
                "account show --subscription"*) echo home ;;
                account*) echo {tenant} ;;
                *deletedItems*) echo "{deleted}" ;;
                *"--body @"*)
                    all="$*"
                    sent="${{all#*--body @}}"
                    cp "${{sent%% *}}" "{folder}/sent" ;;
                *"--method get"*)
                    echo x >> "{folder}/reads"
                    [ "$(wc -l < "{folder}/reads")" -gt {reads_fail} ] || exit 1
                    echo {ID} ;;
            esac""",
        "azd": "",
        "sleep": "",
    }
    for name, body in stand_ins.items():
        file = folder / name
        file.write_text(f'#!/bin/sh\necho "{name} $*" >> "{calls}"\n{body}\n')
        file.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "AZURE_ENV_NAME": "test",
        "AZURE_SUBSCRIPTION_ID": "sub",
        "ENTRA_APPLICATION_ID": known_id,
    }
    environment |= settings or {}
    command = ["sh", str(HOOKS / "preprovision.sh")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return calls.read_text().splitlines() if calls.exists() else [], done.stdout


@needs_sh
def test_a_known_application_is_left_alone(tmp_path: Path) -> None:
    calls, printed = run_hook(tmp_path, known_id=ID)
    assert calls == []
    assert ID in printed


@needs_sh
def test_a_missing_application_is_created_by_unique_name_and_handed_to_azd(tmp_path: Path) -> None:
    calls, _ = run_hook(tmp_path)
    name = "applications(uniqueName='conversations-api-test-sub')"
    writes = [call for call in calls if "--method patch" in call]
    assert [call.split("--url ")[1].split()[0] for call in writes] == [
        f"https://graph.example/v1.0/{name}",
        f"https://graph.example/v1.0/{name}",
        f"https://graph.example/v1.0/servicePrincipals(appId='{ID}')",
    ]
    assert ["Prefer=create-if-missing" in call for call in writes] == [True, False, True]
    assert f"azd env set ENTRA_APPLICATION_ID {ID}" in calls


@needs_sh
def test_no_application_is_created_in_another_directory(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        run_hook(tmp_path, tenant="elsewhere")
    assert "az login --tenant home" in failed.value.stderr
    assert "rest" not in (tmp_path / "calls").read_text()


@needs_sh
@pytest.mark.parametrize("preauthorized", [True, False])
def test_the_azure_cli_gets_tokens_unasked_only_where_that_was_asked_for(
    tmp_path: Path, preauthorized: bool
) -> None:
    run_hook(tmp_path, settings={"PREAUTHORIZE_AZURE_CLI": str(preauthorized).lower()})
    sent = json.loads((tmp_path / "sent").read_text())
    clients = sent["api"].pop("preAuthorizedApplications")
    (scope,) = DEFINITION["api"]["oauth2PermissionScopes"]
    azure_cli = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
    expected = [{"appId": azure_cli, "delegatedPermissionIds": [scope["id"]]}]
    assert clients == (expected if preauthorized else [])
    declared = json.loads(json.dumps(DEFINITION))
    assert declared["api"].pop("preAuthorizedApplications") == []
    assert sent == declared


@needs_sh
def test_a_name_that_a_deleted_application_holds_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        run_hook(tmp_path, deleted="d1")
    command = "az rest --method delete --url https://graph.example/v1.0/directory/deletedItems/d1"
    assert command in failed.value.stderr
    assert "--method patch" not in (tmp_path / "calls").read_text()


@needs_sh
def test_a_missing_subscription_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        run_hook(tmp_path, settings={"AZURE_SUBSCRIPTION_ID": ""})
    assert "azd env set AZURE_SUBSCRIPTION_ID" in failed.value.stderr


@needs_sh
def test_a_missing_azure_cli_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    sh = shutil.which("sh")
    assert sh
    environment = {"PATH": str(tmp_path / "none"), "AZURE_SUBSCRIPTION_ID": "sub"}
    command = [sh, str(HOOKS / "preprovision.sh")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "https://aka.ms/InstallAzureCLI" in done.stderr


@needs_sh
@pytest.mark.parametrize(
    ("budget", "start", "set_by_the_hook"),
    [("", "", False), ("0", "", False), ("100", "", True), ("100", "2026-01-01", False)],
)
def test_a_budget_begins_with_the_month_in_which_it_was_made(
    tmp_path: Path, budget: str, start: str, set_by_the_hook: bool
) -> None:
    settings = {"MONTHLY_BUDGET": budget, "BUDGET_START_DATE": start}
    calls, _ = run_hook(tmp_path, known_id=ID, settings=settings)
    dates = [call for call in calls if call.startswith("azd env set BUDGET_START_DATE ")]
    assert bool(dates) == set_by_the_hook
    assert all(re.fullmatch(r".* \d{4}-\d\d-01", call) for call in dates)


@needs_sh
def test_the_hook_waits_for_the_directory(tmp_path: Path) -> None:
    calls, _ = run_hook(tmp_path, reads_fail=3)
    assert [call for call in calls if call.startswith("sleep")] == ["sleep 5"] * 3
    assert f"azd env set ENTRA_APPLICATION_ID {ID}" in calls


@needs_sh
def test_the_hook_fails_rather_than_hand_on_nothing(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        run_hook(tmp_path, reads_fail=99)
    assert "azd env set" not in (tmp_path / "calls").read_text()


def test_both_hooks_do_the_same() -> None:
    shell, power_shell = (
        (HOOKS / f"preprovision.{kind}").read_text("utf-8") for kind in ("sh", "ps1")
    )
    parts = [
        "entra-application.json",
        "create-if-missing",
        "servicePrincipals(appId='$id')",
        "directory/deletedItems",
        "azd env set BUDGET_START_DATE",
        "azd env set AZURE_SUBSCRIPTION_ID",
        "https://aka.ms/InstallAzureCLI",
        "PREAUTHORIZE_AZURE_CLI",
        "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
        DEFINITION["api"]["oauth2PermissionScopes"][0]["id"],
    ]
    for part in parts:
        assert part in shell
        assert part in power_shell
    unique_name = re.compile(r'"(conversations-api-[^"]*)"')
    names = [unique_name.findall(hook)[0].replace("$env:", "$") for hook in (shell, power_shell)]
    assert names[0] == names[1]


def test_the_policy_looks_for_what_the_application_declares() -> None:
    (scope,) = DEFINITION["api"]["oauth2PermissionScopes"]
    declared = {scope["value"]} | {role["value"] for role in DEFINITION["appRoles"]}
    assert set(re.findall(r"Contains\(&quot;(Conversations\.\w+)&quot;\)", POLICY)) == declared
    for role in DEFINITION["appRoles"]:
        assert role["allowedMemberTypes"] == ["Application"]
    assert [claim["name"] for claim in DEFINITION["optionalClaims"]["accessToken"]] == ["idtyp"]


def test_tokens_are_of_the_version_whose_claims_the_policy_reads() -> None:
    assert DEFINITION["api"]["requestedAccessTokenVersion"] == 2
    assert DEFINITION["signInAudience"] == "AzureADMyOrg"
