"""The templates: they parse, and what matters for safety stands in them as intended."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.infra import INFRA
from tests.infra.bicep import entries, parameters, parse, strings, text, values, variable, walk
from tests.infra.settings import names
from tests.support import ROOT

MODULES = INFRA / "modules"
FILES = sorted(INFRA.rglob("*.bicep"))

# What the store does, in the words of Cosmos DB's role-based access control.
DATA_ACTIONS = {
    "readMetadata",
    "sqlDatabases/containers/items/create",
    "sqlDatabases/containers/items/read",
    "sqlDatabases/containers/items/replace",
    "sqlDatabases/containers/items/delete",
    "sqlDatabases/containers/executeQuery",
    "sqlDatabases/containers/readChangeFeed",
}
# What the platform reads, beside the app's own settings.
PLATFORM_SETTINGS = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AzureWebJobsDisableHomepage",
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__credential",
}
# docs/contract.md: with these the app checks the gateway's token itself.
SECOND_LOCK = {"GATEWAY_PRINCIPAL_ID", "GATEWAY_ISSUER", "GATEWAY_AUDIENCE"}


def only(file: str, key: str) -> str:
    """Return the one value that a module gives to a property, as it is written."""
    (node,) = values(MODULES / file, key)
    return text(node)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_file_parses(file: Path) -> None:
    broken = [node.start_point for node in walk(parse(file)) if node.is_error or node.is_missing]
    assert not broken


def test_the_apps_role_can_do_what_the_store_does_and_no_more() -> None:
    actions, on_the_account = values(MODULES / "cosmos.bicep", "dataActions")
    prefix = "Microsoft.DocumentDB/databaseAccounts/"
    assert strings(actions) == [action for action in strings(actions) if action.startswith(prefix)]
    assert {action.removeprefix(prefix) for action in strings(actions)} == DATA_ACTIONS
    assert strings(on_the_account) == [f"{prefix}readMetadata"]


def test_the_apps_role_is_bound_to_the_container() -> None:
    scopes = [text(node) for node in values(MODULES / "cosmos.bicep", "assignableScopes")]
    assert scopes == ["[containerScope]", "[account.id]"]
    used = [text(node) for node in values(MODULES / "cosmos.bicep", "scope")]
    assert [scope for scope in used if scope != "account"] == ["containerScope", "account.id"]
    scope = text(variable(MODULES / "cosmos.bicep", "containerScope"))
    assert scope.endswith("/colls/${account::database::container.name}")


def test_the_app_gets_every_setting_but_the_key() -> None:
    settings = entries(variable(MODULES / "functionapp.bicep", "settings"))
    assert set(settings) == (names() - {"COSMOS_KEY"}) | PLATFORM_SETTINGS | SECOND_LOCK
    assert settings["REQUIRE_USER_ISOLATION_KEY"] == "true"


def test_no_template_asks_for_a_key_or_a_secret() -> None:
    called = {
        text(node.named_children[0]).split(".")[-1]
        for file in FILES
        for node in walk(parse(file))
        if node.type == "call_expression"
    }
    assert not {name for name in called if name.startswith(("list", "getSecret"))}


@pytest.mark.parametrize(
    ("file", "key", "value"),
    [
        ("cosmos.bicep", "disableLocalAuth", "true"),
        ("cosmos.bicep", "minimalTlsVersion", "Tls12"),
        ("cosmos.bicep", "type", "Continuous"),
        ("storage.bicep", "allowSharedKeyAccess", "false"),
        ("storage.bicep", "allowBlobPublicAccess", "false"),
        ("storage.bicep", "minimumTlsVersion", "TLS1_2"),
        ("monitoring.bicep", "DisableLocalAuth", "true"),
        ("monitoring.bicep", "disableLocalAuth", "true"),
        ("functionapp.bicep", "httpsOnly", "true"),
        ("functionapp.bicep", "minTlsVersion", "1.2"),
        ("functionapp.bicep", "requireAuthentication", "true"),
        ("functionapp.bicep", "unauthenticatedClientAction", "Return401"),
        ("functionapp.bicep", "allowedApplications", "[caller.clientId]"),
        ("functionapp.bicep", "allowedAudiences", "[entraApplicationId]"),
        ("functionapp.bicep", "perInstanceConcurrency", "httpConcurrency"),
        ("apim.bicep", "httpCorrelationProtocol", "W3C"),
        ("apim.bicep", "logClientIp", "false"),
        ("apim.bicep", "bytes", "0"),
    ],
)
def test_the_locks_are_on(file: str, key: str, value: str) -> None:
    assert value in [text(node) for node in values(MODULES / file, key)]


def test_both_locks_ask_for_the_same_caller() -> None:
    template = MODULES / "functionapp.bicep"
    settings = entries(variable(template, "settings"))
    assert settings["GATEWAY_PRINCIPAL_ID"] == "caller.principalId"
    assert only("functionapp.bicep", "allowedPrincipals") == "{ identities: [caller.principalId] }"
    assert settings["GATEWAY_ISSUER"] == only("functionapp.bicep", "openIdIssuer") == "issuer"
    assert text(variable(template, "issuer")).endswith("${subscription().tenantId}/v2.0")
    assert f"[{settings['GATEWAY_AUDIENCE']}]" == only("functionapp.bicep", "allowedAudiences")


@pytest.mark.parametrize(
    ("file", "closed"),
    [
        ("functionapp.bicep", "empty(subnetId) ? 'Enabled' : 'Disabled'"),
        ("cosmos.bicep", "privateOnly ? 'Disabled' : 'Enabled'"),
        ("storage.bicep", "privateOnly ? 'Disabled' : 'Enabled'"),
    ],
)
def test_a_private_network_takes_what_holds_data_off_the_internet(file: str, closed: str) -> None:
    assert only(file, "publicNetworkAccess") == closed


def test_whatever_is_off_the_internet_has_an_endpoint_and_a_name_in_the_network() -> None:
    zones = entries(variable(MODULES / "network.bicep", "zones"))
    endpoints = [
        entries(node)
        for services in values(INFRA / "main.bicep", "services")
        for node in services.named_children
    ]
    assert {endpoint["group"] for endpoint in endpoints} == set(zones)
    for endpoint in endpoints:
        assert endpoint["zoneId"] == f"network!.outputs.zoneIds.{endpoint['group']}"
    main = (INFRA / "main.bicep").read_text("utf-8")
    assert main.count("= if (privateNetwork) {") == 3
    for module in ("cosmos", "storage"):
        part = main.split(f"module {module} ")[1].split("\nmodule ")[0]
        assert "privateOnly: privateNetwork\n" in part
    assert "subnetId: privateNetwork ? network!.outputs.appSubnetId : ''" in main
    assert "sku: privateNetwork ? 'StandardV2' : gatewaySku" in main


def test_passwords_for_publishing_are_off() -> None:
    allowed = [text(node) for node in values(MODULES / "functionapp.bicep", "allow")]
    assert allowed == ["false", "false"]


def test_the_partition_key_is_hashed_whole() -> None:
    assert "version: 2" in only("cosmos.bicep", "partitionKey")
    assert "'/isolation_key'" in only("cosmos.bicep", "partitionKey")


def test_lists_have_the_one_index_that_they_walk() -> None:
    (included,) = values(MODULES / "cosmos.bicep", "includedPaths")
    (excluded,) = values(MODULES / "cosmos.bicep", "excludedPaths")
    assert [text(node) for node in walk(included) if node.type == "string"] == ["/sort_key/?"]
    assert [text(node) for node in walk(excluded) if node.type == "string"] == ["/*"]
    assert only("cosmos.bicep", "indexingMode") == "consistent"


def test_a_document_may_have_a_time_to_live_whatever_the_retention() -> None:
    assert only("cosmos.bicep", "defaultTtl") == "retentionDays > 0 ? retentionDays * 86400 : -1"


def test_every_parameter_can_be_set_through_azd() -> None:
    written = json.loads((INFRA / "main.parameters.json").read_text("utf-8"))["parameters"]
    assert list(written) == parameters(INFRA / "main.bicep")


def test_what_azd_sends_by_default_is_the_templates_default() -> None:
    # An empty variable, which a pipeline has for whatever is not set, must not become a value.
    written = json.loads((INFRA / "main.parameters.json").read_text("utf-8"))["parameters"]
    main = (INFRA / "main.bicep").read_text("utf-8")
    for name, kind, default in re.findall(r"^param (\w+) (\w+)(?: = (.*))?$", main, re.MULTILINE):
        sent = written[name]["value"].strip("${}").partition("=")[2]
        assert sent == default.strip("'")
        assert sent or kind == "string"


@pytest.mark.parametrize("file", sorted((INFRA / "profiles").glob("*.env")), ids=lambda it: it.stem)
def test_a_profile_sets_parameters_that_exist_to_values_that_they_take(file: Path) -> None:
    written = json.loads((INFRA / "main.parameters.json").read_text("utf-8"))["parameters"]
    main = (INFRA / "main.bicep").read_text("utf-8")
    names = {value["value"].strip("${}").split("=")[0]: name for name, value in written.items()}
    lines = [line for line in file.read_text("utf-8").splitlines() if not line.startswith("#")]
    for line in lines:
        variable_name, value = line.split("=")
        if variable_name == "PREAUTHORIZE_AZURE_CLI":  # the hook's
            continue
        declared = re.search(
            rf"((?:^@.*\n)*)^param {names[variable_name]} (\w+)", main, re.MULTILINE
        )
        assert declared
        decorators, kind = declared.groups()
        patterns = {"bool": "true|false", "int": r"\d+", "string": r"\S+"}
        assert re.fullmatch(patterns[kind], value)
        if allowed := re.search(r"@allowed\((.*)\)", decorators):
            assert value in re.findall(r"[\w]+", allowed[1])


def test_every_named_value_of_the_policies_is_set() -> None:
    used = {
        part.split("}}")[0]
        for file in (INFRA / "policies").rglob("*.xml")
        for part in file.read_text("utf-8").split("{{")[1:]
    }
    assert used == set(entries(variable(MODULES / "apim.bicep", "values")))


def test_every_fragment_is_deployed_and_none_includes_another() -> None:
    # https://learn.microsoft.com/azure/api-management/policy-fragments: fragments do not nest.
    files = {file.stem: file for file in (INFRA / "policies/fragments").glob("*.xml")}
    assert set(entries(variable(MODULES / "apim.bicep", "fragments"))) == set(files)
    assert not [
        name for name, file in files.items() if "include-fragment" in file.read_text("utf-8")
    ]


@pytest.mark.parametrize(
    ("part", "within"), [("client-application-ids", "validate-azure-ad-token"), ("cors", "inbound")]
)
def test_an_optional_part_of_a_policy_has_one_place_first_of_its_kind(
    part: str, within: str
) -> None:
    template = (MODULES / "apim.bicep").read_text("utf-8")
    (file,) = re.findall(rf"loadTextContent\('([^']*)'\), '<!-- {{{part}}} -->'", template)
    policy = (MODULES / file).resolve().read_text("utf-8")
    (written,) = re.findall(rf"'(<{part}[ >].*)'\n", template)
    each = r"\$\{join\(map\(split\(\w+, ','\), \w+ => '(.*?)\$\{trim\(\w+\)\}(.*?)'\), ''\)\}"
    written = re.sub(each, r"\1one\2\1two\2", written)
    assert policy.count(f"<!-- {{{part}}} -->") == 1
    root = ElementTree.fromstring(policy.replace(f"<!-- {{{part}}} -->", written))
    (place,) = root.iter(within)
    assert place[0].tag == part
    assert [item.text for item in place[0].iter() if item.text in {"one", "two"}] == ["one", "two"]


def test_the_gateway_knows_every_operation_of_the_api() -> None:
    # The template takes them from the document itself, which must have nothing else in its paths.
    paths = json.loads((ROOT / "openapi.json").read_text("utf-8"))["paths"]
    for path, methods in paths.items():
        assert set(methods) <= {"get", "post", "put", "patch", "delete"}
        assert re.fullmatch(r"(/[\w.]+|/\{\w+\})+", path)
        assert all(operation["operationId"] for operation in methods.values())
    assert text(variable(MODULES / "apim.bicep", "operations")).count("openapi.json") == 1
