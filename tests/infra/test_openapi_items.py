"""openapi.json describes exactly the items that the code takes, type by type."""

from typing import Any

import pytest
from openapi_schema_validator import OAS30WriteValidator

from conversations.api.errors import InvalidRequest
from conversations.resources.items.models import parse_items
from conversations.resources.items.types import ITEM_TYPES, PART_TEXTS
from tests.support.openapi import DOCUMENT

SCHEMAS = DOCUMENT["components"]["schemas"]
VALIDATOR = OAS30WriteValidator(
    {"$ref": "#/components/schemas/CreateItems", "components": DOCUMENT["components"]}
)

# One item of each type with what docs/contract.md#item-types requires; any `id` is the prefix.
WHOLE_ITEMS: dict[str, dict[str, Any]] = {
    "message": {"role": "user", "content": "x"},
    "reasoning": {"id": "rs_1", "summary": []},
    "function_call": {"call_id": "c", "name": "n", "arguments": "{}"},
    "function_call_output": {"output": "x"},
    "custom_tool_call": {"call_id": "c", "name": "n", "input": "x"},
    "custom_tool_call_output": {"call_id": "c", "output": [{"type": "input_text"}]},
    "file_search_call": {"id": "fs_1", "queries": [], "status": "completed"},
    "web_search_call": {"id": "ws_1", "action": {}, "status": "completed"},
    "computer_call": {"id": "cu_1", "call_id": "c", "pending_safety_checks": [], "status": "x"},
    "computer_call_output": {"call_id": "c", "output": {}},
    "code_interpreter_call": {
        "id": "ci_1",
        "container_id": "c",
        "code": None,
        "outputs": None,
        "status": "completed",
    },
    "image_generation_call": {"id": "ig_1", "result": None, "status": "completed"},
    "local_shell_call": {"id": "lsh_1", "call_id": "c", "action": {}, "status": "completed"},
    "local_shell_call_output": {"id": "lsho_1", "output": "x"},
    "shell_call": {"call_id": "c", "action": {}},
    "shell_call_output": {"call_id": "c", "output": []},
    "apply_patch_call": {"call_id": "c", "operation": {}, "status": "completed"},
    "apply_patch_call_output": {"call_id": "c", "status": "completed"},
    "mcp_list_tools": {"id": "mcpl_1", "server_label": "s", "tools": []},
    "mcp_call": {"id": "mcp_1", "server_label": "s", "name": "n", "arguments": "{}"},
    "mcp_approval_request": {"id": "mcpr_1", "server_label": "s", "name": "n", "arguments": "{}"},
    "mcp_approval_response": {"approval_request_id": "a", "approve": True},
    "tool_search_call": {"arguments": None},
    "tool_search_output": {"tools": []},
    "compaction": {"encrypted_content": "x"},
    "program": {"id": "prg_1", "call_id": "c", "code": "x", "fingerprint": "f"},
    "program_output": {"id": "prgo_1", "call_id": "c", "result": "x", "status": "completed"},
    "additional_tools": {"role": "developer", "tools": []},
    "of_tomorrow": {},
}


def test_every_type_of_items_is_described_and_no_other() -> None:
    described = {SCHEMAS[name]["properties"]["type"]["enum"][0] for name in _item_schemas()}

    assert described == set(ITEM_TYPES) == set(WHOLE_ITEMS) - {"of_tomorrow"}
    of_other_types = SCHEMAS["OtherItem"]["properties"]["type"]["not"]["enum"]
    assert set(of_other_types) == {*ITEM_TYPES, "item_reference"}
    text, refusal, other = SCHEMAS["ContentPart"]["anyOf"]
    in_parts = text["properties"]["type"]["enum"] + refusal["properties"]["type"]["enum"]
    assert set(in_parts) == set(PART_TEXTS)
    assert set(other["properties"]["type"]["not"]["enum"]) == set(PART_TEXTS)


def _item_schemas() -> list[str]:
    names = [one["$ref"].rpartition("/")[2] for one in SCHEMAS["NewItem"]["anyOf"]]
    assert names.pop() == "OtherItem"
    return names


def is_taken(item: dict[str, Any]) -> bool:
    try:
        parse_items({"items": [item]})
    except InvalidRequest:
        return False
    return True


def is_described(item: dict[str, Any]) -> bool:
    return bool(VALIDATOR.is_valid({"items": [item]}))


@pytest.mark.parametrize("type_", WHOLE_ITEMS)
@pytest.mark.parametrize("wrong", [None, 1, [], {}, True, "", "#", "x"])
def test_an_item_is_what_the_code_takes(type_: str, wrong: Any) -> None:
    whole = {"type": type_, **WHOLE_ITEMS[type_]}
    assert is_described(whole)
    parse_items({"items": [whole]})

    assert is_described({**whole, "unknown": wrong})
    for name in whole | {"id": None}:
        without = {other: value for other, value in whole.items() if other != name}
        for changed in (without, {**whole, name: wrong}):
            accepted = is_taken(changed)
            assert is_described(changed) == accepted, changed


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_text", "text": "x"},
        {"type": "output_text"},
        {"type": "text", "text": None},
        {"type": "refusal", "refusal": "x"},
        {"type": "refusal", "text": "x"},
        {"type": "input_image"},
        {"type": None},
        {"text": "x"},
        "x",
    ],
)
def test_a_part_of_a_message_is_what_the_code_takes(part: Any) -> None:
    item = {"role": "user", "content": [part]}

    assert is_described(item) == is_taken(item)
