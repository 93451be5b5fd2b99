"""The types of items that are known, and what each requires (docs/contract.md#item-types).

Any other type is kept as it comes: its items need nothing but a well-formed `type`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model

_TEXT_OR_ARRAY = str | list[Any]


class _Item(BaseModel):
    """What all items have in common. Only checks: what is stored is the object that was sent."""

    model_config = ConfigDict(extra="allow", strict=True, hide_input_in_errors=True)

    id: str | None = None


@dataclass(frozen=True)
class ItemType:
    """One type of items.

    `required`: the fields that must be there, and their types. `prefix`: what the ids begin with
    that we give out. `accepted_prefixes`: what the caller's must begin with, if it is not empty;
    the OpenAI API checks the ids of these types, and they are replayed to it. `completed`: an item
    without `status` gets "completed".
    """

    required: Mapping[str, Any] = field(default_factory=dict)
    prefix: str = "item"
    accepted_prefixes: tuple[str, ...] = ()
    completed: bool = False

    @cached_property
    def model(self) -> type[BaseModel]:
        """Checks an item; made when the first of the type comes, so that a start makes none."""
        fields: dict[str, Any] = {name: (kind, ...) for name, kind in self.required.items()}
        return create_model(self.prefix, __base__=_Item, **fields)


def _type(
    prefix: str,
    *,
    accepted_prefixes: tuple[str, ...] = (),
    completed: bool = False,
    **required: Any,
) -> ItemType:
    return ItemType(required, prefix, accepted_prefixes, completed)


ITEM_TYPES = {
    # `om` is what Azure's agents begin the ids of messages with.
    "message": _type(
        "msg",
        accepted_prefixes=("msg", "om"),
        completed=True,
        role=str,
        content=_TEXT_OR_ARRAY,
    ),
    "reasoning": _type("rs", accepted_prefixes=("rs",), summary=list[Any]),
    "function_call": _type(
        "fc", accepted_prefixes=("fc",), completed=True, call_id=str, name=str, arguments=str
    ),
    "function_call_output": _type("fco", completed=True, output=_TEXT_OR_ARRAY),
    "custom_tool_call": _type("ctc", accepted_prefixes=("ctc",), call_id=str, name=str, input=str),
    "custom_tool_call_output": _type("ctco", call_id=str, output=_TEXT_OR_ARRAY),
    "file_search_call": _type("fs", id=str, queries=list[Any], status=str),
    "web_search_call": _type(
        "ws", accepted_prefixes=("ws",), id=str, action=dict[str, Any], status=str
    ),
    "computer_call": _type("cu", id=str, call_id=str, pending_safety_checks=list[Any], status=str),
    "computer_call_output": _type("cuo", completed=True, call_id=str, output=dict[str, Any]),
    "code_interpreter_call": _type(
        "ci",
        id=str,
        container_id=str,
        code=str | None,
        outputs=list[Any] | None,
        status=str,
    ),
    "image_generation_call": _type("ig", id=str, result=str | None, status=str),
    "local_shell_call": _type("lsh", id=str, call_id=str, action=dict[str, Any], status=str),
    "local_shell_call_output": _type("lsho", id=str, output=str),
    "shell_call": _type("sh", completed=True, call_id=str, action=dict[str, Any]),
    "shell_call_output": _type("sho", completed=True, call_id=str, output=list[Any]),
    "apply_patch_call": _type("apc", call_id=str, operation=dict[str, Any], status=str),
    "apply_patch_call_output": _type("apco", call_id=str, status=str),
    "mcp_list_tools": _type("mcpl", id=str, server_label=str, tools=list[Any]),
    "mcp_call": _type("mcp", id=str, server_label=str, name=str, arguments=str),
    "mcp_approval_request": _type("mcpr", id=str, server_label=str, name=str, arguments=str),
    "mcp_approval_response": _type("mcpa", approval_request_id=str, approve=bool),
    "tool_search_call": _type("tsc", completed=True, arguments=Any),
    "tool_search_output": _type("tso", completed=True, tools=list[Any]),
    "compaction": _type("cmp", encrypted_content=str),
    "program": _type("prg", id=str, call_id=str, code=str, fingerprint=str),
    "program_output": _type("prgo", id=str, call_id=str, result=str, status=str),
    "additional_tools": _type("item", role=str, tools=list[Any]),
}

UNKNOWN_TYPE = ItemType()

# What else a part of a message's content must have, by its type: a string of this name.
PART_TEXTS = {
    "input_text": "text",
    "output_text": "text",
    "text": "text",
    "summary_text": "text",
    "reasoning_text": "text",
    "refusal": "refusal",
}

ROLES = ("assistant", "system", "developer", "user")
