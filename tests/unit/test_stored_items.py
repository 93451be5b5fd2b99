"""What the server adds to an item, and that it adds nothing else (contract-items, section 2.2)."""

import copy
import re
from typing import Any

import pytest

from conversations.resources.items.models import mint_id, stored_item

TOKEN = "0123456789abcdef0123456789abcdef01234567"


def stored(sent: dict[str, Any]) -> dict[str, Any]:
    """What is stored of it, having checked that what was sent is what it was."""
    before = copy.deepcopy(sent)
    item = stored_item(sent, "new_id")
    assert sent == before
    return item


def test_a_message_of_two_members_becomes_a_whole_one() -> None:
    """As recorded from the live service."""
    assert stored({"content": "The new secret word is ORCHID.", "role": "user"}) == {
        "content": [{"text": "The new secret word is ORCHID.", "type": "input_text"}],
        "id": "new_id",
        "role": "user",
        "status": "completed",
        "type": "message",
    }


def test_an_assistants_text_is_output() -> None:
    assert stored({"content": "", "role": "assistant"})["content"] == [
        {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    ]


@pytest.mark.parametrize("role", ["user", "system", "developer"])
def test_anybody_elses_text_is_input(role: str) -> None:
    assert stored({"content": "x", "role": role})["content"] == [
        {"type": "input_text", "text": "x"}
    ]


def test_parts_get_what_strict_readers_need() -> None:
    content = [
        {"type": "output_text", "text": "a"},
        {"type": "output_text", "text": "b", "logprobs": [1], "annotations": None, "x": None},
        {"type": "input_image", "image_url": "u"},
        {"type": "input_image", "detail": None},
        {"type": "input_text", "text": "c"},
        {"type": "refusal", "refusal": "d"},
    ]
    assert stored({"role": "user", "content": content})["content"] == [
        {"type": "output_text", "text": "a", "annotations": [], "logprobs": []},
        {"type": "output_text", "text": "b", "logprobs": [1], "annotations": None, "x": None},
        {"type": "input_image", "image_url": "u", "detail": "auto"},
        {"type": "input_image", "detail": None},
        {"type": "input_text", "text": "c"},
        {"type": "refusal", "refusal": "d"},
    ]


def test_the_members_stay_in_their_order() -> None:
    part = {"detail": "low", "x": 1, "type": "input_image"}
    item = stored({"content": [part], "z": None, "status": None, "id": None, "role": "user"})

    assert list(item) == ["content", "z", "status", "id", "role", "type"]
    assert list(item["content"][0]) == ["detail", "x", "type"]


@pytest.mark.parametrize(
    "type_",
    [
        "message",
        "function_call",
        "function_call_output",
        "computer_call_output",
        "shell_call",
        "shell_call_output",
        "tool_search_call",
        "tool_search_output",
    ],
)
def test_what_is_complete_says_so(type_: str) -> None:
    sent = {"type": type_, "role": "user", "content": []}

    assert stored(sent)["status"] == "completed"
    assert stored({**sent, "status": None})["status"] == "completed"
    assert stored({**sent, "status": "in_progress"})["status"] == "in_progress"
    assert stored({**sent, "status": ""})["status"] == ""


@pytest.mark.parametrize(
    "type_",
    [
        "reasoning",
        "custom_tool_call",
        "custom_tool_call_output",
        "mcp_call",
        "mcp_approval_response",
        "local_shell_call_output",
        "compaction",
        "additional_tools",
        "a2a_preview_call",
    ],
)
def test_nothing_is_added_to_the_others_but_an_id(type_: str) -> None:
    sent = {"type": type_, "status": None, "content": "x", "output": [{"type": "output_text"}]}
    assert stored(sent) == {**sent, "id": "new_id"}


def test_an_id_of_the_callers_is_kept() -> None:
    assert stored({"type": "a2a_call", "id": "X"}) == {"type": "a2a_call", "id": "X"}


def test_an_item_of_an_unknown_type_comes_back_equal() -> None:
    deep: dict[str, Any] = {"type": "output_text", "": None, "id": None, "n": [1.5, [{}], "\0"]}
    sent = {"type": "a2a_call", "id": "x", "content": [deep], "role": deep, "status": None}
    assert stored(sent) == sent


PREFIXES = {
    None: "msg",
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "file_search_call": "fs",
    "web_search_call": "ws",
    "computer_call": "cu",
    "computer_call_output": "cuo",
    "code_interpreter_call": "ci",
    "image_generation_call": "ig",
    "local_shell_call": "lsh",
    "local_shell_call_output": "lsho",
    "shell_call": "sh",
    "shell_call_output": "sho",
    "apply_patch_call": "apc",
    "apply_patch_call_output": "apco",
    "mcp_list_tools": "mcpl",
    "mcp_call": "mcp",
    "mcp_approval_request": "mcpr",
    "mcp_approval_response": "mcpa",
    "tool_search_call": "tsc",
    "tool_search_output": "tso",
    "compaction": "cmp",
    "program": "prg",
    "program_output": "prgo",
    "additional_tools": "item",
    "a2a_preview_call": "item",
}


@pytest.mark.parametrize(("type_", "prefix"), PREFIXES.items())
def test_a_new_id_tells_type_and_time(type_: str | None, prefix: str) -> None:
    new = mint_id(type_, 0x6AB4E125, TOKEN)

    assert new == f"{prefix}_6ab4e125{TOKEN}"
    assert re.fullmatch("[A-Za-z0-9_-]{1,53}", new)
