"""The types of items as the contract lists them (docs/contract.md#item-types), for the tests.

Written down here again, not taken from the code: what a test expects has another source.
"""

from dataclasses import dataclass
from typing import Any

# The kinds of the required fields: a value of each, and what errors call them.
TEXT = "a string"
ARRAY = "an array"
OBJECT = "an object"
BOOLEAN = "a boolean"
TEXT_OR_ARRAY = "one of a string or array of objects"
NULLABLE_TEXT = "a string, or null"
NULLABLE_ARRAY = "an array, or null"
ANY = "anything"

SAMPLES: dict[str, Any] = {
    TEXT: "x",
    ARRAY: [],
    OBJECT: {"any": {"depth": 1}},
    BOOLEAN: False,
    TEXT_OR_ARRAY: "x",
    NULLABLE_TEXT: None,
    NULLABLE_ARRAY: None,
    ANY: None,
}

# A value of each kind of JSON, and what errors call it.
KINDS = [
    ("x", "a string"),
    ([], "an array"),
    ({}, "an object"),
    (1, "an integer"),
    (1.5, "a decimal number"),
    (True, "a boolean"),
    (None, "null"),
]

# Which of these each kind of field takes.
TAKEN = {
    TEXT: {"a string"},
    ARRAY: {"an array"},
    OBJECT: {"an object"},
    BOOLEAN: {"a boolean"},
    TEXT_OR_ARRAY: {"a string", "an array"},
    NULLABLE_TEXT: {"a string", "null"},
    NULLABLE_ARRAY: {"an array", "null"},
    ANY: {kind for _, kind in KINDS},
}


@dataclass(frozen=True)
class Type:
    """One type: the prefix of new ids, its required fields besides `type` and their kinds.

    `needs_id`: an `id` is required too. `checks_prefix`: the caller's must begin with the prefix.
    `completed`: gets a `status`.
    """

    name: str
    prefix: str
    fields: dict[str, str]
    needs_id: bool = False
    checks_prefix: bool = False
    completed: bool = False

    def item(self, **others: Any) -> dict[str, Any]:
        """The least that is a valid item of the type; `others` replace and add."""
        item = {"type": self.name, **{name: SAMPLES[kind] for name, kind in self.fields.items()}}
        if self.name == "reasoning":
            item["summary"] = [{"type": "summary_text", "text": "x"}]
        if self.name in ("message", "additional_tools"):
            item["role"] = "developer"
        if self.needs_id:
            item["id"] = f"{self.prefix}_{'0' * 40}"
        return {**item, **others}


TYPES = (
    Type(
        "message",
        "msg",
        {"role": TEXT, "content": TEXT_OR_ARRAY},
        checks_prefix=True,
        completed=True,
    ),
    Type("reasoning", "rs", {"summary": ARRAY}, checks_prefix=True),
    Type(
        "function_call",
        "fc",
        {"call_id": TEXT, "name": TEXT, "arguments": TEXT},
        checks_prefix=True,
        completed=True,
    ),
    Type("function_call_output", "fco", {"output": TEXT_OR_ARRAY}, completed=True),
    Type(
        "custom_tool_call",
        "ctc",
        {"call_id": TEXT, "name": TEXT, "input": TEXT},
        checks_prefix=True,
    ),
    Type("custom_tool_call_output", "ctco", {"call_id": TEXT, "output": TEXT_OR_ARRAY}),
    Type("file_search_call", "fs", {"queries": ARRAY, "status": TEXT}, needs_id=True),
    Type(
        "web_search_call",
        "ws",
        {"action": OBJECT, "status": TEXT},
        needs_id=True,
        checks_prefix=True,
    ),
    Type(
        "computer_call",
        "cu",
        {"call_id": TEXT, "pending_safety_checks": ARRAY, "status": TEXT},
        needs_id=True,
    ),
    Type("computer_call_output", "cuo", {"call_id": TEXT, "output": OBJECT}, completed=True),
    Type(
        "code_interpreter_call",
        "ci",
        {"container_id": TEXT, "code": NULLABLE_TEXT, "outputs": NULLABLE_ARRAY, "status": TEXT},
        needs_id=True,
    ),
    Type("image_generation_call", "ig", {"result": NULLABLE_TEXT, "status": TEXT}, needs_id=True),
    Type(
        "local_shell_call",
        "lsh",
        {"call_id": TEXT, "action": OBJECT, "status": TEXT},
        needs_id=True,
    ),
    Type("local_shell_call_output", "lsho", {"output": TEXT}, needs_id=True),
    Type("shell_call", "sh", {"call_id": TEXT, "action": OBJECT}, completed=True),
    Type("shell_call_output", "sho", {"call_id": TEXT, "output": ARRAY}, completed=True),
    Type("apply_patch_call", "apc", {"call_id": TEXT, "operation": OBJECT, "status": TEXT}),
    Type("apply_patch_call_output", "apco", {"call_id": TEXT, "status": TEXT}),
    Type("mcp_list_tools", "mcpl", {"server_label": TEXT, "tools": ARRAY}, needs_id=True),
    Type("mcp_call", "mcp", {"server_label": TEXT, "name": TEXT, "arguments": TEXT}, needs_id=True),
    Type(
        "mcp_approval_request",
        "mcpr",
        {"server_label": TEXT, "name": TEXT, "arguments": TEXT},
        needs_id=True,
    ),
    Type("mcp_approval_response", "mcpa", {"approval_request_id": TEXT, "approve": BOOLEAN}),
    Type("tool_search_call", "tsc", {"arguments": ANY}, completed=True),
    Type("tool_search_output", "tso", {"tools": ARRAY}, completed=True),
    Type("compaction", "cmp", {"encrypted_content": TEXT}),
    Type("program", "prg", {"call_id": TEXT, "code": TEXT, "fingerprint": TEXT}, needs_id=True),
    Type(
        "program_output", "prgo", {"call_id": TEXT, "result": TEXT, "status": TEXT}, needs_id=True
    ),
    Type("additional_tools", "item", {"role": TEXT, "tools": ARRAY}),
)

UNKNOWN_TYPES = (
    *(
        Type(name, "item", {})
        for name in ("x", "agent_message", "openapi_call", "a2a_preview_call")
    ),
    Type("a" * 64, "item", {}),
    Type("z0_9", "item", {}),
)
