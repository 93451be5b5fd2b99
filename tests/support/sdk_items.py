"""Items as the Responses API gives them out, one of each type that the openai package reads.

Complete by the models of the package, which with strict validation takes nothing less.
"""

from typing import Any

_ACTION = {"type": "exec", "command": ["ls"], "env": {}}
_CODE = {"type": "logs", "logs": "1\n"}
_SCHEMA = {"type": "object", "properties": {}}

SDK_ITEMS: tuple[dict[str, Any], ...] = (
    {
        "type": "message",
        "role": "user",
        "content": [
            {"type": "input_text", "text": "Look"},
            {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"},
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:;base64,AA=="},
        ],
        "status": "completed",
    },
    {
        "type": "message",
        "id": "msg_answer",
        "role": "assistant",
        "content": [
            {
                "type": "output_text",
                "text": "See",
                "annotations": [
                    {
                        "type": "url_citation",
                        "start_index": 0,
                        "end_index": 3,
                        "title": "T",
                        "url": "https://example.com",
                    }
                ],
                "logprobs": [],
            },
            {"type": "refusal", "refusal": "No more."},
        ],
        "status": "completed",
        "phase": "final_answer",
    },
    {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "Thought"}],
        "encrypted_content": "gAAAAABo=",
    },
    {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_1",
        "name": "weather",
        "arguments": '{"city": "Oslo"}',
        "status": "completed",
    },
    {
        "type": "function_call_output",
        "id": "fco_1",
        "call_id": "call_1",
        "output": "4 degrees",
        "status": "completed",
    },
    {
        "type": "custom_tool_call",
        "id": "ctc_1",
        "call_id": "call_2",
        "name": "grep",
        "input": "a|b",
    },
    {"type": "custom_tool_call_output", "id": "ctco_1", "call_id": "call_2", "output": "none"},
    {
        "type": "file_search_call",
        "id": "fs_1",
        "queries": ["q"],
        "status": "completed",
        "results": [{"file_id": "file_1", "text": "found", "score": 0.5}],
    },
    {
        "type": "web_search_call",
        "id": "ws_1",
        "action": {"type": "search", "query": "q", "queries": ["q"]},
        "status": "completed",
    },
    {
        "type": "computer_call",
        "id": "cu_1",
        "call_id": "call_3",
        "action": {"type": "click", "button": "left", "x": 1, "y": 2},
        "pending_safety_checks": [],
        "status": "completed",
    },
    {
        "type": "computer_call_output",
        "id": "cuo_1",
        "call_id": "call_3",
        "output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,AA=="},
        "status": "completed",
    },
    {
        "type": "code_interpreter_call",
        "id": "ci_1",
        "container_id": "cntr_1",
        "code": "print(1)",
        "outputs": [_CODE],
        "status": "completed",
    },
    {"type": "image_generation_call", "id": "ig_1", "result": "AA==", "status": "completed"},
    {
        "type": "local_shell_call",
        "id": "lsh_1",
        "call_id": "call_4",
        "action": _ACTION,
        "status": "completed",
    },
    {"type": "local_shell_call_output", "id": "call_4", "output": "{}", "status": "completed"},
    {
        "type": "shell_call",
        "id": "sh_1",
        "call_id": "call_5",
        "action": {"commands": ["ls"], "max_output_length": None, "timeout_ms": None},
        "environment": None,
        "status": "completed",
    },
    {
        "type": "shell_call_output",
        "id": "sho_1",
        "call_id": "call_5",
        "max_output_length": None,
        "output": [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}],
        "status": "completed",
    },
    {
        "type": "apply_patch_call",
        "id": "apc_1",
        "call_id": "call_6",
        "operation": {"type": "delete_file", "path": "a"},
        "status": "completed",
    },
    {
        "type": "apply_patch_call_output",
        "id": "apco_1",
        "call_id": "call_6",
        "status": "failed",
        "output": "no such file",
    },
    {
        "type": "mcp_list_tools",
        "id": "mcpl_1",
        "server_label": "s",
        "tools": [{"name": "t", "input_schema": _SCHEMA, "annotations": None, "description": None}],
    },
    {
        "type": "mcp_call",
        "id": "mcp_1",
        "server_label": "s",
        "name": "t",
        "arguments": "{}",
        "output": "done",
        "error": None,
        "approval_request_id": "mcpr_1",
    },
    {
        "type": "mcp_approval_request",
        "id": "mcpr_1",
        "server_label": "s",
        "name": "t",
        "arguments": "{}",
    },
    {
        "type": "mcp_approval_response",
        "id": "mcpa_1",
        "approval_request_id": "mcpr_1",
        "approve": True,
        "reason": None,
    },
    {
        "type": "tool_search_call",
        "id": "tsc_1",
        "call_id": "call_7",
        "arguments": {"paths": ["a"]},
        "execution": "server",
        "status": "completed",
    },
    {
        "type": "tool_search_output",
        "id": "tso_1",
        "call_id": "call_7",
        "execution": "server",
        "status": "completed",
        "tools": [
            {"type": "function", "name": "f", "parameters": _SCHEMA, "strict": True},
        ],
    },
    {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAAAABo="},
    {"type": "program", "id": "prg_1", "call_id": "call_8", "code": "1", "fingerprint": "f"},
    {
        "type": "program_output",
        "id": "prgo_1",
        "call_id": "call_8",
        "result": "1",
        "status": "completed",
    },
    {"type": "configuration_update", "id": "item_1", "reasoning": {"effort": "low"}},
    {"type": "additional_tools", "id": "at_1", "role": "developer", "tools": []},
)
