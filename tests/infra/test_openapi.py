"""openapi.json: valid, importable by the gateway, and with the code's own operations and limits."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from openapi_schema_validator import OAS30WriteValidator
from openapi_spec_validator import validate

from conversations import limits
from conversations.api import conditions, isolation
from conversations.api.errors import InvalidRequest
from conversations.api.query import INCLUDABLE
from conversations.app import ROUTES
from conversations.resources.conversations import models
from tests.support import ROOT
from tests.support.openapi import DOCUMENT
from tests.support.rest import Rest

TEXT = (ROOT / "openapi.json").read_text("utf-8")
SCHEMAS = DOCUMENT["components"]["schemas"]
RESPONSES = DOCUMENT["components"]["responses"]
PARAMETERS = DOCUMENT["components"]["parameters"]

ALWAYS = {"200", "400", "401", "403", "429", "500", "503", "504"}
WITH_ID = ALWAYS | {"404"}
WITH_BODY = {"411", "413", "415"}
STATUSES = {
    "listConversations": ALWAYS,
    "createConversation": WITH_ID | WITH_BODY,  # 404: what a key is repeated for may be gone
    "retrieveConversation": WITH_ID | {"304"},
    "updateConversation": WITH_ID | WITH_BODY | {"412"},
    "deleteConversation": WITH_ID | {"412"},
    "listItems": WITH_ID,
    "createItems": WITH_ID | WITH_BODY,
    "retrieveItem": WITH_ID,
    "deleteItem": WITH_ID,
}

# https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-functions-files#loadtextcontent
MAX_CHARACTERS_THAT_BICEP_LOADS = 131_072


def operations() -> dict[str, dict[str, Any]]:
    return {
        operation["operationId"]: operation
        for path in DOCUMENT["paths"].values()
        for operation in path.values()
    }


def test_the_document_is_valid_and_of_a_version_that_the_gateway_imports() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"] == "3.0.3"
    assert len(TEXT) <= MAX_CHARACTERS_THAT_BICEP_LOADS


def test_the_document_refers_to_nothing_outside_and_to_no_schema_from_within_itself() -> None:
    references = re.findall(r'"\$ref": "([^"]*)"', TEXT)
    assert all(reference.startswith("#/components/") for reference in references)
    for name in SCHEMAS:
        assert name not in _schemas_within(name)


def _schemas_within(name: str) -> set[str]:
    """Every schema that a schema refers to, directly or not."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        text = json.dumps(SCHEMAS[waiting.pop()])
        new = set(re.findall(r'"#/components/schemas/([^"]*)"', text)) - found
        found |= new
        waiting += new
    return found


def test_the_operations_are_the_apps() -> None:
    documented = {
        (path, method.upper(), re.sub("([A-Z])", r"_\1", operation["operationId"]).lower())
        for path, described in DOCUMENT["paths"].items()
        for method, operation in described.items()
    }

    assert documented == {(f"/{route.template}", route.method, route.operation) for route in ROUTES}


@pytest.mark.parametrize("operation", STATUSES)
def test_every_operation_names_every_status(operation: str) -> None:
    assert set(operations()[operation]["responses"]) == STATUSES[operation]


@pytest.mark.parametrize(
    ("documented", "limit"),
    [
        (SCHEMAS["Metadata"]["maxProperties"], limits.MAX_METADATA_PAIRS),
        (SCHEMAS["NullableMetadata"]["maxProperties"], limits.MAX_METADATA_PAIRS),
        (PARAMETERS["Limit"]["schema"]["maximum"], limits.MAX_PAGE_SIZE),
        (PARAMETERS["Limit"]["schema"]["default"], limits.DEFAULT_PAGE_SIZE),
        (SCHEMAS["ItemList"]["properties"]["data"]["maxItems"], limits.MAX_PAGE_SIZE),
        (SCHEMAS["ConversationList"]["properties"]["data"]["maxItems"], limits.MAX_PAGE_SIZE),
        (SCHEMAS["CreateItems"]["properties"]["items"]["maxItems"], limits.MAX_ITEMS_PER_CALL),
        (
            SCHEMAS["CreateConversation"]["properties"]["items"]["maxItems"],
            limits.MAX_ITEMS_PER_CALL,
        ),
        (SCHEMAS["ItemId"]["maxLength"], limits.MAX_ITEM_ID_LENGTH),
        (SCHEMAS["Item"]["properties"]["type"]["maxLength"], limits.MAX_ITEM_TYPE_LENGTH),
        (SCHEMAS["OtherItem"]["properties"]["type"]["maxLength"], limits.MAX_ITEM_TYPE_LENGTH),
        (PARAMETERS["ItemType"]["schema"]["maxLength"], limits.MAX_ITEM_TYPE_LENGTH),
        (PARAMETERS["AgentId"]["schema"]["maxLength"], limits.MAX_METADATA_VALUE_LENGTH),
        (PARAMETERS["AgentName"]["schema"]["maxLength"], limits.MAX_METADATA_VALUE_LENGTH),
        (PARAMETERS["UserIdentity"]["schema"]["maxLength"], limits.MAX_ISOLATION_KEY_LENGTH),
        (PARAMETERS["IdempotencyKey"]["schema"]["maxLength"], limits.MAX_IDEMPOTENCY_KEY_LENGTH),
        (
            DOCUMENT["components"]["headers"]["ClientRequestId"]["schema"]["maxLength"],
            limits.MAX_CLIENT_REQUEST_ID_LENGTH,
        ),
        (SCHEMAS["Error"]["properties"]["details"]["maxItems"], limits.MAX_ERROR_DETAILS),
    ],
)
def test_a_limit_is_the_codes(documented: int, limit: int) -> None:
    assert documented == limit


@pytest.mark.parametrize("name", ["Metadata", "NullableMetadata", "MetadataPatch"])
def test_the_lengths_in_metadata_are_the_codes(name: str) -> None:
    assert SCHEMAS[name]["additionalProperties"]["maxLength"] == limits.MAX_METADATA_VALUE_LENGTH
    limit = f"A key has at most {limits.MAX_METADATA_KEY_LENGTH} characters"
    assert limit in SCHEMAS[name]["description"]


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (RESPONSES["TooLarge"]["description"], f"more than {limits.MAX_UPDATE_BYTES} bytes"),
        (RESPONSES["TooLargeToCreate"]["description"], f"more than {limits.MAX_CREATE_BYTES}"),
        (SCHEMAS["MetadataPatch"]["description"], f"At most {limits.MAX_METADATA_PAIRS} pairs"),
        (
            operations()["listItems"]["description"],
            f"over {limits.MAX_PAGE_BYTES // 1024**2} MiB",
        ),
        (
            PARAMETERS["IdempotencyKey"]["description"],
            f"for {limits.IDEMPOTENCY_SECONDS // 3600} hours",
        ),
        (
            PARAMETERS["ClientRequestId"]["description"],
            f"at most {limits.MAX_CLIENT_REQUEST_ID_LENGTH} characters",
        ),
    ],
)
def test_a_limit_that_has_no_keyword_is_told(text: str, limit: str) -> None:
    assert limit in text


def test_what_can_be_included_is_the_codes() -> None:
    for name in ("Include", "IncludeBrackets"):
        assert PARAMETERS[name]["schema"]["items"]["enum"] == list(INCLUDABLE)


def accepts(check: Callable[..., object], *arguments: Any, **options: Any) -> bool:
    try:
        check(*arguments, **options)
    except InvalidRequest:
        return False
    return True


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
    accepted = accepts(models.conversation_id, value)

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
    accepted = accepts(isolation.isolation_key, {isolation.HEADER: value}, required=False)

    assert fits(PARAMETERS["UserIsolationKey"]["schema"], value) == accepted
    assert PARAMETERS["UserIdentity"]["schema"] == PARAMETERS["UserIsolationKey"]["schema"]


@pytest.mark.parametrize("value", ["", "a", "a b", "a,b", "~", "\x7f", "é", "a" * 255, "a" * 256])
def test_the_rules_of_an_idempotency_key_are_the_codes(value: str) -> None:
    accepted = accepts(conditions.idempotency_key, {"idempotency-key": value})

    assert fits(PARAMETERS["IdempotencyKey"]["schema"], value) == accepted


@pytest.mark.parametrize(
    "value",
    ["*", '"a"', 'W/"a"', '"a", W/"b"', '"a","b"', '""', "", "a", '"a', '"a" "b"', '*, "a"'],
)
def test_the_form_of_a_condition_is_the_codes(value: str) -> None:
    for name, check in (
        ("IfMatch", conditions.if_match),
        ("IfNoneMatch", conditions.if_none_match),
    ):
        accepted = accepts(check, {PARAMETERS[name]["name"].lower(): value})

        assert fits(PARAMETERS[name]["schema"], value) == accepted


def fits(schema: dict[str, Any], value: str) -> bool:
    return bool(
        re.search(schema["pattern"], value)
        and schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
    )


ANSWERS_WITH_A_BODY = sorted(set(RESPONSES) - {"NotModified"})


@pytest.mark.parametrize("name", ANSWERS_WITH_A_BODY)
def test_every_answer_has_its_headers_and_an_example_that_fits(name: str) -> None:
    response = RESPONSES[name]
    always = {"x-request-id", "x-ms-client-request-id", "openai-processing-ms", "Cache-Control"}
    assert always <= set(response["headers"])
    content = response["content"]["application/json"]
    assert content["examples"]
    schema = {**content["schema"], "components": DOCUMENT["components"]}
    for example in content["examples"].values():
        OAS30WriteValidator(schema).validate(example["value"])


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("RateLimited", "Retry-After"),
        ("RateLimited", "retry-after-ms"),
        ("Unavailable", "Retry-After"),
        ("Timeout", "Retry-After"),
        ("Timeout", "x-should-retry"),
        ("InternalError", "x-should-retry"),
        ("MethodNotAllowed", "Allow"),
        ("NotModified", "ETag"),
        ("Conversation", "ETag"),
        ("CreatedConversation", "ETag"),
        ("CreatedConversation", "idempotent-replayed"),
        ("CreatedItems", "idempotent-replayed"),
    ],
)
def test_an_answer_names_the_header_that_matters(name: str, header: str) -> None:
    assert header in RESPONSES[name]["headers"]


@pytest.mark.parametrize(
    ("operation", "media_type", "example"),
    [
        (name, media_type, example)
        for name, operation in operations().items()
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items()
        for example in content["examples"]
    ],
)
def test_an_example_of_a_request_works(
    rest: Rest, operation: str, media_type: str, example: str
) -> None:
    described = operations()[operation]["requestBody"]["content"][media_type]
    body = json.dumps(described["examples"][example]["value"]).encode()
    conversation = rest.create({"customer": "contoso"})["id"]
    (path,) = (
        path
        for path, methods in DOCUMENT["paths"].items()
        if methods.get("post", {}).get("operationId") == operation
    )

    answer = rest.send(
        "POST",
        path.replace("{conversation_id}", conversation),
        body,
        {"Content-Type": media_type},
    )

    assert answer.status == 200, answer
    assert answer.json()["object"] in ("conversation", "list")
