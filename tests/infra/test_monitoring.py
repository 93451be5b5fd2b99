"""Being told, and seeing why: every alert has a query, a runbook and somebody who is told."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.infra import INFRA
from tests.infra.bicep import entries, strings, text, values, variable
from tests.support import ROOT

ALERTS = INFRA / "modules/alerts.bicep"
QUERIES = sorted((INFRA / "queries").glob("*.kql"))
RUNBOOKS = (ROOT / "docs/deployment.md").read_text("utf-8")
WORKBOOK: dict[str, Any] = json.loads((INFRA / "workbook.json").read_text("utf-8"))
# Tables of a workspace (https://learn.microsoft.com/azure/azure-monitor/reference/tables-index).
TABLES = {
    "ApiManagementGatewayLogs", "AppServiceAuthenticationLogs", "AppTraces", "Usage",
    "_LogOperation",
}  # fmt: skip


def tables(query: str) -> set[str]:
    """Name the tables that a query reads."""
    lines = [line for line in query.splitlines() if not line.startswith("//")]
    starts = re.findall(r"(?:^|\()\s*(\w+)(?=\s*(?:\n)?\s*\|)", "\n".join(lines).strip())
    return set(starts)


def alerts() -> set[str]:
    """Name all alert rules."""
    named = set(entries(variable(ALERTS, "queries"))) | set(entries(variable(ALERTS, "metrics")))
    return named | {"locks-changed", "service-health", "unavailable"}


def test_every_query_is_an_alert_and_every_alert_has_its_query() -> None:
    queries = entries(variable(ALERTS, "queries"))
    assert set(queries) == {file.stem for file in QUERIES}
    for name, rule in queries.items():
        assert f"loadTextContent('../queries/{name}.kql')" in rule


@pytest.mark.parametrize("file", QUERIES, ids=lambda file: file.stem)
def test_a_query_says_what_it_means_and_reads_a_table_that_exists(file: Path) -> None:
    query = file.read_text("utf-8")
    assert query.startswith("// ")
    assert tables(query)
    assert tables(query) <= TABLES


@pytest.mark.parametrize("name", sorted(alerts()))
def test_every_alert_has_a_runbook(name: str) -> None:
    assert re.search(rf"^\| `{name}` \|", RUNBOOKS, re.MULTILINE)


def test_everybody_who_is_told_is_told_by_the_same_group() -> None:
    rules = ALERTS.read_text("utf-8").split("\nresource ")
    for rule in rules:
        if "Alert" in rule.split()[0] or "Rules@" in rule.split("\n")[0]:
            assert "actionGroup.id" in rule


def test_the_platforms_logs_go_to_the_workspace_and_none_of_them_holds_keys() -> None:
    written = [text(node) for node in values(INFRA / "modules/diagnostics.bicep", "category")]
    assert written == [
        "FunctionAppLogs",
        "AppServiceAuthenticationLogs",
        "GatewayLogs",
        "ControlPlaneRequests",
    ]


def test_changing_a_lock_is_told() -> None:
    watched = strings(variable(ALERTS, "lockChanges"))
    assert "Microsoft.Web/sites/config/write" in watched
    assert "Microsoft.DocumentDB/databaseAccounts/write" in watched
    assert "Microsoft.Authorization/roleAssignments/write" in watched


def test_the_workbook_reads_tables_that_exist() -> None:
    queries = [item["content"]["query"] for item in WORKBOOK["items"] if item["type"] == 3]
    assert len(queries) >= 6
    for query in queries:
        assert tables(query.removeprefix("union"))
        assert tables(query.removeprefix("union")) <= TABLES


def test_the_workbook_and_the_alerts_read_the_line_that_the_app_writes() -> None:
    edge = (ROOT / "conversations/api/edge.py").read_text("utf-8")
    (line,) = re.findall(r'"(%s status=[^"]*)"', edge)
    asked = set(re.findall(r"(\w+)=\(", WORKBOOK["items"][3]["content"]["query"]))
    assert asked >= {"status", "code"}
    assert {name for name in asked if name != "reason"} <= set(re.findall(r"(\w+)=%", line))
    assert ' reason="{' in edge


def test_what_logs_cost_has_an_end() -> None:
    monitoring = INFRA / "modules/monitoring.bicep"
    (quota,) = values(monitoring, "dailyQuotaGb")
    assert text(quota) == "dailyCapGb"
    assert "param logDailyCapGb int = 1\n" in (INFRA / "main.bicep").read_text("utf-8")
