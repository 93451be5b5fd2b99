"""openapi.json: a valid document whose limits are the code's own."""

import json
import re
from typing import Any

import pytest
from openapi_spec_validator import validate

from conversations import limits
from conversations.api import isolation
from conversations.api.errors import InvalidRequest
from conversations.resources.conversations import models
from tests.support import ROOT

TEXT = (ROOT / "openapi.json").read_text("utf-8")
DOCUMENT: dict[str, Any] = json.loads(TEXT)
SCHEMAS = DOCUMENT["components"]["schemas"]
RESPONSES = DOCUMENT["components"]["responses"]

ALWAYS = {"200", "400", "401", "429", "500", "503", "504"}
WITH_ID = ALWAYS | {"404"}
WITH_BODY = {"411", "413", "415"}


def operations() -> dict[str, dict[str, Any]]:
    return {
        operation["operationId"]: operation
        for path in DOCUMENT["paths"].values()
        for operation in path.values()
    }


def test_the_document_is_valid_and_of_a_version_that_the_gateway_imports() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"] == "3.0.3"


def test_the_document_refers_to_nothing_outside_and_to_no_schema_from_within_itself() -> None:
    references = re.findall(r'"\$ref": "([^"]*)"', TEXT)
    assert all(reference.startswith("#/components/") for reference in references)
    for name, schema in SCHEMAS.items():
        assert f'"#/components/schemas/{name}"' not in json.dumps(schema)


@pytest.mark.parametrize(
    ("operation", "statuses"),
    [
        ("createConversation", ALWAYS | WITH_BODY),
        ("retrieveConversation", WITH_ID),
        ("updateConversation", WITH_ID | WITH_BODY),
        ("deleteConversation", WITH_ID),
    ],
)
def test_every_operation_names_every_status(operation: str, statuses: set[str]) -> None:
    assert set(operations()[operation]["responses"]) == statuses


@pytest.mark.parametrize("name", ["Metadata", "NullableMetadata"])
def test_the_limits_of_metadata_are_the_models(name: str) -> None:
    assert SCHEMAS[name]["maxProperties"] == limits.MAX_METADATA_PAIRS
    assert SCHEMAS[name]["additionalProperties"]["maxLength"] == limits.MAX_METADATA_VALUE_LENGTH
    limit = f"A key has at most {limits.MAX_METADATA_KEY_LENGTH} characters"
    assert limit in SCHEMAS[name]["description"]


@pytest.mark.parametrize(
    "value",
    [
        "conv_1",
        "conv_".ljust(limits.MAX_CONVERSATION_ID_LENGTH, "a"),
        "conv_".ljust(limits.MAX_CONVERSATION_ID_LENGTH + 1, "a"),
        "conv_",
        "conv_a-b",
        "CONV_1",
        "x",
        "conv_é",
    ],
)
def test_the_pattern_of_an_id_is_the_codes(value: str) -> None:
    try:
        models.conversation_id(value)
    except InvalidRequest:
        accepted = False
    else:
        accepted = True
    assert bool(re.search(SCHEMAS["ConversationId"]["pattern"], value)) == accepted


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", "a", "a b", " a", "a ", "a,b", ",", "~", "\x7f", "é"),
        "a" * limits.MAX_ISOLATION_KEY_LENGTH,
        "a" * (limits.MAX_ISOLATION_KEY_LENGTH + 1),
    ],
)
def test_the_rules_of_an_isolation_key_are_the_codes(value: str) -> None:
    schema = DOCUMENT["components"]["parameters"]["UserIsolationKey"]["schema"]
    fits = bool(re.search(schema["pattern"], value))
    fits &= schema["minLength"] <= len(value) <= schema["maxLength"]
    try:
        isolation.isolation_key({isolation.HEADER: value}, required=False)
    except InvalidRequest:
        accepted = False
    else:
        accepted = True
    assert fits == accepted


@pytest.mark.parametrize("name", sorted(RESPONSES))
def test_every_answer_has_its_headers_and_a_real_example(name: str) -> None:
    response = RESPONSES[name]
    always = {"x-request-id", "x-ms-client-request-id", "openai-processing-ms", "Cache-Control"}
    assert always <= set(response["headers"])
    content = response["content"]["application/json"]
    properties = SCHEMAS[content["schema"]["$ref"].rpartition("/")[2]]["properties"]
    for example in content["examples"].values():
        assert set(example["value"]) == set(properties)


@pytest.mark.parametrize("name", ["RateLimited", "Unavailable", "Timeout"])
def test_what_can_be_retried_says_when(name: str) -> None:
    assert "Retry-After" in RESPONSES[name]["headers"]
